// Embeddings to walk around in: a point for each bin, a bin for each point. One module, two hosts.
//   model.get("spec")   what embedding.py describes: levels, bins, sources, and the points of each version
//   model.get("files")  the mixture's sound, where there is one: its address (book page) or its bytes (kernel)
import { drawBins, drawSpace } from "./embedding_draw.js";
import { likeSound } from "./embedding_sound.js";
import { affinities, means, nearest, unpacked } from "./embedding_space.js";
import { embeddingView } from "./embedding_view.js";
import { Desk, drag } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { minus } from "./explorer_parts.js";

const STILL = 4; // pixels that a press may move and still choose a point

/** What the page's data hold, as arrays of numbers. */
function read({ bins, source, levels, versions }) {
  const each = ({ name, points, cluster }) => ({ name, points: unpacked(points, Int8Array), cluster: unpacked(cluster, Uint8Array) });
  return { bins: unpacked(bins, Uint32Array), source: unpacked(source, Uint8Array), levels: unpacked(levels, Uint8Array), versions: versions.map(each) };
}

/** For each point its colour and how strong it is. */
function painted(values, paint, groups, names, accent) {
  if (paint === "affinity") return [...values].map((value) => [accent, 0.06 + 0.94 * Math.min(1, Math.max(0, value)) ** 2]);
  return [...groups[paint]].map((group) => [names[group], 0.8]);
}

/** The frequency of a bin, in Hz, and its frame. */
function whereIs(bin, { size: [F, T], rate }) {
  return [Math.round((Math.floor(bin / T) * rate) / (2 * (F - 1))), bin % T];
}

/** Say which bin is chosen, and how alike it is to the bins of each source. */
function tell(parts, spec, { bins, source, levels }, settings, alike) {
  const bin = bins[settings.chosen];
  const [hertz, t] = whereIs(bin, spec);
  const level = Math.round((levels[bin] / 255 - 1) * spec.range);
  const where = `${hertz} Hz at ${((t * spec.hop) / spec.rate).toFixed(2)} s, ${level === 0 ? "the loudest" : `${minus(level)} dB`}`;
  const words = spec.names.map((name, s) => `${alike[s].toFixed(2)} with the bins of ${name}`).join(", ");
  parts.status.textContent = `This bin: ${where}, of ${spec.names[source[settings.chosen]]}. Its mean affinity: ${words}.`.replaceAll(" -", " −");
}

/** The sliders: the chosen bin, and from where the space is seen. */
function slidersOf(spec, { bins }) {
  const degrees = (value) => `${minus(value)}°`;
  return [
    { action: "chosen", text: "bin", min: 0, max: bins.length - 1, step: 1, say: (value) => `${whereIs(bins[value], spec)[0]} Hz` },
    { action: "turn", text: "turn", min: -180, max: 180, step: 1, say: degrees },
    { action: "tilt", text: "tilt", min: -90, max: 90, step: 1, say: degrees },
  ];
}

/** Turn the space by dragging it; a press that does not move chooses a point. */
function turnable(canvas, desk, choose) {
  let from = null;
  const follow = (x, y) => {
    from ??= { x, y, turn: desk.settings.turn, tilt: desk.settings.tilt, moved: false };
    const [dx, dy] = [x - from.x, y - from.y];
    from.moved ||= Math.hypot(dx, dy) > STILL;
    if (!from.moved) return;
    desk.set({ turn: ((Math.round(from.turn + dx / 2) + 540) % 360) - 180, tilt: from.tilt + dy / 2 });
  };
  const end = ({ type }) => {
    if (type === "pointerup" && !from.moved) choose(from.x, from.y);
    from = null;
  };
  drag(canvas, follow, { end });
}

function render({ model, el }) {
  const spec = model.get("spec");
  const data = read(spec);
  const view = embeddingView(spec);
  const usual = { heard: "like", version: "0", paint: "source", chosen: spec.start, turn: 0, tilt: 0 };
  const desk = new Desk(view.parts, { sliders: slidersOf(spec, data), presets: { "from the front (2-D)": { turn: 0, tilt: 0 } }, usual, keep: ["heard", "version", "paint", "chosen"], change: () => change() });
  const { settings } = desk;
  view.fill(desk);
  let [seen, waiting] = [null, 0];

  function draw() {
    waiting = 0;
    const { points, cluster } = data.versions[settings.version];
    const values = affinities(points, spec.directions, settings.chosen);
    const ink = colours(el);
    const paint = painted(values, settings.paint, { source: data.source, cluster }, spec.colours, ink.accent);
    const common = { paint, chosen: settings.chosen, colours: ink };
    const [turn, tilt] = [settings.turn, settings.tilt].map((degrees) => (degrees * Math.PI) / 180);
    const space = drawSpace(view.space, { ...common, points, size: spec.directions, turn, tilt, source: data.source });
    seen = { space, bins: drawBins(view.bins, { ...common, spec, levels: data.levels, bins: data.bins }) };
    tell(view.parts, spec, data, settings, means(values, data.source, spec.names.length));
  }

  const later = () => (waiting ||= requestAnimationFrame(draw));
  const values = () => affinities(data.versions[settings.version].points, spec.directions, settings.chosen);
  const now = () => ({ ...settings, whole: settings.heard === "all", values: values(), groups: { source: data.source, cluster: data.versions[settings.version].cluster } });
  const sound = spec.sound && likeSound({ el, view, spec, bins: data.bins, files: model.get("files"), now });
  const heardNow = () => [settings.heard, settings.version, settings.paint, settings.chosen].join();
  let heard = heardNow();

  function change() {
    later();
    if (heardNow() !== heard) sound?.ask?.(); // not for a turn of the space
    heard = heardNow();
  }

  const choose = (picture) => (x, y) => {
    desk.set({ chosen: nearest(seen[picture].xs, seen[picture].ys, x, y) });
  };

  drag(view.bins, choose("bins"));
  turnable(view.space, desk, choose("space"));
  desk.listen(view.root, { version: view.version, paint: view.paint, ...(sound && { heard: view.heard }) });
  const handle = { settings, draw, get seen() { return seen; }, affinities: () => [...values()], sound };
  const end = mount({ el, name: "embedding", root: view.root, draw: later, handle, stops: [() => cancelAnimationFrame(waiting), () => sound?.stop()] });
  desk.show();
  draw();
  return end;
}

export default { render };
