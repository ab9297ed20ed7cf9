"""The trial's design as SDTM (TA, TE, TV, TI, TS): true of the protocol, of nobody in particular, and checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import IO

import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import load_map
from equipoise.records.records import Records
from equipoise.records.sdtm import read_sdtm, write_sdtm
from equipoise.records.sdtm.design import DESIGN, DESIGN_KEYS, LABELS, age_limits, codes, design_frames

pytestmark = pytest.mark.requirement("STANDARDS-DESIGN")
SHIPPED = ("msc-t1d", "t1dal")
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


@pytest.fixture(scope="module")
def model() -> Protocol:
    return load_protocol("msc-t1d")


@pytest.fixture(scope="module")
def small_records() -> Records:
    protocol = load_protocol(EXAMPLE / "protocol.yaml")
    return import_files(protocol, load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data").records


def value(frames: dict[str, pl.DataFrame], code: str) -> list[str | None]:
    return frames["TS"].filter(pl.col("TSPARMCD") == code)["TSVAL"].to_list()


@pytest.mark.parametrize("name", SHIPPED)
def test_arms_visits_and_criteria_are_the_protocols(name: str) -> None:
    protocol = load_protocol(name)
    frames = design_frames(protocol)
    assert tuple(frames) == DESIGN
    assert frames["TA"].height == len(protocol.arms) * (1 + len(protocol.periods))
    assert frames["TA"]["ARM"].unique(maintain_order=True).to_list() == [arm.label for arm in protocol.arms]
    assert frames["TV"]["VISIT"].to_list() == [visit.id for visit in protocol.visits]
    criteria = (*protocol.eligibility.inclusion, *protocol.eligibility.exclusion)
    assert frames["TI"]["IETEST"].to_list() == [item.text for item in criteria]
    assert frames["TE"]["ETCD"].to_list()[0] == "SCRN"
    for name_, frame in frames.items():
        assert not frame.select(pl.struct(DESIGN_KEYS[name_]).is_duplicated().any()).item(), name_
        assert set(frame.columns) - {"STUDYID", "DOMAIN"} <= set(LABELS)


def test_an_arm_of_the_model_trial_has_screening_then_its_products_by_period(model: Protocol) -> None:
    frame = design_frames(model)["TA"]
    assert frame.select("ARMCD", "ETCD", "EPOCH").rows() == [
        ("GROUPA", "SCRN", "SCREENING"),
        ("GROUPA", "MSC", "period-1"),
        ("GROUPA", "SALINE", "period-2"),
        ("GROUPB", "SCRN", "SCREENING"),
        ("GROUPB", "SALINE", "period-1"),
        ("GROUPB", "MSC", "period-2"),
    ]


def test_planned_days_have_no_day_0(model: Protocol) -> None:
    frame = design_frames(model)["TV"]
    planned = dict(frame.select("VISIT", "VISITDY").iter_rows())
    assert (planned["dose-1"], planned["month-12"], planned["baseline"]) == (1, 365, -56)
    assert frame.filter(pl.col("VISIT") == "month-12")["TVSTRL"].item() == "Study day 351 to 371"


def test_the_summary_says_what_the_protocol_says_and_why_it_says_no_more(model: Protocol) -> None:
    frames = design_frames(model)
    said = {
        "AGEMIN": ["P8Y"],
        "AGEMAX": ["P40Y"],
        "PLANSUB": ["21"],
        "NARMS": ["2"],
        "INTMODEL": ["CROSS-OVER"],
        "TBLIND": ["DOUBLE BLIND"],
        "TPHASE": ["PHASE I/II TRIAL"],
        "DOSE": ["1000000"],
        "DOSU": ["cells/kg"],
        "REGID": ["NCT04078308", "IRCT2016070428786N1"],
    }
    assert {code: value(frames, code) for code in said} == said
    summary = frames["TS"]
    assert (summary["TSVAL"].is_null() == (summary["TSVALNF"] == "NI").fill_null(value=False)).all()
    assert summary["TSPARMCD"].is_sorted()
    assert value(design_frames(load_protocol("t1dal")), "INTMODEL") == ["PARALLEL"]


def test_age_limits_are_those_that_stand_there_outright(model: Protocol) -> None:
    assert age_limits(model) == (8.0, 40.0)
    first, *others = model.eligibility.inclusion
    either = first.model_copy(update={"expression": "age >= 8 || consent_of_parents"})
    eligibility = model.eligibility.model_copy(update={"inclusion": (either, *others)})
    authored = model.authored.model_copy(update={"eligibility": eligibility})
    assert age_limits(dataclasses.replace(model, authored=authored)) == (None, None)


def test_codes_are_short_unique_and_not_that_of_screening() -> None:
    assert codes(["low dose of it", "low dose of that", "screen", "scrn"], 8) == {
        "low dose of it": "LOWDOSEO",
        "low dose of that": "LOWDOSE2",
        "screen": "SCREEN",
        "scrn": "SCRN2",
    }


def written(records: Records, folder: Path, kind: str) -> Path:
    folder.mkdir()

    def write(name: str, writer: Callable[[IO[bytes]], object]) -> None:
        with (folder / name).open("wb") as stream:
            writer(stream)

    write_sdtm(records, write, kind)
    return folder


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_data_of_another_design_are_refused_and_of_none_are_read(
    small_records: Records, tmp_path: Path, kind: str
) -> None:
    folder = written(small_records, tmp_path / "sdtm", kind)
    assert read_sdtm(folder, small_records.protocol).digest == small_records.digest
    path = folder / f"tv.{kind}"
    read, write = (pl.read_csv, "write_csv") if kind == "csv" else (pl.read_parquet, "write_parquet")
    frame = read(path).with_columns(TVSTRL=pl.lit("Study day 5 to 6"))
    getattr(frame, write)(path)
    with pytest.raises(DataError) as caught:
        read_sdtm(folder, small_records.protocol)
    assert [(p.rule, Path(p.file).name) for p in caught.value.problems] == [("sdtm-design", path.name)]
    for name in DESIGN:
        (folder / f"{name.lower()}.{kind}").unlink()
    assert read_sdtm(folder, small_records.protocol).digest == small_records.digest


def test_no_participant_is_in_the_design(small_records: Records) -> None:
    text = "".join(frame.write_csv() for frame in design_frames(small_records.protocol).values())
    assert len(text) > 500
    assert not [name for name in small_records.participants["participant"] if name in text]
