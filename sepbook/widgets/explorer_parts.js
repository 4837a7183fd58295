// What explorers and players are made of: elements, controls and words. data-action says what a control does.

let explorers = 0; // on this page, so that their radio buttons keep apart

/** An element: element("button", { type: "button" }, "text", child …). An attribute that is false or missing is left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export const button = (action, text, more = {}) => element("button", { type: "button", "data-action": action, ...more }, text);

/** One button for each name, which is its value. */
export const buttons = (action, names) => names.map((value) => button(action, value, { value }));

/** A canvas to look at; `words` say what is seen. */
export const picture = (words) => element("canvas", { role: "img", "aria-label": words });

export const figure = (canvas, ...caption) => element("figure", {}, canvas, element("figcaption", {}, ...caption));

/** An axis made of elements beside something else than a canvas: its name, and marks [share, text] from one `side` on. */
export const ruler = (name, side, marks, more = {}) => element("div", { "aria-hidden": "true", "data-axis": name, ...more }, ...marks.map(([share, text]) => element("span", { style: `${side}: ${100 * share}%` }, text)));

/** The controls of one explorer: `prefix` begins the names of their classes, `group` those of its radio buttons. */
export function controls(prefix, name) {
  const group = `sepbook-${name}-${++explorers}`;
  const radio = (action, value, checked = false) => element("input", { type: "radio", name: `${group}-${action}`, value, "data-action": action, checked });

  /** A slider with its name and, beside it, what it says; `range` is { min, max, step, value }. */
  function slider(action, text, range) {
    const input = element("input", { type: "range", "data-action": action, ...range, "aria-label": text });
    const said = element("output");
    return { action, input, said, row: element("label", { class: `${prefix}-slider` }, element("span", {}, text), input, said) };
  }

  /** Radio buttons that look like one switch; `options` are pairs of value and text. */
  function choice(action, legend, options, first) {
    const labels = options.map(([value, text]) => element("label", {}, radio(action, value, value === first), element("span", {}, text)));
    return element("fieldset", { class: `${prefix}-choice` }, element("legend", {}, legend), ...labels);
  }

  const tools = (...children) => element("div", { class: `${prefix}-tools` }, ...children);

  /** What holds everything; `words` are its name where it has no title. */
  function root(title, words, more = {}) {
    const made = element("div", { class: `${prefix}-root`, role: "group", "aria-label": title || words, ...more });
    if (title) made.append(element("p", { class: `${prefix}-title` }, title));
    return made;
  }

  return { group, radio, slider, choice, tools, root, status: element("p", { class: `${prefix}-status`, role: "status" }) };
}

/** Put a slider at a value, and say it: beside the slider, and to those who cannot see it. */
export function setSlider({ input, said }, value, words = String(value)) {
  input.value = value;
  said.textContent = words;
  input.setAttribute("aria-valuetext", words);
}

/** Check the one radio button of a choice that has this value. */
export function setChoice(choice, value) {
  for (const input of choice.querySelectorAll("input")) input.checked = input.value === String(value);
}

/** A number as it is printed: with a minus sign in place of a hyphen. */
export const minus = (number) => String(number).replaceAll("-", "−");

/** Whether the reader asked for little motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
