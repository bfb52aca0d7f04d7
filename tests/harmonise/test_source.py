"""Some genes of a harmonised cohort are those genes of all of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.genes import load_gene_table
from escape_score.harmonise import harmonise_cohort
from escape_score.model.cohort import Cohort, narrowed
from escape_score.model.units import ExpressionUnit

MakeCohort = Callable[..., Cohort]
GENES = ["CD8A", "PRF1", "IL8", "CXCL8", "GZMA", "HLA-A", "B2M", "no gene"]


@given(
    seed=st.integers(0, 100),
    unit=st.sampled_from([ExpressionUnit.TPM, ExpressionUnit.COUNTS, ExpressionUnit.LOG2_PLUS_1]),
    missing=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 7)), max_size=8),
)
def test_narrowed_source_hands_out_the_same_bits(
    seed: int, unit: ExpressionUnit, missing: set[tuple[int, int]], make_cohort: MakeCohort
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 12, (5, len(GENES))).astype(float)
    for at in missing:
        values[at] = np.nan
    values[0] = 3.0
    matrix = pd.DataFrame(values, [f"s{i}" for i in range(5)], GENES)
    harmonised = harmonise_cohort(make_cohort(matrix, unit), load_gene_table())
    chosen = list(harmonised.gene_symbols[::-2])
    whole = harmonised.source.block(0, 5)
    some = narrowed(harmonised.source, chosen).block(0, 5)
    columns = [harmonised.gene_symbols.index(symbol) for symbol in chosen]
    assert some.tobytes() == np.ascontiguousarray(whole[:, columns]).tobytes()
    assert np.isnan(some[0]).all()


PAIRS = {
    "the same name": ("CD8A", "CD8A"),
    "blanks": ("CD8A", " CD8A "),
    "old name twice": ("IL8", "IL8"),
    "Entrez": ("3576", "3576"),
    "pseudoautosomal": ("ENSG00000182378.14", "ENSG00000182378.14_PAR_Y"),
    "older pseudoautosomal": ("ENSG00000182378.10", "ENSGR0000182378.10"),
    "alternate contig": ("ENSG00000206503", "ENSG00000235657"),
    "symbol and id": ("B2M", "ENSG00000166710.22"),
    "unknown": ("no gene", "no gene"),
}
"""Names by which files hold one gene, or one unknown row, twice."""

UNITS = [
    ExpressionUnit.TPM,
    ExpressionUnit.COUNTS,
    ExpressionUnit.LOG2_PLUS_1,
    ExpressionUnit.LOG2_PLUS_0001,
    ExpressionUnit.ARRAY,
]


def whole_transcriptome(seed: int, names: list[str]) -> pd.DataFrame:
    """Five samples over the names given and 8,200 other genes, at levels that fit all units."""
    others = [gene for gene in sorted(load_gene_table().ensembl)[:8_200] if gene not in names]
    values = np.random.default_rng(seed).integers(0, 12, (5, len(names) + len(others))).astype(float)
    return pd.DataFrame(values, [f"s{i}" for i in range(5)], [*names, *others])


def converted(matrix: pd.DataFrame, unit: ExpressionUnit, make_cohort: MakeCohort) -> pd.DataFrame:
    found = harmonise_cohort(make_cohort(matrix, unit), load_gene_table())
    values = found.source.block(0, len(matrix))
    return pd.DataFrame(values, found.sample_ids, found.gene_symbols)


@pytest.mark.parametrize("names", PAIRS.values(), ids=PAIRS)
def test_copies_of_a_row_count_once(names: tuple[str, str], make_cohort: MakeCohort) -> None:
    once = whole_transcriptome(1, [names[0]])
    copy = once[[names[0]]].set_axis([names[1]], axis=1)
    expected = converted(once, ExpressionUnit.TPM, make_cohort)
    for parts in ([once, copy], [copy, once, copy]):
        found = converted(pd.concat(parts, axis=1), ExpressionUnit.TPM, make_cohort)
        pd.testing.assert_frame_equal(found.T, expected.T, rtol=1e-12)


@pytest.mark.parametrize("unit", UNITS)
def test_a_join_that_repeats_every_row_changes_nothing(unit: ExpressionUnit, make_cohort: MakeCohort) -> None:
    once = whole_transcriptome(2, ["CD8A", "no gene"])
    twice = pd.concat([once, once.iloc[:, ::-1]], axis=1)
    expected = converted(once, unit, make_cohort)
    pd.testing.assert_frame_equal(converted(twice, unit, make_cohort).T, expected.T, rtol=1e-12)


@pytest.mark.parametrize("unit", UNITS)
def test_rows_with_other_values_are_parts_of_the_gene(unit: ExpressionUnit, make_cohort: MakeCohort) -> None:
    matrix = whole_transcriptome(3, ["CD8A", "IL8", "CXCL8", "CXCL8"])
    # the two of CXCL8 are one record, IL8 was another before it was merged
    matrix.iloc[:, :4] = [[7.0, 4.0, 3.0, 4.0]] * 3 + [[7.0, 4.0, 3.0, 3.0]] * 2
    summed = {"s0": [4.0, 3.0, 4.0], "s3": [4.0, 3.0]}
    linear: dict[ExpressionUnit, Callable[[float], float]] = {
        ExpressionUnit.LOG2_PLUS_1: lambda x: 2.0**x - 1,
        ExpressionUnit.LOG2_PLUS_0001: lambda x: 2.0**x - 0.001,
        ExpressionUnit.ARRAY: lambda x: 2.0**x,
    }
    found = converted(matrix, unit, make_cohort)
    ratios = (np.exp2(found["CXCL8"]) - 1) / (np.exp2(found["CD8A"]) - 1)
    lengths = load_gene_table().length_bp(["CD8A", "CXCL8"])
    per_length = float(lengths[0] / lengths[1]) if unit is ExpressionUnit.COUNTS else 1.0
    for sample, values in summed.items():
        one, *parts = (linear.get(unit, float)(value) for value in (7.0, *values))
        assert ratios[sample] == pytest.approx(sum(parts) / one * per_length)


@pytest.mark.parametrize("unit", UNITS)
def test_copies_are_decided_in_each_sample_alone(unit: ExpressionUnit, make_cohort: MakeCohort) -> None:
    matrix = whole_transcriptome(4, ["CD8A", "CD8A", "CD8A", "IL8", "CXCL8", "no gene", "no gene"])
    whole = converted(matrix, unit, make_cohort)
    shuffled = converted(
        matrix.iloc[:, np.random.default_rng(0).permutation(matrix.shape[1])], unit, make_cohort
    )
    for sample in matrix.index:
        alone = converted(matrix.loc[[sample]], unit, make_cohort)
        assert alone.to_numpy().tobytes() == whole.loc[[sample]].to_numpy().tobytes()
    pd.testing.assert_frame_equal(shuffled.T, whole.T, rtol=1e-12)
