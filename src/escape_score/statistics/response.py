"""How well each measure tells responders from the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from escape_score.model.notes import Code, Note, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    Expectation,
    Measure,
    MeasureKind,
    ResponseRow,
    ResponseStatistics,
)
from escape_score.statistics.columns import CohortColumns, FloatArray
from escape_score.statistics.groups import MIN_GROUP
from escape_score.statistics.patients import left_out
from escape_score.statistics.ranks import area_under_curve, with_q_values


def response_statistics(columns: CohortColumns) -> ResponseStatistics | None:
    """Give the area under the ROC curve of every measure, baselines beside the axes.

    Parameters
    ----------
    columns
        Independent samples: one a patient.

    Returns
    -------
    ResponseStatistics or None
        None with fewer than five responders or fewer than five others. Each area is that of the measure as it
        is expected to go: above 0.5 where it does, below where it goes the other way.
    """
    labels = columns.texts("response")
    responds, resists = (np.array([label == word for label in labels]) for word in ("R", "NR"))
    n_yes, n_no = int(responds.sum()), int(resists.sum())
    if min(n_yes, n_no) < MIN_GROUP:
        return None
    rows = [
        row
        for at, measure in enumerate(columns.measures)
        if (row := _row(measure, columns.values[responds, at], columns.values[resists, at])) is not None
    ]
    finished = with_q_values(rows)
    return ResponseStatistics(
        n_samples=n_yes + n_no,
        n_responders=n_yes,
        n_nonresponders=n_no,
        left_out=left_out({"no_column:response": len(labels) - n_yes - n_no}),
        findings=tuple(map(NoteRecord.of, _findings(finished, n_yes, n_no))),
        rows=finished,
    )


def _row(measure: Measure, responders: FloatArray, others: FloatArray) -> ResponseRow | None:
    """One measure; None where too few values are known or all are equal."""
    from scipy.stats import mannwhitneyu

    yes, no = (values[np.isfinite(values)] for values in (responders, others))
    if min(len(yes), len(no)) < MIN_GROUP or np.ptp(np.concatenate([yes, no])) == 0:
        return None
    area = area_under_curve(*((yes, no) if measure.expects is Expectation.RESISTANCE else (no, yes)))
    return ResponseRow(
        measure=measure,
        n_responders=len(yes),
        n_nonresponders=len(no),
        auroc=area.auc,
        interval=area.interval,
        interval_method=area.method,
        p_value=float(mannwhitneyu(yes, no).pvalue),
        q_value=1.0,
    )


def _findings(rows: tuple[ResponseRow, ...], n_yes: int, n_no: int) -> Iterator[Note]:
    """Who was compared, and how the index and the best published score do."""
    yield note(Code.STATISTICS, "responders", n=n_yes, n_all=n_no)
    index = next((row for row in rows if row.measure.kind is MeasureKind.INDEX), None)
    if index is not None:
        yield note(Code.STATISTICS, "index_auroc", **_area(index))
    published = [row for row in rows if row.measure.kind is MeasureKind.PUBLISHED]
    if published:
        best = max(published, key=lambda row: row.auroc)
        yield note(
            Code.STATISTICS, "best_published", n=len(published), title=best.measure.title, **_area(best)
        )


def _area(row: ResponseRow) -> dict[str, float]:
    return {"number": row.auroc, "low": row.interval.low, "high": row.interval.high}
