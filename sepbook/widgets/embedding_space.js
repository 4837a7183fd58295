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

/** For each bin the point that stands for it: its own, or one within a few steps in time and frequency; -1 for none. */
export function standing(bins, [F, T], steps = 3) {
  const found = new Int32Array(F * T).fill(-1);
  bins.forEach((bin, i) => (found[bin] = i));
  let edge = [...bins];
  for (let step = 0; step < steps; step++) {
    const next = [];
    for (const bin of edge) {
      const [f, t] = [Math.floor(bin / T), bin % T];
      for (const [g, u] of [[f, t - 1], [f, t + 1], [f - 1, t], [f + 1, t]]) {
        const at = g * T + u;
        if (g < 0 || g >= F || u < 0 || u >= T || found[at] >= 0) continue;
        found[at] = found[bin];
        next.push(at);
      }
    }
    edge = next;
  }
  return found;
}

/** A mask, frame by frame, from how much of each point is wanted (0 to 1). */
export function masked(stands, [F, T], wanted) {
  const mask = new Float32Array(F * T);
  stands.forEach((point, bin) => (mask[(bin % T) * F + Math.floor(bin / T)] = point < 0 ? 0 : wanted(point)));
  return mask;
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
