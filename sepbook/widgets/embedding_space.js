// The arithmetic of the embedding explorer: unpacking, affinities, turning, finding.

/** Numbers from text: what `packed` of embedding.py wrote. */
export function unpacked(text, Kind) {
  const data = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Kind(data.buffer);
}

/** The inner products of one point with all points, `size` numbers each, 127 for 1. */
export function affinities(points, size, chosen) {
  const found = new Float32Array(points.length / size);
  for (let i = 0; i < found.length; i++) {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += points[i * size + k] * points[chosen * size + k];
    found[i] = sum / (127 * 127);
  }
  return found;
}

/** The mean of the values in each of several groups. */
export function means(values, groups, count) {
  const [sums, sizes] = [new Array(count).fill(0), new Array(count).fill(0)];
  values.forEach((value, i) => {
    sums[groups[i]] += value;
    sizes[groups[i]] += 1;
  });
  return sums.map((sum, s) => (sizes[s] ? sum / sizes[s] : 0));
}

/** Turn points about the upright axis, then tilt them; seen from the front x is the first direction, y the second. */
export function turned(points, size, turn, tilt) {
  const [ct, st, ci, si] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  const count = points.length / size;
  const [x, y, depth] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
  for (let i = 0; i < count; i++) {
    const [a, b, c] = [points[i * size] / 127, points[i * size + 1] / 127, points[i * size + 2] / 127];
    const far = c * ct - a * st;
    x[i] = a * ct + c * st;
    y[i] = b * ci - far * si;
    depth[i] = b * si + far * ci;
  }
  return { x, y, depth };
}

/** The number of the point nearest to a place, where xs and ys are measured in the same unit. */
export function nearest(xs, ys, x, y) {
  let [best, least] = [0, Infinity];
  for (let i = 0; i < xs.length; i++) {
    const distance = (xs[i] - x) ** 2 + (ys[i] - y) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}
