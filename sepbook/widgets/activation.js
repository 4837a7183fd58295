// Move a point along an activation and read its value and slope. One module, two hosts.
//   model.get("spec")   {title, curves: {name: words}}
import { bend } from "./activation_bend.js";
import { REACH, drawCurves } from "./activation_draw.js";
import { Desk, drag, keys } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { controls, element, minus } from "./explorer_parts.js";
import { settled } from "./explorer_scale.js";

const SLOPE = { action: "slope", text: "slope below 0", min: -0.5, max: 1.2, step: 0.05, say: (v, { name }) => (name === "leaky" ? minus(v.toFixed(2)) : "leaky only") };
const USUAL = { name: "sigmoid", x: 1, slope: 0.2 };

const rounded = (value) => minus(value && Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3));

/** Say where the point is, and what ten such slopes do. */
function words({ name, x, slope }) {
  const [value, gradient] = bend(name, x, slope);
  const corner = x === 0 && (name === "relu" || (name === "leaky" && slope !== 1));
  const point = `x = ${minus(x.toFixed(1))}: value ${rounded(value)}, slope ${rounded(gradient)}${corner ? " (a corner: this is what autograd takes)" : ""}`;
  return [point, `${point}. Ten such slopes in a row multiply to ${rounded(gradient ** 10)}.`];
}

function view({ title, curves }) {
  const parts = controls("ex", "activation");
  const id = `${parts.group}-help`;
  const canvas = element("canvas", { tabindex: 0, role: "slider", "aria-label": "x", "aria-valuemin": -REACH, "aria-valuemax": REACH, "aria-describedby": id });
  const help = element("figcaption", { id }, "Line: the value. Dashes: the slope. Drag the point, or move it with the arrow keys (Page Up and Page Down: larger steps).");
  return { parts, canvas, figure: element("figure", {}, canvas, help), names: parts.choice("name", "Activation", Object.entries(curves)), root: parts.root(title, "Activations") };
}

function render({ model, el }) {
  const { parts, canvas, figure, names, root } = view(model.get("spec"));
  const desk = new Desk(parts, { sliders: [SLOPE], usual: USUAL, change });
  const { settings } = desk;
  root.append(parts.tools(names), desk.rows, desk.presetsRow, figure, parts.status);

  let across; // scale of the picture

  function draw() {
    across = drawCurves(canvas, settings, colours(el));
  }

  function change() {
    const [point, all] = words(settings);
    desk.sliders[0].input.disabled = settings.name !== "leaky";
    canvas.setAttribute("aria-valuenow", settings.x.toFixed(1));
    canvas.setAttribute("aria-valuetext", point);
    parts.status.textContent = all;
    draw();
  }

  const to = (x) => desk.set({ x: settled(x, { min: -REACH, max: REACH, step: 0.1 }) });
  const by = (step) => () => to(settings.x + step);
  drag(canvas, (x) => to(across.back(x)));
  keys(canvas, { ArrowLeft: by(-0.1), ArrowDown: by(-0.1), ArrowRight: by(0.1), ArrowUp: by(0.1), PageDown: by(-1), PageUp: by(1), Home: () => to(-REACH), End: () => to(REACH) });
  desk.listen(root, { name: names });
  const end = mount({ el, name: "activation", root, draw, handle: { get state() { return { ...settings }; }, bend } });
  desk.set({});
  return end;
}

export default { render };
