// The two pictures of the embedding explorer: points in space, and the bins of the spectrogram.
import { turned } from "./embedding_space.js";
import { fitted, hidden, polyline } from "./explorer_canvas.js";

const tallOf = (width) => width / 1.15;

/** Draw one point: a disc, a square or a triangle, by the number of its source. */
function mark(context, shape, x, y, r) {
  context.beginPath();
  if (shape === 1) context.rect(x - r, y - r, 2 * r, 2 * r);
  else if (shape === 2) [[0, -1.3], [1.2, 0.9], [-1.2, 0.9]].forEach(([a, b]) => context.lineTo(x + a * r, y + b * r));
  else context.arc(x, y, 1.1 * r, 0, 7);
  context.fill();
}

function ring(context, x, y, r, ink, paper) {
  for (const [colour, wide] of [[paper, 5], [ink, 2.5]]) {
    Object.assign(context, { strokeStyle: colour, lineWidth: wide });
    context.beginPath();
    context.arc(x, y, r, 0, 7);
    context.stroke();
  }
}

/** All points, seen from a direction; returns where they are on the canvas. */
export function drawSpace(canvas, { points, size, turn, tilt, paint, source, chosen, colours }) {
  const { context, width, tall } = fitted(canvas, tallOf);
  const { x, y, depth } = turned(points, size, turn, tilt);
  const unit = tall / 2.45;
  const place = (a, b) => [width / 2 + a * unit, tall / 2 - b * unit];
  const axes = turned([127, 0, 0, 0, 127, 0, 0, 0, 127], 3, turn, tilt);
  const quiet = { fillStyle: colours.quiet, strokeStyle: colours.quiet, globalAlpha: 0.4 };
  Object.assign(context, quiet, { font: "13px sans-serif", textAlign: "center" });
  context.beginPath();
  context.arc(...place(0, 0), unit, 0, 7); // no embedding is longer than 1
  context.stroke();
  context.globalAlpha = 1;
  for (let k = 0; k < 3; k++) {
    if (Math.hypot(axes.x[k], axes.y[k]) < 0.1) continue; // it points at the reader
    polyline(context, [place(0, 0), place(axes.x[k], axes.y[k])], { strokeStyle: colours.quiet, lineWidth: 1 });
    const [ax, ay] = place(1.1 * axes.x[k], 1.1 * axes.y[k]);
    context.fillText(String(k + 1), ax, ay + 4);
  }
  const order = [...x.keys()].sort((i, j) => depth[i] - depth[j]); // the far ones first
  const [xs, ys] = [new Float32Array(x.length), new Float32Array(x.length)];
  for (const i of order) {
    [xs[i], ys[i]] = place(x[i], y[i]);
    context.fillStyle = paint[i][0];
    context.globalAlpha = paint[i][1];
    mark(context, source[i], xs[i], ys[i], 2.1 + 0.5 * depth[i]);
  }
  context.globalAlpha = 1;
  ring(context, xs[chosen], ys[chosen], 8, colours.ink, colours.paper);
  return { xs, ys };
}

/** The spectrogram in grey, its chosen bins in the colours of their points; returns where they are on the canvas. */
export function drawBins(canvas, { levels, size, bins, paint, chosen, colours }) {
  const [F, T] = size;
  const { context, width, tall } = fitted(canvas, tallOf);
  const small = hidden(T, F);
  const dot = (f, t) => small.fillRect(t, F - 1 - f, 1, 1);
  small.fillStyle = colours.ink;
  for (let f = 0; f < F; f++) {
    for (let t = 0; t < T; t++) {
      small.globalAlpha = (0.35 * levels[f * T + t]) / 255;
      dot(f, t);
    }
  }
  const [xs, ys] = [new Float32Array(bins.length), new Float32Array(bins.length)];
  bins.forEach((bin, i) => {
    const [f, t] = [Math.floor(bin / T), bin % T];
    [small.fillStyle, small.globalAlpha] = paint[i];
    dot(f, t);
    [xs[i], ys[i]] = [((t + 0.5) * width) / T, tall - ((f + 0.5) * tall) / F];
  });
  context.imageSmoothingEnabled = false;
  context.drawImage(small.canvas, 0, 0, width, tall);
  ring(context, xs[chosen], ys[chosen], 8, colours.ink, colours.paper);
  return { xs, ys };
}
