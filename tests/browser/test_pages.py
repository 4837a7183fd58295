"""Every page of the built book, on a desk (1280 px, light) and on a phone (390 px, dark)."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pytest

SCREENSHOTS = Path(__file__).resolve().parents[2] / "_build" / "screenshots"
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}

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
  document.querySelectorAll("article details").forEach((e) => (e.open = true));
  document.querySelectorAll("article .toggle-button-hidden").forEach((e) => e.click());
}"""
# What scrolls sideways must be reachable by keyboard: itself, or something in it.
UNREACHABLE = """() => [...document.querySelectorAll("article *")].filter((e) =>
    e.scrollWidth > e.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(e).overflowX) &&
    e.checkVisibility() && e.tabIndex < 0 && !e.querySelector("a[href], button, input, select, [tabindex='0']")
  ).map((e) => e.outerHTML.slice(0, 200))"""


@dataclass
class Findings:
    """All that is asked about one page in one view, so that each page is opened once."""

    errors: list
    strangers: list
    sideways: list
    pictures: list
    wrong_light: list
    stuck: list
    maths: dict
    axe: list
    unreachable: list
    own_bytes: int
    theme_bytes: int


@pytest.fixture(scope="session")
def seen():
    """Keep findings by (address, view)."""
    return {}


@pytest.fixture
def findings(address, view, visit, seen):
    """Open the page once, ask everything, keep the answers and a screenshot."""
    if (address, view) not in seen:
        seen[address, view] = look(*visit(address, view), f"{address.removesuffix('.html').replace('/', '-')}-{view}")
    return seen[address, view]


def look(page, log, name):
    """Ask a page everything; its solutions are folded for the picture and unfolded for axe."""
    pictures, wrong_light, stuck = (page.evaluate(script) for script in (PICTURES, WRONG_LIGHT, STUCK))
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    page.evaluate(UNFOLD)
    page.wait_for_timeout(250)  # the theme fades
    sideways, maths, unreachable = (page.evaluate(script) for script in (SIDEWAYS, MATHS, UNREACHABLE))
    own = sum(size for url, size in log.fetched if is_own(url))
    theme = sum(size for url, size in log.fetched if not is_own(url))
    axe = violations(page)
    return Findings(
        [*log.errors], [*log.strangers], sideways, pictures, wrong_light, stuck, maths, axe, unreachable, own, theme
    )


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
    found = page.evaluate("(options) => axe.run(document, options)", AXE)["violations"]
    return [f"{rule['id']}: {node['html'][:160]}  {reason(node)}" for rule in found for node in rule["nodes"]]


def reason(node):
    """Return the first thing that axe says is to be done."""
    checks = [*node["any"], *node["all"], *node["none"]]
    return checks[0]["message"] if checks else ""


def test_no_error_in_the_console(findings):
    assert not findings.errors


def test_no_request_to_another_host(findings):
    assert not findings.strangers


def test_no_sideways_scroll(findings):
    assert not findings.sideways


def test_pictures_are_there(findings):
    assert not findings.pictures


def test_pictures_suit_the_light(findings):
    assert not findings.wrong_light


def test_folded_parts_open(findings):
    assert not findings.stuck


def test_mathematics_is_drawn(findings):
    assert findings.maths["drawn"] >= findings.maths["asked"] and not findings.maths["failed"]


def test_axe_finds_nothing(findings):
    assert not findings.axe, "\n".join(findings.axe)


def test_what_scrolls_is_reached_by_keyboard(findings):
    assert not findings.unreachable


def test_page_is_light(findings):
    assert findings.own_bytes <= 1_500_000
    assert findings.theme_bytes <= 3_000_000


def test_most_pages_are_very_light(seen):
    """Runs after all pages have been seen."""
    assert seen and median(found.own_bytes for found in seen.values()) <= 300_000
