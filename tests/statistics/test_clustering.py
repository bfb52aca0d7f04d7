from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist

from escape_score.model.record_statistics import Measure, MeasureKind
from escape_score.statistics.clustering import MAX_DRAWN, clustering_of
from escape_score.statistics.columns import CohortColumns

N_AXES = 5


def columns_of(values: np.ndarray) -> CohortColumns:
    measures = tuple(
        Measure(measure=f"a{at}", title=f"A{at}", kind=MeasureKind.AXIS, unit="SD", expects=None)
        for at in range(values.shape[1])
    )
    ids = tuple(f"S{at}" for at in range(len(values)))
    return CohortColumns("c", measures, tuple({} for _ in ids), values, ids)


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(7).normal(size=(30, N_AXES))


def test_tree_has_the_heights_of_average_linkage(values: np.ndarray) -> None:
    found = clustering_of(columns_of(values))
    assert found is not None
    heights = [one.height for one in found.sample_tree]
    np.testing.assert_allclose(heights, linkage(pdist(values), "average")[:, 2], atol=1e-4)
    assert sorted(found.sample_ids) == sorted(f"S{at}" for at in range(30))
    assert sorted(found.axes) == [f"a{at}" for at in range(N_AXES)]


def test_branches_are_neighbours_in_the_order(values: np.ndarray) -> None:
    found = clustering_of(columns_of(values))
    assert found is not None
    branches = [{place} for place in range(30)]
    for one in found.sample_tree:
        joined = branches[one.first] | branches[one.second]
        assert max(joined) - min(joined) == len(joined) - 1
        branches.append(joined)


def test_branches_are_turned_so_that_neighbours_are_close(values: np.ndarray) -> None:
    found = clustering_of(columns_of(values))
    assert found is not None
    turned, plain = (
        [int(one[1:]) for one in found.sample_ids],
        leaves_list(linkage(pdist(values), "average")),
    )
    steps = [np.linalg.norm(np.diff(values[order], axis=0), axis=1).sum() for order in (turned, plain)]
    assert steps[0] < steps[1]


def test_missing_scores_count_only_where_both_have_them(values: np.ndarray) -> None:
    partly = values.copy()
    partly[1] = partly[0]
    partly[1, 0] = np.nan
    found = clustering_of(columns_of(partly))
    assert found is not None
    assert found.n_missing == 1
    assert found.sample_tree[0].height == 0.0
    places = [found.sample_ids.index(name) for name in ("S0", "S1")]
    assert abs(places[0] - places[1]) == 1


def test_samples_without_a_score_are_last(values: np.ndarray) -> None:
    values[[3, 9]] = np.nan
    found = clustering_of(columns_of(values))
    assert found is not None
    assert (found.sample_ids[-2:], found.n_unplaced, found.n_missing) == (("S3", "S9"), 2, 0)
    assert len(found.sample_tree) == 27


def test_samples_that_share_no_mechanism_are_far_apart(values: np.ndarray) -> None:
    values[0, 2:] = np.nan
    values[1, :2] = np.nan
    assert clustering_of(columns_of(values)) is not None


def test_tree_of_many_samples_is_not_kept() -> None:
    many = np.random.default_rng(7).normal(size=(MAX_DRAWN + 1, N_AXES))
    found = clustering_of(columns_of(many))
    assert found is not None
    assert found.sample_tree == ()
    assert len(found.axis_tree) == N_AXES - 1


def test_few_samples_or_mechanisms_have_no_clusters(values: np.ndarray) -> None:
    assert clustering_of(columns_of(values[:9])) is None
    assert clustering_of(columns_of(values[:, :2])) is None
    assert clustering_of(replace(columns_of(values), sample_ids=())) is None
