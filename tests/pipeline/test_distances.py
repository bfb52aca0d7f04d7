"""How far a cohort is from each reference: the numbers that a profile against that reference has."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import escape_score as es
from escape_score.errors import AnchorsMissingError, InputFaultsError
from escape_score.library.axes import load_design
from escape_score.model.cohort import HarmonisedCohort
from escape_score.model.record import ReferenceMatch
from escape_score.model.reference import Reference
from escape_score.pipeline import choosing
from escape_score.pipeline.distances import (
    CohortDistances,
    ReferenceDistance,
    auto_choice,
    bins_of,
    measure_distances,
)
from escape_score.pipeline.references import fit_on_cohort
from escape_score.profile.archetype import match_of
from escape_score.reference.known import DEFAULT_REFERENCE


def distances(frame: pd.DataFrame, reference: str = DEFAULT_REFERENCE, **sheet: object) -> CohortDistances:
    samples = pd.DataFrame(sheet, frame.index) if sheet else None
    cohort = es.from_dataframe(frame, units="tpm", samples=samples)
    return measure_distances(lambda: cohort, reference)


def far_from_all(tpm: pd.DataFrame, n: int) -> pd.DataFrame:
    """Tumours of another pipeline, each somewhat different."""
    rng = np.random.default_rng(3)
    pipeline = np.exp2(rng.normal(0, 1.4, tpm.shape[1]))
    own = np.exp2(rng.normal(0, 0.3, (n, tpm.shape[1])))
    values = tpm.to_numpy()[np.arange(n) % len(tpm)] * pipeline * own
    return pd.DataFrame(values, [f"s{i}" for i in range(n)], tpm.columns)


@pytest.fixture(scope="module")
def found(demo_tpm: pd.DataFrame) -> CohortDistances:
    return distances(demo_tpm, "tcga-stad-v1")


@pytest.mark.parametrize("name", ["tcga-stad-v1", "tcga-uvm-v1"])
def test_distances_and_matches_are_those_of_a_profile(
    name: str, found: CohortDistances, demo_tpm: pd.DataFrame
) -> None:
    (one,) = (one for one in found.ranked if one.name == name)
    result = es.profile(es.from_dataframe(demo_tpm, units="tpm"), reference=name, published=False)
    expected = result.scores.placement.distance
    np.testing.assert_array_equal(one.distance, expected)
    assert list(one.match) == list(result.profiles.match)
    assert one.median == np.median(expected)
    good = np.array([match == "good" for match in result.profiles.match])
    moderate = np.array([match == "moderate" for match in result.profiles.match])
    assert (one.share_good, one.share_matched) == (good.mean(), (good | moderate).mean())
    assert one.count(*ReferenceMatch, None) == len(demo_tpm)


def test_all_references_are_ranked_the_closest_first(found: CohortDistances) -> None:
    assert sorted(one.name for one in found.ranked) == sorted(es.list_references())
    medians = [one.median for one in found.ranked]
    assert medians == sorted(medians)
    assert found.ranked[0].name == DEFAULT_REFERENCE
    assert found.shown.name == "tcga-stad-v1"
    assert sum(one is found.shown for one in found.ranked) == 1
    assert not any(one.is_own_type for one in found.ranked)


def test_own_tumour_type_is_that_of_the_sheet(demo_tpm: pd.DataFrame) -> None:
    ranked = distances(demo_tpm, cancer_type="colon").ranked
    assert [one.name for one in ranked if one.is_own_type] == [DEFAULT_REFERENCE]


def test_a_folder_of_a_known_reference_is_not_listed_twice(
    demo_tpm: pd.DataFrame, repo_root: Path, tmp_path: Path
) -> None:
    folder = repo_root / "resources" / "reference" / DEFAULT_REFERENCE
    named = distances(demo_tpm, str(folder))
    assert len(named.ranked) == len(es.list_references())
    copy = distances(demo_tpm, str(shutil.copytree(folder, tmp_path / "copy")))
    assert len(copy.ranked) == len(es.list_references()) + 1
    assert copy.shown.known is None
    np.testing.assert_array_equal(copy.shown.distance, named.shown.distance)


def test_sample_that_cannot_be_placed_counts_against_every_share(demo_tpm: pd.DataFrame) -> None:
    frame = demo_tpm.copy()
    genes = es.load_reference().genes
    anchors = [symbol for symbol, one in zip(genes.symbols, genes.is_anchor, strict=True) if one]
    frame.loc[frame.index[0], frame.columns.isin(anchors)] = np.nan
    one = distances(frame).shown
    assert np.isnan(one.distance).tolist() == [True] + [False] * 7
    assert (one.count(None), one.share_matched) == (1, 7 / 8)
    assert one.median == np.median(one.distance[1:])
    assert sum(part.n for part in bins_of(one)) == 7


def test_auto_choice_is_that_of_a_profile_and_fits_once(
    demo_tpm: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    far, fits = far_from_all(demo_tpm, 24), list[str]()

    def counting(cohort: HarmonisedCohort, base: Reference, *, rows: Sequence[int]) -> Reference:
        fits.append(base.name)
        return fit_on_cohort(cohort, base, rows=rows)

    monkeypatch.setattr(choosing, "fit_on_cohort", counting)
    for frame, name in ((far, "cohort"), (far.iloc[:6], None), (demo_tpm, DEFAULT_REFERENCE)):
        choice = auto_choice(distances(frame))
        assert len(fits) == (name == "cohort")
        expected = es.profile(es.from_dataframe(frame, units="tpm"), published=False)
        assert (choice.name, choice.why) == (expected.reference.name, expected.why_reference)
        assert name in {None, choice.name}
        fits.clear()


def test_auto_looks_at_tumours_only(demo_tpm: pd.DataFrame) -> None:
    kinds = ["normal", *["tumour"] * 7]
    found = distances(demo_tpm, sample_type=kinds)
    assert (auto_choice(found).n_judged, len(found.shown.distance)) == (7, 8)


def test_kept_reference_that_is_damaged_is_a_warning(
    demo_tpm: pd.DataFrame, kept_references: Path, repo_root: Path
) -> None:
    for name in ("lab", "old"):
        shutil.copytree(
            repo_root / "resources" / "reference" / DEFAULT_REFERENCE, kept_references / "fitted" / name
        )
    (kept_references / "fitted" / "old" / "reference.json").write_text("{", encoding="utf-8")
    found = distances(demo_tpm, "lab")
    assert "old" not in {one.name for one in found.ranked}
    assert found.shown.name == "lab"
    choice = auto_choice(found)
    assert choice.name == DEFAULT_REFERENCE  # what the header of the copy says
    (warning,) = choice.warnings
    assert "old" in warning


def test_faults_of_all_inputs_are_raised_together(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text("gene\ta\ta\nTP53\t1\tx\n", encoding="utf-8")
    (tmp_path / "l.tsv").write_text("", encoding="utf-8")
    with pytest.raises(InputFaultsError) as caught:
        measure_distances(partial(es.read, tmp_path / "m.tsv"), "nothing", gene_lengths=tmp_path / "l.tsv")
    lines = caught.value.lines
    assert all(any(name in line for line in lines) for name in ("nothing", "l.tsv", "m.tsv"))


def test_too_few_anchors_are_refused(demo_tpm: pd.DataFrame) -> None:
    anchors = es.load_reference().genes
    keep = [s for s, one in zip(anchors.symbols, anchors.is_anchor, strict=True) if not one]
    with pytest.raises(AnchorsMissingError, match="anchor genes of reference"):
        distances(demo_tpm[[symbol for symbol in keep if symbol in demo_tpm]])


@given(st.lists(st.one_of(st.floats(0.01, 9.0), st.just(float("nan"))), max_size=40))
def test_bins_hold_every_placed_sample_once(values: list[float]) -> None:
    reference = es.load_reference()
    one = ReferenceDistance(reference, None, np.array(values, dtype=np.float64), is_own_type=False)
    bins = bins_of(one)
    placed = [value for value in values if not np.isnan(value)]
    assert [part.n for part in bins] == [sum(part.holds(value) for value in placed) for part in bins]
    assert sum(part.n for part in bins) == len(placed)
    assert [part.high for part in bins[:-1]] == [part.low for part in bins[1:]]
    for mark in (*one.limits, reference.anchor_distance):
        assert sum(part.holds(mark) for part in bins) == 1
    assert len(bins) <= 21


@pytest.mark.parametrize("own", [0.3, 0.42, 0.7, 1.2])
def test_limits_are_those_of_the_match(own: float) -> None:
    one = ReferenceDistance(
        replace(es.load_reference(), anchor_distance=own), None, np.array([]), is_own_type=False
    )
    good, moderate = one.limits
    ends = np.array([np.nextafter(good, 0), good, np.nextafter(moderate, 0), moderate])
    found = match_of(ends, own, load_design().thresholds.match)
    between = "poor" if good == moderate else "moderate"
    assert found.tolist()[::3] == ["good", "poor"]
    assert found[1] == between
