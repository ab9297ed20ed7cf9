"""The digest of a protocol: of its authored document and the files it names, and of nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from equipoise.protocol.load import load_protocol
from equipoise.source.digest import canonical_json, digest_of_data
from equipoise.source.document import read_document
from tests.protocol.accept_digests import GOLDEN, current_digests
from tests.protocol.places import BASE, VALID

pytestmark = pytest.mark.requirement("PROTOCOL-DIGEST")


def test_shipped_protocols_have_the_digests_that_were_accepted() -> None:
    assert current_digests() == read_document(GOLDEN).data, (
        "a shipped protocol reads differently: if its content was changed on purpose, run "
        "`python -m tests.protocol.accept_digests`; if not, the reader of documents has changed, and that is a defect"
    )


def test_the_digest_is_of_the_canonical_document_and_its_files() -> None:
    protocol = load_protocol(BASE)
    sheet = read_document(BASE.parent / "questionnaires" / "wellbeing.yaml").data
    file_digest = "sha256:" + hashlib.sha256(canonical_json(sheet)).hexdigest()
    assert dict(protocol.files) == {"questionnaires/wellbeing.yaml": file_digest}
    document_digest = "sha256:" + hashlib.sha256(canonical_json(protocol.document.data)).hexdigest()
    whole = {"document": document_digest, "files": {"questionnaires/wellbeing.yaml": file_digest}}
    assert protocol.digest == "sha256:" + hashlib.sha256(canonical_json(whole)).hexdigest()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(BASE.parent / "questionnaires", tmp_path / "questionnaires")
    shutil.copy(BASE, tmp_path / "copy.yaml")
    return tmp_path / "copy.yaml"


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_comments_layout_order_and_name_of_the_file_change_nothing(copy: Path) -> None:
    digest = load_protocol(BASE).digest
    edited(copy, "study:\n", "# a comment\n\nstudy:   # another\n")
    edited(
        copy,
        "{amount: 10, unit: mg, lowest: 5, highest: 20}",
        "\n      highest: 20.0\n      unit: 'mg'\n      amount: 1e1\n      lowest: +5",
    )
    assert load_protocol(copy).digest == digest
    copy.write_text(json.dumps(read_document(copy).data), encoding="utf-8")
    assert load_protocol(copy).digest == digest


def test_a_default_that_is_written_out_is_other_content(copy: Path) -> None:
    """The authored document counts, so that a default added to the schema later changes no digest."""
    edited(copy, "class: events, domain: AE}", "class: events, domain: AE, visits: []}")
    protocol = load_protocol(copy)
    assert protocol.assessments == load_protocol(BASE).assessments
    assert protocol.digest != load_protocol(BASE).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [("amount: 10, unit", "amount: 10.5, unit"), ("label: Age group", "label: Age groups"), ("[2, 4]", "[4, 2]")],
)
def test_any_change_of_content_changes_the_digest(copy: Path, old: str, new: str) -> None:
    edited(copy, old, new)
    assert load_protocol(copy).digest != load_protocol(BASE).digest


def test_a_change_in_a_named_file_changes_the_digest(copy: Path) -> None:
    sheet = copy.parent / "questionnaires" / "wellbeing.yaml"
    edited(sheet, "\nitems:", "\n# a comment\nitems:")
    assert load_protocol(copy).digest == load_protocol(BASE).digest
    edited(sheet, "highest: 10", "highest: 11")
    assert load_protocol(copy).digest != load_protocol(BASE).digest


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_the_document_can_be_digested_again_from_its_json(path: Path) -> None:
    data = load_protocol(path).document.data
    assert digest_of_data(json.loads(json.dumps(data))) == digest_of_data(data)
