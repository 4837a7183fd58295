// Ideal masks, SI-SDR and the brush. The first two are those of sepbook/evaluation/oracles.py and metrics.py.

/** What the true sources make of one bin: the mask of source s, from all powers |X|² and from (X · Y) / |Y|². */
const KINDS = {
  binary: (s, powers) => Number(powers.every((power, k) => powers[s] > power || (powers[s] === power && s <= k))),
  "ratio 1": (s, powers) => share(s, powers, Math.sqrt),
  "ratio 2": (s, powers) => share(s, powers, Number),
  truncated: (s, powers, projection) => Math.min(Math.max(projection, 0), 1),
};

function share(s, powers, part) {
  let total = 0;
  for (const power of powers) total += part(power);
  return total > 0 ? part(powers[s]) / total : 1 / powers.length;
}

/** The ideal mask of source s, where sources are the bins of all stems and mixture is their sum. */
export function idealMask(kind, s, sources, mixture) {
  const mask = new Float32Array(mixture.re.length);
  const powers = new Float64Array(sources.length);
  const { re, im } = sources[s];
  for (let i = 0; i < mask.length; i++) {
    for (let k = 0; k < sources.length; k++) powers[k] = sources[k].re[i] ** 2 + sources[k].im[i] ** 2;
    const power = mixture.re[i] ** 2 + mixture.im[i] ** 2;
    const projection = power > 0 ? (re[i] * mixture.re[i] + im[i] * mixture.im[i]) / power : 1 / sources.length;
    mask[i] = KINDS[kind](s, powers, projection);
  }
  return mask;
}

/** SI-SDR in dB, within ±100: how much of an estimate is the source, at whatever volume, against the rest. */
export function siSdr(estimate, source) {
  let [es, ee, ss] = [0, 0, 0];
  for (let n = 0; n < source.length; n++) {
    es += estimate[n] * source[n];
    ee += estimate[n] * estimate[n];
    ss += source[n] * source[n];
  }
  const target = (es * es) / ss;
  if (!(target > 0)) return -100;
  return Math.min(Math.max(10 * Math.log10(target / Math.max(ee - target, 1e-30)), -100), 100);
}

/** The height of a frequency on the panel, from 0 to 1: nearly linear below 300 Hz, logarithmic above. */
export const height = (frequency, rate) => Math.log1p(frequency / 300) / Math.log1p(rate / 600);
export const hertz = (part, rate) => 300 * Math.expm1(part * Math.log1p(rate / 600));

/** One stroke of a soft brush on a mask. However often it passes, it paints each bin at most once. */
export class Stroke {
  constructor(mask, { F, T, rate }, value, strength) {
    Object.assign(this, { mask, F, T, value, strength, before: mask.slice(), covered: new Float32Array(mask.length) });
    this.heights = Float64Array.from({ length: F }, (_, f) => height((f * rate) / (2 * (F - 1)), rate));
  }

  /** A dab at (x, y), both from 0 to 1; the radii are shares of width and height. Its outer half is soft. */
  dab(x, y, radiusX, radiusY) {
    const { mask, F, T, value, strength, before, covered, heights } = this;
    const [first, last] = [Math.max(0, Math.ceil((x - radiusX) * (T - 1))), Math.min(T - 1, (x + radiusX) * (T - 1))];
    for (let t = first; t <= last; t++) {
      for (let f = 0; f < F; f++) {
        const distance = Math.hypot((t / (T - 1) - x) / radiusX, (heights[f] - y) / radiusY);
        const cover = strength * Math.min(1, 2 * (1 - distance));
        const i = t * F + f;
        if (cover <= covered[i]) continue;
        covered[i] = cover;
        mask[i] = before[i] + cover * (value - before[i]);
      }
    }
  }

  /** Dabs from one place to another, close enough to make a line. */
  line([x, y], [toX, toY], radiusX, radiusY) {
    const steps = Math.max(1, Math.ceil(3 * Math.max(Math.abs(toX - x) / radiusX, Math.abs(toY - y) / radiusY)));
    for (let k = 1; k <= steps; k++) this.dab(x + ((toX - x) * k) / steps, y + ((toY - y) * k) / steps, radiusX, radiusY);
  }
}
