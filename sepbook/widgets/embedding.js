// Embeddings to walk around in: a point for each bin, a bin for each point. One module, two hosts.
//   model.get("spec")   what embedding.py describes: levels, bins, sources, and the points of each version
import { drawBins, drawSpace } from "./embedding_draw.js";
import { affinities, means, nearest, unpacked } from "./embedding_space.js";
import { embeddingView } from "./embedding_view.js";
import { palette, watch } from "./explorer_canvas.js";
import { minus, setSlider } from "./explorer_parts.js";

function render({ model, el }) {
  const spec = model.get("spec");
  const [bins, source, levels] = [unpacked(spec.bins, Uint32Array), unpacked(spec.source, Uint8Array), unpacked(spec.levels, Uint8Array)];
  const versions = spec.versions.map(({ name, points, cluster }) => ({ name, points: unpacked(points, Int8Array), cluster: unpacked(cluster, Uint8Array) }));
  const parts = embeddingView({ ...spec, points: bins.length });
  const settings = { version: 0, paint: "source", chosen: spec.start, turn: 0, tilt: 0 };
  const LIMITS = { turn: 180, tilt: 90 };
  let [seen, waiting, grabbed] = [null, 0, null];

  // --- showing -------------------------------------------------------------------------------------------
  /** For each point its colour and how strong it is. */
  function painted(values, accent) {
    const { points, cluster } = versions[settings.version];
    if (settings.paint === "affinity") return [...values].map((value) => [accent, 0.06 + 0.94 * Math.min(1, Math.max(0, value)) ** 2]);
    const group = settings.paint === "cluster" ? cluster : source;
    return Array.from({ length: points.length / spec.directions }, (_, i) => [spec.colours[group[i]], 0.8]);
  }

  function draw() {
    waiting = 0;
    const { points } = versions[settings.version];
    const values = affinities(points, spec.directions, settings.chosen);
    const colours = palette(el, "em", "ink", "paper", "quiet", "accent");
    const common = { paint: painted(values, colours.accent), chosen: settings.chosen, colours };
    const [turn, tilt] = [settings.turn, settings.tilt].map((degrees) => (degrees * Math.PI) / 180);
    const space = drawSpace(parts.space, { ...common, points, size: spec.directions, turn, tilt, source });
    seen = { space, bins: drawBins(parts.bins, { ...common, levels, size: spec.size, bins }) };
    say(means(values, source, spec.names.length));
  }

  const later = () => (waiting ||= requestAnimationFrame(draw));

  function say(alike) {
    const [bin, T] = [bins[settings.chosen], spec.size[1]];
    const [f, t] = [Math.floor(bin / T), bin % T];
    const hertz = Math.round((f * spec.rate) / (2 * (spec.size[0] - 1)));
    const level = Math.round((levels[bin] / 255 - 1) * spec.range);
    const where = `${hertz} Hz at ${((t * spec.hop) / spec.rate).toFixed(2)} s, ${level === 0 ? "the loudest" : `${minus(level)} dB`}`;
    const words = spec.names.map((name, s) => `${alike[s].toFixed(2)} with the bins of ${name}`).join(", ");
    parts.status.textContent = `This bin: ${where}, of ${spec.names[source[settings.chosen]]}. Its mean affinity: ${words}.`.replaceAll(" -", " −");
    for (const slider of parts.sliders) {
      const value = settings[slider.action];
      setSlider(slider, value, slider.action === "chosen" ? `${hertz} Hz` : `${minus(value)}°`);
    }
  }

  // --- what the reader does ------------------------------------------------------------------------------
  function at(canvas, event) {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  function choose(picture, canvas, event) {
    settings.chosen = nearest(seen[picture].xs, seen[picture].ys, ...at(canvas, event));
    later();
  }

  parts.bins.onpointerdown = (event) => {
    parts.bins.setPointerCapture(event.pointerId);
    choose("bins", parts.bins, event);
  };
  parts.bins.onpointermove = (event) => parts.bins.hasPointerCapture(event.pointerId) && choose("bins", parts.bins, event);
  parts.space.onpointerdown = (event) => {
    parts.space.setPointerCapture(event.pointerId);
    grabbed = { x: event.clientX, y: event.clientY, turn: settings.turn, tilt: settings.tilt, moved: false };
  };
  parts.space.onpointermove = (event) => {
    if (!grabbed) return;
    const [dx, dy] = [event.clientX - grabbed.x, event.clientY - grabbed.y];
    grabbed.moved ||= Math.hypot(dx, dy) > 4;
    if (!grabbed.moved) return;
    settings.turn = ((Math.round(grabbed.turn + dx / 2) + 540) % 360) - 180;
    settings.tilt = Math.min(LIMITS.tilt, Math.max(-LIMITS.tilt, Math.round(grabbed.tilt + dy / 2)));
    later();
  };
  parts.space.onpointerup = (event) => {
    if (grabbed && !grabbed.moved) choose("space", parts.space, event);
    grabbed = null;
  };
  parts.space.onpointercancel = () => (grabbed = null);
  parts.root.oninput = ({ target }) => {
    const { action } = target.dataset;
    settings[action] = action === "paint" ? target.value : Number(target.value);
    later();
  };
  parts.root.onclick = ({ target }) => {
    if (target.closest("[data-action=front]")) Object.assign(settings, { turn: 0, tilt: 0 }), later();
  };

  el.classList.add("sepbook-embedding");
  el.replaceChildren(parts.root);
  draw();
  const unwatch = watch(el, later);
  el.sepbookEmbedding = {
    settings,
    draw,
    get seen() {
      return seen;
    },
    affinities: () => [...affinities(versions[settings.version].points, spec.directions, settings.chosen)],
  };
  return () => {
    unwatch();
    cancelAnimationFrame(waiting);
  };
}

export default { render };
