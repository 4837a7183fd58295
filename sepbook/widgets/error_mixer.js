// Spoil an estimate in four ways, watch six figures, and hear it. One module, two hosts.
//   model.get("spec")   {title, rate, length, source, other: file names, shifts, products: one entry for each shift}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { Desk } from "./explorer_hand.js";
import { mount } from "./explorer_mount.js";
import { minus } from "./explorer_parts.js";
import { computed, once, readWav } from "./explorer_sound.js";
import { clipped } from "./explorer_spoil.js";
import { build, dulled, figures, weights } from "./error_mixer_measures.js";
import { HIGH, LOW, USUAL, mixerView, presets, sliders } from "./error_mixer_view.js";

/** Show six figures in their lines. */
function tell(lines, values) {
  for (const { id, bar, value } of lines) {
    value.textContent = `${minus(values[id].toFixed(1))} dB`;
    bar.style.width = `${Math.min(100, Math.max(0, (100 * (values[id] - LOW)) / (HIGH - LOW)))}%`;
  }
}

/** The two sounds, and what is made of the first. */
async function read({ source, other }, files) {
  const [x, rest] = await Promise.all([source, other].map((name) => readWav(files[name])));
  return { source: x, other: rest, dull: dulled(x), cut: clipped(x) };
}

function render({ model, el }) {
  const { spec, files } = { spec: model.get("spec"), files: model.get("files") };
  const view = mixerView(spec);
  const kinds = presets(spec.shifts);
  const desk = new Desk(view.parts, { sliders: sliders(spec.shifts), presets: kinds, usual: USUAL, first: { ...USUAL, ...kinds.leaky }, change });
  const { settings } = desk;
  view.fill(desk);
  let sounds; // known when they have been loaded
  let values = {};

  const load = once(async () => (sounds = await read(spec, files)), view.parts.status);
  const estimate = () => build(sounds, settings, spec.shifts[settings.shift]);
  const sound = computed({ el, button: view.play, rate: spec.rate, seconds: spec.length / spec.rate, load, samples: () => (settings.heard === "estimate" ? estimate() : sounds.source) });

  function change() {
    values = figures(spec.products[settings.shift], weights(settings));
    tell(view.lines, values);
    if (sounds) sound.ask();
  }

  desk.listen(view.root, { heard: view.heard });
  const handle = {
    load,
    get values() { return { ...values }; },
    get settings() { return { ...settings, shift: spec.shifts[settings.shift] }; },
    get estimate() { return estimate(); },
    get source() { return sounds.source; },
    get other() { return sounds.other; },
    get playing() { return sound.loop.playing; },
    get sound() { return sound.loop.samples; },
    get busy() { return sound.busy; },
  };
  const end = mount({ el, name: "errors", root: view.root, draw() {}, handle, stops: [sound.stop] });
  desk.set({});
  return end;
}

export default { render };
