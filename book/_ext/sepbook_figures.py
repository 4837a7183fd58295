"""Figures: a number and a caption under each picture that a cell draws, counted anew on each page.

Nobody types either of them. ``sepbook.plots.show`` asks for a description, which first names what is drawn and then
says what there is to see. Its beginning is the caption: whole sentences, until they say enough, without the lists of
numbers that follow a colon, since those are in the picture. The whole description stays what a screen reader says.
"""

import re
from html import escape, unescape

from docutils import nodes

PICTURE = re.compile(r'<div class="sepbook-figure">(.*?)</div>', re.DOTALL)
ALT = re.compile(r'\balt="([^"]*)"')
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)")
NUMBERS = re.compile(r": [^:]*[-−]?\d.*$", re.DOTALL)
NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?")
ENOUGH = 50  # characters: a shorter caption takes the next sentence in
NAMED = 20  # characters before a colon: fewer, such as "Left", name nothing
LISTED = re.compile(r"^[a-z\d]|[:=] ?[-−]?\d|\d\.\d")  # of a further sentence: it tells what the picture shows
FEW = 3  # numbers in a sentence: more are a list of what the picture shows


def caption(alt):
    """Return what names a figure: the beginning of its description, up to the first list of numbers."""
    said = ""
    for sentence in SENTENCE.split(alt.strip()):
        short = NUMBERS.sub("", sentence) if len(NUMBER.findall(sentence)) > FEW else sentence
        short = short if len(short) >= NAMED else sentence
        if said and (LISTED.search(short) or len(NUMBER.findall(short)) > FEW):
            break
        said = f"{said} {short.rstrip(' .,;:')}.".strip()
        if len(said) >= ENOUGH or short != sentence:
            break
    return said


def numbered(text, number):
    """Return the HTML of a figure with its number and its caption."""

    def figure(match):
        alt = unescape(ALT.search(match[1])[1])
        words = f"<span>Figure {number}.</span> {escape(caption(alt))}"
        pictures = f'<div class="sepbook-pictures">{match[1]}</div>'  # the theme hides captions beside its pictures
        return (
            f'<figure class="sepbook-figure" id="figure-{number}">{pictures}<figcaption>{words}</figcaption></figure>'
        )

    return PICTURE.sub(figure, text, count=1)


def number(app, doctree, page):
    """Number the figures of a page (``doctree-resolved``: by now each output has one form)."""
    count = 0
    for node in list(doctree.findall(nodes.raw)):
        if node.get("format") == "html" and PICTURE.search(node.astext()):
            count += 1
            node.replace_self(nodes.raw("", numbered(node.astext(), count), format="html"))


def setup(app):
    """Called by our extension."""
    app.connect("doctree-resolved", number)
