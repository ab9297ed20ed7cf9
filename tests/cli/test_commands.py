"""The command line: exit codes, messages without tracebacks, quick help, and the way from files to a report."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from equipoise.cli.lines import line_of
from equipoise.protocol.load import load_protocol
from tests.pace import slower

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
EQUIPOISE = Path(sys.executable).parent / "equipoise"


def seconds_of_children() -> float:
    """Processor time of finished child processes: what else the machine does at the moment does not count."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(EQUIPOISE), *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "out"
    for command in (
        ("import", EXAMPLE / "protocol.yaml", EXAMPLE / "data", "--map", EXAMPLE / "map.yaml", "-o", folder),
        ("analyse", EXAMPLE / "protocol.yaml", folder, "-o", folder),
        ("report", folder),
        ("verify", folder),
    ):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.requirement("CLI-EXIT")
def test_files_become_a_report(made: Path) -> None:
    for name in ("protocol.yaml", "records/findings.parquet", "allocation.csv", "adam/adsl.parquet", "results.json"):
        assert (made / name).is_file()
    assert "New tablet" in (made / "report.html").read_text(encoding="utf-8")


def test_the_last_line_of_report_is_its_path(made: Path) -> None:
    assert run("report", made).stdout.splitlines()[-1] == str(made / "report.html")


@pytest.mark.requirement("RECORDS-SDTM")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_records_exported_as_sdtm_give_the_same_results(made: Path, tmp_path: Path, kind: str) -> None:
    protocol = EXAMPLE / "protocol.yaml"
    done = run("export", protocol, made, "--kind", kind, "-o", tmp_path / "sdtm")
    assert done.returncode == 0, done.stderr
    assert f"dm.{kind}" in done.stdout
    arms = ("--allocation", made / "allocation.csv")
    done = run("analyse", protocol, tmp_path / "sdtm", *arms, "-o", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "results.json").read_bytes() == (made / "results.json").read_bytes()
    assert run("verify", tmp_path / "again").returncode == 0


def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    path.write_text((EXAMPLE / "protocol.yaml").read_text().replace("role: placebo", "role: placebo-ish"))
    return path


@pytest.mark.requirement("CLI-EXIT", "CLI-CHECK")
def test_a_broken_protocol_exits_with_2_and_tells_file_line_path_value_rule_and_remedy(tmp_path: Path) -> None:
    done = run("check", broken(tmp_path))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    line = next(line for line in done.stderr.splitlines() if "broken.yaml:" in line)
    assert "products.placebo.role" in line
    assert "'placebo-ish'" in line
    assert "[not-one-of]" in line


@pytest.mark.requirement("CLI-EXIT")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "no-such-protocol"), 2),
        (("analyse", "t1dal"), 2),
        (("frobnicate",), 2),
        (("analyse", EXAMPLE / "protocol.yaml", "nowhere", "-o", "x"), 3),
        (("import", EXAMPLE / "protocol.yaml", "nowhere", "--map", EXAMPLE / "map.yaml", "-o", "x"), 3),
        (("import", EXAMPLE / "protocol.yaml", EXAMPLE / "data", "-o", "x"), 2),
        (("report", "nowhere"), 3),
        (("verify", "nowhere"), 3),
    ],
)
def test_a_users_mistake_has_its_exit_code_and_no_traceback(
    tmp_path: Path, arguments: tuple[object, ...], code: int
) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("CLI-EXIT")
def test_records_of_another_protocol_exit_with_3(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text((EXAMPLE / "protocol.yaml").read_text().replace("id: small-trial", "id: other-trial"))
    done = run("analyse", other, made, "-o", tmp_path / "x")
    assert done.returncode == 3
    assert "records-protocol" in done.stderr


@pytest.mark.requirement("CLI-EXIT")
def test_changed_records_exit_with_4(made: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(made, tmp_path / "out"))
    (folder / "records" / "records.json").write_text(
        (folder / "records" / "records.json").read_text().replace("sha256:", "sha256:0", 1).replace("00", "0", 1)
    )
    assert run("verify", folder).returncode == 4


@pytest.mark.requirement("CLI-EXIT")
def test_a_folder_that_cannot_be_made_exits_with_5(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(
        "import",
        EXAMPLE / "protocol.yaml",
        EXAMPLE / "data",
        "--map",
        EXAMPLE / "map.yaml",
        "-o",
        tmp_path / "file" / "x",
    )
    assert done.returncode == 5
    assert "Traceback" not in done.stderr


@pytest.mark.requirement("IMPORT-EMPTY-ARM")
def test_an_arm_without_participants_is_told_by_import_and_by_analyse(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    shutil.copytree(EXAMPLE / "data", data)
    people = data / "people.csv"
    people.write_text(people.read_text().replace(",P,", ",T,"))
    given = ("import", EXAMPLE / "protocol.yaml", data, "--map", EXAMPLE / "map.yaml")
    done = run(*given, "-o", out)
    assert done.returncode == 0 and "allocated: tablet 12 of 6 planned, placebo 0 of 6 planned\n" in done.stdout
    assert "warning: people.csv: arm: the arm 'placebo' has no participants (tablet 12, placebo 0)" in done.stderr
    assert "arm-without-participants" in run(*given, "--dry-run").stderr
    found = run("analyse", EXAMPLE / "protocol.yaml", out, "-o", out)
    assert "warning: placebo has no participants" in found.stderr
    assert "hba1c/hba1c/main/month-6/tablet-v-placebo: Placebo has no participants" in found.stdout
    assert "column" not in found.stdout


@pytest.mark.requirement("IMPORT-EMPTY-ARM")
def test_with_people_in_every_arm_nothing_is_warned_of(tmp_path: Path) -> None:
    given = ("import", EXAMPLE / "protocol.yaml", EXAMPLE / "data", "--map", EXAMPLE / "map.yaml", "-o", tmp_path)
    done = run(*given)
    assert "allocated: tablet 6 of 6 planned, placebo 6 of 6 planned\n" in done.stdout
    assert "no participants" not in done.stderr


@pytest.mark.requirement("REPORT-ROUNDED")
def test_a_printed_zero_has_no_sign() -> None:
    result = SimpleNamespace(id="a", estimate=-4e-17, lower=-1e-9, upper=-0.0, p_value=0.5, status="ok")
    assert line_of(result) == "a: 0.000 (0.000, 0.000), p = 0.500"


def test_blinded_and_an_allocation_contradict_each_other(made: Path, tmp_path: Path) -> None:
    done = run(
        "analyse", EXAMPLE / "protocol.yaml", made, "--blinded", "--allocation", made / "allocation.csv", "-o", tmp_path
    )
    assert done.returncode == 2


def test_a_blinded_run_prints_no_comparison(made: Path, tmp_path: Path) -> None:
    done = run("analyse", EXAMPLE / "protocol.yaml", made, "--blinded", "-o", tmp_path / "blind")
    assert done.returncode == 0
    assert "p =" not in done.stdout and "blinded run" in done.stdout


@pytest.mark.requirement("CLI-HELP")
def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from equipoise.cli.main import commands\n"
        "commands.main(['--help'], standalone_mode=False)\n"
        "heavy = {'numpy', 'scipy', 'polars', 'pydantic', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.requirement("CLI-HELP")
def test_help_takes_less_than_half_a_second() -> None:
    start = seconds_of_children()
    assert run("--help").returncode == 0
    assert seconds_of_children() - start < 0.5


@pytest.mark.requirement("CLI-PYTHON")
def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, equipoise\n"
        "assert not {'numpy', 'polars', 'pydantic'} & set(sys.modules)\n"
        "import equipoise.report.build\n"
        "assert all(callable(getattr(equipoise, verb)) for verb in equipoise.__all__)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ}, capture_output=True)
    import equipoise
    from equipoise.cli.main import commands

    # `import` is a word of the language itself, so that verb has another name in Python.
    assert {name.replace("import", "import_trial") for name in commands.commands} <= set(equipoise.__all__)


@pytest.mark.requirement("CLI-CHECK")
@pytest.mark.parametrize("name", ["t1dal", "msc-t1d"])
def test_a_shipped_protocol_is_valid_and_can_be_planned(name: str) -> None:
    done = run("check", name)
    assert done.returncode == 0, done.stderr
    assert "valid" in done.stdout and "sha256:" in done.stdout


@pytest.mark.requirement("CLI-T1DAL")
def test_the_t1dal_files_become_a_verified_report_within_six_seconds(t1dal: Path, tmp_path: Path) -> None:
    start = seconds_of_children()
    for command in (
        ("import", "t1dal", t1dal, "-o", "out"),
        ("analyse", "t1dal", "out", "-o", "out"),
        ("report", "out"),
    ):
        done = run(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert seconds_of_children() - start < 6 * slower()
    assert run("verify", "out", cwd=tmp_path).returncode == 0
    assert "Alefacept" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.requirement("CLI-EXIT")
def test_someone_randomised_without_an_arm_is_refused(made: Path, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("participant,arm\nINV-01,tablet\n")
    done = run("analyse", EXAMPLE / "protocol.yaml", made, "--allocation", tmp_path / "few.csv", "-o", tmp_path / "x")
    assert done.returncode == 3
    assert done.stderr.count("allocation-complete") == 3 and "And 8 more." in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.requirement("ANALYSIS-STATUS")
@pytest.mark.parametrize("blinded", [(), ("--blinded",)])
def test_a_trial_without_participants_has_a_complete_report(tmp_path: Path, blinded: tuple[str, ...]) -> None:
    import shutil

    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "empty"))
    for path in (folder / "data").iterdir():
        path.write_text(path.read_text().splitlines()[0] + "\n")
    protocol, made = folder / "protocol.yaml", tmp_path / "made"
    out = tmp_path / "blinded" if blinded else made  # a blinded run is not written beside the allocation
    for command in (
        ("import", protocol, folder / "data", "--map", folder / "map.yaml", "-o", made),
        ("analyse", protocol, made, *blinded, "-o", out),
        ("report", out),
        ("verify", out),
    ):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    assert "0 participants were randomised" in (out / "report.html").read_text(encoding="utf-8")


def test_a_changed_protocol_is_the_one_that_is_written_and_verified(made: Path, tmp_path: Path) -> None:
    change = "protocol.analyses.hba1c-robust.options.standard_error=model"
    amends = f"protocol.amends={load_protocol(EXAMPLE / 'protocol.yaml').digest}"
    given = ("analyse", EXAMPLE / "protocol.yaml", made, "--set", change)
    done = run(*given, "--set", amends, "-o", tmp_path / "changed")
    assert done.returncode == 0, done.stderr
    assert run("verify", tmp_path / "changed").returncode == 0
    lines = [line.rpartition(":")[2] for line in done.stdout.splitlines() if line.startswith("hba1c")]
    assert lines[0] == lines[1], "with the same standard error the sensitivity analysis is the primary one"
    assert run("check", EXAMPLE / "protocol.yaml", "--set", "protocol.arms.tablet.ratio=0").returncode == 2
    assert run("check", EXAMPLE / "protocol.yaml", "--set", "scenario.x=0").returncode == 2
