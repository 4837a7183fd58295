// What the memory explorer looks like: its elements, without behaviour. data-action says what a control does.
import { controls, element, figure, minus, picture } from "./explorer_parts.js";

export const KINDS = { rnn: "plain RNN", lstm: "LSTM", gru: "GRU" };

const keeps = (bias) => `${minus(bias.toFixed(1))}: keeps ${Math.round(100 / (1 + Math.exp(-bias)))} %`;

export const KNOBS = [
  { action: "weight", text: "own weight", min: 0, max: 2, step: 0.05, say: (v) => v.toFixed(2) },
  { action: "bias", text: "gate bias", min: -2, max: 6, step: 0.5, say: (v, { kind }) => (kind === "rnn" ? "has no gate" : keeps(v)) },
  { action: "note", text: "loudness", min: 0.1, max: 3, step: 0.1, say: (v) => v.toFixed(1) },
  { action: "noise", text: "noise after", min: 0, max: 1, step: 0.05, say: (v) => (v ? v.toFixed(2) : "none") },
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

/** Build everything. `fill` puts it into `root`, with what the desk has. */
export function memoryView({ title }) {
  const parts = controls("ex", "memory");
  const kinds = parts.choice("kind", "The cell", Object.entries(KINDS), START.kind);
  const [state, slope] = ["The state over time", "What the last answer depends on"].map(picture);
  const [visible, learnable] = [element("strong"), element("strong")];
  const root = parts.root(title, "How far back one unit remembers");
  const fill = ({ presetsRow, rows }) => root.append(
    parts.tools(kinds),
    presetsRow,
    rows,
    element("p", { class: "rm-said", role: "status" }, "The note shows in the state for ", visible, ". Training reaches back ", learnable, "."),
    figure(state, "the state: with a note at the first frame (line), and without it (dashes)"),
    figure(slope, "how much the last answer would change with each frame; dashes: one hundredth of the largest"),
  );
  return { parts, root, kinds, state, slope, visible, learnable, fill };
}
