// What the filter explorer looks like: its elements, without behaviour. data-action says what a control does.
import { button, controls, element, figure, picture } from "./explorer_parts.js";

/** Build everything. `fill` puts it into `root`, with what the desk has. */
export function filterView({ title, banks }) {
  const parts = controls("ex", "filterbank");
  const choice = (action, legend, values) => parts.choice(action, legend, values.map((value) => [value, value]), values[0]);
  const [map, wave, response] = ["All filters", "One waveform", "One response"].map(picture);
  const bank = element("select", { "data-action": "bank" }, ...banks.map(({ name }, i) => element("option", { value: i }, name)));
  const part = choice("part", "Part", ["encoder", "decoder"]);
  const axis = choice("axis", "Axis of frequency", ["mel", "Hz"]);
  const play = button("play", "▶ noise through it");
  const gathered = element("p", { class: "fb-gathered" });
  const key = (name, text) => element("span", { class: `fb-key fb-${name}` }, text);
  const root = parts.root(title, "A filter bank");
  const fill = ({ presetsRow, rows }) => root.append(
    parts.tools(element("label", {}, element("span", {}, "bank "), bank), part, axis, presetsRow),
    figure(map, "the stronger the colour, the stronger the answer to that frequency; ", key("warm", "centres"), ", ", key("ink", "centres of a mel bank")),
    parts.tools(rows, play),
    parts.status,
    element("div", { class: "ex-stage" }, figure(wave, "its waveform"), figure(response, "its response")),
    gathered,
  );
  return { parts, root, map, wave, response, part, axis, play, gathered, fill };
}
