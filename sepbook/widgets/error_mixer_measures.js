// The arithmetic of the error mixer: an estimate as a sum of parts, and its six figures from their inner products.

const MOST = 100; // dB: no figure is above this or below minus this
const POLE = 0.9; // of the low-pass, which is applied twice

/** A sound through a low-pass: each value moves a tenth of the way to the next, twice. */
export function dulled(sound) {
  const made = Float64Array.from(sound);
  for (let pass = 0; pass < 2; pass++) {
    for (let n = 0, held = 0; n < made.length; n++) made[n] = held = POLE * held + (1 - POLE) * made[n];
  }
  return made;
}

/** What of each part is in the estimate: the source, what the low-pass and the clipping change in it, the other sound. */
export const weights = ({ leak, distort, filter }) => [1, filter / 100, distort / 100, leak <= -60 ? 0 : 10 ** (leak / 20)];

/** The estimate's samples. `sounds` has the parts without any shift; the other sound is never shifted. */
export function build(sounds, settings, shift) {
  const [w0, w1, w2, w3] = weights(settings);
  const { source, dull, cut, other } = sounds;
  return Float32Array.from(source, (_, n) => {
    const m = n - shift;
    if (m < 0) return w3 * other[n];
    return w0 * source[m] + w1 * (dull[m] - source[m]) + w2 * (cut[m] - source[m]) + w3 * other[n];
  });
}

/** The energy of a sum of vectors: `products` is the upper triangle of their inner products, row by row. */
export function energy(products, factors) {
  let [sum, at] = [0, 0];
  for (let i = 0; i < factors.length; i++) {
    for (let j = i; j < factors.length; j++) sum += (i === j ? 1 : 2) * factors[i] * factors[j] * products[at++];
  }
  return Math.max(sum, 0);
}

function inDecibels(good, bad) {
  const most = 10 ** (MOST / 10);
  return good > 0 ? 10 * Math.log10(Math.min(most, Math.max(1 / most, good / bad))) : -MOST;
}

/** The six figures in dB, from the inner products at one shift, as error_mixer.py makes them. */
export function figures(products, factors) {
  const last = [...factors, 0];
  const minus = [...factors, -1]; // the fifth vector is the source
  const source = energy(products.whole, [0, 0, 0, 0, 1]);
  const whole = energy(products.whole, last);
  const both = (energy(products.whole, [...factors, 1]) - whole - source) / 2; // the inner product with the source
  const [own, all] = [energy(products.own, last), energy(products.all, factors)];
  return {
    "si-sdr": inDecibels((both * both) / source, energy(products.whole, [...factors, -both / source])),
    sdr: inDecibels(source, energy(products.whole, minus)),
    filtered: inDecibels(own, energy(products.rest, factors)),
    isr: inDecibels(source, energy(products.own, minus)),
    sir: inDecibels(own, energy(products.interference, factors)),
    sar: inDecibels(all, energy(products.artefacts, factors)),
  };
}
