"""Low values that a transformation lifted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from tests.read.matrices import facts_of
from tests.read.transformations import Change, cut, filtered, lifted_combat, log2_plus, vst

from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import in_english
from escape_score.read.checks.low_end import low_end_notes

LOG2 = ExpressionUnit.LOG2_PLUS_1


def kinds(frame: pd.DataFrame, unit: ExpressionUnit = LOG2) -> dict[str, str]:
    """Kind of the flag of each sample; frames are samples × genes."""
    found = list(low_end_notes(facts_of(frame.T), unit))
    assert all(note.code is Code.FLOOR_SUSPECT for _, note in found)
    return {sample: note.kind for sample, note in found}


LIFTED: dict[str, tuple[Change, str]] = {
    "log2(x+8)": (log2_plus(8), "shared"),
    "log2(x+8), filtered": (lambda tpm: log2_plus(8)(filtered(tpm)), "cut"),
    "ComBat less its lowest value": (lifted_combat, "silent"),
    "log2(x+1) of TPM + 1": (lambda tpm: log2_plus(1)(tpm + 1), "shared"),
}


@pytest.mark.parametrize("name", LIFTED)
def test_low_end_notes_flag_lifted_values(demo_tpm: pd.DataFrame, name: str) -> None:
    change, kind = LIFTED[name]
    assert kinds(change(demo_tpm)) == dict.fromkeys(demo_tpm.index, kind)


def test_low_end_notes_flag_vst(demo_counts: pd.DataFrame) -> None:
    assert kinds(vst(demo_counts)) == dict.fromkeys(demo_counts.index, "shared")


def test_low_end_notes_flag_linear_values_that_were_lifted(demo_tpm: pd.DataFrame) -> None:
    assert set(kinds(demo_tpm + 1, ExpressionUnit.TPM).values()) == {"shared"}
    corrected = demo_tpm + np.random.default_rng(4).uniform(0, 2, demo_tpm.shape)
    assert set(kinds(corrected + 5, ExpressionUnit.TPM).values()) == {"silent"}


FILTERS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "none": lambda tpm: tpm,
    "mean above 1": filtered,
    "mean above 5": lambda tpm: filtered(tpm, 5.0),
    "above 1 in all": cut,
    "protein of a panel": lambda tpm: tpm.iloc[:, ::15],
}


@pytest.mark.parametrize("name", FILTERS)
def test_low_end_notes_accept_what_was_filtered_by_expression(demo_tpm: pd.DataFrame, name: str) -> None:
    frame = FILTERS[name](demo_tpm)
    assert kinds(frame, ExpressionUnit.TPM) == {}
    assert kinds(log2_plus(1)(frame)) == {}
    assert kinds(pd.DataFrame(np.log1p(frame)), ExpressionUnit.LN_PLUS_1) == {}
    assert kinds(log2_plus(0.001)(frame), ExpressionUnit.LOG2_PLUS_0001) == {}


def test_low_end_notes_leave_platforms_alone(demo_tpm: pd.DataFrame) -> None:
    assert kinds(log2_plus(8)(demo_tpm), ExpressionUnit.ARRAY) == {}


def test_low_end_notes_do_not_depend_on_company_or_rows(demo_tpm: pd.DataFrame) -> None:
    frame = log2_plus(1)(demo_tpm)
    frame.iloc[2] = np.log2(demo_tpm.iloc[2] + 8)
    assert kinds(frame) == {frame.index[2]: "shared"}
    alone = facts_of(frame.iloc[2:3, ::-1].T).known
    together = facts_of(frame.T).known
    for name, figures in vars(alone).items():
        np.testing.assert_array_equal(figures[0], getattr(together, name)[2])


def test_low_end_notes_say_what_to_do(demo_tpm: pd.DataFrame) -> None:
    note = dict(low_end_notes(facts_of(log2_plus(8)(demo_tpm).T), LOG2))[demo_tpm.index[0]]
    assert "log2(x + 1) = 3.00 and not 0" in in_english(note)
    assert "Give the matrix before that step" in in_english(note)


@pytest.mark.parametrize("lowest", [5, 10])
def test_low_end_notes_do_not_take_a_cut_of_whole_numbers_for_a_lift(
    demo_tpm: pd.DataFrame, lowest: int
) -> None:
    reads = (demo_tpm * 5.0).round()
    for sample in demo_tpm.index:
        alone = reads.loc[[sample], reads.loc[sample] >= lowest]
        assert kinds(alone, ExpressionUnit.COUNTS) == {}
