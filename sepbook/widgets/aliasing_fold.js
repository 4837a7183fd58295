// What sampling does to a tone. aliasing.py has the same.

/** The frequency that the samples of a tone are heard as: the tone folded back below half the rate. */
export const folded = (frequency, rate) => Math.abs(frequency - rate * Math.round(frequency / rate));

/** The frequency that sounds, or null for silence: the anti-alias filter removes what lies above half the rate. */
export function heardAt({ frequency, rate, filter }) {
  return filter && frequency > rate / 2 ? null : folded(frequency, rate);
}

/** A cosine of so many samples; null is silence. */
export function cosine(frequency, rate, length, level = 0.3) {
  return Float32Array.from({ length }, (_, n) => (frequency === null ? 0 : level * Math.cos((2 * Math.PI * frequency * n) / rate)));
}
