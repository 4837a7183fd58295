// The two pictures of the memory explorer: the state over time, and the slopes on a logarithmic scale.

const LOWEST = 1e-4; // of the slopes, as a part of the largest
const LEFT_EDGE = 50; // pixels for the numbers beside the axis
const BELOW = 20; // and for those below it

function sheet(canvas, ratio) {
  const width = canvas.clientWidth || 300;
  const tall = width / ratio;
  const sharp = Math.min(devicePixelRatio || 1, 2);
  Object.assign(canvas, { width: width * sharp, height: tall * sharp });
  canvas.style.height = `${tall}px`;
  const context = canvas.getContext("2d");
  context.scale(sharp, sharp);
  context.font = "12px sans-serif";
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
  Object.assign(context, { strokeStyle: dashed ? colours.quiet : colours.line, fillStyle: colours.quiet, lineWidth: 1, textAlign: "right" });
  context.setLineDash(dashed ? [5, 4] : []);
  context.beginPath();
  context.moveTo(LEFT_EDGE, y);
  context.lineTo(width - 8, y);
  context.stroke();
  context.setLineDash([]);
  context.fillText(text, LEFT_EDGE - 5, y + 4);
}

function trail({ context, width }, values, height, colour, wide, dashes = []) {
  Object.assign(context, { strokeStyle: colour, lineWidth: wide, lineJoin: "round" });
  context.setLineDash(dashes);
  context.beginPath();
  values.forEach((value, t) => context.lineTo(LEFT_EDGE + ((width - LEFT_EDGE - 8) * t) / (values.length - 1), height(value)));
  context.stroke();
  context.setLineDash([]);
}

/** The state with the note and without it. */
export function drawState(canvas, { played, silent }, seconds, colours) {
  const paper = sheet(canvas, canvas.clientWidth < 500 ? 2.4 : 4.5);
  const most = Math.max(0.05, ...played.map(Math.abs), ...silent.map(Math.abs));
  const height = (value) => paper.tall / 2 - (0.44 * paper.tall * value) / most;
  axis(paper, played.length, seconds, colours);
  for (const value of [-most, 0, most]) level(paper, height(value), value.toFixed(2).replace("-", "−"), colours);
  trail(paper, silent, height, colours.quiet, 2, [4, 4]);
  trail(paper, played, height, colours.accent, 2.5);
}

/** How the last answer depends on each frame: the size of the slopes, as a part of the largest. */
export function drawSlopes(canvas, { slopes }, seconds, colours) {
  const paper = sheet(canvas, canvas.clientWidth < 500 ? 2.4 : 4.5);
  const most = Math.max(...slopes.map(Math.abs), 1e-300);
  const height = (share) => 6 + ((paper.tall - 12) * Math.log(Math.max(share, LOWEST))) / Math.log(LOWEST);
  axis(paper, slopes.length, seconds, colours);
  for (const [share, text] of [[1, "1"], [0.1, "0.1"], [0.01, "0.01"], [0.001, ""], [LOWEST, "0.0001"]]) {
    level(paper, height(share), text.length > 4 ? "≤ 10⁻⁴" : text, colours, share === 0.01);
  }
  trail(paper, slopes.map((slope) => Math.abs(slope) / most), height, colours.accent, 2.5);
}
