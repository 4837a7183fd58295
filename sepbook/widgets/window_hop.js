// Choose a window, its shape and the hop: see the spectrogram, and hear what ideal masks make of it. One module, two hosts.
//   model.get("spec")   {title, rate, length, sources: [{name, audio: file name}]}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { palette, watch } from "./explorer_canvas.js";
import { setSlider } from "./explorer_parts.js";
import { Later, Loop, once, playButton, readWav, whenSeen } from "./explorer_sound.js";
import { idealMask, siSdr } from "./explorer_masks.js";
import { Stft } from "./explorer_stft.js";
import { drawSpectrogram, levelsOf } from "./window_hop_draw.js";
import { SHAPES, invertible, leakage, resolution } from "./window_hop_measures.js";
import { HOPS, SIZES, windowView } from "./window_hop_view.js";

const inDecibels = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)} dB`;

function render({ model, el }) {
  const { spec, files } = { spec: model.get("spec"), files: model.get("files") };
  const parts = windowView(spec, Object.keys(SHAPES));
  const loop = new Loop(spec.rate);
  const seconds = spec.length / spec.rate;
  const settings = { size: 1024, hop: 0.25, shape: "hann", heard: "mixture" };
  let sounds, mixture; // sounds are known when they have been loaded
  let state = null;

  // --- arithmetic ----------------------------------------------------------------------------------------
  const load = once(read, parts.status);

  async function read() {
    sounds = await Promise.all(spec.sources.map(({ audio }) => readWav(files[audio])));
    mixture = sounds[0].map((_, n) => sounds.reduce((sum, sound) => sum + sound[n], 0));
    compute();
  }

  /** Transform everything anew, share the mixture out by ideal ratio masks, and score what comes back. */
  function compute() {
    if (!sounds) return load();
    const { size, shape } = settings;
    const hop = Math.round(settings.hop * size);
    const stft = new Stft(size, hop);
    stft.window = SHAPES[shape](size);
    const bins = stft.forward(mixture);
    state = { hop, stft, bins, levels: levelsOf(bins), cell: resolution(stft.window, spec.rate), leak: leakage(stft.window), estimates: null, gains: null };
    if (invertible(stft.window, hop)) {
      const stems = sounds.map((sound) => stft.forward(sound));
      state.estimates = stems.map((_, s) => stft.inverse(bins, idealMask("ratio 2", s, stems, bins), spec.length));
      state.gains = state.estimates.map((estimate, s) => siSdr(estimate, sounds[s]) - siSdr(mixture, sounds[s]));
    }
    show();
    sound();
  }

  const later = new Later(compute);

  function sound() {
    const s = spec.sources.findIndex(({ name }) => name === settings.heard);
    loop.put(s < 0 ? mixture : (state.estimates?.[s] ?? new Float32Array(spec.length)));
  }

  // --- showing -------------------------------------------------------------------------------------------
  function label() {
    const { size } = settings;
    setSlider(parts.size, SIZES.indexOf(size), `${size} samples, ${((1000 * size) / spec.rate).toFixed(0)} ms`);
  }

  function show() {
    const { cell, leak, gains, hop, bins, stft } = state;
    parts.cells.cell.textContent = `${(1000 * cell.seconds).toFixed(0)} ms × ${cell.hertz.toFixed(0)} Hz`;
    parts.cells.leak.textContent = inDecibels(leak);
    parts.cells.numbers.textContent = `${((2 * stft.F * bins.T) / spec.length).toFixed(1)} per sample (F ${stft.F}, T ${bins.T})`;
    spec.sources.forEach(({ name }, s) => (parts.cells[name].textContent = gains ? inDecibels(gains[s]) : "no way back"));
    parts.status.textContent = gains ? "" : `With a hop of ${hop} some samples have almost no weight in any frame: this cannot be inverted. Choose a smaller hop.`;
    parts.canvas.setAttribute("aria-label", `Spectrogram of the mixture with ${bins.T} frames and cells of ${parts.cells.cell.textContent}`);
    draw();
  }

  function draw() {
    if (!state) return;
    const colours = palette(el, "wh", "ink", "quiet", "line", "raised", "warm");
    const { levels, hop, cell, stft, bins } = state;
    drawSpectrogram(parts.canvas, { levels, F: stft.F, T: bins.T, size: stft.size, hop, rate: spec.rate, seconds, cell, colours });
  }

  // --- what the reader does ------------------------------------------------------------------------------
  async function ready() {
    await load();
    return Boolean(state);
  }

  const play = playButton({ el, button: parts.play, loop, seconds, ready });
  parts.root.oninput = ({ target }) => {
    const { action } = target.dataset;
    if (action === "heard") return (settings.heard = target.value), state && sound();
    if (action === "size") settings.size = SIZES[target.value];
    if (action === "hop") settings.hop = HOPS.find(([share]) => share === Number(target.value))[0];
    if (action === "shape") settings.shape = target.value;
    label();
    later.ask();
  };

  el.classList.add("sepbook-window");
  el.replaceChildren(parts.root);
  label();
  const stops = [whenSeen(el, load, parts.status), watch(el, draw), play.close];
  el.sepbookWindow = {
    load,
    get state() {
      return { ...settings, hop: state?.hop, cell: state?.cell, leak: state?.leak, gains: state?.gains };
    },
    get playing() {
      return loop.playing;
    },
    get sound() {
      return loop.samples;
    },
    get busy() {
      return later.busy;
    },
  };
  return () => {
    later.cancel();
    for (const stop of stops) stop();
  };
}

export default { render };
