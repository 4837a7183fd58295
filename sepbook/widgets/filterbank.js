// Point at a filter of a bank: its waveform, its response, its centre frequency, and noise through it. One module, two hosts.
//   model.get("spec")   {title, rate, banks: [{name, parts: [{name, K, size, waveforms, centres, widths}]}]}
import { Desk } from "./explorer_hand.js";
import { colours, mount } from "./explorer_mount.js";
import { computed } from "./explorer_sound.js";
import { drawMap, drawResponse, drawWave, shades } from "./filterbank_draw.js";
import { melCentres, through, unpack } from "./filterbank_measures.js";
import { filterView } from "./filterbank_view.js";

const SECONDS = 2; // of noise
const LOW = 1000; // Hz, for the sentence below

/** Say which filter is chosen, and how the bank differs from a mel bank. */
function tell({ parts, map, part, gathered }, { K, centres, widths }, chosen, rate, bank) {
  const text = `filter ${chosen + 1} of ${K}: centre ${Math.round(centres[chosen])} Hz, half its energy within ${Math.round(widths[chosen])} Hz`;
  const below = (list) => `${Math.round((100 * list.filter((hertz) => hertz < LOW).length) / K)} %`;
  parts.status.textContent = `${text}; there a mel bank has ${Math.round(melCentres(K, rate)[chosen])} Hz`;
  gathered.textContent = `Centres below ${LOW} Hz: ${below(centres)} here, ${below(melCentres(K, rate))} in a mel bank.`;
  map.setAttribute("aria-label", `Responses of ${K} filters, centres from ${Math.round(centres[0])} to ${Math.round(centres[K - 1])} Hz`);
  for (const input of part.querySelectorAll("input")) input.disabled = !bank.parts.some(({ name }) => name === input.value);
}

function render({ model, el }) {
  const spec = model.get("spec");
  const { rate, banks } = spec;
  const view = filterView(spec);
  const first = banks[0].parts[0];
  const slider = { action: "filter", text: "filter", min: 1, max: Math.max(...banks.flatMap(({ parts }) => parts.map(({ K }) => K))), step: 1, say: (v) => `${v} of ${described().K}` };
  const usual = { bank: "0", part: "encoder", axis: "mel", filter: Math.floor(first.K / 2) + 1 };
  const desk = new Desk(view.parts, { sliders: [slider], usual, change });
  const { settings } = desk;
  view.fill(desk);
  const drawn = new Map(); // pictures of whole banks
  let [across, heard] = [null, null]; // scale of the map; the waveform that is heard

  function described() {
    const { parts } = banks[settings.bank];
    return parts.find(({ name }) => name === settings.part) ?? parts[0];
  }

  const chosen = () => settings.filter - 1;
  const waveforms = () => ((described().unpacked ??= unpack(described())));
  const sound = computed({ el, button: view.play, rate, seconds: SECONDS, samples: (_, length) => through(waveforms()[chosen()], length) });

  function draw() {
    const [waveform, paint, { centres }] = [waveforms()[chosen()], colours(el), described()];
    const mel = settings.axis === "mel";
    const key = [settings.bank, settings.part, mel, paint.accent].join();
    if (!drawn.has(key)) drawn.set(key, shades(waveforms(), rate, mel, paint.accent));
    across = drawMap(view.map, { small: drawn.get(key), centres, chosen: chosen(), rate, mel, colours: paint });
    drawWave(view.wave, { waveform, rate, colours: paint });
    drawResponse(view.response, { waveform, centre: centres[chosen()], rate, mel, colours: paint });
  }

  function change() {
    const { K, name } = described();
    if (settings.filter > K || settings.part !== name) return desk.set({ filter: Math.min(settings.filter, K), part: name });
    desk.sliders[0].input.max = K; // another bank may have more or fewer filters
    desk.show();
    tell(view, described(), chosen(), rate, banks[settings.bank]);
    draw();
    if (waveforms()[chosen()] !== heard) sound.ask();
    heard = waveforms()[chosen()];
  }

  const point = (event) => desk.set({ filter: across.back(event.clientX - view.map.getBoundingClientRect().left) });
  view.map.onpointermove = (event) => event.pointerType === "mouse" && point(event);
  view.map.onclick = point;
  desk.listen(view.root, { part: view.part, axis: view.axis });
  const handle = {
    get state() { return { bank: Number(settings.bank), part: described().name, mel: settings.axis === "mel", chosen: chosen(), centre: described().centres[chosen()] }; },
    get playing() { return sound.loop.playing; },
    get sound() { return sound.loop.samples; },
    get busy() { return sound.busy; },
  };
  const end = mount({ el, name: "filterbank", root: view.root, draw, handle, stops: [sound.stop] });
  desk.set({});
  return end;
}

export default { render };
