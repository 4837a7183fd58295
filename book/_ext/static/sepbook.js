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

const TABLES = ".sepbook-scroll, .sepbook-ledger, .pst-scrollable-table-container";
const SCROLLERS = `${TABLES}, div.highlight pre, .output pre, mjx-container[display=true], .math`;

/** Boxes that scroll sideways can be reached by keyboard; boxes that do not are left alone. All is measured before anything is changed. */
function reachScrollers() {
  const boxes = [...document.querySelectorAll(SCROLLERS)];
  const scroll = boxes.map((box) => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible");
  const hidden = boxes.map((box, i) => scroll[i] && sides(box));
  boxes.forEach((box, i) => {
    if (scroll[i] && !box.dataset.reached) {
      box.dataset.reached = "yes";
      box.tabIndex = 0;
      box.addEventListener("scroll", () => fade(box, sides(box)), { passive: true });
    } else if (!scroll[i] && box.dataset.reached) {
      delete box.dataset.reached;
      box.removeAttribute("tabindex");
    }
    fade(box, hidden[i]);
  });
}

/** Return at which sides of a box there is more of it. */
function sides({ scrollLeft, scrollWidth, clientWidth }) {
  return [scrollLeft > 1 && "left", scrollLeft < scrollWidth - clientWidth - 1 && "right"].filter(Boolean).join(" ");
}

/** A block of code or a table fades where there is more of it. */
function fade(box, more) {
  if (more && box.matches(`pre, ${TABLES}`)) box.dataset.more = more;
  else delete box.dataset.more;
}

/** The search page holds two search fields of one name; the one in the overlay gives its name up. */
function nameOnce() {
  if (document.querySelectorAll("#search-input").length > 1) {
    document.querySelector(".search-button__search-container #search-input")?.removeAttribute("id");
  }
}

/** Bring the page that is read into sight in the contents beside it. */
function showWhereWeAre() {
  const [here, box] = ['.sepbook-part [aria-current="page"]', ".bd-sidebar-primary"].map((s) => document.querySelector(s));
  if (!here || !box?.clientHeight) return;
  const [{ top, bottom }, seen] = [here.getBoundingClientRect(), box.getBoundingClientRect()];
  if (top < seen.top || bottom > seen.bottom) box.scrollTop += (top + bottom) / 2 - (seen.top + seen.bottom) / 2;
}

/** Paper has no folds and no dark side: unfold, and come back afterwards. */
function printWhole() {
  const { dataset } = document.documentElement;
  let folded = [];
  let theme;
  const stayLight = new MutationObserver(() => {
    if (dataset.theme === "light") return;
    theme = dataset.theme; // the theme follows the system, which may change with the paper: that holds afterwards
    dataset.theme = "light";
  });
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("article details:not([open])")];
    for (const fold of folded) fold.open = true;
    theme = dataset.theme;
    dataset.theme = "light";
    stayLight.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  });
  addEventListener("afterprint", () => {
    stayLight.disconnect();
    for (const fold of folded) fold.open = false;
    dataset.theme = theme;
  });
}

/** Load a module beside this one, under the same version, where a page has something for it. */
async function load(name, wanted, begin) {
  if (!wanted) return;
  const { search } = new URL(import.meta.url);
  (await import(new URL(`${name}.js${search}`, import.meta.url)))[begin]();
}

document.querySelectorAll(".sepbook-explorer").forEach(start);
nameOnce();
printWhole();
load("sepbook_words", document.querySelector('article a[href*="glossary.html#term-"]'), "explainWords");
load("sepbook_checks", document.querySelector("article section[id^=check-yourself] details.sd-dropdown"), "decideFirst");
load("sepbook_slides", new URLSearchParams(location.search).has("slides"), "showSlides");
reachScrollers();
addEventListener("resize", reachScrollers);
addEventListener("load", reachScrollers);
addEventListener("load", showWhereWeAre); // after the theme, which returns to where the contents were before
window.MathJax?.startup?.promise?.then(reachScrollers);
