// The two pictures of the aliasing explorer: a tone with its samples, and which frequency is heard for each one.
import { folded, heardAt } from "./aliasing_fold.js";
import { frame, grid } from "./explorer_axes.js";
import { disc } from "./explorer_canvas.js";

export const HIGHEST = 8000; // Hz
const SHOWN = 2; // milliseconds

/** Two milliseconds: the tone (thin), its samples (dots), and the slowest wave through them (thick). */
export function drawSamples(canvas, settings, colours) {
  const { frequency, rate, filter } = settings;
  const { context, path, x, y } = frame(canvas, {
    x: { from: [0, SHOWN], name: "time (ms)" },
    y: { from: [-1.1, 1.1], name: "amplitude", at: [-1, 0, 1] },
    tallOf: (wide) => Math.min(220, Math.max(170, wide / 3)),
  }, colours);
  const heard = heardAt(settings);
  const wave = (hertz, count) => grid([0, SHOWN], count).map((ms) => [ms, hertz === null ? 0 : Math.cos((2 * Math.PI * hertz * ms) / 1000)]);
  path(wave(heard, 401), colours.accent, 4);
  path(wave(frequency, 801), colours.first, 1.4, filter && heard === null ? [3, 4] : []);
  context.fillStyle = colours.ink;
  for (let n = 0; (1000 * n) / rate <= SHOWN + 1e-9; n++) {
    disc(context, [x((1000 * n) / rate), y(heard === null ? 0 : Math.cos((2 * Math.PI * frequency * n) / rate))], 4.5);
  }
}

/** The folded line: to the right the tone, upwards what is heard of it. Returns its scale to the right. */
export function drawFold(canvas, settings, colours) {
  const { frequency, rate, filter } = settings;
  const { context, path, x, y } = frame(canvas, {
    x: { from: [0, HIGHEST], name: "frequency of the tone (Hz)" },
    y: { from: [0, HIGHEST / 2], name: "heard (Hz)", at: [0, 1000, 2000, 3000, 4000] },
    tallOf: (wide) => Math.min(240, Math.max(180, wide / 2.8)),
  }, colours);
  const all = grid([0, HIGHEST], 641);
  const kept = filter ? all.filter((hertz) => hertz <= rate / 2) : all;
  path([[0, rate / 2], [HIGHEST, rate / 2]], colours.quiet, 1.5, [6, 5]); // the Nyquist frequency
  path(kept.map((hertz) => [hertz, folded(hertz, rate)]), colours.accent, 3);
  const heard = heardAt(settings);
  path([[frequency, 0], [frequency, HIGHEST / 2]], colours.first, 1.4);
  context.fillStyle = colours.first;
  disc(context, [x(frequency), y(heard ?? 0)], 7);
  return x;
}
