"""What every explorer hands to its two hosts, a page of the book and a notebook: asserted in one place."""

from sepbook.widgets._hosts import bundle


def assert_page_element(make, name, folder, *words):
    """Its page element has the shared sheet, a table with these words, and no markup from its title."""
    element = make("Try <it>").html(folder, folder)
    assert f'class="sepbook-{name} sepbook-shell"' in element and "widgets/explorer.css" in element
    assert all(word in element for word in words)
    assert "<it>" not in element and "Try" in repr(make("Try"))
    return element


def assert_one_module(hosted, module):
    """A notebook gets one module without imports or other hosts, and the sheet."""
    assert hosted.widget is hosted.widget and ".ex-root" in hosted.widget._css
    source = bundle(f"{module}.js")
    assert "import " not in source and source.count("export default") == 1 and "http" not in source
