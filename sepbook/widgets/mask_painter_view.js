// What the mask painter looks like: its elements, without behaviour. data-action says what a control does.
import { height } from "./mask_painter_masks.js";

let count = 0; // painters on this page, so that their radio buttons keep apart

export const ROWS = [
  ["mixture", "untouched mixture"],
  ["yours", "your mask"],
  ["binary", "ideal binary"],
  ["ratio 1", "ideal ratio, p = 1"],
  ["ratio 2", "ideal ratio, p = 2"],
  ["truncated", "ideal truncated phase-sensitive"],
  ["truth", "the true source"],
];

const KEYS = [
  ["← ↑ ↓ →", "move the brush, with shift further"],
  ["space", "paint here; hold it and move to draw"],
  ["enter", "put the brush down to draw, or lift it"],
  ["e", "keep or remove"],
  ["[ ]", "brush size"],
  ["z", "undo"],
  ["p", "play or pause"],
];

/** An element: make("button", {type: "button"}, "text", child …). A false attribute is left out. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const push = (action, text, more = {}) => make("button", { type: "button", "data-action": action, ...more }, text);

function slider(action, text, [min, max, value]) {
  const input = make("input", { type: "range", "data-action": action, min, max, step: (max - min) / 40, value });
  return { input, label: make("label", { class: "mp-slider" }, make("span", {}, text), input) };
}

/** Radio buttons that look like one switch. */
function choice(action, legend, names, group) {
  const labels = names.map((name, i) => {
    const radio = make("input", { type: "radio", name: `${group}-${action}`, value: name, "data-action": action, checked: !i });
    return make("label", {}, radio, make("span", {}, name));
  });
  return make("fieldset", { class: "mp-choice" }, make("legend", {}, legend), ...labels);
}

/** One line of the table: what it is, how much it gains as a bar, and its two numbers. It can be chosen. */
function line([id, text], group) {
  const radio = make("input", { type: "radio", name: `${group}-show`, value: id, "data-action": "show", checked: id === "yours" });
  const bar = make("span", { class: "mp-bar", "aria-hidden": "true" }, make("i"));
  const [score, gain] = [make("span", { class: "mp-number" }), make("span", { class: "mp-number" })];
  const row = make("label", { class: "mp-line", "data-row": id }, radio, make("span", {}, text), bar, score, gain);
  return { id, row, radio, bar: bar.firstChild, score, gain };
}

function axes(rate, seconds) {
  const mark = (text, style) => make("span", { style }, text);
  const hertz = [100, 300, 1000, 2000, 4000].filter((hz) => hz < rate / 2);
  const unit = mark("Hz", "bottom: 97%");
  const up = hertz.map((hz) => mark(hz < 1000 ? `${hz}` : `${hz / 1000}k`, `bottom: ${100 * height(hz, rate)}%`));
  const along = Array.from({ length: Math.floor(seconds) + 1 }, (_, s) => mark(`${s} s`, `left: ${(100 * s) / seconds}%`));
  return [make("div", { class: "mp-up", "aria-hidden": "true" }, unit, ...up), make("div", { class: "mp-along", "aria-hidden": "true" }, ...along)];
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function view({ title, rate, length, sources }) {
  const group = `sepbook-painter-${++count}`;
  const name = `Spectrogram to paint on: ${length / rate} seconds from left to right, 0 to ${rate / 2} hertz upwards`;
  const canvas = make("canvas", { tabindex: 0, role: "application", "aria-label": name, "aria-describedby": `${group}-keys` });
  const [ring, head] = [make("div", { class: "mp-ring" }), make("div", { class: "mp-head" })];
  const [up, along] = axes(rate, length / rate);
  const panel = make("div", { class: "mp-panel" }, canvas, head, ring);
  const size = slider("size", "brush", [4, 80, 22]);
  const strength = slider("strength", "strength", [0.05, 1, 1]);
  const lines = ROWS.map((row) => line(row, group));
  const play = push("play", "▶ play");
  const undo = push("undo", "undo", { disabled: true });
  const copy = push("copy", "start from the mask shown", { disabled: true });
  const status = make("p", { class: "mp-status", role: "status" });
  const spoken = make("p", { class: "mp-spoken", "aria-live": "polite" });
  const keys = make("p", { class: "mp-keys", id: `${group}-keys` }, "Keys on the picture: ");
  KEYS.forEach(([key, does], i) => keys.append(i ? " · " : "", make("kbd", {}, key), ` ${does}`));
  const head_row = make("div", { class: "mp-line mp-top", "aria-hidden": "true" }, make("span"), make("span", {}, "see and hear"), make("span"), make("span", { class: "mp-number" }, "SI-SDR"), make("span", { class: "mp-number" }, "gain"));
  const table = make("fieldset", { class: "mp-lines" }, make("legend", {}, "See and hear; SI-SDR and its improvement in dB"), head_row, ...lines.map(({ row }) => row));
  const tools = [choice("tool", "Brush", ["keep", "remove"], group), size.label, strength.label, undo, push("all", "keep all"), push("nothing", "keep nothing"), copy];
  const root = make("div", { class: "mp-root", role: "group", "aria-label": title || "Paint a mask", "data-lm-suppress-shortcuts": true });
  if (title) root.append(make("p", { class: "mp-title" }, title));
  root.append(
    make("div", { class: "mp-tools" }, choice("source", "Source to extract", sources.map((each) => each.name), group), play),
    make("div", { class: "mp-stage" }, up, panel, along),
    make("div", { class: "mp-tools" }, ...tools),
    table, status, keys, spoken,
  );
  return { root, canvas, ring, head, panel, size: size.input, strength: strength.input, lines, play, undo, copy, status, spoken };
}
