"""The mask painter on its page: nothing is loaded before the first touch, and then it separates."""

PAGE = "book/foundations/masks.html"
HANDLE = "document.querySelector('.sepbook-painter').sepbookPainter"


def test_a_reader_paints_and_the_score_follows(visit, view):
    page, log = visit(PAGE, view)
    page.wait_for_function("() => document.querySelector('.sepbook-painter')?.sepbookPainter")
    assert not [url for url, _ in log.fetched if url.endswith(".wav")]
    canvas = page.locator(".sepbook-painter canvas")
    canvas.scroll_into_view_if_needed()
    page.locator(".sepbook-painter input[value=bass]").check(force=True)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 0.88 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 0.88 * box["height"], steps=12)
    page.mouse.up()
    page.wait_for_function(f"() => {HANDLE}.scores.yours > {HANDLE}.scores.mixture && !{HANDLE}.busy")
    loaded = sum(size for url, size in log.fetched if url.endswith(".wav"))
    assert 0 < loaded <= 1_000_000
    assert page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth") <= 0
    assert not log.errors and not log.strangers
