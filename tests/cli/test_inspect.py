"""Commands that look and change nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import jsonschema
import pytest

from escape_score.cli import main
from escape_score.library.gene_sets import load_signatures
from escape_score.reference.known import DEFAULT_REFERENCE
from escape_score.reference.read import load_reference

Refused = Callable[..., tuple[str, ...]]


class Inputs(Protocol):
    matrix: Path
    samples: Path


def said_by(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_verify_says_that_all_agrees(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    n_files = sum(p.is_file() for p in finished.rglob("*")) - 1
    assert (
        said_by(capsys, "verify", finished) == f"ok: {finished} agrees with its manifest ({n_files} files)\n"
    )


def test_verify_names_what_differs(finished: Path, tmp_path: Path, refused: Refused) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    (copy / "qc.tsv").write_bytes((copy / "qc.tsv").read_bytes()[:-1])
    (copy / "index.html").unlink()
    (copy / "samples" / "new.json").write_text("{}", encoding="utf-8")
    lines = refused(3, "verify", copy)
    assert [line.split(": ")[1] for line in lines] == [
        str(copy / name) for name in ("index.html", "qc.tsv", "samples/new.json")
    ]


def test_verify_of_a_folder_without_a_result(tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(3, "verify", tmp_path)
    assert str(tmp_path) in line


@pytest.mark.parametrize("what", ["profile", "config", "workflow-config"])
def test_schema_is_a_json_schema(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(said_by(capsys, "schema", what))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False


def test_genesets_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said_by(capsys, "genesets", "list").splitlines()
    assert len(lines) == 1 + len(load_signatures().signatures)
    shown = said_by(capsys, "genesets", "show", "mhc1")
    for symbol in load_signatures().component("mhc1").gene_symbols:
        assert f"\n{symbol}\t" in shown


def test_genesets_check_says_what_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gmt = tmp_path / "u.gmt"
    gmt.write_text("MINE\td\tCD8A\tALIEN\nALIENS\td\tALIEN\n", encoding="utf-8")
    shown = said_by(capsys, "genesets", "check", gmt)
    assert "MINE: 1 gene known; unknown: ALIEN\n" in shown
    assert "gene_set_low_coverage: No gene of gene set ALIENS is known" in shown


def test_references_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert f"\n{DEFAULT_REFERENCE}\tshipped\t592 samples\t" in said_by(capsys, "reference", "list")
    assert load_reference().sha256 in said_by(capsys, "reference", "show", DEFAULT_REFERENCE)


def test_check_says_what_is_doubtful_and_writes_nothing(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = said_by(capsys, "check", inputs.matrix, "--samples", inputs.samples, "--units", "counts")
    assert f"{inputs.matrix}: 4 samples, " in shown
    assert "\nunit: counts" in shown
    assert "\nnote: counts_converted: " in shown
    assert list(tmp_path.iterdir()) == []


def test_check_finds_the_faults_that_run_finds(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "m.tsv"
    path.write_text("gene\ta\ta\nTP53\t1\tx\n", encoding="utf-8")
    assert refused(3, "check", path) == refused(3, "run", path, "--out", tmp_path / "o")
