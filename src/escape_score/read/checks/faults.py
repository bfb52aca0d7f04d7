"""Faults found together are raised together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from escape_score.errors import InputError, InputFaultsError, raise_faults

_Result = TypeVar("_Result")

MAX_NAMED = 5
"""Names spelled out in one message; the rest are counted."""


def listed(names: Sequence[str], *, limit: int = MAX_NAMED) -> str:
    """Join names for a message, the first few in full."""
    shown = ", ".join(repr(name) for name in names[:limit])
    rest = len(names) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


@dataclass(frozen=True)
class Attempt(Generic[_Result]):
    """Outcome of a step whose faults are kept until other steps were tried too.

    Parameters
    ----------
    results
        The one result, or nothing where the step failed.
    faults
        Why it failed.
    """

    results: tuple[_Result, ...] = ()
    faults: tuple[InputError, ...] = ()

    def get(self) -> _Result:
        """Result of the step; raises its faults where it failed."""
        raise_faults(self.faults)
        return self.results[0]


def attempt(step: Callable[[], _Result]) -> Attempt[_Result]:
    """Try a step and keep its input faults.

    Parameters
    ----------
    step
        Called without arguments.

    Returns
    -------
    Attempt
        Its result or its faults; errors other than ``InputError`` pass.
    """
    try:
        return Attempt(results=(step(),))
    except InputError as error:
        return Attempt(faults=error.faults if isinstance(error, InputFaultsError) else (error,))
