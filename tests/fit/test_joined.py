"""Several matrices of one pipeline as one cohort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from escape_score.errors import ReferenceUnfittableError
from escape_score.fit import join_cohorts
from escape_score.model.cohort import HarmonisedCohort
from escape_score.model.notes import Code, note
from escape_score.model.reference import Reference
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.reference.write import render_tables

DECLARED = note(Code.UNIT, "declared", unit="tpm", figures="")


Take = Callable[..., HarmonisedCohort]


def with_unit(cohort: HarmonisedCohort, unit: ExpressionUnit) -> HarmonisedCohort:
    return replace(
        cohort,
        unit=UnitDecision(unit, is_declared=True, evidence=DECLARED),
    )


def labelled(parts: list[HarmonisedCohort]) -> list[HarmonisedCohort]:
    return [replace(part, label=f"{name}.tsv") for name, part in zip("ab", parts, strict=True)]


def test_join_cohorts_hands_out_every_block_of_the_whole(sixty: HarmonisedCohort, take: Take) -> None:
    parts = [take(sixty, range(5), range(300)), take(sixty, range(5, 12), range(200, 500))]
    joined = join_cohorts("both", labelled(parts))
    assert joined.sample_ids == sixty.sample_ids[:12]
    assert joined.gene_symbols == tuple(sorted(sixty.gene_symbols[:500]))
    whole = joined.source.block(0, 12)
    place = [joined.gene_symbols.index(symbol) for symbol in sixty.gene_symbols[:500]]
    expected = sixty.source.block(0, 12)[:, :500].copy()
    expected[:5, 300:] = np.nan
    expected[5:, :200] = np.nan
    np.testing.assert_array_equal(whole[:, place], expected)
    for start, stop in ((0, 3), (3, 8), (4, 6), (5, 12), (11, 12)):
        np.testing.assert_array_equal(joined.source.block(start, stop), whole[start:stop])


def test_fit_on_parts_is_the_fit_on_the_whole(
    sixty: HarmonisedCohort, take: Take, fit: Callable[..., Reference]
) -> None:
    parts = [take(sixty, range(7, 12)), take(sixty, range(7))]
    joined = join_cohorts("both", labelled(parts))
    assert render_tables(fit(joined)) == render_tables(fit(take(sixty, range(12))))


def test_join_cohorts_refuses_a_sample_given_twice(sixty: HarmonisedCohort, take: Take) -> None:
    parts = [take(sixty, range(5)), take(sixty, range(4, 9))]
    with pytest.raises(
        ReferenceUnfittableError, match=f"b.tsv: sample {sixty.sample_ids[4]} stands in a.tsv"
    ):
        join_cohorts("both", labelled(parts))


def test_join_cohorts_refuses_a_mix_of_scales_but_not_of_notations(
    sixty: HarmonisedCohort, take: Take
) -> None:
    tpm = with_unit(take(sixty, range(5)), ExpressionUnit.TPM)
    others = take(sixty, range(5, 9))
    logs = with_unit(others, ExpressionUnit.LOG2_PLUS_1)
    assert len(join_cohorts("both", labelled([tpm, logs])).sample_ids) == 9
    for unit in (ExpressionUnit.COUNTS, ExpressionUnit.FPKM, ExpressionUnit.ARRAY):
        with pytest.raises(ReferenceUnfittableError, match=f"b.tsv: values are {unit.value}, those of a.tsv"):
            join_cohorts("both", labelled([tpm, with_unit(others, unit)]))
