"""Files of answers: good ones in every dress of a spreadsheet, and bad ones, each with words that help."""

import re

import pytest

from sepbook.evaluation import answers
from sepbook.evaluation.answers import AnswersError, read

HEAD = "test,listener,run,trial,of,item,condition,score,si_sdr"
ABX = [f"abx,ada,r1,{n},3,one or two,one,{n % 2},9.5" for n in (1, 2, 3)]
MUSHRA = [
    f"mushra,ben,m1,{n},2,song {n},{name},{score},-1.25" for n in (1, 2) for name, score in (("a", 100), ("b", 35.5))
]


@pytest.fixture
def write(tmp_path):
    """Write a file of lines: ``write(lines, encoding=…)`` -> its path."""

    def written(lines, name="answers.csv", encoding="utf-8", end="\n"):
        text = lines if isinstance(lines, str) else "".join(f"{line}{end}" for line in lines)
        (tmp_path / name).write_bytes(text.encode(encoding))
        return tmp_path / name

    return written


def test_each_row_is_an_answer(write):
    found = read(write([HEAD, *ABX, *MUSHRA]))
    assert not found.aside and len(found.rows) == 7
    assert found.rows[0] == answers.Answer("abx", "ada", "r1", 1, 3, "one or two", "one", 1.0, 9.5)
    assert found.of("abx").table("listener") == {"ada": [1, 0, 1]}
    assert found.of("mushra").table("condition", "item") == {
        ("a", "song 1"): [100], ("b", "song 1"): [35.5], ("a", "song 2"): [100], ("b", "song 2"): [35.5],
    }  # fmt: skip
    assert found.table("test", value="si_sdr")["mushra"] == [-1.25] * 4


def by_semicolons(line):
    return ";".join(cell.replace(".", ",") for cell in line.split(","))


DRESSES = {
    "windows line ends": {"end": "\r\n"},
    "a mark of the encoding": {"encoding": "utf-8-sig"},
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
def test_ends_of_lines_and_encodings_do_not_matter(write, dress):
    assert read(write([HEAD, *MUSHRA], **dress)) == read(write([HEAD, *MUSHRA]))


def test_semicolons_with_decimal_commas_tabs_order_case_and_blank_lines_do_not_matter(write):
    lines = [HEAD, *ABX, *MUSHRA]
    plain = read(write(lines))
    assert read(write([by_semicolons(line) for line in lines])) == plain
    assert read(write([line.replace(",", "\t") for line in lines])) == plain
    assert read(write(["", lines[0].upper(), "", *lines[1:], ""])) == plain
    turned = [",".join(reversed(line.split(","))) for line in lines]
    assert read(write(turned)) == plain
    assert read(write([f"{line},{'remark' if line == HEAD else 'x'}" for line in lines])) == plain
    assert read(write([line.replace("-1.25", "−1.25") for line in lines])) == plain


def test_a_text_may_hold_commas_in_quotation_marks_and_si_sdr_may_be_missing(write):
    short = [line.rpartition(",")[0] for line in (HEAD, *ABX)]
    found = read(write([line.replace("one or two", '"one, or ""two"""') for line in short]))
    assert found.rows[0].item == 'one, or "two"' and found.rows[0].si_sdr is None
    assert read(write([HEAD, *(line.replace("9.5", "") for line in ABX)])).rows[0].si_sdr is None


def test_several_files_are_one_class_and_a_file_given_twice_counts_once(write):
    one, two = write([HEAD, *ABX], "one.csv"), write([HEAD, *MUSHRA], "two.csv")
    assert len(read([one, str(two), one]).rows) == 7


BAD = {
    "empty": ("", "answers.csv: is empty"),
    "blank": ("\n \n", "is empty"),
    "head alone": (HEAD, "holds no answers"),
    "column missing": ([HEAD.replace("score", "points"), *ABX], "no column 'score'; there is: test,.*points"),
    "no head": (ABX, "line 1: no column 'test'"),
    "not a table": ("Dear class,\nhere are my answers.", "no column 'test'"),
    "cell missing": ([HEAD, ABX[0], ABX[1].rpartition(",")[0]], "line 3: has 8 cells, but there are 9 columns"),
    "decimal comma": ([HEAD, MUSHRA[1].replace("35.5", "35,5")], "line 2: has 10 cells.*quotation marks"),
    "score above": ([HEAD, MUSHRA[0].replace("100", "140")], "score is 140; in mushra it is from 0 to 100"),
    "score below": ([HEAD, MUSHRA[1].replace("35.5", "-3")], "score is -3"),
    "score of half": ([HEAD, ABX[0].replace(",1,9.5", ",0.5,9.5")], "in abx it is 1 for right or 0 for wrong"),
    "score in words": ([HEAD, MUSHRA[1].replace("35.5", "good")], "column 'score' holds 'good', which is no number"),
    "score nan": ([HEAD, MUSHRA[1].replace("35.5", "nan")], "no number"),
    "score missing": ([HEAD, MUSHRA[1].replace("35.5", "")], "line 2: the column 'score' is empty"),
    "listener missing": ([HEAD, ABX[0].replace("ada", "")], "column 'listener' is empty"),
    "another test": ([HEAD, ABX[0].replace("abx", "abc")], "the test is 'abc'; there are: abx, mushra"),
    "trial of less": ([HEAD, ABX[0].replace(",1,3,", ",4,3,")], "trial 4 of 3"),
    "trial zero": ([HEAD, ABX[0].replace(",1,3,", ",0,3,")], "trial 0 of 3"),
    "trial in part": ([HEAD, ABX[0].replace(",1,3,", ",1.5,3,")], "no whole number"),
    "below blank lines": (["", HEAD, "", ABX[0].replace("9.5", "loud")], "line 4: the column"),
    "a text with a line end": ([HEAD, ABX[0].replace("one or two", '"one\nor two"')], "cells, but there are 9 columns"),
    "si_sdr in words": ([HEAD, ABX[0].replace("9.5", "loud")], "column 'si_sdr' holds 'loud'"),
}


@pytest.mark.parametrize(("lines", "words"), BAD.values(), ids=BAD)
def test_what_is_no_answer_is_refused_in_words(write, lines, words):
    with pytest.raises(AnswersError, match=f"(?s){words}"):
        read(write(lines))


def test_files_that_cannot_be_read_are_named(write, tmp_path):
    with pytest.raises(AnswersError, match=r"gone\.csv: there is no such file"):
        read(tmp_path / "gone.csv")
    with pytest.raises(AnswersError, match="in UTF-8"):
        read(write([HEAD, ABX[0].replace("ada", "Ädä")], encoding="utf-16"))
    with pytest.raises(AnswersError, match="cannot be read"):
        read(tmp_path)
    with pytest.raises(AnswersError, match="No file was given"):
        read([])


HALF = {
    "a trial missing": (ABX[:2], "abx, listener ada, run r1: only 2 of 3 trials were answered"),
    "a sound missing": (MUSHRA[:3], "mushra, listener ben, run m1: a sound is missing"),
    "a sound twice": ([*MUSHRA, MUSHRA[0].replace("100", "90")], "a trial has two answers for one sound"),
    "numbers disagree": ([ABX[0], ABX[1].replace(",3,", ",4,"), ABX[2]], r"disagree on the number of trials \(3, 4\)"),
}


@pytest.mark.parametrize(("lines", "words"), HALF.values(), ids=HALF)
def test_half_a_test_is_left_aside_and_named(write, lines, words):
    other = [line.replace("ada", "cleo").replace("r1", "r2") for line in ABX]
    found = read(write([HEAD, *lines, *other]))
    assert {row.listener for row in found.rows} == {"cleo"} and len(found.rows) == 3
    (said,) = found.aside
    assert re.search(words, said)
