"""Many mutants in one session of pytest: the tests are loaded once, and each mutant is put into a fork of that process.

A mutant inside a function takes the place of the function's code in the fork. The file is changed as well, for programs
that a test starts and for modules that are loaded late. What runs when a module is loaded needs a process of its own.
"""

from __future__ import annotations

import gc
import inspect
import math
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from types import CodeType, FunctionType
from typing import Any

from verification.mutants.sites import Mutant
from verification.mutants.workers import (
    FAILED,
    OPTIONS,
    WAITING,
    Outcome,
    Recorder,
    become,
    outcome_of,
    wait_for,
    write_module,
)


@dataclass(frozen=True, slots=True)
class Job:
    """A mutant with the tests that may kill it, and the seconds of the processor that they may take."""

    mutant: Mutant
    tests: tuple[str, ...]
    limit: float


def changed_code(mutant: Mutant, source: bytes, path: str) -> CodeType | None:
    """The code of the outermost function that holds the mutant, changed; None where the change is not in its code."""
    made = [_outermost(compile(text, path, "exec"), mutant) for text in (source, mutant.planted(source))]
    return None if made[0] is None or made[0] == made[1] else made[1]


def _outermost(code: CodeType, mutant: Mutant) -> CodeType | None:
    for name in mutant.function.split(".") if mutant.function else ():
        inner = [part for part in code.co_consts if isinstance(part, CodeType) and part.co_name == name]
        inner = [part for part in inner if part.co_firstlineno <= mutant.line <= _last_line(part)]
        if len(inner) != 1:
            return None
        (code,) = inner
        if code.co_flags & inspect.CO_OPTIMIZED:  # a function; the body of a class is none
            return code
    return None


def _last_line(code: CodeType) -> int:
    lines = [line for *_, line in code.co_lines() if line is not None]
    inner = [_last_line(part) for part in code.co_consts if isinstance(part, CodeType)]
    return max([*lines, *inner])


def put_in(code: CodeType) -> bool:
    """Give every living function of that place the changed code; False where there is none."""
    found = False
    for item in gc.get_objects():
        if type(item) is FunctionType:
            old = item.__code__
            same = (old.co_filename, old.co_qualname, old.co_firstlineno)
            if same == (code.co_filename, code.co_qualname, code.co_firstlineno):
                item.__code__ = code
                found = True
    return found


POOLS = ("polars-0", "tokio")
"""Threads of polars that work: a fork that needs them waits for ever."""
THREADED = ("tests/records/standards/", "tests/verbs/test_exporting.py", "tests/formula/test_refused.py")
"""Tests whose modules start such threads when they are loaded; their mutants have a process each."""


def _threads() -> list[str]:
    return [path.read_text("utf-8").strip() for path in Path("/proc/self/task").glob("*/comm")]


class _Session:
    """A plugin of pytest: instead of running the tests once, runs some of them for each mutant."""

    def __init__(self, copy: Path, jobs: list[Job], done: Any) -> None:
        self.copy, self.jobs, self.done = copy, jobs, done

    def pytest_runtestloop(self, session: Any) -> bool:
        if threads := [name for name in _threads() if name.startswith(POOLS)]:
            raise RuntimeError(f"threads that a fork would miss run already: {', '.join(threads)}")
        items = {item.nodeid: item for item in session.items}
        for job in self.jobs:
            # Plain values: this process has forgotten our modules, so that it can load those of the copy.
            self.done.put((job.mutant.id, astuple(self._outcome(session, items, job))))
        return True

    def _outcome(self, session: Any, items: dict[str, Any], job: Job) -> Outcome:
        path, found = self.copy / job.mutant.path, self.copy / "outcome.json"
        found.unlink(missing_ok=True)
        source, started = path.read_bytes(), time.monotonic()
        code = changed_code(job.mutant, source, str(path))
        assert code is not None, "only mutants inside functions are given to a session"
        write_module(path, job.mutant.planted(source))
        try:
            child = os.fork()
            if child == 0:
                _try(session, [items[test] for test in job.tests if test in items], code, job.limit, found)
            status = wait_for(child, WAITING * job.limit)
        finally:
            write_module(path, source)
        return outcome_of(status, found, "", time.monotonic() - started)


def _try(session: Any, items: list[Any], code: CodeType, limit: float, found: Path) -> None:
    """In the fork: the changed code, then the tests until one fails; and the end of the process."""
    from _pytest.main import pytest_runtestloop

    recorder = Recorder()
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit) + 5))
        loaded = any(getattr(module, "__file__", None) == code.co_filename for module in list(sys.modules.values()))
        if loaded and not put_in(code):
            raise LookupError(f"no function {code.co_qualname} lives")
        session.items[:] = items
        session.config.option.maxfail = 1
        session.config.pluginmanager.register(recorder, "mutant")
        with suppress(session.Failed):
            pytest_runtestloop(session)
        recorder.write(found, FAILED if recorder.failed else 0)
    except BaseException as error:  # noqa: BLE001 - a forked process must never return into its parent's work
        recorder.failed.append(repr(error))
        recorder.write(found, 3)
    os._exit(0)


def sessions(root: Path, copies: list[Path], jobs: list[Job]) -> Iterator[tuple[Mutant, Outcome]]:
    """Try the jobs, shared out among the copies, and give each as it ends."""
    context = get_context("fork")
    done = context.Queue()

    def serve(copy: Path, mine: list[Job]) -> None:
        become(copy, root, copy / "entered.txt")
        import pytest

        tests = sorted({test for job in mine for test in job.tests})
        pytest.main([*OPTIONS, f"--rootdir={copy}", *tests], plugins=[_Session(copy, mine, done)])
        done.close()
        done.join_thread()
        sys.stdout.flush()  # its last words, where it ends too early
        os._exit(0)

    shares = [(copy, jobs[number :: len(copies)]) for number, copy in enumerate(copies)]
    processes = [context.Process(target=serve, args=share) for share in shares if share[1]]
    for process in processes:
        process.start()
    mutants = {job.mutant.id: job.mutant for job in jobs}
    for _ in jobs:
        while True:
            try:
                name, outcome = done.get(timeout=5)
                yield mutants[name], Outcome(*outcome)
                break
            except Empty:
                if not any(process.is_alive() for process in processes):
                    logs = "\n".join((copy / "pytest.log").read_text("utf-8")[-2000:] for copy, _ in shares)
                    raise RuntimeError(f"the session ended before its mutants:\n{logs}") from None
    for process in processes:
        process.join()
