// What the embedding explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element, figure, picture } from "./explorer_parts.js";

export const PAINTS = [
  ["source", "true source"],
  ["cluster", "k-means cluster"],
  ["affinity", "affinity with the chosen bin"],
];

function legend(names, colours) {
  const shapes = ["●", "■", "▲", "●"];
  const entries = names.map((name, s) => {
    const sign = element("i", { "aria-hidden": "true", style: `color: ${colours[s]}` }, shapes[s % 4]);
    return element("span", {}, sign, ` ${name}`);
  });
  return element("p", { class: "em-legend" }, ...entries);
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function embeddingView({ title, versions, names, colours, size, points }) {
  const parts = controls("em", "embedding");
  const { status } = parts;
  const [space, bins] = ["Points in space, one for each bin", "Spectrogram of the mixture"].map(picture);
  const version = parts.choice("version", "Embedding", versions.map(({ name }, i) => [String(i), name]), "0");
  const paint = parts.choice("paint", "Colour", PAINTS, "source");
  const sliders = [
    parts.slider("chosen", "bin", { min: 0, max: points - 1, step: 1, value: 0 }),
    parts.slider("turn", "turn", { min: -180, max: 180, step: 1, value: 0 }),
    parts.slider("tilt", "tilt", { min: -90, max: 90, step: 1, value: 0 }),
  ];
  const root = parts.root(title, "Embeddings");
  root.append(
    parts.tools(version),
    parts.tools(paint, legend(names, colours)),
    element(
      "div",
      { class: "em-stage" },
      figure(space, "each point is a bin, drawn in its three strongest directions, in a ball of radius 1: drag to turn, click to choose"),
      figure(bins, `${size[0]} bins upwards, ${size[1]} frames to the right: click to choose`),
    ),
    element("div", { class: "em-sliders" }, ...sliders.map(({ row }) => row), button("front", "from the front (2-D)")),
    status,
  );
  return { root, space, bins, sliders, status };
}
