// What is measured of the opened network.

export const decibels = (power) => 10 * Math.log10(power);

export function energy(samples) {
  let sum = 1e-12;
  for (let n = 0; n < samples.length; n++) sum += samples[n] * samples[n];
  return sum;
}

/** SI-SDR in dB of an estimate against a source: what of it is the source, against all else. */
export function siSdr(estimate, source) {
  let [product, power] = [0, 1e-12];
  for (let n = 0; n < source.length; n++) (product += estimate[n] * source[n]), (power += source[n] ** 2);
  const scale = product / power;
  let rest = 1e-12;
  for (let n = 0; n < source.length; n++) rest += (estimate[n] - scale * source[n]) ** 2;
  return decibels((scale * scale * power + 1e-12) / rest);
}

/** The loudest passage: where it begins. */
export function loudest(samples, length) {
  let [best, most] = [0, -1];
  for (let start = 0; start + length <= samples.length; start += length >> 2) {
    const power = energy(samples.subarray(start, start + length));
    if (power > most) [best, most] = [start, power];
  }
  return best;
}
