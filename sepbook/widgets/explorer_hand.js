// What a hand does to an explorer: it drags on a picture, moves a slider, presses a key, a preset or reset.
import { button, buttons, element, setChoice, setSlider } from "./explorer_parts.js";
import { settled, sideways } from "./explorer_scale.js";

const FINGER = 30; // pixels from a thing that a finger still takes; a mouse is nearer
const MOUSE = 16;

/**
 * Follow a pointer while it is held on a canvas: `follow(x, y, event)`, in pixels from its corner. With `thing`, which
 * says where something is, only that can be taken by a finger (and `only` that by a mouse too): elsewhere a swipe scrolls
 * the page. A finger is followed once it has tapped or moved sideways: a swipe that scrolls changes nothing. `end(event)`
 * is called when it is let go.
 */
export function drag(canvas, follow, { thing, only = false, end = () => {} } = {}) {
  let [held, waiting] = [null, false]; // where it was taken; whether nothing has been followed yet
  const at = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  const takes = (event) => {
    const touch = event.pointerType === "touch";
    if (!thing || (!touch && !only)) return true;
    const [[x, y], [a, b]] = [at(event), thing()];
    return Math.hypot(x - a, y - b) <= (touch ? FINGER : MOUSE);
  };
  const move = (event) => {
    follow(...at(event), event);
    waiting = false;
  };
  canvas.onpointerdown = (event) => {
    if (!takes(event)) return;
    held = at(event);
    canvas.setPointerCapture(event.pointerId);
    waiting = event.pointerType === "touch" && !thing;
    if (!waiting && !only) move(event);
  };
  canvas.onpointermove = (event) => held && !(waiting && !sideways(held, at(event))) && move(event);
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (held && waiting && event.type === "pointerup") move(event);
    if (held) end(event);
    held = null;
  };
  if (thing) canvas.addEventListener("touchmove", (event) => held && event.preventDefault(), { passive: false });
}

/** Act on keys: `moves` has a function for each name of a key. */
export function keys(canvas, moves) {
  canvas.onkeydown = (event) => {
    if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moves[event.key]();
  };
}

/**
 * The settings of an explorer, and the controls that change them. `sliders` are rows { action, text, min, max, step, say },
 * `presets` have settings by name: what differs from `usual`. It begins with `first`, and so does reset.
 * A preset leaves those of `keep` as they are. After each change `change()` is called.
 */
export class Desk {
  constructor(parts, { sliders, presets = {}, usual, first = usual, keep = ["heard"], change }) {
    Object.assign(this, { usual, first, presets, keep, change, settings: { ...first } });
    this.sliders = sliders.map((row) => ({ ...row, ...parts.slider(row.action, row.text, { min: row.min, max: row.max, step: row.step }) }));
    this.rows = element("div", { class: "ex-sliders" }, ...this.sliders.map(({ row }) => row));
    this.presetsRow = parts.tools(...buttons("preset", Object.keys(presets)), button("reset", "↺ reset"));
  }

  /** The settings that a preset leaves as they are. */
  get kept() {
    return Object.fromEntries(this.keep.filter((name) => name in this.settings).map((name) => [name, this.settings[name]]));
  }

  /** Change some settings; a slider's value is put on one of its steps. */
  set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      const slider = this.sliders.find(({ action }) => action === name);
      this.settings[name] = slider ? settled(value, slider) : value;
    }
    this.show();
    this.change();
  }

  /** Let all controls say what is set. */
  show() {
    for (const slider of this.sliders) setSlider(slider, this.settings[slider.action], slider.say(this.settings[slider.action], this.settings));
    for (const [name, choice] of Object.entries(this.choices ?? {})) setChoice(choice, this.settings[name]);
    for (const select of this.root.querySelectorAll("select")) select.value = this.settings[select.dataset.action];
    for (const input of this.root.querySelectorAll("input[type=checkbox]")) input.checked = this.settings[input.dataset.action];
  }

  /** Listen to all controls below `root`; `choices` are its radio buttons by the setting's name. */
  listen(root, choices = {}) {
    Object.assign(this, { root, choices });
    root.onclick = ({ target }) => {
      const pressed = target.closest("button");
      if (pressed?.dataset.action === "preset") this.set({ ...this.usual, ...this.kept, ...this.presets[pressed.value] });
      if (pressed?.dataset.action === "reset") this.set(this.first);
    };
    root.oninput = ({ target }) => {
      const { action } = target.dataset;
      if (action in this.settings) this.set({ [action]: { range: Number(target.value), checkbox: target.checked }[target.type] ?? target.value });
    };
  }
}
