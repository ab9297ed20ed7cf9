"""Write the classes of USDM as equipoise checks them, from CDISC's file of its model.

    .venv/bin/python tools/usdm_model.py dataStructure.yml > src/equipoise/records/standards/usdm/model-4.0.txt

The file is `Deliverables/UML/dataStructure.yml` of cdisc-org/DDF-RA. `usdm/structure.py` says how a line is read.
"""

import sys
from pathlib import Path

from ruamel.yaml import YAML

PLAIN = {"string": "", "date": "", "boolean": ":bool", "integer": ":number", "float": ":number"}
MARKS = {"1": "", "0..1": "?", "0..*": "*", "0..2": "*", "1..*": "+"}
COMMON = ("id", "instanceType", "extensionAttributes", "notes")
DURATIONS = {("Timing", name) for name in ("value", "windowLower", "windowUpper")}
"""Texts that the model wants to be durations of ISO 8601, which the file says in words alone."""
MAY_BE_ABSENT = {
    *((design, "eligibilityCriteria") for design in ("InterventionalStudyDesign", "ObservationalStudyDesign")),
    *(("Substance", "strengths"), ("StudyAmendment", "changes"), ("SyntaxTemplateDictionary", "parameterMaps")),
}
"""Lists of at least one that the reference model (usdm4) reads where they are absent: no finding of ours then."""


def main() -> None:
    """Print a line for each class that an object may be of."""
    classes = YAML(typ="safe").load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name, about in sorted(classes.items()):
        if about["Modifier"] == "Concrete":
            given = about["Attributes"].items()
            parts = (attribute(classes, name, *one) for one in given if one[0] not in COMMON)
            sys.stdout.write(f"{name}: {' '.join(parts)}".rstrip() + "\n")


def attribute(classes: dict, owner: str, name: str, about: dict) -> str:
    """An attribute as `structure.py` reads it."""
    types = [one["$ref"].removeprefix("#/") for one in about["Type"]]
    mark = "*" if (owner, name) in MAY_BE_ABSENT else MARKS[about["Cardinality"]]
    if types[0] in PLAIN:
        return f"{name}{mark}{':duration' if (owner, name) in DURATIONS else PLAIN[types[0]]}"
    concrete = [kind for one in types for kind in concretes(classes, one)]
    reference = ">" if about["Relationship Type"] == "Ref" else ""
    return f"{name}{mark}:{reference}{'|'.join(concrete)}"


def concretes(classes: dict, name: str) -> list:
    """The classes that an object may be of where this one is wanted."""
    below = [one["$ref"].removeprefix("#/") for one in classes[name].get("Sub Classes", ())]
    return [kind for one in below for kind in concretes(classes, one)] or [name]


if __name__ == "__main__":
    main()
