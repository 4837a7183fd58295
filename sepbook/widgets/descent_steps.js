// The arithmetic of the descent explorer: a loss over two weights from piles of points, and three ways down.

/** Height and slope at (w, b): the piles have middles `c`, energies `a` and overlaps `d`, all in shares. */
export function ground({ a, d, c }, [w, b], unit = 1) {
  let [height, along, across] = [1, 0, 0];
  for (let k = 0; k < c.length; k++) {
    const share = 1 / (1 + Math.exp(-(w * unit * c[k] + b)));
    height += share * share * a[k] - 2 * share * d[k];
    const each = 2 * (share * a[k] - d[k]) * share * (1 - share);
    along += each * unit * c[k];
    across += each;
  }
  return { height, slope: [along, across] };
}

/** A function from a slope to a step. */
export function method(name, rate) {
  const [speed, square] = [[0, 0], [0, 0]];
  let k = 0;
  if (name === "sgd") return (slope) => slope.map((g) => -rate * g);
  if (name === "momentum") return (slope) => slope.map((g, i) => -rate * (speed[i] = 0.9 * speed[i] + g));
  return (slope) => {
    k += 1;
    return slope.map((g, i) => {
      speed[i] = 0.9 * speed[i] + 0.1 * g;
      square[i] = 0.999 * square[i] + 0.001 * g * g;
      return (-rate * (speed[i] / (1 - 0.9 ** k))) / (Math.sqrt(square[i] / (1 - 0.999 ** k)) + 1e-8);
    });
  };
}

/** The points of a walk and their heights, `steps + 1` of each. With another unit, w is stretched and squeezed back. */
export function walk(piles, { name, rate, steps, start, unit = 1 }) {
  const step = method(name, rate);
  let at = [start[0] / unit, start[1]];
  const [points, heights] = [[], []];
  for (let k = 0; k <= steps; k++) {
    const { height, slope } = ground(piles, at, unit);
    points.push([at[0] * unit, at[1]]);
    heights.push(height);
    const change = step(slope);
    at = [at[0] + change[0], at[1] + change[1]];
  }
  return { points, heights };
}
