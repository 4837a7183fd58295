// What the stem player looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element } from "./explorer_parts.js";

const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
export const ICONS = { play: icon("M8 5v14l11-7z"), pause: icon("M7 5h4v14H7zM13 5h4v14h-4z") };

const press = (action, label, text, more = {}) => button(action, text, { "aria-label": label, title: label, ...more });

const range = (action, label, max, value) =>
  element("input", { type: "range", "data-action": action, "aria-label": label, min: 0, max, step: max / 1000, value });

/** Seconds as minutes and seconds: 63.25 -> "1:03.2". */
export function readable(seconds) {
  const tenths = Math.floor(seconds * 10 + 1e-6);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

/** Frequencies beside a picture whose axis is logarithmic and ends at `lowest` and `highest`, where there is room. */
function axis([lowest, highest]) {
  const up = (hertz) => Math.log(hertz / lowest) / Math.log(highest / lowest);
  const ticks = [100, 1000, 4000, 16000].filter((hertz) => up(hertz) > 0.05 && up(hertz) < 0.95);
  const label = (hertz) => (hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`);
  const tick = (hertz) => element("span", { style: `--up: ${up(hertz).toFixed(3)}` }, label(hertz));
  return element("div", { class: "sp-axis", "aria-hidden": "true" }, ...ticks.map(tick));
}

const SVG = "http://www.w3.org/2000/svg";

/** A place for a picture that is drawn out to fill it: its rows are bands and its columns moments, none of them square. */
function stretched() {
  const [frame, image] = ["svg", "image"].map((tag) => document.createElementNS(SVG, tag));
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["preserveAspectRatio", "none"]]) image.setAttribute(name, value);
  frame.setAttribute("role", "img");
  frame.setAttribute("class", "sp-picture");
  frame.append(image);
  return frame;
}

/** Show another picture there; `words` say what is seen. */
export function fill(frame, address, words) {
  frame.firstChild.setAttribute("href", address);
  frame.setAttribute("aria-label", words);
}

/** One row: name, solo and mute, frequencies, and the lane in which the picture lies. */
function strip({ name, colour, whole }, several, hertz) {
  const own = (action, label) => press(action, `${label} ${name}`, action, { "data-stem": name, "aria-pressed": "false" });
  const buttons = whole || !several ? [] : [own("solo", "Solo"), own("mute", "Mute")];
  const image = stretched();
  const lane = element("div", { class: "sp-lane" }, image);
  const label = element("div", { class: "sp-label" }, element("span", { class: "sp-name" }, name), ...buttons);
  const row = element("div", { class: "sp-row", "data-stem": name, style: `--colour: ${colour}` }, label, axis(hertz), lane);
  return { name, row, image, buttons };
}

/** The choice between versions, and whether they are matched in loudness. */
function chooser(versions, radio) {
  const radios = versions.map((_, v) => radio("version", v, !v));
  const labels = radios.map((each, v) => element("label", {}, each, element("span", {}, versions[v].name)));
  const matched = element("input", { type: "checkbox", "data-action": "matched", checked: true });
  const hint = "Versions are turned down to the quietest of them, because what is louder seems better.";
  const choice = element("fieldset", { class: "sp-versions" }, element("legend", {}, "Version"), ...labels);
  const match = element("label", { class: "sp-matched", title: hint }, matched, element("span", {}, "equal loudness"));
  return { radios, matched, row: element("div", { class: "sp-choice" }, choice, match) };
}

/** Which keys do what, folded. */
function keys(stems, several) {
  const list = [["space", "play or pause"], ["← →", "move (with shift: further)"]];
  if (stems.length > 1) list.push([`1 – ${Math.min(9, stems.length)}`, "solo"], ["m, then a digit", "mute"], ["0", "all stems"]);
  if (several) list.push(["v", "next version"]);
  const items = list.flatMap(([name, does]) => [element("dt", {}, element("kbd", {}, name)), element("dd", {}, does)]);
  return element("details", { class: "sp-keys" }, element("summary", {}, "keys"), element("dl", {}, ...items));
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function view({ title, seconds, rate, rows, versions, hertz = [60, rate / 2] }) {
  const stems = rows.filter((row) => !row.whole).map((row) => row.name);
  const parts = controls("sp", "player");
  const { status } = parts;
  const play = press("play", "Play", "");
  const time = element("span", { "data-role": "time" });
  const seek = range("seek", "Position", seconds, 0);
  const volume = range("volume", "Volume", 1, 1);
  const loop = press("loop", "Loop", "loop", { "aria-pressed": "false" });
  const strips = rows.map((row) => strip(row, stems.length > 1, hertz));
  const choice = chooser(versions, parts.radio);
  const transport = element("div", { class: "sp-row sp-transport" }, element("div", { class: "sp-label" }, play, time), seek);
  const loudness = element("label", { class: "sp-volume" }, element("span", {}, "volume"), volume);
  const name = title ? `Player: ${title}` : "Stem player";
  const root = parts.root(title, name, { "data-lm-suppress-shortcuts": true, tabindex: -1, "aria-label": name });
  if (versions.length > 1) root.append(choice.row);
  root.append(transport, ...strips.map(({ row }) => row));
  root.append(element("div", { class: "sp-foot" }, loop, loudness, keys(stems, versions.length > 1)), status);
  return { root, play, time, seek, volume, loop, status, strips, stems, radios: choice.radios, matched: choice.matched };
}
