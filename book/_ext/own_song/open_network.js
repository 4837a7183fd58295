// Open the network: see the maps of an encoder block, shut some of them or a skip, and hear what is left.
import { button, controls, element, minus } from "../widgets/explorer_parts.js";
import { Loop, playButton } from "../widgets/explorer_sound.js";

const SECONDS = 8; // of the song that is looked into
const decibels = (power) => 10 * Math.log10(power);

function energy(samples) {
  let sum = 1e-12;
  for (let n = 0; n < samples.length; n++) sum += samples[n] * samples[n];
  return sum;
}

const signed = (value) => minus((value < 0 ? "" : "+") + value.toFixed(1));

/** SI-SDR in dB of an estimate against a source: what of it is the source, against all else. */
export function siSdr(estimate, source) {
  let [product, power] = [0, 1e-12];
  for (let n = 0; n < source.length; n++) (product += estimate[n] * source[n]), (power += source[n] ** 2);
  const scale = product / power;
  let rest = 1e-12;
  for (let n = 0; n < source.length; n++) rest += (estimate[n] - scale * source[n]) ** 2;
  return decibels((scale * scale * power + 1e-12) / rest);
}

/** The loudest passage: where it begins. */
function loudest(samples, length) {
  let [best, most] = [0, -1];
  for (let start = 0; start + length <= samples.length; start += length >> 2) {
    const power = energy(samples.subarray(start, start + length));
    if (power > most) [best, most] = [start, power];
  }
  return best;
}

export function openNetwork({ el, network, ask }) {
  const { rate, sources, widths, layers } = network;
  const parts = controls("os", "network");
  const levels = parts.choice("level", "Encoder block", widths.map((_, l) => [l, String(l + 1)]), 0);
  const where = parts.choice("where", "A shut map is missing", [["both", "everywhere"], ["skip", "in the skip only"]], "both");
  const skips = element("fieldset", { class: "os-choice" }, element("legend", {}, "Shut a whole skip"), ...widths.slice(1).map((_, l) => button("skip", String(l + 1), { value: l, "aria-pressed": "false", "aria-label": `skip ${l + 1}` })));
  const heard = parts.choice("heard", "Listen to", sources.map(({ name }) => [name, name]), sources[0].name);
  const [play, reset] = [button("play", "▶ play"), button("reset", "open all")];
  const ledger = element("p", { class: "os-ledger" });
  const grid = element("div", { class: "os-maps" });
  const table = element("tbody");
  const head = element("tr", {}, ...["stem", "level", "change", "gain"].map((word) => element("th", { scope: "col" }, word)));
  const results = element("table", { class: "os-table" }, element("caption", {}, "What is left of each stem, in dB"), element("thead", {}, head), table);
  const loop = new Loop(rate);
  const state = { level: 0, shut: {}, samples: null, truth: null, whole: null, stems: null, maps: {}, busy: false, again: false };

  const stemOf = (name) => sources.findIndex((each) => each.name === name);
  const chosen = () => el.querySelector("[data-action=heard]:checked").value;
  const sound = () => state.stems && loop.put(state.stems[stemOf(chosen())]);

  /** Gates that are shut, as the worker wants them. */
  function shut() {
    const found = {};
    for (const [key, value] of Object.entries(state.shut)) if (value === "all" || value.size) found[key] = value === "all" ? "all" : [...value];
    return found;
  }

  /** Run the network as its gates are now; what is asked for meanwhile is done afterwards. */
  async function run() {
    if (state.busy) return void (state.again = true);
    state.busy = true;
    parts.status.textContent = "computing …";
    try {
      const also = state.whole ? [] : widths.map((_, l) => `encoder.${l}`);
      const found = await ask({ kind: "open", samples: state.samples, shut: shut(), also });
      state.stems = found.stems;
      if (!state.whole) Object.assign(state, { whole: found.stems, maps: found.pictures });
      parts.status.textContent = "";
    } catch (error) {
      parts.status.textContent = error.message;
    }
    state.busy = false;
    if (state.again) return (state.again = false), run();
    draw();
    sound();
  }

  // --- showing -------------------------------------------------------------------------------------------
  function row({ name }, s) {
    const level = decibels(energy(state.stems[s]) / energy(state.whole[s]));
    const cells = [name, decibels(energy(state.stems[s]) / state.samples.length).toFixed(1), signed(level)];
    const source = state.truth?.[s];
    const silent = !source || decibels(energy(source) / source.length) < -60;
    cells.push(silent ? "–" : signed(siSdr(state.stems[s], source) - siSdr(state.samples, source)));
    return element("tr", {}, ...cells.map((cell, i) => element(i ? "td" : "th", i ? {} : { scope: "row" }, minus(cell))));
  }

  function draw() {
    if (!state.whole) return;
    table.replaceChildren(...sources.map(row));
    const { H, F, T } = state.maps[`encoder.${state.level}`];
    const { parameters, macs } = layers[state.level];
    ledger.textContent = `encoder.${state.level}: (B=1, H=${H}, F=${F}, T=${T}) · ${parameters.toLocaleString("en")} parameters · ${(macs / 1e6).toFixed(1)} million MACs per second of audio`;
    for (const map of grid.children) map.setAttribute("aria-pressed", isShut(Number(map.value)));
    for (const skip of skips.querySelectorAll("button")) skip.setAttribute("aria-pressed", state.shut[`skip.${skip.value}`] === "all");
  }

  const isShut = (h) => ["skip", "down"].some((kind) => { const gate = state.shut[`${kind}.${state.level}`]; return gate?.has?.(h) ?? false; });

  function paint() {
    const { H, rows, columns, pixels } = state.maps[`encoder.${state.level}`];
    const maps = Array.from({ length: H }, (_, h) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
      const image = new ImageData(columns, rows);
      for (let f = 0; f < rows; f++) for (let t = 0; t < columns; t++) {
        const i = 4 * (f * columns + t);
        image.data[i] = image.data[i + 1] = image.data[i + 2] = 128;
        image.data[i + 3] = pixels[(h * rows + rows - 1 - f) * columns + t];
      }
      canvas.getContext("2d").putImageData(image, 0, 0);
      return Object.assign(button("map", "", { value: h, "aria-label": `map ${h + 1} of encoder block ${state.level + 1}`, "aria-pressed": "false" })).appendChild(canvas).parentElement;
    });
    grid.replaceChildren(...maps);
    draw();
  }

  // --- doing ---------------------------------------------------------------------------------------------
  function flipMap(h) {
    const last = state.level === widths.length - 1;
    const kinds = last ? ["down"] : el.querySelector("[data-action=where]:checked").value === "skip" ? ["skip"] : ["skip", "down"];
    const open = isShut(h);
    for (const kind of open ? ["skip", "down"] : kinds) {
      const key = `${kind}.${state.level}`;
      if (state.shut[key] === "all") continue;
      const gate = (state.shut[key] ??= new Set());
      open ? gate.delete(h) : gate.add(h);
    }
    draw();
    run();
  }

  function flipSkip(level) {
    const key = `skip.${level}`;
    state.shut[key] = state.shut[key] === "all" ? new Set() : "all";
    draw();
    run();
  }

  function openAll() {
    state.shut = {};
    draw();
    run();
  }

  el.onclick = ({ target }) => {
    const { dataset, value } = target.closest("button") ?? { dataset: {} };
    if (dataset.action === "map") flipMap(Number(value));
    if (dataset.action === "skip") flipSkip(Number(value));
    if (dataset.action === "reset") openAll();
  };
  el.oninput = ({ target: { dataset, value } }) => {
    if (dataset.action === "level") (state.level = Number(value)), paint();
    if (dataset.action === "heard") sound();
  };
  playButton({ el, button: play, loop, seconds: SECONDS, ready: async () => Boolean(state.stems) });
  const [title, tools] = [element("p", { class: "os-title" }), element("div", { class: "os-tools" }, heard, play, reset)];
  const help = element("p", { class: "os-words" }, "Press a map to shut it, and again to open it.");
  el.replaceChildren(title, element("div", { class: "os-tools" }, levels, where, skips), ledger, help, grid, tools, parts.status, results);

  /** Decode the true stems of a song of the book, for numbers. */
  async function truthOf({ version, files }, start, length) {
    const found = await Promise.all(
      sources.map(async ({ name }) => {
        const clip = version.clips.find(({ row: stem }) => stem === name);
        const bytes = await (await fetch(files[clip.audio])).arrayBuffer();
        return (await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes)).getChannelData(0).slice(start, start + length);
      })
    );
    return found;
  }

  return {
    state,
    /** Look into the loudest passage of a song, its channels averaged. */
    async take(channels, name, truth) {
      const mono = channels[0].slice();
      if (channels.length > 1) for (let n = 0; n < mono.length; n++) mono[n] = (mono[n] + channels[1][n]) / 2;
      const length = Math.min(SECONDS * rate, mono.length);
      const start = loudest(mono, length);
      Object.assign(state, { samples: mono.slice(start, start + length), shut: {}, whole: null, truth: null });
      if (truth) state.truth = await truthOf(truth, start, length).catch(() => null);
      title.textContent = `Inside the network: “${name}” from ${(start / rate).toFixed(0)} s to ${((start + length) / rate).toFixed(0)} s`;
      await run();
      if (!state.whole) return;
      el.hidden = false;
      paint();
    },
  };
}
