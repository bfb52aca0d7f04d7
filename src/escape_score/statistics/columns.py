"""The numbers of a cohort's profiles, column by column, read in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import SAMPLE_COLUMNS
from escape_score.model.record import EscapeProfile, QuantityRecord
from escape_score.model.record_statistics import Expectation, Measure, MeasureKind

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SheetRow = Mapping[str, str | float | bool]


@dataclass(frozen=True)
class CohortColumns:
    """Values of every measure in every sample, beside what the sample sheet says.

    Attributes
    ----------
    measures
        Index, axes, published scores, quantities of single cells. The last are those of the patient, so that
        samples of a patient have the same.
    sheet
        One mapping a sample; fields that are not known are missing.
    values
        Shape (n_samples, n_measures), NaN = not evaluable.
    sample_ids
        One a sample; empty where they are not known.
    """

    cohort: str
    measures: tuple[Measure, ...] = field(repr=False)
    sheet: tuple[SheetRow, ...] = field(repr=False)
    values: FloatArray = field(repr=False)
    sample_ids: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, profiles: Iterable[EscapeProfile]) -> CohortColumns:
        """Collect the profiles of one cohort; one profile is held at a time."""
        collector = ColumnCollector()
        for profile in profiles:
            collector.add(profile)
        return collector.columns()

    def rows(self, at: Sequence[int]) -> CohortColumns:
        """Some of the samples, in the order given."""
        chosen = np.array(at, dtype=np.int64)
        ids = tuple(self.sample_ids[i] for i in at) if self.sample_ids else ()
        sheet = tuple(self.sheet[i] for i in at)
        return replace(self, sheet=sheet, values=self.values[chosen], sample_ids=ids)

    @property
    def named(self) -> tuple[str, ...]:
        """Columns of the sample sheet in which a sample has a value."""
        return tuple(dict.fromkeys(name for row in self.sheet for name in row))

    @property
    def further(self) -> tuple[str, ...]:
        """Columns of the sample sheet without a known name, which divide the samples into groups."""
        numbers = {name for row in self.sheet for name, value in row.items() if not isinstance(value, str)}
        return tuple(name for name in self.named if name not in {*SAMPLE_COLUMNS, *numbers})

    def texts(self, column: str) -> list[str]:
        """One column of the sample sheet as text; empty where nothing is known."""
        values = (row.get(column, "") for row in self.sheet)
        return [f"{one:.9g}" if type(one) is float else str(one).strip() for one in values]

    def numbers(self, column: str) -> FloatArray:
        """One column of the sample sheet as numbers, shape (n_samples,); NaN where nothing is known."""
        return np.array([float(row.get(column, "nan")) for row in self.sheet], dtype=np.float64)


@dataclass
class ColumnCollector:
    """Columns of the profiles so far."""

    _cohort: str = ""
    _measures: tuple[Measure, ...] = ()
    _quantities: dict[str, Measure] = field(default_factory=dict)
    _sheet: list[SheetRow] = field(default_factory=list)
    _sample_ids: list[str] = field(default_factory=list)
    _values: list[FloatArray] = field(default_factory=list)
    _of_cells: list[dict[str, float]] = field(default_factory=list)

    def add(self, profile: EscapeProfile) -> None:
        """Keep the numbers of one more profile."""
        if not self._values:
            self._cohort, self._measures = profile.cohort, _measures(profile)
        self._sheet.append(profile.metadata)
        self._sample_ids.append(profile.sample_id)
        self._values.append(np.array(_values(profile), dtype=np.float64))
        self._of_cells.append(self._cells(profile))

    def columns(self) -> CohortColumns:
        """Columns of all profiles that were added."""
        n, nan = len(self._values), float("nan")
        values = np.array(self._values).reshape((n, len(self._measures)))
        cells = np.array([[one.get(name, nan) for name in self._quantities] for one in self._of_cells])
        return CohortColumns(
            self._cohort,
            (*self._measures, *self._quantities.values()),
            tuple(self._sheet),
            np.hstack([values, cells.reshape((n, len(self._quantities)))]),
            tuple(self._sample_ids),
        )

    def _cells(self, profile: EscapeProfile) -> dict[str, float]:
        """Quantities of a sample's patient that have a value; any sample can be the first that has them."""
        quantities = () if profile.cells is None else profile.cells.quantities
        for one in quantities:
            self._quantities.setdefault(one.quantity, _measure_of(one))
        return {one.quantity: one.value for one in quantities if one.value is not None}


def _measures(profile: EscapeProfile) -> tuple[Measure, ...]:
    """What is measured in every sample of a run."""
    index = ("immunoresistance_index", "Immunoresistance index", MeasureKind.INDEX, "0-100")
    axes = ((axis.axis, axis.title, MeasureKind.AXIS, "reference SD") for axis in profile.axes)
    published = (
        (score.score_id, score.title, MeasureKind.PUBLISHED, score.unit) for score in profile.published
    )
    return tuple(
        Measure(
            measure=name,
            title=title,
            kind=kind,
            unit=unit,
            # every shipped formula measures inflammation or immunogenicity, which its authors tie to response
            expects=Expectation.RESPONSE if kind is MeasureKind.PUBLISHED else Expectation.RESISTANCE,
        )
        for name, title, kind, unit in (index, *axes, *published)
    )


def _measure_of(quantity: QuantityRecord) -> Measure:
    """A quantity of single cells as a measure; one that only describes the tumour expects nothing."""
    expected = {1: Expectation.RESISTANCE, -1: Expectation.RESPONSE}
    return Measure(
        measure=quantity.quantity,
        title=quantity.title,
        kind=MeasureKind.CELLS,
        unit=quantity.unit,
        expects=expected.get(quantity.direction),
    )


def _values(profile: EscapeProfile) -> list[float]:
    """Values in the order of the measures; NaN = not evaluable."""
    given = (
        profile.index.score,
        *(axis.score for axis in profile.axes),
        *(score.value for score in profile.published),
    )
    return [float("nan") if value is None else value for value in given]
