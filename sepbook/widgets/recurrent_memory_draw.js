// The two pictures of the memory explorer: the state over time, and the slopes on a logarithmic scale.
import { fitted, polyline } from "./explorer_canvas.js";
import { minus } from "./explorer_parts.js";

const LOWEST = 1e-4; // of the slopes, as a part of the largest
const LEFT_EDGE = 50; // pixels for the numbers beside the axis
const BELOW = 20; // and for those below it

function sheet(canvas) {
  const { context, width, tall } = fitted(canvas, (wide) => wide / (wide < 500 ? 2.4 : 4.5));
  return { context, width, tall: tall - BELOW };
}

function axis({ context, width, tall }, frames, seconds, colours) {
  Object.assign(context, { strokeStyle: colours.line, fillStyle: colours.quiet, lineWidth: 1, textAlign: "center" });
  const every = width < 500 ? 40 : 20;
  for (let t = 0; t < frames; t += every) {
    const x = LEFT_EDGE + ((width - LEFT_EDGE - 8) * t) / (frames - 1);
    context.strokeRect(x, 0, 0, tall);
    context.fillText(t ? `${t} (${(t * seconds).toFixed(2)} s)` : "frame 0", Math.max(x, 26), tall + 15);
  }
}

function level({ context, width }, y, text, colours, dashed) {
  const style = { strokeStyle: dashed ? colours.quiet : colours.line, fillStyle: colours.quiet, lineWidth: 1, textAlign: "right" };
  polyline(context, [[LEFT_EDGE, y], [width - 8, y]], style, dashed ? [5, 4] : []);
  context.fillText(text, LEFT_EDGE - 5, y + 4);
}

function trail({ context, width }, values, height, strokeStyle, lineWidth, dashes) {
  const places = values.map((value, t) => [LEFT_EDGE + ((width - LEFT_EDGE - 8) * t) / (values.length - 1), height(value)]);
  polyline(context, places, { strokeStyle, lineWidth, lineJoin: "round" }, dashes);
}

/** The state with the note and without it. */
export function drawState(canvas, { played, silent }, seconds, colours) {
  const paper = sheet(canvas);
  const most = Math.max(0.05, ...played.map(Math.abs), ...silent.map(Math.abs));
  const height = (value) => paper.tall / 2 - (0.44 * paper.tall * value) / most;
  axis(paper, played.length, seconds, colours);
  for (const value of [-most, 0, most]) level(paper, height(value), minus(value.toFixed(2)), colours);
  trail(paper, silent, height, colours.quiet, 2, [4, 4]);
  trail(paper, played, height, colours.accent, 2.5);
}

/** How the last answer depends on each frame: the size of the slopes, as a part of the largest. */
export function drawSlopes(canvas, { slopes }, seconds, colours) {
  const paper = sheet(canvas);
  const most = Math.max(...slopes.map(Math.abs), 1e-300);
  const height = (share) => 6 + ((paper.tall - 12) * Math.log(Math.max(share, LOWEST))) / Math.log(LOWEST);
  axis(paper, slopes.length, seconds, colours);
  for (const [share, text] of [[1, "1"], [0.1, "0.1"], [0.01, "0.01"], [0.001, ""], [LOWEST, "0.0001"]]) {
    level(paper, height(share), text.length > 4 ? "≤ 10⁻⁴" : text, colours, share === 0.01);
  }
  trail(paper, slopes.map((slope) => Math.abs(slope) / most), height, colours.accent, 2.5);
}
