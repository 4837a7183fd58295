// What the page shows: its elements, without behaviour.
import { button, element } from "../widgets/explorer_parts.js";

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

export function view({ network, runtime, title }) {
  const sheet = element("link", { rel: "stylesheet", href: new URL("own_song.css", import.meta.url).href });
  const playerSheet = element("link", { rel: "stylesheet", href: new URL("../widgets/player.css", import.meta.url).href });
  const choose = element("input", { type: "file", accept: "audio/*,video/*,.flac,.ogg,.opus" });
  const label = element("label", { class: "os-file" }, element("span", {}, "A file of yours"), choose);
  const [example, microphone] = [button("example", `“${title}”, from this book`), button("microphone", "Record")];
  const stop = button("stop", "Stop", { hidden: true });
  const bar = element("progress", { max: 1, "aria-label": "How far it is", hidden: true });
  const status = element("p", { class: "os-status", role: "status" });
  const size = megabytes(network.bytes + runtime.bytes);
  const words = `The first time, ${size} are fetched from where this page lies, and kept. Your sound stays in this browser: it is sent nowhere.`;
  const player = element("div", { class: "os-player" });
  const all = button("all", "all stems (zip)");
  const links = element("span");
  const save = element("p", { class: "os-save" }, "Save: ", links, all);
  const result = element("div", { hidden: true }, player, save);
  const opened = element("div", { class: "os-network", hidden: true });
  const tools = element("div", { class: "os-tools" }, label, example, microphone);
  const root = element("div", { class: "os-root" }, sheet, playerSheet, tools, element("p", { class: "os-words" }, words), element("div", { class: "os-tools" }, bar, stop), status, result, opened);

  /** One link per stem. */
  function downloads(name, stems) {
    const one = (stem) => element("a", { href: stem.url, download: `${name} - ${stem.name}.wav` }, `${stem.name}.wav`);
    links.replaceChildren(...stems.flatMap((stem) => [one(stem), " "]));
  }

  return { root, choose, example, microphone, stop, bar, status, player, result, all, downloads, opened };
}
