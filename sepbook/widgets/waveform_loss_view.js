// What the loss explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, buttons, controls, element, figure, minus, picture } from "./explorer_parts.js";

export const ROWS = [
  ["l1", "L1"],
  ["mse", "MSE"],
  ["sdr", "SDR loss"],
  ["si-sdr", "SI-SDR loss"],
  ["si-snr", "SI-SNR loss"],
];

// action, name, smallest, largest, step, value, how its value is said
export const SLIDERS = [
  ["level", "scale", -60, 6, 1, 0, (v) => (v <= -60 ? "silence" : `${minus(v)} dB`)],
  ["angle", "rotate", 0, 180, 1, 0, (v) => (v === 90 ? "90°, only band" : v === 180 ? "180°, upside down" : `${v}°`)],
  ["hiss", "add hiss", -60, 0, 1, -60, (v) => (v <= -60 ? "none" : `${minus(v)} dB`)],
  ["delay", "shift", 0, 16, 1, 0, (v) => `${v} ${v === 1 ? "sample" : "samples"}`],
  ["constant", "constant", 0, 0.1, 0.005, 0, (v) => v.toFixed(3)],
];

export const PRESETS = {
  truth: {},
  "half as loud": { level: -6 },
  "upside down": { angle: 180 },
  "one sample late": { delay: 1 },
  "with the band": { angle: 30 },
  silence: { level: -60 },
};

function line([id, text], radio) {
  const [bar, value] = [element("i"), element("span", { class: "wl-number" })];
  const input = radio("loss", id, id === "si-sdr");
  const row = element("label", { class: "wl-line", "data-row": id }, input, element("span", {}, text), element("span", { class: "wl-bar", "aria-hidden": "true" }, bar), value);
  return { id, row, bar, value };
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function lossView({ title }) {
  const parts = controls("wl", "waveform");
  const { status } = parts;
  const [plane, wave] = ["The plane of source and everything else", "Five milliseconds of the source and of the estimate"].map(picture);
  const sliders = SLIDERS.map(([action, text, min, max, step, value]) => parts.slider(action, text, { min, max, step, value }));
  const lines = ROWS.map((row) => line(row, parts.radio));
  const play = button("play", "▶ play");
  const heard = parts.choice("heard", "What is heard", [["estimate", "estimate"], ["source", "source"]], "estimate");
  const quiet = element("input", { type: "checkbox", "data-action": "quiet" });
  const table = element("fieldset", { class: "wl-lines" }, element("legend", {}, "Losses; the chosen one is drawn in the plane"), ...lines.map(({ row }) => row));
  const root = parts.root(title, "Losses on waveforms");
  root.append(
    parts.tools(play, heard),
    parts.tools(...buttons("preset", Object.keys(PRESETS))),
    element("div", { class: "wl-sliders" }, ...sliders.map(({ row }) => row), element("label", { class: "wl-check" }, quiet, "the source itself is silent")),
    element("div", { class: "wl-stage" }, figure(plane, "to the right: how much source; upwards: everything else; the stronger the shade, the larger the loss"), table),
    figure(wave, "five milliseconds: source (grey, wide) and estimate (thin)"),
    status,
  );
  return { root, plane, wave, sliders, lines, play, quiet, status };
}
