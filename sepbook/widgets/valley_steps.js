// One number on its way down a parabola. valley.py has the same.

/** The loss of a number. */
export const height = ({ best, curvature, rest }, m) => rest + (curvature / 2) * (m - best) ** 2;

/** By how much each step multiplies the distance from the lowest place; `share` is that of the largest rate, 2 / curvature. */
export const factorOf = (share) => 1 - 2 * share;

/** The number after 0, 1, … `steps` steps. */
export function walk({ best }, { share, start, steps }) {
  return Array.from({ length: steps + 1 }, (_, k) => best + (start - best) * factorOf(share) ** k);
}
