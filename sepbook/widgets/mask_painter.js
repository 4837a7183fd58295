// Paint a mask: what to keep of a mixture, heard and measured at once. One module, two hosts (a book page, anywidget).
//   model.get("spec")   {title, rate, length, size, hop, picture, sources: [{name, colour, audio}]}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { mount } from "./explorer_mount.js";
import { calm } from "./explorer_parts.js";
import { Loop, playButton } from "./explorer_sound.js";
import { Brush } from "./mask_painter_brush.js";
import { Canvas } from "./mask_painter_canvas.js";
import { Scores } from "./mask_painter_score.js";
import { view } from "./mask_painter_view.js";

const UNDO = 20; // strokes
const FIRST_TRY = [300, 3000]; // Hz: what is kept at first, so that there is something to see, hear and better
const PAUSE = 20; // ms between two sounds while a stroke is being drawn; longer where computing one takes longer

const HINT = `A first try keeps all from ${FIRST_TRY[0]} to ${FIRST_TRY[1]} Hz. Press play for its sound and all numbers, hear what is wrong with it, and paint a better one.`;

const signed = (value, plus = "") => (value < 0 ? "−" : plus) + Math.abs(value).toFixed(1);

/** The reader's masks, what of them is shown, heard and scored. */
class Painter {
  source = 0;
  shown = "yours";
  past = []; // [source, mask before the stroke]
  pause = PAUSE;
  frame = null; // the next picture
  timer = null; // the next look at the clock
  sounding = null; // the next sound

  constructor(el, spec, files) {
    Object.assign(this, { el, spec, seconds: spec.length / spec.rate, maths: new Scores(spec, files), parts: view(spec), loop: new Loop(spec.rate) });
    this.canvas = new Canvas(this.parts.canvas, this.maths.grid);
    this.own = spec.sources.map(() => new Float32Array(this.maths.whole.length));
    this.own[0].set(this.firstTry());
    this.brush = new Brush(this);
    const ready = async () => (await this.load(), Boolean(this.maths.stems));
    this.play = playButton({ el, button: this.parts.play, loop: this.loop, seconds: this.seconds, ready, follow: () => this.follow() });
  }

  /** A mask that keeps a band of frequencies and nothing else. */
  firstTry() {
    const { F, rate } = this.maths.grid;
    const [low, high] = FIRST_TRY.map((hz) => (2 * (F - 1) * hz) / rate); // in bins
    return this.maths.whole.map((_, i) => Number(i % F >= low && i % F <= high));
  }

  get mask() {
    return this.own[this.source];
  }

  // --- computing -----------------------------------------------------------------------------------------
  maskOf(row) {
    return row === "yours" ? this.mask : this.maths.mask(row);
  }

  /** Fetch the stems; from then on there is sound, and numbers. */
  async load() {
    const { maths, parts: { status } } = this;
    if (maths.stems) return;
    status.textContent = "loading …";
    try {
      await maths.load();
      status.textContent = "";
      this.sound();
    } catch (error) {
      status.textContent = `The sounds could not be loaded: ${error.message}`;
    }
  }

  turnTo(number) {
    this.source = number;
    this.maths.turnTo(number);
    this.draw();
    this.sound();
  }

  /** The sound of what is shown; the score of the reader's mask in any case. */
  sound() {
    clearTimeout(this.sounding);
    this.sounding = null;
    this.el.style.setProperty("--colour", this.spec.sources[this.source].colour);
    if (!this.maths.stems) return;
    const start = performance.now();
    const mine = this.maths.try(this.mask);
    this.loop.put(this.shown === "yours" ? mine : this.maths.sound(this.shown));
    this.table();
    this.pause = Math.max(PAUSE, performance.now() - start);
  }

  soundSoon() {
    this.sounding ??= setTimeout(() => this.sound(), this.pause);
  }

  changed() {
    this.draw();
    this.soundSoon();
  }

  // --- showing -------------------------------------------------------------------------------------------
  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.canvas.draw(this.maskOf(this.shown), this.spec.sources[this.source].colour));
    this.parts.undo.disabled = !this.past.length;
    this.parts.copy.disabled = ["yours", "truth"].includes(this.shown);
    this.brush.place();
  }

  table() {
    const { scores, best } = this.maths;
    const empty = this.shown === "yours" && scores.yours <= -99;
    this.parts.status.textContent = empty ? "Your mask keeps nothing yet. Paint, or choose another line to hear it." : "";
    for (const { id, bar, score, gain } of this.parts.lines) {
      if (id === "truth") continue;
      const silent = scores[id] <= -99;
      const gained = scores[id] - scores.mixture;
      score.textContent = silent ? "silent" : signed(scores[id]);
      gain.textContent = silent || id === "mixture" ? "" : signed(gained, "+");
      bar.style.width = `${Math.min(100, Math.max(0, (90 * gained) / best))}%`;
    }
  }

  /** Follow the clock: at each frame, or four times a second for those who asked for less motion. */
  follow() {
    const { parts: { head }, loop } = this;
    clearTimeout(this.timer);
    head.style.left = `${(100 * loop.time) / this.seconds}%`;
    head.hidden = !loop.playing;
    const again = () => this.follow();
    if (loop.playing) this.timer = calm() ? setTimeout(again, 250) : requestAnimationFrame(again);
  }

  show(row) {
    if (this.shown === row) return;
    this.shown = row;
    this.parts.lines.find(({ id }) => id === row).radio.checked = true;
    this.changed();
  }

  // --- changing masks ------------------------------------------------------------------------------------
  remember() {
    this.past.push([this.source, this.mask.slice()]);
    if (this.past.length > UNDO) this.past.shift();
  }

  replace(mask) {
    this.show("yours");
    this.remember();
    this.mask.set(mask);
    this.changed();
  }

  undo() {
    const [number, mask] = this.past.pop() ?? [];
    if (!mask) return;
    this.own[number].set(mask);
    if (number !== this.source) this.parts.root.querySelectorAll("[data-action=source]")[number].click();
    this.changed();
  }

  /** All as it was at first. */
  reset() {
    const { root, lines, size, strength, status } = this.parts;
    this.past = [];
    for (const mask of this.own) mask.fill(0);
    this.own[0].set(this.firstTry());
    for (const slider of [size, strength]) slider.value = slider.defaultValue;
    root.querySelector("[data-action=source]").checked = true;
    lines.find(({ id }) => id === "yours").radio.checked = true;
    this.shown = "yours";
    this.brush.reset();
    this.turnTo(0);
    if (!this.maths.stems) status.textContent = HINT;
  }

  // --- controls ------------------------------------------------------------------------------------------
  onClick({ target }) {
    const { whole } = this.maths;
    const actions = {
      undo: () => this.undo(),
      all: () => this.replace(whole),
      nothing: () => this.replace(whole.map(() => 0)),
      copy: () => this.replace(this.maskOf(this.shown)),
      reset: () => this.reset(),
    };
    actions[target.closest("button")?.dataset.action]?.();
  }

  onInput({ target: { dataset, value } }) {
    if (dataset.action === "source") this.turnTo(this.spec.sources.findIndex(({ name }) => name === value));
    if (dataset.action === "tool") this.brush.setTool(value === "keep");
    if (dataset.action === "show") this.load().then(() => ((this.shown = null), this.show(value)));
    if (dataset.action === "size") this.brush.place();
  }
}

/** What tests and other scripts may ask of a painter. */
const handleOf = (painter) => ({
  load: () => painter.load(),
  get scores() { return { ...painter.maths.scores }; },
  get mask() { return painter.mask; },
  get shown() { return painter.shown; },
  get playing() { return painter.loop.playing; },
  get sound() { return painter.loop.samples; },
  get busy() { return Boolean(painter.sounding || painter.brush.stroke); },
  time: () => painter.loop.time,
});

function render({ model, el }) {
  const [spec, files] = [model.get("spec"), model.get("files")];
  const painter = new Painter(el, spec, files);
  const { root } = painter.parts;
  root.onclick = (event) => painter.onClick(event);
  root.oninput = (event) => painter.onInput(event);
  painter.brush.listen();
  painter.canvas.load(files[spec.picture]).then(() => painter.draw());
  const end = mount({ el, name: "painter", root, draw: () => painter.draw(), handle: handleOf(painter), stops: [painter.play.close] });
  painter.reset();
  painter.follow();
  return end;
}

export default { render };
