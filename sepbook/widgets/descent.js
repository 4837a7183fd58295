// Walk down a real loss surface: choose a method, a learning rate and a start, and follow the steps. One module, two hosts.
//   model.get("spec")   {title, piles: {a, d, c}, lowest: [w, b], goal, colours}
import { EAST, NORTH, SOUTH, WEST, beyond, drawLosses, drawMap, shaded } from "./descent_draw.js";
import { ground, walk } from "./descent_steps.js";
import { METHODS, STARTS, STEPS, descentView } from "./descent_view.js";
import { drag, keys } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { minus, setChoice, setSlider } from "./explorer_parts.js";

const DECIBELS = 20 / Math.LN10; // of one natural logarithm of an amplitude
const usual = () => ({ name: "sgd", exponent: Math.log10(0.5), now: 40, start: [...STARTS["from the wall"]], decibels: false });

/** Say since when the walk is beyond the map, or that it has been there. */
function outside(points, now) {
  const out = points.slice(0, now + 1).findIndex(beyond);
  if (out < 0) return "";
  return beyond(points[now]) ? `; off the map, which it left at step ${out}` : `; it was off the map, first at step ${out}`;
}

/** Say where the walk is, in all places. */
function tell(parts, state, { points, heights }, goal) {
  const [w, b] = points[state.now].map((value) => minus(value.toFixed(2)));
  const said = `step ${state.now}: w = ${w}, b = ${b}, loss ${heights[state.now].toFixed(3)}${outside(points, state.now)}`;
  const from = state.start.map((value) => minus(value.toFixed(1)));
  setSlider(parts.rate, state.exponent, String(Number((10 ** state.exponent).toPrecision(2))));
  setSlider(parts.steps, state.now);
  setChoice(parts.methods, state.name);
  parts.decibels.checked = state.decibels;
  parts.status.textContent = `${METHODS[state.name]}, ${said}; lowest: ${goal.toFixed(3)}`;
  parts.map.setAttribute("aria-label", `Map of the loss. Start at w = ${from[0]}, b = ${from[1]}; ${said}`);
}

function render({ model, el }) {
  const spec = model.get("spec");
  const parts = descentView(spec);
  const { map, root } = parts;
  const state = usual();
  let path, land, ink, scales;

  function compute() {
    const { name, exponent, start, decibels } = state;
    path = walk(spec.piles, { name, rate: 10 ** exponent, steps: STEPS, start, unit: decibels ? DECIBELS : 1 });
    tell(parts, state, path, spec.goal);
    draw();
  }

  function draw() {
    const shared = colours(el);
    if (shared.ink !== ink) [ink, land] = [shared.ink, shaded(spec.piles, shared.ink)];
    const paint = { ...shared, walk: spec.colours[state.name], goal: spec.colours.goal };
    scales = drawMap(map, { land, points: path.points, now: state.now, lowest: spec.lowest, colours: paint });
    drawLosses(parts.losses, { heights: path.heights, now: state.now, colours: paint });
  }

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function begin([w, b]) {
    state.start = [clamp(w, WEST, EAST), clamp(b, SOUTH, NORTH)];
    compute();
  }

  const by = (w, b) => () => begin([state.start[0] + w, state.start[1] + b]);
  const thing = () => [scales.x(state.start[0]), scales.y(state.start[1])];
  drag(map, (x, y) => begin([scales.x.back(x), scales.y.back(y)]), { thing, only: true });
  keys(map, { ArrowLeft: by(-0.2, 0), ArrowRight: by(0.2, 0), ArrowUp: by(0, 0.2), ArrowDown: by(0, -0.2) });
  root.onclick = ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.action === "start") begin(STARTS[button.value]);
    if (button?.dataset.action === "reset") Object.assign(state, usual()), compute();
  };
  root.oninput = ({ target: { value, checked, dataset } }) => {
    Object.assign(state, { rate: { exponent: Number(value) }, steps: { now: Number(value) }, method: { name: value }, decibels: { decibels: checked } }[dataset.action]);
    compute();
  };
  const handle = { get path() { return path; }, get state() { return { ...state }; }, ground: (point) => ground(spec.piles, point) };
  const end = mount({ el, name: "descent", root, draw: () => path && draw(), handle });
  compute();
  return end;
}

export default { render };
