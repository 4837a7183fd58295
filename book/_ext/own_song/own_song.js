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

async function render({ model, el }) {
  const example = model.get("example");
  const { runtime, networks } = await (await fetch(at("networks.json"))).json();
  const [network] = networks; // a second one may join: then a choice comes before the button
  const parts = view({ network, runtime, title: example.spec.title });
  el.replaceChildren(parts.root);
  const state = { job: 0, worker: null, drop: null, busy: false, urls: [], recording: null, song: null, leave: null };
  const say = (words, wrong = false) => ((parts.status.textContent = words), parts.status.classList.toggle("os-wrong", wrong));

  const missing = lacking();
  if (missing) {
    parts.choose.disabled = parts.microphone.disabled = parts.example.disabled = true;
    say(`This browser has no ${missing}, so the network cannot run in it. The lab of the next pages runs everywhere.`, true);
    return;
  }

  // --- one job at a time: a new one ends the one before --------------------------------------------------
  function begin(words) {
    end();
    state.busy = true;
    parts.opened.inert = true; // the worker hears one question at a time
    parts.stop.hidden = false;
    parts.bar.hidden = false;
    parts.bar.removeAttribute("value");
    say(words);
    return state.job;
  }

  function rest() {
    state.busy = false;
    parts.opened.inert = false;
    parts.stop.hidden = parts.bar.hidden = true;
  }

  function end() {
    state.job++;
    state.worker?.terminate();
    state.drop?.(new Error("stopped")); // a worker that is gone never answers: whoever waits has to know
    Object.assign(state, { worker: null, drop: null });
    rest();
  }

  /** Ask the worker for something; `heard` gets what it says on the way. Resolves with its last word. */
  function ask(message, heard = () => {}) {
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

  function progress({ kind, share }) {
    parts.bar.value = share;
    say(kind === "loading" ? `Fetching the network: ${Math.round(100 * share)} %` : `Separating: ${Math.round(100 * share)} %`);
  }

  /** From a promise of a file to stems in the player. */
  async function separate(source, title, truth = null) {
    const job = begin("Reading the sound …");
    try {
      const file = await source();
      const channels = await decode(file, network.rate);
      if (job !== state.job) return;
      const found = await ask({ kind: "separate", channels }, progress);
      if (job !== state.job) return;
      await show(found, title ?? file.name.replace(/\.\w+$/, ""), truth);
      await opened(channels, title ?? file.name, truth);
      const took = `${found.seconds.toFixed(0)} s of sound, separated here.`;
      if (job === state.job) rest(), say(took);
    } catch (error) {
      if (job === state.job) end(), say(error.message, true);
    }
  }

  // --- what comes out ------------------------------------------------------------------------------------
  function clear() {
    state.leave?.();
    state.urls.forEach((url) => URL.revokeObjectURL(url));
    Object.assign(state, { urls: [], leave: null, song: null });
    parts.result.hidden = true;
  }

  async function show({ clips, seconds }, title, truth) {
    clear();
    const rows = [{ name: "mixture", colour: network.mixture_colour, whole: true }, ...network.sources.map((each) => ({ ...each, whole: false }))];
    const files = {};
    const described = [];
    for (const [i, { file, loudness, picture }] of clips.entries()) {
      const names = [`${i}.wav`, `${i}.png`];
      files[names[0]] = URL.createObjectURL(new Blob([file], { type: "audio/wav" }));
      files[names[1]] = await painted(picture, rows[i].colour);
      described.push({ row: rows[i].name, audio: names[0], picture: names[1], loudness });
    }
    state.urls = Object.values(files);
    const [mixture, ...stems] = described;
    const loudness = mixture.loudness;
    const versions = [
      { name: "mixture", whole: true, loudness, clips: [mixture] },
      { name: "U-Net", whole: false, loudness, clips: stems },
    ];
    if (truth) versions.push({ ...truth.version, loudness }), Object.assign(files, truth.files);
    const spec = { title, seconds, rate: network.rate, gain: 1, rows, versions };
    const data = { spec, files };
    const mount = document.createElement("div");
    parts.player.replaceChildren(mount);
    state.leave = player.render({ model: { get: (key) => data[key] }, el: mount });
    parts.downloads(title, network.sources.map(({ name }, s) => ({ name, url: files[`${s + 1}.wav`] })));
    state.song = { title, files: clips.slice(1).map(({ file }, s) => ({ name: `${network.sources[s].name}.wav`, bytes: new Uint8Array(file) })) };
    parts.result.hidden = false;
  }

  const network_view = openNetwork({ el: parts.opened, network, ask });
  const opened = (channels, title, truth) => network_view.take(channels, title, truth);

  function saveAll() {
    const url = URL.createObjectURL(zip(state.song.files));
    const link = Object.assign(document.createElement("a"), { href: url, download: `${state.song.title}.zip` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  // --- what goes in --------------------------------------------------------------------------------------
  const take = (files) => files?.length && separate(async () => files[0]);

  async function fromBook() {
    const { spec, files } = example;
    const [mixture, version] = spec.versions;
    const source = async () => {
      const answer = await fetch(files[mixture.clips[0].audio]);
      if (!answer.ok) throw new Error(`The song could not be fetched: the server answers ${answer.status}.`);
      return new File([await answer.blob()], spec.title);
    };
    separate(source, spec.title, { version, files });
  }

  async function microphone() {
    if (state.recording) return state.recording.stop();
    try {
      state.recording = await record(RECORDING);
    } catch (error) {
      return say(`The microphone cannot be used: ${error.message}.`, true);
    }
    parts.microphone.textContent = "Stop recording";
    say(`Recording, ${RECORDING} seconds at most …`);
    const file = await state.recording.file;
    state.recording = null;
    parts.microphone.textContent = "Record";
    separate(async () => file);
  }

  parts.choose.onchange = () => (take(parts.choose.files), (parts.choose.value = ""));
  parts.example.onclick = fromBook;
  parts.microphone.onclick = microphone;
  parts.stop.onclick = () => (end(), say("Stopped."));
  parts.all.onclick = saveAll;
  parts.root.ondragover = (event) => (event.preventDefault(), parts.root.classList.add("os-over"));
  parts.root.ondragleave = () => parts.root.classList.remove("os-over");
  parts.root.ondrop = (event) => {
    event.preventDefault();
    parts.root.classList.remove("os-over");
    take(event.dataTransfer.files);
  };
  addEventListener("pagehide", end);
  el.sepbookOwnSong = {
    take,
    get busy() {
      return state.busy;
    },
    network: network_view,
  };
}

export { render };
