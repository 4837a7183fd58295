"""The contents beside a page: folded by part, each lab as a small link beside its page."""

import posixpath

from bs4 import BeautifulSoup


def fold(markup, pagename):
    """Return the theme's list of pages with each part in a fold; the part of the page that is read is open."""
    soup = BeautifulSoup(markup, "html.parser")
    for lab in soup.select("li > a"):
        join(lab, pagename)
    captions = soup.select("p.caption")
    for caption in captions:
        pages = caption.find_next_sibling("ul")
        part = soup.new_tag("details", attrs={"class": "sepbook-part"})
        title = soup.new_tag("summary")
        title.string = caption.get_text()
        caption.replace_with(part)
        part.append(title)
        part.append(pages.extract())
    for part in soup.select("details.sepbook-part"):
        if part.select_one(".current") or (
            not soup.select_one(".sepbook-part .current") and not part.find_previous_sibling()
        ):
            part["open"] = ""
    for here in soup.select("a.current"):
        here["aria-current"] = "page"
    return str(soup)


def name_of(link, pagename):
    """Return the page that a link of the contents leads to."""
    if link["href"] == "#":
        return pagename
    return posixpath.normpath(posixpath.join(posixpath.dirname(pagename), link["href"])).removesuffix(".html")


def join(lab, pagename):
    """Put the link of a lab beside the link of its page, where that stands right before it."""
    entry = lab.parent
    before = entry.find_previous_sibling("li")
    folder, _, name = name_of(lab, pagename).partition("/")
    if folder != "notebooks" or before is None or name_of(before.a, pagename) != f"book/{name}":
        return
    lab["aria-label"] = lab["title"] = lab.get_text().strip()
    lab.string = "lab"
    lab["class"] = [*lab.get("class", []), "sepbook-lab-link"]
    before["class"] = sorted({*before.get("class", []), *entry.get("class", []), "sepbook-with-lab"})
    before.append(lab.extract())
    entry.decompose()


def fold_contents(app, pagename, templatename, context, doctree):
    """Let the page's contents be folded (``html-page-context``, after the core path has left its marks)."""
    contents = context.get("generate_toctree_html")
    if contents is not None:
        context["generate_toctree_html"] = lambda kind, *args, **options: (
            fold(str(contents(kind, *args, **options)), pagename)
            if kind == "sidebar"
            else contents(kind, *args, **options)
        )


def setup(app):
    """Called by our extension."""
    app.connect("html-page-context", fold_contents, priority=906)
