// The work of the page, away from the page: the network, the transforms, the files. One message in, several out.
//   in   {kind: "separate", network, channels, runtime}   {kind: "open", network, samples, gates, maps}
//   out  {kind: "loading" | "working", share}   {kind: "done", …}   {kind: "failed", message}
import * as ort from "./onnxruntime/ort.wasm.bundle.min.mjs";
import { Stft } from "../widgets/explorer_stft.js";
import { fetched, unzipped } from "./fetching.js";
import { fitting, loudnessOf, pictures, powers, wav } from "./files.js";
import { byMasks, measure, separate } from "./separate.js";

let session = null;

async function load(network, runtime) {
  if (session) return;
  let done = 0;
  const count = (bytes) => postMessage({ kind: "loading", share: (done += bytes) / (network.bytes + runtime.bytes) });
  const at = (file) => new URL(file, import.meta.url).href;
  const [wasm, weights] = await Promise.all([
    fetched(at(`onnxruntime/${runtime.file}`), runtime.sha256, count).then(unzipped),
    fetched(at(network.file), network.sha256, count),
  ]);
  Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: wasm });
  ort.env.logLevel = "error";
  session = await ort.InferenceSession.create(weights, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
}

/** Inputs of the network: magnitudes, and a gate for each map, open unless `shut` names it: {"skip.0": [3, 5] | "all"}. */
function feeds(network, magnitude, T, shut) {
  const F = network.n_fft / 2 + 1;
  const found = { magnitude: new ort.Tensor("float32", magnitude, [1, 1, F, T]) };
  for (const name of session.inputNames.filter((each) => each !== "magnitude")) {
    const H = network.widths[Number(name.split(".")[1])];
    const gate = new Float32Array(H).fill(shut[name] === "all" ? 0 : 1);
    if (Array.isArray(shut[name])) for (const h of shut[name]) gate[h] = 0;
    found[name] = new ort.Tensor("float32", gate, [H, 1, 1]);
  }
  return found;
}

async function run(network, samples, shut = {}, also = []) {
  const stft = (run.stft ??= new Stft(network.n_fft, network.hop));
  stft.lengths = {}; // sums of windows of other lengths
  const maps = {};
  const stems = await byMasks(samples, stft, { multiple: network.multiple, S: network.sources.length }, async (magnitude, T) => {
    const answer = await session.run(feeds(network, magnitude, T, shut), ["masks", ...also]);
    for (const name of also) maps[name] = answer[name];
    return answer.masks.data;
  });
  return { stems, maps };
}

const scaled = (samples, offset, gain) => samples.map((value) => (value - offset) * gain);

async function separateSong({ network, channels, runtime }) {
  await load(network, runtime);
  const { offsets, gain, silent } = measure(channels, network.level_db);
  if (silent) throw new Error("This sound is silent: there is nothing to separate.");
  const S = network.sources.length;
  const stems = Array.from({ length: S }, () => []);
  for (const [c, samples] of channels.entries()) {
    const share = (part) => postMessage({ kind: "working", share: (c + part) / channels.length });
    share(0);
    const one = async (chunk) => (await run(network, chunk)).stems;
    const found = await separate(scaled(samples, offsets[c], gain), network.chunk, S, one, share);
    for (let s = 0; s < S; s++) stems[s].push(found[s].map((value) => value / gain));
  }
  const clips = [channels, ...stems];
  const seen = pictures(clips.map((clip) => powers(clip, network.rate)));
  const fit = fitting(clips);
  const described = clips.map((clip, i) => ({ file: wav(clip, network.rate, fit), loudness: loudnessOf(clip), picture: seen[i] }));
  const files = described.map(({ file }) => file); // handed over, not copied
  postMessage({ kind: "done", seconds: channels[0].length / network.rate, clips: described }, files);
}

const SIDE = 64; // pixels of the picture of a map, at most

/** Pictures of maps (1, H, F, T): bytes of H pictures one after the other, each from its own smallest to largest. */
function thumbnails({ dims: [, H, F, T], data }) {
  const [rows, columns] = [Math.min(SIDE, F), Math.min(SIDE, T)];
  const pixels = new Uint8Array(H * rows * columns);
  for (let h = 0; h < H; h++) {
    const small = new Float32Array(rows * columns);
    for (let f = 0; f < F; f++) {
      for (let t = 0; t < T; t++) {
        const at = Math.floor((f * rows) / F) * columns + Math.floor((t * columns) / T);
        small[at] += data[(h * F + f) * T + t];
      }
    }
    const [least, most] = [Math.min(...small), Math.max(...small)];
    for (let i = 0; i < small.length; i++) pixels[h * small.length + i] = (255 * (small[i] - least)) / (most - least || 1);
  }
  return { H, F, T, rows, columns, pixels };
}

async function openNetwork({ network, samples, shut, runtime, also }) {
  await load(network, runtime);
  const { offsets, gain } = measure([samples], network.level_db);
  const { stems, maps } = await run(network, scaled(samples, offsets[0], gain), shut, also);
  postMessage({ kind: "opened", stems: stems.map((stem) => stem.map((value) => value / gain)), pictures: Object.fromEntries(Object.entries(maps).map(([name, map]) => [name, thumbnails(map)])) });
}

onmessage = async ({ data }) => {
  try {
    await (data.kind === "open" ? openNetwork : separateSong)(data);
  } catch (error) {
    postMessage({ kind: "failed", message: error.message ?? String(error) });
  }
};
