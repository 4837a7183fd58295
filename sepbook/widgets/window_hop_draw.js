// The spectrogram of the window explorer, each pixel from the nearest frame and bin, with one cell of it enlarged.
import { frame } from "./explorer_axes.js";
import { hidden } from "./explorer_canvas.js";

const RANGE = 70; // dB
const TOP = 4000; // Hz: the highest frequency that is drawn
const ENLARGED = 10; // the cell, so that it can be seen
const TALL = 300; // pixels

/** Levels from 0 to 1 of bins {re, im, T}, `F` to a frame. */
export function levelsOf({ re, im }) {
  const power = re.map((x, i) => x * x + im[i] * im[i]);
  const loudest = power.reduce((best, x) => Math.max(best, x), 1e-20);
  return power.map((x) => Math.max(0, 1 + (10 * Math.log10(x / loudest + 1e-12)) / RANGE));
}

export function drawSpectrogram(canvas, { levels, F, T, size, hop, rate, seconds, cell, colours }) {
  const { context, x, y } = frame(canvas, {
    x: { from: [0, seconds], name: "time (s)" },
    y: { from: [0, TOP / 1000], name: "frequency (kHz)" },
    tallOf: () => TALL,
  }, colours);
  const [wide, tall] = [x(seconds) - x(0), y(0) - y(TOP / 1000)];
  context.drawImage(shade(levels, { F, T, size, hop, rate, seconds, wide: Math.round(wide), tall }, colours), x(0), y(TOP / 1000), wide, tall);
  const box = [(wide * cell.seconds) / seconds, (tall * cell.hertz) / TOP].map((side) => ENLARGED * side);
  const corner = [x(seconds) - 12 - box[0], y(TOP / 1000) + 12];
  Object.assign(context, { strokeStyle: colours.warm, fillStyle: colours.warm, lineWidth: 2, globalAlpha: 0.4 });
  context.fillRect(...corner, ...box);
  context.globalAlpha = 1;
  context.strokeRect(...corner, ...box);
}

/** A small canvas: each pixel takes the frame and the bin that are nearest to it. */
function shade(levels, { F, T, size, hop, rate, seconds, wide, tall }, colours) {
  const context = hidden(wide, tall);
  const image = context.createImageData(wide, tall);
  const [dark, bright] = [rgb(context, colours.raised), rgb(context, colours.ink)];
  const bins = Int32Array.from({ length: tall }, (_, y) => Math.min(F - 1, Math.round((((tall - 0.5 - y) / tall) * TOP * size) / rate)));
  for (let x = 0; x < wide; x++) {
    const t = Math.min(T - 1, Math.round((((x + 0.5) / wide) * seconds * rate) / hop));
    for (let y = 0; y < tall; y++) {
      const level = levels[t * F + bins[y]] ** 1.5;
      const at = 4 * (y * wide + x);
      for (let c = 0; c < 3; c++) image.data[at + c] = dark[c] + level * (bright[c] - dark[c]);
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return context.canvas;
}

/** Red, green and blue of any opaque CSS colour: the context writes it as #rrggbb. */
function rgb(context, colour) {
  context.fillStyle = colour;
  return [1, 3, 5].map((at) => parseInt(context.fillStyle.slice(at, at + 2), 16));
}
