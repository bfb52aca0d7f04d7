"""References of one's own on the command line, and cohorts that are their own reference."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conftest import needed_genes

from escape_score.cli import main
from escape_score.reference.digest import TABLES

Refused = Callable[..., tuple[str, ...]]
N_SAMPLES = 24


@dataclass(frozen=True)
class Files:
    """Twenty-four tumours in one matrix and in two halves."""

    folder: Path
    lengths: Path

    @property
    def all(self) -> Path:
        return self.folder / "all.parquet"

    @property
    def halves(self) -> tuple[Path, Path]:
        return self.folder / "one.parquet", self.folder / "two.parquet"

    @property
    def units(self) -> list[str]:
        return ["--units", "counts", "--gene-lengths", str(self.lengths)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, repo_root: Path, demo_lengths: Path) -> Files:
    folder = tmp_path_factory.mktemp("fitting")
    matrix = pd.read_parquet(repo_root / "resources" / "demo" / "expression.parquet")
    matrix = matrix.set_index("gene") if "gene" in matrix else matrix
    kept = needed_genes(matrix.iloc[:, :N_SAMPLES])
    kept.reset_index().to_parquet(folder / "all.parquet")
    kept.iloc[:, :12].reset_index().to_parquet(folder / "one.parquet")
    kept.iloc[:, 12:].reset_index().to_parquet(folder / "two.parquet")
    for n in (9, 19):
        kept.iloc[:, :n].reset_index().to_parquet(folder / f"{n}.parquet")
    return Files(folder, demo_lengths)


@pytest.fixture(scope="module")
def lab(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference fitted on both halves."""
    out = tmp_path_factory.mktemp("references") / "lab"
    command = ["reference", "fit", *map(str, files.halves), *files.units, "--name", "lab", "--out", str(out)]
    assert main([*command, "--tumour-type", "colorectal", "--assay", "RSEM"]) == 0
    return out


@dataclass(frozen=True)
class Fitted:
    """A reference and the notes of its fit."""

    folder: Path
    notes: list[str]


@pytest.fixture(scope="module")
def whole(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """A reference fitted on all tumours in one matrix."""
    return fitted(files, tmp_path_factory.mktemp("references") / "whole", files.all)


def fitted(files: Files, out: Path, *matrices: Path) -> Fitted:
    command = ["reference", "fit", *map(str, matrices), *files.units, "--name", "lab", "--out", str(out)]
    with redirect_stderr(StringIO()) as said:
        assert main(command) == 0
    return Fitted(out, [line for line in said.getvalue().splitlines() if line.startswith("note: ")])


@pytest.fixture(scope="module")
def own(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Result folder of a cohort that is its own reference; tests must not change it."""
    out = tmp_path_factory.mktemp("own") / "out"
    run(files, out, "--reference", "cohort")
    return out


@pytest.fixture(scope="module")
def own_stages(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same by stages: ``work`` and ``out``; tests must not change them."""
    folder = tmp_path_factory.mktemp("own-stages")
    stages(files, folder / "work", folder / "out", "--reference", "cohort")
    return folder


def run(files: Files, out: Path, *options: object) -> pd.DataFrame:
    assert main(["run", str(files.all), *files.units, "--quiet", "--out", str(out), *map(str, options)]) == 0
    return pd.read_csv(out / "profiles.tsv", sep="\t")


def records(out: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((out / "samples").glob("*.json"))]


def test_fit_on_halves_is_the_fit_on_the_whole_but_for_its_provenance(lab: Path, whole: Fitted) -> None:
    for path in lab.iterdir():
        if path.name != "reference.json":
            assert path.read_bytes() == (whole.folder / path.name).read_bytes(), path.name


def test_fitted_reference_is_shown_with_what_it_was_made_from(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["reference", "show", str(lab)]) == 0
    shown = capsys.readouterr().out
    assert "lab: 24 samples given by the user" in shown
    assert "tumour type: colorectal; assay: RSEM; samples: 24" in shown
    assert shown.count("counts, 12 samples") == 2
    assert "base tcga-coadread-v1" in shown
    text = (lab / "reference.json").read_text(encoding="utf-8")
    assert str(lab.parent) not in text
    assert "one.parquet" not in text


def test_run_with_a_fitted_reference_reads_percentiles_against_it(
    files: Files, lab: Path, tmp_path: Path
) -> None:
    table = run(files, tmp_path / "out", "--reference", lab)
    assert set(table["reference"]) == {"lab"}
    assert (table["status"] == "reference-matched").mean() > 0.9
    for record in records(tmp_path / "out"):
        reference = record["reference"]
        assert (reference["name"], reference["n_samples"], reference["is_cohort"]) == ("lab", 24, False)
        assert (reference["tumour_type"], reference["assay"]) == ("colorectal", "RSEM")
        stroma = next(axis for axis in record["axes"] if axis["axis"] == "stroma")
        assert stroma["percentile_n"] == 23
        interval = stroma["percentile_interval"]
        assert interval["low"] <= stroma["percentile"] <= interval["high"]
        assert interval["high"] - interval["low"] > 10
        assert stroma["percentile_reason"] is None


def stages(files: Files, work: Path, out: Path, *options: str) -> None:
    """What the rules of the workflow do."""
    read = ["read", str(files.all), "--units", "counts", "--cohort", "all"]
    harmonise = ["harmonise", str(work / "cohort.h5ad"), "--gene-lengths", str(files.lengths)]
    score = ["score", str(work / "harmonised.h5ad"), *options]
    for command, name in ((read, "cohort"), (harmonise, "harmonised"), (score, "scores")):
        assert main([*command, "--out", str(work / f"{name}.h5ad")]) == 0
    parts = ["--out", str(out), "--part", str(work / "part.json")]
    assert main(["profile", str(work / "scores.h5ad"), *parts, *options]) == 0


def test_stages_end_at_the_bytes_of_run_for_a_cohort(own: Path, own_stages: Path) -> None:
    assert_stages_are_of_run(own_stages, own)


@pytest.mark.slow
def test_stages_end_at_the_bytes_of_run_for_a_folder(files: Files, lab: Path, tmp_path: Path) -> None:
    run(files, tmp_path / "run", "--reference", lab)
    stages(files, tmp_path / "work", tmp_path / "out", "--reference", str(lab))
    assert_stages_are_of_run(tmp_path, tmp_path / "run")


def assert_stages_are_of_run(folder: Path, of_run: Path) -> None:
    out = folder / "out"
    names = [path.relative_to(out) for path in out.rglob("[!.]*") if path.is_file()]
    assert len(names) == N_SAMPLES + 7
    for name in names:
        assert (out / name).read_bytes() == (of_run / name).read_bytes(), name
    assert (folder / "work" / "reference").is_dir()


def test_cohort_mode_is_said_on_every_record(own: Path) -> None:
    table = pd.read_csv(own / "profiles.tsv", sep="\t")
    assert set(table["reference"]) == {"cohort"}
    assert table["stroma"].median() == pytest.approx(0, abs=0.2)
    for record in records(own):
        assert record["reference"]["is_cohort"]
        assert record["reference"]["is_sample_in_reference"]
        assert "depend on the others" in record["reference"]["description"]


def test_cohort_mode_by_config(files: Files, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("profile:\n  reference: cohort\n", encoding="utf-8")
    table = run(files, tmp_path / "out", "--config", config, "--no-reports")
    assert set(table["reference"]) == {"cohort"}


def test_too_few_samples_are_refused_in_one_line(files: Files, tmp_path: Path, refused: Refused) -> None:
    matrix, out = files.folder / "19.parquet", tmp_path / "o"
    (line,) = refused(3, "run", matrix, *files.units, "--reference", "cohort", "--out", out)
    assert f"{matrix}: 19 samples can be placed, reference cohort needs 20; give more samples" in line
    assert not out.exists()
    matrix = files.folder / "9.parquet"
    (line,) = refused(3, "reference", "fit", matrix, *files.units, "--name", "lab", "--out", out)
    assert f"{matrix}: 9 samples can be placed, reference lab needs 10; give more samples" in line
    assert not out.exists()


def test_small_reference_warns_and_is_flagged(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "small"
    command = ["reference", "fit", str(files.halves[0]), *files.units, "--name", "small", "--out", str(out)]
    capsys.readouterr()
    assert main(command) == 0
    assert capsys.readouterr().err.startswith(
        "warning: small has 12 samples; its levels are stable from 20 on"
    )
    table = run(files, tmp_path / "out", "--reference", out, "--no-reports")
    assert table["flags"].str.contains("cohort_too_small").all()
    words = pd.read_csv(tmp_path / "out" / "qc.tsv", sep="\t")["flags_in_words"]
    assert words.str.contains("Reference small has 12 samples").all()


@pytest.mark.parametrize("name", ["cohort", "tcga-coadread-v1", "", "a b", "../x", "-x", "x" * 65])
def test_fit_refuses_names_that_are_taken_or_unsafe(
    name: str, files: Files, tmp_path: Path, refused: Refused
) -> None:
    (line,) = refused(2, "reference", "fit", files.all, f"--name={name}", "--out", tmp_path / "o")
    assert "name: " in line
    assert not (tmp_path / "o").exists()


def test_fit_tells_the_faults_of_all_matrices(files: Files, tmp_path: Path, refused: Refused) -> None:
    bad = tmp_path / "bad.tsv"
    bad.write_text("gene\ts1\ts2\nTP53\t1\tx\nCD8A\t2\t3\n", encoding="utf-8")
    lines = refused(
        3,
        "reference",
        "fit",
        bad,
        tmp_path / "none.tsv",
        "--units",
        "tpm",
        "--name",
        "x",
        "--out",
        tmp_path / "o",
    )
    assert any("bad.tsv" in line for line in lines)
    assert any("none.tsv" in line for line in lines)


@pytest.mark.parametrize("kind", ["same file", "copy", "half"])
def test_sample_given_twice_counts_once(kind: str, files: Files, whole: Fitted, tmp_path: Path) -> None:
    copy = Path(shutil.copy(files.all, tmp_path / f"copy{files.all.suffix}"))
    again = {"same file": files.all, "copy": copy, "half": files.halves[1]}[kind]
    twice = fitted(files, tmp_path / "twice", files.all, again)
    assert whole.notes == []
    (line,) = twice.notes
    assert " given twice count once: '" in line
    for table in set(TABLES) - {"reference.json"}:
        assert (whole.folder / table).read_bytes() == (twice.folder / table).read_bytes()


def test_sample_with_other_values_in_two_files_is_refused(
    files: Files, tmp_path: Path, refused: Refused
) -> None:
    other = pd.read_parquet(files.halves[0]).set_index("gene")
    (other * 2 + 1).to_csv(tmp_path / "other.tsv", sep="\t")
    matrices = (files.all, tmp_path / "other.tsv")
    (line,) = refused(3, "reference", "fit", *matrices, *files.units, "--name", "x", "--out", tmp_path / "o")
    assert "stands in" in line


@pytest.mark.parametrize("table", ["reference.json", "genes.tsv", "distributions.tsv"])
def test_edited_reference_is_noticed(
    table: str, files: Files, lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = shutil.copytree(lab, tmp_path / "mine")
    show = ["reference", "show", str(mine)]
    assert main(show) == 0
    assert capsys.readouterr().err == ""
    other = shutil.copytree(lab, tmp_path / "other")
    text = (other / table).read_text(encoding="utf-8")
    edited = (
        text.replace('"n_samples": ', '"n_samples": 1')
        if table.endswith("json")
        else text.replace("1", "2", 3)
    )
    (other / table).write_text(edited, encoding="utf-8")
    assert main([*show[:2], str(other)]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"warning: {other}: a file was changed after the fit; fit it again"
    if table == "genes.tsv":
        run = ["run", files.halves[0], *files.units, "--reference", other, "--no-reports", "--quiet"]
        assert main([str(word) for word in [*run, "--out", tmp_path / "o"]]) == 0
        assert line in capsys.readouterr().err.splitlines()
        assert "reference_edited" in (tmp_path / "o" / "profiles.tsv").read_text(encoding="utf-8")


def test_profile_stage_refuses_another_state_of_its_reference(
    files: Files, lab: Path, tmp_path: Path, refused: Refused
) -> None:
    mine, work = tmp_path / "mine", tmp_path / "work"
    shutil.copytree(lab, mine)
    stages(files, work, tmp_path / "out", "--reference", str(mine))
    other = json.loads((mine / "reference.json").read_text(encoding="utf-8")) | {"assay": "another"}
    shutil.rmtree(mine)
    shutil.copytree(lab, tmp_path / "changed")
    (tmp_path / "changed" / "reference.json").write_text(json.dumps(other), encoding="utf-8")
    parts = ["--out", tmp_path / "out", "--part", work / "part.json"]
    (line,) = refused(3, "profile", work / "scores.h5ad", *parts, "--reference", tmp_path / "changed")
    assert "scored against lab, not this state of lab; score again" in line


def test_profile_stage_without_its_reference_says_what_to_do(
    own_stages: Path, tmp_path: Path, refused: Refused
) -> None:
    work = shutil.copytree(own_stages / "work", tmp_path / "work")
    shutil.rmtree(work / "reference")
    parts = ["--out", tmp_path / "out", "--part", work / "part.json"]
    (line,) = refused(3, "profile", work / "scores.h5ad", *parts, "--reference", "cohort")
    assert f"{work / 'reference'}: no such folder; run the stage score again" in line


def test_a_reference_without_out_is_kept_and_found_by_name(
    files: Files, kept_references: Path, tmp_path: Path, refused: Refused
) -> None:
    command = ["reference", "fit", str(files.all), *files.units, "--name", "lab"]
    assert main(command) == 0
    assert (kept_references / "fitted" / "lab" / "reference.json").is_file()
    assert set(run(files, tmp_path / "o", "--reference", "lab")["reference"]) == {"lab"}
    (line,) = refused(2, *command)
    assert line.endswith("run: reference remove lab")


def test_fit_leaves_out_what_the_sheet_says_is_no_tumour(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = list(pd.read_parquet(files.all).columns[1:])
    sheet, out = tmp_path / "sheet.tsv", tmp_path / "lab"
    kinds = ["normal", "cell line", *["tumour"] * (N_SAMPLES - 2)]
    rows = [f"{one}\t{kind}\t{min(i, 20)}" for i, (one, kind) in enumerate(zip(ids, kinds, strict=True))]
    sheet.write_text("\n".join(["sample_id\tsample_type\tpatient_id", *rows]), encoding="utf-8")
    command = ["reference", "fit", *map(str, files.halves), *files.units, "--samples", str(sheet)]
    assert main([*command, "--name", "lab", "--out", str(out)]) == 0
    said = capsys.readouterr().err.splitlines()
    assert f"note: samples left out, normal tissue: '{ids[0]}'" in said
    assert f"note: samples left out, cell lines: '{ids[1]}'" in said
    assert any(line.startswith("note: samples left out, further samples of a patient: ") for line in said)
    assert json.loads((out / "reference.json").read_text(encoding="utf-8"))["n_samples"] == 19
