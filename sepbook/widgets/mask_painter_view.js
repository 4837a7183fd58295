// What the mask painter looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element, ruler } from "./explorer_parts.js";
import { height } from "./explorer_masks.js";
import { ticks } from "./explorer_scale.js";

export const ROWS = [
  ["mixture", "untouched mixture"],
  ["yours", "your mask"],
  ["binary", "ideal binary"],
  ["ratio 1", "ideal ratio, p = 1"],
  ["ratio 2", "ideal ratio, p = 2"],
  ["truncated", "ideal truncated phase-sensitive"],
  ["truth", "the true source"],
];

const MARKS = [100, 300, 1000, 2000, 4000]; // Hz

const KEYS = [
  ["← ↑ ↓ →", "move the brush, with shift further"],
  ["space", "paint here; hold it and move to draw"],
  ["enter", "put the brush down to draw, or lift it"],
  ["e", "keep or remove"],
  ["[ ]", "brush size"],
  ["z", "undo"],
  ["p", "play or pause"],
];

/** The two axes: Hz upwards, seconds along. */
const axes = (rate, seconds) => [
  ruler("frequency", "bottom", [[0.97, "Hz"], ...MARKS.filter((hz) => hz < rate / 2).map((hz) => [height(hz, rate), hz < 1000 ? hz : `${hz / 1000}k`])], { class: "mp-up" }),
  ruler("time", "left", ticks(0, seconds).map((s) => [s / seconds, `${s} s`]), { class: "mp-along" }),
];

function slider(action, text, [min, max, value]) {
  const input = element("input", { type: "range", "data-action": action, min, max, step: (max - min) / 40, value });
  return { input, label: element("label", { class: "mp-slider" }, element("span", {}, text), input) };
}

/** One line of the table: what it is, how much it gains as a bar, and its two numbers. It can be chosen. */
function line([id, text], radio) {
  const input = radio("show", id, id === "yours");
  const bar = element("span", { class: "mp-bar", "aria-hidden": "true" }, element("i"));
  const [score, gain] = [element("span", { class: "mp-number" }), element("span", { class: "mp-number" })];
  const row = element("label", { class: "mp-line", "data-row": id }, input, element("span", {}, text), bar, score, gain);
  return { id, row, radio: input, bar: bar.firstChild, score, gain };
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function view({ title, rate, length, sources }) {
  const parts = controls("ex", "painter");
  const { group, status } = parts;
  const choice = (action, legend, names) => parts.choice(action, legend, names.map((each) => [each, each]), names[0]);
  const name = `Spectrogram to paint on: ${length / rate} seconds from left to right, 0 to ${rate / 2} hertz upwards`;
  const canvas = element("canvas", { tabindex: 0, role: "application", "aria-label": name, "aria-describedby": `${group}-keys` });
  const [ring, head] = [element("div", { class: "mp-ring" }), element("div", { class: "mp-head" })];
  const [up, along] = axes(rate, length / rate);
  const panel = element("div", { class: "mp-panel" }, canvas, head, ring);
  const size = slider("size", "brush", [4, 80, 22]);
  const strength = slider("strength", "strength", [0.05, 1, 1]);
  const lines = ROWS.map((row) => line(row, parts.radio));
  const play = button("play", "▶ play");
  const undo = button("undo", "undo", { disabled: true });
  const copy = button("copy", "start from the mask shown", { disabled: true });
  const spoken = element("p", { class: "mp-spoken", "aria-live": "polite" });
  const keys = element("p", { class: "mp-keys", id: `${group}-keys` }, "Keys on the picture: ");
  KEYS.forEach(([key, does], i) => keys.append(i ? " · " : "", element("kbd", {}, key), ` ${does}`));
  keys.append(". With a finger: a swipe upwards scrolls the page; tap the picture, and it paints there too, until you tap elsewhere.");
  const head_row = element("div", { class: "mp-line mp-top", "aria-hidden": "true" }, element("span"), element("span", {}, "see and hear"), element("span"), element("span", { class: "mp-number" }, "SI-SDR"), element("span", { class: "mp-number" }, "gain"));
  const table = element("fieldset", { class: "mp-lines" }, element("legend", {}, "See and hear; SI-SDR and its improvement in dB"), head_row, ...lines.map(({ row }) => row));
  const tools = [choice("tool", "Brush", ["keep", "remove"]), size.label, strength.label, undo, button("all", "keep all"), button("nothing", "keep nothing"), copy, button("reset", "↺ reset")];
  const root = parts.root(title, "Paint a mask", { "data-lm-suppress-shortcuts": true });
  root.append(
    parts.tools(choice("source", "Source to extract", sources.map((each) => each.name)), play),
    element("div", { class: "mp-stage" }, up, panel, along),
    parts.tools(...tools),
    table, status, keys, spoken,
  );
  return { root, canvas, ring, head, panel, size: size.input, strength: strength.input, lines, play, undo, copy, status, spoken };
}
