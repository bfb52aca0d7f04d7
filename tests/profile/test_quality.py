"""What a cohort shares is flagged, and changes no number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import escape_score as es
from escape_score.library.axes import load_design
from escape_score.model.cohort import Cohort
from escape_score.model.notes import Code
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.reference.read import load_reference

MakeCohort = Callable[..., Cohort]
RunEngine = Callable[..., Profiles]


def sentences(result: Profiles, flag: Code) -> list[str]:
    return [in_english(note) for note in result.maker.flags.cohort if note.code is flag]


def own_flags(result: Profiles, flag: Code) -> set[str]:
    return {sample_id for sample_id, note in result.maker.flags.by_sample if note.code is flag}


def lower(table: pd.DataFrame, genes: list[str], factor: float, n: int) -> pd.DataFrame:
    """The first n samples with genes turned down."""
    out = table.copy()
    there = [gene for gene in genes if gene in out]
    out.loc[out.index[:n], there] *= factor
    return out


def locus() -> list[str]:
    return [*load_design().locus_genes, *load_design().control_genes]


@pytest.mark.parametrize(("n", "is_for_all"), [(0, False), (2, False), (3, True), (7, True), (8, False)])
def test_locus_lost_in_many_samples_is_flagged_for_all(
    n: int, *, is_for_all: bool, demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    result = run_engine(make_cohort(lower(demo_tpm, locus(), 0.02, n)))
    assert len(own_flags(result, Code.MHC_LOCUS_UNQUANTIFIED)) == n
    found = sentences(result, Code.MHC_LOCUS_UNQUANTIFIED)
    assert bool(found) is is_for_all
    assert all(f"in {n} of 8 samples" in sentence for sentence in found)


def test_locus_lost_on_a_panel_without_controls_is_seen_by_its_partners(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    panel = demo_tpm.drop(columns=set(load_design().control_genes) & set(demo_tpm))
    region = list(load_design().locus_genes)
    result = run_engine(make_cohort(lower(panel, region, 0.01, 3)))
    assert own_flags(result, Code.MHC_LOCUS_UNQUANTIFIED) == set(demo_tpm.index[:3])
    assert sentences(result, Code.MHC_LOCUS_UNQUANTIFIED)


def test_gene_near_zero_in_nearly_all_is_flagged_and_changes_nothing(
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Callable[[Profiles], pd.DataFrame],
) -> None:
    many = pd.concat([demo_tpm] * 3, ignore_index=True)
    many.index = pd.Index([f"s{i}" for i in range(len(many))])
    faulty = lower(many, ["COL1A1", "CD74"], 1e-9, len(many) - 1)
    result = run_engine(make_cohort(faulty))
    assert any("COL1A1" in s for s in sentences(result, Code.GENE_ZERO_IN_ALL))
    assert any("CD74" in s for s in sentences(result, Code.HLA_UNQUANTIFIED))
    half = run_engine(make_cohort(lower(many, ["COL1A1"], 1e-9, len(many) // 2)))
    assert sentences(half, Code.GENE_ZERO_IN_ALL) == []
    alone = run_engine(make_cohort(faulty.iloc[:1]))
    pd.testing.assert_frame_equal(numbers(result).iloc[:1], numbers(alone), check_exact=False, atol=1e-9)


def test_class_1_gene_below_its_siblings_needs_a_cohort(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    faulty = lower(demo_tpm, ["HLA-B"], 0.02, len(demo_tpm))
    assert any("HLA-B" in s for s in sentences(run_engine(make_cohort(faulty)), Code.HLA_UNQUANTIFIED))
    few = run_engine(make_cohort(faulty.iloc[:7]))
    assert sentences(few, Code.HLA_UNQUANTIFIED) == []
    assert sentences(few, Code.COHORT_TOO_SMALL)


def test_a_weakest_link_off_the_reference_does_not_lack_genes(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    """A pipeline shifts every gene by its own amount: single genes have no baseline, though measured."""
    shifts = np.random.default_rng(1).normal(0.0, 2.0, demo_tpm.shape[1])
    far = run_engine(make_cohort(demo_tpm * np.exp2(shifts)))
    assert np.isnan(far.profiles.axis("mhc1_weakest_link").score).all()
    assert not any("mhc1_weakest_link" in s for s in sentences(far, Code.KEY_GENES_MISSING))
    chain = list(load_design().components["weakest_link_mhc1"])
    without = run_engine(make_cohort(demo_tpm.drop(columns=chain)))
    assert any("mhc1_weakest_link" in s for s in sentences(without, Code.KEY_GENES_MISSING))


def test_axes_with_few_of_their_genes_are_named(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    genes = load_design().components["lipid"]
    everywhere = run_engine(make_cohort(demo_tpm.drop(columns=list(genes[:5]))))
    assert any(
        "Scored with less than 60% of their genes" in s and "lipid" in s
        for s in sentences(everywhere, Code.KEY_GENES_MISSING)
    )
    single = demo_tpm.copy()
    single.loc[single.index[2], list(genes[:5])] = np.nan
    result = run_engine(make_cohort(single))
    assert own_flags(result, Code.KEY_GENES_MISSING) == {demo_tpm.index[2]}
    assert sentences(result, Code.KEY_GENES_MISSING) == []


def test_whole_cohort_without_faults_has_no_such_flag(demo: Profiles) -> None:
    for flag in (
        Code.HLA_UNQUANTIFIED,
        Code.GENE_ZERO_IN_ALL,
        Code.MHC_LOCUS_UNQUANTIFIED,
        Code.COHORT_TOO_SMALL,
    ):
        assert sentences(demo, flag) == []
    assert demo.reference.n_samples == load_reference().n_samples


def test_pure_leukocytes_are_no_tumour(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    genes = [gene for gene in load_design().components["leukocyte"] if gene in demo_tpm]
    hot = demo_tpm.copy()
    hot.loc[hot.index[0], genes] = 2000.0
    result = run_engine(make_cohort(hot))
    assert own_flags(result, Code.IMPLAUSIBLE_PROFILE) == {demo_tpm.index[0]}


def test_lifted_low_values_withhold_levels_of_their_sample_alone(demo_tpm: pd.DataFrame) -> None:
    logs = pd.DataFrame(np.log2(demo_tpm.to_numpy() + 1), demo_tpm.index, demo_tpm.columns)
    logs.iloc[3] = np.log2(demo_tpm.iloc[3] + 8)
    result = es.profile(es.from_dataframe(logs, units="log2(x+1)"))
    table, lifted = result.to_frame(), logs.index[3]
    others = table.drop(index=lifted)
    calls = [column for column in map(str, table) if column.endswith("_call")]
    assert table.loc[lifted, "status"] == "provisional"
    assert set(table.loc[lifted, calls].dropna()) <= {"not_evaluable", ""}
    assert set(others["status"]) == {"reference-matched"}
    assert (others[calls] == "not_detected").any(axis=None)
    assert own_flags(result, Code.FLOOR_SUSPECT) == {lifted}
    assert sentences(result, Code.REFERENCE_DISTANT) == []


@pytest.mark.parametrize("gone", [["B2M"], ["HLA-A", "HLA-B", "HLA-C"], ["B2M", "HLA-A", "HLA-B", "HLA-C"]])
@pytest.mark.parametrize("how", ["no row", "missing"])
def test_class_1_without_a_part_of_its_molecule_is_not_evaluable(
    gone: list[str], how: str, demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    table = demo_tpm.drop(columns=gone) if how == "no row" else demo_tpm.assign(**dict.fromkeys(gone, np.nan))
    result = run_engine(make_cohort(table))
    for name in ("mhc1_loss", "mhc1_weakest_link"):
        axis = result.profiles.axis(name)
        assert np.isnan(axis.score).all()
        assert set(axis.call) == {"not_evaluable"}
        record = next(one for one in result.maker.record(0).axes if one.axis == name)
        assert record.call_reason.params["kind"] == "no_molecule"
    assert own_flags(result, Code.HLA_UNQUANTIFIED) == set(table.index)
    other = result.profiles.axis("stroma").score
    np.testing.assert_allclose(
        other, run_engine(make_cohort(demo_tpm)).profiles.axis("stroma").score, atol=1e-2
    )


@pytest.mark.parametrize("gone", [["HLA-A"], ["HLA-A", "HLA-B"], ["TAP1"], ["NLRC5", "PSMB8"]])
def test_class_1_is_judged_where_its_molecule_is_measured(
    gone: list[str], demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    axis = run_engine(make_cohort(demo_tpm.drop(columns=gone))).profiles.axis("mhc1_loss")
    assert not np.isnan(axis.score).any()


def test_a_term_without_its_genes_is_missing_in_the_coverage(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    gone = [gene for gene in load_design().components["tgfb"] if gene in demo_tpm]
    result = run_engine(make_cohort(demo_tpm.drop(columns=gone)))
    for name in ("stroma", "exclusion"):
        is_known = ~np.isnan(result.profiles.axis(name).score)
        assert is_known.sum() > 4
        np.testing.assert_allclose(result.profiles.axis(name).coverage[is_known], 0.5)
    by_sample = [
        in_english(one) for _, one in result.maker.flags.by_sample if one.code is Code.KEY_GENES_MISSING
    ]
    assert any("exclusion" in one for one in (*sentences(result, Code.KEY_GENES_MISSING), *by_sample))


def test_a_denominator_counts_in_the_coverage_by_its_weight(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    gone = [gene for gene in load_design().components["tcell"] if gene in demo_tpm][:2]
    result = run_engine(make_cohort(demo_tpm.drop(columns=gone)))
    slope = load_reference().slopes["coinhibition_per_tcell"]
    lost = len(gone) / len(load_design().components["tcell"])
    expected = (1 + slope * (1 - lost)) / (1 + slope)
    np.testing.assert_allclose(result.profiles.axis("coinhibition").coverage, expected)
