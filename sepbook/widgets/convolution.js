// Move a kernel over its input, and watch the output length being worked out. One module, two hosts.
//   model.get("spec")   {title, settings: {axes, transposed, n, kernel, stride, padding, dilation, output_padding}, limits}
import { axes, counts, solve, touched } from "./convolution_arithmetic.js";
import { draw } from "./convolution_draw.js";
import { PRESETS, showSteps, view } from "./convolution_view.js";
import { mount } from "./explorer_mount.js";
import { calm, setChoice, setSlider } from "./explorer_parts.js";

const [SLOW, CALM] = [700, 1500]; // milliseconds per place; the second for readers who asked for little motion

/** The place of the kernel, counted along each axis. */
function placeOf(settings, place) {
  const { count } = axes(settings).coarse;
  return settings.axes === 1 ? [place] : [Math.floor(place / count), place % count];
}

/** How many places the kernel has. */
const placesOf = (settings) => axes(settings).coarse.count ** settings.axes;

/** Say what the kernel does at a place. */
function words(settings, place) {
  if (!placesOf(settings)) return "There is no place for the kernel.";
  const at = placeOf(settings, place);
  const row = (t) => touched(settings, t);
  const { from, to } = axes(settings).fine;
  const list = (t) => row(t).map((i) => (i < from || i >= to ? `(${i})` : i)).join(", ");
  const verb = settings.transposed ? "Input value" : "Output value";
  const what = settings.transposed ? "paints output" : "reads input";
  const outside = at.some((t) => row(t).some((i) => i < from || i >= to));
  const note = outside ? `; in brackets: ${settings.transposed ? "cropped" : "padding"}` : "";
  return `${verb} ${at.join(", ")} ${what} ${at.map(list).join(" × ")}${note}.`;
}

/** Let the controls say what is set, and work the lengths out. */
function tell(parts, settings) {
  const most = placesOf(settings);
  for (const slider of parts.sliders) {
    setSlider(slider, settings[slider.action]);
    slider.row.hidden = slider.action === "output_padding" && !settings.transposed;
  }
  setChoice(parts.dimensions, settings.axes);
  setChoice(parts.way, settings.transposed ? "yes" : "");
  parts.place.input.max = Math.max(0, most - 1);
  parts.play.disabled = parts.place.input.disabled = most < 2;
  const counted = settings.transposed ? "a place of the output is painted" : "a value of the input is read";
  parts.legend.textContent = `Squares: input. Circles: output. Dashed: ${settings.transposed ? "cropped" : "padding"}. The numbers say how often ${counted}.`;
  showSteps(parts.steps, solve(settings));
}

/** A step at a time, as long as `step()` says that there is a further one. Returns how to begin, and how to stop. */
function walker(el, button, step) {
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "▶ move";
  };
  const go = () => (el.isConnected && step()) || stop();
  const begin = () => {
    button.textContent = "❚❚ stop";
    timer = setInterval(go, calm() ? CALM : SLOW);
    go();
  };
  return { begin, stop, get walking() { return Boolean(timer); } };
}

function render({ model, el }) {
  const spec = model.get("spec");
  const parts = view(spec);
  const { root } = parts;
  let settings = { ...spec.settings };
  let [place, mark] = [0, null];
  const most = () => placesOf(settings);

  function show() {
    place = Math.min(place, Math.max(0, most() - 1));
    tell(parts, settings);
    mark = draw(parts.figure, settings);
    move();
  }

  function move() {
    setSlider(parts.place, place, most() ? `${place + 1} of ${most()}` : "none");
    parts.caption.textContent = words(settings, place);
    mark(placeOf(settings, place), words(settings, place));
  }

  const walk = walker(el, parts.play, () => {
    if (place >= most() - 1) return false;
    place += 1;
    move();
    return true;
  });

  function play() {
    if (walk.walking) return walk.stop();
    if (place >= most() - 1) place = -1;
    walk.begin();
  }

  function set(changes, at = place) {
    walk.stop();
    [settings, place] = [{ ...settings, ...changes }, at];
    show();
  }

  root.onclick = ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.action === "play") play();
    if (button?.dataset.action === "preset") set(PRESETS[button.value], 0);
    if (button?.dataset.action === "reset") set(spec.settings, 0);
  };
  root.oninput = ({ target: { dataset, value } }) => {
    if (dataset.action === "place") return walk.stop(), (place = Number(value)), move();
    set({ [dataset.action]: dataset.action === "transposed" ? value === "yes" : Number(value) });
  };
  const handle = {
    get settings() { return { ...settings }; },
    get place() { return place; },
    get playing() { return walk.walking; },
    get counts() { return counts(settings); },
  };
  const end = mount({ el, name: "convolution", root, draw() {}, handle, stops: [walk.stop] });
  show();
  return end;
}

export default { render };
