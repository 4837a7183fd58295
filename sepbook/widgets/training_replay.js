// Move through one training run, and see and hear what the network made at each stage. One module, two hosts.
//   model.get("spec")   what training_replay.py describes: sources, loss, and for each stage its sounds and pictures
//   model.get("files")  {file name: its address (book page) or its bytes as a DataView (kernel)}
import { bytes } from "./explorer_clock.js";
import { Desk } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { button, controls, element, figure, minus, picture } from "./explorer_parts.js";
import { Loop, playButton } from "./explorer_sound.js";
import { drawHeard, drawLoss } from "./training_replay_draw.js";

/** Each file once: `sound(name, context)` decodes it, `image(name)` gives a picture; what failed may be asked again. */
class Shelf {
  #kept = new Map();

  constructor(files) {
    this.files = files;
  }

  #once(key, make) {
    if (!this.#kept.has(key)) this.#kept.set(key, make().catch((error) => (this.#kept.delete(key), Promise.reject(error))));
    return this.#kept.get(key);
  }

  sound(name, context) {
    return this.#once(name, async () => (await context.decodeAudioData(await bytes(this.files[name]))).getChannelData(0));
  }

  image(name) {
    return this.#once(name, async () => createImageBitmap(new Blob([await bytes(this.files[name])], { type: "image/png" })));
  }
}

/** Say what is heard, and how good it is. */
function words({ name, improvement }, source) {
  if (!improvement) return `${name}: ${source}.`;
  const gain = improvement[source];
  return `${name}: ${source}. On unseen songs this network gains ${gain < 0 ? "−" : "+"}${minus(Math.abs(gain).toFixed(1))} dB for ${source}.`;
}

function view({ title, sources, stages }) {
  const parts = controls("ex", "replay");
  const [heard, course] = [picture("What is heard"), picture("The loss of each step")];
  const play = button("play", "▶ play");
  const source = parts.choice("source", "What is heard", sources.map((name) => [name, name]), sources[0]);
  const slider = { action: "stage", text: "stage", min: 0, max: stages.length - 1, step: 1, say: (at) => stages[at].name };
  const key = (name) => element("span", { class: `ex-key ex-${name}` });
  const pictures = [figure(heard, "the spectrogram of what you hear; the stronger the colour, the louder"), figure(course, key("accent"), "loss, averaged over neighbouring steps ", key("first"), "the stage that you hear")];
  return { parts, heard, course, play, source, slider, pictures, root: parts.root(title, "A training run") };
}

function render({ model, el }) {
  const spec = model.get("spec");
  const seen = view(spec);
  const { parts, root } = seen;
  const [shelf, loop] = [new Shelf(model.get("files")), new Loop(spec.rate)];
  const presets = Object.fromEntries(spec.stages.map(({ name }, stage) => [name, { stage }]));
  const desk = new Desk(parts, { sliders: [seen.slider], presets, usual: { stage: 0, source: spec.sources[0] }, keep: ["source"], change });
  const { settings } = desk;
  root.append(parts.tools(seen.play, seen.source), desk.presetsRow, desk.rows, ...seen.pictures, parts.status);
  let image = null;
  const stage = () => spec.stages[settings.stage];

  function draw() {
    drawHeard(seen.heard, spec, image, colours(el));
    drawLoss(seen.course, spec.loss, stage().steps, colours(el));
  }

  /** Fetch what is needed now, and use it unless the reader has moved on. */
  async function fetched(wanted, use) {
    try {
      const found = await shelf[wanted](stage()[wanted === "sound" ? "audio" : "pictures"][settings.source], loop.clock?.context);
      use(found);
      return true;
    } catch (error) {
      parts.status.textContent = `The sounds could not be loaded: ${error.message}`;
      return false;
    }
  }

  const current = (use) => {
    const now = `${settings.stage} ${settings.source}`;
    return (found) => now === `${settings.stage} ${settings.source}` && use(found);
  };
  const sound = () => fetched("sound", current((samples) => loop.put(samples)));

  function change() {
    parts.status.textContent = words(stage(), settings.source);
    seen.heard.setAttribute("aria-label", words(stage(), settings.source));
    fetched("image", current((found) => ((image = found), draw())));
    if (loop.clock) sound();
  }

  const play = playButton({ el, button: seen.play, loop, seconds: spec.seconds, ready: sound });
  desk.listen(root, { source: seen.source });
  const handle = { desk, loop, get image() { return image; } };
  const end = mount({ el, name: "replay", root, draw, handle, stops: [play.close] });
  desk.set({});
  return end;
}

export default { render };
