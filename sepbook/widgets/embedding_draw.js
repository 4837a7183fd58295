// The two pictures of the embedding explorer: points in space, and the bins of the spectrogram.
import { turned } from "./embedding_space.js";
import { frame, shaped } from "./explorer_axes.js";
import { fitted, hidden, polyline } from "./explorer_canvas.js";

const NAMES = ["1st", "2nd", "3rd"]; // of the directions
const BALL = 2.55; // heights of the picture, in lengths of an embedding

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

/** An axis of the space, from the middle to the ball, with its name and numbers. */
function axis(context, name, [a, b], place, strokeStyle) {
  const length = Math.hypot(a, b);
  if (length < 0.25) return; // it points at the reader
  polyline(context, [place(0, 0), place(a, b)], { strokeStyle, lineWidth: 1 });
  for (const [text, at] of [["0.5", 0.5], ["1", 1]]) {
    const [x, y] = place(at * a, at * b);
    polyline(context, [-4, 4].map((side) => [x + (side * b) / length, y + (side * a) / length]), { strokeStyle, lineWidth: 1 });
    context.fillText(text, x + (13 * b) / length, y + (13 * a) / length + 4);
  }
  const [x, y] = place(a + (0.12 * a) / length, b + (0.12 * b) / length);
  context.fillText(name, x, y + 4);
}

/** All points, seen from a direction; returns where they are on the canvas. */
export function drawSpace(canvas, { points, size, turn, tilt, paint, source, chosen, colours }) {
  const { context, width, tall } = fitted(canvas, (wide) => wide / 1.15);
  const { x, y, depth } = turned(points, size, turn, tilt);
  const unit = tall / BALL;
  const place = (a, b) => [width / 2 + a * unit, tall / 2 - b * unit];
  const axes = turned([127, 0, 0, 0, 127, 0, 0, 0, 127], 3, turn, tilt);
  Object.assign(context, { fillStyle: colours.quiet, strokeStyle: colours.quiet, globalAlpha: 0.4, textAlign: "center" });
  context.beginPath();
  context.arc(...place(0, 0), unit, 0, 7); // no embedding is longer than 1
  context.stroke();
  context.globalAlpha = 1;
  for (let k = 0; k < 3; k++) axis(context, NAMES[k], [axes.x[k], axes.y[k]], place, colours.quiet);
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
export function drawBins(canvas, { levels, spec: { size: [F, T], rate, hop }, bins, paint, chosen, colours }) {
  const [seconds, high] = [(T * hop) / rate, rate / 2000];
  const { context, x, y } = frame(canvas, {
    x: { from: [0, seconds], name: "time (s)" },
    y: { from: [0, high], name: "frequency (kHz)" },
    tallOf: shaped(1.15),
  }, colours);
  const [width, tall] = [x(seconds) - x(0), y(0) - y(high)];
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
    [xs[i], ys[i]] = [x(0) + ((t + 0.5) * width) / T, y(0) - ((f + 0.5) * tall) / F];
  });
  context.imageSmoothingEnabled = false;
  context.drawImage(small.canvas, x(0), y(high), width, tall);
  ring(context, xs[chosen], ys[chosen], 8, colours.ink, colours.paper);
  return { xs, ys };
}
