// What the descent explorer looks like: its elements, without behaviour. data-action says what a control does.

let landscapes = 0; // on this page, so that their radio buttons keep apart

export const STARTS = { "from the wall": [-1, 3], "from the plain": [4, -2.5], "from the middle": [0, 0] };
export const METHODS = { sgd: "SGD", momentum: "momentum", adam: "Adam" };
export const STEPS = 200;

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function slider(action, text, min, max, step) {
  const input = make("input", { type: "range", "data-action": action, min, max, step, "aria-label": text });
  const said = make("output");
  return { input, said, row: make("label", { class: "ds-slider" }, make("span", {}, text), input, said) };
}

function choice(group, [value, text]) {
  const input = make("input", { type: "radio", name: `${group}-method`, value, "data-action": "method" });
  return make("label", {}, input, make("span", {}, text));
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function descentView({ title }) {
  const group = `sepbook-descent-${++landscapes}`;
  const map = make("canvas", {
    tabindex: "0", role: "application", "aria-roledescription": "map", "aria-describedby": `${group}-help`,
  });
  const losses = make("canvas", { role: "img", "aria-label": "The loss over the steps" });
  const rate = slider("rate", "learning rate", -3, 1, 0.05);
  const steps = slider("steps", "steps", 0, STEPS, 1);
  const methods = make("fieldset", { class: "ds-choice" }, make("legend", {}, "Method"), ...Object.entries(METHODS).map((entry) => choice(group, entry)));
  const starts = Object.keys(STARTS).map((name) => make("button", { type: "button", "data-action": "start", value: name }, name));
  const decibels = make("input", { type: "checkbox", "data-action": "decibels" });
  const status = make("p", { class: "ds-status", role: "status" });
  const help = make("figcaption", { id: `${group}-help` }, "The stronger the shade, the larger the loss; the cross is the lowest place. Drag the ring, or move it with the arrow keys, to start elsewhere.");
  const root = make("div", { class: "ds-root", role: "group", "aria-label": title || "Three ways down" });
  if (title) root.append(make("p", { class: "ds-title" }, title));
  root.append(
    make("div", { class: "ds-tools" }, methods, ...starts),
    make("div", { class: "ds-sliders" }, rate.row, steps.row, make("label", { class: "ds-check" }, decibels, "x in decibels")),
    make("figure", {}, map, help),
    make("figure", {}, losses, make("figcaption", {}, "loss over the steps")),
    status,
  );
  return { root, map, losses, rate, steps, methods, decibels, status };
}
