"""Names of samples: which are usable."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from escape_score.errors import InputError, MatrixInvalidError, listed
from escape_score.read.checks.cells import NUMBER

_FORMULA_STARTS = ("=", "+", "-", "@")
"""Characters a spreadsheet takes a cell for a formula by."""


def sample_name_faults(label: str, sample_ids: Sequence[str]) -> tuple[InputError, ...]:
    """Find sample names that no table can hold as they are.

    At most one fault a kind: empty, twice (blanks at the ends aside), with control characters, or like the
    formula of a spreadsheet; and where there is no sample at all.
    """
    return tuple(MatrixInvalidError(f"{label}: {problem}") for problem in _problems(sample_ids))


def _problems(sample_ids: Sequence[str]) -> Iterator[str]:
    if not sample_ids:
        yield "no sample column with numbers; genes belong in rows and samples in columns"
    empty = [str(position + 1) for position, name in enumerate(sample_ids) if not name.strip()]
    if empty:
        yield f"sample name is empty (sample column {', '.join(empty[:5])}); name every sample"
    counts = Counter(name.strip() for name in sample_ids if name.strip())
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        yield f"duplicate sample names ({listed(twice)}); make sample ids unique"
    unprintable = _chosen(sample_ids, _has_control_characters)
    if unprintable:
        yield f"sample name with a line end, tab or other control character ({unprintable}); rename it"
    formulas = _chosen(sample_ids, _is_formula)
    if formulas:
        yield f"sample name that a spreadsheet takes for a formula ({formulas}); rename it"


def _chosen(names: Sequence[str], is_chosen: Callable[[str], bool]) -> str:
    return listed([name[:60] for name in names if is_chosen(name)])


def _has_control_characters(name: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in name)


def _is_formula(name: str) -> bool:
    text = name.strip()
    return text.startswith(_FORMULA_STARTS) and not NUMBER.fullmatch(text)
