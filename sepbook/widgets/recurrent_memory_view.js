// What the memory explorer looks like: its elements, without behaviour. data-action says what a control does.
import { buttons, controls, element, figure, minus, picture } from "./explorer_parts.js";

export const KINDS = { rnn: "plain RNN", lstm: "LSTM", gru: "GRU" };

// action, name, smallest, largest, step, how its value is said
export const KNOBS = [
  ["weight", "own weight", 0, 2, 0.05, (v) => v.toFixed(2)],
  ["bias", "gate bias", -2, 6, 0.5, (v) => `${minus(v.toFixed(1))}: keeps ${Math.round(100 / (1 + Math.exp(-v)))} %`],
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

/** Build everything. Returns the elements that `render` gives life to, and `root`, which holds them all. */
export function memoryView({ title }) {
  const parts = controls("rm", "memory");
  const knobs = KNOBS.map(([action, text, min, max, step]) => parts.slider(action, text, { min, max, step, value: START[action] }));
  const kinds = parts.choice("kind", "The cell", Object.entries(KINDS), START.kind);
  const [state, slope] = ["The state over time", "What the last answer depends on"].map(picture);
  const [visible, learnable] = [element("strong"), element("strong")];
  const root = parts.root(title, "How far back one unit remembers");
  root.append(
    parts.tools(kinds),
    parts.tools(...buttons("case", Object.keys(CASES))),
    element("div", { class: "rm-sliders" }, ...knobs.map(({ row }) => row)),
    element("p", { class: "rm-said", role: "status" }, "The note shows in the state for ", visible, ". Training reaches back ", learnable, "."),
    figure(state, "the state: with a note at the first frame (line), and without it (dashes)"),
    figure(slope, "how much the last answer would change with each frame, on a logarithmic scale; dashes: one hundredth of the largest"),
  );
  return { root, knobs, kinds, state, slope, visible, learnable };
}
