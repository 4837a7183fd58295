// Paint a mask: what to keep of a mixture, heard and measured at once. One module, two hosts (a book page, anywidget).
//   model.get("spec")   {title, rate, length, size, hop, picture, sources: [{name, colour, audio}]}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { watch } from "./explorer_canvas.js";
import { calm } from "./explorer_parts.js";
import { Loop, playButton } from "./explorer_sound.js";
import { Canvas } from "./mask_painter_canvas.js";
import { Stroke, hertz } from "./explorer_masks.js";
import { Scores } from "./mask_painter_score.js";
import { view } from "./mask_painter_view.js";

const UNDO = 20; // strokes
const PAUSE = 20; // ms between two sounds while a stroke is being drawn; longer where computing one takes longer

function render({ model, el }) {
  const spec = model.get("spec");
  const files = model.get("files");
  const { rate, sources } = spec;
  const seconds = spec.length / rate;
  const maths = new Scores(spec, files);
  const parts = view(spec);
  const loop = new Loop(rate);
  const canvas = new Canvas(parts.canvas, maths.grid);
  const own = sources.map(() => new Float32Array(maths.whole.length)); // the reader's masks
  const past = []; // [source, mask before the stroke]
  const brush = { at: [0.5, 0.4], down: false, keep: true, held: false };
  let [source, shown] = [0, "yours"];
  let stroke = null;
  let pause = PAUSE;
  let frame, timer, sounding; // of the next picture, the next look at the clock, the next sound

  // --- computing -----------------------------------------------------------------------------------------
  const maskOf = (row) => (row === "yours" ? own[source] : maths.mask(row));

  /** Fetch the stems; from then on there is sound, and numbers. */
  async function load() {
    if (maths.stems) return;
    parts.status.textContent = "loading …";
    try {
      await maths.load();
      parts.status.textContent = "";
      sound();
    } catch (error) {
      parts.status.textContent = `The sounds could not be loaded: ${error.message}`;
    }
  }

  function turnTo(number) {
    source = number;
    maths.turnTo(source);
    draw();
    sound();
  }

  /** The sound of what is shown; the score of the reader's mask in any case. */
  function sound() {
    clearTimeout(sounding);
    sounding = null;
    el.style.setProperty("--colour", sources[source].colour);
    if (!maths.stems) return;
    const start = performance.now();
    const mine = maths.try(own[source]);
    loop.put(shown === "yours" ? mine : maths.sound(shown));
    table();
    pause = Math.max(PAUSE, performance.now() - start);
  }

  const soundSoon = () => (sounding ??= setTimeout(sound, pause));

  // --- showing -------------------------------------------------------------------------------------------
  function draw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => canvas.draw(maskOf(shown), sources[source].colour));
    parts.undo.disabled = !past.length;
    parts.copy.disabled = ["yours", "truth"].includes(shown);
    place();
  }

  function table() {
    const { scores, best } = maths;
    const empty = shown === "yours" && scores.yours <= -99;
    parts.status.textContent = empty ? "Your mask keeps nothing yet. Paint, or choose another line to hear it." : "";
    for (const { id, bar, score, gain } of parts.lines) {
      if (id === "truth") continue;
      const silent = scores[id] <= -99;
      const gained = scores[id] - scores.mixture;
      score.textContent = silent ? "silent" : signed(scores[id]);
      gain.textContent = silent || id === "mixture" ? "" : signed(gained, "+");
      bar.style.width = `${Math.min(100, Math.max(0, (90 * gained) / best))}%`;
    }
  }

  const signed = (value, plus = "") => (value < 0 ? "−" : plus) + Math.abs(value).toFixed(1);
  const radii = () => {
    const { clientWidth, clientHeight } = parts.canvas;
    return [parts.size.value / clientWidth, parts.size.value / clientHeight];
  };

  function place() {
    const [x, y] = brush.at;
    const { style } = parts.ring;
    style.left = `${100 * x}%`;
    style.bottom = `${100 * y}%`;
    style.width = style.height = `${2 * parts.size.value}px`;
    parts.ring.classList.toggle("mp-remove", !brush.keep);
    parts.ring.classList.toggle("mp-down", brush.down);
  }

  /** Follow the clock: at each frame, or four times a second for those who asked for less motion. */
  function follow() {
    clearTimeout(timer);
    parts.head.style.left = `${(100 * loop.time) / seconds}%`;
    parts.head.hidden = !loop.playing;
    if (loop.playing) timer = calm() ? setTimeout(follow, 250) : requestAnimationFrame(follow);
  }

  // --- painting ------------------------------------------------------------------------------------------
  function begin() {
    show("yours");
    remember();
    stroke = new Stroke(own[source], maths.grid, brush.keep ? 1 : 0, Number(parts.strength.value));
    stroke.dab(...brush.at, ...radii());
    changed();
  }

  function moveTo(x, y) {
    const to = [Math.min(Math.max(x, 0), 1), Math.min(Math.max(y, 0), 1)];
    if (stroke) stroke.line(brush.at, to, ...radii()), changed();
    brush.at = to;
    place();
  }

  const end = () => ((stroke = null), (brush.down = brush.held = false), place());
  const changed = () => (draw(), soundSoon());

  function remember() {
    past.push([source, own[source].slice()]);
    if (past.length > UNDO) past.shift();
  }

  function replace(mask) {
    show("yours");
    remember();
    own[source].set(mask);
    changed();
  }

  function undo() {
    const [number, mask] = past.pop() ?? [];
    if (!mask) return;
    own[number].set(mask);
    if (number !== source) parts.root.querySelectorAll("[data-action=source]")[number].click();
    changed();
  }

  function show(row) {
    if (shown === row) return;
    shown = row;
    parts.lines.find(({ id }) => id === row).radio.checked = true;
    draw();
    soundSoon();
  }

  function setTool(keep) {
    brush.keep = keep;
    parts.root.querySelector(`[data-action=tool][value=${keep ? "keep" : "remove"}]`).checked = true;
    place();
  }

  async function ready() {
    await load();
    return Boolean(maths.stems);
  }

  const play = playButton({ el, button: parts.play, loop, seconds, ready, follow });

  // --- hands and keys ------------------------------------------------------------------------------------
  const actions = {
    undo,
    all: () => replace(maths.whole),
    nothing: () => replace(maths.whole.map(() => 0)),
    copy: () => replace(maskOf(shown)),
  };

  function onInput({ target: { dataset, value } }) {
    if (dataset.action === "source") turnTo(sources.findIndex(({ name }) => name === value));
    if (dataset.action === "tool") setTool(value === "keep");
    if (dataset.action === "show") load().then(() => ((shown = null), show(value)));
    if (dataset.action === "size") place();
  }

  function where({ clientX, clientY }) {
    const box = parts.canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, 1 - (clientY - box.top) / box.height];
  }

  function onDown(event) {
    if (event.button) return;
    load();
    end();
    moveTo(...where(event));
    parts.canvas.setPointerCapture(event.pointerId);
    begin();
  }

  function onMove(event) {
    if (brush.down || brush.held) return; // the keyboard draws
    for (const each of stroke ? (event.getCoalescedEvents?.() ?? []) : []) moveTo(...where(each));
    moveTo(...where(event));
  }

  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, shiftKey, repeat } = event;
    const step = STEPS[key];
    const larger = { "[": 1 / 1.25, "]": 1.25 }[key];
    if (step) walk(step, shiftKey ? 5 : 1);
    else if (key === " ") repeat || stroke || ((brush.held = true), load(), begin());
    else if (key === "Enter") repeat || (stroke ? end() : ((brush.down = true), load(), begin()));
    else if (key === "e") setTool(!brush.keep);
    else if (larger) (parts.size.value *= larger), place();
    else if (key === "z") undo();
    else if (key === "p") play.toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function walk([right, upwards], steps) {
    const [x, y] = brush.at;
    moveTo(x + (right * steps) / 80, y + (upwards * steps) / 40);
    const [hz, time] = [hertz(brush.at[1], rate), brush.at[0] * seconds];
    parts.spoken.textContent = `${time.toFixed(1)} seconds, ${hz.toPrecision(2) / 1} hertz`;
  }

  const { root } = parts;
  root.onclick = ({ target }) => actions[target.closest("button")?.dataset.action]?.();
  root.oninput = onInput;
  parts.canvas.onpointerdown = onDown;
  parts.canvas.onpointermove = onMove;
  parts.canvas.onpointerup = parts.canvas.onpointercancel = () => brush.down || brush.held || end();
  parts.canvas.onkeydown = onKey;
  parts.canvas.onkeyup = ({ key }) => key === " " && brush.held && end();
  parts.canvas.onblur = end;
  const unwatch = watch(el, draw);
  canvas.load(files[spec.picture]).then(draw);
  el.classList.add("sepbook-painter");
  el.replaceChildren(root);
  sound();
  follow();
  el.sepbookPainter = {
    load,
    get scores() {
      return { ...maths.scores };
    },
    get mask() {
      return own[source];
    },
    get shown() {
      return shown;
    },
    get playing() {
      return loop.playing;
    },
    get sound() {
      return loop.samples;
    },
    get busy() {
      return Boolean(sounding || stroke);
    },
    time: () => loop.time,
  };
  return () => {
    unwatch();
    play.close();
  };
}

export default { render };
