"""Cohorts side by side: which questions are pooled, on which scale, and what is said of the rest."""

from __future__ import annotations

import math

import pytest
from tests.statistics.gathered import every_note, gathered, groups, response, survival, three_cohorts

from escape_score.model.record import Call, NoteRecord
from escape_score.model.record_comparison import CohortComparison, PoolingModel, QuestionKind
from escape_score.report.messages import sentence
from escape_score.report.text.i18n import translations
from escape_score.statistics.comparison import compare_cohorts
from escape_score.statistics.ranks import rates_of

INDEX = "immunoresistance_index"


def kinds(notes: tuple[NoteRecord, ...]) -> list[str]:
    return [str(one.params["kind"]) for one in notes]


def test_questions_of_two_cohorts_are_pooled_in_their_order() -> None:
    found = compare_cohorts(three_cohorts())
    assert [(one.kind, one.label, len(one.cohorts)) for one in found.questions] == [
        (QuestionKind.RESPONSE, "response", 3),
        (QuestionKind.SURVIVAL, "os", 2),
        (QuestionKind.GROUPS, "msi", 2),
    ]
    of_response, of_survival, of_groups = found.questions
    assert [row.model for row in of_response.rows] == [
        PoolingModel.RANDOM,
        PoolingModel.FIXED,
        PoolingModel.RANDOM,
    ]
    assert [one.cohort for one in of_response.rows[1].left_out] == ["west"]
    assert kinds(tuple(one.reason for one in of_survival.left_out)) == ["no_labels"]
    assert kinds(tuple(one.reason for one in of_groups.left_out)) == ["other_groups"]
    assert found.n_tests == 3 + 3 + 3


def test_effects_are_added_on_their_own_scale() -> None:
    effects = [{INDEX: (0.8, 0.2)}, {INDEX: (0.2, 0.2)}]
    found = compare_cohorts(
        [
            gathered(
                str(at),
                of_response=response(one),
                of_survival=[survival(one)],
                comparisons=[groups(one)],
            )
            for at, one in enumerate(effects)
        ]
    )
    area, ratio, rank = (question.rows[0] for question in found.questions)
    middle = 1 / (1 + math.exp(-0.5))
    assert area.effect == pytest.approx(middle)
    assert ratio.effect == pytest.approx(math.exp(0.5))
    assert rank.effect == pytest.approx(2 * middle - 1)
    half = 1.959964 * 0.2 / math.sqrt(2)
    assert ratio.interval.high == pytest.approx(math.exp(0.5 + half), rel=1e-6)
    assert [one.standard_error for one in area.cohorts] == pytest.approx([0.2, 0.2])
    assert [one.weight for one in rank.cohorts] == pytest.approx([0.5, 0.5])
    # all three have the same effect on the scale of pooling
    assert area.p_value == pytest.approx(rank.p_value) == pytest.approx(ratio.p_value)


def test_direction_follows_what_is_expected() -> None:
    effects = {INDEX: (0.8, 0.2), "cyt": (0.8, 0.2)}
    found = compare_cohorts([gathered(name, of_response=response(effects)) for name in "ab"])
    assert {row.measure.measure: row.higher_in for row in found.questions[0].rows} == {
        INDEX: "NR",
        "cyt": "R",
    }
    turned = {name: (-value, error) for name, (value, error) in effects.items()}
    found = compare_cohorts([gathered(name, of_survival=[survival(turned)]) for name in "ab"])
    assert {row.higher_in for row in found.questions[0].rows} == {"longer"}


def test_false_discovery_rates_are_over_all_questions() -> None:
    found = compare_cohorts(three_cohorts())
    rows = [row for question in found.questions for row in question.rows]
    assert [row.q_value for row in rows] == pytest.approx(rates_of([row.p_value for row in rows]))
    assert max(row.q_value for row in rows) <= 1
    for question in found.questions:
        assert question.findings[0].params["n"] == sum(row.q_value < 0.05 for row in question.rows)


def test_shifts_are_pooled_over_one_reference_only() -> None:
    one, other = ({INDEX: (0.8, 0.2)} for _ in range(2))
    same = [
        gathered("a", of_response=response(one, shift=2)),
        gathered("b", of_response=response(other, shift=4)),
    ]
    shift = compare_cohorts(same).questions[0].rows[0].shift
    assert shift is not None
    assert shift.shift == pytest.approx(3.0)
    assert shift.n_cohorts == 2
    different = [same[0], gathered("b", of_response=response(other), reference_sha256="0" * 64)]
    assert compare_cohorts(different).questions[0].rows[0].shift is None


def test_pairs_and_groups_are_not_pooled_together() -> None:
    effects = {INDEX: (0.8, 0.2)}
    paired, unpaired = groups(effects, is_paired=True), groups(effects)
    cohorts = [gathered("a", comparisons=[paired]), gathered("b", comparisons=[unpaired])]
    found = compare_cohorts(cohorts)
    assert found.questions == ()
    assert kinds(found.notes) == ["no_question"]
    pairs = [gathered(name, comparisons=[paired]) for name in "ab"]
    assert compare_cohorts(pairs).questions[0].kind is QuestionKind.PAIRS


def test_order_of_cohorts_changes_no_number() -> None:
    first, second = compare_cohorts(three_cohorts()), compare_cohorts(three_cohorts()[::-1])

    def numbers(found: CohortComparison) -> dict[tuple[str, str], float]:
        return {
            (question.label, row.measure.measure): row.effect
            for question in found.questions
            for row in question.rows
        }

    assert numbers(first) == pytest.approx(numbers(second))


def test_calls_are_shares_with_intervals() -> None:
    (mechanism,) = compare_cohorts(three_cohorts()).calls
    assert [one.cohort for one in mechanism.cohorts] == [one.name for one in three_cohorts()]
    shares = {one.call: one for one in mechanism.cohorts[0].shares}
    assert sum(one.share for one in shares.values()) == pytest.approx(1)
    assert (shares[Call.DETECTED].n, shares[Call.DETECTED].share) == (6, 0.2)
    assert shares[Call.DETECTED].interval.low == pytest.approx(0.0951, abs=1e-4)


def test_cautions_say_why_cohorts_are_not_comparable() -> None:
    relative, differing, alike, empty = map(compare_cohorts, every_note())
    assert kinds(relative.cautions) == ["cohort_relative"]
    assert relative.cautions[0].params["names"] == ("west",)
    assert kinds(differing.cautions) == [
        *("references", "gene_sets", "versions"),
        *("shared_samples", "shared_samples", "shared_samples"),
    ]
    assert kinds(alike.cautions) == []
    assert kinds(empty.notes) == ["no_question", "many_groups"]
    assert kinds(differing.notes) == ["how_to_read", "two_cohorts"]
    assert {
        str(one.reason.params["kind"])
        for question in differing.questions
        for row in question.rows
        for one in row.left_out
    } == {"untested", "no_error", "other_definition"}


def test_columns_of_more_than_two_groups_are_named() -> None:
    three = groups({INDEX: (0.8, 0.2)}, column="site", names=("lung", "liver", "skin"))
    two = groups({INDEX: (0.8, 0.2)}, column="site", names=("lung", "liver"))
    found = compare_cohorts([gathered("a", comparisons=[three]), gathered("b", comparisons=[two])])
    assert kinds(found.notes) == ["no_question", "many_groups"]
    assert sentence(found.notes[1], translations("en")) == (
        "site: 3 groups (a); only comparisons of two groups are pooled."
    )
    pooled = [gathered("a", comparisons=[three]), *(gathered(n, comparisons=[two]) for n in "bc")]
    assert "many_groups" not in kinds(compare_cohorts(pooled).notes)
    assert "many_groups" not in kinds(
        compare_cohorts([gathered("a", comparisons=[three]), gathered("b")]).notes
    )
