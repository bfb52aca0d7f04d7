"""How many samples of a cohort have each class, and what a filter calls the class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

K = TypeVar("K", bound=StrEnum | None)


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


def tallies_of(counts: Counter[K], word_of: Callable[[K], str], kind: str) -> tuple[Tally, ...]:
    """Only what occurs, most frequent first."""
    n_samples = counts.total()
    return tuple(
        Tally(word_of(value), filter_key(kind, value), n, f"{100 * n / n_samples:.1f}")
        for value, n in counts.most_common()
    )
