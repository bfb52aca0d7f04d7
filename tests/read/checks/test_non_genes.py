"""Rows that are no genes never reach a sum, a unit or a score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
import pytest

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import InMemoryMatrix
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import in_english
from escape_score.read import read_cohort
from escape_score.read.checks.non_genes import without_non_genes

MakeFrame = Callable[..., pd.DataFrame]


def matrix_of(*names: str) -> InMemoryMatrix:
    return InMemoryMatrix(("A", "B"), names, np.arange(2.0 * len(names)).reshape(2, -1))


@pytest.mark.parametrize(
    "name",
    [
        "__no_feature",
        "__alignment_not_unique",
        "no_feature",
        "too_low_aQual",
        "N_unmapped",
        "N_noFeature",
        "N_multimapping",
        "Unassigned_NoFeatures",
        "ERCC-00002",
        "SIRV3",
    ],
)
def test_without_non_genes_leaves_out_summaries_and_spikes(name: str) -> None:
    source, notes = without_non_genes(matrix_of("CD8A", name, "B2M"))
    assert source.gene_ids == ("CD8A", "B2M")
    assert source.block(0, 2).tolist() == [[0.0, 2.0], [3.0, 5.0]]
    assert source.sample_ids == ("A", "B")
    assert [note.code for note in notes] == [Code.NON_GENE_ROWS]
    assert name in in_english(notes[0])


@pytest.mark.parametrize("name", ["", "  ", "NA", "nan", "---", "?"])
def test_without_non_genes_leaves_out_rows_without_name(name: str) -> None:
    source, notes = without_non_genes(matrix_of(name, "CD8A"))
    assert source.gene_ids == ("CD8A",)
    assert [note.code for note in notes] == [Code.UNNAMED_GENES]


@pytest.mark.parametrize(
    "name", ["ERCC1", "ERCC6L2-AS1", "NUNA", "N4BP1", "NOG", "RP11-524D16__A.3", "NAT1", "?|10357"]
)
def test_without_non_genes_keeps_genes(name: str) -> None:
    whole = matrix_of("CD8A", name)
    assert without_non_genes(whole) == (whole, ())


def test_read_cohort_decides_unit_without_rows_that_are_no_genes(tmp_path: Path, make_tpm: MakeFrame) -> None:
    tpm = make_tpm(n_genes=6_000)
    wanted = tpm.to_numpy().T
    for name in ("__no_feature", "N_unmapped", "ERCC-00002", ""):
        tpm.loc[name] = 2e5
    tpm.to_csv(tmp_path / "m.tsv", sep="\t")
    cohort = read_cohort(tmp_path / "m.tsv", cohort="c")
    assert cohort.unit.unit is ExpressionUnit.TPM
    assert np.array_equal(cohort.source.block(0, 4), wanted)
    assert {note.code for note in cohort.flags.cohort} == {Code.NON_GENE_ROWS, Code.UNNAMED_GENES}


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        (str.capitalize, "species mouse .*human orthologs"),
        (lambda name: f"ENSMUSG{crc32(name.encode()) % 10**11:011d}.2", "another species, mouse"),
        (lambda name: f"ENSRNOG{crc32(name.encode()) % 10**11:011d}", "another species"),
        (lambda name: f"ENST{crc32(name.encode()) % 10**11:011d}.1|{name}", "transcript identifiers"),
        (lambda name: f"NM_{crc32(name.encode()) % 10**6:06d}", "transcript identifiers"),
        (lambda name: f"ILMN_{crc32(name.encode()) % 10**7}", "probes of an array"),
        (lambda name: f"{crc32(name.encode()) % 10**6}_s_at", "probes of an array"),
        (lambda name: f"A_23_P{crc32(name.encode()) % 10**5}", "probes of an array"),
    ],
)  # fmt: skip
def test_read_cohort_refuses_names_of_other_things(
    tmp_path: Path, make_tpm: MakeFrame, rename: Callable[[str], str], said: str
) -> None:
    frame = make_tpm()
    frame.index = [rename(name) for name in frame.index]
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    with pytest.raises(MatrixInvalidError, match=rf"m\.tsv: .*{said}"):
        read_cohort(tmp_path / "m.tsv", cohort="c")


def test_read_cohort_reads_lower_case(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm()
    frame.index = frame.index.str.lower()
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    assert len(read_cohort(tmp_path / "m.tsv", cohort="c").source.gene_ids) == 300


def test_read_cohort_flags_some_mouse_genes(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm(n_genes=6_000)
    frame.index = [f"ENSMUSG{at:011d}" if at % 10 == 0 else name for at, name in enumerate(frame.index)]
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    flags = {note.code for note in read_cohort(tmp_path / "m.tsv", cohort="c").flags.cohort}
    assert flags == {Code.SPECIES_SUSPECT}
