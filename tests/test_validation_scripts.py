"""Scripts of ``validation/`` skip missing data, and count errors of scores and calls as documented."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from escape_score.reference.read import load_reference

VALIDATION = Path(__file__).resolve().parents[1] / "validation"
AXIS = "coinhibition"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """A module of the folder, by name."""
    monkeypatch.syspath_prepend(VALIDATION)
    return import_module(request.param)


def group(raw: float, score: float) -> pd.DataFrame:
    """Two samples of one treatment, with an error of 0.5."""
    columns = {"raw": raw, "": score, "low_within": score - 0.5, "high_within": score + 0.5}
    return pd.DataFrame({f"{AXIS}_{end}".rstrip("_"): [value] * 2 for end, value in columns.items()})


@pytest.mark.parametrize("script", ["truth"], indirect=True)
@pytest.mark.parametrize(
    ("raw", "score", "sign", "is_fault"),
    [
        (1.1, -0.6, 1, True),
        (1.1, -0.4, 1, False),
        (0.9, -0.6, 1, False),
        (-1.1, 0.6, 1, False),
        (-1.1, 0.6, -1, True),
        (1.1, np.nan, 1, False),
    ],
    ids=["falls", "within its error", "genes hardly rise", "genes fall", "a loss rises", "not evaluable"],
)
def test_score_against_its_own_genes_is_a_fault(
    script: ModuleType, raw: float, score: float, sign: int, is_fault: bool
) -> None:
    found = script.opposed(group(raw, score), group(0.0, 0.0), AXIS, sign)
    assert bool(found) == is_fault


@pytest.mark.parametrize("script", ["truth"], indirect=True)
def test_axes_without_calls_are_left_out_of_shares(script: ModuleType) -> None:
    calls = ["detected", "borderline", "not_evaluable", "not_detected"]
    table = pd.DataFrame({"a_call": calls, "b_call": ["", "", "", ""], "c_call": [None] * 4})
    found = script.call_shares(table)
    assert found.to_dict("index") == {"a": {"detected": 0.25, "borderline": 0.25, "not_evaluable": 0.25}}


@pytest.mark.parametrize("script", ["call_errors"], indirect=True)
def test_false_calls_are_those_whose_true_score_is_below_the_threshold(script: ModuleType) -> None:
    table = pd.DataFrame(
        {
            "score": [1.5, 0.5, -0.5, 2.0, 0.1],
            "threshold": 1.0,
            "call": ["detected", "detected", "detected", "borderline", "not_detected"],
        }
    )
    found = script.figures(table)
    assert (found["n detected"], found["truly above"]) == (3, 2)
    assert found["below threshold"] == pytest.approx(2 / 3)
    assert found["below 0"] == pytest.approx(1 / 3)
    assert (found["detected"], found["borderline"], found["not_detected"]) == (0.5, 0.5, 0.0)


@pytest.mark.parametrize("script", ["lab_reference"], indirect=True)
def test_tpm_is_scored_through_the_stages_of_the_program(script: ModuleType) -> None:
    reference = load_reference()
    genes = list(reference.genes.symbols)
    tpm = pd.DataFrame([np.exp2(reference.genes.location)] * 3, ["a", "b", "c"], genes)
    assert list(script.run(tpm, reference).to_frame().index) == ["a", "b", "c"]


@pytest.mark.parametrize("arguments", [("truth.py", "--cohorts"), ("call_errors.py",)], ids=lambda a: a[0])
def test_missing_data_are_reported_and_skipped(arguments: tuple[str, ...], tmp_path: Path) -> None:
    name, *cohorts = arguments
    folder = [*cohorts, *[str(tmp_path)] * len(cohorts), "--wheels", str(tmp_path)]
    ran = subprocess.run(
        [sys.executable, str(VALIDATION / name), *folder], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "tcga: no TumorDecon wheel" in ran.stdout
