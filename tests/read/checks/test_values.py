"""What one pass over a matrix finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from tests.read.matrices import facts_of

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import ROWS_AT_ONCE
from escape_score.model.notes import Code, NoteLog
from escape_score.read.checks.values import check_finite, flag_samples

MakeFrame = Callable[..., pd.DataFrame]
Array = npt.NDArray[np.float64]


def mapped(frame: pd.DataFrame, change: Callable[[Array], Array]) -> pd.DataFrame:
    """The frame with its values changed."""
    return pd.DataFrame(change(frame.to_numpy(dtype=float)), index=frame.index, columns=frame.columns)


def flags_by_sample(log: NoteLog) -> dict[str, set[Code]]:
    return {
        sample: {note.code for owner, note in log.by_sample if owner == sample} for sample, _ in log.by_sample
    }


def test_gather_facts_agrees_with_whole_matrix(make_tpm: MakeFrame) -> None:
    frame = mapped(make_tpm(n_samples=2 * ROWS_AT_ONCE + 3) + 0.001, np.log2)
    frame.iloc[3, 5] = np.nan
    facts = facts_of(frame)
    assert np.array_equal(facts.maximum, frame.max())
    assert np.array_equal(facts.minimum, frame.min())
    assert np.allclose(facts.total, frame.sum(), rtol=1e-12)
    assert np.allclose(facts.exp2_total, mapped(frame, np.exp2).sum(), rtol=1e-12)
    assert np.array_equal(facts.n_negative, (frame < 0).sum())
    assert np.array_equal(facts.n_floor, (frame < -9.96).sum())
    assert facts.n_missing.sum() == facts.n_missing[5] == 1


def test_flag_samples_names_degenerate_samples(make_tpm: MakeFrame) -> None:
    frame = make_tpm(n_samples=7)
    frame["P01"] = 0.0
    frame["P02"] = 3.5
    frame["P03"] = np.nan
    frame["P05"] = frame["P04"]
    frame.iloc[7, 6] = np.nan
    log = flag_samples(facts_of(frame))
    assert log.cohort == ()
    assert flags_by_sample(log) == {
        "P01": {Code.SAMPLE_EMPTY},
        "P02": {Code.SAMPLE_CONSTANT},
        "P03": {Code.SAMPLE_EMPTY, Code.MISSING_VALUES},
        "P04": {Code.IDENTICAL_SAMPLES},
        "P05": {Code.IDENTICAL_SAMPLES},
        "P06": {Code.MISSING_VALUES},
    }


def test_flag_samples_knows_quantile_normalisation(make_tpm: MakeFrame) -> None:
    logs = mapped(make_tpm() + 1, np.log2)
    normalised = logs.rank(method="first").apply(lambda ranks: np.sort(logs["P00"])[ranks.astype(int) - 1])
    assert [note.code for note in flag_samples(facts_of(normalised)).cohort] == [Code.QUANTILE_NORMALISED]
    assert flag_samples(facts_of(logs)).cohort == ()
    assert flag_samples(facts_of(logs[["P00"]])).cohort == ()


@pytest.mark.parametrize(
    ("cell", "said"), [(np.inf, "1 cells are infinite.*P03"), (1e200, "P03.*no expression")]
)
def test_check_finite_refuses(make_tpm: MakeFrame, cell: float, said: str) -> None:
    frame = make_tpm()
    frame.iloc[0, 3] = cell
    with pytest.raises(MatrixInvalidError, match=said):
        check_finite(facts_of(frame))
