"""Every page of the built book, on a desk (1280 px, light) and on a phone (390 px, dark)."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser import acts

SCREENSHOTS = os.environ.get("SEPBOOK_SCREENSHOTS")  # a folder to keep a picture of every page in
# Only what is wrong is written out in full: four times as fast.
AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
    "selectors": False,
}

SIDEWAYS = """() => {
  const wide = document.scrollingElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= wide) return [];
  const free = (e) => !e || (getComputedStyle(e).position !== "fixed" && free(e.parentElement));
  const found = [...document.querySelectorAll("body *")].filter(
    (e) => e.getBoundingClientRect().width && e.getBoundingClientRect().right > wide + 1 && free(e)
  );
  return ["wider than the screen:", ...found.slice(-4).map((e) => e.outerHTML.slice(0, 150))];
}"""
# Lazy pictures load when they come into view.
PICTURES = """async () => {
  const broken = [];
  for (const picture of document.querySelectorAll("article img")) {
    if (!picture.checkVisibility()) continue;
    picture.loading = "eager";
    await picture.decode().catch(() => {});
    if (!picture.naturalWidth) broken.push(picture.getAttribute("src").slice(0, 200));
  }
  return broken;
}"""
MATHS = """() => ({
  asked: document.querySelectorAll("article .math").length,
  drawn: document.querySelectorAll("article .math mjx-container").length,
  failed: [...document.querySelectorAll("mjx-merror, [data-mjx-error]")].map((e) => e.textContent),
})"""
# Figures come in two versions; the one for the other light stays away.
WRONG_LIGHT = """() => {
  const other = document.documentElement.dataset.theme === "dark" ? ".only-light" : ".only-dark";
  return [...document.querySelectorAll(`article ${other}`)].filter((e) => e.checkVisibility()).map((e) => e.src);
}"""
STUCK = """() => [...document.querySelectorAll("article details")].filter((e) => {
  const before = e.open;
  e.querySelector("summary").click();
  const opened = e.open !== before;
  e.open = before;
  return !opened;
}).map((e) => e.querySelector("summary").textContent)"""
UNFOLD = """() => {
  document.querySelectorAll("details").forEach((e) => (e.open = true));
  document.querySelectorAll("article .toggle-button-hidden").forEach((e) => e.click());
}"""
# A word of code looks like all others of its kind: one of each is enough for axe.
THIN = """() => {
  const seen = new Set();
  for (const e of document.querySelectorAll("article :is(.highlight pre, .sig) span")) {
    if (!e.isConnected) continue;
    let kind = "";
    for (let up = e; up.tagName !== "ARTICLE"; up = up.parentElement) kind += `${up.tagName}.${up.className} `;
    if (seen.has(kind) && !e.querySelector("[id], a")) e.remove();
    else seen.add(kind);
  }
}"""
# On a desk code and what it prints is read without scrolling, folded or not; wide drawings of the reference scroll.
CUT = """() => [...document.querySelectorAll("article pre")].filter((e) =>
    e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && !/[\u2500-\u25ff]/.test(e.textContent)
  ).map((e) => `${e.scrollWidth - e.clientWidth} px: ${e.textContent.slice(0, 150)}`)"""
# Words that look the same have the same contrast: axe measures it anew until some have passed. The same are those whose
# colours, sizes and opacity, and those of all that they stand in, are the same, and that are not placed upon others.
ONE_OF_EACH_LOOK = """() => {
  const numbers = new Map(), known = new WeakMap(), passed = new Set();
  const numbered = (text) => numbers.get(text) ?? numbers.set(text, numbers.size + 1).get(text);
  const look = (e) => {
    if (!e) return 0;
    if (known.has(e)) return known.get(e);
    const s = getComputedStyle(e);
    const own = [s.color, s.backgroundColor, s.backgroundImage, s.opacity, s.fontSize, s.fontWeight, s.textShadow];
    const alone = ["absolute", "fixed"].includes(s.position) ? numbers.size : "";
    known.set(e, numbered([look(e.parentElement), e.tagName, alone, ...own].join()));
    return known.get(e);
  };
  const check = axe._audit.checks["color-contrast"], measure = (check.measure ??= check.evaluate);
  check.evaluate = function (e, ...rest) {
    if (passed.has(look(e))) return true;
    const answer = measure.call(this, e, ...rest);
    if (answer === true) passed.add(look(e));
    return answer;
  };
}"""
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
# What scrolls sideways must be reachable by keyboard: itself, or something in it.
UNREACHABLE = """() => [...document.querySelectorAll("article *")].filter((e) =>
    e.scrollWidth > e.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(e).overflowX) &&
    e.checkVisibility() && e.tabIndex < 0 && !e.querySelector("a[href], button, input, select, [tabindex='0']")
  ).map((e) => e.outerHTML.slice(0, 200))"""


def test_page(address, view, visit):
    """Open the page once and ask everything; its solutions are folded first, and unfolded for axe."""
    page, log = visit(address, view)
    page.add_style_tag(content=STILL)
    pictures, wrong_light, stuck = (page.evaluate(script) for script in (PICTURES, WRONG_LIGHT, STUCK))
    if SCREENSHOTS:
        name = f"{address.removesuffix('.html').replace('/', '-')}-{view}.png"
        page.screenshot(path=Path(SCREENSHOTS) / name, full_page=True)
    own, theme = bytes_fetched(log)  # before the player asks for its sounds
    if view == "1280-light" and page.query_selector("article .sepbook-player"):
        acts.play_compare_and_stop(page)
    if view == "1280-light":
        acts.unfold_and_fold_solutions(page)
    page.evaluate(UNFOLD)
    maths, sideways, unreachable = (page.evaluate(script) for script in (MATHS, SIDEWAYS, UNREACHABLE))
    cut = page.evaluate(CUT) if view == "1280-light" else []
    page.evaluate(THIN)
    found = {
        "mathematics that failed": maths["failed"],
        "mathematics not drawn": max(0, maths["asked"] - maths["drawn"]),
        "pictures that are missing": pictures,
        "pictures for the other light": wrong_light,
        "folds that do not open": stuck,
        "scrolls sideways": sideways,
        "out of reach for the keyboard": unreachable,
        "code that is cut": cut,
        "found by axe": violations(page),
        "errors in the console": log.errors,
        "requests to other hosts": log.strangers,
    }
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert own <= 1_500_000 and theme <= 3_000_000


def test_words_that_were_searched_for_can_be_read(view, visit):
    page, _ = visit("book/losses/permutation.html?highlight=mixture", view)
    assert page.query_selector_all("span.highlighted")
    found = violations(page)
    page.evaluate("localStorage.clear()")
    assert found == []


def bytes_fetched(log):
    """Return the bytes of the page's own files, and those of the theme and of MathJax."""
    own = sum(size for url, size in log.fetched if is_own(url))
    return own, sum(size for url, size in log.fetched) - own


def is_own(url):
    """Say whether a file is the page's own, and not the theme's or MathJax's."""
    path = urlsplit(url).path
    return not path.startswith("/_static/") or path.startswith(
        ("/_static/figures/", "/_static/widgets/", "/_static/sepbook")
    )


def violations(page):
    """Return what axe finds: one line per rule and element."""
    import axe_core_python

    if not page.evaluate("() => 'axe' in window"):
        page.evaluate((Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    page.evaluate(ONE_OF_EACH_LOOK)
    found = page.evaluate("(options) => axe.run(document, options)", AXE)["violations"]
    return [f"{rule['id']}: {node['html'][:160]}  {reason(node)}" for rule in found for node in rule["nodes"]]


def reason(node):
    """Return the first thing that axe says is to be done."""
    checks = [*node["any"], *node["all"], *node["none"]]
    return checks[0]["message"] if checks else ""
