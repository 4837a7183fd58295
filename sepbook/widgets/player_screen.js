// What the stem player shows: the clock, the words below it, and for each row its picture and its buttons.
import { ICONS, fill, readable } from "./player_view.js";

/** The clip of a row in a version; none where the version lacks that stem. */
export const clipOf = (version, name) => version.clips.find(({ row }) => row === name);

export class Screen {
  #urls = {}; // of pictures that a kernel has handed over
  #pictured = {}; // the version whose picture each row has

  constructor(el, { seconds, versions }, files, parts) {
    Object.assign(this, { el, seconds, versions, files, parts });
  }

  say(text) {
    if (text !== this.parts.status.textContent) this.parts.status.textContent = text;
  }

  /** The time, and what the large button would do: pause what is `wanted`, or play. */
  show(time, wanted) {
    const { parts, seconds } = this;
    const label = wanted ? "Pause" : "Play";
    if (!parts.play.innerHTML || parts.play.title !== label) {
      parts.play.innerHTML = ICONS[label.toLowerCase()];
      parts.play.title = label;
      parts.play.setAttribute("aria-label", label);
    }
    parts.time.textContent = `${readable(time)} / ${readable(seconds)}`;
    parts.seek.value = time;
    parts.seek.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${seconds.toFixed(1)} seconds`);
    this.el.style.setProperty("--at", time / seconds);
  }

  #url(name) {
    if (typeof this.files[name] === "string") return this.files[name];
    return (this.#urls[name] ??= URL.createObjectURL(new Blob([this.files[name]], { type: "image/png" })));
  }

  /** Bring pictures and buttons to what is pressed; `levels` are the gains of each version's rows. */
  apply(state, levels) {
    const chosen = this.versions[state.version];
    for (const { name, row, image, buttons } of this.parts.strips) {
      const version = [chosen, this.#pictured[name], ...this.versions].find((each) => each && clipOf(each, name));
      this.#pictured[name] = version; // a row that the chosen version lacks keeps its picture, paler
      const of = version.whole || !this.versions[1] ? name : `${name}, ${version.name}`;
      fill(image, this.#url(clipOf(version, name).picture), `Spectrogram of ${of}`);
      row.classList.toggle("sp-heard", levels[state.version][name] > 0);
      const here = clipOf(chosen, name);
      for (const button of buttons) button.setAttribute("aria-pressed", Boolean(here) && state[button.dataset.action].has(name));
    }
  }

  close() {
    Object.values(this.#urls).forEach(URL.revokeObjectURL);
  }
}
