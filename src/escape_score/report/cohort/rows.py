"""One sample as a row of the cohort's table, and what is counted of every class and mechanism."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import median
from typing import TypeVar

from markupsafe import Markup

from escape_score.model.record import AxisProfile, Call, EscapeProfile, Interval, Quantiles
from escape_score.report.drawing import distribution
from escape_score.report.sample.verdict import called_first
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_index, format_interval, format_score
from escape_score.report.text.wording import Badge, badge, enumerate_words, matters, word_of

K = TypeVar("K", bound=StrEnum | None)

N_LEADING = 3
"""Mechanisms that a row names."""


@dataclass(frozen=True)
class Tally:
    """A label, the filter's key for it, how many samples it holds for and their share in percent."""

    label: str
    key: str
    n_samples: int
    share: str


def filter_key(kind: str, value: StrEnum | None) -> str:
    """What a filter calls a class: a word of our own, never text from outside."""
    return f"{kind}-{value.value}" if value is not None else f"{kind}-none"


def tallies_of(
    counts: Counter[K], kind: str, words: Language, word: Callable[[K, Language], str] = word_of
) -> tuple[Tally, ...]:
    """Only what occurs, most frequent first."""
    return tuple(
        Tally(word(value, words), filter_key(kind, value), n, f"{100 * n / counts.total():.1f}")
        for value, n in counts.most_common()
    )


@dataclass
class MechanismTally:
    """Calls and scores of one mechanism so far."""

    key: str
    title: str
    group: str
    quantiles: Quantiles
    calls: Counter[Call] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)

    @property
    def median(self) -> float | None:
        """Median of the samples where it is evaluable."""
        return median(self.scores) if self.scores else None


def count_mechanisms(
    tallies: dict[str, MechanismTally], axes: tuple[AxisProfile, ...], words: Language
) -> None:
    """Count the mechanisms of one sample; tallies have the order in which profiles name them."""
    for axis in axes:
        if axis.axis not in tallies:
            title, group = (translate_record_text(text, words) for text in (axis.title, axis.group))
            tallies[axis.axis] = MechanismTally(f"m{len(tallies)}", title, group, axis.reference_quantiles)
        tally = tallies[axis.axis]
        if axis.call is not None:
            tally.calls[axis.call] += 1
        if axis.score is not None:
            tally.scores.append(axis.score)


def scores_drawing(tally: MechanismTally, words: Language) -> Markup:
    """Draw the scores of a cohort and of the reference, with the same in words."""
    middle = format_score(tally.median, words)
    if tally.quantiles is None:
        said = words.gettext("scores of the cohort, median {middle}").format(middle=middle)
    else:
        low, _, median_of_reference, _, high = (format_score(value, words) for value in tally.quantiles)
        said = words.gettext(
            "scores of the cohort, median {middle}; 90 % of the reference between {low} and {high}, "
            "median {reference}"
        ).format(middle=middle, low=low, high=high, reference=median_of_reference)
    return distribution(tally.scores, tally.quantiles, alternative=said)


@dataclass(frozen=True)
class SampleRow:
    """One sample in the table.

    ``page`` is the file name of its own page, empty where it has none, ``index_order`` what the column is
    sorted by, ``ends`` those of its interval, ``keys`` the classes and mechanisms that a filter can ask for,
    ``sheet`` what the sample sheet says, ``further`` what it says that no filter has. Values of one text are
    divided by tabs.
    """

    sample_id: str
    page: str
    index: str
    index_order: str
    interval: str
    ends: Markup
    phenotype: str
    archetype: str
    sheet: str
    further: Markup
    status: Badge
    n_flags: int
    n_detected: int
    detected: str
    keys: str


def sample_row(
    profile: EscapeProfile, slug: str, mechanisms: Mapping[str, MechanismTally], words: Language
) -> SampleRow:
    """Prepare the row of a sample."""
    found = called_first(profile.axes)
    titles = tuple(mechanisms[axis.axis].title for axis in found)
    keys = (
        filter_key("s", profile.status),
        filter_key("p", profile.phenotype),
        filter_key("a", profile.archetype),
        *(mechanisms[axis.axis].key for axis in found),
    )
    index = profile.index
    return SampleRow(
        sample_id=profile.sample_id,
        page=f"samples/{slug}.html",
        index=format_index(index.score, words),
        index_order="" if index.score is None else f"{index.score:.3f}",
        # the cell of an index that is not there says so already
        interval="" if index.score is None else format_interval(profile.index_interval, words, decimals=0),
        ends=Markup() if index.score is None else _ends(profile.index_interval),
        phenotype=word_of(profile.phenotype, words),
        archetype=word_of(profile.archetype, words),
        sheet="",
        further=Markup(),
        status=badge(profile.status, words),
        n_flags=sum(matters(flag) for flag in profile.flags),
        n_detected=len(found),
        detected=enumerate_words(titles[:N_LEADING], max(0, len(titles) - N_LEADING), words),
        keys=" ".join(keys),
    )


def _ends(interval: Interval | None) -> Markup:
    """Write the ends of an interval for programs."""
    return Markup() if interval is None else _tabbed((f"{interval.low:.3f}", f"{interval.high:.3f}"))


MAX_LABELS = 12
"""Values of a column of the sheet up to which it is a filter."""


@dataclass(frozen=True)
class Option:
    """One value that a filter can ask for."""

    label: str
    key: str


@dataclass(frozen=True)
class Filter:
    """A column of the sample sheet by which the table can be filtered."""

    name: str
    label: str
    options: tuple[Option, ...]


def rows_with_filters(
    rows: Sequence[SampleRow], sheets: Sequence[Mapping[str, str]]
) -> tuple[tuple[SampleRow, ...], tuple[Filter, ...]]:
    """Add to rows the keys of their labels; a sheet is value by label of the column.

    Columns with two to twelve values count, of which some sample shares one.
    """
    filters: list[Filter] = []
    keys: list[list[str]] = [[row.keys] for row in rows]
    for label in dict.fromkeys(label for sheet in sheets for label in sheet):
        values = [sheet.get(label, "") for sheet in sheets]
        known = sorted({value for value in values if value})
        if not 1 < len(known) <= MAX_LABELS or len(known) == sum(map(bool, values)):
            continue
        name = f"l{len(filters)}"
        options = {value: Option(value, f"{name}-{at}") for at, value in enumerate(known)}
        filters.append(Filter(name, label, tuple(options.values())))
        for at, value in enumerate(values):
            keys[at] += [options[value].key] if value else []
    extended = (replace(row, keys=" ".join(own)) for row, own in zip(rows, keys, strict=True))
    return tuple(extended), tuple(filters)


def rows_with_sheet(
    rows: Sequence[SampleRow],
    sheets: Sequence[Mapping[str, str]],
    filters: Sequence[Filter],
    words: Language,
) -> tuple[tuple[SampleRow, ...], Markup]:
    """Add what the sample sheet says to rows, where samples differ.

    Columns of the sheet with the same value in every sample are left out: a page of one sample has them.
    The text returned with the rows names the columns that have no filter, divided by tabs.
    """
    labels = dict.fromkeys(label for sheet in sheets for label in sheet)
    shown = [label for label in labels if len({sheet.get(label, "") for sheet in sheets}) > 1]
    filtered = {one.label for one in filters}
    further = [label for label in shown if label not in filtered]
    extended = tuple(
        replace(
            row,
            sheet=words.gettext("; ").join(
                words.gettext("{label}: {value}").format(label=label, value=sheet[label])
                for label in shown
                if sheet.get(label)
            ),
            further=_tabbed(sheet.get(label, "") for label in further),
        )
        for row, sheet in zip(rows, sheets, strict=True)
    )
    return extended, _tabbed(further)


def _tabbed(texts: Iterable[str]) -> Markup:
    """Join texts by tabs, written as HTML does; the blanks inside a text become plain ones."""
    return Markup("&#9;").join(" ".join(text.split()) for text in texts)
