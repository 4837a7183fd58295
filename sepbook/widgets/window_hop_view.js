// What the window explorer looks like: its elements, without behaviour. data-action says what a control does.

let explorers = 0; // on this page, so that their radio buttons keep apart

export const SIZES = [128, 256, 512, 1024, 2048, 4096];
export const HOPS = [
  [0.125, "⅛"],
  [0.25, "¼"],
  [0.5, "½"],
  [0.75, "¾"],
  [1, "whole"],
];
const NAMES = { hann: "Hann", hamming: "Hamming", sqrt_hann: "square root of Hann", rectangular: "rectangular" };

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function choice(group, action, legend, values, usual) {
  const radios = values.map(([value, text]) => {
    const input = element("input", { type: "radio", name: `${group}-${action}`, value, "data-action": action, checked: value === usual });
    return element("label", {}, input, element("span", {}, text));
  });
  const field = element("fieldset", { class: "wh-choice" }, element("legend", {}, legend), ...radios);
  return element("div", { class: "wh-pair" }, element("span", { "aria-hidden": "true" }, legend), field);
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function windowView({ title, sources }, shapes) {
  const group = `sepbook-window-${++explorers}`;
  const picture = element("canvas", { role: "img", "aria-label": "Spectrogram of the mixture" });
  const size = element("input", { type: "range", "data-action": "size", min: 0, max: SIZES.length - 1, step: 1, value: 3, "aria-label": "window" });
  const said = element("output", {});
  const shape = element("select", { "data-action": "shape" }, ...shapes.map((name) => element("option", { value: name }, NAMES[name])));
  const hop = choice(group, "hop", "hop in windows", HOPS, 0.25);
  const names = sources.map(({ name }) => name);
  const heard = choice(group, "heard", "heard", [["mixture", "mixture"], ...names.map((name) => [name, name])], "mixture");
  const play = element("button", { type: "button", "data-action": "play" }, "▶ play");
  const cells = Object.fromEntries(["cell", "leak", "numbers", ...names].map((name) => [name, element("dd", {})]));
  const rows = [["cell", "one cell"], ["leak", "leaks"], ["numbers", "numbers"], ...names.map((name) => [name, name])];
  const list = element("dl", {}, ...rows.map(([name, text]) => element("div", {}, element("dt", {}, text), cells[name])));
  const status = element("p", { class: "wh-status", role: "status" });
  const caption = element("figcaption", {}, "kHz over seconds; the stronger the shade, the louder; ", element("span", { class: "wh-key" }, "one cell"), ", ten times enlarged");
  const root = element("div", { class: "wh-root", role: "group", "aria-label": title || "Window and hop" });
  if (title) root.append(element("p", { class: "wh-title" }, title));
  root.append(
    element("div", { class: "wh-tools" }, element("label", { class: "wh-size" }, element("span", {}, "window"), size, said)),
    element("div", { class: "wh-tools" }, hop, element("label", {}, element("span", {}, "shape "), shape)),
    element("figure", {}, picture, caption),
    element("div", { class: "wh-tools" }, play, heard),
    list,
    status,
  );
  return { root, picture, size, said, shape, play, cells, status };
}
