"""Every page of the built book, on a desk (1280 px, light) and on a phone (390 px, dark)."""

from dataclasses import dataclass
from pathlib import Path

import pytest

SCREENSHOTS = Path(__file__).resolve().parents[2] / "_build" / "screenshots"
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}

SIDEWAYS = """() => {
  const wide = document.scrollingElement.clientWidth, found = [];
  if (document.scrollingElement.scrollWidth <= wide) return found;
  for (const e of document.querySelectorAll("body *")) {
    const box = e.getBoundingClientRect();
    if (box.right > wide + 1 && box.width) found.push(`${e.tagName}.${e.className}: ${Math.round(box.right)} px`);
  }
  return found.length ? found.slice(-4) : ["(no single element)"];
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


@dataclass
class Findings:
    """All that is asked about one page in one view, so that each page is opened once."""

    errors: list
    strangers: list
    sideways: list
    pictures: list
    maths: dict
    axe: list


@pytest.fixture(scope="session")
def seen():
    """Keep findings by (address, view)."""
    return {}


@pytest.fixture
def findings(address, view, visit, seen):
    """Open the page once, ask everything, keep the answers and a screenshot."""
    if (address, view) not in seen:
        page, log = visit(address, view)
        pictures, maths, sideways = (page.evaluate(script) for script in (PICTURES, MATHS, SIDEWAYS))
        axe = violations(page)
        name = address.removesuffix(".html").replace("/", "-")
        page.screenshot(path=SCREENSHOTS / f"{name}-{view}.png", full_page=True)
        seen[address, view] = Findings([*log.errors], [*log.strangers], sideways, pictures, maths, axe)
    return seen[address, view]


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


def test_mathematics_is_drawn(findings):
    assert findings.maths["drawn"] >= findings.maths["asked"] and not findings.maths["failed"]


def test_axe_finds_nothing(findings):
    assert not findings.axe, "\n".join(findings.axe)
