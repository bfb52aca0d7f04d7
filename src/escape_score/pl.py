"""Figures of a result, drawn with matplotlib; every function returns the axes it drew on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from escape_score.errors import UsageError, counted, did_you_mean, unknown_name
from escape_score.library.axes import load_axis_catalogue
from escape_score.model.arguments import texts_of
from escape_score.model.cohort import SAMPLE_COLUMNS, Cohort, SampleRecord
from escape_score.model.profiles import INDEX
from escape_score.model.record_statistics import Clustering, ResponseRow
from escape_score.model.reference import Reference
from escape_score.pipeline.arguments import require_cohort, require_result
from escape_score.pipeline.distance_figure import draw_distances, figure_size
from escape_score.pipeline.distances import measure_distances
from escape_score.pipeline.profiles import Profiles
from escape_score.report.cohort.strips import COLOURS, OTHER
from escape_score.statistics.clustering import clustering_of
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.figures import roc_curve_of
from escape_score.statistics.groups import FDR
from escape_score.statistics.outcomes import ENDPOINTS, response_statistics
from escape_score.statistics.patients import counted_samples
from escape_score.statistics.ranks import MIN_GROUP

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LIMIT_SD = 3.0
"""Colours end here."""
CHANCE = 0.5
COUNTED = "the samples that count (one a patient, before treatment)"
GOLDEN = 0.618
MIN_HALF = 2
"""Fewest samples of a survival curve."""
LINE = 0.045
"""Height of a line of labels above a heatmap, as a share of it."""


def heatmap(
    result: Profiles, *, cluster: bool = False, labels: Sequence[str] = (), ax: Axes | None = None
) -> Axes:
    """Draw the mechanisms of all samples, ordered by the index or by similarity.

    Parameters
    ----------
    result
        From :func:`escape_score.profile`.
    cluster
        Order samples and mechanisms by hierarchical clustering, as ``clustering`` of ``cohort.json`` has it,
        and draw the tree of at most 200 samples.
    labels
        Columns of the sample sheet that are drawn as coloured lines, such as ``["response"]``. The eight most
        frequent values have a colour of their own.
    ax
        Axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        Mechanisms × samples: scores in SD of the reference, red = more resistance, grey = not evaluable.

    Raises
    ------
    UsageError
        No sample has one of the labels, or the cohort is too small or too large for clusters.

    Examples
    --------
    >>> import escape_score as es
    >>> result = es.profile(es.read("matrix.tsv", samples="sheet.tsv"))  # doctest: +SKIP
    >>> es.pl.heatmap(result, cluster=True, labels=["response"])  # doctest: +SKIP
    """
    import matplotlib.pyplot as plt

    require_result("result", result)
    labels = texts_of("labels", labels, "a list of columns of the sample sheet, such as ['response']")
    table, axes = result.to_frame(), load_axis_catalogue().axes
    titles = {axis.axis: axis.title for axis in axes}
    columns = CohortColumns.of(result.maker.records()) if cluster or labels else None
    found = _clusters(columns) if columns is not None and cluster else None
    if found is None:
        table = table.sort_values(INDEX, ascending=False, kind="stable")
    else:
        table, titles = table.loc[list(found.sample_ids)], {axis: titles[axis] for axis in found.axes}
    if columns is not None:
        for label in labels:
            _require_column("labels", columns, label)
    width = float(np.clip(0.18 * len(table) + 4, 6, 16))
    ax = _axes(ax, (width, 6 + 0.3 * len(labels)))
    colours = plt.get_cmap("RdBu_r").with_extremes(bad="0.85")
    values = table[list(titles)].to_numpy(dtype=np.float64).T
    image = ax.imshow(
        values, cmap=colours, vmin=-LIMIT_SD, vmax=LIMIT_SD, aspect="auto", interpolation="none"
    )
    ax.set_yticks(range(len(titles)), list(titles.values()))
    ax.set_xticks(range(len(table)), list(table.index), rotation=90)
    ax.tick_params(labelsize=7)
    order = "by falling index" if found is None else "by similarity"
    ax.set_title(f"{result.cohort}: {len(table)} samples {order}")
    ax.figure.colorbar(image, ax=ax, label="SD of the reference (red = more resistance)", shrink=0.6)
    if columns is not None:
        _draw_labels(ax, columns, labels, list(table.index))
    if found is not None:
        _draw_tree(ax, found, start=1.01 + LINE * len(labels))
    return ax


def _clusters(columns: CohortColumns) -> Clustering:
    found = clustering_of(columns)
    if found is None:
        msg = "cluster: clusters need 10 to 5,000 samples with a score"
        raise UsageError(msg)
    return found


def _draw_labels(ax: Axes, columns: CohortColumns, labels: Sequence[str], sample_ids: Sequence[str]) -> None:
    """Draw a coloured line for each label above the columns ``sample_ids``, and a legend below."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Patch

    place, keys = {sample_id: at for at, sample_id in enumerate(columns.sample_ids)}, []
    for at, label in enumerate(labels):
        texts = columns.texts(label)
        shown = [texts[place[sample_id]] for sample_id in sample_ids]
        colours = _label_colours(shown)
        strip = ax.inset_axes((0.0, 1.01 + LINE * (len(labels) - 1 - at), 1.0, 0.8 * LINE))
        strip.imshow([[to_rgb(colours.get(text, "white")) for text in shown]], aspect="auto")
        strip.set_xticks([])
        strip.set_yticks([0], [label], fontsize=7)
        keys += [Patch(color=colour, label=f"{label}: {name}") for name, colour in colours.items()]
    if keys:
        ax.figure.legend(handles=keys, loc="outside lower left", ncols=4, fontsize=7, frameon=False)


def _require_column(argument: str, columns: CohortColumns, name: str) -> None:
    """Refuse a column of the sample sheet that no sample has a value in; UsageError."""
    known = sorted(columns.named)
    if name not in known:
        is_read = name in SAMPLE_COLUMNS or not isinstance(name, str)
        other = (
            "add it to the sheet" if is_read else f"let es.read keep it with columns={{{name!r}: {name!r}}}"
        )
        advice = f"use one of {', '.join(known)}, or {other}" if known else other
        what = unknown_name("column of the sample sheet", name, known, advice=advice)
        raise UsageError.at(argument, what)


def _label_colours(texts: Sequence[str]) -> dict[str, str]:
    """Colour of each value by name; the rarest of many share one."""
    counts = Counter(text for text in texts if text)
    frequent = sorted(name for name, _ in counts.most_common(OTHER))
    colours = {name: COLOURS[at] for at, name in enumerate(frequent)}
    return colours | {name: COLOURS[OTHER] for name in sorted(counts) if name not in colours}


def _draw_tree(ax: Axes, found: Clustering, start: float) -> None:
    """Draw the tree of the samples from ``start`` up, a share of the heatmap; nothing where there is none."""
    if not found.sample_tree or found.n_unplaced:
        return
    n_leaves = len(found.sample_tree) + 1
    tree = ax.inset_axes((0.0, start, 1.0, 3 * LINE))
    ends = [(float(at), 0.0) for at in range(n_leaves)]
    for one in found.sample_tree:
        (first, low), (second, high) = ends[one.first], ends[one.second]
        tree.plot([first, first, second, second], [low, one.height, one.height, high], color="0.4", lw=0.8)
        ends.append(((first + second) / 2, one.height))
    tree.set_xlim(-0.5, n_leaves - 0.5)
    tree.set_ylim(bottom=0.0)
    tree.set_axis_off()


def survival(result: Profiles, column: str, *, endpoint: str = "os", ax: Axes | None = None) -> Axes:
    """Draw Kaplan-Meier curves of the samples above and below the median of a column.

    Parameters
    ----------
    result
        From :func:`escape_score.profile`, with ``<endpoint>_days`` and ``<endpoint>_event`` in its sample
        sheet.
    column
        Column of :meth:`Profiles.to_frame` that holds numbers, such as ``"immunoresistance_index"``.
    endpoint
        ``"os"`` or ``"pfs"``.
    ax
        Axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        Two curves with 95 % confidence bands, and the log-rank p in the title: a description of this cohort,
        not a test that was planned.

    Raises
    ------
    UsageError
        The column or endpoint is not known, the sample sheet lacks days or events, or fewer than two samples
        are on one side.

    Examples
    --------
    >>> import escape_score as es
    >>> result = es.profile(es.read("matrix.tsv", samples="sheet.tsv"))  # doctest: +SKIP
    >>> es.pl.survival(result, "immunoresistance_index", endpoint="pfs")  # doctest: +SKIP
    """
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    require_result("result", result)
    values, days, event = _survival_columns(result, column, endpoint)
    is_high = values > np.median(values)
    halves = ((is_high, "above the median"), (~is_high, "up to the median"))
    for chosen, name in halves:
        if chosen.sum() < MIN_HALF:
            msg = f"{column}: fewer than two samples {name}; curves need two groups"
            raise UsageError(msg)
    ax = _axes(ax, (5, 4))
    for chosen, name in halves:
        fitter = KaplanMeierFitter(label=f"{name} (n = {chosen.sum()})")
        fitter.fit(days[chosen], event[chosen]).plot_survival_function(ax=ax, show_censors=True)
    p = logrank_test(days[is_high], days[~is_high], event[is_high], event[~is_high]).p_value
    ax.set_xlabel("days")
    ax.set_ylabel(f"fraction without event ({endpoint})")
    ax.set_ylim(0, 1.05)
    ax.set_title(f"{column}, log-rank p = {p:.2g}")
    return ax


def groups(result: Profiles, measure: str, by: str, *, ax: Axes | None = None) -> Axes:
    """Draw one measure by the groups of a column of the sample sheet, with a point for every sample.

    Parameters
    ----------
    result
        From :func:`escape_score.profile`, with the column in its sample sheet.
    measure
        ``"immunoresistance_index"`` or the id of an axis, a published score or a quantity of cells.
    by
        Column of the sample sheet, such as ``"response"``. All its labels are drawn, however small.
    ax
        Axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        One box a group: middle half, median, whiskers within 1.5 times the box. One sample a patient, taken
        before treatment; samples where the measure is not evaluable are left out.

    Raises
    ------
    UsageError
        No measure or column has the name, or no patient has both.

    Examples
    --------
    >>> import escape_score as es
    >>> result = es.profile(es.read("matrix.tsv", samples="sheet.tsv"))  # doctest: +SKIP
    >>> es.pl.groups(result, "immunoresistance_index", "response")  # doctest: +SKIP
    """
    columns = _columns(result)
    _require_column("by", columns, by)
    patients = _patients(columns)
    at, labels = _place_of(patients, measure), patients.texts(by)
    values, known = patients.values[:, at], np.isfinite(patients.values[:, at])
    names = sorted({label for label, is_known in zip(labels, known, strict=True) if label and is_known})
    if not names:
        if not known.any():
            msg = f"measure: {measure!r} is not evaluable in {COUNTED}; choose another one"
            raise UsageError(msg)
        msg = f"by: no sample with a value of {measure!r} has a label in the column {by!r}, of {COUNTED}"
        raise UsageError(msg)
    held = [values[known & np.array([label == name for label in labels])] for name in names]
    ax = _axes(ax, (1.5 + 1.4 * len(names), 4))
    ticks = [f"{name} ({len(of)})" for name, of in zip(names, held, strict=True)]
    ax.boxplot(held, tick_labels=ticks, showfliers=False, widths=0.6)
    for place, of in enumerate(held, start=1):
        # places follow from the order of the values, so that a figure is the same again
        jitter = (np.arange(len(of)) * GOLDEN % 1 - 0.5) * 0.4
        ax.scatter(place + jitter, np.sort(of), s=14, alpha=0.7)
    ax.set_ylabel(f"{patients.measures[at].title}, {patients.measures[at].unit}")
    ax.set_xlabel(by)
    return ax


def roc(result: Profiles, measure: str, *, ax: Axes | None = None) -> Axes:
    """Draw the ROC curve of one measure for response.

    Parameters
    ----------
    result
        From :func:`escape_score.profile`, with ``response`` in its sample sheet.
    measure
        ``"immunoresistance_index"`` or the id of an axis, a published score or a quantity of cells.
    ax
        Axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        The curve in the direction in which the measure is expected to go, as ``cohort.json`` has its area;
        AUROC and 95 % interval are in the legend.

    Raises
    ------
    UsageError
        No measure has the name, the sample sheet has no response, or fewer than five responders or others
        have a value.

    Examples
    --------
    >>> import escape_score as es
    >>> result = es.profile(es.read("matrix.tsv", samples="sheet.tsv"))  # doctest: +SKIP
    >>> es.pl.roc(result, "immunoresistance_index")  # doctest: +SKIP
    """
    columns = _columns(result)
    patients = _patients(columns)
    at = _place_of(patients, measure)
    rows = [row for row in _response_rows(columns, patients) if row.measure.measure == measure]
    if not rows:
        msg = f"measure: {measure!r} has no ROC curve; fewer than five responders or others have a value"
        raise UsageError(msg)
    curve = roc_curve_of(rows[0], patients.values[:, at], patients.texts("response"))
    ax = _axes(ax, (4.5, 4.5))
    low, high = curve.interval.low, curve.interval.high
    name = f"{curve.measure.title}\nAUROC {curve.auroc:.2f} [{low:.2f}, {high:.2f}]"
    ax.plot(curve.false_positive, curve.true_positive, label=name)
    ax.plot([0, 1], [0, 1], color="0.6", linestyle="--")
    ax.set_xlabel("false positive rate")
    ax.set_ylabel("true positive rate")
    ax.set_aspect("equal")
    ax.legend(loc="lower right", fontsize="small")
    return ax


def forest(result: Profiles, *, ax: Axes | None = None) -> Axes:
    """Draw the AUROC of every measure for response with its 95 % interval, the largest effect first.

    Parameters
    ----------
    result
        From :func:`escape_score.profile`, with ``response`` in its sample sheet.
    ax
        Axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        One row a measure; those with a false discovery rate below 0.05 over these measures have a full
        point.

    Raises
    ------
    UsageError
        The sample sheet has no response, or fewer than five responders or five others.

    Examples
    --------
    >>> import escape_score as es
    >>> result = es.profile(es.read("matrix.tsv", samples="sheet.tsv"))  # doctest: +SKIP
    >>> es.pl.forest(result)  # doctest: +SKIP
    """
    columns = _columns(result)
    rows = sorted(_response_rows(columns, _patients(columns)), key=lambda row: -abs(row.auroc - CHANCE))
    if not rows:
        msg = "response: no measure has a value in five responders and five others; a forest needs one"
        raise UsageError(msg)
    ax = _axes(ax, (7, 1 + 0.24 * len(rows)))
    for place, row in enumerate(rows):
        ax.plot([row.interval.low, row.interval.high], [place, place], color="0.5")
        ax.plot(row.auroc, place, "o", color="C0", fillstyle="full" if row.q_value < FDR else "none")
    ax.axvline(CHANCE, color="0.6", linestyle="--")
    ax.set_yticks(range(len(rows)), [row.measure.title for row in rows], fontsize=8)
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.set_xlabel("AUROC, 95 % interval (full point: FDR below 0.05)")
    return ax


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes that are given, or new ones of a size in inches; raises UsageError: they are not axes."""
    import matplotlib.pyplot as plt

    if ax is not None and not hasattr(ax, "imshow"):
        msg = f"ax: a {type(ax).__name__}; give one of the axes that plt.subplots returns, or leave it out"
        raise UsageError(msg)
    return plt.subplots(figsize=size, layout="constrained")[1] if ax is None else ax


def _columns(result: Profiles) -> CohortColumns:
    """Numbers of all samples, and their sample sheet."""
    require_result("result", result)
    return CohortColumns.of(result.maker.records())


def _patients(columns: CohortColumns) -> CohortColumns:
    """One sample a patient, taken before treatment, as on the cohort's page."""
    return columns.rows(counted_samples(columns).baseline)


def _place_of(columns: CohortColumns, measure: str) -> int:
    names = [one.measure for one in columns.measures]
    if measure not in names:
        asked = did_you_mean(measure, names) or f"; use {names[0]!r} or the id of a score"
        msg = f"measure: {measure!r} is not a measure of this result{asked}"
        raise UsageError(msg)
    return names.index(measure)


def _response_rows(columns: CohortColumns, patients: CohortColumns) -> tuple[ResponseRow, ...]:
    """Measures and response of patients; raises UsageError: the response is not known, or of too few."""
    found = response_statistics(patients)
    if found is not None:
        return found.rows
    if "response" not in columns.named:
        msg = "response: the sample sheet has no response; add the column with R and NR, or CR, PR, SD and PD"
        raise UsageError(msg)
    labels = Counter(patients.texts("response"))
    n_each = f"{counted(labels['R'], 'responder')} and {counted(labels['NR'], 'other')} among {COUNTED}"
    msg = f"response: {n_each}; at least {MIN_GROUP} of each are needed"
    raise UsageError(msg)


def reference_distance(
    cohort: Cohort,
    reference: str | Path | Reference,
    *,
    gene_lengths: str | Path | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how far the samples of a cohort are from a reference, and from all others with a name.

    Parameters
    ----------
    cohort
        From :func:`escape_score.read`, :func:`escape_score.from_anndata` or
        :func:`escape_score.from_dataframe`.
    reference
        A name of :func:`escape_score.list_references`, the folder of a fitted reference, or a
        :class:`~escape_score.Reference`. It is highlighted.
    gene_lengths
        TSV of genes and their lengths in bp, for counts; the shipped lengths where None.
    ax
        Axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        One row a reference, the closest first, and one point a sample: its distance, log2. Lines mark the
        limits of a good and a moderate match.

    Raises
    ------
    InputError
        The reference, the gene lengths or the cohort cannot be used.
    UsageError
        An argument is of a wrong type.

    Examples
    --------
    >>> import escape_score as es
    >>> cohort = es.read("matrix.tsv", units="tpm")  # doctest: +SKIP
    >>> es.pl.reference_distance(cohort, "tcga-coadread-v1")  # doctest: +SKIP
    """
    require_cohort("cohort", cohort)
    found = measure_distances(lambda: cohort, reference, gene_lengths=gene_lengths)
    return draw_distances(found, _axes(ax, figure_size(found)))


def _survival_columns(
    result: Profiles, column: str, endpoint: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, days and events of the samples that have all three."""
    table, samples = result.to_frame(), result.scores.facts.samples
    if endpoint not in ENDPOINTS:
        msg = f"endpoint: {unknown_name('endpoint', endpoint, ENDPOINTS)}"
        raise UsageError(msg)
    numbers = [str(name) for name in table if table[name].dtype.kind == "f"]
    if column not in numbers:
        asked = did_you_mean(column, numbers) or "; see columns.json of a result"
        msg = f"column: {column!r} is not a column of numbers of to_frame(){asked}"
        raise UsageError(msg)
    _require_survival(samples, endpoint)
    known = [_survival_of(sample, endpoint) for sample in samples]
    values = table[column].to_numpy(dtype=np.float64)
    rows = [row for row, one in enumerate(known) if None not in one and not np.isnan(values[row])]
    if len(rows) < 2 * MIN_HALF:
        n = counted(len(rows), "sample")
        has = f"{n} with a value, {endpoint}_days and {endpoint}_event"
        msg = f"{column}: {has}; curves need at least {2 * MIN_HALF}"
        raise UsageError(msg)
    days, event = (np.array([known[row][i] for row in rows], dtype=np.float64) for i in (0, 1))
    return values[rows], days, event


def _survival_of(sample: SampleRecord, endpoint: str) -> tuple[float | None, bool | None]:
    """Days and event of a sample, as far as they are known."""
    return getattr(sample, f"{endpoint}_days"), getattr(sample, f"{endpoint}_event")


def _require_survival(samples: Sequence[SampleRecord], endpoint: str) -> None:
    """Refuse an endpoint whose days or events no sample has; UsageError names another one that there is."""
    known = [_survival_of(sample, endpoint) for sample in samples]
    missing = [
        f"{endpoint}_{name}"
        for at, name in enumerate(("days", "event"))
        if all(one[at] is None for one in known)
    ]
    if missing:
        others = (
            one
            for one in ENDPOINTS
            if one != endpoint and any(None not in _survival_of(sample, one) for sample in samples)
        )
        other = next((f", or use endpoint={one!r}" for one in others), "")
        lacks = f"the sample sheet has no values of {' and '.join(missing)}"
        msg = f"endpoint: {lacks}; add them, since curves need days and events{other}"
        raise UsageError(msg)
