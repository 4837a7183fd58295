// What the filter explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element, figure, picture } from "./explorer_parts.js";

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function filterView({ title, banks }) {
  const parts = controls("fb", "filterbank");
  const choice = (action, legend, values) => parts.choice(action, legend, values.map((value) => [value, value]), values[0]);
  const [map, wave, response] = ["All filters", "One waveform", "One response"].map(picture);
  const bank = element("select", { "data-action": "bank" }, ...banks.map(({ name }, i) => element("option", { value: i }, name)));
  const part = choice("part", "Part", ["encoder", "decoder"]);
  const axis = choice("axis", "Axis of frequency", ["mel", "Hz"]);
  const filter = element("input", { type: "range", "data-action": "filter", min: 1, step: 1, value: 1, "aria-label": "filter" });
  const play = button("play", "▶ noise through it");
  const said = element("p", { class: "fb-said", role: "status" });
  const gathered = element("p", { class: "fb-gathered" });
  const key = (name, text) => element("span", { class: `fb-key fb-${name}` }, text);
  const root = parts.root(title, "A filter bank");
  root.append(
    parts.tools(element("label", {}, element("span", {}, "bank "), bank), part, axis),
    figure(map, "the stronger the colour, the stronger the answer to that frequency (Hz); ", key("warm", "centres"), ", ", key("ink", "centres of a mel bank")),
    parts.tools(element("label", { class: "fb-filter" }, element("span", {}, "filter"), filter), play),
    said,
    element("div", { class: "fb-stage" }, figure(wave, "its waveform"), figure(response, "its response; frequency in Hz")),
    gathered,
  );
  return { root, map, wave, response, bank, part, axis, filter, play, said, gathered };
}
