"""What a page says of itself beyond its text: to search engines, to those who share it, to those who cite or mend it.

In the head: a description, a social card, the one address that counts. At the foot: when the page last changed, where
to edit it, how to cite it. Beside the pages: ``sitemap.xml``, ``robots.txt`` and ``404.html``.
"""

import datetime
import html
import io
import posixpath
import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import sepbook_stamp
import yaml
from docutils import nodes

HERE = Path(__file__).resolve().parent
LONGEST = 160  # characters of a description that a search engine shows
SHORTEST = 60
CARD = "_static/social_card.png"
GENERAL = (
    "An interactive book on deep-learning source separation: every shape prints, every sound plays, "
    "every system is built, trained and heard."
)


def site(repository):
    """Return the address under which GitHub Pages serves a repository: the book's own, from one setting."""
    owner, name = urlsplit(repository).path.strip("/").split("/")[:2]
    return f"https://{owner.lower()}.github.io/{name}/"


def name_the_site(app, config):
    """Derive the address of the site from that of the repository, unless one is given (``config-inited``)."""
    if not config.html_baseurl:
        config.html_baseurl = site(config.html_theme_options["repository_url"])


# --- the description -----------------------------------------------------------------------------------------------


def description(doctree):
    """Return the first sentences of a page's own text, as many as fit."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        inside = paragraph.parent
        words = " ".join(spoken(paragraph).split())
        if isinstance(inside, nodes.section | nodes.document) and len(words) >= SHORTEST:
            return shortened(words)
    return GENERAL


def spoken(node):
    """Return the text of a node; of a formula its letters, without the marks of TeX."""
    if isinstance(node, nodes.math):
        return re.sub(r"\\[a-z]+|[\\{}$]", "", node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    return "".join(spoken(child) for child in node.children)


def shortened(words):
    """Return whole sentences up to ``LONGEST`` characters, or the beginning of the first one."""
    ends = [match.end() for match in re.finditer(r"[.!?](?=\s|$)", words) if SHORTEST <= match.end() <= LONGEST]
    if ends:
        return words[: ends[-1]]
    return words if len(words) <= LONGEST else words[: LONGEST - 2].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def metatags(title, said, address, card):
    """Return the tags that search engines and those who show a link read."""
    named = {"description": said, "twitter:card": "summary_large_image"}
    shared = {
        "og:type": "article", "og:site_name": "sepbook", "og:title": title, "og:description": said,
        "og:url": address, "og:image": card, "og:image:width": "1200", "og:image:height": "630",
        "og:image:alt": "The spectrograms of a voice, drums, a bass and the rest of a song, one colour each",
    }  # fmt: skip
    lines = [f'<meta name="{key}" content="{html.escape(value)}" />' for key, value in named.items()]
    lines += [f'<meta property="{key}" content="{html.escape(value)}" />' for key, value in shared.items()]
    return "\n    " + "\n    ".join(lines)


# --- the foot ------------------------------------------------------------------------------------------------------


@cache
def dates(folder):
    """Return {path: day} of the last commit that changed each file; empty where there is no history."""
    command = ["git", "log", "--no-merges", "--format=%x00%cs", "--name-only", "--", "book", "notebooks"]
    try:
        history = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    found = {}
    for commit in history.split("\0")[1:]:
        day, *paths = commit.split()
        for path in paths:
            found.setdefault(path, day)
    return found


def readable(day):
    """Return a day as it is read: 2026-11-05 -> 5 November 2026."""
    date = datetime.date.fromisoformat(day)
    return f"{date.day} {date:%B %Y}"


def ran(note):
    """Return when and with what a page's code ran, in words; nothing where it has none."""
    if note is None:
        return ""
    return f"Its code ran on {readable(note['day'])} with Python {note['python']} and PyTorch {note.get('torch', '?')}."


def citation(title, page, address, day, folder):
    """Return the BibTeX entry of a page; authors and version stand in CITATION.cff."""
    path = folder / "CITATION.cff"
    cff = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    authors = " and ".join(f"{{{author['name']}}}" for author in cff.get("authors", [])) or "{The sepbook authors}"
    fields = {
        "author": f"{{{authors}}}", "title": f"{{{{{title}}}}}",
        "booktitle": f"{{{cff.get('title', 'sepbook')}}}",
        "year": f"{{{(day or cff.get('date-released') or '')[:4] or datetime.date.today().year}}}",
        "note": f"{{Version {cff.get('version', '0')}}}", "url": f"{{{address}}}",
    }  # fmt: skip
    key = "sepbook:" + page.removeprefix("book/").replace("notebooks/", "lab/")
    body = ",\n".join(f"  {name} = {value}" for name, value in fields.items())
    return f"@incollection{{{key},\n{body}\n}}"


def describe(app, pagename, templatename, context, doctree):
    """Give the page its tags and what its foot shows (``html-page-context``)."""
    base = app.config.html_baseurl
    address = context.get("pageurl") or posixpath.join(base, f"{pagename}.html")
    title = re.sub(r"<[^>]+>", "", html.unescape(str(context.get("title") or app.config.project)))
    tags = metatags(title, description(doctree), address, posixpath.join(base, CARD))
    context["metatags"] = str(context.get("metatags") or "") + tags
    if pagename not in app.env.found_docs:
        return
    folder = Path(app.srcdir)
    source = Path(app.env.doc2path(pagename)).relative_to(folder).as_posix()
    day = dates(folder).get(source)
    theme = app.config.html_theme_options
    verb = "blob" if source.endswith(".ipynb") else "edit"
    context["sepbook_foot"] = {
        "changed": readable(day) if day else "",
        "day": day,
        "ran": ran(sepbook_stamp.of_page(app, pagename)),
        "edit": f"{theme['repository_url']}/{verb}/{theme['repository_branch']}/{source}",
        "lab": verb == "blob",
        "cite": citation(title, pagename, address, day, folder),
    }


# --- beside the pages ----------------------------------------------------------------------------------------------


def sitemap(base, pages):
    """Return the list of all pages for search engines; ``pages`` are pairs of name and day."""
    entries = "".join(
        f"<url><loc>{html.escape(posixpath.join(base, f'{name}.html'))}</loc>"
        + (f"<lastmod>{day}</lastmod>" if day else "")
        + "</url>\n"
        for name, day in sorted(pages)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    )


def write_beside(app, exception):
    """Write what belongs to the site and to no page (``build-finished``)."""
    if exception is not None or app.builder.format != "html":
        return
    out, folder, base = Path(app.outdir), Path(app.srcdir), app.config.html_baseurl
    days = dates(folder)
    pages = [
        (name, days.get(Path(app.env.doc2path(name)).relative_to(folder).as_posix())) for name in app.env.found_docs
    ]
    (out / "sitemap.xml").write_text(sitemap(base, pages), encoding="utf-8")
    (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n", encoding="utf-8")
    lost = (HERE / "templates" / "404.html").read_text(encoding="utf-8")
    lost = lost.replace("{{ root }}", urlsplit(base).path).replace("{{ start }}", f"{app.config.root_doc}.html")
    (out / "404.html").write_text(lost, encoding="utf-8")
    draw_card(out / CARD)


def draw_card(path):
    """Draw the picture that a shared link shows: the stems of the first test song, one above the other."""
    from PIL import Image, ImageDraw, ImageFont

    if path.is_file():
        return
    from sepbook.data import corpus
    from sepbook.plots import colour
    from sepbook.widgets import _picture

    song = corpus.songs("test")[0]
    card = Image.new("RGB", (1200, 630), "#14171a")
    powers = [_picture.power_spectrogram(clip.numpy().mean(0), song.sample_rate) for clip in song.sources()]
    loudest = max(power.max() for power in powers)
    for number, (name, power) in enumerate(zip(song.stem_names, powers, strict=True)):
        shade = Image.open(io.BytesIO(_picture.picture(power, loudest, colour(name, number)))).convert("RGBA")
        shade = shade.resize((1200, 84))
        card.paste(shade, (0, 250 + 92 * number), shade)
    draw = ImageDraw.Draw(card)
    draw.text((60, 50), "sepbook", fill="#f3f4f5", font=ImageFont.load_default(92))
    draw.text(
        (62, 165),
        "Deep-learning source separation, read, run and heard",
        fill="#ced6dd",
        font=ImageFont.load_default(40),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    card.save(path, optimize=True)


def setup(app):
    """Called by our extension."""
    app.connect("config-inited", name_the_site)
    app.connect("html-page-context", describe, priority=400)  # the theme drops a foot that is still empty
    app.connect("build-finished", write_beside)
