// What the convolution explorer looks like: its elements, without behaviour. data-action says what a control does.

let explorers = 0; // on this page, so that their radio buttons keep apart

export const SLIDERS = [
  ["n", "input length"],
  ["kernel", "kernel"],
  ["stride", "stride"],
  ["padding", "padding"],
  ["dilation", "dilation"],
  ["output_padding", "output padding"],
];

const START = { n: 7, kernel: 3, stride: 1, padding: 0, dilation: 1, output_padding: 0, transposed: false };

export const PRESETS = {
  "no padding": START,
  "stride 2": { ...START, stride: 2 },
  "same length": { ...START, padding: 1 },
  "dilation 2": { ...START, dilation: 2 },
  "transposed, kernel 3": { ...START, n: 4, stride: 2, transposed: true },
  "transposed, kernel 4": { ...START, n: 4, kernel: 4, stride: 2, padding: 1, transposed: true },
};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function slider([action, text], [min, max]) {
  const input = element("input", { type: "range", "data-action": action, min, max, step: 1, "aria-label": text });
  const said = element("output", {});
  return { action, input, said, row: element("label", { class: "cv-slider" }, element("span", {}, text), input, said) };
}

function choice(action, group, legend, options) {
  const labels = options.map(([value, text]) => {
    const input = element("input", { type: "radio", name: `${group}-${action}`, value, "data-action": action });
    return element("label", {}, input, element("span", {}, text));
  });
  return element("fieldset", { class: "cv-choice" }, element("legend", {}, legend), ...labels);
}

/** Show the steps of the arithmetic as a list of names and sums. */
export function showSteps(list, { lines, error }) {
  list.replaceChildren(...lines.flatMap(([name, sum]) => [element("dt", {}, name), element("dd", {}, sum)]));
  if (error) list.append(element("dt", {}, "impossible"), element("dd", { class: "cv-error" }, error));
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function view({ title, limits }) {
  const group = `sepbook-convolution-${++explorers}`;
  const play = element("button", { type: "button", "data-action": "play" }, "▶ move");
  const presets = Object.keys(PRESETS).map((name) => element("button", { type: "button", "data-action": "preset", value: name }, name));
  const axes = choice("axes", group, "How many axes", [["1", "1-D"], ["2", "2-D"]]);
  const way = choice("transposed", group, "Which way", [["", "convolution"], ["yes", "transposed"]]);
  const sliders = SLIDERS.map((entry) => slider(entry, limits[entry[0]]));
  const place = slider(["place", "kernel at place"], [0, 0]);
  const figure = element("div", { class: "cv-figure", tabindex: "0", role: "group", "aria-label": "Picture of the kernel, input and output" });
  const caption = element("p", { class: "cv-caption", role: "status" });
  const legend = element("p", { class: "cv-legend" });
  const steps = element("dl", { class: "cv-steps" });
  const root = element("div", { class: "cv-root", role: "group", "aria-label": title || "Convolution arithmetic" });
  if (title) root.append(element("p", { class: "cv-title" }, title));
  root.append(
    element("div", { class: "cv-tools" }, axes, way),
    element("div", { class: "cv-tools" }, ...presets),
    element("div", { class: "cv-sliders" }, ...sliders.map(({ row }) => row)),
    element("div", {}, figure, legend),
    element("div", { class: "cv-place" }, play, place.row),
    caption,
    steps,
  );
  return { root, play, sliders, place, figure, legend, caption, steps };
}
