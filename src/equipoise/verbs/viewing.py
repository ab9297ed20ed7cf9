"""`equipoise export DIR --view ROLE`: the records that a role may see before database lock, as a masked copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import DataError, Problem
from equipoise.protocol.load import load_protocol
from equipoise.records.folder import find_records, read_records
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.importing import write_protocol, write_trial
from equipoise.verbs.masking import masked_for, refuse_beside_whole, role_view, told
from equipoise.verbs.provenance import record_step


@dataclass(frozen=True, slots=True)
class Viewed:
    """Where a masked copy went, the parts that it has and lacks, and the line that says what was withheld."""

    folder: Path
    parts: tuple[str, ...]
    lacks: tuple[str, ...]
    withheld: tuple[str, ...]


def export_view(folder: str | Path, output: str | Path, role: str) -> Viewed:
    """Write protocol.yaml and the records of a trial's folder as `role` may see them; never the allocation.

    Raises InputError (role, an output folder that holds what is withheld), DataError (no protocol or records),
    IntegrityError (records were changed). Nothing has been written then.
    """
    source = Path(folder)
    if not (source / "protocol.yaml").is_file():
        remedy = "Give the folder of a trial, or name the protocol too: equipoise export PROTOCOL RECORDS --view ROLE."
        problem = Problem(str(source), None, "", "protocol-exists", "there is no protocol.yaml here", remedy)
        raise DataError(f"cannot read a trial in {source}", [problem])
    protocol = load_protocol(source / "protocol.yaml")
    view = role_view(protocol, role)
    assert view is not None, "a role was given"
    refuse_beside_whole(Path(output), view)
    records = masked_for(read_records(find_records(source), protocol), view)
    target = OutputFolder(Path(output))
    write_protocol(target, protocol)
    write_trial(target, records, None)
    inputs = {"protocol": protocol.digest, "records": records.digest}
    record_step(target, "export", ["equipoise", "export", str(folder), "--view", role, "-o", str(output)], inputs)
    return Viewed(target.path, tuple(records.parts), records.lacks, told(view))
