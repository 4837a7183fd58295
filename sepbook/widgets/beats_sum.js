// Two tones and their sum. beats.py has the same.

export const BASE = 220; // Hz, the first tone

const turn = (degrees) => (degrees * Math.PI) / 180;

/** The factor of the second tone's amplitude, from its level in dB. */
export const gainOf = (level) => 10 ** (level / 20);

/** The amplitude of the sum at a moment, where one tone alone has 1: the two arrows' sum has this length. */
export function envelope({ difference, phase, level }, seconds) {
  const [gain, angle] = [gainOf(level), 2 * Math.PI * difference * seconds + turn(phase)];
  return Math.sqrt(Math.max(0, 1 + gain ** 2 + 2 * gain * Math.cos(angle)));
}

/** First tone, second tone and their sum at a moment. */
export function tones({ difference, phase, level }, seconds) {
  const first = Math.cos(2 * Math.PI * BASE * seconds);
  const second = gainOf(level) * Math.cos(2 * Math.PI * (BASE + difference) * seconds + turn(phase));
  return { first, second, sum: first + second };
}
