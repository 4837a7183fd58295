"""What the reader has met is not told again: each of these stands where it is taught, elsewhere there is a link."""

import re

import pytest
from book_sources import labs, pages, text_of

FOR_REFERENCE = {"book/appendix/notation.md", "book/appendix/cheat_sheets.md", "book/appendix/glossary.md"}
# How it shows: the page that teaches it, and a page that only points there.
ONCE = {
    r"\\l?ceil\s*\\frac\{N\}|\\lceil[^$]*N[^$]*hop": ("foundations/spectrograms", "appendix/cheat_sheets"),
    r"keep (?:the|its)[\w ]* directions[^.]*restore": ("foundations/spectrograms", "building_blocks/stft"),
    r"\\min_\\pi c_": ("losses/permutation", "training/bug_clinic"),
    r"add to one over T": ("foundations/tensors", "building_blocks/activation"),
}


@pytest.mark.parametrize("shows", ONCE)
def test_it_is_told_once_and_pointed_to_elsewhere(shows):
    home, other = ONCE[shows]
    where = {name for name in pages() + labs() if re.search(shows, " ".join(text_of(name).split()))}
    assert where - FOR_REFERENCE == {f"book/{home}.md"}
    assert f"{home.rpartition('/')[2]}.md" in text_of(f"book/{other}.md")
