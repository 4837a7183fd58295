"""A hand on one widget of a page: what the browser tests of all explorers and players do with it."""

import base64
from pathlib import Path

import axe_core_python
import numpy as np

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
AXE_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
BYTES = """{ const bytes = new Uint8Array(Float64Array.from(%s).buffer), part = 1 << 15, text = [];
  for (let at = 0; at < bytes.length; at += part) text.push(String.fromCharCode(...bytes.subarray(at, at + part)));
  return btoa(text.join("")); }"""

# A sound device that is not there: the clock of Web Audio stands still, until `mend()`.
NO_DEVICE = """() => {
  const own = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "currentTime");
  Object.defineProperty(BaseAudioContext.prototype, "currentTime", { get: () => 0, configurable: true });
  window.mend = () => Object.defineProperty(BaseAudioContext.prototype, "currentTime", own);
}"""


AROUND = {"left": 58, "right": 18, "top": 8, "bottom": 36}  # pixels around a grid, as in explorer_axes.js


class WidgetDriver:
    """One widget on a page, once it lives. A subclass names it as host.js does."""

    name = ""

    def __init__(self, page, number=0):
        self.page = page
        self.handle = f"sepbook{self.name.capitalize()}"
        self.root = page.locator(f".sepbook-{self.name}").nth(number)
        page.wait_for_function(
            "([name, number, handle]) => document.querySelectorAll(`.sepbook-${name}`)[number]?.[handle]",
            arg=[self.name, number, self.handle],
        )

    def run(self, body):
        """Run the body of a JavaScript function on the element ``el`` and the widget's handle ``p``."""
        return self.root.evaluate(f"async (el) => {{ const p = el.{self.handle}; {body} }}")

    def ask(self, code):
        """Evaluate JavaScript on the widget's handle ``p``."""
        return self.run(f"return {code};")

    def samples(self, code):
        """Return what JavaScript on ``p`` gives as an array of numbers: as bytes, which are faster than a list."""
        return np.frombuffer(base64.b64decode(self.run(BYTES % code)))

    def wait(self, code):
        """Wait until JavaScript on ``p`` holds."""
        self.page.wait_for_function(
            f"(el) => {{ const p = el.{self.handle}; return {code}; }}", arg=self.root.element_handle()
        )

    def painted(self):
        """Return all canvases as text."""
        return self.ask("[...el.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())")

    def place(self, number, across, up):
        """Return where on the page a place of a picture's grid is; both from 0 to 1, from the left and from below."""
        canvas = self.root.locator("canvas").nth(number)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        wide = box["width"] - AROUND["left"] - AROUND["right"]
        tall = box["height"] - AROUND["top"] - AROUND["bottom"]
        return box["x"] + AROUND["left"] + across * wide, box["y"] + AROUND["top"] + (1 - up) * tall

    @property
    def status(self):
        """What the widget says of itself."""
        return self.root.locator("[role=status]").inner_text()

    def let_others_play(self):
        """Let another widget begin to play."""
        self.page.evaluate("document.dispatchEvent(new CustomEvent('sepbook-play', { detail: null }))")

    def assert_it_fits(self):
        """The page does not scroll sideways."""
        assert self.page.evaluate("document.scrollingElement.scrollWidth") <= self.page.viewport_size["width"]

    def assert_it_fits_and_axe_finds_nothing(self):
        """The page does not scroll sideways, and no rule of the WCAG is broken."""
        self.assert_it_fits()
        self.page.evaluate(AXE)
        found = self.page.evaluate(f"(rules) => axe.run('.sepbook-{self.name}', rules)", AXE_RULES)["violations"]
        assert [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]] == []
