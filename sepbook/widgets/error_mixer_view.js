// What the error mixer looks like: its elements, without behaviour. data-action says what a control does.
import { button, buttons, controls, element, minus } from "./explorer_parts.js";

export const ROWS = [
  ["si-sdr", "SI-SDR", "forgives a factor, and nothing else"],
  ["sdr", "SDR", "forgives nothing"],
  ["filtered", "filtered SDR", "forgives any filter of its length"],
  ["isr", "ISR", "sees filters, shifts and factors"],
  ["sir", "SIR", "sees what has leaked"],
  ["sar", "SAR", "sees what neither sound explains"],
];

const percent = (v) => (v ? `${v} %` : "none");

// action, name, smallest, largest, step, value, how its value is said
export const SLIDERS = [
  ["leak", "leak", -60, 0, 1, -60, (v) => (v <= -60 ? "none" : `${minus(v)} dB`)],
  ["distort", "distort", 0, 100, 1, 0, percent],
  ["filter", "filter", 0, 100, 1, 0, percent],
  ["shift", "shift", 0, 0, 1, 0, (v) => `${v} ${v === 1 ? "sample" : "samples"}`],
];

/** Settings of each preset; a shift in samples. */
export const PRESETS = {
  truth: {},
  leaky: { leak: -12 },
  distorted: { distort: 60 },
  dull: { filter: 100 },
  late: { shift: 8 },
  "too late": { shift: 600 },
  "all of it": { leak: -20, distort: 20, filter: 40, shift: 2 },
};

function line([id, text, words]) {
  const [bar, value] = [element("i"), element("span", { class: "em-number" })];
  const row = element("li", { class: "em-line", "data-row": id }, element("strong", {}, text), element("span", { class: "em-bar", "aria-hidden": "true" }, bar), value, element("small", {}, words));
  return { id, row, bar, value };
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function mixerView({ title, shifts }) {
  const parts = controls("em", "errors");
  const { status } = parts;
  const sliders = SLIDERS.map(([action, text, min, max, step, value]) => parts.slider(action, text, { min, max: action === "shift" ? shifts.length - 1 : max, step, value }));
  const lines = ROWS.map(line);
  const play = button("play", "▶ play");
  const heard = parts.choice("heard", "What is heard", [["estimate", "estimate"], ["source", "source"]], "estimate");
  const root = parts.root(title, "An estimate and its errors");
  root.append(
    parts.tools(play, heard),
    parts.tools(...buttons("preset", Object.keys(PRESETS))),
    element("div", { class: "em-sliders" }, ...sliders.map(({ row }) => row)),
    element("ul", { class: "em-lines", "aria-label": "Six figures of the estimate" }, ...lines.map(({ row }) => row)),
    status,
  );
  return { root, sliders, lines, play, status };
}
