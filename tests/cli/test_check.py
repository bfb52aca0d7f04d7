"""What `escape-score check` says of an input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.conftest import needed_genes

import escape_score as es
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


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory, demo_tpm: pd.DataFrame) -> Path:
    """UMI counts of cells, named by barcodes."""
    tpm = needed_genes(demo_tpm.iloc[:1].fillna(0.0).T)
    values = np.random.default_rng(1).poisson(tpm.to_numpy() * 0.002, (len(tpm), 30))
    names = ["".join(letters) for letters in np.random.default_rng(2).choice(list("ACGT"), (30, 16))]
    path = tmp_path_factory.mktemp("cells") / "cells.tsv"
    pd.DataFrame(values, index=tpm.index.rename("gene"), columns=names).to_csv(path, sep="\t")
    return path


@pytest.mark.parametrize(
    ("command", "rest"),
    [
        ("check", []),
        ("run", ["--out", "out"]),
        ("read", ["--out", "out.h5ad"]),
        ("reference", ["--name", "mine", "--out", "out"]),
    ],
)
def test_commands_refuse_cells_in_one_line_unless_declared(
    *,
    command: str,
    rest: list[str],
    cells: Path,
    tmp_path: Path,
    refused: Callable[..., tuple[str, ...]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    rest = [str(tmp_path / one) if one.startswith("out") else one for one in rest]
    called = [command, *(["fit"] if command == "reference" else []), cells, *rest]
    (line,) = refused(3, *called)
    assert "30 rows look like single cells" in line
    assert not list(tmp_path.glob("out*"))
    main([*map(str, called), "--units", "umi", "--as-samples"])
    err = capsys.readouterr().err
    assert "single cells" not in err
    assert "internal" not in err


def test_config_and_options_declare_samples(cells: Path, tmp_path: Path) -> None:
    command = ["read", str(cells), "--out", str(tmp_path / "out.h5ad"), "--units", "umi", "--options"]
    assert main([*command, '{"as_samples": true}']) == 0
    assert main([*command, '{"as_samples": false}']) == 3


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


@pytest.mark.parametrize(
    ("types", "lines"),
    [
        (
            ["melanoma", "NSCLC", "COAD"],
            [
                "caution: tumour_type_differs (2 samples: {0}, {1}): The sample sheet gives the tumour type "
                "melanoma, NSCLC, and the reference is colorectal adenocarcinoma."
            ],
        ),
        (
            ["odd", "", "cancer colorectal"],
            [
                "note: tumour_type_unknown (1 sample: {0}): The tumour type 'odd' of the sample sheet is not "
                "a known name. It was not compared with the reference."
            ],
        ),
        (["COAD", "READ", "Rectal Adenocarcinoma"], []),
    ],
)
def test_check_compares_the_tumour_type_of_the_sheet(
    matrix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], types: list[str], lines: list[str]
) -> None:
    ids = list(pd.read_parquet(matrix).columns[-3:])
    sheet = tmp_path / "sheet.tsv"
    rows = [f"{one}\t{given}" for one, given in zip(ids, types, strict=True)]
    sheet.write_text("\n".join(["sample_id\tTumour type", *rows]), encoding="utf-8")
    assert main(["check", str(matrix), "--samples", str(sheet)]) == 0
    found = [line for line in capsys.readouterr().out.splitlines() if "tumour_type" in line]
    assert len(found) == len(lines)
    for line, start in zip(found, lines, strict=True):
        assert line.startswith(start.format(*ids))


def test_check_compares_the_tumour_type_with_the_reference_given(
    matrix: Path, tmp_path: Path, demo_tpm: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    many = pd.concat([demo_tpm, demo_tpm]).set_axis([f"S{at}" for at in range(16)])
    cohort = es.from_dataframe(many, units="tpm")
    es.fit_reference([cohort], name="lab", tumour_type="lung adenocarcinoma", out=tmp_path / "lab")
    sheet = tmp_path / "sheet.tsv"
    ids = list(pd.read_parquet(matrix).columns[-3:])
    sheet.write_text("sample_id\tcancer_type\n" + "\n".join(f"{one}\tNSCLC" for one in ids), encoding="utf-8")
    arguments = ["check", str(matrix), "--samples", str(sheet)]
    assert main([*arguments, "--reference", str(tmp_path / "lab")]) == 0
    assert "tumour_type" not in capsys.readouterr().out
    assert main(arguments) == 0
    assert "caution: tumour_type_differs (3 samples" in capsys.readouterr().out


def test_check_writes_nothing(matrix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    main(["check", str(matrix)])
    assert sorted(tmp_path.rglob("*")) == before


def test_findings_of_make_one_line_a_kind() -> None:
    totals = [(f"s{at}", note(Code.RESCALED_TO_TPM, total=3e5 + at * 1000.0)) for at in range(500)]
    days = [(f"s{at}", note(Code.BAD_SURVIVAL, "days", column="os_days", value=f"-{at}")) for at in range(7)]
    event = ("s1", note(Code.BAD_SURVIVAL, "event", column="os_event", value="maybe"))
    distant = [(f"s{at}", note(Code.REFERENCE_DISTANT, name="lab")) for at in range(2)]
    found = findings_of(NoteLog(by_sample=(*totals, *days, event, *distant)))
    assert [(one.severity, one.kind, len(one.samples)) for one in found] == [
        (Severity.CAUTION, "reference_distant", 2),
        (Severity.NOTE, "rescaled_to_tpm", 500),
        (Severity.NOTE, "bad_survival", 7),
        (Severity.NOTE, "bad_survival", 1),
    ]
    assert found[1].line == (
        "note: rescaled_to_tpm (500 samples: s0, s1, s2, s3, s4 and 495 more): "
        "Values summed to 300,000–799,000; rescaled to 1,000,000."
    )
    assert "os_days is '-0', '-1', '-2', '-3', '-4' and 2 more, which is" in found[2].text
    assert found[3].line.startswith("note: bad_survival (1 sample: s1): os_event must be")


def test_findings_of_many_names_are_listed_once() -> None:
    log = NoteLog(by_sample=tuple((f"s{at}", note(Code.NO_METADATA, sample=f"s{at}")) for at in range(9)))
    (found,) = findings_of(log)
    assert found.text == "The sample sheet has no row for s0, s1, s2, s3, s4 and 4 more."
    assert found.samples == tuple(f"s{at}" for at in range(9))


def test_check_of_many_samples_is_short(
    tmp_path: Path, demo_tpm: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.concat([demo_tpm * (0.3 + at / 50) for at in range(6)])
    path, sheet = tmp_path / "fpkm.parquet", tmp_path / "sheet.tsv"
    table.set_axis([f"S{at}" for at in range(len(table))]).T.rename_axis("gene").to_parquet(path)
    rows = (f"S{at}\t-{at + 1}\tword {at}\t{at + 2}\n" for at in range(len(table)))
    sheet.write_text("sample_id\tos_days\tresponse\tpurity\n" + "".join(rows))
    assert main(["check", str(path), "--samples", str(sheet), "--units", "fpkm"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if ": " in line]
    kinds = [line.split(": ")[1].split(" (")[0] for line in lines[2:]]
    assert len(kinds) == len(set(kinds))
    assert {"bad_survival", "unknown_label", "purity_out_of_range", "rescaled_to_tpm"} <= set(kinds)
    assert f"note: unknown_label ({len(table)} samples: S0, S1, S2, S3, S4 and " in "\n".join(lines)


def test_check_refuses_what_run_refuses(
    tmp_path: Path, demo_tpm: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "panel.parquet"
    demo_tpm.iloc[:3, :150].T.rename_axis("gene").to_parquet(path)
    arguments = [str(path), "--units", "tpm"]
    codes, said = [], []
    for command in (["check", *arguments], ["run", *arguments, "--out", str(tmp_path / "out")]):
        codes.append(main(command))
        said.append(capsys.readouterr().err.splitlines())
    assert codes == [3, 3]
    assert said[0] == said[1]
    assert said[0] == [f"error: {path}: 150 genes recognised, 200 needed; name rows by gene symbol or id"]


def test_check_limits_the_lines_of_errors(
    matrix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text("sample_id\ttmb\n" + "".join(f"s{at}\tmany\n" for at in range(90)))
    assert main(["check", str(matrix), "--samples", str(sheet)]) == 3
    assert capsys.readouterr().err.splitlines()[-1] == "error: and 71 more faults; fix these first"
    assert main(["check", str(matrix), "--samples", str(sheet), "--json"]) == 3
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 90


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
