// The sounds of one trial on one clock: they all run, and one of them is heard. So a switch keeps the place and has no gap.
import { Clock, openContext, turns, watchDevice } from "./explorer_clock.js";
import { complaints, readWav } from "./explorer_sound.js";

const SEAM = 0.01; // seconds: the ends are faded, so that the seam of the loop is not heard

export class Desk {
  #buffers = {};

  constructor(el, { rate, seconds }, files, show) {
    Object.assign(this, { rate, seconds, files, show, clock: null, label: null });
    this.others = turns(el, () => this.pause());
    this.complain = complaints(el);
  }

  get playing() {
    return this.clock?.playing ?? false;
  }

  get time() {
    return this.clock?.time ?? 0;
  }

  /** Make the clock if there is none, and wake it: call this while the listener's gesture lasts. */
  wake() {
    if (!this.clock) {
      this.clock = new Clock(openContext(this.rate), this.seconds);
      this.clock.setLoop(true);
    }
    this.clock.context.resume();
  }

  async #buffer(file) {
    const samples = await readWav(this.files[file]);
    const edge = SEAM * this.rate;
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: this.rate });
    buffer.copyToChannel(samples.map((value, n) => value * Math.min(1, n / edge, (samples.length - 1 - n) / edge)), 0);
    return buffer;
  }

  /** Fetch the sounds of an item, once. All of them, and in an order that says nothing about what was drawn. */
  async load(item) {
    const names = [...new Set(item.sounds.map(({ file }) => file))].sort();
    const read = await Promise.all(names.map((file) => this.#buffers[file] ?? this.#buffer(file)));
    names.forEach((file, k) => (this.#buffers[file] = read[k]));
  }

  /** Put the sounds of a trial on the clock, at its beginning; each label has a gain of its own, X too. */
  async lay({ item, sounds }) {
    this.pause();
    await this.load(item);
    for (const { gain } of this.clock.strips.values()) setTimeout(() => gain.disconnect(), 200);
    this.clock.strips.clear();
    this.clock.seek(0);
    this.label = null;
    for (const [label, { file }] of sounds) this.clock.add(label, this.#buffers[file]);
  }

  /** Let one sound be heard from now on, at the place where the one before was. */
  hear(label) {
    if (!this.clock?.strips.has(label)) return;
    this.label = label;
    for (const each of this.clock.strips.keys()) this.clock.setGain(each, Number(each === label));
    if (!this.playing) this.play();
    this.show();
  }

  play() {
    this.others.begin();
    this.clock.context.resume();
    watchDevice(this.clock.context, () => this.playing, this.complain);
    this.clock.play();
    this.show();
  }

  pause() {
    if (!this.playing) return;
    this.clock.pause();
    setTimeout(() => !this.playing && this.clock.context.state === "running" && this.clock.context.suspend(), 200);
    this.show();
  }

  toggle() {
    if (this.playing) this.pause();
    else if (this.label) this.play();
  }

  close() {
    this.others.leave();
    this.pause();
    this.clock?.context.close();
  }
}
