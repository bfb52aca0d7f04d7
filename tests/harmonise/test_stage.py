"""Any unit and any gene names to log2(TPM + 1) over approved symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import escape_score as es
from escape_score.errors import MatrixInvalidError
from escape_score.genes import GeneTable, load_gene_table
from escape_score.genes.lengths import read_gene_lengths
from escape_score.harmonise import harmonise_cohort
from escape_score.harmonise.names import gene_flags
from escape_score.harmonise.source import is_constant, row_sums
from escape_score.model.cohort import Cohort, HarmonisedCohort
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.reference.read import load_reference

MakeCohort = Callable[..., Cohort]
WIDE = [f"G{i}" for i in range(8000)]
"""As many genes as make a whole transcriptome."""


@pytest.fixture(scope="module")
def table() -> GeneTable:
    symbols = ["TP53", "B2M", "VSIR", "MARCHF1", *WIDE]
    lengths = {"TP53": 2000.0, "B2M": 1000.0, **dict.fromkeys(WIDE, 1000.0)}
    renamed = GeneTable.from_renames(symbols, {"C10orf54": "VSIR", "MARCH1": "MARCHF1"})
    return GeneTable(
        current=renamed.current,
        previous=renamed.previous,
        ensembl={"ENSG00000141510": ("TP53",)},
        length_by_symbol=lengths,
    )


def linear(cohort: HarmonisedCohort) -> pd.DataFrame:
    """TPM as samples × symbols."""
    values = np.exp2(cohort.source.block(0, len(cohort.sample_ids))) - 1
    return pd.DataFrame(values, list(cohort.sample_ids), list(cohort.gene_symbols))


def flags_of(cohort: HarmonisedCohort) -> set[Code]:
    return {note.code for note in cohort.flags.cohort}


def wide(samples: Mapping[str, float]) -> pd.DataFrame:
    """A whole transcriptome whose genes rise from the value given."""
    steps = np.arange(len(WIDE)) / len(WIDE)
    return pd.DataFrame({s: value * (1 + steps) for s, value in samples.items()}, WIDE).T


def test_rows_of_one_gene_are_summed_in_linear_space(table: GeneTable, make_cohort: MakeCohort) -> None:
    tpm = pd.DataFrame({"VSIR": [1.0, 0.0], "C10orf54": [2.0, 5.0], "TP53": [4.0, 8.0]}, ["a", "b"])
    logs = harmonise_cohort(make_cohort(np.log2(tpm + 1), ExpressionUnit.LOG2_PLUS_1), table)
    assert logs.gene_symbols == ("TP53", "VSIR")
    np.testing.assert_allclose(linear(logs)["VSIR"], [3.0, 5.0], atol=1e-12)
    assert {Code.RENAMED_SYMBOLS, Code.DUPLICATE_GENES_AFTER_MAPPING} <= flags_of(logs)
    assert Code.DUPLICATE_GENES not in flags_of(logs)


def test_rows_with_the_same_name_are_summed_and_flagged(table: GeneTable, make_cohort: MakeCohort) -> None:
    tpm = pd.DataFrame([[1.0, 2.0, 9.0]], ["a"], ["TP53", "TP53", "B2M"])
    cohort = harmonise_cohort(make_cohort(tpm), table)
    assert linear(cohort).loc["a", "TP53"] == pytest.approx(3.0)
    assert Code.DUPLICATE_GENES in flags_of(cohort)
    assert Code.DUPLICATE_GENES_AFTER_MAPPING not in flags_of(cohort)


def test_gene_is_missing_only_where_all_its_rows_are(table: GeneTable, make_cohort: MakeCohort) -> None:
    nan = float("nan")
    tpm = pd.DataFrame(
        {"VSIR": [1.0, nan, nan], "C10orf54": [2.0, 5.0, nan], "TP53": [nan, 1.0, 2.0], "B2M": [1.0, 2, 3]},
        ["a", "b", "c"],
    )
    values = linear(harmonise_cohort(make_cohort(tpm), table))
    np.testing.assert_allclose(values["VSIR"], [3.0, 5.0, nan], atol=1e-12)
    np.testing.assert_allclose(values["TP53"], [nan, 1.0, 2.0], atol=1e-12)


@given(
    st.permutations(["TP53", "C10orf54", "VSIR", "ENSG00000141510.12", "B2M", "NOBODY"]),
    st.sampled_from([ExpressionUnit.TPM, ExpressionUnit.FPKM, ExpressionUnit.NANOSTRING]),
)
def test_order_of_rows_changes_nothing(
    table: GeneTable, make_cohort: MakeCohort, order: list[str], unit: ExpressionUnit
) -> None:
    values = {"TP53": 1.1, "C10orf54": 2.3, "VSIR": 70.7, "ENSG00000141510.12": 0.1, "B2M": 5, "NOBODY": 3}
    cohort = harmonise_cohort(make_cohort(pd.DataFrame([values], ["a"])[order], unit), table)
    expected = {"B2M": 5.0, "TP53": 1.1 + 0.1, "VSIR": 2.3 + 70.7}
    assert linear(cohort).loc["a"].to_dict() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("unit", "value", "tpm"),
    [
        (ExpressionUnit.TPM, 7.0, 7.0),
        (ExpressionUnit.LOG2_PLUS_1, 3.0, 7.0),
        (ExpressionUnit.LN_PLUS_1, np.log(8.0), 7.0),
        (ExpressionUnit.LOG2_PLUS_0001, np.log2(7.001), 7.0),
        (ExpressionUnit.LOG2_PLUS_0001, np.log2(0.001), 0.0),
        (ExpressionUnit.TPM, -0.5, 0.0),
        (ExpressionUnit.LOG2_PLUS_1, -1.0, 0.0),
    ],
)
def test_unit_becomes_linear(
    unit: ExpressionUnit, value: float, tpm: float, table: GeneTable, make_cohort: MakeCohort
) -> None:
    matrix = pd.DataFrame({"TP53": [value], "B2M": [1.0]}, ["a"])
    cohort = harmonise_cohort(make_cohort(matrix, unit), table)
    assert linear(cohort).loc["a", "TP53"] == pytest.approx(tpm, abs=1e-12)


@pytest.mark.parametrize("unit", [ExpressionUnit.ARRAY, ExpressionUnit.NANOSTRING])
@pytest.mark.parametrize(("values", "expected"), [([8.0, 4.0], [256.0, 16.0]), ([60.0, 4.0], [60.0, 4.0])])
def test_platform_signals_are_linear_if_any_exceeds_fifty(
    unit: ExpressionUnit,
    values: list[float],
    expected: list[float],
    table: GeneTable,
    make_cohort: MakeCohort,
) -> None:
    cohort = harmonise_cohort(make_cohort(pd.DataFrame([values], ["a"], ["TP53", "B2M"]), unit), table)
    np.testing.assert_allclose(linear(cohort)[["TP53", "B2M"]], [expected])
    assert Code.UNITS_SUSPECT in flags_of(cohort)
    assert "approximate" in " ".join(in_english(note) for note in cohort.flags.cohort)


def test_platform_signals_are_never_rescaled(table: GeneTable, make_cohort: MakeCohort) -> None:
    cohort = harmonise_cohort(make_cohort(wide({"a": 100.0}), ExpressionUnit.ARRAY), table)
    np.testing.assert_allclose(linear(cohort).loc[["a"], WIDE[0]], 100.0)


def test_whole_transcriptome_is_rescaled_over_all_rows_known_or_not(
    table: GeneTable, make_cohort: MakeCohort
) -> None:
    matrix = wide({"a": 10.0, "b": 20.0}).assign(NOBODY=1000.0)
    cohort = harmonise_cohort(make_cohort(matrix, ExpressionUnit.FPKM), table)
    expected = matrix.div(matrix.sum(axis=1), axis=0)[WIDE] * 1e6
    np.testing.assert_allclose(linear(cohort)[WIDE], expected, rtol=1e-10)
    assert not cohort.is_targeted_panel
    assert {note.code for _, note in cohort.flags.by_sample} == {Code.RESCALED_TO_TPM}


@pytest.mark.parametrize(("factor", "n_flagged"), [(1.0, 0), (1.0099, 0), (1.0101, 1), (0.98, 1)])
def test_total_near_a_million_is_not_flagged(
    factor: float, n_flagged: int, table: GeneTable, make_cohort: MakeCohort
) -> None:
    matrix = wide({"a": 1.0})
    cohort = harmonise_cohort(make_cohort(matrix * (1e6 * factor / matrix.to_numpy().sum())), table)
    assert len(cohort.flags.by_sample) == n_flagged


def test_panel_is_never_rescaled(table: GeneTable, make_cohort: MakeCohort) -> None:
    matrix = wide({"a": 10.0}).iloc[:, :2_500]
    cohort = harmonise_cohort(make_cohort(matrix), table)
    np.testing.assert_allclose(linear(cohort)[matrix.columns], matrix, rtol=1e-12)
    assert cohort.is_targeted_panel
    assert Code.TARGETED_PANEL in flags_of(cohort)
    assert cohort.flags.by_sample == ()


@pytest.mark.parametrize(
    ("n_genes", "is_panel"), [(2_500, True), (2_501, False), (3_000, False), (3_001, False), (7_900, False)]
)
def test_filtered_transcriptome_is_no_panel(
    n_genes: int, is_panel: bool, demo_tpm: pd.DataFrame, make_cohort: MakeCohort
) -> None:
    kept = demo_tpm.mean().sort_values().index[-n_genes:]
    cohort = harmonise_cohort(make_cohort(demo_tpm[kept]), load_gene_table())
    assert cohort.is_targeted_panel is is_panel


def test_wide_panel_is_known_by_its_anchors(demo_tpm: pd.DataFrame, make_cohort: MakeCohort) -> None:
    genes = load_reference().genes
    anchors = {symbol for symbol, yes in zip(genes.symbols, genes.is_anchor, strict=True) if yes}
    others = [gene for gene in demo_tpm if gene not in anchors][:2_700]
    panel = make_cohort(demo_tpm[[*others, *sorted(anchors.intersection(demo_tpm))[:200]]])
    assert harmonise_cohort(panel, load_gene_table()).is_targeted_panel


@pytest.mark.parametrize("constant", [1e4, 1e6, 2.3e7])
@pytest.mark.parametrize("is_log", [False, True])
def test_constant_that_samples_add_up_to_changes_nothing(
    constant: float, is_log: bool, demo_tpm: pd.DataFrame, make_cohort: MakeCohort
) -> None:
    kept = demo_tpm[demo_tpm.mean().sort_values().index[-6_000:]]
    values = kept * (constant / 1e6)
    unit = ExpressionUnit.LN_PLUS_1 if is_log else ExpressionUnit.TPM
    cohort = harmonise_cohort(make_cohort(np.log1p(values) if is_log else values, unit), load_gene_table())
    expected = kept.div(kept.sum(axis=1), axis=0) * 1e6
    np.testing.assert_allclose(linear(cohort)[kept.columns], expected, rtol=1e-7, atol=1e-7)
    assert {note.code for _, note in cohort.flags.by_sample} == {Code.RESCALED_TO_TPM}


def test_tcga_rsem_is_divided_by_the_lengths_of_its_pipeline(
    demo_counts: pd.DataFrame, demo_tpm: pd.DataFrame, make_cohort: MakeCohort
) -> None:
    table = load_gene_table()
    cohort = harmonise_cohort(make_cohort(demo_counts, ExpressionUnit.TCGA_RSEM), table)
    pd.testing.assert_frame_equal(linear(cohort), demo_tpm)
    assert "TCGA" in " ".join(in_english(note) for note in cohort.flags.cohort)
    logs = make_cohort(np.log2(demo_counts.clip(lower=0) + 1), ExpressionUnit.LOG2_TCGA_RSEM_PLUS_1)
    np.testing.assert_allclose(linear(harmonise_cohort(logs, table)), demo_tpm, rtol=1e-7, atol=1e-7)
    assert cohort.reads_per_tpm is None


@pytest.mark.parametrize(
    ("unit", "has_reads"),
    [
        (ExpressionUnit.ESTIMATED_COUNTS, True),
        (ExpressionUnit.NORMALISED_COUNTS, False),
        (ExpressionUnit.CPM, False),
        (ExpressionUnit.LOG2_CPM_PLUS_1, False),
    ],
)
def test_units_that_grow_with_length_become_tpm_as_counts_do(
    unit: ExpressionUnit, has_reads: bool, table: GeneTable, make_cohort: MakeCohort
) -> None:
    matrix = wide({"a": 10.0}).assign(TP53=4000.5, B2M=4000.5)
    expected = linear(harmonise_cohort(make_cohort(matrix, ExpressionUnit.COUNTS), table))
    values = np.log2(matrix + 1) if unit.is_log else matrix
    cohort = harmonise_cohort(make_cohort(values, unit), table)
    np.testing.assert_allclose(linear(cohort), expected, rtol=1e-9)
    assert (cohort.reads_per_tpm is not None) is has_reads


def test_umi_counts_are_never_divided_by_length(table: GeneTable, make_cohort: MakeCohort) -> None:
    matrix = wide({"a": 10.0}).round().assign(TP53=4000.0, B2M=4000.0, VSIR=77.0)
    cohort = harmonise_cohort(
        make_cohort(matrix, ExpressionUnit.UMI), table, gene_lengths={"TP53": 9.0, "B2M": 1.0}
    )
    expected = matrix / matrix.to_numpy().sum() * 1e6
    np.testing.assert_allclose(linear(cohort)[matrix.columns], expected, rtol=1e-10)
    assert Code.COUNTS_CONVERTED not in flags_of(cohort)


def test_counts_become_tpm_by_length(table: GeneTable, make_cohort: MakeCohort) -> None:
    matrix = wide({"a": 10.0}).assign(TP53=4000.0, B2M=4000.0, VSIR=77.0)
    cohort = harmonise_cohort(make_cohort(matrix, ExpressionUnit.COUNTS), table)
    per_kb = matrix.drop(columns="VSIR").assign(TP53=matrix["TP53"] / 2)
    expected = per_kb / per_kb.to_numpy().sum() * 1e6
    np.testing.assert_allclose(linear(cohort)[expected.columns], expected, rtol=1e-10)
    assert "VSIR" not in cohort.gene_symbols
    notes = {note.code: in_english(note) for note in cohort.flags.cohort}
    assert "GENCODE" in notes[Code.COUNTS_CONVERTED]
    assert "Genes without a length, left out (1): VSIR" in notes[Code.COUNTS_WITHOUT_LENGTHS]
    assert [(c.given, c.gene_symbol, c.reason) for c in cohort.gene_changes] == [("VSIR", "", "no length")]


def test_counts_of_a_panel_are_reads_per_kilobase(table: GeneTable, make_cohort: MakeCohort) -> None:
    matrix = pd.DataFrame({"TP53": [500.0], "B2M": [600.0]}, ["a"])
    cohort = harmonise_cohort(make_cohort(matrix, ExpressionUnit.COUNTS), table)
    assert linear(cohort).loc["a"].to_dict() == pytest.approx({"B2M": 600.0, "TP53": 250.0})


def test_lengths_given_win_over_the_shipped(table: GeneTable, make_cohort: MakeCohort) -> None:
    matrix = pd.DataFrame({"TP53": [500.0], "B2M": [400.0], "VSIR": [900.0]}, ["a"])
    cohort = harmonise_cohort(
        make_cohort(matrix, ExpressionUnit.COUNTS), table, gene_lengths={"VSIR": 3000.0, "B2M": 4000.0}
    )
    assert linear(cohort).loc["a"].to_dict() == pytest.approx({"B2M": 100.0, "VSIR": 300.0})
    assert Code.COUNTS_WITHOUT_LENGTHS in flags_of(cohort)


def test_lengths_in_the_file_win_over_the_shipped_and_those_given_over_both(
    table: GeneTable, make_cohort: MakeCohort
) -> None:
    matrix = pd.DataFrame({"TP53": [500.0], "ENSG00000141510.3": [800.0], "B2M": [400.0]}, ["a"])
    own = {"TP53": 1000.0, "ENSG00000141510.3": 4000.0, "B2M": 2000.0}
    cohort = replace(make_cohort(matrix, ExpressionUnit.COUNTS), gene_lengths=own)
    harmonised = harmonise_cohort(cohort, table)
    assert linear(harmonised).loc["a"].to_dict() == pytest.approx({"B2M": 200.0, "TP53": 700.0})
    notes = {note.code: in_english(note) for note in harmonised.flags.cohort}
    assert "lengths in the file of the matrix" in notes[Code.COUNTS_CONVERTED]
    given_too = harmonise_cohort(cohort, table, gene_lengths={"TP53": 2000.0, "B2M": 4000.0})
    assert linear(given_too).loc["a"].to_dict() == pytest.approx({"B2M": 100.0, "TP53": 650.0})


def test_lengths_of_other_genes_are_refused(table: GeneTable, make_cohort: MakeCohort) -> None:
    cohort = make_cohort(wide({"a": 10.0}), ExpressionUnit.COUNTS)
    with pytest.raises(MatrixInvalidError, match="1 genes have a length, 200 needed; give lengths of these"):
        harmonise_cohort(cohort, table, gene_lengths={"TP53": 9.0, "G1": 9.0}, min_genes=200)
    with pytest.raises(MatrixInvalidError, match="8000 genes recognised, 9000 needed; name rows"):
        harmonise_cohort(cohort, table, min_genes=9000)


def test_lengths_of_every_sample_make_the_tpm_of_that_sample(
    table: GeneTable, make_cohort: MakeCohort, tmp_path: Path
) -> None:
    path = tmp_path / "salmon.merged.gene_lengths.tsv"
    genes = [*WIDE, "TP53"]
    own = {sample: np.linspace(start, 3000.0, len(genes)) for sample, start in (("b", 200.0), ("a", 900.0))}
    pd.DataFrame({"gene_id": genes, "gene_name": genes, **own}).to_csv(path, sep="\t", index=False)
    lengths = read_gene_lengths(path, table)
    matrix = wide({"a": 10.0, "b": 30.0}).assign(TP53=4000.0)
    both = harmonise_cohort(make_cohort(matrix, ExpressionUnit.COUNTS), table, gene_lengths=lengths)
    for at, sample in enumerate(matrix.index):
        alone = harmonise_cohort(
            make_cohort(matrix.loc[[sample]], ExpressionUnit.COUNTS),
            table,
            gene_lengths=dict(zip(genes, own[sample], strict=True)),
        )
        assert both.source.block(at, at + 1).tobytes() == alone.source.block(0, 1).tobytes()
        assert both.reads_per_tpm is not None
        assert alone.reads_per_tpm is not None
        assert both.reads_per_tpm[at] == alone.reads_per_tpm[0]
    with pytest.raises(MatrixInvalidError, match="no gene lengths for samples 'c'"):
        harmonise_cohort(
            make_cohort(wide({"a": 1.0, "c": 2.0}), ExpressionUnit.COUNTS), table, gene_lengths=lengths
        )


def test_counts_of_the_reference_tumours_match_it_without_lengths(
    demo: Profiles, demo_counts: pd.DataFrame, make_cohort: MakeCohort
) -> None:
    shipped = es.profile(make_cohort(demo_counts, ExpressionUnit.COUNTS)).to_frame()
    given, index = demo.to_frame(), "immunoresistance_index"
    assert shipped["status"].tolist() == given["status"].tolist()
    assert "reference-matched" in shipped["status"].tolist()
    assert (shipped[index] - given[index]).abs().max() < 0.5


def test_lengths_are_not_used_for_other_units(table: GeneTable, make_cohort: MakeCohort) -> None:
    matrix = pd.DataFrame({"TP53": [5.0], "VSIR": [4.0]}, ["a"])
    cohort = harmonise_cohort(make_cohort(matrix), table, gene_lengths={"TP53": 10.0})
    assert linear(cohort).loc["a"].to_dict() == pytest.approx({"TP53": 5.0, "VSIR": 4.0})


def test_names_that_did_not_stay_are_listed_in_the_order_of_the_file(
    table: GeneTable, make_cohort: MakeCohort
) -> None:
    names = ["NOBODY", "1-Mar", "tp53", "MARCH1", "B2M"]
    cohort = harmonise_cohort(make_cohort(pd.DataFrame([[1.0, 2, 3, 4, 5]], ["a"], names)), table)
    assert [(c.given, c.gene_symbol) for c in cohort.gene_changes] == [
        ("NOBODY", ""),
        ("1-Mar", ""),
        ("tp53", "TP53"),
        ("MARCH1", "MARCHF1"),
    ]
    assert {Code.EXCEL_GENE_DATES, Code.GENE_CASE_CHANGED, Code.RENAMED_SYMBOLS} <= flags_of(cohort)


def test_long_lists_of_names_are_cut(table: GeneTable, make_cohort: MakeCohort) -> None:
    names = [name.lower() for name in WIDE[:9]]
    cohort = harmonise_cohort(make_cohort(pd.DataFrame([[1.0, 2, 3, 4, 5, 6, 7, 8, 9]], ["a"], names)), table)
    sentence = next(in_english(n) for n in cohort.flags.cohort if n.code is Code.GENE_CASE_CHANGED)
    assert sentence == "Names matched in another case (9): g0, g1, g2, g3, g4 and 4 more."


def test_too_few_genes_stop_and_name_the_file(table: GeneTable, make_cohort: MakeCohort) -> None:
    cohort = make_cohort(pd.DataFrame([[1.0, 2.0]], ["a"], ["TP53", "NOBODY"]))
    with pytest.raises(MatrixInvalidError, match=r"^m\.tsv: 1 gene recognised, 2 needed; "):
        harmonise_cohort(replace(cohort, label="m.tsv"), table, min_genes=2)
    with pytest.raises(MatrixInvalidError, match=r"^cohort: "):
        harmonise_cohort(cohort, table, min_genes=2)


def test_flags_of_the_reader_are_kept(table: GeneTable, make_cohort: MakeCohort) -> None:
    cohort = make_cohort(pd.DataFrame([[1.0, 2.0]], ["a"], ["TP53", "B2M"]))
    assert harmonise_cohort(cohort, table).flags.cohort[: len(cohort.flags.cohort)] == cohort.flags.cohort


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([1.0, 1.0], True),
        ([0.0, 0.0], True),
        ([np.nan, np.nan], True),
        ([np.nan, 2.0], True),
        ([1.0, 2.0], False),
    ],
)
def test_is_constant_looks_at_measured_values(row: list[float], expected: bool) -> None:
    assert is_constant(np.array([row])).tolist() == [expected]


@pytest.mark.parametrize("order", ["C", "F"])
def test_row_sums_have_the_same_bits_in_any_layout(order: str) -> None:
    values = np.random.default_rng(1).lognormal(size=(5, 3001))
    values[0, 3] = np.nan
    one_by_one = np.concatenate([row_sums(values[i : i + 1]) for i in range(5)])
    laid_out = np.asfortranarray(values) if order == "F" else values
    assert row_sums(laid_out).tobytes() == one_by_one.tobytes()


@pytest.mark.parametrize(
    ("names", "flag"),
    [
        (("ENSG00000166710", "HLA-A", "HLA-B"), Code.MIXED_GENE_IDS),
        (("xq-1", "xq-2", "xq-3", "HLA-A"), Code.GENE_IDS_SUSPECT),
    ],
)
def test_gene_flags_of_odd_names(names: tuple[str, ...], flag: Code) -> None:
    flags = {note.code for note in gene_flags(load_gene_table().map_genes(names)).cohort}
    assert flag in flags
    assert flag not in {note.code for note in gene_flags(load_gene_table().map_genes(("HLA-A",) * 3)).cohort}


def test_reads_per_tpm_are_counts_over_what_they_became(table: GeneTable, make_cohort: MakeCohort) -> None:
    """Genes of usual length have as many reads as TPM times reads per TPM; genes nobody knows add nothing."""
    counts = wide({"a": 50.0, "b": 700.0}).round().assign(TP53=[4000.0, 9.0], NOBODY=[1e6, 2e6])
    harmonised = harmonise_cohort(make_cohort(counts, ExpressionUnit.COUNTS), table)
    assert harmonised.reads_per_tpm is not None
    reads = linear(harmonised)[WIDE].mul(harmonised.reads_per_tpm, axis=0)
    np.testing.assert_allclose(reads, counts[WIDE], rtol=1e-9)


@pytest.mark.parametrize("unit", [ExpressionUnit.TPM, ExpressionUnit.COUNTS])
def test_reads_per_tpm_are_not_known_of_a_panel_or_another_unit(
    unit: ExpressionUnit, table: GeneTable, make_cohort: MakeCohort
) -> None:
    matrix = wide({"a": 50.0, "b": 70.0}).round()
    panel = matrix if unit is ExpressionUnit.TPM else matrix.iloc[:, :100]
    assert harmonise_cohort(make_cohort(panel, unit), table).reads_per_tpm is None
