"""A document of version 1 written anew in version 2: the same promises, an amendment, layout and comments kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.cli.main import main
from equipoise.errors import InputError
from equipoise.protocol.amendment import check_chain, difference
from equipoise.protocol.load import find_protocol, load_protocol
from equipoise.protocol.schema.people import ROLE_WORDS, ROLES
from equipoise.verbs.amending import amend
from tests.protocol.places import PROTOCOLS

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
pytestmark = pytest.mark.requirement("PROTOCOL-UPGRADE")


@pytest.mark.parametrize(
    "path",
    [find_protocol("t1dal"), find_protocol("cdisc-pilot"), PROTOCOLS / "valid" / "three-arms.yaml"],
    ids=lambda path: path.stem,
)
def test_an_upgrade_changes_the_schema_and_the_spelling_of_roles_only(path: Path, tmp_path: Path) -> None:
    done = amend(path, tmp_path / "new.yaml")
    assert done.protocol.authored.amends == done.before.digest
    assert done.protocol.version == 2
    allowed = {"schema"} | {c.path for c in difference(done.before, done.protocol) if c.path.startswith("blinding.")}
    assert {change.path for change in difference(done.before, done.protocol)} == allowed
    assert done.protocol.blinding == done.before.blinding
    check_chain([done.before, done.protocol])
    old, new = path.read_text(encoding="utf-8").splitlines(), (tmp_path / "new.yaml").read_text(encoding="utf-8")
    kept = [line for line in old if "schema:" not in line and not any(word in line for word in ROLE_WORDS)]
    assert [line for line in kept if line not in new.splitlines()] == []


def test_a_document_whose_lines_cannot_be_edited_is_written_from_its_data(tmp_path: Path) -> None:
    text = (PROTOCOLS / "valid" / "three-arms.yaml").read_text(encoding="utf-8")
    assert "cell laboratory" in text
    for folder in (tmp_path / "questionnaires", tmp_path):
        folder.mkdir(exist_ok=True)
    (tmp_path / "old.yaml").write_text(text.replace("cell laboratory", '"cell\\x20laboratory"'), encoding="utf-8")
    for sheet in (PROTOCOLS / "valid" / "questionnaires").iterdir():
        (tmp_path / "questionnaires" / sheet.name).write_bytes(sheet.read_bytes())
    done = amend(tmp_path / "old.yaml", tmp_path / "new.yaml")
    assert done.protocol.document.data["blinding"]["masked"] == ["participant", "investigator", "cell-laboratory"]
    assert (tmp_path / "new.yaml").read_text(encoding="utf-8").startswith('{\n "schema"'), "a line for each key"


def test_version_1_may_spell_roles_with_blanks_and_the_digest_is_that_of_the_words() -> None:
    protocol = load_protocol(PROTOCOLS / "valid" / "three-arms.yaml")
    assert protocol.blinding.masked == ("participant", "investigator", "cell-laboratory")
    assert protocol.document.data["blinding"]["masked"][2] == "cell laboratory"
    assert set(ROLE_WORDS.values()) < set(ROLES)


def test_an_amended_document_takes_the_new_digest_in_its_place(tmp_path: Path) -> None:
    text = (EXAMPLE / "protocol.yaml").read_text(encoding="utf-8")
    old = "sha256:" + "0" * 64
    (tmp_path / "old.yaml").write_text(text.replace("id: small-trial\n", f"id: small-trial\namends: {old}\n", 1))
    done = amend(tmp_path / "old.yaml", tmp_path / "new.yaml")
    assert done.protocol.authored.amends == done.before.digest != old
    assert (tmp_path / "new.yaml").read_text(encoding="utf-8").count("amends:") == 1


def test_nothing_is_overwritten_and_nothing_newest_is_upgraded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="schema-newest"):
        amend("msc-t1d", tmp_path / "new.yaml")
    (tmp_path / "there.yaml").write_text("mine")
    with pytest.raises(InputError, match="amendment-new-file"):
        amend("t1dal", tmp_path / "there.yaml")
    assert (tmp_path / "there.yaml").read_text() == "mine"


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["amend", "t1dal", "--upgrade", "-o", str(tmp_path / "new.yaml")])
    said = capsys.readouterr().out
    assert load_protocol("t1dal").digest in said
    assert load_protocol(tmp_path / "new.yaml").digest in said
    with pytest.raises(SystemExit, match="2"):
        main(["amend", "t1dal", "-o", str(tmp_path / "other.yaml")])


@pytest.mark.requirement("PROTOCOL-SINCE")
def test_every_younger_key_is_refused_in_a_document_of_version_1(tmp_path: Path) -> None:
    """version-2.yaml with the schema of version 1: a problem for each key that version 2 brought, with its line."""
    text = (PROTOCOLS / "valid" / "version-2.yaml").read_text(encoding="utf-8")
    (tmp_path / "questionnaires").mkdir()
    for sheet in (PROTOCOLS / "valid" / "questionnaires").iterdir():
        (tmp_path / "questionnaires" / sheet.name).write_bytes(sheet.read_bytes())
    (tmp_path / "one.yaml").write_text(text.replace("equipoise/protocol/2", "equipoise/protocol/1"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_protocol(tmp_path / "one.yaml")
    problems = [problem for problem in caught.value.problems if problem.rule == "key-since"]
    assert {problem.path.rsplit(".", 1)[-1] for problem in problems} == {
        "composite",
        "from",
        "kind",
        "margin",
        "opposite",
        "order",
        "principal",
        "recorded",
        "seed",
        "sides",
    }
    assert all(problem.line and "amend" in problem.remedy for problem in problems)


@pytest.mark.requirement("PROTOCOL-ROLES")
@pytest.mark.parametrize("word", ["co-ordinater", "Participant", "cell labratory", "laboratory", "assessor", "nurse"])
def test_a_word_that_is_no_role_is_refused_wherever_it_is_written(word: str, tmp_path: Path) -> None:
    text = (EXAMPLE / "protocol.yaml").read_text(encoding="utf-8")
    assert "  masked: [participant, investigator]\n" in text
    item = f"  items: [{{id: a, label: A, hides: allocation, hidden_from: [{word}], until: never}}]\n"
    for at, changed in enumerate((f"  masked: [participant, {word}]\n", f"  masked: [participant]\n{item}")):
        path = tmp_path / f"{at}.yaml"
        path.write_text(text.replace("  masked: [participant, investigator]\n", changed), encoding="utf-8")
        with pytest.raises(InputError) as caught:
            load_protocol(path)
        (problem,) = caught.value.problems
        assert (problem.rule, problem.value) == ("known-role", repr(word))
        assert problem.line is not None
        assert all(role in problem.remedy for role in ROLES)
