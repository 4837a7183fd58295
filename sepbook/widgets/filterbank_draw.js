// The three pictures of the filter explorer: all responses side by side, one waveform, one response.
import { fitted, hidden, polyline } from "./explorer_canvas.js";
import { answer, curve, grid, melCentres, toMel } from "./filterbank_measures.js";

const ROWS = 96; // of the map of all responses
const POINTS = 200; // of one response
const FLOOR = 40; // dB below the largest
const [LEFT, BELOW] = [46, 22]; // pixels beside and below a picture, for words
const TICKS = [0, 500, 1000, 2000, 4000, 8000, 12000, 16000, 20000];

/** A canvas of this height, and the sizes of what it has room for beside its words. */
function prepared(canvas, height) {
  const { context, width, tall } = fitted(canvas, () => height);
  return { context, width: width - LEFT - 6, tall: tall - BELOW };
}

/** The part of the axis, from 0 to 1, at which a frequency stands. */
export const share = (hertz, rate, mel) => (mel ? toMel(hertz) / toMel(rate / 2) : hertz / (rate / 2));

const ticks = (rate, mel) => TICKS.filter((hertz) => hertz <= rate / 2 && (mel || hertz !== 500));

function frame(context, width, tall, colours) {
  context.strokeStyle = colours.line;
  context.strokeRect(LEFT, 6, width, tall - 6);
  context.fillStyle = colours.quiet;
}

/** The answers of all filters, one column each, in shades; made once for each bank, part and axis. */
export function shades(waveforms, rate, mel, colour) {
  const context = hidden(waveforms.length, ROWS);
  const frequencies = grid(ROWS, rate, mel);
  context.fillStyle = colour;
  waveforms.forEach((waveform, k) => {
    curve(waveform, frequencies, rate).forEach((value, row) => {
      context.globalAlpha = Math.round(12 * value ** 1.5) / 12;
      context.fillRect(k, ROWS - 1 - row, 1, 1);
    });
  });
  return context.canvas;
}

/** All filters from low to high: shades, their centres, a mel bank for comparison, and the chosen one. */
export function drawMap(canvas, { small, centres, chosen, rate, mel, colours }) {
  const { context, width, tall } = prepared(canvas, 260);
  const [K, high] = [centres.length, tall - 6];
  const x = (k) => LEFT + ((k + 0.5) * width) / K;
  const y = (hertz) => 6 + high * (1 - share(hertz, rate, mel));
  context.imageSmoothingEnabled = false;
  context.drawImage(small, LEFT, 6, width, high);
  frame(context, width, tall, colours);
  context.textAlign = "right";
  for (const hertz of ticks(rate, mel)) context.fillText(hertz, LEFT - 5, y(hertz) + 4);
  context.textAlign = "left";
  context.fillText("filter, from low to high", LEFT, tall + 16);
  for (const [line, strokeStyle, dashes] of [[melCentres(K, rate), colours.ink, [6, 4]], [centres, colours.warm, []]]) {
    polyline(context, line.map((hertz, k) => [x(k), y(hertz)]), { strokeStyle, lineWidth: 2 }, dashes);
  }
  Object.assign(context, { strokeStyle: colours.ink, lineWidth: 1.5 });
  context.strokeRect(x(chosen) - Math.max(3, width / K / 2), 6, Math.max(6, width / K), high);
}

/** The number of the filter at a place on the map. */
export function filterAt(canvas, clientX, K) {
  const { left, width } = canvas.getBoundingClientRect();
  return Math.max(0, Math.min(K - 1, Math.floor(((clientX - left - LEFT) / (width - LEFT - 6)) * K)));
}

/** One waveform over time. */
export function drawWave(canvas, { waveform, rate, colours }) {
  const { context, width, tall } = prepared(canvas, 150);
  frame(context, width, tall, colours);
  context.textAlign = "left";
  context.fillText("0", LEFT, tall + 16);
  context.textAlign = "right";
  context.fillText(`${((1000 * waveform.length) / rate).toFixed(1)} ms`, LEFT + width, tall + 16);
  const most = Math.max(...waveform.map(Math.abs), 1e-9);
  const middle = 6 + (tall - 6) / 2;
  polyline(context, [[LEFT, middle], [LEFT + width, middle]]);
  const place = (value, n) => [LEFT + ((n + 0.5) * width) / waveform.length, middle - (0.46 * (tall - 6) * value) / most];
  polyline(context, Array.from(waveform, place), { strokeStyle: colours.accent, lineWidth: 2, lineJoin: "round" });
}

/** One response in dB, with its centre. */
export function drawResponse(canvas, { waveform, centre, rate, mel, colours }) {
  const { context, width, tall } = prepared(canvas, 150);
  frame(context, width, tall, colours);
  const x = (hertz) => LEFT + width * share(hertz, rate, mel);
  context.textAlign = "right";
  for (const level of [0, 20, 40]) context.fillText(level ? `−${level} dB` : "0 dB", LEFT - 4, 6 + ((tall - 6) * level) / FLOOR + (level ? 2 : 8));
  context.textAlign = "center";
  for (const hertz of ticks(rate, mel).filter((f) => f !== 500)) context.fillText(hertz, Math.min(x(hertz), LEFT + width - 14), tall + 16);
  const frequencies = grid(POINTS, rate, mel);
  const largest = Math.max(answer(waveform, centre, rate), ...frequencies.map((hertz) => answer(waveform, hertz, rate)), 1e-9);
  polyline(context, [[x(centre), 6], [x(centre), tall]], { strokeStyle: colours.warm, lineWidth: 2 });
  const level = (hertz) => Math.max(-FLOOR, 20 * Math.log10(answer(waveform, hertz, rate) / largest + 1e-6));
  const curved = frequencies.map((hertz) => [x(hertz), 6 - ((tall - 6) * level(hertz)) / FLOOR]);
  polyline(context, curved, { strokeStyle: colours.accent, lineJoin: "round" });
}
