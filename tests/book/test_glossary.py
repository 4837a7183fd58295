"""The glossary is short, leads to pages, and is reached from the first use of its words."""

import re

import pytest
from book_sources import ROOT, pages, text_of

TEXT = (ROOT / "book" / "appendix" / "glossary.md").read_text(encoding="utf-8")
BODY = re.search(r"```\{glossary\}\n:sorted:\n\n(.*?)\n```", TEXT, re.DOTALL)[1]
ENTRIES = {}  # the words that share an entry, and the entry
for block in BODY.split("\n\n"):
    lines = block.split("\n")
    words = tuple(line for line in lines if not line.startswith(" "))
    ENTRIES[words] = " ".join(line.strip() for line in lines[len(words) :])
TERMS = [word for words in ENTRIES for word in words]
LINK = re.compile(r"\[[^\]]+\]\([\w./]+\.md(#[\w-]+)?\)$")
TAUGHT_ON = sorted({match for entry in ENTRIES.values() for match in re.findall(r"\]\(([\w./]+)\.md", entry)})


def used(page):
    """Return the terms that a page links to, in order."""
    roles = re.findall(r"\{term\}`([^`]+)`", text_of(page))
    return [re.sub(r".*<(.*)>", r"\1", " ".join(role.split())) for role in roles]


@pytest.mark.parametrize("words", ENTRIES, ids=lambda words: words[0])
def test_entry_is_short_and_leads_to_a_page(words):
    entry = ENTRIES[words]
    assert LINK.search(entry), "end with a link to the page that explains it"
    said = LINK.sub("", entry).strip()
    # A colon joins; only . ! ? end a sentence.
    assert 1 <= len(re.findall(r"[.!?](?:\s|$)", said)) <= 2
    assert len(said.split()) <= 55


def test_terms_are_unique():
    assert len({term.lower() for term in TERMS}) == len(TERMS) > 50


@pytest.mark.parametrize("page", pages())
def test_a_page_links_a_word_once_where_it_first_uses_it(page):
    terms = used(page)
    unknown = set(terms) - set(TERMS)
    assert not unknown, "not in book/appendix/glossary.md"
    twice = {term for term in terms if terms.count(term) > 1}
    assert page.endswith("glossary.md") or not twice


@pytest.mark.parametrize("name", [name for name in TAUGHT_ON if name.startswith("../")])
def test_pages_that_explain_words_lead_to_the_glossary(name):
    assert len(used(f"book/{name.removeprefix('../')}.md")) >= 5
