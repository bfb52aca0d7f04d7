"""``reference show``: what a reference is, and how far a cohort is from it."""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import pytest

import escape_score as es
from escape_score.cli import main
from escape_score.reference.known import DEFAULT_REFERENCE

Refused = Callable[..., tuple[str, ...]]


class Inputs(Protocol):
    matrix: Path
    samples: Path
    lengths: Path


@pytest.fixture(scope="module")
def demo_matrix(repo_root: Path) -> Path:
    return repo_root / "resources" / "demo" / "expression.parquet"


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main(["reference", "show", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_reference_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, "tcga-dlbc-v1").splitlines()
    loaded = es.load_reference("tcga-dlbc-v1")
    assert said[:7] == [
        f"tcga-dlbc-v1: {loaded.description}",
        "origin: shipped with the program",
        "tumour type: diffuse large B-cell lymphoma; assay: RNA-seq; samples: 43",
        f"limits: {loaded.limits}",
        f"genes: {len(loaded.genes.symbols)}, of these anchors: {loaded.genes.is_anchor.sum()}",
        "anchor distance of its own tumours: 0.54 log2",
        "typical detections: 0.86 mechanisms detected in a tumour of it, on average",
    ]
    assert "not used: LGR5: near zero in nearly all samples" in said
    assert f"sha256: {loaded.sha256}" in said
    assert sum(line.startswith("made from: ") for line in said) == len(loaded.provenance)


def test_origin_is_given(
    kept_references: Path, repo_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = repo_root / "resources" / "reference" / DEFAULT_REFERENCE
    for origin, words in (("fitted", "fitted on your matrices"), ("fetched", "fetched from a public source")):
        folder = shutil.copytree(source, kept_references / origin / f"my-{origin}")
        for name in (f"my-{origin}", folder):
            assert f"\norigin: {words}, kept in {folder}\n" in shown(capsys, name)
    copy = shutil.copytree(source, tmp_path / "copy")
    assert "\norigin: a folder that no name finds\n" in shown(capsys, copy)
    assert "\norigin: shipped with the program\n" in shown(capsys, source)


def test_distances_of_a_cohort_are_shown(demo_matrix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, DEFAULT_REFERENCE, "--for", demo_matrix)
    result = es.profile(es.read(demo_matrix), reference=DEFAULT_REFERENCE, published=False)
    distance, match = result.scores.placement.distance, list(result.profiles.match)
    assert f"\n{demo_matrix}: 60 samples; unit: tcga_rsem\n" in said
    counts = ", ".join(f"{name} {match.count(name)}" for name in ("good", "moderate", "poor"))
    assert f"\nmatch with {DEFAULT_REFERENCE}: {counts}, not placed 0\n" in said
    assert f"\nmedian distance: {np.median(distance):.2f} log2\n" in said
    bars = re.findall(r"^ +(\d\.\d) (?:- (\d\.\d)|\+) +\| *(\d+)", said, flags=re.MULTILINE)
    assert sum(int(n) for _, _, n in bars) == 60
    for low, high, n in bars:
        assert int(n) == ((distance >= float(low)) & (distance < float(high or "inf"))).sum()
    assert re.search(r"^ 0\.4 - 0\.5 \|.* own tumours, typical: 0\.42$", said, flags=re.MULTILINE)
    assert re.search(r"^ 0\.6 - 0\.7 \|.* good below 0\.60$", said, flags=re.MULTILINE)
    assert re.search(r"^ 1\.0 - 1\.1 \|.* moderate below 1\.00$", said, flags=re.MULTILINE)
    reason = es.profile(es.read(demo_matrix), published=False).why_reference
    assert said.endswith(f"\nauto takes: {DEFAULT_REFERENCE}\nwhy: {reason}\n")


def test_references_are_sorted_by_distance(demo_matrix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, "tcga-stad-v1", "--for", demo_matrix)
    table = said[said.index("\nreference ") + 1 : said.index("\n* = ")].splitlines()
    rows = [re.split(r" {2,}", line) for line in table]
    assert rows[0] == ["reference", "n", "tumour type", "median", "good", "matched", "own type"]
    assert sorted(row[0].rstrip("*") for row in rows[1:]) == sorted(es.list_references())
    medians = [float(row[3]) for row in rows[1:]]
    assert medians == sorted(medians)
    assert [row[0] for row in rows if row[0].endswith("*")] == ["tcga-stad-v1*"]
    assert rows[1] == [
        DEFAULT_REFERENCE,
        "592",
        "colorectal adenocarcinoma",
        "0.43",
        "97%",
        "100%",
        "not known",
    ]


def test_inputs_are_read_as_check_reads_them(
    inputs: Inputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(inputs.matrix, sep="\t", index_col=0)
    table.T.to_csv(tmp_path / "t.tsv", sep="\t")
    sheet = pd.read_csv(inputs.samples, sep="\t").assign(cancer_type="colon", sample_type="tumour")
    sheet.loc[0, "sample_type"] = "normal"
    sheet.rename(columns={"sample_id": "Barcode"}).to_csv(tmp_path / "s.tsv", sep="\t", index=False)
    declared = ["--units", "counts", "--gene-lengths", inputs.lengths]
    sheet_of = ["--samples", tmp_path / "s.tsv", "--map", "sample_id=Barcode"]
    said = shown(capsys, DEFAULT_REFERENCE, "--for", tmp_path / "t.tsv", "--transpose", *declared, *sheet_of)
    assert re.search(rf"^{DEFAULT_REFERENCE}\* .* yes$", said, flags=re.MULTILINE)
    assert re.search(r"^tcga-uvm-v1 .* no$", said, flags=re.MULTILINE)
    assert "\nauto looked at 3 of the 4 samples: tumours " in said
    plain = shown(capsys, DEFAULT_REFERENCE, "--for", inputs.matrix, *declared)
    of_samples = [re.search(r"match with[^*]*", text) for text in (said, plain)]
    assert of_samples[0] is not None
    assert of_samples[1] is not None
    assert of_samples[0][0] == of_samples[1][0]


@pytest.mark.parametrize(
    ("encoding", "block"), [("utf-8", "█"), ("latin-1", "#"), ("ascii", "#"), ("cp437", "█")]
)
def test_bars_are_drawn_in_letters_of_the_terminal(
    encoding: str, block: str, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        arguments = ["--for", str(inputs.matrix), "--units", "counts"]
        assert main(["reference", "show", DEFAULT_REFERENCE, *arguments]) == 0
        stdout.flush()
        said = raw.getvalue().decode(encoding)
        monkeypatch.undo()
    assert f" {block * 40}" in said
    assert "\\u" not in said


def test_figure_is_written_and_replaced_and_nothing_else(
    inputs: Inputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot, options = tmp_path / "new" / "d.svg", ["--for", inputs.matrix, "--units", "counts"]
    assert shown(capsys, DEFAULT_REFERENCE, *options, "--plot", plot).endswith(f"\nfigure: {plot}\n")
    first = plot.read_bytes()
    shown(capsys, DEFAULT_REFERENCE, *options, "--plot", plot)
    assert plot.read_bytes() == first
    assert b">tcga-uvm-v1 (80, uveal melanoma)<" in first
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "d.svg"]


def test_figure_that_cannot_be_written_is_one_line(
    inputs: Inputs, tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    show = ("reference", "show", DEFAULT_REFERENCE, "--for", inputs.matrix, "--units", "counts", "--plot")
    (tmp_path / "mine.svg").write_text("<svg/>", encoding="utf-8")
    matrix = shutil.copy(inputs.matrix, tmp_path / "m.png")
    for plot, why in (
        (tmp_path / "x.gif", "x.gif: .gif is not a format of figures; use one of .svg, .png, .pdf"),
        (tmp_path / "mine.svg", "mine.svg: exists and is not a figure of this program; name another file"),
        (tmp_path / "mine.svg" / "x.svg", "x.svg: cannot be written ("),
        (tmp_path, ": no ending is not a format"),
    ):
        (line,) = refused(2, *show, plot)
        assert why in line
    assert capsys.readouterr().out == ""
    (line,) = refused(2, "reference", "show", DEFAULT_REFERENCE, "--for", matrix, "--plot", matrix)
    assert line == f"error: {matrix}: is an input; name another file"


def test_options_of_a_cohort_need_a_cohort(refused: Refused) -> None:
    (line,) = refused(2, "reference", "show", DEFAULT_REFERENCE, "--plot", "x.svg", "--units", "tpm")
    assert line == "error: --plot, --units: only for the samples of a matrix; name it with --for"


def test_faults_of_all_inputs_are_reported_together(tmp_path: Path, refused: Refused) -> None:
    missing = {"--for": "m.tsv", "--samples": "s.tsv", "--gene-lengths": "l.tsv"}
    options = [word for pair in missing.items() for word in pair]
    lines = refused(3, "reference", "show", "nothing", *options)
    assert {line.split(": ")[1] for line in lines} == {"nothing", *missing.values()}
    path = tmp_path / "m.tsv"
    path.write_text("gene\ta\ta\nTP53\t1\tx\n", encoding="utf-8")
    checked = refused(3, "check", path)
    assert refused(3, "reference", "show", DEFAULT_REFERENCE, "--for", path) == checked


def test_kept_reference_that_cannot_be_read_is_a_warning(
    inputs: Inputs, kept_references: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kept_references / "fitted" / "old"
    folder.mkdir(parents=True)
    (folder / "reference.json").write_text("{", encoding="utf-8")
    arguments = ["reference", "show", DEFAULT_REFERENCE, "--for", str(inputs.matrix), "--units", "counts"]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning: ")
    assert said.err.count("\n") == 1
    assert "old" not in said.out
