// Separation in chunks, as sepbook/evaluation/separation.py and _level.py do it. No browser is needed here.

const SMALL = 0.01; // an offset below this part of the level is left as it is,
const CHANCE = 5; // and one below this many standard errors
const SILENCE = 1e-5; // a song below this level is not made louder

/** What is taken off each channel, and the gain that brings a song to the level of training. */
export function measure(channels, wantedDb) {
  const N = channels[0].length;
  const least = Math.max(SMALL, CHANCE / Math.sqrt(N));
  let power = 0;
  const offsets = channels.map((samples) => {
    let [sum, square] = [0, 0];
    for (const value of samples) (sum += value), (square += value * value);
    const mean = sum / N;
    const offset = mean * mean > (least * least * square) / N ? mean : 0;
    power += Math.max(0, square / N - 2 * offset * mean + offset * offset) / channels.length;
    return offset;
  });
  const level = Math.sqrt(power);
  return { offsets, gain: level > SILENCE ? 10 ** (wantedDb / 20) / level : 1, silent: level <= SILENCE };
}

/** Weights of a new chunk over the overlap: 0, then rising, then 1. */
export function ramp(overlap, edge) {
  const outer = Math.floor(edge * overlap);
  const fade = overlap - 2 * outer;
  return Float32Array.from({ length: overlap }, (_, n) => Math.min(1, Math.max(0, (n - outer + 0.5) / Math.max(fade, 1))));
}

/** Where chunks begin and end: [[start, end], …]. */
export function chunks(N, { length, hop }) {
  const found = [];
  for (let start = 0; ; start += hop) {
    found.push([start, Math.min(start + length, N)]);
    if (start + length >= N) return found;
  }
}

/** Separate one channel chunk by chunk; `run` does one chunk. Returns one Float32Array per source. */
export async function separate(samples, chunk, S, run, progress) {
  const overlap = chunk.length - chunk.hop;
  const weights = ramp(overlap, chunk.edge);
  const stems = Array.from({ length: S }, () => new Float32Array(samples.length));
  const parts = chunks(samples.length, chunk);
  for (const [k, [start, end]] of parts.entries()) {
    const found = await run(samples.subarray(start, end));
    for (const [s, estimate] of found.entries()) {
      const out = stems[s];
      const shared = k ? Math.min(overlap, estimate.length) : 0;
      for (let n = 0; n < shared; n++) out[start + n] += weights[n] * (estimate[n] - out[start + n]);
      out.set(estimate.subarray(shared), start + shared);
    }
    progress(end / samples.length);
  }
  return stems;
}

/** The network on one chunk: `masks(magnitude, T)` answers for F - 1 bins. Magnitudes lie as (F, T), bins as (T, F). */
export async function byMasks(samples, stft, { multiple, S }, masks) {
  const { F } = stft;
  const bins = stft.forward(samples);
  const T = Math.ceil(bins.T / multiple) * multiple;
  const magnitude = new Float32Array(F * T);
  for (let t = 0; t < bins.T; t++) {
    for (let f = 0; f < F; f++) magnitude[f * T + t] = Math.hypot(bins.re[t * F + f], bins.im[t * F + f]);
  }
  const answer = await masks(magnitude, T); // (S, F - 1, T)
  const mask = new Float32Array(bins.T * F);
  return Array.from({ length: S }, (_, s) => {
    for (let f = 0; f < F; f++) {
      const row = (s * (F - 1) + Math.min(f, F - 2)) * T; // the highest bin takes the mask of the one below
      for (let t = 0; t < bins.T; t++) mask[t * F + f] = answer[row + t];
    }
    return stft.inverse(bins, mask, samples.length);
  });
}
