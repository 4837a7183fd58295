// What the mask painter computes: the sounds, the ideal masks and all scores, of one source at a time.
import { idealMask, siSdr } from "./explorer_masks.js";
import { readWav } from "./explorer_sound.js";
import { Stft } from "./explorer_stft.js";

const IDEAL = ["binary", "ratio 1", "ratio 2", "truncated"];

export class Scores {
  #loading = null;

  constructor({ rate, length, size, hop, sources }, files) {
    Object.assign(this, { length, sources, files, source: 0, scores: {}, stems: null, ideal: {} });
    this.stft = new Stft(size, hop);
    this.grid = { F: this.stft.F, T: this.stft.frames(length), rate };
    this.whole = new Float32Array(this.grid.F * this.grid.T).fill(1);
  }

  /** Fetch the stems, once; a failed attempt may be repeated. */
  load() {
    this.#loading ??= this.#read().catch((error) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #read() {
    const stems = await Promise.all(this.sources.map(({ audio }) => readWav(this.files[audio])));
    this.mixture = stems[0].map((_, n) => stems.reduce((sum, stem) => sum + stem[n], 0));
    this.bins = { stems: stems.map((stem) => this.stft.forward(stem)), mixture: this.stft.forward(this.mixture) };
    this.stems = stems;
    this.turnTo(this.source);
  }

  /** Choose a source, and compute everything about it that does not depend on the reader's mask. */
  turnTo(source) {
    this.source = source;
    if (!this.stems) return;
    for (const kind of IDEAL) {
      const mask = idealMask(kind, source, this.bins.stems, this.bins.mixture);
      this.ideal[kind] = { mask, sound: this.separated(mask) };
    }
    for (const row of ["mixture", ...IDEAL]) this.scores[row] = siSdr(this.sound(row), this.stems[source]);
    this.best = Math.max(...IDEAL.map((row) => this.scores[row])) - this.scores.mixture;
  }

  separated(mask) {
    return this.stft.inverse(this.bins.mixture, mask, this.length);
  }

  /** The sound of any row but the reader's. */
  sound(row) {
    return { mixture: this.mixture, truth: this.stems[this.source] }[row] ?? this.ideal[row].sound;
  }

  /** The mask of any row but the reader's; that of the true source shows everything. */
  mask(row) {
    return this.ideal[row]?.mask ?? this.whole;
  }

  /** Separate with the reader's mask, keep its score, and return the sound. */
  try(mask) {
    const sound = this.separated(mask);
    this.scores.yours = siSdr(sound, this.stems[this.source]);
    return sound;
  }
}
