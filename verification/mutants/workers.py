"""Tests in forked processes: heavy packages are imported once, ours anew in each, from a copy of the tree."""

from __future__ import annotations

import importlib
import json
import math
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

from tools.sabotage import environment_of

NOT_COPIED = shutil.ignore_patterns(".venv", ".git", "out", "__pycache__", ".*_cache", ".hypothesis", "dist")
LOADED = ("numpy", "scipy.stats", "scipy.optimize", "scipy.linalg", "polars", "pydantic", "pytest")
SLOWER = 4.0
"""Tests may take so many times their time without a mutant, and GRACE seconds, before they count as never ending."""
GRACE = 30.0
WAITING = 10.0
"""So many times that limit, which is of the processor, the clock may show: a busy machine kills no mutant."""
FAILED, UNUSABLE = 1, 4
"""pytest's words for: some tests failed; a test that was asked for is not there, or its module cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run of pytest."""

    code: int | None
    """Its exit code; None where it had to be ended."""
    passed: dict[str, float]
    """Each test that passed: its seconds."""
    failed: list[str]
    said: str
    seconds: float


class Recorder:
    """A plugin of pytest: how long each test took, and which failed."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_runtest_logstart(self) -> None:
        if found := sys.modules.get("equipoise_entered"):
            found._seen.clear()

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed and report.nodeid not in self.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def write(self, path: Path, code: int) -> None:
        """Leave what was found, and pytest's word for it, to the process that waits."""
        path.write_text(json.dumps({"code": code, "seconds": self.seconds, "failed": self.failed}), "utf-8")


def write_module(path: Path, source: bytes) -> None:
    """Write a module, and see that nothing compiled from another text outlives it."""
    path.write_bytes(source)
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        compiled.unlink()


def copies_of(root: Path, folder: Path, number: int) -> list[Path]:
    """Copies of the tree, one for each worker."""
    found = [folder / f"copy-{index}" for index in range(number)]
    for copy in found:
        shutil.copytree(root, copy, ignore=NOT_COPIED)
    return found


def run_tests(copy: Path, root: Path, tests: list[str], *, limit: float, first_only: bool = True) -> Outcome:
    """Run tests of a copy in a forked process, until the first one fails or the limit of processor seconds is over."""
    for name in LOADED:
        importlib.import_module(name)
    said, found = copy / "entered.txt", copy / "outcome.json"
    for path in (said, found):
        path.unlink(missing_ok=True)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit) + 5))
        _child(copy, root, ["-x", *tests] if first_only else tests, said, found)
    return outcome_of(wait_for(child, WAITING * limit), found, hits(said), time.monotonic() - started)


def wait_for(child: int, seconds: float) -> int | None:
    """The status of a process at its end, None where it had to be ended; whatever it has left running is ended too."""
    started, status = time.monotonic(), None
    while time.monotonic() - started < seconds:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        status = None
        time.sleep(0.01)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        os.waitpid(child, 0)
    return status


def hits(said: Path) -> str:
    """What functions have said; nothing where none did."""
    return said.read_text("utf-8") if said.exists() else ""


def outcome_of(status: int | None, found: Path, said: str, seconds: float) -> Outcome:
    """What a forked process has left behind."""
    ended = status is not None and not (
        os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
    )
    stored = json.loads(found.read_text("utf-8")) if found.exists() else {"code": FAILED, "seconds": {}, "failed": []}
    passed = {test: taken for test, taken in stored["seconds"].items() if test not in stored["failed"]}
    # A process that has ended and left nothing was broken by what it ran.
    return Outcome(stored["code"] if ended else None, passed, stored["failed"], said, seconds)


def become(copy: Path, root: Path, said: Path) -> None:
    """Turn this process into one that lives in the copy: its folder, environment, output and modules."""
    os.setpgid(0, 0)
    os.chdir(copy)
    log = os.open(copy / "pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", closefd=False)
    os.environ.clear()
    os.environ.update(environment_of(copy, root) | {"EQUIPOISE_ENTERED": str(said)})
    for name in [n for n in sys.modules if n.partition(".")[0] in ("verification", "tools", "tests", "equipoise")]:
        del sys.modules[name]
    sys.path[:] = [str(copy / "src"), *(p for p in sys.path if not Path(p).is_relative_to(root / "src"))]
    sys.path[:] = [p for p in sys.path if p not in ("", str(root))]


OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line")


def _child(copy: Path, root: Path, arguments: list[str], said: Path, found: Path) -> None:
    """Become a process that runs pytest in the copy, and end."""
    recorder = Recorder()
    try:
        become(copy, root, said)
        import pytest

        code = int(pytest.main([*OPTIONS, f"--rootdir={copy}", *arguments], plugins=[recorder]))
        ours = Path(str(sys.modules["equipoise"].__file__)) if "equipoise" in sys.modules else copy
        if not ours.is_relative_to(copy):
            code, recorder.failed = 3, [f"the tests imported {ours}"]
    except BaseException as error:  # noqa: BLE001 - a forked process must never return into its parent's work
        code, recorder.failed = 3, [repr(error)]
    recorder.write(found, code)
    os._exit(0)


def each(copies: list[Path], jobs: list[Any], work: Any) -> Iterator[tuple[Any, Any]]:
    """Do jobs in one process a copy, (job, work(copy, job)) as they end."""
    context = get_context("fork")
    waiting, done = context.Queue(), context.Queue()
    for job in jobs:
        waiting.put(job)

    def worker(copy: Path) -> None:
        while True:
            try:
                job = waiting.get(timeout=1)
            except Empty:
                return
            try:
                done.put((job, work(copy, job)))
            except Exception as error:  # noqa: BLE001 - told by the parent, which waits for every job
                done.put((job, error))

    processes = [context.Process(target=worker, args=(copy,)) for copy in copies]
    for process in processes:
        process.start()
    for _ in jobs:
        job, found = done.get()
        if isinstance(found, Exception):
            raise found
        yield job, found
    for process in processes:
        process.join()
