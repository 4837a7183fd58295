// What the error mixer looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element, minus, ruler } from "./explorer_parts.js";

export const ROWS = [
  ["si-sdr", "SI-SDR", "forgives a factor, and nothing else"],
  ["sdr", "SDR", "forgives nothing"],
  ["filtered", "filtered SDR", "forgives any filter of its length"],
  ["isr", "ISR", "sees filters, shifts and factors"],
  ["sir", "SIR", "sees what has leaked"],
  ["sar", "SAR", "sees what neither sound explains"],
];

const percent = (v) => (v ? `${v} %` : "none");

/** The sliders; that of the shift moves through a list of shifts in samples. */
export const sliders = (shifts) => [
  { action: "leak", text: "leak", min: -60, max: 0, step: 1, say: (v) => (v <= -60 ? "none" : `${minus(v)} dB`) },
  { action: "distort", text: "distort", min: 0, max: 100, step: 1, say: percent },
  { action: "filter", text: "filter", min: 0, max: 100, step: 1, say: percent },
  { action: "shift", text: "shift", min: 0, max: shifts.length - 1, step: 1, say: (v) => `${shifts[v]} ${shifts[v] === 1 ? "sample" : "samples"}` },
];

export const USUAL = { leak: -60, distort: 0, filter: 0, shift: 0, heard: "estimate" };

/** What differs from the truth in each preset. */
export const presets = (shifts) => ({
  truth: {},
  leaky: { leak: -12 },
  distorted: { distort: 60 },
  dull: { filter: 100 },
  late: { shift: shifts.indexOf(8) },
  "too late": { shift: shifts.indexOf(600) },
  "all of it": { leak: -20, distort: 20, filter: 40, shift: shifts.indexOf(2) },
});

export const [LOW, HIGH] = [-10, 50]; // dB, the ends of a bar

/** The numbers below the bars. */
const axis = () => element("li", { class: "er-line er-axis", "aria-hidden": "true" }, element("span"), ruler("decibels", "left", [0, 20, 40].map((level) => [(level - LOW) / (HIGH - LOW), level]), { class: "er-along" }), element("span", { class: "er-number" }, "dB"));

function line([id, text, words]) {
  const [bar, value] = [element("i"), element("span", { class: "er-number" })];
  const row = element("li", { class: "er-line", "data-row": id }, element("strong", {}, text), element("span", { class: "er-bar", "aria-hidden": "true" }, bar), value, element("small", {}, words));
  return { id, row, bar, value };
}

/** Build everything. `fill` puts it into `root`, with what the desk has. */
export function mixerView({ title }) {
  const parts = controls("ex", "errors");
  const lines = ROWS.map(line);
  const play = button("play", "▶ play");
  const heard = parts.choice("heard", "What is heard", [["estimate", "estimate"], ["source", "source"]], "estimate");
  const root = parts.root(title, "An estimate and its errors");
  const table = element("ul", { class: "er-lines", "aria-label": "Six figures of the estimate" }, ...lines.map(({ row }) => row), axis());
  const fill = ({ presetsRow, rows }) => root.append(parts.tools(play, heard), presetsRow, rows, table, parts.status);
  return { parts, root, lines, play, heard, fill };
}
