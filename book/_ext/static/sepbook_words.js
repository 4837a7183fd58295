// Words of the glossary, explained where they stand: a press on one shows its definition, a second press leads there.

const LINKS = 'article a[href*="glossary.html#term-"]';
const entries = new Map(); // address of the glossary -> a promise of its page

function read(address) {
  if (!entries.has(address)) {
    const page = fetch(address).then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(answer.status))));
    entries.set(address, page.then((text) => new DOMParser().parseFromString(text, "text/html")));
  }
  return entries.get(address);
}

/** What the glossary says of a word: its name, and the content of its definition with links that hold from here. */
async function definition(link) {
  const [address, identifier] = link.href.split("#");
  const term = (await read(address)).getElementById(decodeURIComponent(identifier)).closest("dt");
  let said = term.nextElementSibling;
  while (said.tagName !== "DD") said = said.nextElementSibling; // words that share an entry
  const body = document.importNode(said, true);
  for (const each of body.querySelectorAll("a[href]")) each.href = new URL(each.getAttribute("href"), address);
  const name = term.cloneNode(true);
  name.querySelector(".headerlink")?.remove();
  return { name: name.textContent.trim(), body: [...body.childNodes] };
}

function box() {
  const made = Object.assign(document.createElement("div"), { className: "sepbook-word", popover: "auto", tabIndex: -1 });
  made.setAttribute("role", "dialog");
  document.body.append(made);
  return made;
}

/** Put the box below its word, or above it where there is no room below. */
function place(made, link) {
  const [word, { width, height }] = [link.getClientRects()[0], made.getBoundingClientRect()];
  const below = word.bottom + 6;
  made.style.left = `${Math.max(8, Math.min(word.left, innerWidth - width - 8))}px`;
  made.style.top = `${below + height < innerHeight ? below : Math.max(8, word.top - height - 6)}px`;
}

async function show(made, link) {
  const { name, body } = await definition(link);
  const title = Object.assign(document.createElement("p"), { className: "sepbook-word-name", textContent: name });
  const all = Object.assign(document.createElement("a"), { href: link.href, textContent: "All words" });
  made.setAttribute("aria-label", `Definition: ${name}`);
  made.replaceChildren(title, ...body, all);
  made.link = link;
  made.showPopover();
  place(made, link);
  made.focus({ preventScroll: true });
}

export function explainWords() {
  if (!("popover" in HTMLElement.prototype)) return;
  const made = box();
  made.addEventListener("toggle", ({ newState }) => {
    if (newState === "closed" && made.contains(document.activeElement)) made.link.focus({ preventScroll: true });
  });
  addEventListener("keydown", ({ key }) => key === "Escape" && made.matches(":popover-open") && made.hidePopover());
  addEventListener("scroll", () => made.matches(":popover-open") && made.hidePopover(), { passive: true });
  for (const link of document.querySelectorAll(LINKS)) {
    link.setAttribute("aria-haspopup", "dialog");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // a new tab is a new tab
      event.preventDefault();
      show(made, link).catch(() => (location.href = link.href)); // no answer: go there
    });
  }
}
