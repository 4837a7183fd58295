// The three pictures of the filter explorer: all responses side by side, one waveform, one response.
import { frame } from "./explorer_axes.js";
import { hidden } from "./explorer_canvas.js";
import { answer, curve, fromMel, melCentres, toMel, tones } from "./filterbank_measures.js";

const ROWS = 96; // of the map of all responses
const POINTS = 200; // of one response
const FLOOR = 40; // dB below the largest
const MARKS = [0, 500, 1000, 2000, 4000, 8000, 12000, 16000, 20000]; // Hz, written at an axis

/** An axis of frequency, in mel or in Hz; `place` is where on it a frequency stands. */
function pitch(rate, mel) {
  const [place, back] = mel ? [toMel, fromMel] : [Number, Number];
  const at = MARKS.filter((hertz) => hertz <= rate / 2 && (mel || hertz !== 500)).map(place);
  return { from: [0, place(rate / 2)], name: "frequency (kHz)", at, say: (value) => String(Math.round(back(value)) / 1000), place };
}

/** The answers of all filters, one column each, in shades; made once for each bank, part and axis. */
export function shades(waveforms, rate, mel, colour) {
  const context = hidden(waveforms.length, ROWS);
  const frequencies = tones(ROWS, rate, mel);
  context.fillStyle = colour;
  waveforms.forEach((waveform, k) => {
    curve(waveform, frequencies, rate).forEach((value, row) => {
      context.globalAlpha = Math.round(12 * value ** 1.5) / 12;
      context.fillRect(k, ROWS - 1 - row, 1, 1);
    });
  });
  return context.canvas;
}

/** All filters from low to high: shades, their centres, a mel bank for comparison, and the chosen one. Returns its scale. */
export function drawMap(canvas, { small, centres, chosen, rate, mel, colours }) {
  const [K, axis] = [centres.length, pitch(rate, mel)];
  const { context, x, y, path } = frame(canvas, {
    x: { from: [0.5, K + 0.5], name: "filter, from low to high" },
    y: axis,
    tallOf: () => 280,
  }, colours);
  const [top, bottom] = [y(axis.from[1]), y(0)];
  context.imageSmoothingEnabled = false;
  context.drawImage(small, x(0.5), top, x(K + 0.5) - x(0.5), bottom - top);
  for (const [line, strokeStyle, dashes] of [[melCentres(K, rate), colours.ink, [6, 4]], [centres, colours.warm, []]]) {
    path(line.map((hertz, k) => [k + 1, axis.place(hertz)]), strokeStyle, 2, dashes);
  }
  Object.assign(context, { strokeStyle: colours.ink, lineWidth: 1.5 });
  const wide = Math.max(6, x(1) - x(0));
  context.strokeRect(x(chosen + 1) - wide / 2, top, wide, bottom - top);
  return x;
}

/** One waveform over time, its largest value as 1. */
export function drawWave(canvas, { waveform, rate, colours }) {
  const ms = 1000 / rate;
  const { path } = frame(canvas, {
    x: { from: [0, waveform.length * ms], name: "time (ms)" },
    y: { from: [-1.1, 1.1], name: "amplitude", at: [-1, 0, 1] },
    tallOf: () => 180,
  }, colours);
  const most = Math.max(...waveform.map(Math.abs), 1e-9);
  path(Array.from(waveform, (value, n) => [(n + 0.5) * ms, value / most]), colours.accent);
}

/** One response in dB, with its centre. */
export function drawResponse(canvas, { waveform, centre, rate, mel, colours }) {
  const axis = pitch(rate, mel);
  const at = axis.at.filter((value) => axis.say(value) !== "0.5");
  const { path } = frame(canvas, { x: { ...axis, at }, y: { from: [-FLOOR, 0], name: "level (dB)", at: [-40, -20, 0] }, tallOf: () => 180 }, colours);
  const frequencies = tones(POINTS, rate, mel);
  const answers = frequencies.map((hertz) => answer(waveform, hertz, rate));
  const largest = Math.max(answer(waveform, centre, rate), ...answers, 1e-9);
  path([[axis.place(centre), -FLOOR], [axis.place(centre), 0]], colours.warm);
  const levels = answers.map((value) => Math.max(-FLOOR, 20 * Math.log10(value / largest + 1e-6)));
  path(frequencies.map((hertz, i) => [axis.place(hertz), levels[i]]), colours.accent);
}
