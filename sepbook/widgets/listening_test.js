// A listening test: ABX or a small MUSHRA, blind and by keyboard. One module, two hosts.
//   model.get("spec")   {kind, title, rate, seconds, trials, spread, items: [{name, sounds: [{name, file, si_sdr}]}]}
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { calm, controls } from "./explorer_parts.js";
import { Desk } from "./listening_test_desk.js";
import { call, clear, download, follow, isKept, keep, listener, runs } from "./listening_test_store.js";
import { abxTrials, code, mushraTrials, rated, rowsOf } from "./listening_test_trials.js";
import { keptView, resultView, setupView, trialView } from "./listening_test_view.js";

class ListeningTest {
  constructor(el, spec, files) {
    Object.assign(this, { el, spec, stage: "setup", busy: false, trials: [], number: 0, answer: null, heard: new Set(), sure: false });
    this.choice = { item: 0, trials: spec.trials };
    this.parts = controls("lt", "listening");
    this.desk = new Desk(el, spec, files, () => this.show());
    const name = spec.title || (spec.kind === "abx" ? "ABX test" : "MUSHRA");
    this.root = this.parts.root(spec.title, name, { tabindex: -1, "data-lm-suppress-shortcuts": true });
    this.body = Object.assign(document.createElement("div"), { className: "lt-body" });
    this.root.append(this.body, this.parts.status);
    this.root.onclick = ({ target }) => this.press(target.closest("button"));
    this.root.oninput = ({ target }) => this.input(target);
    this.root.onkeydown = (event) => this.key(event);
    this.setup();
  }

  say(words) {
    this.parts.status.textContent = words;
  }

  // --- stages --------------------------------------------------------------------------------------------
  enter(stage, view, focused = true) {
    Object.assign(this, { stage, view, sure: false });
    this.body.replaceChildren(...view.children);
    if (stage !== "trial") this.body.append(this.kept());
    this.say("");
    if (focused) (view.focus ?? this.root).focus({ preventScroll: true });
  }

  setup(focused = false) {
    this.enter("setup", setupView(this.spec, this.parts, { ...this.choice, listener: listener() }), focused);
  }

  async start() {
    if (this.busy) return;
    try {
      this.desk.wake();
    } catch (error) {
      return this.say(error.message);
    }
    const { kind, items } = this.spec;
    this.trials = kind === "abx" ? abxTrials(items[this.choice.item], this.choice.trials) : mushraTrials(items);
    this.run = { test: kind, listener: listener(), run: code(), of: this.trials.length, rows: [] };
    this.number = 0;
    await this.next();
  }

  /** Bring the next trial. Its sounds are there before it is shown. */
  async next() {
    const { run } = this;
    this.busy = true;
    this.say("loading …");
    try {
      await this.desk.lay(this.trials[this.number]);
    } catch (error) {
      return this.say(`The sounds could not be loaded: ${error.message}`);
    } finally {
      this.busy = false;
    }
    if (run !== this.run) return; // given up meanwhile
    this.number += 1;
    Object.assign(this, { answer: this.spec.kind === "abx" ? null : {}, heard: new Set() });
    this.enter("trial", trialView(this.spec, this.parts, this.trials[this.number - 1], this.number, this.run.of));
    this.show();
  }

  /** Take the answer of this trial, unless something is missing from it. */
  async take() {
    if (this.busy) return;
    if (this.run.rows.at(-1)?.trial !== this.number) {
      const trial = this.trials[this.number - 1];
      const missing = this.missing(trial);
      if (missing) return this.say(missing);
      this.run.rows.push(...rowsOf(this.run, this.number, trial, this.answer));
      keep(this.run);
    }
    if (this.number < this.run.of) return this.next();
    this.desk.pause();
    this.enter("result", resultView(this.spec, this.run, this.trials));
  }

  missing(trial) {
    const list = (labels) => labels.join(", ");
    const unheard = [...trial.sounds.keys()].filter((label) => !this.heard.has(label));
    if (unheard.length) return `Not heard yet: ${list(unheard)}.`;
    if (this.spec.kind === "abx") return this.answer ? "" : "Say first which of the two X is.";
    const unrated = rated(trial).filter((label) => !(label in this.answer));
    return unrated.length ? `Not rated yet: ${list(unrated)}.` : "";
  }

  giveUp() {
    this.desk.pause();
    this.setup(true);
    this.say(this.run.rows.length ? "The trials so far are kept, as an unfinished run." : "Nothing was answered, so nothing is kept.");
    this.run = null;
  }

  // --- showing -------------------------------------------------------------------------------------------
  kept() {
    this.strip = keptView(runs(), isKept(), this.sure);
    return this.strip;
  }

  /** Show what another test of the page has kept, cleared or called the listener. */
  refresh() {
    const field = this.body.querySelector("[data-action=listener]");
    if (field && field !== document.activeElement) field.value = listener();
    if (this.stage !== "trial" && this.strip?.isConnected) this.strip.replaceWith(this.kept());
  }

  show() {
    clearTimeout(this.timer);
    if (this.stage !== "trial") return;
    const { desk, view } = this;
    view.play.textContent = desk.playing ? "❚❚ pause" : "▶ play";
    view.play.disabled = !desk.label;
    for (const each of this.body.querySelectorAll("[data-action=hear]")) each.setAttribute("aria-pressed", each.value === desk.label);
    this.root.style.setProperty("--at", desk.time / this.spec.seconds);
    if (desk.playing) this.timer = setTimeout(() => this.show(), calm() ? 250 : 40);
  }

  // --- what the listener does ----------------------------------------------------------------------------
  hear(label) {
    this.heard.add(label);
    this.desk.hear(label);
  }

  rate(slider) {
    const { label } = slider.dataset;
    this.answer[label] = Number(slider.value);
    slider.setAttribute("aria-valuetext", slider.value);
    slider.parentElement.querySelector("output").textContent = slider.value;
  }

  vote(label) {
    this.answer = label;
    for (const radio of this.body.querySelectorAll("[data-action=vote]")) radio.checked = radio.value === label;
  }

  press(button) {
    const { action, value } = { action: button?.dataset.action, value: button?.value };
    const acts = { start: () => this.start(), hear: () => this.hear(value), play: () => this.desk.toggle(), next: () => this.take(), stop: () => this.giveUp(), again: () => this.setup(true), save: download, clear: () => this.forget() };
    if (action in acts) acts[action]();
  }

  /** Clear what is kept, when pressed a second time. */
  forget() {
    if (this.sure) clear();
    this.sure = !this.sure;
    this.refresh();
    (this.strip.querySelector("[data-action=clear]") ?? this.root).focus();
    this.say(this.sure ? "Press again to clear all answers of both tests." : "Cleared.");
  }

  input(target) {
    const { action } = target.dataset;
    if (action === "listener") call((target.value = target.value.replace(/[^\w-]/g, "")));
    else if (action === "item" || action === "trials") this.choice[action] = Number(target.value);
    else if (action === "vote") this.vote(target.value);
    else if (action === "rate") this.rate(target);
  }

  /** What a key does during a trial, or undefined if it is none of ours. */
  act({ key, target }) {
    const abx = this.spec.kind === "abx";
    const label = abx ? key.toUpperCase() : key === "r" ? "reference" : key;
    if (key === " " && !target.matches("button, summary, [type=radio]")) return () => this.desk.toggle();
    if (key === "n") return () => this.take();
    if (abx && (key === "1" || key === "2")) return () => this.vote("AB"[key - 1]);
    if (!this.trials[this.number - 1].sounds.has(label)) return undefined;
    return () => (this.hear(label), this.body.querySelector(`[data-label="${label}"]`)?.focus());
  }

  key(event) {
    if (this.stage !== "trial" || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.act(event);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}

function render({ model, el }) {
  const test = new ListeningTest(el, model.get("spec"), model.get("files"));
  el.classList.add("sepbook-listening");
  el.replaceChildren(test.root);
  const unfollow = follow(() => test.refresh());
  el.sepbookListening = {
    get stage() {
      return test.stage;
    },
    get playing() {
      return test.desk.playing;
    },
    get time() {
      return test.desk.time;
    },
    /** The gain of each label at this moment. */
    gains: () => Object.fromEntries([...test.desk.clock.strips].map(([label, { gain }]) => [label, gain.gain.value])),
    /** The samples behind a label, as they are heard. */
    samples: (label) => test.desk.clock.strips.get(label).buffer.getChannelData(0),
  };
  return () => {
    unfollow();
    clearTimeout(test.timer);
    test.desk.close();
  };
}

export default { render };
