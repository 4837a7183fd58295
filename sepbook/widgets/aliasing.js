// Move a tone past half the sample rate, see its samples and hear what they hold. One module, two hosts.
//   model.get("spec")   {title}
import { HIGHEST, drawFold, drawSamples } from "./aliasing_draw.js";
import { cosine, heardAt } from "./aliasing_fold.js";
import { Desk, drag, keys } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { button, controls, element, figure, picture } from "./explorer_parts.js";
import { computed } from "./explorer_sound.js";

const TONE = { action: "frequency", text: "tone", min: 0, max: HIGHEST, step: 50, say: (v) => `${v} Hz` };
const RATE = { action: "rate", text: "sample rate", min: 2000, max: 8000, step: 500, say: (v) => `${v} Hz` };
const USUAL = { frequency: 3000, rate: 4000, filter: false, heard: "samples" };
const PRESETS = { "below half": { frequency: 1000 }, "above half": {}, "7000 Hz, 8000 samples": { frequency: 7000, rate: 8000 }, "at the rate": { frequency: 4000 } };

/** Say what is set and what comes of it. */
function words({ frequency, rate, filter }) {
  const [half, heard] = [rate / 2, heardAt({ frequency, rate, filter })];
  if (heard === null) return `The filter has removed ${frequency} Hz, because it lies above ${half} Hz, half the rate: silence, but nothing false.`;
  if (heard === frequency) return `${frequency} Hz lies below ${half} Hz, half the rate: the samples hold the tone, and you hear ${heard} Hz.`;
  return `${frequency} Hz lies above ${half} Hz, half the rate: its samples are also those of ${heard} Hz, and that is what you hear.`;
}

function view(title) {
  const parts = controls("ex", "aliasing");
  const samples = picture("A tone and its samples");
  const fold = element("canvas", { tabindex: 0, role: "slider", "aria-label": "frequency of the tone", "aria-valuemin": 0, "aria-valuemax": HIGHEST });
  const play = button("play", "▶ play");
  const heard = parts.choice("heard", "What is heard", [["samples", "after sampling"], ["tone", "the tone itself"]], "samples");
  const filter = element("label", { class: "ex-check" }, element("input", { type: "checkbox", "data-action": "filter" }), "anti-alias filter");
  const key = (name, text) => [element("span", { class: `ex-key ex-${name}` }), `${text} `];
  const captions = [[...key("first", "the tone, "), "dots: its samples, ", ...key("accent", "what you hear")], ["Drag to the right and left, or use the arrow keys (Page Up and Page Down: larger steps). Dashes: half the rate."]];
  return { parts, samples, fold, play, heard, filter, figures: [figure(samples, ...captions[0]), figure(fold, ...captions[1])], root: parts.root(title, "A tone and its samples") };
}

function render({ model, el }) {
  const seen = view(model.get("spec").title);
  const { parts, root } = seen;
  const desk = new Desk(parts, { sliders: [TONE, RATE], presets: PRESETS, usual: USUAL, change });
  const { settings } = desk;
  root.append(parts.tools(seen.play, seen.heard, seen.filter), desk.presetsRow, desk.rows, ...seen.figures, parts.status);
  let across; // scale of the lower picture

  const sound = computed({ el, button: seen.play, rate: 24000, seconds: 2, samples });

  function samples(rate, length) {
    return cosine(settings.heard === "tone" ? settings.frequency : heardAt(settings), rate, length);
  }

  function draw() {
    drawSamples(seen.samples, settings, colours(el));
    across = drawFold(seen.fold, settings, colours(el));
  }

  function change() {
    parts.status.textContent = words(settings);
    seen.samples.setAttribute("aria-label", words(settings));
    seen.fold.setAttribute("aria-valuenow", settings.frequency);
    seen.fold.setAttribute("aria-valuetext", words(settings));
    draw();
    sound.ask();
  }

  const move = (by) => () => desk.set({ frequency: settings.frequency + by });
  drag(seen.fold, (x) => desk.set({ frequency: across.back(x) }));
  keys(seen.fold, { ArrowRight: move(50), ArrowUp: move(50), ArrowLeft: move(-50), ArrowDown: move(-50), PageUp: move(500), PageDown: move(-500), Home: move(-HIGHEST), End: move(HIGHEST) });
  desk.listen(root, { heard: seen.heard });
  const handle = { desk, sound, samples, heardAt };
  const end = mount({ el, name: "aliasing", root, draw, handle, stops: [sound.stop] });
  desk.set({});
  return end;
}

export default { render };
