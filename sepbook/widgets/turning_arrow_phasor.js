// An arrow that turns steadily. turning_arrow.py has the same.

const TURN = 2 * Math.PI;

/** Where its tip is after so many milliseconds: [real part, imaginary part]. */
export function tip({ length, phase, frequency }, ms) {
  const angle = (TURN * phase) / 360 + (TURN * frequency * ms) / 1000;
  return [length * Math.cos(angle), length * Math.sin(angle)];
}

/** The length and the phase at the start, in degrees from -180 to 180, of an arrow whose tip is here after so long. */
export function pointed([real, imaginary], frequency, ms) {
  const degrees = (Math.atan2(imaginary, real) * 360) / TURN - (360 * frequency * ms) / 1000;
  return { length: Math.hypot(real, imaginary), phase: degrees - 360 * Math.round(degrees / 360) };
}
