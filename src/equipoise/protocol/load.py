"""From a file to a valid, resolved protocol, or to every reason why it is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from equipoise.errors import InputError, Problem
from equipoise.protocol import (
    rules_events,
    rules_inference,
    rules_measurement,
    rules_people,
    rules_questionnaires,
    rules_strata,
    rules_structure,
    rules_verdicts,
    rules_versions,
)
from equipoise.protocol.lookup import Draft, QuestionnaireFile, listed
from equipoise.protocol.model import Assessment, Protocol
from equipoise.protocol.schema.base import SCHEMAS
from equipoise.protocol.schema.measurement import Assessment as AuthoredAssessment
from equipoise.protocol.schema.measurement import Questionnaire, QuestionnaireUse, Test, Visit
from equipoise.protocol.schema.study import ProtocolDocument
from equipoise.protocol.schema_errors import validated
from equipoise.source.changes import with_changes
from equipoise.source.digest import digest_of_data
from equipoise.source.document import Document, read_document
from equipoise.source.expressions import Expression
from equipoise.source.paths import find_steps

QUESTIONNAIRE_SCHEMAS = ("equipoise/questionnaire/1",)
_RULES = (
    *rules_versions.RULES,
    *rules_structure.RULES,
    *rules_people.RULES,
    *rules_strata.RULES,
    *rules_measurement.RULES,
    *rules_questionnaires.RULES,
    *rules_inference.RULES,
    *rules_events.RULES,
    *rules_verdicts.RULES,
)


def shipped_protocols() -> tuple[str, ...]:
    """The names of the protocols that come with equipoise."""
    return tuple(sorted(path.stem for path in _shipped_folder().glob("*.yaml")))


def find_protocol(name: str | Path) -> Path:
    """The file of a protocol given by path or by the name of a shipped one.

    Raises InputError where there is neither.
    """
    if _is_file(Path(name)):
        return Path(name)
    if str(name) in shipped_protocols():
        return _shipped_folder() / f"{name}.yaml"
    remedy = f"Give the path of a protocol file, or one of the shipped names: {listed(shipped_protocols())}."
    problem = Problem(str(name), None, "", "protocol-exists", "there is no such protocol", remedy)
    raise InputError(f"cannot find the protocol {str(name)!r}", [problem])


def load_protocol(name: str | Path, changes: Sequence[str] = ()) -> Protocol:
    """Load, check and resolve a protocol given by path or shipped name.

    changes: ``protocol.path=value``, made before anything is checked.

    Raises InputError with every problem of the file: of its YAML; else of types and keys; else of meaning.
    """
    path = find_protocol(name)
    document = _changed(read_document(path), changes)
    known_schema(document, SCHEMAS, "protocol")
    authored = validated(ProtocolDocument, document)
    questionnaires, problems = _questionnaires(document, authored, path.parent)
    draft = Draft(document, authored, questionnaires)
    problems += [problem for rule in _RULES for problem in rule(draft)]
    if problems:
        raise InputError(f"{path} is not a meaningful protocol", sorted(set(problems), key=_place))
    return _resolved(draft, path)


def _changed(document: Document, changes: Sequence[str]) -> Document:
    """The document with changes, without the reasons (`assumed`) for values that the changes took away."""
    changed = with_changes(document, changes, "protocol")
    assumed = changed.data.get("assumed") if isinstance(changed.data, dict) else None
    if not changed.changed or not isinstance(assumed, dict):
        return changed
    gone = {p for p in assumed if find_steps(document.data, p) and not find_steps(changed.data, p)}
    kept = {path: reason for path, reason in assumed.items() if path not in gone}
    return replace(changed, data={**changed.data, "assumed": kept}) if gone else changed


def _place(problem: Problem) -> tuple[str, int, str, str]:
    return (problem.file, problem.line or 0, problem.path, problem.rule)


def _shipped_folder() -> Path:
    return Path(str(files("equipoise.protocol") / "shipped"))


def _is_file(path: Path) -> bool:
    """Whether there is a file at `path`; no where the name itself is impossible (too long, a NUL in it)."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def known_schema(document: Document, known: tuple[str, ...], what: str) -> None:
    """Refuse a document that does not say that it follows one of the `known` schemas; raises InputError."""
    schema = document.data.get("schema") if isinstance(document.data, dict) else None
    if schema in known:
        return
    if not isinstance(document.data, dict):
        message = f"the document is no mapping of keys to values, and so no {what}"
        problem = document.problem((), "document-mapping", message, f"Begin it with `schema: {known[-1]}`.")
    elif schema is None:
        message = "the document does not say which schema it follows"
        problem = document.problem(("schema",), "schema-version", message, f"Begin it with `schema: {known[-1]}`.")
    else:
        message, remedy = (
            "this schema is not known",
            f"Known here: {listed(known)}. Perhaps update equipoise.",
        )
        problem = document.problem(("schema",), "schema-version", message, remedy)
    raise InputError(f"{document.file} is not a {what} that this version can read", [problem])


def _questionnaires(
    document: Document, authored: ProtocolDocument, folder: Path
) -> tuple[dict[str, QuestionnaireFile], list[Problem]]:
    """The questionnaires that can be read, by the id of their use, and the problems of the others."""
    found: dict[str, QuestionnaireFile] = {}
    problems: dict[Problem, None] = {}
    for index, use in enumerate(authored.questionnaires):
        steps = ("questionnaires", index, "file")
        if Path(use.file).is_absolute() or ".." in Path(use.file).parts:
            message, remedy = (
                "the file lies outside the protocol's folder",
                "Name a file in that folder or below it.",
            )
            problems[document.problem(steps, "file-beside", message, remedy)] = None
        elif not _is_file(folder / use.file):
            message, remedy = (
                "there is no such file beside the protocol",
                "Put the file there, or correct its name.",
            )
            problems[document.problem(steps, "file-exists", message, remedy)] = None
        else:
            try:
                inner = read_document(folder / use.file)
                known_schema(inner, QUESTIONNAIRE_SCHEMAS, "questionnaire")
                found[use.id] = QuestionnaireFile(inner, validated(Questionnaire, inner, what="questionnaire"))
            except InputError as error:
                problems |= dict.fromkeys(error.problems)
    return found, list(problems)


def _resolved(draft: Draft, path: Path) -> Protocol:
    authored = draft.authored
    digests = {use.file: digest_of_data(draft.questionnaires[use.id].document.data) for use in authored.questionnaires}
    order = {visit.id: number for number, visit in enumerate(_by_day(authored.schedule.visits))}
    by_day = authored.conventions.windows.rule == "nearest"
    assessments = [_assessment(item, order, by_day) for item in authored.assessments]
    assessments += [_answered(use, draft, order, by_day) for use in authored.questionnaires if use.answers is None]
    criteria = (*authored.eligibility.inclusion, *authored.eligibility.exclusion)
    digest = digest_of_data({"document": digest_of_data(draft.document.data), "files": digests})
    return Protocol(
        document=draft.document,
        authored=authored,
        path=path,
        digest=digest,
        files=MappingProxyType(digests),
        visits=_by_day(authored.schedule.visits),
        assessments=tuple(assessments),
        criteria=MappingProxyType({item.id: Expression(item.expression) for item in criteria}),
    )


def _by_day(visits: tuple[Visit, ...]) -> tuple[Visit, ...]:
    return tuple(sorted(visits, key=lambda visit: visit.day))


def _assessment(authored: AuthoredAssessment, order: dict[str, int], by_day: bool) -> Assessment:
    planned = dict.fromkeys(authored.visits, authored.minutes or ())
    for variant in authored.minutes_at:
        planned |= dict.fromkeys(variant.visits, variant.minutes)
    return Assessment(
        id=authored.id,
        label=authored.label,
        observation_class=authored.observation_class,
        domain=authored.domain,
        visits=tuple(sorted(authored.visits, key=order.__getitem__)),
        minutes=tuple(sorted({minute for minutes in planned.values() for minute in minutes})),
        planned=MappingProxyType(planned),
        tests=authored.tests,
        nearest=by_day and authored.windows is None,
    )


def _answered(use: QuestionnaireUse, draft: Draft, order: dict[str, int], by_day: bool) -> Assessment:
    scorings = {other.id: draft.questionnaires[other.id].authored for other in draft.scorings(use.id)}
    questionnaire = scorings[use.id]
    tests = [
        Test(
            id=item.id,
            label=f"Item {item.id}",
            code=item.code,
            unit="1",
            plausible=(item.lowest, item.highest),
            decimals=0,
        )
        for item in questionnaire.items
    ]
    visits = tuple(sorted(use.visits, key=order.__getitem__))
    return Assessment(
        id=use.id,
        label=use.label,
        observation_class="findings",
        domain="QS",
        visits=visits,
        minutes=(),
        planned=MappingProxyType(dict.fromkeys(visits, ())),
        tests=tuple(tests),
        questionnaire=questionnaire,
        scorings=MappingProxyType(scorings),
        nearest=by_day and use.windows is None,
    )
