"""A comparison of cohorts: what Python gets, and its folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from escape_score.model.arguments import require_path, require_type
from escape_score.model.record_comparison import CohortComparison, PooledRow, Question
from escape_score.pipeline.comparing.gathering import Compared, gather
from escape_score.report import render_comparison
from escape_score.report.text.i18n import SOURCE_LANGUAGE, translations
from escape_score.statistics.comparison import compare_cohorts
from escape_score.store.atomic import write_text
from escape_score.store.columns import COLUMNS, write_columns
from escape_score.store.manifest import ComparisonHeader, entry_of, library_versions, write_manifest
from escape_score.store.ownership import COMPARISON, comparison_files
from escape_score.store.result_folder import INDEX, staged_result
from escape_score.store.tables import write_tsv

TABLE = "comparison"
POOLED = "pooled"
"""What the column ``row`` says of an effect over cohorts; ``cohort`` of that of one."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several cohorts side by side, as :func:`escape_score.compare` gives them.

    Attributes
    ----------
    record
        All that ``comparison.json`` holds.

    Examples
    --------
    >>> import escape_score as es
    >>> both = es.compare(["results/lab-a", "results/lab-b"])  # doctest: +SKIP
    >>> both.to_frame().query("row == 'pooled' and q_value < 0.05")  # doctest: +SKIP
    >>> both.write("results/both")  # doctest: +SKIP
    """

    record: CohortComparison = field(repr=False)

    @property
    def cohorts(self) -> tuple[str, ...]:
        """Names of the cohorts, in their order."""
        return tuple(one.cohort for one in self.record.cohorts)

    def __repr__(self) -> str:
        return f"Comparison({', '.join(self.cohorts)}: {self.record.n_tests} pooled effects)"

    def to_frame(self) -> pd.DataFrame:
        """The table ``comparison.tsv``: every pooled effect, followed by those of its cohorts.

        Columns are explained in ``columns.json`` and in the documentation.
        """
        rows = (
            line
            for question in self.record.questions
            for row in question.rows
            for line in _lines(question, row)
        )
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def write(self, folder: str | Path, *, lang: str = SOURCE_LANGUAGE) -> Path:
        """Write the page, ``comparison.json``, ``comparison.tsv``, ``columns.json`` and the manifest.

        Parameters
        ----------
        folder
            Made where missing; an earlier comparison in it is replaced as a whole. A folder that holds
            anything else is refused.
        lang
            Language of the page, ``"en"`` or ``"fr"``.

        Returns
        -------
        pathlib.Path
            The folder.

        Raises
        ------
        OutputUnwritableError
            The folder cannot be written, or holds something else.
        UsageError
            There is no page in this language.
        """
        require_path("folder", folder, "the folder of the comparison")
        out = Path(folder)
        translations(lang)  # an unknown language is an error before the work, not after it
        with staged_result(out, comparison_files) as staging:
            table = self.to_frame()
            write_text(staging / COMPARISON, self.record.model_dump_json(indent=1) + "\n")
            write_tsv(staging / f"{TABLE}.tsv", table)
            write_columns(staging, {TABLE: table})
            write_text(staging / INDEX, render_comparison(self.record, lang=lang))
            names = (COMPARISON, f"{TABLE}.tsv", COLUMNS, INDEX)
            write_manifest(staging, self._header(), [entry_of(staging, staging / name) for name in names])
        return out

    def _header(self) -> ComparisonHeader:
        cohorts = self.record.cohorts
        return ComparisonHeader(
            title=self.record.title,
            cohorts=self.cohorts,
            n_samples=sum(one.n_samples for one in cohorts),
            statistics_sha256=tuple(one.statistics_sha256 for one in cohorts),
            versions=library_versions(),
        )


def compare(results: Sequence[Compared], *, title: str = "", names: Sequence[str] = ()) -> Comparison:
    """Put cohorts side by side and pool the effects that at least two of them have.

    Parameters
    ----------
    results
        Two or more: folders of finished results, or profiles as :func:`escape_score.profile` gives them.
    title
        Of the page.
    names
        Names of the cohorts, in the order of ``results``; their own where empty.

    Returns
    -------
    Comparison
        ``to_frame()`` is the table, ``write(folder)`` writes the page.

    Raises
    ------
    UsageError
        Fewer than two results, ``names`` that are not one for each, or an argument of a wrong type.
    InputFaultsError
        All faults of all results together.

    Examples
    --------
    >>> import escape_score as es
    >>> es.compare(["results/lab-a", "results/lab-b"]).write("results/both")  # doctest: +SKIP
    """
    require_type("title", title, str, "a text, or leave it out")
    return Comparison(compare_cohorts(gather(results, names), title=title))


_COLUMNS = (
    *("question", "label", "first_group", "second_group", "measure", "kind", "row", "cohort"),
    *("n", "n_cohorts", "effect_name", "effect", "low", "high", "standard_error", "weight", "model"),
    *("prediction_low", "prediction_high", "tau_squared", "i_squared", "i_squared_low", "i_squared_high"),
    *("cochran_q", "cochran_p_value", "higher_in", "shift", "shift_low", "shift_high", "p_value", "q_value"),
)


def _lines(question: Question, row: PooledRow) -> Iterator[dict[str, object]]:
    """The pooled effect of one measure, then those of its cohorts."""
    first, second = question.groups or ("", "")
    shared: dict[str, object] = {
        "question": question.kind.value,
        "label": question.label,
        "first_group": first,
        "second_group": second,
        "measure": row.measure.measure,
        "kind": row.measure.kind.value,
        "effect_name": question.effect_name.value,
    }
    texts = {"cohort": "", "model": "", "higher_in": ""}
    yield shared | texts | _pooled_cells(row)
    for one in row.cohorts:
        yield (
            shared
            | texts
            | {
                "row": "cohort",
                "cohort": one.cohort,
                "n": one.n,
                "effect": one.effect,
                "low": one.interval.low,
                "high": one.interval.high,
                "standard_error": one.standard_error,
                "weight": one.weight,
            }
        )


def _pooled_cells(row: PooledRow) -> dict[str, object]:
    differ, prediction, shift = row.heterogeneity, row.prediction, row.shift
    cells: dict[str, object] = {
        "row": POOLED,
        "n": sum(one.n for one in row.cohorts),
        "n_cohorts": len(row.cohorts),
        "effect": row.effect,
        "low": row.interval.low,
        "high": row.interval.high,
        "model": row.model.value,
        "tau_squared": differ.tau_squared,
        "i_squared": differ.i_squared,
        "i_squared_low": differ.i_squared_interval.low,
        "i_squared_high": differ.i_squared_interval.high,
        "cochran_q": differ.q,
        "cochran_p_value": differ.p_value,
        "higher_in": row.higher_in or "",
        "p_value": row.p_value,
        "q_value": row.q_value,
    }
    if prediction is not None:
        cells |= {"prediction_low": prediction.low, "prediction_high": prediction.high}
    if shift is not None:
        cells |= {"shift": shift.shift, "shift_low": shift.interval.low, "shift_high": shift.interval.high}
    return cells
