// Spoil an estimate in four ways, watch six figures, and hear it. One module, two hosts.
//   model.get("spec")   {title, rate, length, source, other: file names, shifts, products: one entry for each shift}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { minus, setSlider } from "./explorer_parts.js";
import { Later, Loop, once, playButton, readWav } from "./explorer_sound.js";
import { build, clipped, dulled, figures, weights } from "./error_mixer_measures.js";
import { PRESETS, SLIDERS, mixerView } from "./error_mixer_view.js";

const [LOW, HIGH] = [-10, 50]; // dB, the ends of a bar

function render({ model, el }) {
  const { spec, files } = { spec: model.get("spec"), files: model.get("files") };
  const parts = mixerView(spec);
  const loop = new Loop(spec.rate);
  const usual = Object.fromEntries(SLIDERS.map(([action, , , , , value]) => [action, value]));
  let settings = { ...usual, ...PRESETS.leaky }; // something to see at once; shift: its place in the list of shifts
  let heard = "estimate";
  let sounds; // known when they have been loaded
  let values = {};

  const shift = () => spec.shifts[settings.shift];
  const load = once(read, parts.status);
  const later = new Later(sound);

  async function read() {
    const [source, other] = await Promise.all([spec.source, spec.other].map((name) => readWav(files[name])));
    sounds = { source, other, dull: dulled(source), cut: clipped(source) };
  }

  function sound() {
    if (sounds) loop.put(heard === "estimate" ? build(sounds, settings, shift()) : sounds.source);
  }

  function show() {
    values = figures(spec.products[settings.shift], weights(settings));
    for (const slider of parts.sliders) {
      const [, , , , , , say] = SLIDERS.find(([name]) => name === slider.action);
      setSlider(slider, settings[slider.action], say(slider.action === "shift" ? shift() : settings[slider.action]));
    }
    for (const { id, bar, value } of parts.lines) {
      value.textContent = `${minus(values[id].toFixed(1))} dB`;
      bar.style.width = `${Math.min(100, Math.max(0, (100 * (values[id] - LOW)) / (HIGH - LOW)))}%`;
    }
    if (sounds) later.ask();
  }

  async function ready() {
    await load();
    sound();
    return Boolean(sounds);
  }

  const play = playButton({ el, button: parts.play, loop, seconds: spec.length / spec.rate, ready });
  parts.root.onclick = ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.action !== "preset") return;
    const chosen = { ...usual, ...PRESETS[button.value] };
    settings = { ...chosen, shift: Math.max(0, spec.shifts.indexOf(chosen.shift)) };
    show();
  };
  parts.root.oninput = ({ target }) => {
    const { action } = target.dataset;
    if (action in settings) settings[action] = Number(target.value);
    else if (action === "heard") heard = target.value;
    show();
  };

  el.classList.add("sepbook-errors");
  el.replaceChildren(parts.root);
  show();
  el.sepbookErrors = {
    load,
    get values() {
      return { ...values };
    },
    get settings() {
      return { ...settings, shift: shift() };
    },
    get estimate() {
      return build(sounds, settings, shift());
    },
    get source() {
      return sounds.source;
    },
    get other() {
      return sounds.other;
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
    play.close();
  };
}

export default { render };
