// One unit of a recurrent layer, frame by frame, and its derivative along the way. recurrent_memory.py has the same.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const HALF = 0.5; // an LSTM's input and output gates: sigmoid(0), as at the start of training

/** Noise between -1 and 1 that is the same every time. */
export const noiseAt = (t) => {
  const value = Math.sin(12.9898 * (t + 1)) * 43758.5453;
  return 2 * (value - Math.floor(value)) - 1;
};

/** Run one unit over x. Returns its outputs, and for each frame: how it depends on x there, and on the frame before. */
export function runCell({ kind, weight, bias }, x) {
  const [outputs, fresh, kept] = [[], [], []];
  const gate = sigmoid(bias);
  let [h, c] = [0, 0];
  for (const value of x) {
    const before = c;
    const seen = Math.tanh(weight * h + value); // the candidate
    const open = 1 - seen ** 2; // its slope
    if (kind === "lstm") {
      c = gate * before + HALF * seen;
      h = HALF * Math.tanh(c);
      fresh.push(HALF * open);
      kept.push(gate + HALF * open * weight * HALF * (1 - Math.tanh(before) ** 2));
    } else if (kind === "gru") {
      h = gate * h + (1 - gate) * seen;
      fresh.push((1 - gate) * open);
      kept.push(gate + (1 - gate) * open * weight);
    } else {
      h = seen;
      fresh.push(open);
      kept.push(open * weight);
    }
    outputs.push(h);
  }
  return { outputs, fresh, kept, last: kind === "lstm" ? HALF * (1 - Math.tanh(c) ** 2) : 1 };
}

/** What becomes of a note at frame 0: the state with it and without it, and how the last answer depends on each frame. */
export function remember(settings, frames) {
  const later = Array.from({ length: frames }, (_, t) => (t ? settings.noise * noiseAt(t) : 0));
  const played = runCell(settings, [settings.note, ...later.slice(1)]);
  const silent = runCell(settings, later).outputs;
  const slopes = new Array(frames);
  let way = played.last;
  for (let t = frames - 1; t >= 0; t--) {
    slopes[t] = way * played.fresh[t];
    way *= played.kept[t];
  }
  const difference = played.outputs.map((value, t) => Math.abs(value - silent[t]));
  const depends = slopes.map(Math.abs).reverse(); // by lag
  return { played: played.outputs, silent, slopes, visible: farthest(difference), learnable: farthest(depends) };
}

/** The last place with at least one hundredth of the largest value. */
export function farthest(values) {
  const limit = 0.01 * Math.max(...values);
  return values.findLastIndex((value) => value >= limit);
}
