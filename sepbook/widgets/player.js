// The stem player: all stems of a piece of music on one clock. One module, two hosts (a book page, anywidget).
//   model.get("spec")   {title, seconds, rate, gain, hertz: [lowest, highest] of the pictures, rows: [{name, colour,
//                       whole}], versions: [{name, whole, loudness, clips: [{row, audio, picture, loudness}]}]};
//                       "whole": one sound, not stems
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { calm } from "./explorer_parts.js";
import { Sound, gains, turns, watchDevice } from "./explorer_clock.js";
import { onKey } from "./player_keys.js";
import { Screen, clipOf } from "./player_screen.js";
import { view } from "./player_view.js";

const pressed = (button) => button.getAttribute("aria-pressed") === "true";

class Player {
  state = { version: 0, solo: new Set(), mute: new Set(), matched: true };
  recent = []; // the versions that were chosen, the latest first
  wanted = false; // the listener wants it to play (it may still be loading)
  timer = null; // the next look at the clock
  frame = null;
  muting = 0; // until when a digit mutes instead of soloing

  constructor(el, spec, files) {
    Object.assign(this, { el, spec, files, versions: spec.versions, seconds: spec.seconds, sound: new Sound(spec, files), parts: view(spec) });
    this.screen = new Screen(el, spec, files, this.parts);
    this.native = el.querySelector(".sp-native"); // the browser's own players; they come back if our sounds fail
    this.others = turns(el, () => this.wanted && this.halt());
  }

  // --- showing -------------------------------------------------------------------------------------------
  say(text) {
    this.screen.say(text);
  }

  show() {
    this.screen.show(this.sound.time, this.wanted);
  }

  /** Follow the clock: at each frame, or four times a second for those who asked for less motion. */
  follow() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    if (this.sound.ended) this.halt(0);
    this.show();
    if (!this.sound.playing) return;
    if (calm()) this.timer = setTimeout(() => this.follow(), 250);
    else this.frame = requestAnimationFrame(() => this.follow());
  }

  /** Bring gains, pictures and buttons to what is pressed: what is lit is what is heard. */
  apply() {
    const levels = gains(this.versions, this.state);
    this.sound.level(levels);
    this.screen.apply(this.state, levels);
  }

  // --- doing ---------------------------------------------------------------------------------------------
  /** Fetch what is to be heard now and is not there, then let it be heard; meanwhile the clock runs on. True if it is there. */
  async attempt() {
    const { sound, state: { version }, parts: { status } } = this;
    if (!sound.has(version, this.due(version))) this.say("loading …");
    try {
      await sound.load(version, this.due(version));
      if (status.textContent === "loading …") this.say("");
    } catch (error) {
      this.wanted = sound.playing;
      return this.fail(`“${this.versions[version].name}” could not be loaded: ${error.message}`);
    }
    this.apply();
    return true;
  }

  /** The rows of a version that sound once it is chosen. */
  due(version) {
    const levels = gains(this.versions, { ...this.state, version })[version];
    return Object.keys(levels).filter((row) => levels[row] > 0);
  }

  fail(words) {
    if (this.native) this.el.append(this.native);
    this.say(words);
    this.apply();
  }

  async play() {
    const { sound } = this;
    try {
      sound.wake();
    } catch (error) {
      return this.fail(error.message);
    }
    this.wanted = true;
    this.show();
    this.others.begin();
    watchDevice(sound.clock.context, () => this.wanted, (words) => this.say(words));
    sound.clock.setLoop(pressed(this.parts.loop));
    this.volume();
    await this.attempt();
    if (this.wanted) sound.clock.play();
    this.follow();
  }

  halt(time = this.sound.time) {
    this.wanted = false;
    this.sound.pause();
    this.sound.seek(time);
    this.show();
  }

  toggle() {
    return this.wanted ? this.halt() : this.play();
  }

  volume() {
    this.sound.clock?.setVolume(this.parts.volume.value * this.spec.gain);
  }

  seek(time) {
    this.sound.seek(time);
    this.show();
  }

  change() {
    this.apply();
    return this.sound.clock ? this.attempt() : true;
  }

  /** Press solo or mute. A version without this stem gives way to one that has it, and what was pressed there is let go. */
  async flip(kind, name) {
    const { state, versions, state: { solo, mute } } = this;
    const before = versions[state.version];
    const lacking = !clipOf(before, name);
    if (lacking) {
      solo.clear(), mute.clear();
      this.select([...this.recent, ...versions.keys()].find((version) => clipOf(versions[version], name)));
    }
    if (!state[kind].delete(name)) {
      solo.delete(name), mute.delete(name); // one or the other
      state[kind].add(name);
    }
    const done = await this.change();
    if (lacking && done) this.say(`“${before.name}” has no ${name} of its own, so “${versions[state.version].name}” is chosen now.`);
  }

  select(version) {
    this.state.version = version;
    this.recent.unshift(version);
    this.parts.radios[version].checked = true;
  }

  choose(version) {
    this.say("");
    this.select(version);
    this.change();
  }

  loop() {
    const { loop } = this.parts;
    loop.setAttribute("aria-pressed", !pressed(loop));
    this.sound.clock?.setLoop(pressed(loop));
  }

  // --- hands ---------------------------------------------------------------------------------------------
  onClick({ target }) {
    const button = target.closest("button");
    const { action, stem } = button?.dataset ?? {};
    ({ play: () => this.toggle(), loop: () => this.loop(), solo: () => this.flip("solo", stem), mute: () => this.flip("mute", stem) })[action]?.();
  }

  onInput({ target: { dataset, value, checked } }) {
    if (dataset.action === "seek") this.seek(Number(value));
    if (dataset.action === "volume") this.volume();
    if (dataset.action === "version") this.choose(Number(value));
    if (dataset.action === "matched") {
      this.state.matched = checked;
      this.apply();
    }
  }

  /** A press on a picture goes to that place; holding and moving goes along. */
  onPointer({ target, buttons, clientX }) {
    const lane = target.closest(".sp-lane");
    if (!lane || !(buttons & 1)) return;
    const { left, width } = lane.getBoundingClientRect();
    this.seek(((clientX - left) / width) * this.seconds);
  }

  /** Pointing at a version fetches it, so that it is there when it is chosen. */
  onOver({ target }) {
    const radio = this.sound.clock && target.closest(".sp-versions label")?.querySelector("input");
    if (radio) this.sound.load(Number(radio.value), this.due(Number(radio.value))).catch(() => {});
  }

  listen() {
    const { root } = this.parts;
    root.onclick = (event) => this.onClick(event);
    root.oninput = (event) => this.onInput(event);
    root.onkeydown = (event) => onKey(this, event);
    root.onpointerover = (event) => this.onOver(event);
    root.onpointerdown = root.onpointermove = (event) => this.onPointer(event);
  }

  close() {
    this.others.leave();
    this.halt();
    this.sound.close();
    this.screen.close();
  }
}

/** What tests and other scripts may ask of a player. */
const handleOf = ({ sound, state, versions, spec }) => ({
  time: () => sound.time,
  get playing() { return sound.playing; },
  get version() { return versions[state.version].name; },
  /** Gain of each row at this moment while it plays, else as it will be. */
  gains() {
    const levels = gains(versions, state)[state.version];
    const now = (name) => (sound.playing ? sound.gain(state.version, name) : null) ?? levels[name] ?? 0;
    return Object.fromEntries(spec.rows.map(({ name }) => [name, now(name)]));
  },
});

function render({ model, el }) {
  const player = new Player(el, model.get("spec"), model.get("files"));
  player.listen();
  el.classList.add("sepbook-player");
  el.replaceChildren(player.parts.root);
  el.sepbookPlayer = handleOf(player);
  player.apply();
  player.show();
  return () => player.close();
}

export default { render };
