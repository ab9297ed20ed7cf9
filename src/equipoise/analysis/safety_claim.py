"""The claim that a treatment is safe, by the state of a stopping rule and serious events; it has no p-value."""

from __future__ import annotations

from equipoise.analysis.results import ClaimResult, ResultTable
from equipoise.protocol.schema.inference import Claim


def safety_claim(claim: Claim, tables: tuple[ResultTable, ...]) -> ClaimResult:
    """No signal where no stopping rule was ever met and no related serious event occurred."""
    wanted = {part.analysis for part in claim.parts}
    rows = [
        dict(zip((column.id for column in table.columns), cells, strict=True))
        for table in tables
        if table.id in wanted
        for cells in table.rows
    ]
    treated = [int(row["treated"] or 0) for row in rows]
    if not rows or not all(treated):
        why = "nobody was given the active product" if rows else "arms are not known, so nobody knows who was treated"
        return ClaimResult(claim.id, claim.text, "not assessable", (), why)
    parts: list[str] = []
    signal = False
    for row in rows:
        met, serious = row["met_after"], int(row["serious_related"] or 0)
        signal |= met is not None or serious > 0
        state = "was never met" if met is None else f"was met after {met} treated participants"
        parts.append(
            f"{row['rule']}: the stopping rule {state}, with {row['events']} of {row['treated']} treated participants; "
            f"related serious events in {serious}. Rates of related serious events up to "
            f"{100 * float(row['serious_upper'] or 0):.0f} % cannot be excluded"
        )
    return ClaimResult(claim.id, claim.text, "signal" if signal else "no signal", (), "; ".join(parts))
