// What the filter explorer looks like: its elements, without behaviour. data-action says what a control does.

let explorers = 0; // on this page, so that their radio buttons keep apart

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function choice(group, action, legend, values) {
  const radios = values.map((value, i) => {
    const input = element("input", { type: "radio", name: `${group}-${action}`, value, "data-action": action, checked: i === 0 });
    return element("label", {}, input, element("span", {}, value));
  });
  return element("fieldset", { class: "fb-choice" }, element("legend", {}, legend), ...radios);
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function filterView({ title, banks }) {
  const group = `sepbook-filterbank-${++explorers}`;
  const canvas = (words) => element("canvas", { role: "img", "aria-label": words });
  const [map, wave, response] = ["All filters", "One waveform", "One response"].map(canvas);
  const bank = element("select", { "data-action": "bank" }, ...banks.map(({ name }, i) => element("option", { value: i }, name)));
  const part = choice(group, "part", "Part", ["encoder", "decoder"]);
  const axis = choice(group, "axis", "Axis of frequency", ["mel", "Hz"]);
  const filter = element("input", { type: "range", "data-action": "filter", min: 1, step: 1, value: 1, "aria-label": "filter" });
  const play = element("button", { type: "button", "data-action": "play" }, "▶ noise through it");
  const said = element("p", { class: "fb-said", role: "status" });
  const gathered = element("p", { class: "fb-gathered" });
  const figure = (picture, ...caption) => element("figure", {}, picture, element("figcaption", {}, ...caption));
  const key = (name, text) => element("span", { class: `fb-key fb-${name}` }, text);
  const root = element("div", { class: "fb-root", role: "group", "aria-label": title || "A filter bank" });
  if (title) root.append(element("p", { class: "fb-title" }, title));
  root.append(
    element("div", { class: "fb-tools" }, element("label", {}, element("span", {}, "bank "), bank), part, axis),
    figure(map, "the stronger the colour, the stronger the answer to that frequency (Hz); ", key("warm", "centres"), ", ", key("ink", "centres of a mel bank")),
    element("div", { class: "fb-tools" }, element("label", { class: "fb-filter" }, element("span", {}, "filter"), filter), play),
    said,
    element("div", { class: "fb-stage" }, figure(wave, "its waveform"), figure(response, "its response; frequency in Hz")),
    gathered,
  );
  return { root, map, wave, response, bank, part, axis, filter, play, said, gathered };
}
