// Walk down the loss of one number: choose the learning rate and the start, and follow the steps. One module, two hosts.
//   model.get("spec")   {title, best, curvature, rest}
import { Desk } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { controls, figure, minus, picture } from "./explorer_parts.js";
import { REACH, STEPS, drawLosses, drawValley } from "./valley_draw.js";
import { factorOf, height, walk } from "./valley_steps.js";

const PRESETS = { "short steps": { share: 0.15 }, "in one step": { share: 0.5 }, "long steps": { share: 0.85 }, "at the limit": { share: 1 }, "too long": { share: 1.1 } };
const USUAL = { share: 0.85, start: 1, steps: 6 };
const rounded = (value, digits = 2) => minus(Number(value).toFixed(digits));
const large = (value) => (value < 1000 ? rounded(value, 3) : minus(value.toExponential(1)));

/** What a factor of the distance means. */
function meaning(factor) {
  const size = Math.abs(factor);
  if (size < 1e-9) return "one step arrives";
  const way = factor > 0 ? "from the same side" : "from side to side";
  if (Math.abs(size - 1) < 1e-9) return `it jumps ${way} for ever`;
  return size < 1 ? `it comes nearer, ${way}` : `it goes further away, ${way}`;
}

/** Say where the walk is and what it does, and since when it is off the picture. */
function words(valley, settings) {
  const walked = walk(valley, settings);
  const out = walked.findIndex((m) => Math.abs(m - valley.best) > REACH + 1e-9);
  const factor = factorOf(settings.share);
  const left = out < 0 ? "" : ` It left the picture at step ${out}.`;
  const loss = large(height(valley, walked.at(-1)));
  return `Each step multiplies the distance by ${rounded(factor)}: ${meaning(factor)}. After ${settings.steps} steps the loss is ${loss}; the lowest is ${large(valley.rest)}.${left}`;
}

function render({ model, el }) {
  const valley = model.get("spec");
  const limit = 2 / valley.curvature;
  const sliders = [
    { action: "share", text: "learning rate", min: 0.05, max: 1.2, step: 0.05, say: (v) => `${rounded(v * limit, 3)}: ${rounded(v)} of the limit` },
    { action: "start", text: "start", min: -0.5, max: 1.5, step: 0.05, say: (v) => rounded(v) },
    { action: "steps", text: "steps", min: 0, max: STEPS, step: 1, say: String },
  ];
  const parts = controls("ex", "valley");
  const root = parts.root(valley.title, "One number and its loss");
  const desk = new Desk(parts, { sliders, presets: PRESETS, usual: USUAL, keep: ["start", "steps"], change });
  const [slope, course] = [picture("The loss of one number"), picture("The loss over the steps")];
  root.append(desk.presetsRow, desk.rows, figure(slope, "the loss, and the steps on it; the large dot is the present one"), figure(course, "the loss over the steps"), parts.status);

  function draw() {
    drawValley(slope, valley, desk.settings, colours(el));
    drawLosses(course, valley, desk.settings, colours(el));
  }

  function change() {
    parts.status.textContent = words(valley, desk.settings);
    slope.setAttribute("aria-label", words(valley, desk.settings));
    draw();
  }

  desk.listen(root);
  const handle = { desk, walk: (settings) => walk(valley, settings), height: (m) => height(valley, m) };
  const end = mount({ el, name: "valley", root, draw, handle });
  desk.set({});
  return end;
}

export default { render };
