// Our own script: it starts the explorers and mends labels that the theme leaves out.
// A module, so it runs when the page has been read and the theme's scripts have started.

/** The part of anywidget's model that a module needs, for a page without a kernel. */
export class StaticModel {
  constructor(state) {
    this.state = { ...state };
    this.listeners = {};
  }
  get(name) {
    return this.state[name];
  }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const call of this.listeners[`change:${name}`] ?? []) call();
  }
  on(event, call) {
    (this.listeners[event] ??= new Set()).add(call);
  }
  off(event, call) {
    call ? this.listeners[event]?.delete(call) : delete this.listeners[event];
  }
  save_changes() {}
}

/** Load the module of one explorer; its fallback stays when that fails. */
async function start(explorer) {
  const [fallback, live] = [".sepbook-explorer-fallback", ".sepbook-explorer-live"].map((s) => explorer.querySelector(s));
  try {
    const module = await import(new URL(explorer.dataset.module, document.baseURI));
    live.hidden = false;
    await (module.render ?? module.default.render)({ model: new StaticModel(JSON.parse(explorer.dataset.state)), el: live });
    fallback.hidden = true;
  } catch (error) {
    live.hidden = true;
    console.error(`The explorer ${explorer.dataset.module} did not start:`, error);
  }
}

const SCROLLERS = ".sepbook-scroll, .pst-scrollable-table-container, div.highlight pre, .output pre, mjx-container[display=true], .math";

/** Boxes that scroll sideways can be reached by keyboard; boxes that do not are left alone. */
function reachScrollers() {
  for (const box of document.querySelectorAll(SCROLLERS)) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible";
    if (scrolls && !box.dataset.reached) {
      box.dataset.reached = "yes";
      box.tabIndex = 0;
    } else if (!scrolls && box.dataset.reached) {
      delete box.dataset.reached;
      box.removeAttribute("tabindex");
    }
  }
}

/** The search page holds two search fields of one name; the one in the overlay gives its name up. */
function nameOnce() {
  if (document.querySelectorAll("#search-input").length > 1) {
    document.querySelector(".search-button__search-container #search-input")?.removeAttribute("id");
  }
}

document.querySelectorAll(".sepbook-explorer").forEach(start);
nameOnce();
reachScrollers();
addEventListener("resize", reachScrollers);
addEventListener("load", reachScrollers);
window.MathJax?.startup?.promise?.then(reachScrollers);
