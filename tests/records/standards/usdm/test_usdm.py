"""USDM 4.0 of a protocol: true of it, whole, checked by its structure, and every planted defect found by its rule."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import equipoise
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.standards.usdm import USDM_RULES, usdm_bytes, usdm_document, usdm_objections
from equipoise.records.standards.usdm import terms as vocabulary
from equipoise.records.standards.usdm.structure import CLASSES
from equipoise.verbs.exporting import conform_usdm, export_usdm

pytestmark = pytest.mark.requirement("STANDARDS-USDM")
ROOT = Path(__file__).parents[4]
VALID = ROOT / "tests" / "protocols" / "valid"
PROTOCOLS = [
    "msc-t1d",
    "t1dal",
    "cdisc-pilot",
    str(ROOT / "examples" / "small-trial" / "protocol.yaml"),
    *(str(VALID / f"{name}.yaml") for name in ("base", "crossover", "minimal", "three-arms")),
]
EQUIPOISE = Path(sys.executable).parent / "equipoise"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def model() -> Document:
    return usdm_document(load_protocol("msc-t1d"))


def objects(item: Any) -> list[Document]:
    if isinstance(item, dict):
        own = [item] if "instanceType" in item else []
        return own + [found for value in item.values() for found in objects(value)]
    return [found for value in item for found in objects(value)] if isinstance(item, list) else []


def design(document: Document) -> Document:
    return document["study"]["versions"][0]["studyDesigns"][0]


@pytest.mark.parametrize("name", PROTOCOLS, ids=lambda name: Path(name).stem)
def test_everything_of_a_protocol_stands_there_once_and_nothing_else(name: str) -> None:
    protocol = load_protocol(name)
    document = usdm_document(protocol)
    assert usdm_objections(document) == ()
    counts = Counter(item["instanceType"] for item in objects(document))
    criteria = len(protocol.eligibility.inclusion) + len(protocol.eligibility.exclusion)
    expected = {
        "StudyArm": len(protocol.arms),
        "StudyEpoch": 1 + len(protocol.periods),
        "StudyCell": len(protocol.arms) * (1 + len(protocol.periods)),
        "StudyIntervention": len(protocol.products),
        "Encounter": len(protocol.visits),
        "ScheduledActivityInstance": len(protocol.visits),
        "Timing": len(protocol.visits),
        "Activity": len(protocol.assessments),
        "BiomedicalConceptSurrogate": sum(len(item.tests) for item in protocol.findings),
        "EligibilityCriterion": criteria,
        "EligibilityCriterionItem": criteria,
        "Estimand": len(protocol.estimands),
        "Objective": len(protocol.estimands),
        "Endpoint": len(protocol.estimands),
        "IntercurrentEvent": sum(len(item.intercurrent_events) for item in protocol.estimands),
        "AnalysisPopulation": len(protocol.conventions.analysis_sets),
    }
    assert {kind: counts[kind] for kind in expected} == expected


@pytest.mark.parametrize("name", PROTOCOLS[:3])
def test_texts_are_the_protocols(name: str) -> None:
    protocol = load_protocol(name)
    document = usdm_document(protocol)
    version, one = document["study"]["versions"][0], design(document)
    assert [title["text"] for title in version["titles"]] == [protocol.study.title, protocol.study.short_title]
    assert [item["label"] for item in one["arms"]] == [arm.label for arm in protocol.arms]
    assert [item["label"] for item in one["encounters"]] == [visit.label for visit in protocol.visits]
    texts = [item["text"] for item in version["eligibilityCriterionItems"]]
    assert texts == [item.text for item in (*protocol.eligibility.inclusion, *protocol.eligibility.exclusion)]
    strategies = [
        (event["name"], event["strategy"]) for item in one["estimands"] for event in item["intercurrentEvents"]
    ]
    assert strategies == [
        (event, strategy.replace("-", " "))
        for item in protocol.estimands
        for event, strategy in item.intercurrent_events.items()
    ]


def test_what_is_done_when_is_the_schedule(model: Document) -> None:
    protocol = load_protocol("msc-t1d")
    one = design(model)
    visits = {item["id"]: item["name"] for item in one["encounters"]}
    activities = {item["id"]: item["name"] for item in one["activities"]}
    instances = one["scheduleTimelines"][0]["instances"]
    found = {visits[i["encounterId"]]: {activities[a] for a in i["activityIds"]} for i in instances}
    assert found == {
        visit.id: {item.id for item in protocol.assessments if visit.id in item.visits} for visit in protocol.visits
    }
    timings = {item["name"]: item for item in one["scheduleTimelines"][0]["timings"]}
    month_12 = timings["month-12 timing"]
    assert (month_12["value"], month_12["windowLower"], month_12["windowUpper"]) == ("P364D", "P14D", "P6D")
    assert month_12["type"]["decode"] == "After" and timings["baseline timing"]["type"]["decode"] == "Before"
    assert [item["name"] for item in timings.values() if item["type"]["decode"] == "Fixed Reference"] == [
        "dose-1 timing"
    ]


def test_the_design_of_the_model_trial(model: Document) -> None:
    one = design(model)
    assert one["model"]["decode"] == "Crossover Study"
    assert one["blindingSchema"]["standardCode"]["decode"] == "Double Blind Study"
    assert one["studyPhase"]["standardCode"]["code"] == "C15693"
    age = one["population"]["plannedAge"]
    assert (age["minValue"]["value"], age["maxValue"]["value"]) == (8.0, 40.0)
    assert one["population"]["plannedEnrollmentNumber"]["value"] == 21.0
    cells = {item["name"]: item for item in model["study"]["versions"][0]["studyInterventions"]}["msc"]
    assert cells["type"]["decode"] == "Biological Agent"
    assert cells["administrations"][0]["route"]["standardCode"]["code"] == "C38276"


def test_levels_are_those_of_the_most_important_analysis(model: Document) -> None:
    protocol = load_protocol("msc-t1d")
    levels = {item["name"]: item["level"]["decode"] for item in design(model)["objectives"]}
    primary = {item.estimand for item in protocol.analyses if item.role == "primary" and item.estimand}
    assert {name for name, level in levels.items() if level == "Trial Primary Objective"} == primary


def test_the_same_protocol_gives_the_same_bytes_and_another_other_ids() -> None:
    protocol = load_protocol("t1dal")
    assert usdm_bytes(protocol) == usdm_bytes(load_protocol("t1dal"))
    assert usdm_document(protocol)["study"]["id"] != usdm_document(load_protocol("msc-t1d"))["study"]["id"]


def test_every_code_of_ours_is_a_concept_with_a_name() -> None:
    given = [item for item in vars(vocabulary).values() if isinstance(item, vocabulary.Term)]
    given += [
        term
        for item in vars(vocabulary).values()
        if isinstance(item, dict)
        for term in item.values()
        if isinstance(term, vocabulary.Term)
    ]
    assert len(given) > 40
    for term in given:
        assert term.name and (term is vocabulary.NOT_STATED or re.fullmatch(r"C\d{3,6}", term.code)), term


def spoilt(change: Callable[[Document], object]) -> Callable[[Document], Document]:
    def made(document: Document) -> Document:
        again = copy.deepcopy(document)
        change(again)
        return again

    return made


DEFECTS: dict[str, Callable[[Document], Document]] = {
    "USDM-01": spoilt(lambda d: d.update(usdmVersion="3.0.0")),
    "USDM-02": spoilt(lambda d: design(d)["arms"][0].update(instanceType="Branch")),
    "USDM-03": spoilt(lambda d: design(d)["arms"][0].pop("name")),
    "USDM-04": spoilt(lambda d: design(d)["arms"][0].update(colour="blue")),
    "USDM-05": spoilt(lambda d: design(d)["population"].update(includesHealthySubjects="no")),
    "USDM-06": spoilt(lambda d: design(d)["arms"][1].update(id=design(d)["arms"][0]["id"])),
    "USDM-07": spoilt(lambda d: design(d)["studyCells"][0].update(elementIds=["StudyElement_99"])),
    "USDM-08": spoilt(lambda d: design(d)["encounters"][3].update(previousId=design(d)["encounters"][0]["id"])),
    "USDM-09": spoilt(lambda d: design(d)["model"].update(code="CROSSOVER")),
    "USDM-10": spoilt(lambda d: design(d)["scheduleTimelines"][0]["timings"][0].update(value="63 days")),
    "USDM-11": spoilt(lambda d: design(d)["scheduleTimelines"][0]["instances"].pop(4)),
    "USDM-12": spoilt(lambda d: design(d)["studyCells"].pop()),
}


@pytest.mark.parametrize("rule", DEFECTS)
def test_a_planted_defect_is_found_by_its_rule(rule: str, model: Document) -> None:
    assert rule in {item.rule for item in usdm_objections(DEFECTS[rule](model))}


def test_every_rule_has_a_planted_defect_and_stands_in_the_docs() -> None:
    assert set(DEFECTS) == {rule.id for rule in USDM_RULES}
    page = (ROOT / "docs" / "usdm.md").read_text("utf-8")
    assert re.findall(r"^\| `(USDM-\d\d)` \| (.*) \|$", page, re.MULTILINE) == [
        (rule.id, rule.demands) for rule in USDM_RULES
    ]


def test_a_reference_to_an_object_of_another_class_is_found(model: Document) -> None:
    wrong = spoilt(lambda d: design(d)["studyCells"][0].update(armId=design(d)["epochs"][0]["id"]))(model)
    assert [item.rule for item in usdm_objections(wrong) if item.at.endswith("armId")] == ["USDM-07"]


def test_an_activity_that_is_done_nowhere_is_found(model: Document) -> None:
    def change(document: Document) -> None:
        one = design(document)
        lost = next(item["id"] for item in one["activities"] if item["bcSurrogateIds"])
        for instance in one["scheduleTimelines"][0]["instances"]:
            instance["activityIds"] = [name for name in instance["activityIds"] if name != lost]

    assert [item.rule for item in usdm_objections(spoilt(change)(model))] == ["USDM-11"]


def test_a_circle_in_the_timeline_ends(model: Document) -> None:
    instances = "scheduleTimelines"
    wrong = spoilt(
        lambda d: design(d)[instances][0]["instances"][5].update(
            defaultConditionId=design(d)[instances][0]["instances"][1]["id"]
        )
    )(model)
    assert "USDM-11" in {item.rule for item in usdm_objections(wrong)}


@settings(max_examples=150)
@given(st.data())
def test_whatever_is_changed_there_is_no_traceback(data: st.DataObject) -> None:
    document = copy.deepcopy(BASE)
    found = objects(document)
    one = data.draw(st.sampled_from(found))
    name = data.draw(st.sampled_from(sorted(one)))
    one[name] = data.draw(
        st.sampled_from([None, "", "x", 3, True, [], {}, [None], [{}], {"instanceType": "Code"}, [[1]]])
    )
    assert isinstance(usdm_objections(document), tuple)


BASE = usdm_document(load_protocol(VALID / "minimal.yaml"))


@pytest.mark.requirement("STANDARDS-USDM-MODEL")
@pytest.mark.parametrize("version", ["3.0.0", "4.1.0", None, 4])
def test_another_version_of_the_model_is_not_checked_and_that_is_the_only_finding(version: object) -> None:
    (found,) = usdm_objections(BASE | {"usdmVersion": version, "study": {"instanceType": "Branch"}})
    assert found.rule == "USDM-01" and found.message.startswith("not checked")


@pytest.mark.requirement("STANDARDS-USDM-MODEL")
def test_what_the_model_allows_and_our_documents_do_not_use_is_no_finding(model: Document) -> None:
    """A study without id, criteria and epochs side by side, a visit scheduled twice, a decision in the timeline."""

    def change(document: Document) -> None:
        one = design(document)
        document["study"]["id"] = None
        for criterion in one["eligibilityCriteria"]:
            criterion.pop("nextId", None), criterion.pop("previousId", None)
        timeline = one["scheduleTimelines"][0]
        last = timeline["instances"][-1]
        again = {**last, "id": "again", "name": "again"}
        choice = {
            "id": "choice",
            "name": "choice",
            "instanceType": "ScheduledDecisionInstance",
            "defaultConditionId": last["id"],
            "conditionAssignments": [
                {
                    "id": "c1",
                    "instanceType": "ConditionAssignment",
                    "condition": "relapse",
                    "conditionTargetId": "again",
                }
            ],
        }
        before = next(item for item in timeline["instances"] if item.get("defaultConditionId") == last["id"])
        before["defaultConditionId"] = "choice"
        timeline["instances"] += [again, choice]

    assert usdm_objections(spoilt(change)(model)) == ()


@pytest.mark.requirement("STANDARDS-USDM-MODEL")
@pytest.mark.parametrize("duration", ["P63D", "-P1D", "P1.5D", "PT0,5H", "P1Y2M3W4DT5H6M7S"])
def test_durations_of_iso_8601_are_read(duration: str, model: Document) -> None:
    def change(document: Document) -> None:
        design(document)["scheduleTimelines"][0]["timings"][0]["value"] = duration

    assert usdm_objections(spoilt(change)(model)) == ()


@pytest.mark.parametrize("thing", [None, 3, [], {}, {"study": None}, {"study": {}}])
def test_what_is_no_document_is_told(thing: object) -> None:
    assert usdm_objections(thing)


def test_every_type_of_an_attribute_that_we_write_is_a_class_that_we_check() -> None:
    written = {item["instanceType"] for item in objects(BASE)}
    assert written <= set(CLASSES)


def test_it_is_written_by_the_command_without_records_and_checked_by_another(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(EQUIPOISE), "export", "t1dal", "--kind", "usdm", "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
    )
    path = Path(done.stdout.strip())
    assert path.read_bytes() == usdm_bytes(load_protocol("t1dal"))
    assert conform_usdm(path) == ()
    document = json.loads(path.read_text("utf-8"))
    design(document)["arms"][0].pop("name")
    path.write_text(json.dumps(document), "utf-8")
    done = subprocess.run([str(EQUIPOISE), "conform", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "USDM-03" in done.stdout
    path.write_text("{", "utf-8")
    done = subprocess.run([str(EQUIPOISE), "conform", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "json-readable" in done.stderr and "Traceback" not in done.stderr


def test_records_and_usdm_do_not_go_together(tmp_path: Path) -> None:
    for arguments in (("t1dal", str(tmp_path), "--kind", "usdm"), ("t1dal", "--kind", "csv")):
        done = subprocess.run(
            [str(EQUIPOISE), "export", *arguments, "-o", str(tmp_path / "out")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2 and not (tmp_path / "out").exists()


def test_a_protocol_that_is_changed_has_another_document(tmp_path: Path) -> None:
    export_usdm("msc-t1d", tmp_path / "out")
    protocol: Protocol = load_protocol("msc-t1d", ("protocol.randomisation.participants=24",))
    changed = json.loads(usdm_bytes(protocol))
    assert design(changed)["population"]["plannedEnrollmentNumber"]["value"] == 24.0
    assert equipoise.__name__ == "equipoise"


def test_who_does_not_know_the_arms_is_masked_and_ages_are_exact() -> None:
    written = list(objects(usdm_document(load_protocol("msc-t1d"))))
    masked = [item for item in written if item["instanceType"] == "Masking"]
    assert masked and all(item["isMasked"] is True for item in masked)
    assert [item["isApproximate"] for item in written if item["instanceType"] == "Range"][:1] == [False]
