// What the convolution explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, buttons, controls, element } from "./explorer_parts.js";

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

/** Show the steps of the arithmetic as a list of names and sums. */
export function showSteps(list, { lines, error }) {
  list.replaceChildren(...lines.flatMap(([name, sum]) => [element("dt", {}, name), element("dd", {}, sum)]));
  if (error) list.append(element("dt", {}, "impossible"), element("dd", { class: "cv-error" }, error));
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function view({ title, limits }) {
  const parts = controls("ex", "convolution");
  const slider = ([action, text], [min, max]) => parts.slider(action, text, { min, max, step: 1 });
  const play = button("play", "▶ move");
  const dimensions = parts.choice("axes", "How many axes", [["1", "1-D"], ["2", "2-D"]]);
  const way = parts.choice("transposed", "Which way", [["", "convolution"], ["yes", "transposed"]]);
  const sliders = SLIDERS.map((entry) => slider(entry, limits[entry[0]]));
  const place = slider(["place", "kernel at place"], [0, 0]);
  const figure = element("div", { class: "cv-figure", tabindex: "0", role: "group", "aria-label": "Picture of the kernel, input and output" });
  const caption = element("p", { class: "cv-caption", role: "status" });
  const legend = element("p", { class: "cv-legend" });
  const steps = element("dl", { class: "cv-steps" });
  const root = parts.root(title, "Convolution arithmetic");
  root.append(
    parts.tools(dimensions, way),
    parts.tools(...buttons("preset", Object.keys(PRESETS)), button("reset", "↺ reset")),
    element("div", { class: "ex-sliders" }, ...sliders.map(({ row }) => row)),
    element("div", {}, figure, legend),
    element("div", { class: "cv-place" }, play, place.row),
    caption,
    steps,
  );
  return { root, play, dimensions, way, sliders, place, figure, legend, caption, steps };
}
