// Add two tones: move the second one's frequency, phase and level, see and hear the sum. One module, two hosts.
//   model.get("spec")   {title}
import { drawClose, drawSecond } from "./beats_draw.js";
import { BASE, envelope, tones } from "./beats_sum.js";
import { Desk } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { button, controls, element, figure, minus, picture } from "./explorer_parts.js";
import { computed } from "./explorer_sound.js";

const SLIDERS = [
  { action: "difference", text: "apart", min: 0, max: 30, step: 0.5, say: (v) => `${v} Hz` },
  { action: "phase", text: "begins at", min: 0, max: 360, step: 5, say: (v) => `${v}°` },
  { action: "level", text: "second tone", min: -30, max: 0, step: 1, say: (v) => `${minus(v)} dB` },
];
const USUAL = { difference: 2, phase: 0, level: 0, heard: "sum" };
const PRESETS = { beats: {}, "in step": { difference: 0 }, "a third of a swing late": { difference: 0, phase: 120 }, opposite: { difference: 0, phase: 180 }, "opposite, not as strong": { difference: 0, phase: 180, level: -6 }, rough: { difference: 30 } };
const QUIETEST = -60; // dB: below it a sum is called silence

const against = (amplitude) => {
  const level = 20 * Math.log10(Math.max(amplitude, 1e-9));
  const said = Math.abs(level) < 0.05 ? "0.0" : minus(level.toFixed(1));
  return level < QUIETEST ? "silence" : `${level >= 0.05 ? "+" : ""}${said} dB`;
};

/** Say what the sum does. */
function words(settings) {
  const { difference, level } = settings;
  if (!difference) return `The sum against the first tone alone: ${against(envelope(settings, 0))}.`;
  const [most, least] = [envelope({ difference: 0, phase: 0, level }, 0), envelope({ difference: 0, phase: 180, level }, 0)];
  return `${BASE} Hz and ${BASE + difference} Hz: the sum swells ${difference} times a second, between ${against(least)} and ${against(most)} against the first tone alone.`;
}

function render({ model, el }) {
  const parts = controls("ex", "beats");
  const root = parts.root(model.get("spec").title, "Two tones and their sum");
  const desk = new Desk(parts, { sliders: SLIDERS, presets: PRESETS, usual: USUAL, change });
  const { settings } = desk;
  const [second, close] = [picture("One second of the sum"), picture("A few swings")];
  const play = button("play", "▶ play");
  const heard = parts.choice("heard", "What is heard", [["sum", "sum"], ["first", "first tone"], ["second", "second tone"]], "sum");
  const key = (name, text) => [element("span", { class: `ex-key ex-${name}` }), text];
  const captions = [...key("first", "first tone "), ...key("second", "second tone "), ...key("accent", "sum, from close by")];
  root.append(parts.tools(play, heard), desk.presetsRow, desk.rows, figure(second, "one second of the sum; its outline is the line"), figure(close, ...captions), parts.status);
  const sound = computed({ el, button: play, rate: 16000, seconds: 4, samples });

  function samples(rate, length) {
    return Float32Array.from({ length }, (_, n) => 0.3 * tones(settings, n / rate)[settings.heard]);
  }

  function draw() {
    drawSecond(second, settings, colours(el));
    drawClose(close, settings, colours(el));
  }

  function change() {
    parts.status.textContent = words(settings);
    second.setAttribute("aria-label", words(settings));
    draw();
    sound.ask();
  }

  desk.listen(root, { heard });
  const handle = { desk, sound, samples, envelope };
  const end = mount({ el, name: "beats", root, draw, handle, stops: [sound.stop] });
  desk.set({});
  return end;
}

export default { render };
