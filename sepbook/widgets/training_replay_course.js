// The course of a loss.

/** Each value averaged with those around it, `reach` on either side where there are so many: [step, mean] for each step. */
export function smoothed(loss, reach = 7) {
  return loss.map((_, i) => {
    const near = loss.slice(Math.max(0, i - reach), i + reach + 1);
    return [i + 1, near.reduce((sum, value) => sum + value, 0) / near.length];
  });
}
