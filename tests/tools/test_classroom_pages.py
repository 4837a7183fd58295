"""The syllabus is what pages, labs and checks say now; its weeks teach before they use; its links lead somewhere."""

import re

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin

from sepbook import check
from tools.classroom import labs, pages, syllabus
from tools.classroom.__main__ import main

WEEKS = syllabus.weeks()
FILES = sorted(pages.FOLDER.glob("*.md"))


def test_the_pages_are_as_they_would_be_written_now():
    stale = [path.name for path, text in pages.made().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run `python -m tools.classroom pages`"
    written = {path.stem for path in pages.made()}
    assert {path.stem for path in FILES} - written == {"teaching", "project"}


def test_there_are_twelve_weeks_and_no_page_is_read_twice():
    read = [name for week in WEEKS for name in (*week.read, *week.more)]
    assert len(WEEKS) == 12 and len(set(read)) == len(read)
    assert all(2 <= len(week.read) <= 3 for week in WEEKS)


@pytest.mark.parametrize("week", WEEKS, ids=lambda week: str(week.number))
def test_a_lecture_has_ninety_minutes_and_demonstrations_that_are_there(week):
    assert sum(minutes for minutes, _ in week.plan) == 90
    assert len(week.show) >= 2 and len(week.discuss) >= 2 and len(week.exam) >= 2 and week.homework
    for name, section, _ in week.show:
        text = (labs.ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")
        body = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
        assert body, f"{name} has no section {section!r}"
        imported = re.findall(r"from sepbook\.widgets\.\w+ import (.+)", text)
        widgets = "|".join(name.strip() for names in imported for name in names.split(","))
        assert re.search(rf"\{{player\}}|\{{explorer\}}|\b(?:{widgets})\(", body[1]), f"nothing to show in {section!r}"


def test_the_weeks_teach_before_they_use_save_what_the_syllabus_owns_up_to():
    missing = syllabus.on_trust([name for week in WEEKS for name in week.read])
    text = pages.overview()
    assert all(f"{concept} ({pages.link(home)})" in text for concept, home in missing) and len(missing) <= 2


def test_days_are_about_equally_long_and_keep_the_order():
    days = syllabus.days(3)
    assert [name for day in days for name in day] == syllabus.core_path()
    lengths = [sum(map(syllabus.spent, day)) for day in days]
    assert max(lengths) - min(lengths) <= 90 and max(lengths) <= 8 * 60
    assert sum(map(syllabus.spent, syllabus.plan()["days"]["one"])) <= 7 * 60


def test_what_is_planned_and_not_there_yet_comes_by_itself(monkeypatch):
    name = "architectures/conv_tasnet"
    concepts = {key: dict(about) for key, about in syllabus.house()["concepts"].items()}
    concepts[name] = {"later": ["page", "lab"]}
    monkeypatch.setattr(syllabus, "house", lambda: {"concepts": concepts})
    assert not syllabus.there(name)
    concepts[name] = {}
    assert syllabus.there(name)
    with pytest.raises(ValueError, match="does not know"):
        syllabus.there("architectures/conv_tas_net")


def test_a_page_that_no_week_reads_is_named_by_itself(monkeypatch):
    assert "Beyond the twelve weeks" not in pages.overview() or syllabus.beyond()
    less = [
        syllabus.Week(**{**vars(week), "read": [n for n in week.read if n != "foundations/masks"]}) for week in WEEKS
    ]
    monkeypatch.setattr(syllabus, "weeks", lambda: less)
    assert syllabus.beyond()[:1] == ["foundations/masks"]


@pytest.mark.parametrize("name", labs.names())
def test_exercises_are_read_as_they_are(name):
    found, known = syllabus.exercises(name), check.exercises()[name]
    assert [one.title for one in found] == [one.title for one in known]
    assert [one.where for one in found] == [one.where for one in known]


def test_most_exercises_of_the_course_name_mistakes():
    named = [bool(one.mistakes) for week in WEEKS for name in week.read for one in syllabus.exercises(name)]
    assert sum(named) > 0.6 * len(named)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_links_lead_to_files_and_sections(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    for target, anchor in re.findall(r"\]\((?!https?:)([\w./]+)(?:#([\w-]+))?\)", text):
        file = (path.parent / target).resolve()
        assert file.is_file(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
            assert anchor in map(pages.slug, titles), f"{target}#{anchor}"


@pytest.mark.parametrize("week", WEEKS, ids=lambda week: str(week.number))
def test_every_exam_question_is_a_fold(week):
    tokens = MarkdownIt().use(colon_fence_plugin).parse(pages.week_page(week))
    folds = [token.info for token in tokens if token.type == "colon_fence"]
    assert folds == [f"{{dropdown}} {question}" for question, _ in week.exam]
    assert not [token for token in tokens if token.type == "fence"]


def test_signs_in_a_checks_words_stay_signs():
    assert pages.plain("10 ** (g / 20), X[_]: `a ** b`") == r"10 \*\* (g / 20), X\[\_\]: `a ** b`"


def test_a_week_chooses_its_labs(tmp_path, capsys):
    assert main(["nbgrader", "--week", "3", "--out", str(tmp_path)]) == 0
    assert sorted(p.name for p in (tmp_path / "source").iterdir()) == ["foundations_masks", "foundations_spectrograms"]
    assert main(["nbgrader", "--week", "13", "--out", str(tmp_path)]) == 2
    assert main(["nbgrader", "foundations/masks", "--week", "3", "--out", str(tmp_path)]) == 2
    assert "there is no week 13" in (said := capsys.readouterr().err) and "not both" in said


def test_no_exercise_stands_without_a_word_below_it():
    weeks = [path for path in FILES if path.stem.startswith("week_")]
    assert len(weeks) == 12
    for page in weeks:
        assert not re.findall(r"^- Exercise[^\n]*\n(?!  - )", page.read_text(encoding="utf-8"), re.M), page.name
