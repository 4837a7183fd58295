// What a window does to time and frequency, as sepbook.building_blocks.stft computes it.

const turn = (size) => (2 * Math.PI) / size;
const cosine = (a, b) => (size) => Float64Array.from({ length: size }, (_, n) => a - b * Math.cos(turn(size) * n));

export const SHAPES = {
  hann: cosine(0.5, 0.5),
  hamming: cosine(0.54, 0.46),
  sqrt_hann: (size) => cosine(0.5, 0.5)(size).map(Math.sqrt),
  rectangular: (size) => new Float64Array(size).fill(1),
};

const SMALLEST = 1e-3; // of the largest summed squared window: SMALLEST_OVERLAP in Python

/** Whether the inverse exists: is there no sample that (almost) no frame sees? */
export function invertible(window, hop) {
  const sum = new Float64Array(hop);
  window.forEach((weight, n) => (sum[n % hop] += weight ** 2));
  return hop <= window.length && Math.min(...sum) >= SMALLEST * Math.max(...sum);
}

/** How strongly a tone shows that lies `bins` bins beside the one looked at, from 0 to 1. */
export function spill(window, bins) {
  let [re, im, all] = [0, 0, 0];
  for (let n = 0; n < window.length; n++) {
    re += window[n] * Math.cos(turn(window.length) * bins * n);
    im += window[n] * Math.sin(turn(window.length) * bins * n);
    all += window[n];
  }
  return Math.hypot(re, im) / all;
}

/** How long (s) and how wide (Hz) one cell is: where window and spectrum are above half of their largest value. */
export function resolution(window, rate) {
  const most = Math.max(...window);
  const seconds = window.filter((weight) => weight >= most / 2).length / rate;
  let [inside, outside] = [0, 2];
  while (outside - inside > 1e-4) {
    const middle = (inside + outside) / 2;
    if (spill(window, middle) >= 0.5) inside = middle;
    else outside = middle;
  }
  return { seconds, hertz: (2 * inside * rate) / window.length };
}

/** The level in dB of the highest side lobe. */
export function leakage(window) {
  const levels = Array.from({ length: 160 }, (_, i) => spill(window, 0.5 + i / 16));
  const valley = levels.findIndex((level, i) => i && level > levels[i - 1]);
  return 20 * Math.log10(Math.max(...levels.slice(valley)));
}
