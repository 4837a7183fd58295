// Open the network: see the maps of an encoder block, shut some of them or a skip, and hear what is left.
import { button, controls, element, minus } from "../widgets/explorer_parts.js";
import { Loop, playButton } from "../widgets/explorer_sound.js";
import { decibels, energy, loudest, siSdr } from "./open_network_measures.js";

const SECONDS = 8; // of the song that is looked into
const SILENT = -60; // dB: a source below this has no score

const signed = (value) => minus((value < 0 ? "" : "+") + value.toFixed(1));

/** The elements, without behaviour. */
function view({ sources, widths }) {
  const parts = controls("os", "network");
  const levels = parts.choice("level", "Encoder block", widths.map((_, l) => [l, String(l + 1)]), 0);
  const where = parts.choice("where", "A shut map is missing", [["both", "everywhere"], ["skip", "in the skip only"]], "both");
  const skips = element("fieldset", { class: "os-choice" }, element("legend", {}, "Shut a whole skip"), ...widths.slice(1).map((_, l) => button("skip", String(l + 1), { value: l, "aria-pressed": "false", "aria-label": `skip ${l + 1}` })));
  const heard = parts.choice("heard", "Listen to", sources.map(({ name }) => [name, name]), sources[0].name);
  const play = button("play", "▶ play");
  const [title, ledger] = [element("p", { class: "os-title" }), element("p", { class: "os-ledger" })];
  const [grid, table] = [element("div", { class: "os-maps" }), element("tbody")];
  const head = element("tr", {}, ...["stem", "level", "change", "gain"].map((word) => element("th", { scope: "col" }, word)));
  const results = element("table", { class: "os-table" }, element("caption", {}, "What is left of each stem, in dB"), element("thead", {}, head), table);
  const tools = (...children) => element("div", { class: "os-tools" }, ...children);
  const help = element("p", { class: "os-words" }, "Press a map to shut it, and again to open it.");
  const all = [title, tools(levels, where, skips), ledger, help, grid, tools(heard, play, button("reset", "open all")), parts.status, results];
  return { all, skips, play, title, ledger, grid, table, status: parts.status };
}

/** One map as a button with its picture: opacities, from above to below. */
function mapButton({ rows, columns, pixels }, h, level) {
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const image = new ImageData(columns, rows);
  for (let f = 0; f < rows; f++) {
    for (let t = 0; t < columns; t++) {
      const i = 4 * (f * columns + t);
      image.data.fill(128, i, i + 3);
      image.data[i + 3] = pixels[(h * rows + rows - 1 - f) * columns + t];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  const made = button("map", "", { value: h, "aria-label": `map ${h + 1} of encoder block ${level + 1}`, "aria-pressed": "false" });
  made.append(canvas);
  return made;
}

/** Decode the true stems of a song of the book, for numbers. */
function truthOf({ version, files }, { rate, sources }, start, length) {
  return Promise.all(
    sources.map(async ({ name }) => {
      const clip = version.clips.find(({ row }) => row === name);
      const bytes = await (await fetch(files[clip.audio])).arrayBuffer();
      return (await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes)).getChannelData(0).slice(start, start + length);
    })
  );
}

class Opened {
  state = { level: 0, shut: {}, samples: null, truth: null, whole: null, stems: null, maps: {}, busy: false, again: false };

  constructor(el, network, ask) {
    Object.assign(this, { el, network, ask, parts: view(network), loop: new Loop(network.rate) });
    el.replaceChildren(...this.parts.all);
    el.onclick = (event) => this.onClick(event);
    el.oninput = (event) => this.onInput(event);
    playButton({ el, button: this.parts.play, loop: this.loop, seconds: SECONDS, ready: async () => Boolean(this.state.stems) });
  }

  checked(action) {
    return this.el.querySelector(`[data-action=${action}]:checked`).value;
  }

  sound() {
    const { stems } = this.state;
    if (stems) this.loop.put(stems[this.network.sources.findIndex(({ name }) => name === this.checked("heard"))]);
  }

  /** Gates that are shut, as the worker wants them. */
  get shut() {
    const closed = Object.entries(this.state.shut).filter(([, gate]) => gate === "all" || gate.size);
    return Object.fromEntries(closed.map(([key, gate]) => [key, gate === "all" ? "all" : [...gate]]));
  }

  /** Run the network as its gates are now; what is asked for meanwhile is done afterwards. */
  async run() {
    const { state, parts: { status } } = this;
    if (state.busy) return void (state.again = true);
    state.busy = true;
    status.textContent = "computing …";
    try {
      const also = state.whole ? [] : this.network.widths.map((_, l) => `encoder.${l}`);
      const found = await this.ask({ kind: "open", samples: state.samples, shut: this.shut, also });
      state.stems = found.stems;
      if (!state.whole) Object.assign(state, { whole: found.stems, maps: found.pictures });
      status.textContent = "";
    } catch (error) {
      status.textContent = error.message;
    }
    state.busy = false;
    if (state.again) return (state.again = false), this.run();
    this.draw();
    this.sound();
  }

  // --- showing -------------------------------------------------------------------------------------------
  row({ name }, s) {
    const { stems, whole, samples, truth } = this.state;
    const source = truth?.[s];
    const silent = !source || decibels(energy(source) / source.length) < SILENT;
    const cells = [
      name,
      decibels(energy(stems[s]) / samples.length).toFixed(1),
      signed(decibels(energy(stems[s]) / energy(whole[s]))),
      silent ? "–" : signed(siSdr(stems[s], source) - siSdr(samples, source)),
    ];
    return element("tr", {}, ...cells.map((cell, i) => element(i ? "td" : "th", i ? {} : { scope: "row" }, minus(cell))));
  }

  draw() {
    const { state, parts, network } = this;
    if (!state.whole) return;
    parts.table.replaceChildren(...network.sources.map((source, s) => this.row(source, s)));
    const { H, F, T } = state.maps[`encoder.${state.level}`];
    const { parameters, macs } = network.layers[state.level];
    parts.ledger.textContent = `encoder.${state.level}: (B=1, H=${H}, F=${F}, T=${T}) · ${parameters.toLocaleString("en")} parameters · ${(macs / 1e6).toFixed(1)} million MACs per second of audio`;
    for (const map of parts.grid.children) map.setAttribute("aria-pressed", this.isShut(Number(map.value)));
    for (const skip of parts.skips.querySelectorAll("button")) skip.setAttribute("aria-pressed", state.shut[`skip.${skip.value}`] === "all");
  }

  isShut(h) {
    return ["skip", "down"].some((kind) => this.state.shut[`${kind}.${this.state.level}`]?.has?.(h) ?? false);
  }

  paint() {
    const { level, maps } = this.state;
    const block = maps[`encoder.${level}`];
    this.parts.grid.replaceChildren(...Array.from({ length: block.H }, (_, h) => mapButton(block, h, level)));
    this.draw();
  }

  // --- doing ---------------------------------------------------------------------------------------------
  changed() {
    this.draw();
    this.run();
  }

  flipMap(h) {
    const { level, shut } = this.state;
    const last = level === this.network.widths.length - 1;
    const open = this.isShut(h);
    const kinds = last ? ["down"] : this.checked("where") === "skip" ? ["skip"] : ["skip", "down"];
    for (const kind of open ? ["skip", "down"] : kinds) {
      const key = `${kind}.${level}`;
      if (shut[key] === "all") continue;
      const gate = (shut[key] ??= new Set());
      open ? gate.delete(h) : gate.add(h);
    }
    this.changed();
  }

  flipSkip(level) {
    const { shut } = this.state;
    shut[`skip.${level}`] = shut[`skip.${level}`] === "all" ? new Set() : "all";
    this.changed();
  }

  onClick({ target }) {
    const { dataset, value } = target.closest("button") ?? { dataset: {} };
    if (dataset.action === "map") this.flipMap(Number(value));
    if (dataset.action === "skip") this.flipSkip(Number(value));
    if (dataset.action === "reset") (this.state.shut = {}), this.changed();
  }

  onInput({ target: { dataset, value } }) {
    if (dataset.action === "level") (this.state.level = Number(value)), this.paint();
    if (dataset.action === "heard") this.sound();
  }

  /** Look into the loudest passage of a song, its channels averaged. */
  async take(channels, name, truth) {
    const { state, network, network: { rate } } = this;
    const mono = channels[0].slice();
    if (channels.length > 1) for (let n = 0; n < mono.length; n++) mono[n] = (mono[n] + channels[1][n]) / 2;
    const length = Math.min(SECONDS * rate, mono.length);
    const start = loudest(mono, length);
    Object.assign(state, { samples: mono.slice(start, start + length), shut: {}, whole: null, truth: null });
    if (truth) state.truth = await truthOf(truth, network, start, length).catch(() => null);
    this.parts.title.textContent = `Inside the network: “${name}” from ${(start / rate).toFixed(0)} s to ${((start + length) / rate).toFixed(0)} s`;
    await this.run();
    if (!state.whole) return;
    this.el.hidden = false;
    this.paint();
  }
}

export const openNetwork = ({ el, network, ask }) => new Opened(el, network, ask);
