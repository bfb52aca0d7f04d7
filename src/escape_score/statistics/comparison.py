"""Several cohorts side by side: their calls, and every effect that two of them have, pooled."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from escape_score.model.notes import Code, Note, note
from escape_score.model.record import Call, NoteRecord, Status
from escape_score.model.record_comparison import (
    CohortCalls,
    CohortComparison,
    CohortEffect,
    ComparedCohort,
    MechanismCalls,
    NotPooled,
    PooledEffectName,
    PooledRow,
    PooledShift,
    PoolingModel,
    Question,
    QuestionKind,
    Share,
)
from escape_score.model.record_statistics import (
    CohortStatistics,
    ConfidenceInterval,
    EffectName,
    Expectation,
    GroupComparison,
    GroupTest,
    Measure,
    MeasureKind,
)
from escape_score.statistics.groups import FDR, TWO
from escape_score.statistics.meta import FEWEST, FEWEST_RANDOM, Pooled, error_of, pool, wilson_interval
from escape_score.statistics.ranks import LARGEST_LOGARITHM, expit, rates_of

SHORTER, LONGER = "shorter", "longer"
"""What larger values go with, in survival."""


@dataclass(frozen=True)
class GatheredCohort:
    """One cohort to compare: what its result says, its calls by axis, with the title of each.

    ``sample_ids`` show whether two cohorts share samples.
    """

    facts: ComparedCohort
    statistics: CohortStatistics
    calls: Mapping[str, tuple[str, Counter[Call]]]
    sample_ids: frozenset[str]

    @property
    def name(self) -> str:
        """Name on the page."""
        return self.facts.cohort


class _Asked(NamedTuple):
    """What a label is asked; equal in two cohorts if their effects can be pooled."""

    kind: QuestionKind
    label: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """The effect of one measure in one cohort."""

    measure: Measure
    n: int
    effect: float
    interval: ConfidenceInterval | None
    shift: float | None = None
    shift_interval: ConfidenceInterval | None = None


_Answers = Mapping[_Asked, Mapping[str, _Found]]
"""Effects of one cohort, by question and measure."""


@dataclass(frozen=True)
class _Scale:
    """Where effects are added, and the way back."""

    to: Callable[[float], float]
    back: Callable[[float], float]


def compare_cohorts(cohorts: Sequence[GatheredCohort], *, title: str = "") -> CohortComparison:
    """Put cohorts side by side and pool their effects.

    Parameters
    ----------
    cohorts
        At least two, each with a name of its own.
    title
        Of the page; empty for none.

    Returns
    -------
    CohortComparison
        No sample of one cohort is compared with one of another: each effect is one inside its cohort.
    """
    answers = [_answers_of(one.statistics) for one in cohorts]
    questions = _rated([_question(asked, cohorts, answers) for asked in _shared_questions(answers)])
    return CohortComparison(
        title=title,
        cohorts=tuple(one.facts for one in cohorts),
        cautions=tuple(map(NoteRecord.of, _cautions(cohorts))),
        calls=tuple(_calls(axis, cohorts) for axis in _all_axes(cohorts)),
        questions=questions,
        n_tests=sum(len(question.rows) for question in questions),
        notes=tuple(map(NoteRecord.of, (*_notes(questions), *_many_groups(questions, cohorts)))),
    )


# --- calls --------------------------------------------------------------------------------------------------


def _all_axes(cohorts: Sequence[GatheredCohort]) -> list[str]:
    return list(dict.fromkeys(axis for one in cohorts for axis in one.calls))


def _calls(axis: str, cohorts: Sequence[GatheredCohort]) -> MechanismCalls:
    known = [(one.name, *one.calls[axis]) for one in cohorts if axis in one.calls]
    return MechanismCalls(
        axis=axis,
        title=known[0][1],
        cohorts=tuple(_cohort_calls(name, counts) for name, _, counts in known),
    )


def _cohort_calls(name: str, counts: Counter[Call]) -> CohortCalls:
    n_all = counts.total()
    shares = (
        Share(
            call=call,
            n=counts[call],
            share=counts[call] / n_all,
            interval=wilson_interval(counts[call], n_all),
        )
        for call in Call
    )
    return CohortCalls(cohort=name, n_samples=n_all, shares=tuple(shares))


# --- what each cohort answers -------------------------------------------------------------------------------


def _answers_of(statistics: CohortStatistics) -> _Answers:
    return {
        asked: {one.measure.measure: one for one in found}
        for asked, found in (
            *_response_answers(statistics),
            *_survival_answers(statistics),
            *_group_answers(statistics),
        )
    }


def _response_answers(statistics: CohortStatistics) -> Iterator[tuple[_Asked, list[_Found]]]:
    if statistics.response is not None:
        rows = statistics.response.rows
        yield (
            _Asked(QuestionKind.RESPONSE, "response", ("R", "NR")),
            [
                _Found(row.measure, row.n_evaluable, row.auroc, row.interval, row.shift, row.shift_interval)
                for row in rows
            ],
        )


def _survival_answers(statistics: CohortStatistics) -> Iterator[tuple[_Asked, list[_Found]]]:
    for one in statistics.survival:
        found = [_Found(row.measure, row.n, row.hazard_ratio, row.interval) for row in one.rows]
        yield _Asked(QuestionKind.SURVIVAL, one.endpoint), found


def _group_answers(statistics: CohortStatistics) -> Iterator[tuple[_Asked, list[_Found]]]:
    """Comparisons of two groups; effects of more have no direction."""
    for one in statistics.comparisons:
        if len(one.groups) != TWO:
            continue
        found = [
            _Found(
                row.measure, row.n_evaluable, row.effect, row.effect_interval, row.shift, row.shift_interval
            )
            for row in one.rows
            if row.effect_name is EffectName.RANK_BISERIAL
        ]
        kind = QuestionKind.PAIRS if _is_paired(one) else QuestionKind.GROUPS
        yield _Asked(kind, one.column, one.groups), found


def _is_paired(comparison: GroupComparison) -> bool:
    return any(row.test is GroupTest.WILCOXON for row in comparison.rows)


def _shared_questions(answers: Sequence[_Answers]) -> list[_Asked]:
    """Questions that at least two cohorts answer: response, survival, groups, pairs."""
    counts = Counter(asked for of_cohort in answers for asked in of_cohort)
    kinds = list(QuestionKind)
    shared = [asked for asked, n in counts.items() if n >= FEWEST]
    return sorted(shared, key=lambda asked: (kinds.index(asked.kind), asked.label, asked.groups))


# --- pooled effects -----------------------------------------------------------------------------------------
#
# AUROC on the logit scale: there its distribution over cohorts is closest to normal (Snell, Ensor, Debray,
# Moons & Riley 2018, Stat Methods Med Res 27:3505, doi:10.1177/0962280217705678), results stay inside 0 and
# 1, and DeLong's interval is symmetrical, so that its width gives the standard error back. An odds ratio
# would need a model with the same covariates in every cohort, and few measures have one. The rank-biserial
# correlation is 2 AUROC - 1 and is added on the same scale. Hazard ratios are added as logarithms, on which
# Wald's interval is symmetrical.


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _exp(value: float) -> float:
    return math.exp(min(max(value, -LARGEST_LOGARITHM), LARGEST_LOGARITHM))


_SCALES: Mapping[PooledEffectName, _Scale] = MappingProxyType(
    {
        PooledEffectName.AUROC: _Scale(_logit, expit),
        PooledEffectName.RANK_BISERIAL: _Scale(
            lambda effect: _logit((1 + effect) / 2), lambda value: 2 * expit(value) - 1
        ),
        PooledEffectName.HAZARD_RATIO: _Scale(math.log, _exp),
    }
)
_EFFECTS: Mapping[QuestionKind, PooledEffectName] = MappingProxyType(
    {
        QuestionKind.RESPONSE: PooledEffectName.AUROC,
        QuestionKind.SURVIVAL: PooledEffectName.HAZARD_RATIO,
        QuestionKind.GROUPS: PooledEffectName.RANK_BISERIAL,
        QuestionKind.PAIRS: PooledEffectName.RANK_BISERIAL,
    }
)


@dataclass(frozen=True)
class _Scaled:
    """An effect of a cohort on the scale of pooling."""

    cohort: GatheredCohort
    found: _Found
    interval: ConfidenceInterval
    value: float
    error: float


def _question(asked: _Asked, cohorts: Sequence[GatheredCohort], answers: Sequence[_Answers]) -> Question:
    having = [(one, own[asked]) for one, own in zip(cohorts, answers, strict=True) if asked in own]
    without = [(one, own) for one, own in zip(cohorts, answers, strict=True) if asked not in own]
    measures = list(dict.fromkeys(name for _, found in having for name in found))
    rows = [row for name in measures if (row := _row(asked, name, having)) is not None]
    return Question(
        kind=asked.kind,
        label=asked.label,
        groups=asked.groups,
        effect_name=_EFFECTS[asked.kind],
        cohorts=tuple(one.name for one, _ in having),
        left_out=tuple(_not_pooled(one, _why_without(asked, own, one.statistics)) for one, own in without),
        n_untested=len(measures) - len(rows),
        rows=tuple(rows),
    )


def _why_without(asked: _Asked, own: _Answers, statistics: CohortStatistics) -> Note:
    """Why a cohort does not answer a question: other groups, or no labels, or too few."""
    columns = {other.label for other in own} | {one.column for one in statistics.comparisons}
    if asked.kind is QuestionKind.GROUPS and asked.label in columns:
        return note(Code.NOT_POOLED, "other_groups")
    return note(Code.NOT_POOLED, "no_labels")


def _not_pooled(cohort: GatheredCohort, why: Note) -> NotPooled:
    return NotPooled(cohort=cohort.name, reason=NoteRecord.of(why))


def _row(
    asked: _Asked, name: str, having: Sequence[tuple[GatheredCohort, Mapping[str, _Found]]]
) -> PooledRow | None:
    """One measure; None where fewer than two cohorts have an effect that can be pooled."""
    scale = _SCALES[_EFFECTS[asked.kind]]
    first = next(found[name] for _, found in having if name in found).measure
    scaled, left_out = list[_Scaled](), list[NotPooled]()
    for cohort, found in having:
        usable = _scaled(cohort, found.get(name), first, scale)
        if isinstance(usable, _Scaled):
            scaled.append(usable)
        else:
            left_out.append(_not_pooled(cohort, usable))
    if len(scaled) < FEWEST:
        return None
    pooled = pool(np.array([one.value for one in scaled]), np.array([one.error for one in scaled]))
    return _pooled_row(asked, first, scaled, tuple(left_out), pooled)


def _scaled(cohort: GatheredCohort, found: _Found | None, first: Measure, scale: _Scale) -> _Scaled | Note:
    """The effect on the scale of pooling, or why it cannot be pooled."""
    if found is None:
        return note(Code.NOT_POOLED, "untested")
    if (found.measure.expects, found.measure.unit) != (first.expects, first.unit):
        return note(Code.NOT_POOLED, "other_definition")
    if found.interval is None:
        return note(Code.NOT_POOLED, "no_error")
    try:
        value, low, high = map(scale.to, (found.effect, found.interval.low, found.interval.high))
    except (ValueError, ZeroDivisionError):  # an end of the scale
        return note(Code.NOT_POOLED, "no_error")
    error = error_of(low, high)
    if error <= 0:
        return note(Code.NOT_POOLED, "no_error")
    return _Scaled(cohort, found, found.interval, value, error)


def _pooled_row(
    asked: _Asked,
    measure: Measure,
    scaled: Sequence[_Scaled],
    left_out: tuple[NotPooled, ...],
    pooled: Pooled,
) -> PooledRow:
    back = _SCALES[_EFFECTS[asked.kind]].back
    effects = (
        CohortEffect(
            cohort=one.cohort.name,
            n=one.found.n,
            effect=one.found.effect,
            interval=one.interval,
            standard_error=one.error,
            weight=weight,
        )
        for one, weight in zip(scaled, pooled.weights, strict=True)
    )
    return PooledRow(
        measure=measure,
        cohorts=tuple(effects),
        left_out=left_out,
        model=pooled.model,
        effect=back(pooled.effect),
        interval=_back(pooled.interval, back),
        prediction=None if pooled.prediction is None else _back(pooled.prediction, back),
        heterogeneity=pooled.heterogeneity,
        higher_in=_higher_in(asked, measure, pooled.effect),
        shift=_pooled_shift(scaled),
        p_value=pooled.p_value,
        q_value=1.0,
    )


def _back(interval: ConfidenceInterval, back: Callable[[float], float]) -> ConfidenceInterval:
    return ConfidenceInterval(low=back(interval.low), high=back(interval.high))


def _higher_in(asked: _Asked, measure: Measure, value: float) -> str | None:
    """The group with larger values, from the sign on the scale of pooling, where 0 is no difference."""
    if value == 0:
        return None
    if asked.kind is QuestionKind.SURVIVAL:
        return SHORTER if value > 0 else LONGER
    first, second = asked.groups
    if asked.kind is QuestionKind.RESPONSE and measure.expects is not Expectation.RESISTANCE:
        # its area is that of responders over the others
        first, second = second, first
    return second if value > 0 else first


def _pooled_shift(scaled: Sequence[_Scaled]) -> PooledShift | None:
    """Shifts in the measure's unit; only over cohorts with one reference, whose levels can be compared."""
    if len({one.cohort.facts.reference_sha256 for one in scaled}) > 1:
        return None
    shifts, errors = list[float](), list[float]()
    for one in scaled:
        ends = one.found.shift_interval
        if one.found.shift is None or ends is None or (error := error_of(ends.low, ends.high)) <= 0:
            return None
        shifts.append(one.found.shift)
        errors.append(error)
    pooled = pool(np.array(shifts), np.array(errors))
    return PooledShift(
        n_cohorts=len(shifts), model=pooled.model, shift=pooled.effect, interval=pooled.interval
    )


def _rated(questions: Sequence[Question]) -> tuple[Question, ...]:
    """Questions with false discovery rates over all tests; those without a test are left out."""
    asked = [question for question in questions if question.rows]
    p_values = [row.p_value for question in asked for row in question.rows]
    rates = iter(rates_of(p_values) if p_values else [])
    return tuple(_with_findings(question, rates) for question in asked)


def _with_findings(question: Question, rates: Iterator[float]) -> Question:
    """A question with the next rates in its rows, and what they show."""
    rows = tuple(row.model_copy(update={"q_value": next(rates)}) for row in question.rows)
    n_found = sum(row.q_value < FDR for row in rows)
    notes = [note(Code.COMPARED, "found", n=n_found, n_all=len(rows))]
    for index in (row for row in rows if row.measure.kind is MeasureKind.INDEX):
        ends = {"low": index.interval.low, "high": index.interval.high}
        notes.append(note(Code.COMPARED, f"index_{question.effect_name}", number=index.effect, **ends))
    return question.model_copy(update={"rows": rows, "findings": tuple(map(NoteRecord.of, notes))})


# --- what must be known -------------------------------------------------------------------------------------


def _cautions(cohorts: Sequence[GatheredCohort]) -> Iterator[Note]:
    """Why levels cannot be compared, and why cohorts may not be independent or not be scored alike."""
    facts = [one.facts for one in cohorts]
    own = [one.cohort for one in facts if any(s.status is Status.COHORT_RELATIVE for s in one.statuses)]
    if own:
        yield note(Code.COMPARED, "cohort_relative", names=own)
    fixed = [one for one in facts if one.cohort not in own]
    if len({one.reference_sha256 for one in fixed}) > 1:
        yield note(Code.COMPARED, "references", names=_reference_names(fixed))
    if len({one.genesets_sha256 for one in facts}) > 1:
        yield note(Code.COMPARED, "gene_sets")
    if len({one.package_version for one in facts}) > 1:
        yield note(Code.COMPARED, "versions", names=_distinct(one.package_version for one in facts))
    for first, second in combinations(cohorts, 2):
        if n := len(first.sample_ids & second.sample_ids):
            yield note(Code.COMPARED, "shared_samples", n=n, first=first.name, second=second.name)


def _reference_names(facts: Sequence[ComparedCohort]) -> list[str]:
    """Names of references; with their digests where two states have one name."""
    states = {one.reference_sha256: one.reference for one in facts}
    counts = Counter(states.values())
    return [name if counts[name] == 1 else f"{name} {digest[:8]}" for digest, name in states.items()]


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _notes(questions: Sequence[Question]) -> Iterator[Note]:
    """How to read pooled effects; what is missing where there is none."""
    if not questions:
        yield note(Code.COMPARED, "no_question")
        return
    yield note(Code.COMPARED, "how_to_read")
    models = {row.model for question in questions for row in question.rows}
    if PoolingModel.FIXED in models:
        yield note(Code.COMPARED, "two_cohorts")
    if PoolingModel.RANDOM in models:
        yield note(Code.COMPARED, "few_cohorts", least=FEWEST_RANDOM)


def _many_groups(questions: Sequence[Question], cohorts: Sequence[GatheredCohort]) -> Iterator[Note]:
    """Columns that several cohorts have and that are not pooled, as some have more than two groups."""
    found = [(group, one.name) for one in cohorts for group in one.statistics.comparisons]
    n_having = Counter(column for column, _ in {(group.column, name) for group, name in found})
    pooled = {question.label for question in questions if question.kind is not QuestionKind.RESPONSE}
    names: dict[tuple[str, int], list[str]] = {}
    for group, name in found:
        if len(group.groups) > TWO and n_having[group.column] >= FEWEST and group.column not in pooled:
            names.setdefault((group.column, len(group.groups)), []).append(name)
    for (column, n), having in names.items():
        yield note(Code.COMPARED, "many_groups", column=column, n=n, names=having)
