"""GCT files: what the second line promises must be there."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from escape_score.errors import InputError, MatrixInvalidError
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits
from escape_score.read.files.probe import probe_path
from escape_score.read.formats import choose_format
from escape_score.read.formats.reader import MatrixReading
from escape_score.read.request import ReadRequest

GCT_12 = "#1.2\n3\t2\nNAME\tDescription\tA\tB\nCD8A\tna\t1.5\t0\nB2M\tna\t250\t1e3\nGZMB\tna\t.25\t7\n"
GCT_13 = (
    "#1.3\n3\t2\t2\t1\nid\tpr_gene_symbol\tlen\tA\tB\ndose\tna\tna\tlow\thigh\n"
    "CD8A\tCD8A\t9\t1.5\t0\nB2M\tB2M\t9\t250\t1e3\nGZMB\tGZMB\t9\t.25\t7\n"
)
VALUES = [[1.5, 250.0, 0.25], [0.0, 1000.0, 7.0]]


def open_gct(folder: Path, text: str | bytes, limits: ReadLimits = DEFAULT_LIMITS) -> MatrixReading:
    path = folder / "m.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    chosen = choose_format(probe_path(path, limits))
    assert chosen.name.startswith("GCT")
    return chosen.open_matrix(path, ReadRequest(limits=limits))


@pytest.mark.parametrize(
    ("content", "described"),
    [
        (GCT_12, ("Description",)),
        (GCT_13, ("pr_gene_symbol", "len")),
        (GCT_12.replace("\n", "\r\n"), ("Description",)),
        (gzip.compress(GCT_12.encode(), mtime=0), ("Description",)),
        (GCT_12.encode("utf-16"), ("Description",)),
        (GCT_12.replace("\n", "\t\t\n"), ("Description",)),
        (GCT_12.replace("CD8A\tna", "CD8A\t"), ("Description",)),
        (GCT_12.replace("CD8A\tna", "CD8A\tsome #text; more"), ("Description",)),
    ],
)
def test_open_matrix_reads(tmp_path: Path, content: str | bytes, described: tuple[str, ...]) -> None:
    reading = open_gct(tmp_path, content)
    assert reading.source.sample_ids == ("A", "B")
    assert reading.source.gene_ids == ("CD8A", "B2M", "GZMB")
    assert reading.source.block(0, 2).tolist() == VALUES
    assert reading.annotation_columns == described


def test_open_matrix_takes_symbols_from_the_description_of_probes(tmp_path: Path) -> None:
    text = GCT_12
    for gene in ("CD8A", "B2M", "GZMB"):
        text = text.replace(f"{gene}\tna", f"probe_{gene}\t{gene}")
    assert open_gct(tmp_path, text).source.gene_ids == ("CD8A", "B2M", "GZMB")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("3\t2", "503\t2", "3 gene rows where line 2 promises 503"),
        ("3\t2", "2\t2", "3 gene rows where line 2 promises 2"),
        ("3\t2", "3\t4", "has 2 samples where line 2 promises 4"),
        ("3\t2", "3", "must hold 2 numbers"),
        ("3\t2", "3\ttwo", "must hold 2 numbers"),
        ("3\t2", f"{'9' * 30}\t2", "too large"),
        ("3\t2", "900000\t2", "too large"),
        ("\tB\n", "\tA\n", "duplicate sample names"),
        ("250", "25x", r"'25x' is not numeric \(gene B2M, sample A, line 5\)"),
        (".25\t7\n", ".25\n", "line 6 has 3 fields"),
    ],
)
def test_open_matrix_refuses(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(MatrixInvalidError, match=rf"m\.txt: .*{said}"):
        open_gct(tmp_path, GCT_12.replace(old, new, 1))


@pytest.mark.parametrize("text", [GCT_12, GCT_13])
def test_open_matrix_refuses_every_cut(tmp_path: Path, text: str) -> None:
    for n_kept in range(5, len(text) - 2):
        with pytest.raises(InputError, match=r"m\.txt"):
            open_gct(tmp_path, text[:n_kept])
