"""The published JSON Schema of results.json says what the program writes, and refuses what it must not write."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.claims import claim_results
from equipoise.analysis.estimates import BLINDED
from equipoise.analysis.json_schema import MEANING, NAME, OPTIONAL, VERDICTS, published, results_schema
from equipoise.analysis.results import ClaimResult, Result, Results, read_results, to_data, to_json
from equipoise.protocol.load import load_protocol
from equipoise.records.allocation import Allocation
from equipoise.records.importing.apply import Imported, import_files
from equipoise.records.importing.map import find_map, load_map
from equipoise.stats.status import Status

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "small-trial"
VALIDATOR = Draft202012Validator(results_schema())
SOFTWARE = {"name": "equipoise", "version": "0"}


@pytest.fixture(scope="module")
def imported() -> Imported:
    return import_files(load_protocol(EXAMPLE / "protocol.yaml"), load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data")


@pytest.fixture(scope="module")
def stored(imported: Imported) -> dict[str, Any]:
    return json.loads(to_json(analyse_records(imported.records, imported.allocation, software=SOFTWARE).results))


def refused(data: Any) -> list[str]:
    """Where and why the schema refuses the data."""
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_the_published_file_is_current_and_a_schema() -> None:
    text = (ROOT / "docs" / "schemas" / NAME).read_text(encoding="utf-8")
    assert text == published(), "run python -m equipoise.analysis.json_schema docs/schemas"
    Draft202012Validator.check_schema(json.loads(text))


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_what_the_small_trial_gives_fits(stored: dict[str, Any]) -> None:
    assert refused(stored) == []
    assert stored["results"] and stored["tables"] and stored["flow"]


@pytest.mark.requirement("RESULTS-SCHEMA", "RESULTS-BLINDED")
def test_a_blinded_run_and_one_that_cannot_be_analysed_fit(imported: Imported) -> None:
    assert imported.allocation is not None
    one_arm = Allocation.of(dict.fromkeys(imported.allocation.arms, "tablet"))
    for arms in (None, one_arm):
        data = to_data(analyse_records(imported.records, arms, software=SOFTWARE).results)
        assert refused(data) == []
        assert all(item["estimate"] is None and item["status"] != "ok" for item in data["results"])


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_what_t1dal_gives_fits(t1dal: Path) -> None:
    found = import_files(load_protocol("t1dal"), load_map(find_map("t1dal", None)), t1dal)
    assert refused(to_data(analyse_records(found.records, found.allocation, software=SOFTWARE).results)) == []


@pytest.mark.requirement("RESULTS-SCHEMA", "RESULTS-CLAIMS")
def test_every_verdict_of_the_model_trials_claims_is_in_the_schema() -> None:
    claims = claim_results(load_protocol("msc-t1d"), (), ())
    assert len(claims) == 8
    assert {claim.verdict for claim in claims} <= set(VERDICTS)


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and "type" in schema:
            yield schema
        for value in schema.values():
            yield from _objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _objects(value)


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_every_key_is_required_and_no_other_allowed() -> None:
    found = list(_objects(results_schema()))
    assert len(found) == len(MEANING) + 6  # and protocol, records, allocation, software, withheld, an origin
    lacking = []
    for schema in found:
        assert schema["additionalProperties"] is False
        lacking += [name for name in schema["properties"] if name not in schema["required"]]
        assert [name for name in schema["properties"] if name in schema["required"]] == schema["required"]
    # Only a scrambled allocation has its seed, and only where it was recorded the digest of what was dispensed; and
    # results of an earlier version lack what came later.
    assert sorted(lacking) == sorted(
        ["scrambled", "dispensed", *(name for names in OPTIONAL.values() for name in names)]
    )


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_every_field_has_a_meaning_and_every_meaning_a_field() -> None:
    for part, meanings in MEANING.items():
        assert [item.name for item in dataclasses.fields(part)] == list(meanings), part.__name__
        assert all(text.endswith(".") for text in meanings.values())


Change = Callable[[dict[str, Any]], object]
SPOILT: dict[str, tuple[Change, str]] = {
    "another schema": (lambda d: d.update(schema="equipoise/results/2"), "$.schema"),
    "an unknown key": (lambda d: d.update(comment="x"), "$"),
    "an unknown key of a result": (lambda d: d["results"][0].update(se=1.0), "$.results[0]"),
    "a missing key": (lambda d: d["results"][0].pop("p_adjusted"), "$.results[0]"),
    "no flow": (lambda d: d.pop("flow"), "$"),
    "an unknown role": (lambda d: d["results"][0].update(role="main"), "$.results[0].role"),
    "an unknown kind of p": (lambda d: d["results"][0].update(p_kind="bootstrap"), "$.results[0].p_kind"),
    "a p above 1": (lambda d: d["results"][0].update(p_value=1.2), "$.results[0].p_value"),
    "a p of no kind": (lambda d: d["results"][0].update(p_kind=None), "$.results[0].p_kind"),
    "a kind without p": (lambda d: d["results"][0].update(p_value=None), "$.results[0].p_kind"),
    "text for a number": (lambda d: d["results"][0].update(estimate="-0.42"), "$.results[0].estimate"),
    "NaN as text": (lambda d: d["results"][0].update(df="NaN"), "$.results[0].df"),
    "a missing number that is ok": (lambda d: d["results"][0].update(estimate=None), "$.results[0].status"),
    "an id of two parts": (lambda d: d["results"][0].update(id="hba1c/month-6"), "$.results[0].id"),
    "half a participant": (lambda d: d["results"][0]["n"].update(tablet=5.5), "$.results[0].n.tablet"),
    "a flag in a table": (lambda d: d["tables"][0]["rows"][0].append(True), "$.tables[0].rows[0][9]"),
    "a reason without count": (lambda d: d["flow"][0].update(reasons=[["moved"]]), "$.flow[0].reasons[0]"),
    "a digest cut short": (lambda d: d["records"].update(digest="sha256:12"), "$.records.digest"),
    "a name in the allocation": (lambda d: d["allocation"].update(arms={}), "$.allocation"),
}


@pytest.mark.requirement("RESULTS-SCHEMA")
@pytest.mark.parametrize(("change", "place"), SPOILT.values(), ids=SPOILT)
def test_what_is_spoilt_is_refused_where_it_is_spoilt(stored: dict[str, Any], change: Change, place: str) -> None:
    data = copy.deepcopy(stored)
    change(data)
    (message,) = refused(data)
    assert message.startswith(f"{place}: ")


@pytest.mark.requirement("RESULTS-STATUS")
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_never_written(imported: Imported, number: float) -> None:
    results = analyse_records(imported.records, imported.allocation, software=SOFTWARE).results
    spoilt = dataclasses.replace(results.results[0], df=number)
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(dataclasses.replace(results, results=(spoilt,)))


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_the_page_on_results_explains_every_field_in_the_schemas_words() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.+?) \|$", page, re.MULTILINE)
    expected = [(name, text) for part in MEANING for name, text in MEANING[part].items()]
    assert [(name, text.replace("\\|", "|")) for name, text in rows] == expected
    assert set(MEANING[Results]) | {"schema"} == set(results_schema()["properties"])


@pytest.mark.requirement("RESULTS-STATUS")
def test_the_page_on_results_names_every_status() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([^`]+)` \| [^|]+ \|$", page, re.MULTILINE)
    for text in [BLINDED, *(status.text for status in Status if status is not Status.OK)]:
        assert any(text.startswith(words) for words in named), text


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_a_file_without_what_later_versions_added_is_valid_and_read(stored: dict[str, Any], tmp_path: Path) -> None:
    old = copy.deepcopy(stored)
    for name in OPTIONAL[Results]:
        old.pop(name, None)
    for part, items in ((Result, old["results"]), (ClaimResult, old["claims"])):
        for item in items:
            for name in OPTIONAL[part]:
                item.pop(name, None)
    assert refused(old) == []
    (tmp_path / "results.json").write_text(json.dumps(old), "utf-8")
    found = read_results(tmp_path / "results.json")
    assert [item.id for item in found.results] == [item["id"] for item in stored["results"]]
    assert found.packages == {} and found.results[0].active is None
