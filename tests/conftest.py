"""What every test may rely on: the outside data, and that nothing is left out unnoticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")

# No deadline: a busy machine is no counterexample. In CI the same examples every time.
settings.register_profile(
    "equipoise", deadline=None, derandomize=IN_CI, database=None if IN_CI else settings().database
)
settings.load_profile("equipoise")


def _outside_folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable) or default)
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there; {variable} may name another place")
    return folder.resolve()


@pytest.fixture(scope="session")
def t1dal() -> Path:
    """The folder of the T1DAL trial's published files."""
    return _outside_folder("EQUIPOISE_T1DAL", SHARED / "t1dal")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """The folder of published reference data that is too large to stand here."""
    return _outside_folder("EQUIPOISE_REFERENCE", SHARED / "reference")


# Where CI is set, a test that did not run has failed: a skip would hide it for good.


def _fail_instead_of_skipping(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and IN_CI:
        reason = getattr(report, "wasxfail", None) or report.longrepr
        text = reason[2] if isinstance(reason, tuple) else str(reason)
        report.outcome = "failed"
        report.longrepr = f"CI is set and this did not run: {text}"
        if hasattr(report, "wasxfail"):
            del report.wasxfail


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    _fail_instead_of_skipping(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector):
    report = yield
    _fail_instead_of_skipping(report)
    return report
