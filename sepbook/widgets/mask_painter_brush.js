// The brush of the mask painter: moved by pointer or keyboard, it keeps or removes what is under it.
import { Stroke, hertz } from "./explorer_masks.js";
import { sideways } from "./explorer_scale.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Brush {
  at = [0.5, 0.4]; // from the left and from below, 0 to 1
  down = false; // put down by Enter
  held = false; // by the space bar
  swipe = null; // where began a finger on a picture that is not in use: it scrolls the page, or begins to paint by moving sideways
  keep = true;
  stroke = null;

  constructor(painter) {
    this.painter = painter;
  }

  get parts() {
    return this.painter.parts;
  }

  get radii() {
    const { canvas, size } = this.parts;
    return [size.value / canvas.clientWidth, size.value / canvas.clientHeight];
  }

  /** Show the ring where the brush is. */
  place() {
    const { ring, size } = this.parts;
    const [x, y] = this.at;
    ring.style.left = `${100 * x}%`;
    ring.style.bottom = `${100 * y}%`;
    ring.style.width = ring.style.height = `${2 * size.value}px`;
    ring.classList.toggle("mp-remove", !this.keep);
    ring.classList.toggle("mp-down", this.down);
  }

  reset() {
    this.at = [0.5, 0.4];
    this.end();
    this.parts.spoken.textContent = "";
    this.setTool(true);
  }

  setTool(keep) {
    this.keep = keep;
    this.parts.root.querySelector(`[data-action=tool][value=${keep ? "keep" : "remove"}]`).checked = true;
    this.place();
  }

  begin() {
    const { painter } = this;
    painter.load();
    painter.show("yours");
    painter.remember();
    this.stroke = new Stroke(painter.mask, painter.maths.grid, this.keep ? 1 : 0, Number(this.parts.strength.value));
    this.stroke.dab(...this.at, ...this.radii);
    painter.changed();
  }

  moveTo(x, y) {
    const to = [Math.min(Math.max(x, 0), 1), Math.min(Math.max(y, 0), 1)];
    if (this.stroke) {
      this.stroke.line(this.at, to, ...this.radii);
      this.painter.changed();
    }
    this.at = to;
    this.place();
  }

  end() {
    this.stroke = this.swipe = null;
    this.down = this.held = false;
    this.place();
  }

  // --- by pointer ----------------------------------------------------------------------------------------
  where({ clientX, clientY }) {
    const box = this.parts.canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, 1 - (clientY - box.top) / box.height];
  }

  onDown(event) {
    if (event.button) return;
    this.end();
    this.moveTo(...this.where(event));
    this.parts.canvas.setPointerCapture(event.pointerId);
    this.swipe = event.pointerType === "touch" && document.activeElement !== this.parts.canvas ? [event.clientX, event.clientY] : null;
    if (!this.swipe) this.begin();
  }

  /** A finger that has tapped or painted goes on to paint; one that has scrolled the page does not. */
  onLift({ type, pointerType }) {
    if (this.down || this.held) return;
    this.end();
    if (pointerType === "touch" && type === "pointerup") this.parts.canvas.focus({ preventScroll: true });
  }

  onMove(event) {
    if (this.down || this.held) return; // the keyboard draws
    if (this.swipe) {
      if (!sideways(this.swipe, [event.clientX, event.clientY])) return;
      this.swipe = null;
      this.begin();
    }
    for (const each of this.stroke ? (event.getCoalescedEvents?.() ?? []) : []) this.moveTo(...this.where(each));
    this.moveTo(...this.where(event));
  }

  // --- by keyboard ---------------------------------------------------------------------------------------
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, shiftKey, repeat } = event;
    const larger = { "[": 1 / 1.25, "]": 1.25 }[key];
    if (STEPS[key]) this.walk(STEPS[key], shiftKey ? 5 : 1);
    else if (key === " ") repeat || this.stroke || ((this.held = true), this.begin());
    else if (key === "Enter") repeat || (this.stroke ? this.end() : ((this.down = true), this.begin()));
    else if (key === "e") this.setTool(!this.keep);
    else if (larger) (this.parts.size.value *= larger), this.place();
    else if (key === "z") this.painter.undo();
    else if (key === "p") this.painter.play.toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  walk([right, upwards], steps) {
    const [x, y] = this.at;
    this.moveTo(x + (right * steps) / 80, y + (upwards * steps) / 40);
    const { spec: { rate }, seconds } = this.painter;
    this.parts.spoken.textContent = `${(this.at[0] * seconds).toFixed(1)} seconds, ${hertz(this.at[1], rate).toPrecision(2) / 1} hertz`;
  }

  listen() {
    const { canvas } = this.parts;
    canvas.onpointerdown = (event) => this.onDown(event);
    canvas.onpointermove = (event) => this.onMove(event);
    canvas.onpointerup = canvas.onpointercancel = (event) => this.onLift(event);
    canvas.onkeydown = (event) => this.onKey(event);
    canvas.onkeyup = ({ key }) => key === " " && this.held && this.end();
    canvas.onblur = () => this.end();
  }
}
