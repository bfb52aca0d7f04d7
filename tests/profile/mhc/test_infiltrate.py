"""The infiltrate against a slow computation, and what it does to MHC class I."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from escape_score.model.cohort import Cohort
from escape_score.model.notes import Code
from escape_score.model.record import Call
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.mhc.presentation import HALF, Infiltrate, estimate_infiltrate, tumour_ifng

MakeCohort = Callable[..., Cohort]
RunEngine = Callable[..., Profiles]


def test_estimate_infiltrate_agrees_with_a_slow_computation(demo: Profiles) -> None:
    context, genes = demo.maker.context, demo.scores.genes
    found = estimate_infiltrate(demo.scores.genes, demo.reference, context.design)
    for row in range(8):
        levels = dict(zip(genes.gene_symbols, genes.log2_tpm[row].tolist(), strict=True))
        leukocytes = [g for g in context.design.components["leukocyte"] if g in levels]
        unit = math.exp(sum(math.log(2 ** levels[g] - 1 + 0.5) for g in leukocytes) / len(leukocytes))
        fraction = min(0.9, max(0.0, unit / demo.reference.constants.leukocyte_cap_tpm))
        assert found.unit_tpm[row] == pytest.approx(unit, rel=1e-12)
        assert found.fraction[row] == pytest.approx(fraction, abs=1e-12)
    assert not found.is_mhc1_unquantified.any()


def test_tumour_ifng_without_an_infiltrate_is_the_mean_of_the_genes_measured(demo: Profiles) -> None:
    genes, reference = demo.scores.genes, demo.reference
    columns = genes.columns(reference.constants.ifng_per_leukocyte_unit)
    log2_tpm = genes.log2_tpm.copy()
    log2_tpm[:4, columns[0]] = np.nan
    nothing = Infiltrate(np.zeros(8), np.zeros(8), np.zeros(8, dtype=bool))
    thresholds = demo.maker.context.thresholds
    found = tumour_ifng(replace(genes, log2_tpm=log2_tpm), nothing, reference, thresholds)
    z = np.where(np.isnan(log2_tpm), np.nan, genes.z)[:, columns]
    np.testing.assert_allclose(found, np.nanmean(z, axis=1), atol=1e-9)


def test_infiltrate_is_taken_away(
    demo_tpm: pd.DataFrame, demo: Profiles, *, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    """Leukocytes added to a tumour with their own MHC leave its tumour cells where they were."""
    context, reference = demo.maker.context, demo.reference
    leukocytes = list(context.design.components["leukocyte"])
    model, cap = reference.presentation, reference.constants.leukocyte_cap_tpm
    assert model is not None
    per_unit = dict(zip(model.gene_symbols, model.per_leukocyte_unit, strict=True))
    fraction = pd.Series(np.linspace(0.1, 0.3, 8), demo_tpm.index)
    mixed = demo_tpm.mul(1 - fraction, axis=0)
    genes = reference.genes  # anchors are expressed by leukocytes too, so that infiltrate does not move them
    anchors = [s for s, is_anchor in zip(genes.symbols, genes.is_anchor, strict=True) if is_anchor]
    mixed[anchors] = demo_tpm[anchors]
    for gene in leukocytes:
        mixed[gene] += fraction * cap
    factor = context.thresholds.presentation.leukocyte_mhc_factor
    for gene, ratio in per_unit.items():
        mixed[gene] += factor * ratio * fraction * cap
    for gene, ratio in reference.constants.ifng_per_leukocyte_unit.items():
        mixed[gene] += HALF * ratio * fraction * cap  # the interferon response of the tumour stays the same
    before = run_engine(make_cohort(demo_tpm)).profiles
    after = run_engine(make_cohort(mixed)).profiles
    assert (after.leukocyte_fraction > before.leukocyte_fraction).all()
    raw = np.median(before.axis("mhc1_loss").raw - after.axis("mhc1_loss").raw)  # type: ignore[operator]
    adjusted = np.median(before.axis("mhc1_loss").score - after.axis("mhc1_loss").score)
    assert raw > 0.5
    # not nothing: what cannot be seen well any more is also drawn towards the reference's centre
    assert abs(adjusted) < raw / 2


@pytest.mark.parametrize("gene", ["B2M", "HLA-A", "HLA-B", "HLA-C"])
def test_core_gene_at_zero_was_not_quantified_in_that_sample_alone(
    gene: str, demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    dropped = demo_tpm.copy()
    dropped.loc[dropped.index[3], gene] = 0.0
    result = run_engine(make_cohort(dropped))
    for axis in ("mhc1_loss", "mhc1_weakest_link"):
        assert np.isnan(result.profiles.axis(axis).score).tolist() == [i == 3 for i in range(8)]
        assert result.profiles.axis(axis).call[3] == Call.NOT_EVALUABLE
    flagged = [s for s, note in result.maker.flags.by_sample if note.code is Code.HLA_UNQUANTIFIED]
    assert flagged == [dropped.index[3]]


def test_few_leukocyte_genes_give_no_fraction_and_no_shortfall(
    demo: Profiles, demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    leukocytes = list(demo.maker.context.design.components["leukocyte"])
    result = run_engine(make_cohort(demo_tpm.drop(columns=leukocytes[:-3])))
    assert np.isnan(result.profiles.leukocyte_fraction).all()
    assert np.isnan(result.profiles.axis("mhc1_loss").score).all()
    result = run_engine(make_cohort(demo_tpm.drop(columns=leukocytes[:-4])))
    assert np.isfinite(result.profiles.leukocyte_fraction).all()
