"""What cells do in the mechanistic model: every link is an assumption of the scenario, zero by default.

Nobody has published a model of mesenchymal cells in human type 1 diabetes. A link says how strongly cells act on one
part of the mechanism; what follows for C-peptide, HbA1c or anything else is the model's answer, and so are the
response to the dose, to its time and to its repetition.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from equipoise.patients.effects import EffectRange


@dataclass(frozen=True, slots=True)
class Links:
    """The links of cells to the mechanism; see LINK_RANGES."""

    immunomodulation: float = 0.0
    regulatory_expansion: float = 0.0
    cytokine_shift: float = 0.0
    regeneration: float = 0.0
    homing: float = 0.02
    exercise_homing: float = 0.0
    infusion_reaction_log_odds: float = 0.0

    def __post_init__(self) -> None:
        for name, row in LINK_RANGES.items():
            value = getattr(self, name)
            if not row.low <= value <= row.high:
                message = f"links.{name}: {value} lies outside its range, {row.low} to {row.high} {row.unit}"
                raise ValueError(message)


LINK_RANGES: dict[str, EffectRange] = {
    "immunomodulation": EffectRange(
        "per % of a treatment", 0.0, 5.0, "assumed: cells in the pancreas divide activation of effectors by 1 + this x"
    ),
    "regulatory_expansion": EffectRange(
        "1/day per % of a treatment", 0.0, 0.02, "assumed: cells in blood and lung add regulatory T cells at this rate"
    ),
    "cytokine_shift": EffectRange(
        "per % of a treatment", 0.0, 0.5, "assumed: cells in blood and lung raise anti-inflammatory activity"
    ),
    "regeneration": EffectRange(
        "1/day per % of a treatment", 0.0, 0.01, "assumed: beta cells gain x B (1 - B) where cells have migrated"
    ),
    "homing": EffectRange("share of a dose", 0.0, 0.1, "assumed: reaches the pancreas from the blood, past the lung"),
    "exercise_homing": EffectRange("1", 0.0, 2.0, "assumed: share by which a habit of 150 min a week enlarges homing"),
    "infusion_reaction_log_odds": EffectRange("ln odds ratio", -1.0, 3.0, "of each reaction to an infusion of cells"),
}
"""Unit, limits and meaning of each link, for the scenario's schema and the documents."""
assert set(LINK_RANGES) == {field.name for field in fields(Links)}
