// What explorers play: one loop, whose content may change at any moment without a click.
import { Clock, bytes, openContext, turns, watchDevice } from "./explorer_clock.js";

const HANDOVER = 0.06; // seconds until a new sound has started: `Clock` needs as long
const EDGE = 0.005; // seconds: the ends of the loop are faded, so that its seam is not heard

/** The samples of a mono 16-bit WAV file, from -1 to 1: exactly those that Python wrote, without any decoder's delay. */
export async function readWav(file) {
  const view = new DataView(await bytes(file));
  let at = 12;
  while (view.getUint32(at) !== 0x64617461) at += 8 + view.getUint32(at + 4, true); // until "data"
  const count = view.getUint32(at + 4, true) / 2;
  return Float32Array.from({ length: count }, (_, n) => view.getInt16(at + 8 + 2 * n, true) / 32768);
}

export class Loop {
  #count = 0;

  constructor(rate) {
    Object.assign(this, { rate, clock: null, samples: null });
  }

  get playing() {
    return this.clock?.playing ?? false;
  }

  get time() {
    return this.clock?.time ?? 0;
  }

  /** Make the clock if there is none, and wake it: call this while the user's gesture lasts. */
  wake(seconds) {
    if (!this.clock) {
      this.clock = new Clock(openContext(this.rate), seconds);
      this.clock.setLoop(true);
    }
    this.clock.context.resume();
  }

  /** Play these samples from now on, in place of the ones before and at the same time in the loop. */
  put(samples) {
    this.samples = samples;
    if (!this.clock) return;
    const { clock, rate } = this;
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
    const edge = EDGE * rate;
    const fade = (_, n) => samples[n] * Math.min(1, n / edge, (samples.length - 1 - n) / edge);
    buffer.copyToChannel(Float32Array.from({ length: samples.length }, fade), 0);
    const then = clock.context.currentTime + HANDOVER;
    for (const [key, { gain, source }] of clock.strips) {
      gain.gain.setTargetAtTime(0, then, 0.004);
      source?.stop(then + 0.1);
      clock.strips.delete(key);
    }
    clock.add(++this.#count, buffer);
    clock.setGain(this.#count, 1);
  }

  async play(seconds) {
    this.wake(seconds);
    if (this.samples) this.put(this.samples);
    this.clock.play();
  }

  pause() {
    this.clock?.pause();
    setTimeout(() => !this.playing && this.clock?.context.state === "running" && this.clock.context.suspend(), 200);
  }

  close() {
    this.clock?.context.close();
  }
}

/** A place at the end of an element that says what keeps it from sounding, and goes when there is nothing to say. */
export function complaints(el) {
  const place = document.createElement("p");
  place.setAttribute("role", "alert");
  return (words) => {
    if (!words) return place.remove();
    if (!place.isConnected) el.append(place);
    if (place.textContent !== words) place.textContent = words;
  };
}

/**
 * Give life to a button that plays a loop. `ready` prepares the sound and says whether there is one; `follow` is called
 * after each start and stop. Returns `toggle`, which does what the button does, and `close`.
 */
export function playButton({ el, button, loop, seconds, ready, follow = () => {} }) {
  const words = button.textContent;
  const others = turns(el, () => loop.playing && pause());
  const complain = complaints(el);
  let wanted = false; // the listener wants it to play (its sound may still be loading)

  function show() {
    button.textContent = loop.playing ? "❚❚ pause" : words;
    follow();
  }

  function pause() {
    wanted = false;
    loop.pause();
    show();
  }

  async function toggle() {
    if (loop.playing) return pause();
    others.begin();
    try {
      loop.wake(seconds);
    } catch (error) {
      return complain(error.message);
    }
    wanted = true;
    watchDevice(loop.clock.context, () => wanted, complain);
    if (await ready()) await loop.play(seconds);
    wanted = loop.playing;
    show();
  }

  function close() {
    others.leave();
    wanted = false;
    loop.pause();
    loop.close();
  }

  button.onclick = toggle;
  return { toggle, close };
}

/** Do something when nothing has asked for it for a moment: a slider that is being moved does not wait for each value. */
export class Later {
  #timer = null;

  constructor(act) {
    this.act = act;
  }

  get busy() {
    return this.#timer !== null;
  }

  ask() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.act();
    }, 60);
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/**
 * A loop of computed sound: `samples(rate, length)` gives it at any moment, `load` says whether there is one. Returns the
 * loop, `ask`, which is called after each change, `busy`, and how to stop.
 */
export function computed({ el, button, rate, seconds, samples, load = () => true, follow }) {
  const loop = new Loop(rate);
  const put = () => loop.put(samples(rate, Math.round(rate * seconds)));
  const later = new Later(put);
  const ready = async () => {
    if (!(await load())) return false;
    put();
    return true;
  };
  const play = playButton({ el, button, loop, seconds, ready, follow });
  return {
    loop,
    ask: () => loop.clock && later.ask(),
    get busy() {
      return later.busy;
    },
    stop() {
      later.cancel();
      play.close();
    },
  };
}

/** Return a function that reads the sounds once; what fails is said, and may be repeated. */
export function once(read, status) {
  let loading;
  return () =>
    (loading ??= read().catch((error) => {
      loading = null;
      status.textContent = `The sounds could not be loaded: ${error.message}`;
    }));
}

/** Act when an element first comes into view, and say so until then. Returns how to stop waiting. */
export function whenSeen(el, act, status) {
  const seen = new IntersectionObserver(([entry]) => entry.isIntersecting && (seen.disconnect(), act()));
  status.textContent = "The sounds are loaded when this comes into view.";
  seen.observe(el);
  return () => seen.disconnect();
}
