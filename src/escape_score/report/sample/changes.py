"""Changes since earlier samples of the same patient, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from escape_score.model.record import AxisChange, EscapeProfile, PairedChange
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_interval, format_score


@dataclass(frozen=True)
class ChangeRow:
    """One mechanism, or the index; ``is_clear`` where the interval leaves zero out."""

    title: str
    delta: str
    interval: str
    is_clear: bool


@dataclass(frozen=True)
class ChangeView:
    """All changes since one earlier sample."""

    caption: str
    rows: tuple[ChangeRow, ...]


def change_views(profile: EscapeProfile, words: Language) -> tuple[ChangeView, ...]:
    """Prepare the changes of a sample.

    One for each earlier sample, the earliest first.
    """
    titles = {axis.axis: translate_record_text(axis.title, words) for axis in profile.axes}
    return tuple(_view(change, titles, words) for change in profile.changes)


def _view(change: PairedChange, titles: dict[str, str], words: Language) -> ChangeView:
    caption = words.gettext("Since {sample} ({earlier} to {later})").format(
        sample=change.earlier_sample_id, earlier=change.earlier_timepoint, later=change.timepoint
    )
    index = () if change.index is None else (_row(change.index, words.gettext("Index, points"), words),)
    return ChangeView(
        caption, (*index, *(_row(one, titles.get(one.axis, one.axis), words) for one in change.axes))
    )


def _row(change: AxisChange, title: str, words: Language) -> ChangeRow:
    interval = change.interval
    return ChangeRow(
        title=title,
        delta=format_score(change.delta, words),
        interval=format_interval(interval, words),
        is_clear=interval is not None and (interval.low > 0 or interval.high < 0),
    )
