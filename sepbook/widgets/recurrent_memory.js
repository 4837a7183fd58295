// How far back does one unit of a recurrent layer remember, and how far back does training reach? One module, two hosts.
//   model.get("spec")   {title, frames, seconds: of one frame}
import { Desk } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { remember } from "./recurrent_memory_cells.js";
import { drawSlopes, drawState } from "./recurrent_memory_draw.js";
import { CASES, KNOBS, START, memoryView } from "./recurrent_memory_view.js";

function render({ model, el }) {
  const spec = model.get("spec");
  const { parts, root, state, slope, visible, learnable, kinds, fill } = memoryView(spec);
  const desk = new Desk(parts, { sliders: KNOBS, presets: CASES, usual: START, change });
  const { settings } = desk;
  fill(desk);
  let found;

  const frames = (count) => (count >= spec.frames - 1 ? `all ${spec.frames} frames` : `${count} frames (${(count * spec.seconds).toFixed(2)} s)`);

  function draw() {
    drawState(state, found, spec.seconds, colours(el));
    drawSlopes(slope, found, spec.seconds, colours(el));
  }

  function change() {
    found = remember(settings, spec.frames);
    desk.sliders.find(({ action }) => action === "bias").input.disabled = settings.kind === "rnn";
    visible.textContent = frames(found.visible);
    learnable.textContent = frames(found.learnable);
    state.setAttribute("aria-label", `The state over ${spec.frames} frames. The note shows for ${frames(found.visible)}.`);
    slope.setAttribute("aria-label", `What the last answer depends on: it reaches back ${frames(found.learnable)}.`);
    draw();
  }

  desk.listen(root, { kind: kinds });
  const handle = { get settings() { return { ...settings }; }, get found() { return found; } };
  const end = mount({ el, name: "memory", root, draw, handle });
  desk.set({});
  return end;
}

export default { render };
