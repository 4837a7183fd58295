// What the stem player looks like: its elements, without behaviour. data-action says what a control does.

let count = 0; // players on this page, so that their radio buttons keep apart

const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
export const ICONS = { play: icon("M8 5v14l11-7z"), pause: icon("M7 5h4v14H7zM13 5h4v14h-4z") };

/** An element: h("button", {type: "button", title: "Play"}, "text", child …). A false attribute is left out. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const button = (action, label, text, more = {}) =>
  h("button", { type: "button", "data-action": action, "aria-label": label, title: label, ...more }, text);

const range = (action, label, max, value) =>
  h("input", { type: "range", "data-action": action, "aria-label": label, min: 0, max, step: max / 1000, value });

/** Seconds as minutes and seconds: 63.25 -> "1:03.2". */
export function readable(seconds) {
  const tenths = Math.floor(seconds * 10 + 1e-6);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

/** One row: name, solo and mute, and the lane in which the picture lies. */
function strip({ name, colour, whole }, several) {
  const press = (action, label) =>
    button(action, `${label} ${name}`, action, { "data-stem": name, "aria-pressed": "false" });
  const buttons = whole || !several ? [] : [press("solo", "Solo"), press("mute", "Mute")];
  const image = h("img", { class: "dark-light", alt: "", draggable: "false" }); // the class keeps the theme from whitening it;
  const lane = h("div", { class: "sp-lane" }, image);
  const label = h("div", { class: "sp-label" }, h("span", { class: "sp-name" }, name), ...buttons);
  const row = h("div", { class: "sp-row", "data-stem": name, style: `--colour: ${colour}` }, label, lane);
  return { name, row, lane, image, buttons };
}

/** The choice between versions, and whether they are matched in loudness. */
function chooser(versions, group) {
  const radios = versions.map(({ name }, value) =>
    h("input", { type: "radio", name: group, value, "data-action": "version", "data-version": name, checked: !value }),
  );
  const labels = radios.map((radio, v) => h("label", {}, radio, h("span", {}, versions[v].name)));
  const matched = h("input", { type: "checkbox", "data-action": "matched", checked: true });
  const hint = "Versions are turned down to the quietest of them, because what is louder seems better.";
  const choice = h("fieldset", { class: "sp-versions" }, h("legend", {}, "Version"), ...labels);
  const match = h("label", { class: "sp-matched", title: hint }, matched, h("span", {}, "equal loudness"));
  return { radios, matched, element: h("div", { class: "sp-choice" }, choice, match) };
}

/** Which keys do what, folded. */
function keys(stems, several) {
  const list = [["space", "play or pause"], ["← →", "move (with shift: further)"]];
  if (stems.length > 1) list.push([`1 – ${Math.min(9, stems.length)}`, "solo"], ["m, then a digit", "mute"], ["0", "all stems"]);
  if (several) list.push(["v", "next version"]);
  const items = list.flatMap(([name, does]) => [h("dt", {}, h("kbd", {}, name)), h("dd", {}, does)]);
  return h("details", { class: "sp-keys" }, h("summary", {}, "keys"), h("dl", {}, ...items));
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function view({ title, seconds, rows, versions }) {
  const stems = rows.filter((row) => !row.whole).map((row) => row.name);
  const play = button("play", "Play", "");
  const time = h("span", { "data-role": "time" });
  const seek = range("seek", "Position", seconds, 0);
  const volume = range("volume", "Volume", 1, 1);
  const loop = button("loop", "Loop", "loop", { "aria-pressed": "false" });
  const status = h("p", { class: "sp-status", role: "status" });
  const strips = rows.map((row) => strip(row, stems.length > 1));
  const choice = chooser(versions, `sepbook-player-${++count}`);
  const transport = h("div", { class: "sp-row sp-transport" }, h("div", { class: "sp-label" }, play, time), seek);
  const loudness = h("label", { class: "sp-volume" }, h("span", {}, "volume"), volume);
  const name = title ? `Player: ${title}` : "Stem player";
  const root = h("div", { class: "sp-root", "data-lm-suppress-shortcuts": true, role: "group", tabindex: -1, "aria-label": name });
  if (title) root.append(h("p", { class: "sp-title" }, title));
  if (versions.length > 1) root.append(choice.element);
  root.append(transport, ...strips.map(({ row }) => row));
  root.append(h("div", { class: "sp-foot" }, loop, loudness, keys(stems, versions.length > 1)), status);
  return { root, play, time, seek, volume, loop, status, strips, stems, radios: choice.radios, matched: choice.matched };
}
