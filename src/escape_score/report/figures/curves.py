"""Curves of survival with numbers at risk, and ROC curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from escape_score.model.record_statistics import RocCurve, SurvivalCurve, SurvivalCurves
from escape_score.report.figures.frame import Figure, Scale, axis_x, axis_y, figure_of, path, shortened, text
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_interval
from escape_score.report.text.visible import visible_text

_WIDTH, _LEFT, _TOP, _BOTTOM = 440, 56, 12, 250
_ROC_WIDTH, _SIDE, _NAME = 390, 300, 225


def survival_figure(stem: str, found: SurvivalCurves | None, words: Language) -> Figure | None:
    """Draw Kaplan-Meier curves above and up to the median of the index, with numbers at risk below."""
    if found is None or found.times[-1] <= 0:
        return None
    x, y = Scale(0.0, found.times[-1], _LEFT, _WIDTH - 24), Scale(0.0, 1.0, _BOTTOM, _TOP)
    parts = [
        axis_x(x, _BOTTOM, words, label=words.gettext("days")),
        axis_y(y, _LEFT, words, label=words.gettext("fraction without event")),
    ]
    title = translate_record_text(visible_text(found.measure.title), words)
    cut = words.fixed(found.cut, 1)
    above, up_to = f"{title} > {cut}", f"{title} ≤ {cut}"
    parts.append(text(_LEFT, _BOTTOM + 52, words.gettext("At risk"), css_class="name"))
    parts += [
        text(x(at), _BOTTOM + 52, words.fixed(at, 0), anchor="middle", css_class="tick")
        for at in found.times[1:]
    ]
    for place, curve in enumerate(found.curves):
        parts += [_band(curve, x, y, place), path(f"curve s{place}", _steps(curve, x, y))]
        parts += [
            path(f"curve s{place}", [(x(at), y(_height(curve, at)) - 3), (x(at), y(_height(curve, at)) + 3)])
            for at in curve.censored
        ]
        name = words.gettext("{name}: {n_events} events of {n}").format(
            name=above if curve.is_high else up_to, n_events=curve.n_events, n=curve.n
        )
        line = _BOTTOM + 70 + 34 * place
        parts += [
            path(f"curve s{place}", [(6, line - 4), (36, line - 4)]),
            text(42, line, name, width=_WIDTH - 60),
        ]
        parts += [
            text(x(at), line + 15, str(n), anchor="middle")
            for at, n in zip(found.times, curve.at_risk, strict=True)
        ]
    said = words.gettext("Kaplan-Meier curves of samples above and up to the median of the index")
    caption = words.gettext(
        "Kaplan-Meier curves with 95 % intervals by the median of the index; ticks: censored. A description, "
        "not a test."
    )
    return figure_of(stem, caption, (_WIDTH, _BOTTOM + 128), parts, _survival_table(found), said=said)


def _steps(curve: SurvivalCurve, x: Scale, y: Scale) -> list[tuple[float, float]]:
    points = [(x(0.0), y(1.0))]
    for at, share in zip(curve.days, curve.survival, strict=True):
        points += [(x(at), points[-1][1]), (x(at), y(share))]
    return points


def _band(curve: SurvivalCurve, x: Scale, y: Scale, place: int) -> Markup:
    edges = []
    for bounds in (curve.low, curve.high):
        edge = [(x(0.0), y(1.0))]
        for at, share in zip(curve.days, bounds, strict=True):
            edge += [(x(at), edge[-1][1]), (x(at), y(share))]
        edges.append(edge)
    return path(f"band b{place}", [*edges[0], *reversed(edges[1])], is_closed=True)


def _height(curve: SurvivalCurve, day: float) -> float:
    """Share at a day: that of the last step before it."""
    return next(
        (share for at, share in zip(curve.days[::-1], curve.survival[::-1], strict=True) if at <= day), 1.0
    )


def _survival_table(found: SurvivalCurves) -> Iterator[tuple[str | float, ...]]:
    yield "half", "days", "survival", "low", "high"
    for curve in found.curves:
        half = "above the median" if curve.is_high else "up to the median"
        for row in zip(curve.days, curve.survival, curve.low, curve.high, strict=True):
            yield half, *row


def roc_figure(stem: str, curves: Sequence[RocCurve], words: Language) -> Figure | None:
    """Draw the ROC curves of the index, the best axis and the best published score."""
    if not curves:
        return None
    bottom = _TOP + _SIDE
    x, y = Scale(0.0, 1.0, _LEFT, _LEFT + _SIDE), Scale(0.0, 1.0, bottom, _TOP)
    parts = [
        axis_x(x, bottom, words, label=words.gettext("false positive rate")),
        axis_y(y, _LEFT, words, label=words.gettext("true positive rate")),
        path("chance", [(x(0), y(0)), (x(1), y(1))]),
    ]
    for place, curve in enumerate(curves):
        if curve.grid:
            edges = [
                [(x(at), y(one)) for at, one in zip(curve.grid, b, strict=True)]
                for b in (curve.low, curve.high)
            ]
            parts.append(path(f"band b{place}", [*edges[0], *reversed(edges[1])], is_closed=True))
        points = zip(curve.false_positive, curve.true_positive, strict=True)
        parts.append(path(f"curve s{place}", [(x(false), y(true)) for false, true in points]))
        line = bottom + 54 + 18 * place
        name = words.gettext("{title}: {area} {interval}").format(
            # the figures at the end are never cut
            title=shortened(translate_record_text(visible_text(curve.measure.title), words), _NAME),
            area=words.fixed(curve.auroc, 2),
            interval=format_interval(curve.interval, words, decimals=2),
        )
        parts += [
            path(f"curve s{place}", [(6, line - 4), (36, line - 4)]),
            text(42, line, name),
        ]
    said = words.gettext("ROC curves of {n} measures with their areas and 95 % intervals").format(
        n=len(curves)
    )
    caption = words.gettext(
        "ROC curves with AUROC and 95 % interval; band: 95 % of bootstrap curves of the index."
    )
    size = (_ROC_WIDTH, bottom + 54 + 18 * len(curves))
    return figure_of(stem, caption, size, parts, _roc_table(curves), said=said)


def _roc_table(curves: Sequence[RocCurve]) -> Iterator[tuple[str | float, ...]]:
    yield "measure", "false_positive", "true_positive"
    for curve in curves:
        for row in zip(curve.false_positive, curve.true_positive, strict=True):
            yield curve.measure.measure, *row
