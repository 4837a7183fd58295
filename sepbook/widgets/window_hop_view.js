// What the window explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element, figure, picture } from "./explorer_parts.js";

export const SIZES = [128, 256, 512, 1024, 2048, 4096];
export const HOPS = [
  [0.125, "⅛"],
  [0.25, "¼"],
  [0.5, "½"],
  [0.75, "¾"],
  [1, "whole"],
];
const NAMES = { hann: "Hann", hamming: "Hamming", sqrt_hann: "square root of Hann", rectangular: "rectangular" };

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function windowView({ title, sources }, shapes) {
  const parts = controls("ex", "window");
  const { status } = parts;
  /** A choice with its legend beside it. */
  const choice = (action, legend, ...options) =>
    element("div", { class: "wh-pair" }, element("span", { "aria-hidden": "true" }, legend), parts.choice(action, legend, ...options));
  const canvas = picture("Spectrogram of the mixture");
  const size = parts.slider("size", "window", { min: 0, max: SIZES.length - 1, step: 1, value: 3 });
  const shape = element("select", { "data-action": "shape" }, ...shapes.map((name) => element("option", { value: name }, NAMES[name])));
  const hop = choice("hop", "hop in windows", HOPS, 0.25);
  const names = sources.map(({ name }) => name);
  const heard = choice("heard", "heard", [["mixture", "mixture"], ...names.map((name) => [name, name])], "mixture");
  const play = button("play", "▶ play");
  const cells = Object.fromEntries(["cell", "leak", "numbers", ...names].map((name) => [name, element("dd", {})]));
  const rows = [["cell", "one cell"], ["leak", "leaks"], ["numbers", "numbers"], ...names.map((name) => [name, name])];
  const list = element("dl", {}, ...rows.map(([name, text]) => element("div", {}, element("dt", {}, text), cells[name])));
  const caption = ["the stronger the shade, the louder; ", element("span", { class: "wh-key" }, "one cell"), ", ten times enlarged"];
  const root = parts.root(title, "Window and hop");
  root.append(
    parts.tools(size.row),
    parts.tools(hop, element("label", {}, element("span", {}, "shape "), shape)),
    figure(canvas, ...caption),
    parts.tools(play, heard, button("reset", "↺ reset")),
    list,
    status,
  );
  return { root, canvas, size, shape, hop, heard, play, cells, status };
}
