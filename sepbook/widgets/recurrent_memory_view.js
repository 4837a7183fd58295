// What the memory explorer looks like: its elements, without behaviour. data-action says what a control does.

let memories = 0; // on this page, so that their radio buttons keep apart

export const KINDS = { rnn: "plain RNN", lstm: "LSTM", gru: "GRU" };

// action, name, smallest, largest, step, how its value is said
export const KNOBS = [
  ["weight", "own weight", 0, 2, 0.05, (v) => v.toFixed(2)],
  ["bias", "gate bias", -2, 6, 0.5, (v) => `${v < 0 ? "−" : ""}${Math.abs(v).toFixed(1)}: keeps ${Math.round(100 / (1 + Math.exp(-v)))} %`],
  ["note", "loudness", 0.1, 3, 0.1, (v) => v.toFixed(1)],
  ["noise", "noise after", 0, 1, 0.05, (v) => (v ? v.toFixed(2) : "none")],
];

export const START = { kind: "lstm", weight: 0.3, bias: 0, note: 1, noise: 0 };

export const CASES = {
  "LSTM at the start": {},
  "forget bias 2": { bias: 2 },
  "forget bias 4": { bias: 4 },
  GRU: { kind: "gru" },
  "plain RNN": { kind: "rnn", weight: 0.6 },
  "RNN that latches": { kind: "rnn", weight: 1.5, note: 3 },
  "latched, then noise": { kind: "rnn", weight: 1.5, note: 3, noise: 0.9 },
};

function part(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function knob([action, text, min, max, step]) {
  const input = part("input", { type: "range", "data-action": action, min, max, step, value: START[action], "aria-label": text });
  const said = part("output");
  return { action, input, said, row: part("label", { class: "rm-slider" }, part("span", {}, text), input, said) };
}

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function memoryView({ title }) {
  const group = `sepbook-memory-${++memories}`;
  const knobs = KNOBS.map(knob);
  const radios = Object.entries(KINDS).map(([kind, text]) => {
    const input = part("input", { type: "radio", name: group, value: kind, "data-action": "kind", checked: kind === START.kind });
    return { input, row: part("label", {}, input, part("span", {}, text)) };
  });
  const kinds = part("fieldset", { class: "rm-choice" }, part("legend", {}, "The cell"), ...radios.map(({ row }) => row));
  const cases = Object.keys(CASES).map((name) => part("button", { type: "button", "data-action": "case", value: name }, name));
  const state = part("canvas", { role: "img", "aria-label": "The state over time" });
  const slope = part("canvas", { role: "img", "aria-label": "What the last answer depends on" });
  const visible = part("strong");
  const learnable = part("strong");
  const figure = (canvas, ...caption) => part("figure", {}, canvas, part("figcaption", {}, ...caption));
  const root = part("div", { class: "rm-root", role: "group", "aria-label": title || "How far back one unit remembers" });
  if (title) root.append(part("p", { class: "rm-title" }, title));
  root.append(
    part("div", { class: "rm-tools" }, kinds),
    part("div", { class: "rm-tools" }, ...cases),
    part("div", { class: "rm-sliders" }, ...knobs.map(({ row }) => row)),
    part("p", { class: "rm-said", role: "status" }, "The note shows in the state for ", visible, ". Training reaches back ", learnable, "."),
    figure(state, "the state: with a note at the first frame (line), and without it (dashes)"),
    figure(slope, "how much the last answer would change with each frame, on a logarithmic scale; dashes: one hundredth of the largest"),
  );
  return { root, knobs, radios, state, slope, visible, learnable };
}
