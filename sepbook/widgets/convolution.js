// Move a kernel over its input, and watch the output length being worked out. One module, two hosts.
//   model.get("spec")   {title, settings: {axes, transposed, n, kernel, stride, padding, dilation, output_padding}, limits}
import { axes, counts, solve, touched } from "./convolution_arithmetic.js";
import { draw } from "./convolution_draw.js";
import { PRESETS, showSteps, view } from "./convolution_view.js";
import { calm, setChoice, setSlider } from "./explorer_parts.js";

const [SLOW, CALM] = [700, 1500]; // milliseconds per place; the second for readers who asked for little motion

function render({ model, el }) {
  const spec = model.get("spec");
  const parts = view(spec);
  let settings = { ...spec.settings };
  let [place, timer, mark] = [0, null, null];
  const most = () => axes(settings).coarse.count ** settings.axes; // places of the kernel
  const at = () => (settings.axes === 1 ? [place] : [Math.floor(place / axes(settings).coarse.count), place % axes(settings).coarse.count]);

  function words() {
    if (!most()) return "There is no place for the kernel.";
    const row = (t) => touched(settings, t);
    const { from, to } = axes(settings).fine;
    const list = (t) => row(t).map((i) => (i < from || i >= to ? `(${i})` : i)).join(", ");
    const verb = settings.transposed ? "Input value" : "Output value";
    const what = settings.transposed ? "paints output" : "reads input";
    const outside = at().some((t) => row(t).some((i) => i < from || i >= to));
    const note = outside ? `; in brackets: ${settings.transposed ? "cropped" : "padding"}` : "";
    const where = at().map(list).join(" × ");
    return `${verb} ${at().join(", ")} ${what} ${where}${note}.`;
  }

  // --- showing -------------------------------------------------------------------------------------------
  function show() {
    place = Math.min(place, Math.max(0, most() - 1));
    for (const slider of parts.sliders) {
      setSlider(slider, settings[slider.action]);
      slider.row.hidden = slider.action === "output_padding" && !settings.transposed;
    }
    setChoice(parts.dimensions, settings.axes);
    setChoice(parts.way, settings.transposed ? "yes" : "");
    parts.place.input.max = Math.max(0, most() - 1);
    parts.play.disabled = parts.place.input.disabled = most() < 2;
    const counted = settings.transposed ? "a place of the output is painted" : "a value of the input is read";
    parts.legend.textContent = `Squares: input. Circles: output. Dashed: ${settings.transposed ? "cropped" : "padding"}. The numbers say how often ${counted}.`;
    showSteps(parts.steps, solve(settings));
    mark = draw(parts.figure, settings);
    move();
  }

  function move() {
    setSlider(parts.place, place, most() ? `${place + 1} of ${most()}` : "none");
    parts.caption.textContent = words();
    mark(at(), words());
  }

  // --- what the reader does ------------------------------------------------------------------------------
  function stop() {
    clearInterval(timer);
    timer = null;
    parts.play.textContent = "▶ move";
  }

  function play() {
    if (timer) return stop();
    if (place >= most() - 1) place = -1;
    parts.play.textContent = "❚❚ stop";
    const step = () => {
      if (!el.isConnected || place >= most() - 1) return stop();
      place += 1;
      move();
    };
    timer = setInterval(step, calm() ? CALM : SLOW);
    step();
  }

  parts.root.onclick = ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.action === "play") play();
    if (button?.dataset.action === "preset") {
      stop();
      [settings, place] = [{ ...settings, ...PRESETS[button.value] }, 0];
      show();
    }
  };
  parts.root.oninput = ({ target }) => {
    const { action } = target.dataset;
    stop();
    if (action === "place") {
      place = Number(target.value);
      return move();
    }
    settings = { ...settings, [action]: action === "transposed" ? target.value === "yes" : Number(target.value) };
    show();
  };

  el.classList.add("sepbook-convolution");
  el.replaceChildren(parts.root);
  show();
  el.sepbookConvolution = {
    get settings() {
      return { ...settings };
    },
    get place() {
      return place;
    },
    get playing() {
      return Boolean(timer);
    },
    get counts() {
      return counts(settings);
    },
  };
  return stop;
}

export default { render };
