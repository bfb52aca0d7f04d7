"""Figures of the distances from references; the other figures are in ``test_api.py``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escape_score as es
from escape_score.errors import ReferenceInvalidError, UsageError
from escape_score.pipeline import distance_figure
from escape_score.pipeline.distances import measure_distances
from escape_score.statistics.clustering import clustering_of
from escape_score.statistics.columns import CohortColumns
from escape_score.store.figures import write_figure


def test_every_sample_is_a_point_of_every_reference(demo_tpm: pd.DataFrame) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

    cohort = es.from_dataframe(demo_tpm, units="tpm", cohort="my $tumours$")
    ax = Figure().subplots()
    assert es.pl.reference_distance(cohort, "tcga-stad-v1", ax=ax) is ax
    points = [one for one in ax.collections if isinstance(one, PathCollection)]
    found = measure_distances(lambda: cohort, "tcga-stad-v1")
    for row, (drawn, one) in enumerate(zip(points, found.ranked, strict=True)):
        x, y = np.asarray(drawn.get_offsets()).T
        np.testing.assert_array_equal(x, one.distance)
        assert (abs(y - row) < 0.5).all()
    labels = [(label.get_text(), label.get_fontweight()) for label in ax.get_yticklabels()]
    assert labels[0] == ("tcga-coadread-v1 (592, colorectal adenocarcinoma)", "normal")
    assert [text for text, weight in labels if weight == "bold"] == ["tcga-stad-v1 (37, gastric cancer)"]
    assert ax.get_title() == "my $tumours$: 8 samples"
    legend = ax.get_legend()
    assert legend is not None
    assert len(legend.get_texts()) == 4


def test_new_axes_are_made_where_none_are_given(demo_tpm: pd.DataFrame) -> None:
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.use("Agg")
    cohort = es.from_dataframe(demo_tpm, units="tpm")
    assert len(es.pl.reference_distance(cohort, es.load_reference()).get_yticks()) == 9
    with pytest.raises(ReferenceInvalidError, match="nothing"):
        es.pl.reference_distance(cohort, "nothing")
    plt.close("all")


def test_names_of_users_are_text_and_many_points_an_image(
    demo_tpm: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = es.from_dataframe(demo_tpm, units="tpm", cohort="$\\frac$ <&> \x01 \udce9")
    found = measure_distances(lambda: cohort, "tcga-stad-v1")
    write_figure(tmp_path / "a.svg", lambda: distance_figure.distance_figure(found))
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert re.search(r">\$\\frac\$ &lt;&amp;&gt;\s+: 8 samples<", text)
    assert "<image" not in text
    monkeypatch.setattr(distance_figure, "MOST_DRAWN", 10)
    write_figure(tmp_path / "a.svg", lambda: distance_figure.distance_figure(found))
    assert "<image" in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def labelled(demo_tpm: pd.DataFrame) -> es.Profiles:
    """The eight tumours twice, so that there are five of each response."""
    doubled = pd.concat([demo_tpm, demo_tpm.rename(index=lambda name: f"{name}-again")])
    sheet = pd.DataFrame({"response": ["R", "NR"] * 8, "arm": list("aab") * 5 + ["b"]}, index=doubled.index)
    return es.profile(es.from_dataframe(doubled, units="tpm", samples=sheet), reference="tcga-coadread-v1")


def test_groups_roc_and_forest_show_what_the_page_shows(labelled: es.Profiles) -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert es.pl.groups(labelled, "stroma", "arm", ax=ax) is ax
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a (10)", "b (6)"]
    points = np.concatenate([np.asarray(one.get_offsets())[:, 1] for one in ax.collections])
    expected = labelled.to_frame()["stroma"].to_numpy(dtype=np.float64)
    np.testing.assert_allclose(np.sort(points), np.sort(expected))
    roc = es.pl.roc(labelled, "stroma", ax=Figure().subplots())
    false_positive, true_positive = np.asarray(roc.lines[0].get_xydata(), dtype=np.float64).T
    area = float(np.trapezoid(true_positive, false_positive))
    assert f"AUROC {area:.2f} [" in str(roc.lines[0].get_label())
    forest = es.pl.forest(labelled, ax=Figure().subplots())
    drawn = [np.asarray(line.get_xydata()) for line in forest.lines if line.get_marker() == "o"]
    effects = [abs(float(at[0, 0]) - 0.5) for at in drawn]
    assert effects == sorted(effects, reverse=True)
    assert len(effects) == len(forest.get_yticks()) > 20


def test_figures_name_what_is_missing(labelled: es.Profiles, demo_tpm: pd.DataFrame) -> None:
    from matplotlib.figure import Figure

    with pytest.raises(es.errors.UsageError, match="'x' is not a measure"):
        es.pl.groups(labelled, "x", "arm")
    with pytest.raises(UsageError, match=r"measure of this result; did you mean 'stroma'\?"):
        es.pl.roc(labelled, "stroms")
    with pytest.raises(
        UsageError, match=r"^by: unknown column of the sample sheet 'amr'; did you mean 'arm'\?"
    ):
        es.pl.groups(labelled, "stroma", "amr")
    with pytest.raises(UsageError, match=r"let es.read keep it with columns={'age': 'age'}"):
        es.pl.heatmap(labelled, labels=["age"])
    with pytest.raises(UsageError, match=r"^ax: a Figure; give one of the axes"):
        es.pl.heatmap(labelled, ax=Figure())  # type: ignore[arg-type]
    bare = es.profile(es.from_dataframe(demo_tpm, units="tpm"), reference="tcga-coadread-v1")
    for draw in (partial(es.pl.roc, bare, "stroma"), partial(es.pl.forest, bare)):
        with pytest.raises(UsageError, match=r"^response: the sample sheet has no response; add the column"):
            draw()
    few = with_sheet(demo_tpm, response=["R", "NR"] * 4)
    for draw in (partial(es.pl.roc, few, "stroma"), partial(es.pl.forest, few)):
        with pytest.raises(UsageError, match=r"^response: 4 responders and 4 others among .*; at least 5 of"):
            draw()


def with_sheet(values: pd.DataFrame, **columns: Sequence[object]) -> es.Profiles:
    sheet = pd.DataFrame(columns, index=values.index)
    return es.profile(es.from_dataframe(values, units="tpm", samples=sheet), reference="tcga-coadread-v1")


def test_survival_says_what_the_sheet_lacks(demo_tpm: pd.DataFrame) -> None:
    from matplotlib import pyplot as plt

    days, event = [100.0 * at for at in range(1, 9)], [1, 0] * 4
    few = with_sheet(demo_tpm, os_days=[*days[:3], *[None] * 5], os_event=event)
    nothing = with_sheet(demo_tpm, arm=list("aabbaabb"))
    days_only = with_sheet(demo_tpm, os_days=days, pfs_days=days, pfs_event=event)
    cases = (
        (nothing, "^endpoint: the sample sheet has no values of os_days and os_event; add them"),
        (days_only, "has no values of os_event; .* or use endpoint='pfs'$"),
        (few, "^stroma: 3 samples with a value, os_days and os_event; curves need at least 4$"),
    )
    for result, said in cases:
        with pytest.raises(UsageError, match=said):
            es.pl.survival(result, "stroma")
    assert plt.get_fignums() == []


def test_heatmap_has_the_order_of_the_clusters_and_a_line_for_every_label(demo_tpm: pd.DataFrame) -> None:
    from matplotlib.figure import Figure

    other = demo_tpm * np.exp2(np.random.default_rng(7).normal(0, 0.5, demo_tpm.shape))
    values = pd.concat([demo_tpm, other.rename(index="other {}".format)])
    sheet = pd.DataFrame({"arm": [*"aabbcc", ""] + ["d"] * (len(values) - 7)}, index=values.index)
    result = es.profile(es.from_dataframe(values, units="tpm", samples=sheet))
    ax = es.pl.heatmap(result, cluster=True, labels=["arm"], ax=Figure(layout="constrained").subplots())
    found = clustering_of(CohortColumns.of(result.maker.records()))
    assert found is not None
    assert [one.get_text() for one in ax.get_xticklabels()] == list(found.sample_ids)
    strip, tree = ax.child_axes
    assert [one.get_text() for one in strip.get_yticklabels()] == ["arm"]
    assert len(tree.lines) == len(found.sample_tree)
    drawn = strip.images[0].get_array()
    assert drawn is not None
    arms = [str(sheet["arm"][one]) for one in found.sample_ids]
    assert len({(arm, *colour) for arm, colour in zip(arms, map(tuple, drawn[0]), strict=True)}) == 5
    with pytest.raises(UsageError, match="unknown column of the sample sheet 'amr'; did you mean 'arm'"):
        es.pl.heatmap(result, labels=["amr"], ax=Figure().subplots())
