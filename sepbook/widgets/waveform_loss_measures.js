// The arithmetic of the loss explorer: making an estimate from a source, and measuring it as sepbook.losses.waveform does.

const FLOOR = 1e-10; // energy per sample, added to both energies of a ratio: EPSILON in Python

const dot = (a, b) => {
  let sum = 0;
  for (let n = 0; n < a.length; n++) sum += a[n] * b[n];
  return sum;
};
const less = (a, b, scale = 1) => Float64Array.from(a, (value, n) => value - scale * b[n]);
const centred = (a) => {
  const mean = a.reduce((sum, value) => sum + value, 0) / a.length;
  return Float64Array.from(a, (value) => value - mean);
};

/** Minus the ratio of two energies in dB, with the floor in both. */
function lossOf(signal, distortion) {
  const floor = FLOOR * signal.length;
  return -10 * Math.log10((dot(signal, signal) + floor) / (dot(distortion, distortion) + floor));
}

function siSdrLoss(estimate, source) {
  const alpha = dot(estimate, source) / (dot(source, source) + FLOOR * source.length);
  const target = source.map((value) => alpha * value);
  return lossOf(target, less(estimate, target));
}

/** All five losses of one estimate; both are arrays of samples. */
export function losses(estimate, source) {
  const [e, x] = [Float64Array.from(estimate), Float64Array.from(source)];
  const error = less(e, x);
  return {
    l1: error.reduce((sum, value) => sum + Math.abs(value), 0) / x.length,
    mse: dot(error, error) / x.length,
    sdr: lossOf(x, error),
    "si-sdr": siSdrLoss(e, x),
    "si-snr": siSdrLoss(centred(e), centred(x)),
  };
}

/** A second sound made orthogonal to the source and as loud as it. */
export function orthogonal(source, other) {
  const rest = less(other, source, dot(other, source) / dot(source, source));
  const scale = Math.sqrt(dot(source, source) / dot(rest, rest));
  return rest.map((value) => scale * value);
}

/** Noise that is the same each time, with a variance of 1. */
export function hiss(length) {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Float64Array.from({ length }, () => uniform() + uniform() + uniform() + uniform()).map((x) => x * Math.sqrt(3));
}

/** The estimate: level · (the source, distorted, turned towards the wrong sound, delayed, with hiss) + constant. */
export function build({ source, wrong, cut, noise }, { level, angle, distort, hiss: decibels, delay, constant }) {
  const [share, bent] = [decibels <= -60 ? 0 : 10 ** (decibels / 20), distort / 100];
  const [right, left] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  const loud = share * Math.sqrt(dot(source, source) / source.length);
  const gain = level <= -60 ? 0 : 10 ** (level / 20);
  const at = (n) => (n < 0 ? 0 : right * (source[n] + bent * (cut[n] - source[n])) + left * wrong[n]);
  return Float64Array.from(source, (_, n) => gain * (at(n - delay) + loud * noise[n]) + constant);
}

/** Where an estimate lies in the plane: along the source, and away from it, in lengths of the source. */
export function place(estimate, source) {
  const energy = dot(source, source);
  if (!energy) return [0, 0];
  const along = dot(estimate, source) / energy;
  const rest = less(estimate, source, along);
  return [along, Math.sqrt(dot(rest, rest) / energy)];
}

/** The height of a loss at a point of the plane, on a scale where silence is 0 and 1 is 20 dB; L1 from some samples. */
export function height(name, a, b, samples) {
  const error = (a - 1) ** 2 + b ** 2;
  if (name === "mse") return error - 1;
  if (name === "sdr") return Math.max(-2, Math.log10(error + 1e-9) / 2);
  if (name !== "l1") return Math.min(2, Math.max(-2, Math.log10((b * b + 1e-9) / (a * a + 1e-9)) / 2));
  let [sum, still] = [0, 0];
  for (const [x, v] of samples) {
    sum += Math.abs((a - 1) * x + b * v);
    still += Math.abs(x);
  }
  return sum / still - 1;
}
