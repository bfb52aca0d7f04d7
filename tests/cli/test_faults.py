"""Faults of input and use: exit code, one line that names file and problem, nothing that looks finished."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pandas as pd
import pytest

from escape_score.genes import load_gene_table
from escape_score.reference.read import load_reference

Refused = Callable[..., tuple[str, ...]]
Spoil = Callable[[str], str]


class Inputs(Protocol):
    matrix: Path
    samples: Path
    lengths: Path
    options: list[str]


def edit_line(number: int, edit: Callable[[list[str]], list[str]]) -> Spoil:
    """Change the fields of one line, counted from 1."""

    def spoil(text: str) -> str:
        lines = text.splitlines()
        lines[number - 1] = "\t".join(edit(lines[number - 1].split("\t")))
        return "\n".join(lines) + "\n"

    return spoil


def transposed(text: str) -> str:
    rows = [line.split("\t") for line in text.splitlines()]
    return "\n".join("\t".join(column) for column in zip(*rows, strict=True)) + "\n"


@pytest.mark.parametrize(
    ("spoil", "mention"),
    [
        (edit_line(7, lambda f: [*f[:2], "oops", *f[3:]]), "line 7"),
        (edit_line(7, lambda f: [*f[:2], "inf", *f[3:]]), "inf"),
        (edit_line(1, lambda f: [*f[:2], f[1], *f[3:]]), "twice|duplicate"),
        (transposed, "transpose|gene"),
        (lambda text: text[: len(text) * 2 // 3], "cut|fields|truncated|end"),
        (lambda text: "", "empty"),
        (lambda text: text.split("\n", 1)[0] + "\n", "no gene|no row|empty|gene"),
    ],
    ids=["text cell", "infinite cell", "sample twice", "transposed", "cut", "empty", "header only"],
)
def test_matrix_with_a_fault_is_refused(
    spoil: Spoil, mention: str, inputs: Inputs, tmp_path: Path, refused: Refused
) -> None:
    path, out = tmp_path / "m.tsv", tmp_path / "o"
    path.write_text(spoil(inputs.matrix.read_text(encoding="utf-8")), encoding="utf-8")
    lines = refused(3, "run", path, "--units", "counts", "--out", out)
    assert any(line.startswith(f"error: {path}: ") for line in lines)
    assert any(word in " ".join(lines).lower() for word in mention.split("|"))
    assert not out.exists()


def test_cut_gzip_is_refused(inputs: Inputs, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "m.tsv.gz"
    whole = gzip.compress(inputs.matrix.read_bytes())
    path.write_bytes(whole[: len(whole) * 2 // 3])
    (line,) = refused(3, "run", path, "--out", tmp_path / "o")
    assert line.startswith(f"error: {path}: ")
    assert not (tmp_path / "o").exists()


def test_missing_matrix_is_named(tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(3, "run", tmp_path / "no.tsv", "--out", tmp_path / "o")
    assert line.startswith(f"error: {tmp_path / 'no.tsv'}: ")


@pytest.mark.parametrize("option", ["", "--samples", "--gene-lengths", "--gene-sets", "--config"])
def test_file_that_may_not_be_read_is_a_fault_of_the_input(
    option: str, inputs: Inputs, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "closed.tsv"
    path.write_bytes(inputs.matrix.read_bytes())
    usual = os.access
    # root may read every file
    monkeypatch.setattr(os, "access", lambda of, mode: str(of) != str(path) and usual(of, mode))
    named = [inputs.matrix, option, path] if option else [path]
    lines = refused(3, "run", "--units", "counts", "--out", tmp_path / "o", *named)
    assert lines == (f"error: {path}: cannot be read (Permission denied); check its permissions",)


@pytest.mark.parametrize("option", ["--samples", "--gene-lengths", "--gene-sets"])
def test_missing_file_of_an_option_is_named(
    option: str, inputs: Inputs, tmp_path: Path, refused: Refused
) -> None:
    path = tmp_path / "no.txt"
    (line,) = refused(3, "run", inputs.matrix, "--units", "counts", "--out", tmp_path / "o", option, path)
    assert line.startswith(f"error: {path}: ")
    assert not (tmp_path / "o").exists()


def test_declared_unit_that_contradicts_the_numbers_is_refused(
    inputs: Inputs, tmp_path: Path, refused: Refused
) -> None:
    (line,) = refused(3, "run", inputs.matrix, "--units", "log2(x+1)", "--out", tmp_path / "o")
    assert line.startswith(f"error: {inputs.matrix}: ")
    assert "log2" in line


def test_too_few_anchors_name_the_file(inputs: Inputs, tmp_path: Path, refused: Refused) -> None:
    matrix = pd.read_csv(inputs.matrix, sep="\t", index_col=0)
    symbols = pd.Series([str(m.gene_symbol) for m in load_gene_table().map_genes(list(matrix.index))])
    genes = load_reference().genes
    anchors = {s for s, marked in zip(genes.symbols, genes.is_anchor, strict=True) if marked}
    is_anchor = symbols.isin(anchors).to_numpy()
    others = matrix[~is_anchor].iloc[5000:6000]
    pd.concat([others, matrix[is_anchor].iloc[:19]]).to_csv(tmp_path / "m.tsv", sep="\t")
    (line,) = refused(3, "run", tmp_path / "m.tsv", "--units", "fpkm", "--out", tmp_path / "o")
    assert line.startswith(f"error: {tmp_path / 'm.tsv'}: 19 of the anchor genes")


def test_too_few_genes_name_the_file(inputs: Inputs, tmp_path: Path, refused: Refused) -> None:
    pd.read_csv(inputs.matrix, sep="\t", index_col=0).iloc[200:300].to_csv(tmp_path / "m.tsv", sep="\t")
    (line,) = refused(3, "run", tmp_path / "m.tsv", "--units", "fpkm", "--out", tmp_path / "o")
    assert line.startswith(f"error: {tmp_path / 'm.tsv'}: ")
    assert "genes" in line


@pytest.mark.parametrize(
    ("arguments", "code", "mention"),
    [
        (["--frobnicate"], 2, "unknown option --frobnicate; see escape-score run --help"),
        (["--unist", "tpm"], 2, "unknown option --unist; did you mean '--units'? see"),
        (["--units", "tmp"], 2, "--units: unknown value 'tmp'; did you mean 'tpm'? use one of auto, counts"),
        (["--seed", "many"], 2, "'--seed'"),
        (["--seed", "-1"], 2, "'--seed'"),
        (["--lang", "xx"], 2, "--lang xx"),
        (["--lang", "xx", "--no-reports"], 2, "--lang xx"),
        (["--reference", "nope"], 3, "nope: no such reference"),
        (["--config", "no.yaml"], 2, "no.yaml"),
        (["too", "many"], 2, "many"),
    ],
)
def test_faults_of_use(
    arguments: list[str], code: int, mention: str, *, inputs: Inputs, tmp_path: Path, refused: Refused
) -> None:
    (line,) = refused(code, "run", *inputs.options, "--out", tmp_path / "o", *arguments)
    assert mention in line
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["frob"],
        ["run"],
        ["run", "m.tsv"],
        ["report"],
        ["schema", "x"],
        ["profile", "x"],
        ["report", "a", "--chunk", "0"],
    ],
)
def test_commands_that_lack_something(arguments: list[str], refused: Refused) -> None:
    assert len(refused(2, *arguments)) == 1


@pytest.mark.parametrize("below", [False, True])
def test_out_that_is_a_file_is_refused(below: bool, inputs: Inputs, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "o"
    path.write_text("mine", encoding="utf-8")
    (line,) = refused(2, "run", *inputs.options, "--out", path / "x" if below else path)
    assert str(path) in line
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_fault_leaves_an_old_result_as_it_was(
    finished: Path, inputs: Inputs, tmp_path: Path, refused: Refused
) -> None:
    before = {p: p.read_bytes() for p in finished.rglob("*") if p.is_file()}
    bad = tmp_path / "m.tsv"
    bad.write_text("gene\ta\nTP53\tx\n", encoding="utf-8")
    refused(3, "run", bad, "--out", finished)
    refused(2, "report", finished, "--lang", "xx")
    assert {p: p.read_bytes() for p in finished.rglob("*") if p.is_file()} == before


def test_many_faults_are_cut_at_twenty_lines(inputs: Inputs, tmp_path: Path, refused: Refused) -> None:
    gmt = tmp_path / "u.gmt"
    gmt.write_text("".join(f"s{i}\n" for i in range(30)), encoding="utf-8")
    lines = refused(3, "run", *inputs.options, "--out", tmp_path / "o", "--gene-sets", gmt)
    assert len(lines) == 20
    assert lines[-1] == "error: and 11 more faults; fix these first"


def test_stage_files_of_the_wrong_stage_are_refused(inputs: Inputs, tmp_path: Path, refused: Refused) -> None:
    from escape_score.cli import main

    cohort = tmp_path / "cohort.h5ad"
    assert main(["read", str(inputs.matrix), "--units", "counts", "--out", str(cohort)]) == 0
    (line,) = refused(3, "score", cohort, "--out", tmp_path / "s.h5ad")
    assert line.startswith(f"error: {cohort}: was written by the stage read")
    (line,) = refused(3, "profile", cohort, "--out", tmp_path / "o", "--part", tmp_path / "p.json")
    assert line.startswith(f"error: {cohort}: not a file of this program's stages")


@pytest.mark.parametrize(
    "words",
    [
        ["run", "-", "--out", "o"],
        ["check", "-"],
        ["run", "m.tsv", "--out", "o", "--samples", "-"],
        ["run", "m.tsv", "--out", "o", "--gene-lengths", "-"],
        ["run", "m.tsv", "--out", "o", "--gene-sets", "-"],
        ["genesets", "check", "-"],
        ["init", "-"],
    ],
)
def test_standard_input_is_refused_by_its_name(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: Callable[..., tuple[str, ...]],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.tsv").write_text("gene\ta\n", encoding="utf-8")
    (line,) = refused(3, *words)
    assert line == "error: -: standard input is not read; give a file on disk"


def test_standard_input_as_config_is_a_fault_of_use(refused: Callable[..., tuple[str, ...]]) -> None:
    (line,) = refused(2, "run", "--config", "-")
    assert line == "error: -: standard input is not read; give a file on disk"
