// The stem player: all stems of a piece of music on one clock. One module, two hosts (a book page, anywidget).
//   model.get("spec")   {title, seconds, rate, gain, rows: [{name, colour, whole}], versions: [{name, whole,
//                       loudness, clips: [{row, audio, picture, loudness}]}]}; "whole": one sound, not stems
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { calm } from "./explorer_parts.js";
import { Sound, gains, turns } from "./explorer_clock.js";
import { ICONS, readable, view } from "./player_view.js";

function render({ model, el }) {
  const spec = model.get("spec");
  const files = model.get("files");
  const { versions, seconds } = spec;
  const state = { version: 0, solo: new Set(), mute: new Set(), matched: true };
  const sound = new Sound(spec, files);
  const parts = view(spec);
  const native = el.querySelector(".sp-native"); // the browser's own players; they come back if our sounds fail
  const urls = {};
  const pictured = {};
  let wanted = false; // the listener wants it to play (it may still be loading)
  let timer, frame; // of the next look at the clock
  let muting = 0; // until when a digit mutes instead of soloing

  // --- showing -------------------------------------------------------------------------------------------
  const say = (text) => (parts.status.textContent = text);

  function show() {
    const time = sound.time;
    const label = wanted ? "Pause" : "Play";
    if (!parts.play.innerHTML || parts.play.title !== label) {
      parts.play.innerHTML = ICONS[label.toLowerCase()];
      parts.play.title = label;
      parts.play.setAttribute("aria-label", label);
    }
    parts.time.textContent = `${readable(time)} / ${readable(seconds)}`;
    parts.seek.value = time;
    parts.seek.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${seconds.toFixed(1)} seconds`);
    el.style.setProperty("--at", time / seconds);
  }

  /** Follow the clock: at each frame, or four times a second for those who asked for less motion. */
  function follow() {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    if (sound.ended) halt(0);
    show();
    if (!sound.playing) return;
    if (calm()) timer = setTimeout(follow, 250);
    else frame = requestAnimationFrame(follow);
  }

  function url(name) {
    if (typeof files[name] === "string") return files[name];
    return (urls[name] ??= URL.createObjectURL(new Blob([files[name]], { type: "image/png" })));
  }

  /** Bring gains, pictures and buttons to what is pressed. */
  function apply() {
    const levels = gains(versions, state);
    sound.level(levels);
    for (const { name, lane, image, buttons } of parts.strips) {
      const clipIn = (version) => version?.clips.find(({ row }) => row === name);
      const version = [versions[state.version], pictured[name], ...versions].find(clipIn);
      pictured[name] = version; // a row that the chosen version lacks keeps its picture, dimmed
      image.src = url(clipIn(version).picture);
      image.alt = `Spectrogram of ${name}` + (version.whole || !versions[1] ? "" : `, ${version.name}`);
      lane.classList.toggle("sp-silent", !levels[state.version][name]);
      for (const button of buttons) button.setAttribute("aria-pressed", state[button.dataset.action].has(name));
    }
  }

  // --- doing ---------------------------------------------------------------------------------------------
  async function attempt(version) {
    say("loading …");
    try {
      await sound.load(version);
      say("");
    } catch (error) {
      wanted = sound.playing;
      if (native) el.append(native);
      say(`“${versions[version].name}” could not be loaded: ${error.message}`);
    }
    apply();
  }

  async function play() {
    wanted = true;
    show();
    others.begin();
    sound.wake();
    sound.clock.setLoop(pressed(parts.loop));
    volume();
    await attempt(state.version);
    if (wanted) sound.clock.play();
    follow();
    for (const version of versions.keys()) if (wanted) await sound.load(version).catch(() => {});
    apply();
  }

  function halt(time = sound.time) {
    wanted = false;
    sound.pause();
    sound.seek(time);
    show();
  }

  const toggle = () => (wanted ? halt() : play());
  const volume = () => sound.clock?.setVolume(parts.volume.value * spec.gain);
  const seek = (time) => (sound.seek(time), show());
  const pressed = (button) => button.getAttribute("aria-pressed") === "true";
  const flip = (set, name) => (set.delete(name) || set.add(name), apply());

  async function choose(version) {
    state.version = version;
    parts.radios[version].checked = true;
    if (sound.clock) await attempt(version); // meanwhile the clock runs on
    else apply();
  }

  function loop() {
    parts.loop.setAttribute("aria-pressed", !pressed(parts.loop));
    sound.clock?.setLoop(pressed(parts.loop));
  }

  function digit(number) {
    if (number === 0) return state.solo.clear(), state.mute.clear(), apply();
    const name = parts.stems[number - 1];
    if (name) flip(performance.now() < muting ? state.mute : state.solo, name);
    muting = 0;
  }

  /** What a key does, or undefined if it is none of ours. */
  function keyAction({ key, shiftKey, target }) {
    const step = Math.min(1, seconds / 20) * (shiftKey ? 5 : 1);
    const own = target.matches("[type=radio], [data-action=volume]"); // these know arrows themselves
    if (key === " " && !target.matches("button, summary, [type=checkbox]")) return toggle;
    if (key === "ArrowRight" && !own) return () => seek(sound.time + step);
    if (key === "ArrowLeft" && !own) return () => seek(sound.time - step);
    if (key === "v") return () => choose((state.version + 1) % versions.length);
    if (key === "m") return () => (muting = performance.now() + 1500);
    if (key >= "0" && key <= "9") return () => digit(Number(key));
  }

  function onKey(event) {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keyAction(event);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  const actions = { play: toggle, loop, solo: (stem) => flip(state.solo, stem), mute: (stem) => flip(state.mute, stem) };

  function onClick({ target }) {
    const button = target.closest("button");
    if (button) actions[button.dataset.action](button.dataset.stem);
  }

  function onInput({ target: { dataset, value, checked } }) {
    if (dataset.action === "seek") seek(Number(value));
    if (dataset.action === "volume") volume();
    if (dataset.action === "version") choose(Number(value));
    if (dataset.action === "matched") apply((state.matched = checked));
  }

  /** A press on a picture goes to that place; holding and moving goes along. */
  function onPointer({ target, buttons, clientX }) {
    const lane = target.closest(".sp-lane");
    if (!lane || !(buttons & 1)) return;
    const { left, width } = lane.getBoundingClientRect();
    seek(((clientX - left) / width) * seconds);
  }

  const others = turns(el, () => wanted && halt());
  const { root } = parts;
  root.onclick = onClick;
  root.oninput = onInput;
  root.onkeydown = onKey;
  root.onpointerdown = root.onpointermove = onPointer;
  el.classList.add("sepbook-player");
  el.replaceChildren(root);
  el.sepbookPlayer = {
    time: () => sound.time,
    get playing() {
      return sound.playing;
    },
    get version() {
      return versions[state.version].name;
    },
    /** Gain of each row at this moment while it plays, else as it will be. */
    gains() {
      const levels = gains(versions, state)[state.version];
      const now = (name) => (sound.playing ? sound.gain(state.version, name) : null) ?? levels[name] ?? 0;
      return Object.fromEntries(spec.rows.map(({ name }) => [name, now(name)]));
    },
  };
  apply();
  show();
  return () => {
    others.leave();
    halt();
    sound.close();
    Object.values(urls).forEach(URL.revokeObjectURL);
  };
}

export default { render };
