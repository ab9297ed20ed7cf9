"""Simulated records that are analysed into another folder keep what is true of them, and verify knows it."""

from __future__ import annotations

from pathlib import Path

import pytest

import equipoise

WITH = ("truth.json", "scenario.yaml", "simulated/mechanism.parquet")


@pytest.mark.requirement("TRUTH-ELSEWHERE")
def test_a_trial_analysed_elsewhere_has_the_same_report_and_one_without_its_arms_has_no_truth(tmp_path: Path) -> None:
    done = equipoise.trial("msc-t1d", tmp_path / "one", seed=1)
    equipoise.analyse("msc-t1d", tmp_path / "one", tmp_path / "two")
    assert all((tmp_path / "two" / name).is_file() for name in WITH)
    assert equipoise.report(tmp_path / "two").read_bytes() == done.report.read_bytes()
    assert "True value" in done.report.read_text("utf-8")
    assert equipoise.verify(tmp_path / "two").files > 20
    equipoise.analyse("msc-t1d", tmp_path / "one", tmp_path / "blind", blinded=True)
    assert not any((tmp_path / "blind" / name).exists() for name in WITH)
