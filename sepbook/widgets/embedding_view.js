// What the embedding explorer looks like: its elements, without behaviour. data-action says what a control does.

let explorers = 0; // on this page, so that their radio buttons keep apart

export const PAINTS = [
  ["source", "true source"],
  ["cluster", "k-means cluster"],
  ["affinity", "affinity with the chosen bin"],
];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function choice(action, group, legend, entries, first) {
  const labels = entries.map(([value, text]) => {
    const input = element("input", { type: "radio", name: `${group}-${action}`, value, "data-action": action, checked: value === first });
    return element("label", {}, input, element("span", {}, text));
  });
  return element("fieldset", { class: "em-choice" }, element("legend", {}, legend), ...labels);
}

function slider(action, text, min, max, value) {
  const input = element("input", { type: "range", "data-action": action, min, max, step: 1, value, "aria-label": text });
  const said = element("output", {});
  return { action, input, said, row: element("label", { class: "em-slider" }, element("span", {}, text), input, said) };
}

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
  const group = `sepbook-embedding-${++explorers}`;
  const space = element("canvas", { role: "img", "aria-label": "Points in space, one for each bin" });
  const bins = element("canvas", { role: "img", "aria-label": "Spectrogram of the mixture" });
  const version = choice("version", group, "Embedding", versions.map(({ name }, i) => [String(i), name]), "0");
  const paint = choice("paint", group, "Colour", PAINTS, "source");
  const sliders = [
    slider("chosen", "bin", 0, points - 1, 0),
    slider("turn", "turn", -180, 180, 0),
    slider("tilt", "tilt", -90, 90, 0),
  ];
  const front = element("button", { type: "button", "data-action": "front" }, "from the front (2-D)");
  const status = element("p", { class: "em-status", role: "status" });
  const figure = (canvas, caption) => element("figure", {}, canvas, element("figcaption", {}, caption));
  const root = element("div", { class: "em-root", role: "group", "aria-label": title || "Embeddings" });
  if (title) root.append(element("p", { class: "em-title" }, title));
  root.append(
    element("div", { class: "em-tools" }, version),
    element("div", { class: "em-tools" }, paint, legend(names, colours)),
    element(
      "div",
      { class: "em-stage" },
      figure(space, "each point is a bin, drawn in its three strongest directions: drag to turn, click to choose"),
      figure(bins, `${size[0]} bins upwards, ${size[1]} frames to the right: click to choose`),
    ),
    element("div", { class: "em-sliders" }, ...sliders.map(({ row }) => row), front),
    status,
  );
  return { root, space, bins, sliders, status };
}
