"""The frame of the studies of methods: bands, the rule by which a run fails, and what does not depend on workers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from verification.methods import __main__ as command
from verification.methods.studies import Job, Judged, Row, as_json, check_known, count, jobs_of, judged, read_rows
from verification.methods.tally import Mean, Share

BAND = (0.045, 0.055)


def row(name: str = "x", study: str = "counts", band: tuple[float, float] | None = BAND, seed: int = 1) -> Row:
    return Row(name, study, 4000, seed, band, "because it is so")


@pytest.mark.requirement("VERIFY-BANDS")
@pytest.mark.parametrize(
    ("hits", "ok"),
    [(200, True), (180, True), (130, False), (131, False), (146, True), (278, False), (259, True), (0, False)],
)
def test_a_share_fails_only_where_its_whole_interval_lies_outside(hits: int, ok: bool) -> None:
    assert Judged(row(), 4000, Share(hits, 4000)).ok == ok


@pytest.mark.requirement("VERIFY-BANDS")
def test_a_mean_fails_only_where_its_whole_interval_lies_outside() -> None:
    band = row(band=(-0.02, 0.02))
    # 3.2905 standard errors each way.
    assert Judged(band, 4000, Mean(0.0529, 0.01)).ok
    assert not Judged(band, 4000, Mean(0.0530, 0.01)).ok
    assert Judged(band, 4000, Mean(-0.0529, 0.01)).ok
    assert not Judged(band, 4000, Mean(-0.0530, 0.01)).ok


@pytest.mark.requirement("VERIFY-BANDS")
def test_touching_the_band_passes() -> None:
    low, high = Share(200, 4000).interval
    assert Judged(row(band=(high, 1.0)), 4000, Share(200, 4000)).ok
    assert Judged(row(band=(0.0, low)), 4000, Share(200, 4000)).ok
    assert not Judged(row(band=(float(np.nextafter(high, 1)), 1.0)), 4000, Share(200, 4000)).ok


@pytest.mark.requirement("VERIFY-BANDS")
def test_a_foil_never_fails_but_it_must_be_counted() -> None:
    assert all(Judged(row(band=None), 4000, Share(hits, 4000)).ok for hits in (0, 200, 4000))
    assert not Judged(row(band=None), 4000, None).ok
    assert not Judged(row(band=None), 4000, Share(200, 4000), listed=False).ok


def test_trials_without_an_answer_are_outside_the_share_and_none_has_no_value() -> None:
    assert Share(5, 100, refused=100).value == 0.05
    nothing = Share(0, 0, refused=200)
    assert np.isnan(nothing.value) and nothing.interval == (0.0, 1.0)
    assert as_json(Judged(row(), 200, nothing))["value"] is None


@pytest.mark.parametrize("study", ["nonsense", "tally", "gather", "os.path"])
def test_an_unknown_study_is_named_before_anything_runs(study: str) -> None:
    with pytest.raises(ValueError, match=rf"no study '{study}'"):
        check_known(study)
    with pytest.raises(ValueError, match=rf"no study '{study}'"):
        next(judged([row(), row(study=study)]))


def test_rows_of_one_study_have_one_seed_and_each_its_own_id(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="counts: 'y' has another seed"):
        jobs_of([row(), row("y", seed=2)])
    text = '  - {id: x, study: counts, seed: 1, trials: 4000, band: null, reason: "so"}\n'
    path = tmp_path / "bands.yaml"
    path.write_text("methods:\n" + 2 * text, "utf-8")
    with pytest.raises(ValueError, match="counts: two rows are called 'x'"):
        read_rows(path)


def test_a_quick_run_has_fewer_trials_but_never_more() -> None:
    assert jobs_of([row(), row("y", "mmrm", seed=3)], at_most=1000) == (Job("counts", 1000, 1), Job("mmrm", 1000, 3))
    assert jobs_of([row()], at_most=9000) == (Job("counts", 4000, 1),)


@pytest.mark.requirement("VERIFY-BANDS", "VERIFY-METHODS")
def test_every_row_has_a_known_study_a_reason_a_full_size_and_a_band_that_is_one() -> None:
    rows = read_rows()
    studies = {"counts", "rerandomisation", "censored", "imputation", "mmrm", "rungs", "ladder"}
    assert studies <= {row.study for row in rows}
    for job in jobs_of(rows):
        check_known(job.study)
        assert job.trials >= 4000
    for item in rows:
        assert len(item.reason) > 15, item.id
        assert item.band is None or item.band[0] <= item.band[1], item.id


@pytest.mark.requirement("VERIFY-BANDS", "VERIFY-METHODS")
@pytest.mark.parametrize("study", ["mmrm", "rungs", "ladder"])
def test_a_study_counts_just_what_the_rows_name(study: str) -> None:
    assert set(count(Job(study, 12, 1))) == {row.id for row in read_rows() if row.study == study}


@pytest.mark.requirement("VERIFY-BANDS")
def test_results_depend_on_the_seed_and_not_on_the_workers() -> None:
    rows = [row for row in read_rows() if row.study in ("rungs", "ladder")]
    one, two = (list(judged(rows, at_most=8, workers=workers)) for workers in (1, 2))
    assert [[as_json(item) for item in items] for items in one] == [[as_json(item) for item in items] for items in two]
    job = jobs_of(rows, at_most=8)[0]
    assert str(count(job)) == str({item.row.id: item.counted for item in one[0]})
    assert str(count(Job(job.study, job.trials, job.seed + 1))) != str(count(job))


def test_what_no_row_foresaw_is_shown_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"x": Share(200, 4000), "unforeseen": Share(1, 4000)}
    monkeypatch.setattr("verification.methods.studies._counted", lambda _jobs, _workers: [found])
    (items,) = judged([row(), row("absent", band=None)])
    assert [(item.row.id, item.ok) for item in items] == [("x", True), ("absent", False), ("unforeseen", False)]


def test_the_command_prints_writes_and_tells_by_its_exit_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = {"good": Share(200, 4000, refused=3), "foil": Share(900, 4000)}
    rows = [row("good"), row("foil", band=None), row("bias", "mmrm", band=(-0.1, 0.1))]
    answers = {"counts": counts, "mmrm": {"bias": Mean(0.0, 0.01)}}
    monkeypatch.setattr(command, "OUT", tmp_path / "out")
    monkeypatch.setattr(command, "read_rows", lambda: rows)
    ran: list[Job] = []

    def counted(jobs: list[Job], _workers: int) -> list[dict]:
        ran.extend(jobs)
        return [answers[job.study] for job in jobs]

    monkeypatch.setattr("verification.methods.studies._counted", counted)
    assert command.main([]) == 0
    text = capsys.readouterr().out
    assert "5.00" in text and "3.94 to 6.23" in text and "4.50 to 5.50" in text
    path = tmp_path / "out" / "methods.json"
    full = json.loads(path.read_text("utf-8"))["methods"]
    assert [(item["id"], item["study"], item["ok"]) for item in full] == [
        ("good", "counts", True),
        ("foil", "counts", True),
        ("bias", "mmrm", True),
    ]
    assert full[0]["refused"] == 3 and full[0]["band"] == [0.045, 0.055] and full[0]["value"] == 0.05

    answers["mmrm"] = {"bias": Mean(0.5, 0.01)}
    assert command.main(["mmrm"]) == 1
    again = json.loads(path.read_text("utf-8"))["methods"]
    assert [item["id"] for item in again] == ["good", "foil", "bias"]
    assert again[2]["value"] == 0.5 and not again[2]["ok"]

    assert command.main(["--quick", "counts"]) == 0
    assert ran[-1] == Job("counts", 1000, 1)
    assert json.loads(path.read_text("utf-8"))["methods"] == again
    with pytest.raises(ValueError, match="no row of study 'ladder'"):
        command.main(["ladder"])
