// Your own song: a sound goes in, its stems come out, and nothing leaves the page.
//   model.get("example")  {spec, files}: a song of the book as the stem player describes it
import player from "../widgets/player.js";
import { decode, record } from "./decode.js";
import { zip } from "./files.js";
import { openNetwork } from "./open_network.js";
import { view } from "./own_song_view.js";

const RECORDING = 30; // seconds at most
const at = (file) => new URL(file, import.meta.url);

/** Why this browser cannot do it, or undefined. */
function lacking() {
  if (typeof WebAssembly !== "object") return "WebAssembly";
  if (typeof Worker !== "function") return "web workers";
  if (typeof DecompressionStream !== "function") return "DecompressionStream";
  if (typeof OfflineAudioContext !== "function") return "Web Audio";
}

/** A picture of the player: opacities in one colour, as a PNG's address. */
async function painted({ width, height, levels }, colour) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const image = new ImageData(width, height);
  const rgb = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  for (let i = 0; i < levels.length; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = rgb[c];
    image.data[4 * i + 3] = levels[i];
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return URL.createObjectURL(await new Promise((done) => canvas.toBlob(done)));
}

/** What the stem player shows of a separation: its description, and the addresses of its files. */
async function described({ clips, seconds }, network, title, truth) {
  const rows = [{ name: "mixture", colour: network.mixture_colour, whole: true }, ...network.sources.map((each) => ({ ...each, whole: false }))];
  const files = {};
  const shown = [];
  for (const [i, { file, loudness, picture }] of clips.entries()) {
    const [audio, image] = [`${i}.wav`, `${i}.png`];
    files[audio] = URL.createObjectURL(new Blob([file], { type: "audio/wav" }));
    files[image] = await painted(picture, rows[i].colour);
    shown.push({ row: rows[i].name, audio, picture: image, loudness });
  }
  const urls = Object.values(files);
  const [mixture, ...stems] = shown;
  const { loudness } = mixture;
  const versions = [
    { name: "mixture", whole: true, loudness, clips: [mixture] },
    { name: "U-Net", whole: false, loudness, clips: stems },
  ];
  if (truth) versions.push({ ...truth.version, loudness }), Object.assign(files, truth.files);
  return { urls, files, spec: { title, seconds, rate: network.rate, gain: 1, rows, versions } };
}

/** One job at a time: a new one ends the one before. */
class Desk {
  state = { job: 0, worker: null, drop: null, busy: false, urls: [], recording: null, song: null, leave: null };

  constructor(parts, { runtime, networks }) {
    const [network] = networks; // a second one may join: then a choice comes before the button
    Object.assign(this, { parts, runtime, network });
    this.inside = openNetwork({ el: parts.opened, network, ask: (message) => this.ask(message) });
  }

  say(words, wrong = false) {
    this.parts.status.textContent = words;
    this.parts.status.classList.toggle("os-wrong", wrong);
  }

  begin(words) {
    const { parts, state } = this;
    this.end();
    state.busy = true;
    parts.opened.inert = true; // the worker hears one question at a time
    parts.stop.hidden = parts.bar.hidden = false;
    parts.bar.removeAttribute("value");
    this.say(words);
    return state.job;
  }

  rest() {
    const { parts, state } = this;
    state.busy = parts.opened.inert = false;
    parts.stop.hidden = parts.bar.hidden = true;
  }

  end() {
    const { state } = this;
    state.job++;
    state.worker?.terminate();
    state.drop?.(new Error("stopped")); // a worker that is gone never answers: whoever waits has to know
    Object.assign(state, { worker: null, drop: null });
    this.rest();
  }

  /** Ask the worker for something; `heard` gets what it says on the way. Resolves with its last word. */
  ask(message, heard = () => {}) {
    const { state, network, runtime } = this;
    state.worker ??= new Worker(at("worker.js"), { type: "module" });
    return new Promise((done, failed) => {
      state.drop = failed;
      state.worker.onmessage = ({ data }) => {
        if (data.kind === "failed") failed(new Error(data.message));
        else if (["done", "opened"].includes(data.kind)) done(data);
        else heard(data);
      };
      state.worker.onerror = (event) => failed(new Error(event.message || "the worker could not be started"));
      state.worker.postMessage({ network, runtime, ...message });
    });
  }

  progress({ kind, share }) {
    this.parts.bar.value = share;
    const percent = Math.round(100 * share);
    this.say(kind === "loading" ? `Fetching the network: ${percent} %` : `Separating: ${percent} %`);
  }

  /** From a promise of a file to stems in the player. */
  async separate(source, title, truth = null) {
    const { state, network } = this;
    const job = this.begin("Reading the sound …");
    try {
      const file = await source();
      const channels = await decode(file, network.rate);
      if (job !== state.job) return;
      const found = await this.ask({ kind: "separate", channels }, (news) => this.progress(news));
      if (job !== state.job) return;
      await this.show(found, title ?? file.name.replace(/\.\w+$/, ""), truth);
      await this.inside.take(channels, title ?? file.name, truth);
      if (job === state.job) this.rest(), this.say(`${found.seconds.toFixed(0)} s of sound, separated here.`);
    } catch (error) {
      if (job === state.job) this.end(), this.say(error.message, true);
    }
  }

  // --- what comes out ------------------------------------------------------------------------------------
  clear() {
    const { parts, state } = this;
    state.leave?.();
    state.urls.forEach((url) => URL.revokeObjectURL(url));
    Object.assign(state, { urls: [], leave: null, song: null });
    parts.result.hidden = true;
  }

  async show(found, title, truth) {
    const { parts, state, network } = this;
    this.clear();
    const data = await described(found, network, title, truth);
    state.urls = data.urls;
    const mount = document.createElement("div");
    parts.player.replaceChildren(mount);
    state.leave = player.render({ model: { get: (key) => data[key] }, el: mount });
    parts.downloads(title, network.sources.map(({ name }, s) => ({ name, url: data.files[`${s + 1}.wav`] })));
    const stems = found.clips.slice(1).map(({ file }, s) => ({ name: `${network.sources[s].name}.wav`, bytes: new Uint8Array(file) }));
    state.song = { title, files: stems };
    parts.result.hidden = false;
  }

  saveAll() {
    const { title, files } = this.state.song;
    const url = URL.createObjectURL(zip(files));
    Object.assign(document.createElement("a"), { href: url, download: `${title}.zip` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  // --- what goes in --------------------------------------------------------------------------------------
  take(files) {
    if (files?.length) return this.separate(async () => files[0]);
  }

  fromBook({ spec, files }) {
    const [mixture, version] = spec.versions;
    const source = async () => {
      const answer = await fetch(files[mixture.clips[0].audio]);
      if (!answer.ok) throw new Error(`The song could not be fetched: the server answers ${answer.status}.`);
      return new File([await answer.blob()], spec.title);
    };
    this.separate(source, spec.title, { version, files });
  }

  async microphone() {
    const { parts, state } = this;
    if (state.recording) return state.recording.stop();
    try {
      state.recording = await record(RECORDING);
    } catch (error) {
      return this.say(`The microphone cannot be used: ${error.message}.`, true);
    }
    parts.microphone.textContent = "Stop recording";
    this.say(`Recording, ${RECORDING} seconds at most …`);
    const file = await state.recording.file;
    state.recording = null;
    parts.microphone.textContent = "Record";
    this.separate(async () => file);
  }

  listen(example) {
    const { parts, parts: { root } } = this;
    const over = (is) => root.classList.toggle("os-over", is);
    parts.choose.onchange = () => (this.take(parts.choose.files), (parts.choose.value = ""));
    parts.example.onclick = () => this.fromBook(example);
    parts.microphone.onclick = () => this.microphone();
    parts.stop.onclick = () => (this.end(), this.say("Stopped."));
    parts.all.onclick = () => this.saveAll();
    root.ondragover = (event) => (event.preventDefault(), over(true));
    root.ondragleave = () => over(false);
    root.ondrop = (event) => {
      event.preventDefault();
      over(false);
      this.take(event.dataTransfer.files);
    };
    addEventListener("pagehide", () => this.end());
  }
}

async function render({ model, el }) {
  const example = model.get("example");
  const found = await (await fetch(at("networks.json"))).json();
  const parts = view({ network: found.networks[0], runtime: found.runtime, title: example.spec.title });
  el.replaceChildren(parts.root);
  const desk = new Desk(parts, found);
  const missing = lacking();
  if (missing) {
    parts.choose.disabled = parts.microphone.disabled = parts.example.disabled = true;
    return desk.say(`This browser has no ${missing}, so the network cannot run in it. The lab of the next pages runs everywhere.`, true);
  }
  desk.listen(example);
  el.sepbookOwnSong = { take: (files) => desk.take(files), get busy() { return desk.state.busy; }, network: desk.inside };
}

export { render };
