"""The protocol as SDTM's trial design datasets: TA, TE, TV, TI and TS.

They follow from the protocol alone and name nobody's arm. Names, keys and the terms of TS are those of SDTM's
Implementation Guide 3.4 (section 7) and CDISC's controlled terminology; what a protocol file does not hold has the
null flavour NI (no information) in TSVALNF, as ISO 21090 calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import polars as pl

from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.treatment import Product

DESIGN = ("TA", "TE", "TV", "TI", "TS")
SCREENING = ("SCRN", "Screening")
SCREENING_EPOCH = "SCREENING"
NO_INFORMATION = "NI"
WHOLE = frozenset({"TAETORD", "VISITNUM", "VISITDY", "TSSEQ"})
"""The variables that are numbers."""
LABELS = {
    "STUDYID": "Study Identifier",
    "DOMAIN": "Domain Abbreviation",
    "ARMCD": "Planned Arm Code",
    "ARM": "Description of Planned Arm",
    "TAETORD": "Planned Order of Element within Arm",
    "ETCD": "Element Code",
    "ELEMENT": "Description of Element",
    "TABRANCH": "Branch",
    "TATRANS": "Transition Rule",
    "EPOCH": "Epoch",
    "TESTRL": "Rule for Start of Element",
    "TEENRL": "Rule for End of Element",
    "TEDUR": "Planned Duration of Element",
    "VISITNUM": "Visit Number",
    "VISIT": "Visit Name",
    "VISITDY": "Planned Study Day of Visit",
    "TVSTRL": "Visit Start Rule",
    "TVENRL": "Visit End Rule",
    "IETESTCD": "Incl/Excl Criterion Short Name",
    "IETEST": "Inclusion/Exclusion Criterion",
    "IECAT": "Inclusion/Exclusion Category",
    "TIRL": "Inclusion/Exclusion Criterion Rule",
    "TIVERS": "Protocol Criteria Versions",
    "TSSEQ": "Sequence Number",
    "TSGRPID": "Group ID",
    "TSPARMCD": "Trial Summary Parameter Short Name",
    "TSPARM": "Trial Summary Parameter",
    "TSVAL": "Parameter Value",
    "TSVALNF": "Parameter Null Flavor",
    "TSVALCD": "Parameter Value Code",
    "TSVCDREF": "Name of the Reference Terminology",
}
DESIGN_KEYS = {
    "TA": ("STUDYID", "ARMCD", "TAETORD"),
    "TE": ("STUDYID", "ETCD"),
    "TV": ("STUDYID", "VISITNUM"),
    "TI": ("STUDYID", "IETESTCD"),
    "TS": ("STUDYID", "TSPARMCD", "TSSEQ"),
}
_KINDS = {"drug": "DRUG", "autologous-cells": "BIOLOGIC", "saline": "DRUG"}
_ROUTES = {
    "intravenous": "INTRAVENOUS",
    "intramuscular": "INTRAMUSCULAR",
    "subcutaneous": "SUBCUTANEOUS",
    "oral": "ORAL",
    "transdermal": "TRANSDERMAL",
}
_PHASES = ("I", "I/II", "II", "II/III", "III", "IV")
_BOUND = re.compile(r"\s*age\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*")


def design_frames(protocol: Protocol) -> dict[str, pl.DataFrame]:
    """The datasets by name, each with its rows in the order of its key."""
    made = {
        "TA": _arms(protocol),
        "TE": _elements(protocol),
        "TV": _visits(protocol),
        "TI": _criteria(protocol),
        "TS": _summary(protocol),
    }
    return {name: _framed(protocol, name, rows) for name, rows in made.items()}


def _framed(protocol: Protocol, name: str, rows: list[dict[str, str | int | None]]) -> pl.DataFrame:
    schema = {key: pl.Int64 if key in WHOLE else pl.String for key in rows[0]}
    return pl.DataFrame(rows, schema=schema).select(
        pl.lit(protocol.id).alias("STUDYID"), pl.lit(name).alias("DOMAIN"), pl.all()
    )


def codes(names: list[str], most: int) -> dict[str, str]:
    """Short codes of capitals and digits, unique among the names and none that of the screening element."""
    found: dict[str, str] = {}
    for name in names:
        stem = re.sub("[^A-Z0-9]", "", name.upper())
        tries = (stem[:most] if n == 1 else f"{stem[: most - len(str(n))]}{n}" for n in count(1))
        found[name] = next(code for code in tries if code not in {*found.values(), SCREENING[0]})
    return found


def _element_codes(protocol: Protocol) -> dict[str, str]:
    return codes([product.id for product in protocol.products], 8)


def _arms(protocol: Protocol) -> list[dict[str, str | int | None]]:
    arms, elements = codes([arm.id for arm in protocol.arms], 20), _element_codes(protocol)
    rows: list[dict[str, str | int | None]] = []
    for arm in protocol.arms:
        steps: list[tuple[str, str, str | None, str]] = [(*SCREENING, f"Randomised to {arm.label}", SCREENING_EPOCH)]
        for period in protocol.periods:
            product = protocol.product(arm.treatments[period.id])
            steps.append((elements[product.id], product.label, None, period.id))
        for order, (code, element, branch, epoch) in enumerate(steps, 1):
            first = {"ARMCD": arms[arm.id], "ARM": arm.label, "TAETORD": order, "ETCD": code, "ELEMENT": element}
            rows.append({**first, "TABRANCH": branch, "TATRANS": None, "EPOCH": epoch})
    return rows


def _elements(protocol: Protocol) -> list[dict[str, str | int | None]]:
    elements = _element_codes(protocol)
    rows: list[dict[str, str | int | None]] = [
        _element(*SCREENING, "Informed consent", f"First day of {protocol.periods[0].label}", None)
    ]
    for product in protocol.products:
        periods = [p for p in protocol.periods if product.id in {arm.treatments[p.id] for arm in protocol.arms}]
        days = {period.last_day - period.first_day + 1 for period in periods}
        duration = f"P{days.pop()}D" if len(days) == 1 else None
        start = f"First administration of {product.label} in the period"
        rows.append(_element(elements[product.id], product.label, start, "Last day of the period", duration))
    return rows


def _element(code: str, label: str, start: str, end: str, duration: str | None) -> dict[str, str | int | None]:
    return {"ETCD": code, "ELEMENT": label, "TESTRL": start, "TEENRL": end, "TEDUR": duration}


def _visits(protocol: Protocol) -> list[dict[str, str | int | None]]:
    rows: list[dict[str, str | int | None]] = []
    for number, visit in enumerate(protocol.visits, 1):
        earliest, latest = (_study_day(day) for day in (visit.day - visit.before, visit.day + visit.after))
        rows.append(
            {
                "VISITNUM": number,
                "VISIT": visit.id,
                "VISITDY": _study_day(visit.day),
                "ARMCD": None,
                "TVSTRL": f"Study day {earliest} to {latest}",
                "TVENRL": None,
            }
        )
    return rows


def _study_day(day: int) -> int:
    return day + (day >= 0)


def _criteria(protocol: Protocol) -> list[dict[str, str | int | None]]:
    rows: list[dict[str, str | int | None]] = []
    kinds = {"INCLUSION": protocol.eligibility.inclusion, "EXCLUSION": protocol.eligibility.exclusion}
    for kind, criteria in kinds.items():
        for number, item in enumerate(criteria, 1):
            first = {"IETESTCD": f"{kind[:4]}{number:02d}", "IETEST": item.text, "IECAT": kind}
            rows.append({**first, "TIRL": item.expression, "TIVERS": protocol.study.version})
    return rows


@dataclass(frozen=True, slots=True)
class Parameter:
    """A row of TS before it is numbered; no value is no information."""

    code: str
    label: str
    value: str | None
    group: str | None = None
    value_code: str | None = None
    terms: str | None = None


def _summary(protocol: Protocol) -> list[dict[str, str | int | None]]:
    rows: list[dict[str, str | int | None]] = []
    seen: dict[str, int] = {}
    for item in sorted((*_of_trial(protocol), *_of_products(protocol)), key=lambda item: item.code):
        seen[item.code] = seen.get(item.code, 0) + 1
        rows.append(
            {
                "TSSEQ": seen[item.code],
                "TSGRPID": item.group,
                "TSPARMCD": item.code,
                "TSPARM": item.label,
                "TSVAL": item.value,
                "TSVALNF": NO_INFORMATION if item.value is None else None,
                "TSVALCD": item.value_code,
                "TSVCDREF": item.terms,
            }
        )
    return rows


def age_limits(protocol: Protocol) -> tuple[float | None, float | None]:
    """The least and the greatest age that the inclusion criteria say outright, in years; None where they do not."""
    least: float | None = None
    most: float | None = None
    for item in protocol.eligibility.inclusion:
        for part in item.expression.split("&&"):
            found = _BOUND.fullmatch(part)
            if found and found[1] in (">=", ">"):
                least = float(found[2])
            elif found:
                most = float(found[2])
    return least, most


def _years(age: float | None) -> str | None:
    return None if age is None else f"P{age:g}Y"


def _of_trial(protocol: Protocol) -> Iterator[Parameter]:
    study, plan = protocol.study, protocol.randomisation
    least, most = age_limits(protocol)
    yield Parameter("AGEMIN", "Planned Minimum Age of Subjects", _years(least))
    yield Parameter("AGEMAX", "Planned Maximum Age of Subjects", _years(most))
    yield Parameter("INDIC", "Trial Disease/Condition Indication", None)
    yield Parameter("INTMODEL", "Intervention Model", "CROSS-OVER" if crossed(protocol) else "PARALLEL")
    first, last = protocol.visits[0], protocol.visits[-1]
    yield Parameter("LENGTH", "Trial Length", f"P{last.day - first.day + 1}D")
    yield Parameter("NARMS", "Planned Number of Arms", str(len(protocol.arms)))
    yield from _aims(protocol)
    yield Parameter("PLANSUB", "Planned Number of Subjects", str(plan.participants))
    yield Parameter("RANDOM", "Trial is Randomized", "Y")
    for item in study.registrations:
        yield Parameter("REGID", "Registry Identifier", item.number, value_code=item.number, terms=item.registry)
    yield Parameter("SDTIGVER", "SDTM IG Version", "3.4")
    yield Parameter("SDTMVER", "SDTM Version", "2.0")
    yield Parameter("SEXPOP", "Sex of Participants", None)
    yield Parameter("SPONSOR", "Clinical Study Sponsor", study.sponsor)
    yield Parameter("SSTDTC", "Study Start Date", None)
    rules = [
        f"{rule.event}: P(rate > {rule.threshold:g}) > {rule.certainty:g}" for rule in protocol.safety.stopping_rules
    ]
    for text in rules or ["NONE"]:
        yield Parameter("STOPRULE", "Study Stop Rules", text)
    for stratum in plan.strata:
        yield Parameter("STRATFCT", "Stratification Factor", stratum.label)
    yield Parameter("TBLIND", "Trial Blinding Schema", blinding(protocol))
    yield Parameter("TITLE", "Trial Title", study.title)
    phase = f"PHASE {study.phase.upper()} TRIAL" if study.phase.upper() in _PHASES else None
    yield Parameter("TPHASE", "Trial Phase Classification", phase)


def _aims(protocol: Protocol) -> Iterator[Parameter]:
    """What was to be decided first, and by which outcomes; a claim is an objective where its analyses are primary."""
    roles = {item.id: item.role for item in protocol.analyses}
    claims = [c.text for c in protocol.claims if any(roles[part.analysis] == "primary" for part in c.parts)]
    for text in claims or [None]:
        yield Parameter("OBJPRIM", "Trial Primary Objective", text)
    for code, label, roles_of in (
        ("OUTMSPRI", "Primary Outcome Measure", ("primary",)),
        ("OUTMSSEC", "Secondary Outcome Measure", ("key-secondary", "secondary")),
    ):
        labels = [item.label for item in protocol.analyses if item.role in roles_of]
        for text in labels or [None]:
            yield Parameter(code, label, text)


def crossed(protocol: Protocol) -> bool:
    """Whether any arm changes its treatment from one period to the next."""
    return any(len({arm.treatments[period.id] for period in protocol.periods}) > 1 for arm in protocol.arms)


def blinding(protocol: Protocol) -> str:
    """CDISC's term for who does not know the arms: nobody, one of the parties, or several with the participant."""
    hidden = "participant" in protocol.blinding.masked
    if not hidden:
        return "OPEN LABEL"
    return "DOUBLE BLIND" if len(protocol.blinding.masked) > 1 else "SINGLE BLIND"


def _of_products(protocol: Protocol) -> Iterator[Parameter]:
    elements = _element_codes(protocol)
    active = [product for product in protocol.products if product.role == "active"]
    placebo = [product for product in protocol.products if product.role == "placebo"]
    yield Parameter("TCNTRL", "Control Type", "PLACEBO" if placebo else "NONE")
    for product in placebo:
        yield Parameter("COMPTRT", "Comparative Treatment Name", product.label, elements[product.id])
    for kind in dict.fromkeys(_KINDS[product.kind] for product in active):
        yield Parameter("INTTYPE", "Intervention Type", kind)
    for product in active:
        yield from _of_product(product, elements[product.id])


def _of_product(product: Product, group: str) -> Iterator[Parameter]:
    dose = product.dose
    yield Parameter("TRT", "Investigational Therapy or Treatment", product.label, group)
    yield Parameter("DOSE", "Dose per Administration", f"{dose.amount:.15g}", group)
    yield Parameter("DOSU", "Dose Units", f"{dose.unit}/kg" if dose.per == "kg" else dose.unit, group)
    yield Parameter("ROUTE", "Route of Administration", _ROUTES[product.route], group)
