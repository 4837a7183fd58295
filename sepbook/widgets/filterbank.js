// Point at a filter of a bank: its waveform, its response, its centre frequency, and noise through it. One module, two hosts.
//   model.get("spec")   {title, rate, banks: [{name, parts: [{name, K, size, waveforms, centres, widths}]}]}
import { palette, watch } from "./explorer_canvas.js";
import { setChoice } from "./explorer_parts.js";
import { Later, Loop, playButton } from "./explorer_sound.js";
import { drawMap, drawResponse, drawWave, filterAt, shades } from "./filterbank_draw.js";
import { melCentres, through, unpack } from "./filterbank_measures.js";
import { filterView } from "./filterbank_view.js";

const SECONDS = 2; // of noise
const LOW = 1000; // Hz, for the sentence below

function render({ model, el }) {
  const spec = model.get("spec");
  const parts = filterView(spec);
  const loop = new Loop(spec.rate);
  const drawn = new Map(); // pictures of whole banks
  let [bank, part, mel, chosen] = [0, "encoder", true, Math.floor(spec.banks[0].parts[0].K / 2)];

  const described = () => spec.banks[bank].parts.find(({ name }) => name === part) ?? spec.banks[bank].parts[0];
  const waveforms = () => ((described().unpacked ??= unpack(described())));

  // --- showing -------------------------------------------------------------------------------------------
  function draw() {
    const { centres, widths, K } = described();
    const [rate, waveform] = [spec.rate, waveforms()[chosen]];
    const colours = palette(el, "fb", "ink", "quiet", "line", "accent", "warm");
    const key = [bank, part, mel, colours.accent].join();
    if (!drawn.has(key)) drawn.set(key, shades(waveforms(), rate, mel, colours.accent));
    drawMap(parts.map, { small: drawn.get(key), centres, chosen, rate, mel, colours });
    drawWave(parts.wave, { waveform, rate, colours });
    drawResponse(parts.response, { waveform, centre: centres[chosen], rate, mel, colours });
    const text = `filter ${chosen + 1} of ${K}: centre ${Math.round(centres[chosen])} Hz, half its energy within ${Math.round(widths[chosen])} Hz`;
    parts.said.textContent = `${text}; there a mel bank has ${Math.round(melCentres(K, rate)[chosen])} Hz`;
    Object.assign(parts.filter, { max: K, value: chosen + 1 });
    parts.filter.setAttribute("aria-valuetext", text);
    parts.map.setAttribute("aria-label", `Responses of ${K} filters, centres from ${Math.round(centres[0])} to ${Math.round(centres[K - 1])} Hz`);
    const below = (list) => `${Math.round((100 * list.filter((hertz) => hertz < LOW).length) / K)} %`;
    parts.gathered.textContent = `Centres below ${LOW} Hz: ${below(centres)} here, ${below(melCentres(K, rate))} in a mel bank.`;
    setChoice(parts.part, described().name);
    for (const input of parts.part.querySelectorAll("input")) {
      input.disabled = !spec.banks[bank].parts.some(({ name }) => name === input.value);
    }
  }

  const sound = () => loop.put(through(waveforms()[chosen], SECONDS * spec.rate));
  const later = new Later(sound);

  function choose(filter) {
    chosen = Math.max(0, Math.min(described().K - 1, filter));
    draw();
    if (loop.playing) later.ask();
  }

  // --- what the reader does ------------------------------------------------------------------------------
  const play = playButton({ el, button: parts.play, loop, seconds: SECONDS, ready: () => (sound(), true) });
  parts.root.oninput = ({ target }) => {
    const { action } = target.dataset;
    if (action === "bank") bank = Number(target.value);
    else if (action === "part") part = target.value;
    else if (action === "axis") mel = target.value === "mel";
    choose(action === "filter" ? Number(target.value) - 1 : chosen);
  };
  const point = ({ clientX }) => choose(filterAt(parts.map, clientX, described().K));
  parts.map.onpointermove = (event) => (event.pointerType === "mouse" || event.buttons) && point(event);
  parts.map.onpointerdown = point;

  el.classList.add("sepbook-filterbank");
  el.replaceChildren(parts.root);
  draw();
  const unwatch = watch(el, draw);
  el.sepbookFilterbank = {
    get state() {
      return { bank, part: described().name, mel, chosen, centre: described().centres[chosen] };
    },
    get playing() {
      return loop.playing;
    },
    get sound() {
      return loop.samples;
    },
    get busy() {
      return later.busy;
    },
  };
  return () => {
    unwatch();
    later.cancel();
    play.close();
  };
}

export default { render };
