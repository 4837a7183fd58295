// Move a point along an activation and read its value and slope. One module, two hosts.
//   model.get("spec")   {title, curves: {name: words}}
import { bend } from "./activation_bend.js";
import { REACH, drawCurves } from "./activation_draw.js";

const KEYS = { ArrowLeft: -0.1, ArrowDown: -0.1, ArrowRight: 0.1, ArrowUp: 0.1, PageDown: -1, PageUp: 1 };
let explorers = 0; // on this page, so that their radio buttons keep apart

function part(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function tell(value) {
  const text = value && Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3);
  return text.replace(/-/g, "−");
}

function render({ model, el }) {
  const { title, curves } = model.get("spec");
  const state = { name: "sigmoid", x: 1, slope: 0.2 };
  const group = `sepbook-activation-${++explorers}`;

  const radios = Object.entries(curves).map(([value, words]) => {
    const input = part("input", { type: "radio", name: group, value, "data-action": "name" });
    return part("label", {}, input, part("span", {}, words));
  });
  const choice = part("fieldset", { class: "av-choice" }, part("legend", {}, "Activation"), ...radios);
  const slope = part("input", { type: "range", min: -0.5, max: 1.2, step: 0.05, "data-action": "slope", "aria-label": "slope below 0" });
  const slopeSaid = part("output");
  const canvas = part("canvas", { tabindex: 0, role: "slider", "aria-label": "x", "aria-valuemin": -REACH, "aria-valuemax": REACH, "aria-describedby": `${group}-help` });
  const help = part("figcaption", { id: `${group}-help` }, "Line: the value. Dashes: the slope. Drag the point, or move it with the arrow keys (Page Up and Page Down: larger steps).");
  const status = part("p", { class: "av-status", role: "status" });
  const root = part("div", { class: "av-root", role: "group", "aria-label": title || "Activations" });
  if (title) root.append(part("p", { class: "av-title" }, title));
  root.append(
    part("div", { class: "av-tools" }, choice),
    part("label", { class: "av-slider" }, part("span", {}, "slope below 0"), slope, slopeSaid),
    part("figure", {}, canvas, help),
    status,
  );

  function show() {
    const [value, gradient] = bend(state.name, state.x, state.slope);
    for (const input of choice.querySelectorAll("input")) input.checked = input.value === state.name;
    slope.value = state.slope;
    slope.disabled = state.name !== "leaky";
    slopeSaid.textContent = slope.disabled ? "leaky only" : state.slope.toFixed(2).replace("-", "−");
    slope.setAttribute("aria-valuetext", slopeSaid.textContent);
    const x = state.x.toFixed(1).replace("-", "−");
    const corner = state.x === 0 && (state.name === "relu" || (state.name === "leaky" && state.slope !== 1));
    const words = `x = ${x}: value ${tell(value)}, slope ${tell(gradient)}${corner ? " (a corner: this is what autograd takes)" : ""}`;
    canvas.setAttribute("aria-valuenow", state.x.toFixed(1));
    canvas.setAttribute("aria-valuetext", words);
    status.textContent = `${words}. Ten such slopes in a row multiply to ${tell(gradient ** 10)}.`;
    draw();
  }

  function draw() {
    const style = getComputedStyle(el);
    const colours = Object.fromEntries(["ink", "paper", "quiet", "line", "accent"].map((name) => [name, style.getPropertyValue(`--av-${name}`).trim()]));
    drawCurves(canvas, state, colours);
  }

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
  const sized = new ResizeObserver(draw);
  const theme = new MutationObserver(draw);
  sized.observe(el);
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "theme"] });
  el.sepbookActivation = {
    get state() {
      return { ...state };
    },
    bend,
  };
  return () => [sized, theme].forEach((observer) => observer.disconnect());
}

export default { render };
