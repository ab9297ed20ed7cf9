"""The report's order and appendices: synopsis, methods before results, listings of every row, the CONSORT checklist."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import equipoise
from equipoise.analysis.words import printed
from equipoise.documents.model import Document, KeyValues, Listing, Paragraph, Section, Table, walk_sections
from equipoise.documents.runs import Link, flattened, plain
from equipoise.report.build import report_document
from equipoise.report.consort import AUTHORS, ITEMS, consort_section
from equipoise.report.source import MOST_EVENTS, ReportSource, read_source


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("structure")
    equipoise.trial("msc-t1d", path, scenario="published", seed=3)
    return path


@pytest.fixture(scope="module")
def source(folder: Path) -> ReportSource:
    return read_source(folder)


@pytest.fixture(scope="module")
def document(source: ReportSource) -> Document:
    return report_document(source)


def section(document: Document, name: str) -> Section:
    return next(item for item in walk_sections(document.sections) if item.id == name)


@pytest.mark.requirement("REPORT-ORDER")
def test_sections_stand_in_the_order_of_ich_e3(document: Document) -> None:
    order = [item.id for item in document.sections]
    wanted = ["synopsis", "design", "participants", "outcomes", "estimates", "safety", "claims", "assumed", "listings"]
    assert [name for name in order if name in wanted] == wanted
    assert order[-1] == "consort"
    parts = [item.id for item in section(document, "design").sections]
    assert parts == ["plan", "conventions", "estimands", "analyses"]


@pytest.mark.requirement("REPORT-ORDER")
def test_the_synopsis_tells_design_treatments_and_verdicts(source: ReportSource, document: Document) -> None:
    (facts,) = section(document, "synopsis").blocks
    assert isinstance(facts, KeyValues)
    told = {plain(term): plain(text) for term, text in facts.items}
    assert told["Planned"] == "21 participants" and "big stick" in told["Design"]
    assert "1,000,000 cells/kg" in told["Treatment of MSC first (early)"]
    for claim in source.results.claims:
        assert told[f"Claim {claim.id.upper()}: found"].endswith(printed(claim.verdict))


@pytest.mark.requirement("REPORT-ORDER")
def test_each_estimand_stands_beside_the_analyses_that_vary_its_assumptions(document: Document) -> None:
    (table,) = [b for b in section(document, "estimands").blocks if isinstance(b, Table) and b.id == "table-estimators"]
    rows = {plain(item.cells[0].text): [plain(cell.text) for cell in item.cells[1:]] for item in table.rows}
    primary = next(texts for label, texts in rows.items() if "hypoglycaemia" in label.lower())
    assert "Hypoglycaemia of level 2 or 3 in months 0 to 12" in primary[0] and "re-randomised" in primary[1].lower()


def listings(document: Document) -> dict[str, Table]:
    """The table of each listing, by its name."""
    found = [item for item in section(document, "listings").blocks if isinstance(item, Listing)]
    tables = {item.id: item.blocks[0] for item in found}
    return {name: table for name, table in tables.items() if isinstance(table, Table)}


def cells(table: Table) -> list[tuple[str, ...]]:
    return [tuple(plain(cell.text) for cell in item.cells) for item in table.rows]


@pytest.mark.requirement("REPORT-LISTINGS")
def test_every_randomised_participant_is_listed(folder: Path, document: Document) -> None:
    people = pl.read_parquet(folder / "adam" / "adsl.parquet").filter(pl.col("RANDFL") == "Y")
    listed = cells(listings(document)["listing-participants"])
    assert [(line[0], line[1]) for line in listed] == list(people.select("USUBJID", "ARM").iter_rows())
    assert len(listed) == 21


@pytest.mark.requirement("REPORT-LISTINGS")
def test_every_value_of_the_main_outcomes_is_listed(folder: Path, source: ReportSource, document: Document) -> None:
    """Those of the protocol's primary and key secondary estimands: each value once, in its row and its column."""
    roles = ("primary", "key-secondary")
    estimands = [item.estimand for item in source.protocol.analyses if item.role in roles and item.estimand]
    outcomes = {source.protocol.estimand(name).variable.parameter for name in estimands}
    assert {"hypoglycaemia", "hba1c", "ln-cpeptide-auc"} <= outcomes
    adeff = pl.read_parquet(folder / "adam" / "adeff.parquet")
    for name in sorted(outcomes):
        table = listings(document)[f"listing-values-{name}"]
        visits = [plain(column.header) for column in table.columns[1:]]
        shown = {(line[0], visit): text for line in cells(table) for visit, text in zip(visits, line[1:], strict=True)}
        wanted = adeff.filter((pl.col("PARAMID") == name) & pl.col("AVAL").is_not_null())
        assert wanted.height > 21
        for who, visit, value in wanted.select("USUBJID", "AVISIT", "AVAL").iter_rows():
            text = shown.pop((who, visit)).replace("−", "-").replace("\u202f", "").replace(",", "")
            half = 0.5 * 10.0 ** -len(text.partition(".")[2])
            assert abs(float(text) - value) <= half * (1 + 1e-9), (name, who, visit)
        assert set(shown.values()) <= {"no value at this visit", "–", ""}, (
            name
        )  # nothing is listed that nobody measured


@pytest.mark.requirement("REPORT-LISTINGS")
def test_every_event_is_listed_or_counted_where_there_are_too_many(folder: Path, document: Document) -> None:
    events = pl.read_parquet(folder / "adam" / "adae.parquet")
    told = " ".join(plain(item.text) for item in section(document, "listings").blocks if isinstance(item, Paragraph))
    kinds = {str(kind): frame for (kind,), frame in events.partition_by("AECAT", as_dict=True).items()}
    assert {"adverse-events", "hypoglycaemia", "protocol-deviations"} <= set(kinds)
    for kind, frame in kinds.items():
        if frame.height > MOST_EVENTS:
            assert f"{frame.height} rows, which stand in the dataset ADAE alone" in told, kind
            assert f"listing-events-{kind}" not in listings(document)
            continue
        table = listings(document)[f"listing-events-{kind}"]
        names = [plain(column.header) for column in table.columns]
        who, day, term = (names.index(name) for name in ("Participant", "From day", "Term"))
        listed = sorted((line[who], line[day].replace("−", "-"), line[term]) for line in cells(table))
        wanted = frame.select("USUBJID", pl.col("ASTDY").cast(pl.Int64).cast(pl.String), "AEDECOD")
        assert listed == sorted(
            tuple("not recorded" if part is None else part for part in line) for line in wanted.iter_rows()
        )


@pytest.mark.requirement("REPORT-CONSORT")
def test_every_item_has_a_place_that_is_there_or_is_left_to_the_authors(document: Document) -> None:
    assert len({item.number.rstrip("abcd") for item in ITEMS}) == 30
    there = {item.id for item in walk_sections(document.sections)}
    (table,) = document_tables(document, "table-consort")
    for item, row in zip(ITEMS, table.rows, strict=True):
        where, lacking = row.cells[2].text, plain(row.cells[3].text)
        links = [run.target.removeprefix("#") for run in flattened(where) if isinstance(run, Link)]
        assert set(links) <= there & set(item.places)
        assert lacking == AUTHORS if plain(where) == "nowhere" else lacking == item.lacking


def document_tables(document: Document, name: str) -> list[Table]:
    return [table for table in document.tables() if table.id == name]


@pytest.mark.requirement("REPORT-CONSORT")
def test_the_checklist_does_not_point_at_what_is_not_there(source: ReportSource, document: Document) -> None:
    some = tuple(item for item in document.sections if item.id not in ("estimates", "consort"))
    (table,) = consort_section(source, some).blocks[1:]
    assert isinstance(table, Table)
    where = {plain(row.cells[0].text): plain(row.cells[2].text) for row in table.rows}
    assert where["26"] == "Outcomes over time" and where["5a"] == "nowhere"


@pytest.mark.requirement("RESULTS-DATASETS")
def test_datasets_of_events_have_periods_treatments_and_times(folder: Path) -> None:
    adsl, adae, adtte, adeff = (
        pl.read_parquet(folder / "adam" / f"{name}.parquet") for name in ("adsl", "adae", "adtte", "adeff")
    )
    assert adae.select("USUBJID", "AESEQ").is_unique().all()
    allocated = adsl.filter(pl.col("RANDFL") == "Y")
    for who, period, given in adae.select("USUBJID", "APERIOD", "TRTP").drop_nulls().iter_rows():
        assert given == allocated.filter(pl.col("USUBJID") == who)[f"TRT{period:02d}P"].item()
    for line in allocated.select("TRTSEQP", "TRT01P", "TRT02P").iter_rows():
        assert line[0] == f"{line[1]}-{line[2]}"
    early = adae.filter((pl.col("ASTDY") >= 0) & (pl.col("ASTDY") <= 370))
    assert set(early["APERIOD"]) == {1} and adae.filter(pl.col("ASTDY") < 0)["TRTP"].is_null().all()
    first = adae.filter((pl.col("AECAT") == "adverse-events") & (pl.col("ASTDY") >= 0)).group_by("USUBJID")
    first = dict(first.agg(pl.col("ASTDY").min()).iter_rows())
    for who, days, censored in adtte.filter(pl.col("PARAMCD") == "TTE1").select("USUBJID", "AVAL", "CNSR").iter_rows():
        assert (days == first[who]) if not censored else who not in first
    baseline = adeff.filter((pl.col("PARAMID") == "hba1c") & (pl.col("ABLFL") == "Y"))
    assert set(baseline["AVISIT"]) == {"Baseline", "Month 12"}
    assert set(adeff.filter(pl.col("AVISIT") == "Month 18")["APERIOD"]) == {2}
