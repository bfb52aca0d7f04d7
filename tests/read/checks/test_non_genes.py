"""Rows that are no genes never reach a sum, a unit or a score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
import pytest

from escape_score.errors import MatrixInvalidError
from escape_score.genes import load_gene_table
from escape_score.model.cohort import InMemoryMatrix
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import in_english
from escape_score.read import ReadLimits, read_cohort
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
        "Total",
        "TOTAL_READS",
        "total reads",
        "Grand Total",
        "sum",
        "library_size",
        "LibrarySize",
        "lib.size",
        "mapped_reads",
        "size_factor",
        "nCount_RNA",
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


def test_no_name_of_a_gene_is_taken_for_a_total() -> None:
    table = load_gene_table()
    names = [*table.current, *table.previous, *table.aliases, *table.ensembl, *table.hgnc]
    whole = InMemoryMatrix((), tuple(names), np.empty((0, len(names))))
    assert [one for one in without_non_genes(whole)[1] if one.code is Code.NON_GENE_ROWS] == []


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
        (lambda name: f"mm10___{name.capitalize()}", r"another species \(mouse\)"),
        (lambda name: f"ENSMUSG{crc32(name.encode()) % 10**11:011d}_{name}", r"another species \(mouse\)"),
        (lambda name: f"ENSDARG{crc32(name.encode()) % 10**11:011d}", r"\(zebrafish\)"),
        (lambda name: f"si:ch211-{crc32(name.encode()) % 10**3}.1", r"\(zebrafish\)"),
        (lambda name: f"YBL{crc32(name.encode()) % 10**3:03d}W", r"\(yeast\)"),
        (lambda name: f"FBgn{crc32(name.encode()) % 10**7:07d}", r"\(fruit fly\)"),
        (lambda name: f"ENSSSCG{crc32(name.encode()) % 10**11:011d}", r"\(neither human nor mouse\)"),
        (lambda name: f"ENSMUSG{crc32(name.encode()) % 10**11:011d}.2", r"another species \(mouse\)"),
        (lambda name: f"ENSRNOG{crc32(name.encode()) % 10**11:011d}", r"another species \(rat\)"),
        (lambda name: f"ENST{crc32(name.encode()) % 10**11:011d}.1|{name}", "transcript identifiers"),
        (lambda name: f"{name}-201", "transcript identifiers"),
        (lambda name: f"{name}_ENST{crc32(name.encode()) % 10**11:011d}", "transcript identifiers"),
        (lambda name: f"P{crc32(name.encode()) % 10**5:05d}", "proteins"),
        (lambda name: f"sp|P12345|{name}_HUMAN", "proteins"),
        (lambda name: f"hsa-miR-{crc32(name.encode()) % 10**4}-5p", "microRNAs"),
        (lambda name: f"chr1:{crc32(name.encode()) % 10**6}-2000000", "places in the genome"),
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


def test_transcripts_are_named_before_their_number_is(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm(n_genes=6_000)
    frame.index = [f"ENST{at:011d}" for at in range(len(frame))]
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    with pytest.raises(MatrixInvalidError, match="transcript identifiers"):
        read_cohort(tmp_path / "m.tsv", cohort="c", limits=ReadLimits(max_genes=1_000))


def test_read_cohort_reads_lower_case(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm()
    frame.index = frame.index.str.lower()
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    assert len(read_cohort(tmp_path / "m.tsv", cohort="c").source.gene_ids) == 300


def mouse_symbol(name: str) -> str:
    """The name in the spelling of mouse symbols; a clone name where both are the same, as for C9orf85."""
    return f"Gm{crc32(name.encode()) % 10**5}" if name.capitalize() == name else name.capitalize()


XENOGRAFTS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "Ensembl": (lambda name: name, lambda name: f"ENSMUSG{crc32(name.encode()) % 10**11:011d}.2"),
    "spelling": (lambda name: name, mouse_symbol),
    "Cell Ranger": (lambda name: f"GRCh38_{name}", lambda name: f"mm10___{name.capitalize()}"),
    "one of two": (lambda name: name, lambda name: f"mm10_{name}"),
    "id and symbol": (lambda name: name, lambda name: f"ENSMUSG00000000001_{name.capitalize()}"),
}
"""How files that hold a human and a mouse name both: from a symbol to either name."""


@pytest.mark.parametrize("units", ["tpm", "counts", "log2(x+1)", "auto"])
@pytest.mark.parametrize("kind", XENOGRAFTS)
def test_mouse_rows_of_a_xenograft_are_left_out(
    kind: str, units: str, make_tpm: MakeFrame, tmp_path: Path
) -> None:
    human = make_tpm(n_genes=6_000)
    if units == "counts":
        human = human.round()
    mouse = human.iloc[::-1] / 4 if units != "counts" else (human.iloc[::-1] / 4).round()
    as_human, as_mouse = XENOGRAFTS[kind]
    both = pd.concat([human.rename(index=as_human), mouse.rename(index=as_mouse)])
    if units == "auto":
        both = both / both.sum() * 1e6
    scale = both.iloc[: len(human)].sum() / human.sum()
    written = pd.DataFrame(np.log2(both + 1)) if units == "log2(x+1)" else both
    written.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    cohort = read_cohort(tmp_path / "m.tsv", units=units, cohort="c")
    assert cohort.source.gene_ids == tuple(map(as_human, human.index))
    np.testing.assert_allclose(cohort.totals.linear_total, human.sum() * scale)
    expected = np.asarray(mouse.sum() / (human.sum() + mouse.sum()))
    shares = [
        float(str(dict(one.params)["share"])) for _, one in cohort.flags.by_sample if one.kind == "share"
    ]
    np.testing.assert_allclose(shares, expected)
    assert [one.code for one in cohort.flags.cohort if one.code is Code.SPECIES_SUSPECT]
    if units == "auto":
        assert cohort.unit.unit is ExpressionUnit.TPM


def test_mouse_rows_may_be_the_most(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm(n_genes=6_000)
    frame.index = [name if at % 5 == 0 else f"ENSMUSG{at:011d}" for at, name in enumerate(frame.index)]
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    assert len(read_cohort(tmp_path / "m.tsv", units="tpm", cohort="c").source.gene_ids) == 1_200


def test_a_few_names_in_two_cases_are_one_gene(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm(n_genes=6_000)
    more = frame.iloc[:9].rename(index=str.capitalize)
    pd.concat([frame, more]).to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    assert len(read_cohort(tmp_path / "m.tsv", units="tpm", cohort="c").source.gene_ids) == 6_009
