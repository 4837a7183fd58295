// Drag an arrow, let it turn, and see and hear its shadow: a tone. One module, two hosts.
//   model.get("spec")   {title}
import { Desk, drag, keys } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { button, calm, controls, element, figure, minus, picture } from "./explorer_parts.js";
import { computed } from "./explorer_sound.js";
import { SHOWN, drawPlane, drawShadow } from "./turning_arrow_draw.js";
import { pointed, tip } from "./turning_arrow_phasor.js";

const SLOWER = 400; // times: how much slower the picture turns than the sound
const SLIDERS = [
  { action: "length", text: "length", min: 0, max: 1, step: 0.05, say: (v) => v.toFixed(2) },
  { action: "phase", text: "phase", min: -180, max: 180, step: 5, say: (v) => `${minus(v)}°` },
  { action: "frequency", text: "frequency", min: -440, max: 440, step: 10, say: (v) => `${minus(v)} Hz` },
  { action: "time", text: "time", min: 0, max: SHOWN, step: 0.05, say: (v) => `${v.toFixed(2)} ms` },
];
const USUAL = { length: 1, phase: 45, frequency: 220, time: 0 };
const PRESETS = { "starts at the top": { phase: 0 }, "a quarter later": { phase: -90 }, "half as strong": { length: 0.5 }, "turns backwards": { frequency: -220 }, "an octave up": { frequency: 440 } };

/** Say where the arrow is. */
function words(settings) {
  const [real, imaginary] = tip(settings, settings.time).map((value) => minus((value + 0).toFixed(2)).replace("−0.00", "0.00"));
  const still = settings.frequency ? "" : " It does not turn: its shadow stands still, and there is nothing to hear.";
  return `Length ${settings.length.toFixed(2)}, phase ${minus(settings.phase)}°. After ${settings.time.toFixed(2)} ms its tip is at ${real} to the right (real part) and ${imaginary} up (imaginary part).${still}`;
}

function view(title) {
  const parts = controls("ex", "arrow");
  const plane = element("canvas", { tabindex: 0, role: "slider", "aria-label": "phase", "aria-valuemin": -180, "aria-valuemax": 180 });
  const shadow = picture("The shadow over time");
  const key = (name) => element("span", { class: `ex-key ex-${name}` });
  const stage = element("div", { class: "ex-stage" },
    figure(plane, key("accent"), "arrow ", key("first"), "its shadow. Drag the tip; arrow keys: phase and length."),
    figure(shadow, `the shadow over time. While it plays, the picture turns ${SLOWER} times slower than the sound.`));
  return { parts, plane, shadow, stage, play: button("play", "▶ play"), root: parts.root(title, "A turning arrow") };
}

/** Move the time on while a loop plays, unless the reader wants little motion. */
function turning(desk, loop) {
  let [before, waiting] = [0, 0];
  const step = (now) => {
    desk.settings.time = (desk.settings.time + Math.min(now - before, 100) / SLOWER) % SHOWN; // not on the slider's steps
    desk.set({});
    before = now;
    waiting = requestAnimationFrame(step);
  };
  return () => {
    cancelAnimationFrame(waiting);
    before = performance.now();
    if (loop.playing && !calm()) waiting = requestAnimationFrame(step);
  };
}

function render({ model, el }) {
  const { parts, plane, shadow, stage, play, root } = view(model.get("spec").title);
  const desk = new Desk(parts, { sliders: SLIDERS, presets: PRESETS, usual: USUAL, change });
  const { settings } = desk;
  root.append(parts.tools(play), desk.presetsRow, desk.rows, stage, parts.status);
  let [scales, heard] = [null, ""];
  let follow = () => {};
  const sound = computed({ el, button: play, rate: 16000, seconds: 2, samples, follow: () => follow() });
  follow = turning(desk, sound.loop);

  function samples(rate, length) {
    return Float32Array.from({ length }, (_, n) => (settings.frequency ? 0.4 * tip(settings, (1000 * n) / rate)[0] : 0));
  }

  function draw() {
    scales = drawPlane(plane, settings, colours(el));
    drawShadow(shadow, settings, colours(el));
  }

  function change() {
    if (!sound.loop.playing || calm()) parts.status.textContent = words(settings);
    plane.setAttribute("aria-valuenow", settings.phase);
    plane.setAttribute("aria-valuetext", words(settings));
    draw();
    const now = `${settings.length} ${settings.phase} ${settings.frequency}`;
    if (now !== heard) sound.ask();
    heard = now;
  }

  const thing = () => {
    const [a, b] = tip(settings, settings.time);
    return [scales.x(a), scales.y(b)];
  };
  const move = (name, by) => () => desk.set({ [name]: settings[name] + by });
  drag(plane, (x, y) => desk.set(pointed([scales.x.back(x), scales.y.back(y)], settings.frequency, settings.time)), { thing });
  keys(plane, { ArrowLeft: move("phase", 5), ArrowRight: move("phase", -5), ArrowUp: move("length", 0.05), ArrowDown: move("length", -0.05), Home: () => desk.set({ phase: -180 }), End: () => desk.set({ phase: 180 }) });
  desk.listen(root);
  const handle = { desk, sound, samples, tip };
  const end = mount({ el, name: "arrow", root, draw, handle, stops: [sound.stop, () => follow()] });
  desk.set({});
  return end;
}

export default { render };
