// The two pictures of the training replay: what is heard, and the course of the loss with the present stage in it.
import { disc } from "./explorer_canvas.js";
import { frame } from "./explorer_axes.js";
import { smoothed } from "./training_replay_course.js";

const MARKS = [100, 300, 1000, 3000]; // Hz, written at the axis

/** The spectrogram of what is heard: an image with a logarithmic axis of frequency. */
export function drawHeard(canvas, { seconds, hertz }, image, colours) {
  const [low, high] = hertz.map(Math.log10);
  const at = MARKS.map(Math.log10).filter((value) => value > low && value < high);
  const { context, x, y } = frame(canvas, {
    x: { from: [0, seconds], name: "time (s)" },
    y: { from: [low, high], name: "frequency (Hz)", at, say: (value) => String(Math.round(10 ** value)) },
    tallOf: (wide) => Math.min(260, Math.max(190, wide / 2.4)),
  }, colours);
  if (image) context.drawImage(image, x(0), y(high), x(seconds) - x(0), y(low) - y(high));
}

/** The loss of each step (thin), averaged over its neighbours (thick), and a point at the present stage. */
export function drawLoss(canvas, loss, steps, colours) {
  const means = smoothed(loss);
  const most = Math.max(...loss) * 1.05;
  const { context, path, x, y } = frame(canvas, {
    x: { from: [0, loss.length], name: "training step" },
    y: { from: [0, most], name: "loss" },
    tallOf: (wide) => Math.min(200, Math.max(160, wide / 3.2)),
  }, colours);
  path(loss.map((value, i) => [i + 1, value]), colours.line, 1);
  path(means, colours.accent, 2.5);
  if (steps === null) return;
  path([[steps, 0], [steps, most]], colours.first, 1.5);
  context.fillStyle = colours.first;
  disc(context, [x(steps), y(means[Math.max(0, steps - 1)][1])], 6);
}
