// What spoils a sound: error_mixer.py has the same.

const CLIP = 0.15; // of the peak: what is louder is cut off

/** A sound with its peaks cut off, as loud as before. */
export function clipped(sound) {
  const peak = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const cut = Float64Array.from(sound, (value) => Math.max(-CLIP * peak, Math.min(CLIP * peak, value)));
  const energy = (x) => x.reduce((sum, value) => sum + value * value, 0);
  const gain = Math.sqrt(energy(sound) / energy(cut));
  return cut.map((value) => value * gain);
}
