// What the descent explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, buttons, controls, element, figure, picture } from "./explorer_parts.js";

export const STARTS = { "from the wall": [-1, 3], "from the plain": [4, -2.5], "from the middle": [0, 0] };
export const METHODS = { sgd: "SGD", momentum: "momentum", adam: "Adam" };
export const STEPS = 200;

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function descentView({ title }) {
  const parts = controls("ex", "descent");
  const { status } = parts;
  const id = `${parts.group}-help`;
  const map = element("canvas", { tabindex: "0", role: "application", "aria-roledescription": "map", "aria-describedby": id });
  const losses = picture("The loss over the steps");
  const rate = parts.slider("rate", "learning rate", { min: -3, max: 1, step: 0.05 });
  const steps = parts.slider("steps", "steps", { min: 0, max: STEPS, step: 1 });
  const methods = parts.choice("method", "Method", Object.entries(METHODS));
  const decibels = element("input", { type: "checkbox", "data-action": "decibels" });
  const help = element("figcaption", { id }, "The stronger the shade, the larger the loss; the cross is the lowest place. Drag the ring, or move it with the arrow keys, to start elsewhere.");
  const root = parts.root(title, "Three ways down");
  root.append(
    parts.tools(methods, ...buttons("start", Object.keys(STARTS)), button("reset", "↺ reset")),
    element("div", { class: "ex-sliders" }, rate.row, steps.row, element("label", { class: "ex-check" }, decibels, "x in decibels")),
    element("figure", {}, map, help),
    figure(losses, "loss over the steps"),
    status,
  );
  return { root, map, losses, rate, steps, methods, decibels, status };
}
