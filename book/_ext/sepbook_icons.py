"""The icons that the pages show, and no others: a few kilobytes of the theme's icon fonts in place of 380.

The fonts are cut when the pages are written, so every icon that a page or the theme's styles ask for is there.
"""

import logging
import re
import shutil
from pathlib import Path

from sphinx.util.logging import getLogger

VENDOR = Path("_static/vendor/fontawesome")
OURS = Path("_static/icons")
FONTS = {
    "solid": ("fa-solid-900", "Font Awesome 6 Free", 900),
    "brands": ("fa-brands-400", "Font Awesome 6 Brands", 400),
}
BASE = """/* Icons: Font Awesome Free 6.5.2 by Fonticons, Inc. Icons CC BY 4.0, fonts SIL OFL 1.1 (LICENSE.txt beside this file).
   Cut down to those that the book shows. */
:root { %(variables)s }
.fa, .fas, .far, .fab, .fa-solid, .fa-regular, .fa-brands { display: inline-block; font-style: normal; font-variant: normal; line-height: 1; text-rendering: auto; -webkit-font-smoothing: antialiased; }
.fa, .fas, .fa-solid { font-family: "Font Awesome 6 Free"; font-weight: 900; }
.fab, .fa-brands { font-family: "Font Awesome 6 Brands"; font-weight: 400; }
.fa-lg { font-size: 1.25em; line-height: 0.05em; vertical-align: -0.075em; }
"""  # noqa: E501
logger = getLogger(__name__)


def asked(out):
    """Return the icons by name that the written pages show, and the code points that the theme's styles ask for."""
    names, codes = set(), set()
    for page in out.rglob("*.html"):
        for shown in re.findall(r'class="([^"]*\bfa[bs]?\b[^"]*|[^"]*\bfa-[^"]*)"', page.read_text(encoding="utf-8")):
            names |= {each.removeprefix("fa-") for each in shown.split() if each.startswith("fa-")}
    for style in (out / "_static").rglob("*.css"):
        if VENDOR.name not in style.parts and OURS.name not in style.parts:
            codes |= {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", style.read_text(encoding="utf-8"))}
    return names, codes


def cut(source, target, codes):
    """Write the font with these code points only."""
    from fontTools import subset

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of each table

    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=False, hinting=False)
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    subset.save_font(font, str(target), options)


def write_icons(app, exception):
    """Cut the fonts down to what is shown, and leave the whole ones out of the book (``build-finished``)."""
    out = Path(app.outdir)
    if exception is not None or app.builder.format != "html" or not (out / VENDOR).is_dir():
        return
    [vendor] = sorted((out / VENDOR).iterdir())[-1:]
    style = (vendor / "css" / "all.min.css").read_text(encoding="utf-8")
    known = {
        name: int(code, 16)
        for group, code in re.findall(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}', style)
        for name in re.findall(r"\.fa-([\w-]+):before", group)
    }
    names, codes = asked(out)
    names = {name for name in names if name in known}
    folder = out / OURS
    folder.mkdir(parents=True, exist_ok=True)
    rules, variables = [], []
    for kind, (file, family, weight) in FONTS.items():
        cut(vendor / "webfonts" / f"{file}.ttf", folder / f"{kind}.woff", codes | {known[name] for name in names})
        variables.append(f'--fa-font-{kind}: normal {weight} 1em/1 "{family}";')
        rules.append(
            f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-display: block; '
            f'src: url("{kind}.woff") format("woff"); }}'
        )
    rules += [f'.fa-{name}::before {{ content: "\\{known[name]:x}"; }}' for name in sorted(names)]
    text = BASE % {"variables": " ".join(variables)} + "\n".join(rules) + "\n"
    (folder / "icons.css").write_text(text, encoding="utf-8")
    shutil.copy(vendor / "LICENSE.txt", folder / "LICENSE.txt")
    shutil.rmtree(out / "_static" / "vendor")


def setup(app):
    """Called by our extension."""
    app.connect("build-finished", write_icons, priority=900)  # after all pages of the site have been written
