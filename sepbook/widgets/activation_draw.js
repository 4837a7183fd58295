// The picture of the activation explorer: a curve (line), its gradient (dashes), and a point on both.
import { bend } from "./activation_bend.js";

export const REACH = 8; // x goes from -REACH to REACH
const [LOW, HIGH] = [-1.7, 2.6];
const said = (value) => String(value).replace("-", "−");

export function drawCurves(canvas, { name, x, slope }, colours) {
  const width = canvas.clientWidth || 300;
  const tall = Math.max(220, width / 2.2);
  const sharp = Math.min(devicePixelRatio || 1, 2);
  Object.assign(canvas, { width: width * sharp, height: tall * sharp });
  canvas.style.height = `${tall}px`;
  const c = canvas.getContext("2d");
  c.scale(sharp, sharp);
  c.font = "12px sans-serif";
  const across = (value) => ((value + REACH) / (2 * REACH)) * width;
  const up = (value) => ((HIGH - value) / (HIGH - LOW)) * tall;
  const path = (points, style, wide, dashes = []) => {
    Object.assign(c, { strokeStyle: style, lineWidth: wide, lineJoin: "round" });
    c.setLineDash(dashes);
    c.beginPath();
    for (const [a, b] of points) c.lineTo(across(a), up(b));
    c.stroke();
    c.setLineDash([]);
  };
  c.fillStyle = colours.quiet;
  for (const value of [-1, 0, 1, 2]) {
    path([[-REACH, value], [REACH, value]], value ? colours.line : colours.quiet, 1);
    c.fillText(said(value), 4, up(value) - 3);
  }
  c.textAlign = "center";
  for (const value of [-6, -4, -2, 2, 4, 6]) c.fillText(said(value), across(value), up(0) + 14);
  path([[0, LOW], [0, HIGH]], colours.quiet, 1);
  path([[x, LOW], [x, HIGH]], colours.accent, 1);
  const grid = Array.from({ length: 401 }, (_, i) => -REACH + (i * 2 * REACH) / 400);
  if (name === "sigmoid" || name === "tanh" || name === "linear") {
    path(grid.map((at) => [at, bend(name, at, slope)[1]]), colours.ink, 2, [6, 5]);
  } else { // the gradient jumps: two pieces, and nothing between them
    for (const half of [grid.filter((at) => at <= 0), grid.filter((at) => at > 0)]) {
      path(half.map((at) => [at, bend(name, at, slope)[1]]), colours.ink, 2, [6, 5]);
    }
  }
  path(grid.map((at) => [at, bend(name, at, slope)[0]]), colours.accent, 3);
  for (const [i, value] of bend(name, x, slope).entries()) {
    const y = Math.min(Math.max(up(value), 6), tall - 6);
    c.beginPath();
    c.arc(across(x), y, 6, 0, 7);
    Object.assign(c, { fillStyle: i ? colours.paper : colours.accent, strokeStyle: i ? colours.ink : colours.accent, lineWidth: 2 });
    c.fill();
    c.stroke();
  }
}
