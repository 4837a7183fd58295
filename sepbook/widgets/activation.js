// Move a point along an activation and read its value and slope. One module, two hosts.
//   model.get("spec")   {title, curves: {name: words}}
import { bend } from "./activation_bend.js";
import { REACH, drawCurves } from "./activation_draw.js";
import { palette, watch } from "./explorer_canvas.js";
import { controls, element, minus, setChoice, setSlider } from "./explorer_parts.js";

const KEYS = { ArrowLeft: -0.1, ArrowDown: -0.1, ArrowRight: 0.1, ArrowUp: 0.1, PageDown: -1, PageUp: 1 };

const rounded = (value) => minus(value && Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3));

function render({ model, el }) {
  const { title, curves } = model.get("spec");
  const state = { name: "sigmoid", x: 1, slope: 0.2 };
  const parts = controls("av", "activation");
  const { status } = parts;
  const names = parts.choice("name", "Activation", Object.entries(curves));
  const slope = parts.slider("slope", "slope below 0", { min: -0.5, max: 1.2, step: 0.05 });
  const id = `${parts.group}-help`;
  const canvas = element("canvas", { tabindex: 0, role: "slider", "aria-label": "x", "aria-valuemin": -REACH, "aria-valuemax": REACH, "aria-describedby": id });
  const help = element("figcaption", { id }, "Line: the value. Dashes: the slope. Drag the point, or move it with the arrow keys (Page Up and Page Down: larger steps).");
  const root = parts.root(title, "Activations");
  root.append(
    parts.tools(names),
    slope.row,
    element("figure", {}, canvas, help),
    status,
  );

  function show() {
    const [value, gradient] = bend(state.name, state.x, state.slope);
    setChoice(names, state.name);
    slope.input.disabled = state.name !== "leaky";
    setSlider(slope, state.slope, slope.input.disabled ? "leaky only" : minus(state.slope.toFixed(2)));
    const x = minus(state.x.toFixed(1));
    const corner = state.x === 0 && (state.name === "relu" || (state.name === "leaky" && state.slope !== 1));
    const words = `x = ${x}: value ${rounded(value)}, slope ${rounded(gradient)}${corner ? " (a corner: this is what autograd takes)" : ""}`;
    canvas.setAttribute("aria-valuenow", state.x.toFixed(1));
    canvas.setAttribute("aria-valuetext", words);
    status.textContent = `${words}. Ten such slopes in a row multiply to ${rounded(gradient ** 10)}.`;
    draw();
  }

  const draw = () => drawCurves(canvas, state, palette(el, "av", "ink", "paper", "quiet", "line", "accent"));

  function move(x) {
    state.x = Math.min(Math.max(Math.round(10 * x) / 10, -REACH), REACH) + 0; // + 0: no minus zero
    show();
  }

  let dragging = false;
  const follow = ({ clientX }) => {
    const box = canvas.getBoundingClientRect();
    move(((clientX - box.left) / box.width) * 2 * REACH - REACH);
  };
  canvas.onpointerdown = (event) => {
    dragging = true;
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  };
  canvas.onpointermove = (event) => dragging && follow(event);
  canvas.onpointerup = canvas.onpointercancel = () => (dragging = false);
  canvas.onkeydown = (event) => {
    const ends = { Home: -REACH, End: REACH };
    const to = event.key in ends ? ends[event.key] : state.x + KEYS[event.key];
    if (Number.isNaN(to)) return;
    event.preventDefault();
    move(to);
  };
  root.oninput = ({ target }) => {
    const { action } = target.dataset;
    state[action] = action === "slope" ? Number(target.value) : target.value;
    show();
  };

  el.classList.add("sepbook-activation");
  el.replaceChildren(root);
  show();
  el.sepbookActivation = {
    get state() {
      return { ...state };
    },
    bend,
  };
  return watch(el, draw);
}

export default { render };
