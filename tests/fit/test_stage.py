"""A fitted reference: what it restores, what it refuses, and on what it does not depend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from escape_score.errors import ReferenceUnfittableError
from escape_score.fit.stage import leave_one_out_medians
from escape_score.library.axes import load_design
from escape_score.model.cohort import HarmonisedCohort, InMemoryMatrix
from escape_score.model.notes import Code, NoteLog, note
from escape_score.model.profiles import CohortProfiles
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.pipeline.profiles import in_english
from escape_score.pipeline.profiling import profile_scores, score
from escape_score.pipeline.references import fit_on_cohort
from escape_score.profile import build_context, profile_cohort
from escape_score.reference.read import load_reference
from escape_score.reference.write import render_tables
from escape_score.score import score_signatures

Take = Callable[..., HarmonisedCohort]
Fit = Callable[..., Reference]
Change = Callable[..., HarmonisedCohort]
AXES = ("effector_absence", "stroma", "exhaustion", "suppressive", "mhc1_loss", "hypoxia_glycolysis")


def component_scores(cohort: HarmonisedCohort, reference: Reference) -> SignatureScores:
    design = load_design()
    return score_signatures(cohort, design.signatures, reference, design=design)


def profiles_of(cohort: HarmonisedCohort, reference: Reference) -> CohortProfiles:
    return profile_cohort(build_context(component_scores(cohort, reference), reference, load_design()))


def scores_of(cohort: HarmonisedCohort, reference: Reference) -> pd.DataFrame:
    profiles = profiles_of(cohort, reference)
    return pd.DataFrame({name: profiles.axis(name).score for name in AXES})


def flags_of(cohort: HarmonisedCohort, reference: Reference) -> dict[Code, str]:
    scores = score(cohort, reference)
    maker = profile_scores(scores, reference).maker
    return {note.code: in_english(note) for note in maker.flags.cohort}


def offsets(cohort: HarmonisedCohort, sd: float, seed: int = 1) -> pd.Series:
    """What another pipeline does: each gene by a factor of its own."""
    rng = np.random.default_rng(seed)
    return pd.Series(rng.normal(0, sd, len(cohort.gene_symbols)), list(cohort.gene_symbols))


def test_fit_on_tumours_of_the_shipped_reference_is_near_it(sixty: HarmonisedCohort, fit: Fit) -> None:
    fitted, shipped = fit(sixty), load_reference()
    assert fitted.n_samples == 60
    assert fitted.untrusted_genes == {}
    assert fitted.distributions.sample_ids == tuple(sorted(sixty.sample_ids))
    index = {symbol: i for i, symbol in enumerate(shipped.genes.symbols)}
    rows = [index[symbol] for symbol in fitted.genes.symbols]
    expressed = shipped.genes.location[rows] > 3
    gap = fitted.genes.location[expressed] - shipped.genes.location[rows][expressed]
    assert np.median(np.abs(gap)) < 0.2
    assert fitted.anchor_distance == pytest.approx(shipped.anchor_distance, abs=0.1)
    assert set(fitted.term_stats) == set(shipped.term_stats)
    assert set(fitted.weakest_links) == set(shipped.weakest_links)
    for name, slope in fitted.slopes.items():
        assert slope == pytest.approx(shipped.slopes[name], rel=0.35)


def test_fit_restores_the_scores_of_a_shifted_pipeline(
    sixty: HarmonisedCohort, fit: Fit, change: Change, take: Take
) -> None:
    own, new = range(0, 60, 2), range(1, 60, 2)
    shifted = change(sixty, offsets(sixty, 1.2))
    truth = scores_of(take(sixty, new), fit(take(sixty, own)))
    restored = scores_of(take(shifted, new), fit(take(shifted, own)))
    misread = scores_of(take(shifted, new), load_reference())
    assert (restored - truth).abs().median().max() < 0.25
    assert (misread - truth).abs().median().max() > 0.7
    assert all(restored[name].corr(truth[name], method="spearman") > 0.9 for name in AXES)


def test_fit_makes_new_samples_of_its_own_pipeline_good(
    sixty: HarmonisedCohort, fit: Fit, change: Change, take: Take
) -> None:
    shifted = change(sixty, offsets(sixty, 1.2))
    new = take(shifted, range(20, 60))
    assert set(profiles_of(new, load_reference()).match) == {"poor"}
    match = profiles_of(new, fit(take(shifted, range(20)))).match
    assert np.mean(match == "good") > 0.9


def test_absolute_intervals_hold_what_few_tumours_leave_open(
    sixty: HarmonisedCohort, fit: Fit, take: Take
) -> None:
    whole, shifts, widened = profiles_of(sixty, fit(sixty)), [], []
    for seed in range(4):
        reference = fit(take(sixty, np.random.default_rng(seed).permutation(60)[:15]))
        found = profiles_of(sixty, reference)
        error = np.sqrt(reference.location_variance * (1 - 15 / 60))
        for axis, there in zip(found.axes, whole.axes, strict=True):
            if not np.isnan(axis.bounds.low).all():
                shifts.append(np.nanmedian(axis.score - there.score) / error)
                half, within = axis.bounds.high - axis.score, axis.bounds.high_within - axis.score
                widened.append(np.nanmin(half**2 - within**2) / (1.6449**2 * reference.location_variance))
    assert min(widened) > 0.999
    # 0.67 for a normal error; the bundled tumours are half MSI-like, which two-peaked axes show
    assert 0.3 < np.median(np.abs(shifts)) < 1.1


@settings(max_examples=3)
@given(seed=st.integers(0, 2**16))
def test_fit_does_not_depend_on_the_order_of_samples_and_genes(
    sixty: HarmonisedCohort, take: Take, fit: Fit, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.arange(12), np.arange(len(sixty.gene_symbols))
    there = render_tables(fit(take(sixty, rows)))
    assert render_tables(fit(take(sixty, rng.permutation(rows), rng.permutation(columns)))) == there


def test_fit_does_not_depend_on_the_size_of_its_slices(
    sixty: HarmonisedCohort, take: Take, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    twelve = take(sixty, range(12))
    whole = render_tables(fit(twelve))
    monkeypatch.setattr("escape_score.fit.genes.MAX_CELLS", 30_000)
    assert render_tables(fit(twelve)) == whole


def own(cohort: HarmonisedCohort) -> Reference:
    """A cohort as its own reference."""
    return fit_on_cohort(cohort, load_reference(), rows=range(len(cohort.sample_ids)))


@pytest.mark.parametrize(("n", "is_cohort"), [(9, False), (19, True)])
def test_fit_refuses_too_few_samples(
    n: int, *, is_cohort: bool, sixty: HarmonisedCohort, take: Take, fit: Fit
) -> None:
    cohort = take(sixty, range(n))
    with pytest.raises(
        ReferenceUnfittableError, match=f"m.tsv: {n} samples can be placed, .* needs {n + 1}; "
    ):
        (own if is_cohort else fit)(replace(cohort, label="m.tsv"))


def test_fit_leaves_out_samples_without_values(sixty: HarmonisedCohort, take: Take, fit: Fit) -> None:
    eleven = take(sixty, range(11))
    values = eleven.source.block(0, 11).copy()
    values[3] = np.nan
    broken = replace(eleven, source=InMemoryMatrix(eleven.sample_ids, eleven.gene_symbols, values))
    fitted = fit(broken)
    assert fitted.n_samples == 10
    assert eleven.sample_ids[3] not in fitted.distributions.sample_ids
    rest = [row for row in range(11) if row != 3]
    assert render_tables(fitted) == render_tables(fit(take(sixty, rest)))


def test_fit_leaves_out_samples_whose_low_values_were_lifted(sixty: HarmonisedCohort, fit: Fit) -> None:
    lifted = sixty.sample_ids[:20]
    flags = NoteLog(by_sample=tuple((one, note(Code.FLOOR_SUSPECT, "silent", level=1.0)) for one in lifted))
    assert fit(replace(sixty, flags=flags)).n_samples == len(sixty.sample_ids) - 20


def test_fit_leaves_out_genes_that_the_pipeline_does_not_count(
    sixty: HarmonisedCohort, fit: Fit, change: Change
) -> None:
    faulty = change(sixty, pd.Series({"HLA-A": -6.0, "COL1A1": -40.0}))
    fitted = fit(faulty)
    assert sorted(fitted.untrusted_genes) == ["COL1A1", "HLA-A"]
    assert not {"COL1A1", "HLA-A"} & set(fitted.genes.symbols)
    assert "HLA-A" not in fitted.weakest_links
    flags = flags_of(faulty, fitted)
    assert "HLA-A" in flags[Code.HLA_UNQUANTIFIED]
    assert "COL1A1" in flags[Code.GENE_ZERO_IN_ALL]


def test_cohort_wide_faults_change_no_number_of_the_shipped_reference(
    sixty: HarmonisedCohort, change: Change, take: Take
) -> None:
    faulty = change(sixty, pd.Series({"HLA-A": -6.0}))
    shipped = load_reference()
    assert "HLA-A" in flags_of(faulty, shipped)[Code.HLA_UNQUANTIFIED]
    assert Code.HLA_UNQUANTIFIED not in flags_of(sixty, shipped)
    assert Code.HLA_UNQUANTIFIED not in flags_of(take(faulty, range(7)), shipped)
    together, alone = scores_of(faulty, shipped), scores_of(take(faulty, [5]), shipped)
    np.testing.assert_allclose(together.iloc[5], alone.iloc[0], atol=1e-12)


def test_fit_keeps_seeing_an_under_quantified_locus(
    sixty: HarmonisedCohort, fit: Fit, change: Change
) -> None:
    locus = [*load_design().locus_genes, *load_design().control_genes]
    faulty = change(sixty, pd.Series(-5.0, locus))
    fitted, shipped = fit(faulty), load_reference()
    at = dict(zip(fitted.genes.symbols, fitted.genes.location, strict=True))
    was = dict(zip(shipped.genes.symbols, shipped.genes.location, strict=True))
    assert {gene: at[gene] for gene in locus if gene in at} == {
        gene: was[gene] for gene in locus if gene in at
    }
    assert fitted.untrusted_genes == {}
    assert component_scores(faulty, fitted).placement.is_mhc_locus_unquantified.all()


def test_fit_on_a_panel_has_the_panel_alone(sixty: HarmonisedCohort, take: Take, fit: Fit) -> None:
    genes = load_reference().genes
    anchors = {s for s, yes in zip(genes.symbols, genes.is_anchor, strict=True) if yes}
    used = load_design().genes
    kept = [i for i, s in enumerate(sixty.gene_symbols) if s in used or (s in anchors and i % 20 == 0)]
    panel = take(sixty, range(20), kept)
    fitted = fit(panel)
    assert set(fitted.genes.symbols) <= set(panel.gene_symbols)
    on_panel, whole = scores_of(panel, fitted), scores_of(panel, load_reference())
    assert (on_panel.notna() | whole.isna()).to_numpy().all()


def test_cohort_as_its_own_reference_is_centred_and_says_so(sixty: HarmonisedCohort) -> None:
    fitted = own(sixty)
    assert fitted.name == "cohort"
    profiles = profiles_of(sixty, fitted)
    for name in AXES:
        scores = profiles.axis(name).score
        assert abs(np.nanmedian(scores)) < 0.15
        n_known = int((~np.isnan(scores)).sum())
        assert n_known > 40
        assert set(profiles.axis(name).percentile_n[~np.isnan(scores)]) == {n_known - 1}
    maker = profile_scores(score(sixty, fitted), fitted).maker
    record = maker.record(0).reference
    assert record.is_cohort
    assert record.is_sample_in_reference
    assert "depend on the others" in record.description


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(2, 9), st.integers(1, 4)),
        elements=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-5, 5)),
    )
)
def test_leave_one_out_medians_are_medians_of_the_others(values: np.ndarray) -> None:
    expected = [np.median(np.delete(values, row, axis=0), axis=0) for row in range(len(values))]
    np.testing.assert_allclose(leave_one_out_medians(values), expected, atol=1e-12)


def test_leave_one_out_medians_leave_gaps_out() -> None:
    values = np.array([[1.0, np.nan, 4.0], [2.0, 5.0, np.nan], [9.0, 6.0, np.nan]])
    expected = [[5.5, 5.5, np.nan], [5.0, 6.0, 4.0], [1.5, 5.0, 4.0]]
    np.testing.assert_array_equal(leave_one_out_medians(values), expected)
