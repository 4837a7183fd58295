"""The one Sphinx extension of the book.

It adds the directives ``{player} {explorer} {own-song} {lab} {ledger} {result} {systems} {cited} {core-path}
{fold-start} {fold-end}`` and the role ``{result}``, says above shown source where it comes from, links docstrings with
the pages that teach them, keeps the results of executed cells as long as nothing has changed that their page imports or
quotes, and mends a few things in the theme.

    sepbook_sources.py     what a page imports and quotes: its key
    sepbook_execution.py   what kernels see, and where the outputs of each page are kept
    sepbook_ahead.py       pages run side by side before they are read
    sepbook_media.py       {player} {explorer}
    sepbook_own_song.py    {own-song}: the page that separates a reader's song, and its files
    sepbook_figures.py     a number and a caption under each picture that a cell draws
    sepbook_captions.py    {literalinclude}: a caption over all source that is shown
    sepbook_lines.py       long lines of code and of what it prints, broken
    sepbook_together.py    a formula and its comma, 16 000, short names in code: never broken
    sepbook_cards.py       {lab} {ledger}, and the card on the lab's own page
    sepbook_results.py     {result}
    sepbook_systems.py     {systems}: all systems in one table
    sepbook_references.py  {cited}
    sepbook_path.py        {core-path}, and its marks in the contents
    sepbook_api.py         docstrings: their form, their links to pages, and the way back
    sepbook_static.py      sounds, pictures and modules: copied next to the page that asks for them
    sepbook_stamp.py       when a page's code last ran, and with which versions
    sepbook_head.py        description, social card, address; the foot of a page; sitemap and 404 page
    sepbook_contents.py    the contents beside a page: folded by part, labs beside their pages
    sepbook_icons.py       the icon fonts, cut down to what is shown
    sepbook_search.py      the search: the page that teaches a word first
    sepbook_storage.py     what stands in for storage where the browser refuses it
    sepbook_speed.py       one style sheet, scripts that wait: how soon a page shows
    sepbook_folds.py       {fold-start} … {fold-end}: folds that hold code cells
    sepbook_pages.py       clean-ups of the finished page
    static/                our own CSS and JS        templates/   one theme template, without its largest script
"""

from pathlib import Path

import sepbook_ahead
import sepbook_api
import sepbook_captions
import sepbook_cards
import sepbook_contents
import sepbook_execution
import sepbook_figures
import sepbook_folds
import sepbook_head
import sepbook_icons
import sepbook_lines
import sepbook_media
import sepbook_own_song
import sepbook_pages
import sepbook_path
import sepbook_references
import sepbook_results
import sepbook_search
import sepbook_speed
import sepbook_stamp
import sepbook_static
import sepbook_storage
import sepbook_systems
import sepbook_together

HERE = Path(__file__).resolve().parent


def add_own_files(app, config):
    """Let Sphinx find our CSS, our JS and our templates."""
    config.html_static_path.append(str(HERE / "static"))
    config.templates_path.insert(0, str(HERE / "templates"))


def setup(app):
    """Called by Sphinx (``sphinx: local_extensions`` in ``_config.yml``)."""
    app.connect("config-inited", add_own_files)
    app.add_css_file("sepbook.css", priority=900)
    app.add_js_file("sepbook.js", type="module")

    # A change of the extension itself reads every page again, one of its look writes them; no cell runs for that.
    code, look = HERE.glob("*.py"), [HERE / "static", HERE / "templates"]
    app.add_config_value("sepbook_extension", sepbook_execution.digest(sorted(code)), "env")
    app.add_config_value("sepbook_look", sepbook_execution.digest(look), "html")

    app.add_directive("player", sepbook_media.Player)
    app.add_directive("explorer", sepbook_media.Explorer)
    app.add_directive("result", sepbook_results.ResultTable)
    app.add_role("result", sepbook_results.result_role)

    sepbook_execution.setup(app)
    sepbook_captions.setup(app)
    sepbook_lines.setup(app)
    sepbook_together.setup(app)
    sepbook_figures.setup(app)
    sepbook_cards.setup(app)
    sepbook_references.setup(app)
    sepbook_api.setup(app)
    sepbook_path.setup(app)
    sepbook_folds.setup(app)
    sepbook_ahead.setup(app)
    sepbook_own_song.setup(app)
    sepbook_head.setup(app)
    sepbook_contents.setup(app)
    sepbook_icons.setup(app)
    sepbook_search.setup(app)
    sepbook_systems.setup(app)
    sepbook_stamp.setup(app)
    sepbook_speed.setup(app)
    sepbook_storage.setup(app)

    app.connect("html-page-context", sepbook_pages.clean_up, priority=900)
    app.connect("html-page-context", sepbook_static.resolve, priority=910)
    app.connect("build-finished", sepbook_static.copy_widgets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
