"""Lighthouse's report is read rightly, and what it last said of the book is what was promised."""

import json

import pytest

from tests.labs.reading import ROOT
from tools.bench import lighthouse

SAVED = ROOT / "results" / "bench" / "lighthouse.json"
IDLE = 1.5  # load before the benchmark began: its own browser was not running yet


def said(score, fcp=1500.0, fault=1):
    """Return a report as Lighthouse writes one, cut down."""
    refs = [{"id": "image-alt", "weight": 10}, {"id": "only-shown", "weight": 0}]
    kinds = {key: {"score": score, "auditRefs": refs} for key in lighthouse.SCORES.values()}
    audits = {
        "image-alt": {"score": fault},
        "only-shown": {"score": 0},
        "first-contentful-paint": {"numericValue": fcp},
    }
    audits["largest-contentful-paint"] = {"numericValue": 2000.0}
    return {"categories": kinds, "audits": audits, "environment": {"benchmarkIndex": 1000}}


def test_scores_times_and_faults_are_read():
    found = lighthouse.figures(said(0.93, fault=0))
    assert found["accessibility"] == found["seo"] == 93
    assert (found["fcp_seconds"], found["lcp_seconds"]) == (1.5, 2.0)
    assert set(found["faults"]) == {"image-alt"}, "what does not count towards a score is no fault"


def test_of_several_runs_the_times_are_medians_and_the_scores_the_worst():
    runs = [lighthouse.figures(said(*each)) for each in ((1, 1000.0), (0.9, 5000.0), (1, 1200.0))]
    assert lighthouse.middle(runs)["fcp_seconds"] == 1.2 and lighthouse.middle(runs)["seo"] == 90


def test_without_a_book_it_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(lighthouse, "HTML", tmp_path)
    assert "make book" in lighthouse.run()["skipped"]


@pytest.mark.parametrize("name", lighthouse.PAGES)
def test_what_lighthouse_said_is_what_was_promised(name):
    saved = json.loads(SAVED.read_text(encoding="utf-8"))
    page = saved["pages"][name]
    assert page["faults"] == []
    assert [page[kind] for kind in lighthouse.SCORES] == [100, 100, 100]
    if saved["load"] <= IDLE:  # on a busy machine the times say nothing
        assert all(page[kind] <= most for kind, most in saved["limits"].items())
