// What the embedding explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element, figure, picture } from "./explorer_parts.js";

export const PAINTS = [
  ["source", "true source"],
  ["cluster", "k-means cluster"],
  ["affinity", "affinity with the chosen bin"],
];

export const HEARD = [["like", "the bins like the chosen one"], ["all", "the whole mixture"]];

function legend(names, colours) {
  const shapes = ["●", "■", "▲", "●"];
  const entries = names.map((name, s) => {
    const sign = element("i", { "aria-hidden": "true", style: `color: ${colours[s]}` }, shapes[s % 4]);
    return element("span", {}, sign, ` ${name}`);
  });
  return element("p", { class: "em-legend" }, ...entries);
}

/** Build everything. `fill` puts it into `root`, with what the desk has. */
export function embeddingView({ title, versions, names, colours, sound }) {
  const parts = controls("ex", "embedding");
  const [space, bins] = ["Points in space, one for each bin", "Spectrogram of the mixture"].map(picture);
  const version = parts.choice("version", "Embedding", versions.map(({ name }, i) => [String(i), name]), "0");
  const paint = parts.choice("paint", "Colour", PAINTS, "source");
  const heard = sound ? parts.choice("heard", "Hear", HEARD, "like") : "";
  const play = sound ? button("play", "▶ play") : "";
  const root = parts.root(title, "Embeddings");
  const fill = ({ rows, presetsRow }) => root.append(
    parts.tools(version),
    parts.tools(paint, legend(names, colours)),
    element(
      "div",
      { class: "ex-stage" },
      figure(space, "each point is a bin, drawn in its three strongest directions, in a ball of radius 1: drag to turn, click to choose"),
      figure(bins, "the bins of those points: click to choose"),
    ),
    ...(sound ? [parts.tools(heard, play)] : []),
    rows,
    presetsRow,
    parts.status,
  );
  return { parts, root, space, bins, version, paint, heard, play, fill };
}
