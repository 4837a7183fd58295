// Change an estimate and watch five losses: scale it, leak, distort, add noise, shift it. One module, two hosts.
//   model.get("spec")   {title, rate, length, source, wrong: file names, colour}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { Desk } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { minus } from "./explorer_parts.js";
import { computed, once, readWav, whenSeen } from "./explorer_sound.js";
import { clipped } from "./explorer_spoil.js";
import { drawPlane, drawWave } from "./waveform_loss_draw.js";
import { build, hiss, losses, orthogonal, place } from "./waveform_loss_measures.js";
import { PRESETS, SLIDERS, USUAL, lossView } from "./waveform_loss_view.js";

const COUNT = 80; // samples in the lower picture
const SPARSE = 97; // every so many samples give the shape of L1

/** The sounds, and what is made of them once. */
async function read(spec, files) {
  const [source, other] = await Promise.all([spec.source, spec.wrong].map((name) => readWav(files[name])));
  const wrong = orthogonal(source, other);
  const loudest = source.reduce((best, value, n) => (Math.abs(value) > Math.abs(source[best]) ? n : best), 0);
  const from = Math.min(Math.max(loudest - COUNT / 2, 0), source.length - COUNT);
  const samples = [...source.keys()].filter((n) => n % SPARSE === 0).map((n) => [source[n], wrong[n]]);
  const silent = new Float64Array(source.length);
  const still = losses(silent, source); // what silence in place of the estimate would cost
  return { source, wrong, cut: clipped(source), noise: hiss(source.length), from, samples, silent, still };
}

/** Show the losses in their lines. A bar has dB against silence, so that all five compare. */
function tell(lines, values, still) {
  for (const { id, bar, value } of lines) {
    const number = values[id];
    const ratio = { l1: () => 20 * Math.log10(number / still.l1), mse: () => 10 * Math.log10(number / still.mse) };
    const bad = ratio[id]?.() ?? number;
    value.textContent = ratio[id] ? number.toFixed(5) : `${minus(Number(number.toFixed(1)))} dB`;
    bar.style.width = `${Math.min(100, Math.max(0, (bad + 60) / 0.8))}%`;
  }
}

function render({ model, el }) {
  const { spec, files } = { spec: model.get("spec"), files: model.get("files") };
  const view = lossView(spec);
  const desk = new Desk(view.parts, { sliders: SLIDERS, presets: PRESETS, usual: USUAL, first: { ...USUAL, ...PRESETS["with the band"] }, keep: ["heard", "loss", "quiet"], change: compute });
  const { settings } = desk;
  view.fill(desk);
  let sounds; // known when they have been loaded
  let state = { estimate: null, values: {}, point: [1, 0] };

  const truth = () => (settings.quiet ? sounds.silent : sounds.source);
  const load = once(async () => {
    sounds = await read(spec, files);
    view.parts.status.textContent = "";
    compute();
  }, view.parts.status);
  const ready = async () => (await load(), Boolean(sounds));
  const samples = () => Float32Array.from(settings.heard === "estimate" ? state.estimate : truth());
  const sound = computed({ el, button: view.play, rate: spec.rate, seconds: spec.length / spec.rate, load: ready, samples });

  function compute() {
    if (!sounds) return;
    const estimate = build(sounds, settings);
    state = { estimate, values: losses(estimate, truth()), point: place(estimate, sounds.source) };
    tell(view.lines, state.values, sounds.still);
    draw();
    sound.ask();
  }

  function draw() {
    if (!sounds) return;
    const paint = { ...colours(el), source: spec.colour };
    drawPlane(view.plane, { loss: settings.loss, point: state.point, samples: sounds.samples, colours: paint });
    drawWave(view.wave, { source: truth(), estimate: state.estimate, from: sounds.from, count: COUNT, rate: spec.rate, colours: paint });
    const [a, b] = state.point.map((value) => value.toFixed(2));
    view.plane.setAttribute("aria-label", `The estimate is ${a} of the source and ${b} of everything else.`);
  }

  desk.listen(view.root, { heard: view.heard, loss: view.table });
  const handle = {
    load,
    get values() { return { ...state.values }; },
    get settings() { return { ...settings }; },
    get point() { return state.point; },
    get estimate() { return state.estimate; },
    get playing() { return sound.loop.playing; },
    get sound() { return sound.loop.samples; },
    get busy() { return sound.busy; },
  };
  const end = mount({ el, name: "waveform", root: view.root, draw, handle, stops: [whenSeen(el, load, view.parts.status), sound.stop] });
  desk.set({});
  return end;
}

export default { render };
