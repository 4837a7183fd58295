// What the loss explorer looks like: its elements, without behaviour. data-action says what a control does.

let explorers = 0; // on this page, so that their radio buttons keep apart

export const ROWS = [
  ["l1", "L1"],
  ["mse", "MSE"],
  ["sdr", "SDR loss"],
  ["si-sdr", "SI-SDR loss"],
  ["si-snr", "SI-SNR loss"],
];

// action, name, smallest, largest, step, value, how its value is said
export const SLIDERS = [
  ["level", "scale", -60, 6, 1, 0, (v) => (v <= -60 ? "silence" : `${signed(v)} dB`)],
  ["angle", "rotate", 0, 180, 1, 0, (v) => (v === 90 ? "90°, only band" : v === 180 ? "180°, upside down" : `${v}°`)],
  ["hiss", "add hiss", -60, 0, 1, -60, (v) => (v <= -60 ? "none" : `${signed(v)} dB`)],
  ["delay", "shift", 0, 16, 1, 0, (v) => `${v} ${v === 1 ? "sample" : "samples"}`],
  ["constant", "constant", 0, 0.1, 0.005, 0, (v) => v.toFixed(3)],
];

export const PRESETS = {
  truth: {},
  "half as loud": { level: -6 },
  "upside down": { angle: 180 },
  "one sample late": { delay: 1 },
  "with the band": { angle: 30 },
  silence: { level: -60 },
};

export const signed = (value) => `${value < 0 ? "−" : ""}${Math.abs(value)}`;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function slider([action, text, min, max, step, value]) {
  const input = element("input", { type: "range", "data-action": action, min, max, step, value, "aria-label": text });
  const said = element("output", {});
  return { action, input, said, row: element("label", { class: "wl-slider" }, element("span", {}, text), input, said) };
}

function radio(action, group, value, text, checked) {
  const input = element("input", { type: "radio", name: `${group}-${action}`, value, "data-action": action, checked });
  return element("label", {}, input, element("span", {}, text));
}

function line([id, text], group) {
  const [bar, value] = [element("i"), element("span", { class: "wl-number" })];
  const input = element("input", { type: "radio", name: `${group}-loss`, value: id, "data-action": "loss", checked: id === "si-sdr" });
  const row = element("label", { class: "wl-line", "data-row": id }, input, element("span", {}, text), element("span", { class: "wl-bar", "aria-hidden": "true" }, bar), value);
  return { id, row, bar, value };
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function lossView({ title }) {
  const group = `sepbook-waveform-${++explorers}`;
  const plane = element("canvas", { role: "img", "aria-label": "The plane of source and everything else" });
  const wave = element("canvas", { role: "img", "aria-label": "Five milliseconds of the source and of the estimate" });
  const sliders = SLIDERS.map(slider);
  const lines = ROWS.map((row) => line(row, group));
  const play = element("button", { type: "button", "data-action": "play" }, "▶ play");
  const presets = Object.keys(PRESETS).map((name) => element("button", { type: "button", "data-action": "preset", value: name }, name));
  const heard = element("fieldset", { class: "wl-choice" }, element("legend", {}, "What is heard"), radio("heard", group, "estimate", "estimate", true), radio("heard", group, "source", "source", false));
  const quiet = element("input", { type: "checkbox", "data-action": "quiet" });
  const status = element("p", { class: "wl-status", role: "status" });
  const table = element("fieldset", { class: "wl-lines" }, element("legend", {}, "Losses; the chosen one is drawn in the plane"), ...lines.map(({ row }) => row));
  const figure = (canvas, caption) => element("figure", {}, canvas, element("figcaption", {}, caption));
  const root = element("div", { class: "wl-root", role: "group", "aria-label": title || "Losses on waveforms" });
  if (title) root.append(element("p", { class: "wl-title" }, title));
  root.append(
    element("div", { class: "wl-tools" }, play, heard),
    element("div", { class: "wl-tools" }, ...presets),
    element("div", { class: "wl-sliders" }, ...sliders.map(({ row }) => row), element("label", { class: "wl-check" }, quiet, "the source itself is silent")),
    element("div", { class: "wl-stage" }, figure(plane, "to the right: how much source; upwards: everything else; the stronger the shade, the larger the loss"), table),
    figure(wave, "five milliseconds: source (grey, wide) and estimate (thin)"),
    status,
  );
  return { root, plane, wave, sliders, lines, play, quiet, status };
}
