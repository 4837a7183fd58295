// From values to places on a picture and back, and the round numbers that are written at an axis.

/** Map values from `low` … `high` to places from `from` … `to`; `back` does the opposite, and stays inside. */
export function scale([low, high], [from, to]) {
  const place = (value) => from + ((value - low) / (high - low)) * (to - from);
  const back = (at) => Math.min(Math.max(low + ((at - from) / (to - from)) * (high - low), low), high);
  return Object.assign(place, { low, high, back });
}

/** Round numbers (steps of 1, 2 or 5) from `low` to `high`, at most about so many. */
export function ticks(low, high, most = 6) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)) + 0); // + 0: no minus zero
}

/** A value put on the nearest multiple of `step`, between `low` and `high`. */
export function settled(value, { min, max, step }) {
  return Number(Math.min(Math.max(Math.round(value / step) * step, min), max).toFixed(6)) + 0;
}

/** Whether a finger has gone more to the side than up or down, where it would scroll the page. */
export const sideways = ([x, y], [a, b]) => Math.abs(a - x) > Math.abs(b - y);
