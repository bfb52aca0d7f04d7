"""What `escape-score check` says of an input."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from escape_score.cli import main
from escape_score.model.notes import Code, NoteLog, Severity, note
from escape_score.pipeline.inspection import Finding, findings_of
from escape_score.pipeline.profiles import in_english

SHEET = "sample_id\nnobody\n"


@pytest.fixture
def matrix(tmp_path: Path, demo_tpm: pd.DataFrame) -> Path:
    """A small matrix in TPM."""
    path = tmp_path / "tpm.parquet"
    demo_tpm.iloc[:3].T.rename_axis("gene").to_parquet(path)
    return path


def test_check_of_good_input_says_unit_and_notes(matrix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(matrix)]) == 0
    out = capsys.readouterr().out
    assert "unit: tpm (" in out
    assert "note: cohort_too_small: 3 samples" in out


def test_check_reports_faults_of_all_files_together(
    matrix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet, gmt = tmp_path / "sheet.tsv", tmp_path / "sets.gmt"
    sheet.write_text(SHEET)
    gmt.write_text("ONE\tdescription\n")
    code = main(
        ["check", str(matrix), "--units", "log2(x+1)", "--samples", str(sheet), "--gene-sets", str(gmt)]
    )
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert code == 3
    assert [any(name in line for line in errors) for name in ("tpm.parquet", "sheet.tsv", "sets.gmt")] == [
        True
    ] * 3


def test_check_reports_faulty_lengths_and_reference_with_the_matrix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("no.tsv", "no-lengths.tsv", "no-reference")
    matrix, lengths, reference = (str(tmp_path / name) for name in names)
    assert main(["check", matrix, "--gene-lengths", lengths, "--reference", reference]) == 3
    err = capsys.readouterr().err
    assert all(f"error: {path}: " in err for path in (matrix, lengths, reference))


def test_check_takes_the_cohort_as_reference_as_run_does(
    repo_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = str(repo_root / "resources" / "demo" / "expression.parquet")
    assert main(["check", matrix, "--reference", "cohort"]) == 0
    assert "60 samples" in capsys.readouterr().out


def test_check_json_holds_the_same(matrix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(matrix), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["unit"], report["n_samples"]) == ("tpm", 3)
    assert {finding["kind"] for finding in report["findings"]} >= {"cohort_too_small"}


def test_check_writes_nothing(matrix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    main(["check", str(matrix)])
    assert sorted(tmp_path.rglob("*")) == before


def test_findings_of_puts_the_most_severe_first_and_joins_samples() -> None:
    renamed, empty = note(Code.RENAMED_SYMBOLS, n=1, names=["b"]), note(Code.SAMPLE_EMPTY, "zero")
    found = findings_of(NoteLog(cohort=(renamed,), by_sample=(("s1", empty), ("s2", empty))))
    assert found == [
        Finding(Severity.ERROR, "sample_empty", in_english(empty), ("s1", "s2")),
        Finding(Severity.NOTE, "renamed_symbols", in_english(renamed)),
    ]


def test_check_prints_at_most_twenty_faults(
    matrix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gmt = tmp_path / "u.gmt"
    gmt.write_text("".join(f"s{i}\n" for i in range(20_500)), encoding="utf-8")
    assert main(["check", str(matrix), "--gene-sets", str(gmt)]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert lines[-1] == "error: and 20481 more faults; fix these first"


@pytest.mark.parametrize("command", ["check", "run"])
def test_faulty_lengths_are_at_most_twenty_lines(
    command: str, matrix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lengths = tmp_path / "l.tsv"
    rows = "".join(f"GENE{i}\t-1\n" for i in range(20_500))
    lengths.write_text(f"gene\tlength\n{rows}", encoding="utf-8")
    out = ["--out", str(tmp_path / "o")] if command == "run" else []
    assert main([command, str(matrix), "--gene-lengths", str(lengths), *out]) == 3
    assert 1 <= len(capsys.readouterr().err.splitlines()) <= 20
