"""chances.json of a folder: how often each word is said by chance, from the package or from a file that is given."""

from __future__ import annotations

from pathlib import Path

from equipoise.analysis.chances import Chances, chances_for, to_text
from equipoise.analysis.plan import Plan
from equipoise.analysis.results import Results
from equipoise.analysis.words import HARM, printed
from equipoise.errors import InputError, Problem
from equipoise.protocol.model import Protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.verbs.folder import OutputFolder

NAME = "chances.json"
SCENARIO = "scenario.yaml"
UNKNOWN = (
    "how often each word is said by chance: not known, nothing was simulated of this protocol "
    "(--chances FILE shows chances that were counted for it)"
)


def chances_of(planned: Plan, scenario: tuple[str, str] | None, given: str | Path | None) -> tuple[Chances, ...]:
    """The chances to show: of the scenario and with no effect, or those of the file that is given.

    Raises InputError where the file was counted from another protocol or plan, or cannot be read.
    """
    return chances_for(planned, scenario, None if given is None else Path(given))


def of_real_arms(chances: tuple[Chances, ...], given: str | Path | None, *, real: bool) -> tuple[Chances, ...]:
    """The same; none where the arms are not known or not real: no verdict is said, and there is no chance of one.

    Raises InputError where a file was given for such a run.
    """
    if real:
        return chances
    if given is not None:
        message = "a run without the real arms says no verdict, so that no chance of one can be shown"
        problem = Problem(str(given), None, "", "chances-apply", message, "Leave --chances out.")
        raise InputError("cannot show chances", [problem])
    return ()


def scenario_in(records: Path, protocol: Protocol) -> tuple[str, str] | None:
    """Id and digest of the scenario beside simulated records; of others that which the protocol names, if any."""
    beside = [path for path in (records / SCENARIO, records.parent / SCENARIO) if path.is_file()]
    wanted = beside[0] if beside else protocol.authored.default_scenario
    if wanted is None:
        return None
    try:
        found = load_scenario(wanted)
    except InputError:  # it decides nothing here: without it, chances under no scenario are shown
        return None
    return found.id, found.digest


def said(results: Results, chances: tuple[Chances, ...]) -> tuple[str, ...]:
    """A line for each claim: what is said of it, and how often that would be said by chance."""
    lines = []
    for claim in results.claims:
        rates = [f"{rate} {table.label}" for table in chances if (rate := table.shown(claim.id, claim.verdict))]
        rates += ["real harm in them included"] if rates and claim.verdict in HARM else []
        often = f" (how often: {', '.join(rates)})" if rates else ""
        lines.append(f"{claim.id.upper()} {claim.text} {printed(claim.verdict)}{often}")
    if chances and lines:
        counted = ", ".join(f"{table.trials} {table.label}" for table in chances)
        lines.append(f"how often: counted in simulated trials of this protocol, {counted}")
    elif lines and results.allocation is not None and "scrambled" not in results.allocation:
        lines.append(UNKNOWN)
    return tuple(lines)


def write_chances(target: OutputFolder, chances: tuple[Chances, ...]) -> None:
    """Write chances.json; where there are none, one of an earlier run does not stay."""
    if chances:
        target.write_text(NAME, to_text(*chances))
    else:
        (target.path / NAME).unlink(missing_ok=True)
