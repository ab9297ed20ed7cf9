"""Long work shows on a terminal that it goes on, and nothing anywhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.requirement("CLI-PROGRESS")
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
EQUIPOISE = Path(sys.executable).parent / "equipoise"
IMPORT = ("import", EXAMPLE / "protocol.yaml", EXAMPLE / "data", "--map", EXAMPLE / "map.yaml", "-o", "out")
WAITING = """
import sys, time
from equipoise.cli.progress import working
try:
    with working("counting [sheep]"):
        time.sleep(0.3)
        print("of the verb")
        if "fail" in sys.argv:
            raise SystemExit(3)
finally:
    print("rich" in sys.modules)
"""


def on_a_terminal(command: list[str], folder: Path, term: str = "xterm") -> tuple[int, str, bytes]:
    """Run with standard error on a terminal: the exit code, what it showed, and the bytes of standard output."""
    controller, terminal = pty.openpty()
    environment = os.environ | {"TERM": term}
    try:
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=terminal) as process:
            os.close(terminal)
            shown = b""
            while True:
                try:
                    some = os.read(controller, 4096)
                except OSError:  # the program has ended and closed it
                    break
                if not some:
                    break
                shown += some
            output = process.stdout.read() if process.stdout else b""
        return process.returncode, shown.decode(), output
    finally:
        os.close(controller)


def test_a_terminal_shows_the_task_and_the_time_and_is_left_clean(tmp_path: Path) -> None:
    code, shown, output = on_a_terminal([sys.executable, "-c", WAITING], tmp_path)
    assert (code, output) == (0, b"of the verb\nTrue\n")
    assert "counting [sheep]" in shown and "0:00:00" in shown
    assert shown.endswith("\x1b[2K")  # the line of the bar is erased at the end
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # and the cursor is there again


def test_after_a_failure_too(tmp_path: Path) -> None:
    code, shown, _ = on_a_terminal([sys.executable, "-c", WAITING, "fail"], tmp_path)
    assert code == 3
    assert shown.endswith("\x1b[2K") and "\x1b[?25h" in shown


def test_a_terminal_that_cannot_take_a_line_back_shows_nothing(tmp_path: Path) -> None:
    assert on_a_terminal([sys.executable, "-c", WAITING], tmp_path, "dumb") == (0, "", b"of the verb\nFalse\n")


def test_a_pipe_gets_nothing_and_rich_is_not_loaded(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WAITING], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, b"", b"of the verb\nFalse\n")


def test_a_command_writes_the_same_with_and_without_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "seen").mkdir()
    (tmp_path / "piped").mkdir()
    command = [str(EQUIPOISE), *map(str, IMPORT)]
    code, shown, output = on_a_terminal(command, tmp_path / "seen")
    done = subprocess.run(command, cwd=tmp_path / "piped", capture_output=True, check=False)
    assert code == done.returncode == 0
    assert f"importing {EXAMPLE / 'data'}"[:40] in shown.replace("\r\n", "")
    assert done.stderr == b"" and done.stdout == output
    files = sorted(path.relative_to(tmp_path / "piped") for path in (tmp_path / "piped").rglob("*") if path.is_file())
    assert len(files) > 5
    for name in files:
        if name.name != "provenance.json":  # which holds the time
            assert (tmp_path / "seen" / name).read_bytes() == (tmp_path / "piped" / name).read_bytes(), name
