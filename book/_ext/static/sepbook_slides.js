// A page as slides: `?slides` behind its address. Nothing is written twice: each slide shows the first sentence of a
// few paragraphs and the figure, player, formula, table or code that follows them; the paragraphs are the notes.

const POINTS = 3; // sentences on one slide
const SMALLEST = 0.35; // a slide that does not fit is shown smaller, down to this
const LEFT_OUT = ["details-for-implementers", "to-read", "the-lab", "sepbook-package", "the-papers-letters"];
const SHOWN = "div.cell, .literal-block-wrapper, figure, .sepbook-player, .sepbook-explorer, .pst-scrollable-table-container, .sepbook-scroll, .math,"
  + " div[class*=highlight-], .exercise, .admonition, details.sd-dropdown, .sepbook-systems-box, ul, ol, blockquote";
const BUSY = "button, input, select, textarea, audio, summary, [role=slider], [tabindex='0']"; // have keys of their own

/** Return where the first sentence of a text ends, -1 if it does not end: "a.b" and "0.5 s" are not the end. */
export function endOfSentence(words) {
  const end = words.search(/[.!?]["”’)]*(?=\s|$)/);
  return end < 0 ? -1 : end + words.slice(end).match(/^[.!?]["”’)]*/)[0].length;
}

/** Return a copy of the first sentence of a paragraph, its markup included. */
function firstSentence(paragraph) {
  const range = document.createRange();
  range.selectNodeContents(paragraph);
  const texts = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (text.parentElement.closest(".math, mjx-container, code, a, cite")) continue;
    const end = endOfSentence(text.data);
    if (end < 0) continue;
    range.setEnd(text, end);
    break;
  }
  const point = document.createElement("li");
  point.append(range.cloneContents());
  for (const named of point.querySelectorAll("[id]")) named.removeAttribute("id");
  return point;
}

/** Cut one section into slides `{title, points, shown, notes}`; sections inside it come after it. */
function cutSection(section, title) {
  const slides = [];
  let slide = null;
  const open = () => slides.push((slide = { title, points: [], shown: [], notes: [] }));
  for (const part of [...section.children]) {
    if (part.matches("h1, h2, h3, h4, section, script, .sepbook-lab")) continue;
    if (part.matches(".solution, .sepbook-decide, .sepbook-decided")) {
      slide?.shown.push(part);
    } else if (part.matches("p")) {
      if (!slide || slide.shown.length || slide.points.length === POINTS) open();
      slide.points.push(firstSentence(part));
      slide.notes.push(part);
    } else if (part.matches(SHOWN)) {
      const folds = part.matches("details") && slide?.shown.at(-1)?.matches("details, .sepbook-decide"); // one question after the other
      if (!slide || (slide.shown.length && !folds)) open();
      slide.shown.push(part);
    }
  }
  return slides;
}

/** Cut a page into slides, section by section. */
function cut(article) {
  const slides = [];
  for (const section of article.querySelectorAll("section")) {
    if (section.closest([...LEFT_OUT.map((id) => `#${id}`), ".admonition", ".exercise", ".solution", "details"].join())) continue;
    const heading = section.querySelector(":scope > :is(h1, h2, h3, h4)");
    const title = heading ? heading.firstChild.textContent.trim() || heading.innerText.replace(/#$/, "").trim() : "";
    slides.push(...cutSection(section, title));
  }
  return slides;
}

function element(tag, className, ...children) {
  const made = Object.assign(document.createElement(tag), { className });
  made.append(...children);
  return made;
}

function build({ title, points, shown, notes }, number) {
  const heading = element("h2", "", title);
  const list = element("ul", "sepbook-slide-points", ...points);
  const slide = element("section", "sepbook-slide", heading, list, element("div", "sepbook-slide-shown", ...shown));
  slide.setAttribute("aria-label", `Slide ${number + 1}: ${title}`);
  slide.append(element("aside", "sepbook-slide-notes", ...notes));
  if (!points.length) list.remove();
  slide.hidden = true;
  return slide;
}

/** Make a slide smaller until it fits its place. Lines break anew at each size, so it is measured more than once. */
function fit(slide, stage) {
  let scale = 1;
  for (let tries = 0; tries < 4; tries++) {
    slide.style.zoom = scale;
    const share = Math.min(stage.clientHeight / stage.scrollHeight, stage.clientWidth / stage.scrollWidth);
    if (share >= 1 || scale === SMALLEST) return;
    scale = Math.max(scale * share * 0.99, SMALLEST);
  }
  slide.style.zoom = scale;
}

class Deck {
  constructor(article) {
    this.slides = cut(article).map(build);
    this.stage = element("div", "sepbook-slides-stage bd-article", ...this.slides);
    this.count = element("output", "");
    this.root = element("div", "sepbook-slides", this.stage, this.bar());
    this.root.setAttribute("role", "region");
    this.root.setAttribute("aria-label", "Slides");
    document.body.append(this.root);
    document.documentElement.classList.add("sepbook-presents");
    addEventListener("keydown", (event) => this.press(event));
    addEventListener("resize", () => fit(this.slides[this.number], this.stage));
    this.stage.addEventListener("load", () => fit(this.slides[this.number], this.stage), true);
    this.stage.addEventListener("toggle", () => fit(this.slides[this.number], this.stage), true);
    this.show(Number(location.hash.match(/^#slide-(\d+)$/)?.[1] ?? 1) - 1);
  }

  bar() {
    const button = (words, name, act) => {
      const made = element("button", "", words);
      made.type = "button";
      made.setAttribute("aria-label", name);
      made.addEventListener("click", act);
      return made;
    };
    return element(
      "div", "sepbook-slides-bar",
      button("‹", "Slide before", () => this.show(this.number - 1)),
      this.count,
      button("›", "Next slide", () => this.show(this.number + 1)),
      button("notes", "Notes: the whole paragraphs", () => this.root.classList.toggle("sepbook-slides-noted")),
      button("close", "Back to the page", () => this.close()),
    );
  }

  show(number) {
    this.slides.forEach((slide, i) => (slide.hidden = i !== number));
    this.number = Math.min(Math.max(number, 0), this.slides.length - 1);
    const slide = this.slides[this.number];
    slide.hidden = false;
    this.count.textContent = `${this.number + 1} of ${this.slides.length}`;
    history.replaceState(null, "", `#slide-${this.number + 1}`);
    dispatchEvent(new Event("resize")); // what was drawn while hidden is drawn anew
    fit(slide, this.stage);
  }

  press(event) {
    if (event.key === "Escape") return this.close();
    if (event.target.closest?.(BUSY) && event.target.closest(".sepbook-slide")) return;
    const last = this.slides.length - 1;
    const goal = { ArrowRight: this.number + 1, PageDown: this.number + 1, ArrowLeft: this.number - 1, PageUp: this.number - 1, Home: 0, End: last }[event.key];
    if (event.key === "n") this.root.classList.toggle("sepbook-slides-noted");
    if (goal === undefined) return;
    event.preventDefault();
    this.show(goal);
  }

  close() {
    location.assign(location.pathname);
  }
}

/** Show the page as slides (called by sepbook.js where the address asks for it). */
export async function showSlides() {
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet" });
  sheet.href = new URL("sepbook_slides.css", import.meta.url);
  const styled = new Promise((done) => sheet.addEventListener("load", done));
  document.head.append(sheet);
  await Promise.all([styled, window.MathJax?.startup?.promise]);
  window.sepbookDeck = new Deck(document.querySelector("article"));
}
