// How far back does one unit of a recurrent layer remember, and how far back does training reach? One module, two hosts.
//   model.get("spec")   {title, frames, seconds: of one frame}
import { palette, watch } from "./explorer_canvas.js";
import { setChoice, setSlider } from "./explorer_parts.js";
import { remember } from "./recurrent_memory_cells.js";
import { drawSlopes, drawState } from "./recurrent_memory_draw.js";
import { CASES, KNOBS, START, memoryView } from "./recurrent_memory_view.js";

function render({ model, el }) {
  const spec = model.get("spec");
  const parts = memoryView(spec);
  let settings = { ...START };
  let found;

  const frames = (count) => (count >= spec.frames - 1 ? `all ${spec.frames} frames` : `${count} frames (${(count * spec.seconds).toFixed(2)} s)`);

  function show() {
    found = remember(settings, spec.frames);
    setChoice(parts.kinds, settings.kind);
    for (const knob of parts.knobs) {
      const [action, , , , , say] = KNOBS.find(([name]) => name === knob.action);
      knob.input.disabled = action === "bias" && settings.kind === "rnn";
      setSlider(knob, settings[action], knob.input.disabled ? "has no gate" : say(settings[action]));
    }
    parts.visible.textContent = frames(found.visible);
    parts.learnable.textContent = frames(found.learnable);
    parts.state.setAttribute("aria-label", `The state over ${spec.frames} frames. The note shows for ${frames(found.visible)}.`);
    parts.slope.setAttribute("aria-label", `What the last answer depends on: it reaches back ${frames(found.learnable)}.`);
    draw();
  }

  function draw() {
    const colours = palette(el, "rm", "quiet", "line", "accent");
    drawState(parts.state, found, spec.seconds, colours);
    drawSlopes(parts.slope, found, spec.seconds, colours);
  }

  parts.root.onclick = ({ target }) => {
    if (target.dataset.action !== "case") return;
    settings = { ...START, ...CASES[target.value] };
    show();
  };
  parts.root.oninput = ({ target }) => {
    const { action } = target.dataset;
    settings[action] = action === "kind" ? target.value : Number(target.value);
    show();
  };

  el.classList.add("sepbook-memory");
  el.replaceChildren(parts.root);
  show();
  el.sepbookMemory = {
    get settings() {
      return { ...settings };
    },
    get found() {
      return found;
    },
  };
  return watch(el, draw);
}

export default { render };
