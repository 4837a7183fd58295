// Choose a window, its shape and the hop: see the spectrogram, and hear what ideal masks make of it. One module, two hosts.
//   model.get("spec")   {title, rate, length, sources: [{name, audio: file name}]}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { colours, mount } from "./explorer_mount.js";
import { setChoice, setSlider } from "./explorer_parts.js";
import { Later, Loop, once, playButton, readWav, whenSeen } from "./explorer_sound.js";
import { idealMask, siSdr } from "./explorer_masks.js";
import { Stft } from "./explorer_stft.js";
import { drawSpectrogram, levelsOf } from "./window_hop_draw.js";
import { SHAPES, invertible, leakage, resolution } from "./window_hop_measures.js";
import { SIZES, windowView } from "./window_hop_view.js";

const USUAL = { size: 1024, hop: 0.25, shape: "hann", heard: "mixture" };

const inDecibels = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)} dB`;

/** Transform everything anew, share the mixture out by ideal ratio masks, and score what comes back. */
function analysed({ sounds, mixture }, { size, hop: share, shape }, { rate, length }) {
  const hop = Math.round(share * size);
  const stft = new Stft(size, hop);
  stft.window = SHAPES[shape](size);
  const bins = stft.forward(mixture);
  const state = { hop, stft, bins, levels: levelsOf(bins), cell: resolution(stft.window, rate), leak: leakage(stft.window), estimates: null, gains: null };
  if (!invertible(stft.window, hop)) return state;
  const stems = sounds.map((sound) => stft.forward(sound));
  const estimates = stems.map((_, s) => stft.inverse(bins, idealMask("ratio 2", s, stems, bins), length));
  return { ...state, estimates, gains: estimates.map((estimate, s) => siSdr(estimate, sounds[s]) - siSdr(mixture, sounds[s])) };
}

/** Show what came out, in numbers and words. */
function tell({ cells, status, canvas }, { cell, leak, gains, hop, bins, stft }, { length, sources }) {
  cells.cell.textContent = `${(1000 * cell.seconds).toFixed(0)} ms × ${cell.hertz.toFixed(0)} Hz`;
  cells.leak.textContent = inDecibels(leak);
  cells.numbers.textContent = `${((2 * stft.F * bins.T) / length).toFixed(1)} per sample (F ${stft.F}, T ${bins.T})`;
  sources.forEach(({ name }, s) => (cells[name].textContent = gains ? inDecibels(gains[s]) : "no way back"));
  status.textContent = gains ? "" : `With a hop of ${hop} some samples have almost no weight in any frame: this cannot be inverted. Choose a smaller hop.`;
  canvas.setAttribute("aria-label", `Spectrogram of the mixture with ${bins.T} frames and cells of ${cells.cell.textContent}`);
}

/** Let the controls say what is set. */
function label(parts, settings, rate) {
  setSlider(parts.size, SIZES.indexOf(settings.size), `${settings.size} samples, ${((1000 * settings.size) / rate).toFixed(0)} ms`);
  for (const name of ["hop", "heard"]) setChoice(parts[name], settings[name]);
  parts.shape.value = settings.shape;
}

function render({ model, el }) {
  const { spec, files } = { spec: model.get("spec"), files: model.get("files") };
  const { rate, length, sources } = spec;
  const parts = windowView(spec, Object.keys(SHAPES));
  const loop = new Loop(rate);
  const settings = { ...USUAL };
  let known; // the sounds, when they have been loaded
  let state = null;

  const load = once(async () => {
    const sounds = await Promise.all(sources.map(({ audio }) => readWav(files[audio])));
    known = { sounds, mixture: sounds[0].map((_, n) => sounds.reduce((sum, samples) => sum + samples[n], 0)) };
    compute();
  }, parts.status);

  function compute() {
    if (!known) return load();
    state = analysed(known, settings, spec);
    tell(parts, state, spec);
    draw();
    sound();
  }

  const later = new Later(compute);

  function sound() {
    const s = sources.findIndex(({ name }) => name === settings.heard);
    loop.put(s < 0 ? known.mixture : (state.estimates?.[s] ?? new Float32Array(length)));
  }

  function draw() {
    if (!state) return;
    const { levels, hop, cell, stft, bins } = state;
    drawSpectrogram(parts.canvas, { levels, F: stft.F, T: bins.T, size: stft.size, hop, rate, seconds: length / rate, cell, colours: colours(el) });
  }

  function set(changes) {
    Object.assign(settings, changes);
    label(parts, settings, rate);
    if (!("heard" in changes) || "size" in changes) later.ask();
    else if (state) sound();
  }

  const ready = async () => (await load(), Boolean(state));
  const play = playButton({ el, button: parts.play, loop, seconds: length / rate, ready });
  const read = { size: (value) => SIZES[value], hop: Number, shape: String, heard: String };
  parts.root.oninput = ({ target: { dataset, value } }) => set({ [dataset.action]: read[dataset.action](value) });
  parts.root.addEventListener("click", ({ target }) => target.closest("[data-action=reset]") && set(USUAL));
  const handle = {
    load,
    get state() { return { ...settings, hop: state?.hop, cell: state?.cell, leak: state?.leak, gains: state?.gains }; },
    get playing() { return loop.playing; },
    get sound() { return loop.samples; },
    get busy() { return later.busy; },
  };
  label(parts, settings, rate);
  return mount({ el, name: "window", root: parts.root, draw, handle, stops: [() => later.cancel(), whenSeen(el, load, parts.status), play.close] });
}

export default { render };
