"""Published scores of a cohort: what its expression offers, and reasons in the records."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from escape_score.harmonise import harmonise
from escape_score.model.cohort import Cohort
from escape_score.model.scores import MethodTable
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.pipeline.profiling import score
from escape_score.reference.read import load_reference
from escape_score.score.published.model import ScoreNeeds, load_published
from escape_score.score.published.scoring import offers_of

MakeCohort = Callable[..., Cohort]


def published(cohort: Cohort) -> MethodTable:
    harmonised = harmonise(cohort)
    scores = score(harmonised, load_reference())
    return scores.beside[0]


@pytest.mark.parametrize(
    ("unit", "n_genes", "expected"),
    [
        (ExpressionUnit.TPM, 9000, set(ScoreNeeds)),
        (ExpressionUnit.TPM, 2000, set(ScoreNeeds) - {ScoreNeeds.TPM}),
        (ExpressionUnit.ARRAY, 9000, {ScoreNeeds.LOG_SCALE, ScoreNeeds.SAMPLE_ORDER}),
        (ExpressionUnit.NANOSTRING, 700, {ScoreNeeds.LOG_SCALE, ScoreNeeds.SAMPLE_ORDER}),
    ],
)
def test_offers_of_says_what_expression_is(
    unit: ExpressionUnit,
    n_genes: int,
    expected: set[ScoreNeeds],
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
) -> None:
    cohort = make_cohort(demo_tpm.iloc[:, :n_genes], unit)
    harmonised = harmonise(cohort)
    assert set(offers_of(harmonised)) == expected


def test_a_panel_has_no_score_on_the_scale_of_tpm(demo_tpm: pd.DataFrame, make_cohort: MakeCohort) -> None:
    table = published(make_cohort(demo_tpm.iloc[:, ::10]))
    at = dict(zip(table.score_ids, table.values.T, strict=True))
    assert np.isnan(at["cyt_geometric_mean"]).all()
    assert "whole transcriptome" in in_english(dict(table.skipped)["cyt_geometric_mean"])


@pytest.mark.parametrize("units", [ExpressionUnit.TPM, ExpressionUnit.COUNTS])
def test_a_sample_of_which_most_is_missing_has_no_score_on_the_scale_of_tpm(
    units: ExpressionUnit,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: Callable[..., Profiles],
) -> None:
    genes = {gene for score in load_published().scores for gene in (one.gene_symbol for one in score.genes)}
    faulty = demo_tpm.copy()
    gone = [gene for gene in faulty.columns[2_000:] if gene not in genes]
    faulty.loc[faulty.index[0], gone] = np.nan
    results = [run_engine(make_cohort(table, units)) for table in (faulty, demo_tpm, faulty.iloc[:1])]
    whole, usual, alone = (result.scores.beside[0] for result in results)
    needs_tpm = [load_published().score(name).needs is ScoreNeeds.TPM for name in whole.score_ids]
    assert np.isnan(whole.values[0, needs_tpm]).all()
    assert np.isnan(alone.values[0, needs_tpm]).all()
    np.testing.assert_array_equal(whole.values[1:, needs_tpm], usual.values[1:, needs_tpm])
    cyt = next(one for one in results[0].maker.record(0).published if one.score_id == "cyt_geometric_mean")
    assert cyt.value is None
    assert cyt.reason is not None
    assert "whole transcriptome" in in_english(cyt.reason)


def test_records_hold_a_value_or_a_reason(demo: Profiles) -> None:
    record = next(demo.maker.records())
    assert [score.score_id for score in record.published] == list(demo.scores.beside[0].score_ids)
    by_id = {score.score_id: score for score in record.published}
    assert by_id["cyt_geometric_mean"].value == demo.scores.beside[0].values[0, 0]
    # 8 tumours are too few for scores that compare samples
    assert by_id["davoli_immune"].value is None
    assert by_id["davoli_immune"].reason is not None
    assert "10" in in_english(by_id["davoli_immune"].reason)
    assert all((score.value is None) != (score.reason is None) for score in record.published)
