// What the loss explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element, figure, minus, picture } from "./explorer_parts.js";

export const ROWS = [
  ["l1", "L1"],
  ["mse", "MSE"],
  ["sdr", "SDR loss"],
  ["si-sdr", "SI-SDR loss"],
  ["si-snr", "SI-SNR loss"],
];

export const SLIDERS = [
  { action: "level", text: "scale", min: -60, max: 6, step: 1, say: (v) => (v <= -60 ? "silence" : `${minus(v)} dB`) },
  { action: "angle", text: "rotate", min: 0, max: 180, step: 1, say: (v) => (v === 90 ? "90°, only band" : v === 180 ? "180°, upside down" : `${v}°`) },
  { action: "distort", text: "distort", min: 0, max: 100, step: 1, say: (v) => (v ? `${v} %` : "none") },
  { action: "hiss", text: "add hiss", min: -60, max: 0, step: 1, say: (v) => (v <= -60 ? "none" : `${minus(v)} dB`) },
  { action: "delay", text: "shift", min: 0, max: 16, step: 1, say: (v) => `${v} ${v === 1 ? "sample" : "samples"}` },
  { action: "constant", text: "constant", min: 0, max: 0.1, step: 0.005, say: (v) => v.toFixed(3) },
];

export const USUAL = { level: 0, angle: 0, distort: 0, hiss: -60, delay: 0, constant: 0, heard: "estimate", loss: "si-sdr", quiet: false };

/** What differs from the truth in each preset. */
export const PRESETS = {
  truth: {},
  "half as loud": { level: -6 },
  "upside down": { angle: 180 },
  "one sample late": { delay: 1 },
  "with the band": { angle: 30 },
  distorted: { distort: 60 },
  silence: { level: -60 },
};

function line([id, text], radio) {
  const [bar, value] = [element("i"), element("span", { class: "wl-number" })];
  const input = radio("loss", id, id === "si-sdr");
  const row = element("label", { class: "wl-line", "data-row": id }, input, element("span", {}, text), element("span", { class: "wl-bar", "aria-hidden": "true" }, bar), value);
  return { id, row, bar, value };
}

/** Build everything. `fill` puts it into `root`, with what the desk has. */
export function lossView({ title }) {
  const parts = controls("ex", "waveform");
  const [plane, wave] = ["The plane of source and everything else", "Five milliseconds of the source and of the estimate"].map(picture);
  const lines = ROWS.map((row) => line(row, parts.radio));
  const play = button("play", "▶ play");
  const heard = parts.choice("heard", "What is heard", [["estimate", "estimate"], ["source", "source"]], "estimate");
  const quiet = element("label", { class: "ex-check" }, element("input", { type: "checkbox", "data-action": "quiet" }), "the source itself is silent");
  const table = element("fieldset", { class: "wl-lines" }, element("legend", {}, "Losses; the chosen one is drawn in the plane"), ...lines.map(({ row }) => row));
  const root = parts.root(title, "Losses on waveforms");
  const fill = ({ presetsRow, rows }) => {
    rows.append(quiet);
    root.append(
      parts.tools(play, heard),
      presetsRow,
      rows,
      element("div", { class: "wl-stage" }, figure(plane, "the stronger the shade, the larger the loss; dashes: the error that it measures"), table),
      figure(wave, "five milliseconds: source (grey, wide) and estimate (thin)"),
      parts.status,
    );
  };
  return { parts, root, plane, wave, lines, play, heard, table, fill };
}
