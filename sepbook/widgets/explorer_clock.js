// The sound of the stem player: one clock for all clips, the arithmetic of what is heard, loading on demand.

const NO_WEB_AUDIO = "This browser has no Web Audio, so nothing can play here.";
const NO_DEVICE = "No sound device answers. Connect loudspeakers or headphones: the sound begins as soon as there is one.";
const PATIENCE = 1500; // ms that a sound device may take to start before the listener is told
const FADE = 0.004; // seconds: time constant of every change of gain, so that no edge is heard
const LEAD = 0.06; // seconds between asking for a start and the start, so that all stems begin together

/** Every clip has its own gain, and all clips follow one clock: the audio context's. */
export class Clock {
  constructor(context, seconds) {
    Object.assign(this, { context, seconds, loop: false, playing: false, from: 0, since: 0, strips: new Map() });
    this.master = new GainNode(context);
    this.master.connect(context.destination);
  }

  /** Song time in seconds at a time of the context. */
  at(moment) {
    if (!this.playing) return this.from;
    const time = this.from + Math.max(0, moment - this.since);
    return this.loop ? time % this.seconds : Math.min(time, this.seconds);
  }

  get time() {
    return this.at(this.context.currentTime);
  }

  /** A further clip; while the clock runs, it joins in at the right place. */
  add(key, buffer) {
    const gain = new GainNode(this.context, { gain: 0 });
    gain.connect(this.master);
    this.strips.set(key, { buffer, gain });
    if (this.playing) this.#start(this.strips.get(key), Math.max(this.since, this.context.currentTime + LEAD));
  }

  #start(strip, when) {
    const { context, seconds, loop } = this;
    const fade = new GainNode(context, { gain: 0 });
    const source = new AudioBufferSourceNode(context, { buffer: strip.buffer, loop, loopEnd: seconds });
    source.connect(fade).connect(strip.gain);
    fade.gain.setTargetAtTime(1, when, FADE);
    source.start(when, this.at(when));
    Object.assign(strip, { source, fade });
  }

  #stop(strip) {
    const now = this.context.currentTime;
    strip.fade?.gain.cancelScheduledValues(now).setTargetAtTime(0, now, FADE);
    strip.source?.stop(now + 10 * FADE);
    strip.source = strip.fade = null;
  }

  play() {
    if (this.playing) return;
    if (this.from >= this.seconds) this.from = 0;
    this.since = this.context.currentTime + LEAD;
    this.playing = true;
    for (const strip of this.strips.values()) this.#start(strip, this.since);
  }

  pause() {
    this.from = this.time;
    this.playing = false;
    for (const strip of this.strips.values()) this.#stop(strip);
  }

  seek(time) {
    const playing = this.playing;
    if (playing) this.pause();
    this.from = Math.min(Math.max(time, 0), this.seconds);
    if (playing) this.play();
  }

  setLoop(loop) {
    const { time, context, playing } = this;
    if (playing && context.currentTime > this.since) Object.assign(this, { from: time, since: context.currentTime });
    this.loop = loop;
    for (const { source } of this.strips.values()) if (source) source.loop = loop;
  }

  setVolume(value) {
    this.master.gain.setTargetAtTime(value, this.context.currentTime, FADE);
  }

  setGain(key, value) {
    this.strips.get(key)?.gain.gain.setTargetAtTime(value, this.context.currentTime, FADE);
  }
}

/** An audio context at this rate that plays even when a phone is set to silent. Call it while the user's gesture lasts. */
export function openContext(sampleRate) {
  if (typeof AudioContext !== "function") throw new Error(NO_WEB_AUDIO);
  if (navigator.audioSession) navigator.audioSession.type = "playback"; // iOS: sound despite the silent switch
  return new AudioContext({ sampleRate });
}

/** Tell the listener when a context that was woken stands still, and take it back when it moves or is `wanted` no more. */
export function watchDevice(context, wanted, say) {
  const start = context.currentTime;
  let told = false;
  const look = () => {
    if (!wanted() || context.currentTime > start) return told && say("");
    say(NO_DEVICE);
    told = true;
    setTimeout(look, 250);
  };
  setTimeout(look, PATIENCE);
}

const decibels = (power) => 10 * Math.log10(power);

/** Loudness in dB of what is heard of a version: measured for one stem and for all, summed as powers in between. */
export function loudness(version, heard) {
  const clips = version.whole ? version.clips : version.clips.filter((clip) => heard(clip.row));
  if (clips.length === version.clips.length) return version.loudness ?? -Infinity;
  return decibels(clips.reduce((sum, clip) => sum + 10 ** ((clip.loudness ?? -Infinity) / 10), 0));
}

/** Which rows of a version sound, as a function: a solo counts where the version has that row. */
export function audible({ clips }, { solo, mute }) {
  const soloed = clips.some(({ row }) => solo.has(row));
  return (row) => !mute.has(row) && (!soloed || solo.has(row));
}

/** The gain of every clip, as a list of {row: gain}: only the chosen version sounds, turned down to its quietest rival (12 dB at most). */
export function gains(versions, state) {
  const heard = versions.map((each) => audible(each, state));
  const loud = versions.map((each, v) => loudness(each, heard[v]));
  const chosen = versions[state.version];
  const down = Math.max(-12, Math.min(...loud.filter(Number.isFinite)) - loud[state.version]);
  const factor = state.matched && Number.isFinite(down) ? 10 ** (down / 20) : 1;
  return versions.map((each, v) => {
    const level = ({ row }) => [row, each === chosen && (each.whole || heard[v](row)) ? factor : 0];
    return Object.fromEntries(each.clips.map(level));
  });
}

/** The bytes of a file: an address to fetch on a book page, a DataView from a kernel. */
export async function bytes(file) {
  if (typeof file !== "string") return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${file} answers ${answer.status}`);
  return answer.arrayBuffer();
}

/** One sound at a time on a page: `begin` silences all others, `stop` is called when another begins; `leave` ends this. */
export function turns(el, stop) {
  const heard = ({ detail }) => detail !== el && stop();
  document.addEventListener("sepbook-play", heard);
  return {
    begin: () => document.dispatchEvent(new CustomEvent("sepbook-play", { detail: el })),
    leave: () => document.removeEventListener("sepbook-play", heard),
  };
}

/** The clips of one player on one clock. The clock is made at the first play: before a gesture no sound may start. */
export class Sound {
  #from = 0;
  #loads = new Map(); // "version/row" -> a promise of its clip on the clock
  #ready = new Set();

  constructor({ seconds, rate, versions }, files) {
    Object.assign(this, { seconds, rate, versions, files, clock: null });
  }

  get playing() {
    return this.clock?.playing ?? false;
  }

  get time() {
    return this.clock ? this.clock.time : this.#from;
  }

  get ended() {
    return this.playing && !this.clock.loop && this.time >= this.seconds;
  }

  seek(time) {
    this.#from = Math.min(Math.max(time, 0), this.seconds);
    this.clock?.seek(this.#from);
  }

  /** Make the clock if there is none, and wake it: call this while the user's gesture lasts. */
  wake() {
    if (!this.clock) {
      this.clock = new Clock(openContext(Math.min(Math.max(this.rate, 8000), 48000)), this.seconds);
      this.clock.from = this.#from;
    }
    this.clock.context.resume();
  }

  pause() {
    this.clock?.pause();
    const rest = () => !this.playing && this.clock?.context.state === "running" && this.clock.context.suspend();
    setTimeout(rest, 200); // after the fade: a sleeping clock saves the battery
  }

  /** Whether these rows of a version need not be fetched any more. */
  has(version, rows) {
    return rows.every((row) => this.#ready.has(`${version}/${row}`));
  }

  /** Fetch and decode these rows of a version, each once; a failed attempt may be repeated. */
  load(version, rows) {
    return Promise.all(rows.map((row) => this.#load(version, row)));
  }

  #load(version, row) {
    const key = `${version}/${row}`;
    if (!this.#loads.has(key)) this.#loads.set(key, this.#decode(version, row, key).catch((error) => {
      this.#loads.delete(key);
      throw error;
    }));
    return this.#loads.get(key);
  }

  async #decode(version, row, key) {
    const { audio } = this.versions[version].clips.find((clip) => clip.row === row);
    this.clock.add(key, await this.clock.context.decodeAudioData(await bytes(this.files[audio])));
    this.#ready.add(key);
  }

  /** Set the gain of every clip: levels[version][row], as `gains` returns them. */
  level(levels) {
    levels.forEach((rows, v) => Object.keys(rows).forEach((row) => this.clock?.setGain(`${v}/${row}`, rows[row])));
  }

  /** The gain of a clip at this moment, or undefined while it is not loaded. */
  gain(version, row) {
    return this.clock?.strips.get(`${version}/${row}`)?.gain.gain.value;
  }

  close() {
    this.clock?.context.close();
  }
}
