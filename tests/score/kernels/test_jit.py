"""Kernels are compiled at their first call, once for all threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import FunctionType
from typing import Any, cast

import numpy as np
import pytest

from escape_score.model.cohort import FloatArray
from escape_score.score.kernels import jit

FACTOR = 3.0


@jit.inner
def _twice(value: float) -> float:
    return 2.0 * value


@jit.inner
def _scaled(value: float) -> float:
    return FACTOR * _twice(value)


@jit.kernel("float64[1]")
def total(values: FloatArray) -> float:
    """Six times the sum."""
    result = 0.0
    for value in values:
        result += _scaled(value)
    return result


def test_kernel_is_compiled_once_for_all_threads_and_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    start, compile_now = Barrier(4), jit._compile

    def counted(function: FunctionType, signatures: Sequence[str]) -> object:
        compiled.append(function.__name__)
        return compile_now(function, signatures)

    def call(_: int) -> float:
        start.wait()
        return total(np.arange(4.0))

    monkeypatch.setattr(jit, "_compile", counted)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, range(4))) == [36.0] * 4
    assert sorted(compiled) == ["_scaled", "_twice", "total"]
    stats = cast(Any, total).compiled().stats
    assert list(Path(stats.cache_path).glob("test_jit.total-*.nbi"))


def test_kernel_keeps_its_name_and_its_docstring() -> None:
    assert (total.__name__, total.__doc__) == ("total", "Six times the sum.")
