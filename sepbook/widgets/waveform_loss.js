// Change an estimate and watch five losses: scale it, rotate it, add noise, shift it. One module, two hosts.
//   model.get("spec")   {title, rate, source: file name, wrong: file name, colour}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { palette, watch } from "./explorer_canvas.js";
import { minus, setSlider } from "./explorer_parts.js";
import { Later, Loop, once, playButton, readWav, whenSeen } from "./explorer_sound.js";
import { drawPlane, drawWave } from "./waveform_loss_draw.js";
import { build, hiss, losses, orthogonal, place } from "./waveform_loss_measures.js";
import { PRESETS, SLIDERS, lossView } from "./waveform_loss_view.js";

const COUNT = 80; // samples in the lower picture
const SPARSE = 97; // every so many samples give the shape of L1

function render({ model, el }) {
  const { spec, files } = { spec: model.get("spec"), files: model.get("files") };
  const parts = lossView(spec);
  const loop = new Loop(spec.rate);
  const usual = Object.fromEntries(SLIDERS.map(([action, , , , , value]) => [action, value]));
  let settings = { ...usual };
  let [chosen, heard, quiet] = ["si-sdr", "estimate", false];
  let sounds, silent; // sounds are known when they have been loaded
  let state = { estimate: null, values: {}, point: [1, 0] };

  // --- arithmetic ----------------------------------------------------------------------------------------
  const load = once(read, parts.status);

  async function read() {
    const [source, other] = await Promise.all([spec.source, spec.wrong].map((name) => readWav(files[name])));
    const wrong = orthogonal(source, other);
    const loudest = source.reduce((best, value, n) => (Math.abs(value) > Math.abs(source[best]) ? n : best), 0);
    const from = Math.min(Math.max(loudest - COUNT / 2, 0), source.length - COUNT);
    const samples = [...source.keys()].filter((n) => n % SPARSE === 0).map((n) => [source[n], wrong[n]]);
    sounds = { source, wrong, noise: hiss(source.length), from, samples };
    silent = new Float64Array(source.length);
    parts.status.textContent = "";
    compute();
  }

  function compute() {
    if (!sounds) return load();
    const share = settings.hiss <= -60 ? 0 : 10 ** (settings.hiss / 20);
    const estimate = build(sounds, { ...settings, hiss: share });
    const truth = quiet ? silent : sounds.source;
    state = { estimate, values: losses(estimate, truth), point: place(estimate, sounds.source) };
    show();
    later.ask();
  }

  const sound = () => loop.put(Float32Array.from(heard === "estimate" ? state.estimate : quiet ? silent : sounds.source));
  const later = new Later(sound);

  // --- showing -------------------------------------------------------------------------------------------
  function show() {
    for (const slider of parts.sliders) {
      const [action, , , , , , say] = SLIDERS.find(([name]) => name === slider.action);
      setSlider(slider, settings[action], say(settings[action]));
    }
    if (!sounds) return;
    const still = losses(silent, sounds.source); // what silence in place of the estimate would cost
    for (const { id, bar, value } of parts.lines) {
      const number = state.values[id];
      const ratio = { l1: () => 20 * Math.log10(number / still.l1), mse: () => 10 * Math.log10(number / still.mse) };
      const bad = ratio[id]?.() ?? number; // dB against silence: comparable for all five
      value.textContent = id === "l1" || id === "mse" ? number.toFixed(5) : `${minus(Number(number.toFixed(1)))} dB`;
      bar.style.width = `${Math.min(100, Math.max(0, (bad + 60) / 0.8))}%`;
    }
    draw();
  }

  function draw() {
    if (!sounds) return;
    const colours = { ...palette(el, "wl", "ink", "quiet", "accent"), source: spec.colour };
    const truth = quiet ? silent : sounds.source;
    drawPlane(parts.plane, { loss: chosen, point: state.point, samples: sounds.samples, colours });
    drawWave(parts.wave, { source: truth, estimate: state.estimate, from: sounds.from, count: COUNT, colours });
    const [a, b] = state.point.map((value) => value.toFixed(2));
    parts.plane.setAttribute("aria-label", `The estimate is ${a} of the source and ${b} of everything else.`);
  }

  // --- what the reader does ------------------------------------------------------------------------------
  async function ready() {
    await load();
    if (sounds) sound();
    return Boolean(sounds);
  }

  const play = playButton({ el, button: parts.play, loop, seconds: spec.length / spec.rate, ready });
  parts.root.onclick = ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.action === "preset") {
      settings = { ...usual, ...PRESETS[button.value] };
      compute();
    }
  };
  parts.root.oninput = ({ target }) => {
    const { action } = target.dataset;
    if (action in settings) settings[action] = Number(target.value);
    else if (action === "loss") chosen = target.value;
    else if (action === "heard") heard = target.value;
    else if (action === "quiet") quiet = target.checked;
    show();
    compute();
  };

  el.classList.add("sepbook-waveform");
  el.replaceChildren(parts.root);
  show();
  const stops = [whenSeen(el, compute, parts.status), watch(el, draw), play.close];
  el.sepbookWaveform = {
    load,
    get values() {
      return { ...state.values };
    },
    get settings() {
      return { ...settings };
    },
    get point() {
      return state.point;
    },
    get estimate() {
      return state.estimate;
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
