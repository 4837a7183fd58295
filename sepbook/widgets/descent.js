// Walk down a real loss surface: choose a method, a learning rate and a start, and follow the steps. One module, two hosts.
//   model.get("spec")   {title, piles: {a, d, c}, lowest: [w, b], goal, colours}
import { EAST, NORTH, SOUTH, WEST, drawLosses, drawMap, shaded, toPixel, toWeights } from "./descent_draw.js";
import { ground, walk } from "./descent_steps.js";
import { METHODS, STARTS, STEPS, descentView } from "./descent_view.js";
import { palette, watch } from "./explorer_canvas.js";
import { minus, setChoice, setSlider } from "./explorer_parts.js";

const DECIBELS = 20 / Math.LN10; // of one natural logarithm of an amplitude
const KEYS = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, 0.2], ArrowDown: [0, -0.2] };

function render({ model, el }) {
  const spec = model.get("spec");
  const parts = descentView(spec);
  const state = { name: "sgd", exponent: Math.log10(0.5), now: 40, start: [...STARTS["from the wall"]], decibels: false };
  let path, land, ink, dragging;

  function compute() {
    const { name, exponent, start, decibels } = state;
    path = walk(spec.piles, { name, rate: 10 ** exponent, steps: STEPS, start, unit: decibels ? DECIBELS : 1 });
    show();
  }

  function show() {
    const rate = (10 ** state.exponent).toPrecision(2);
    const [w, b] = path.points[state.now].map((value) => minus(value.toFixed(2)));
    const loss = path.heights[state.now];
    const said = `step ${state.now}: w = ${w}, b = ${b}, loss ${loss.toFixed(3)}`;
    setSlider(parts.rate, state.exponent, String(Number(rate)));
    setSlider(parts.steps, state.now);
    setChoice(parts.methods, state.name);
    parts.decibels.checked = state.decibels;
    parts.status.textContent = `${METHODS[state.name]}, ${said}; lowest: ${spec.goal.toFixed(3)}`;
    const from = state.start.map((value) => minus(value.toFixed(1)));
    parts.map.setAttribute("aria-label", `Map of the loss. Start at w = ${from[0]}, b = ${from[1]}; ${said}`);
    draw();
  }

  function draw() {
    const now = palette(el, "ds", "ink").ink;
    if (now !== ink) [ink, land] = [now, shaded(spec.piles, now)];
    const colours = { ink, walk: spec.colours[state.name], goal: spec.colours.goal };
    drawMap(parts.map, { land, points: path.points, now: state.now, lowest: spec.lowest, colours });
    drawLosses(parts.losses, { heights: path.heights, now: state.now, colours });
  }

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function begin([w, b]) {
    state.start = [clamp(w, WEST, EAST), clamp(b, SOUTH, NORTH)];
    compute();
  }

  function under({ clientX, clientY }) {
    const box = parts.map.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top, box.width, box.height];
  }

  parts.map.onpointerdown = (event) => {
    const [x, y, width, tall] = under(event);
    const [sx, sy] = toPixel(state.start, width, tall);
    if (Math.hypot(x - sx, y - sy) > (event.pointerType === "touch" ? 30 : 16)) return;
    dragging = true;
    parts.map.setPointerCapture(event.pointerId);
  };
  parts.map.onpointermove = (event) => dragging && begin(toWeights(...under(event)));
  parts.map.onpointerup = parts.map.onpointercancel = () => (dragging = false);
  // A finger that has taken the ring must not scroll the page.
  parts.map.addEventListener("touchmove", (event) => dragging && event.preventDefault(), { passive: false });
  parts.map.onkeydown = (event) => {
    const change = KEYS[event.key];
    if (!change) return;
    event.preventDefault();
    begin(state.start.map((value, i) => value + change[i]));
  };
  parts.root.onclick = ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.action === "start") begin(STARTS[button.value]);
  };
  parts.root.oninput = ({ target }) => {
    const { action } = target.dataset;
    if (action === "rate") state.exponent = Number(target.value);
    else if (action === "steps") state.now = Number(target.value);
    else if (action === "method") state.name = target.value;
    else if (action === "decibels") state.decibels = target.checked;
    compute();
  };

  el.classList.add("sepbook-descent");
  el.replaceChildren(parts.root);
  compute();
  el.sepbookDescent = {
    get path() {
      return path;
    },
    get state() {
      return { ...state };
    },
    ground: (point) => ground(spec.piles, point),
  };
  return watch(el, draw);
}

export default { render };
