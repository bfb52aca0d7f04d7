"""Arguments of the Python interface: a wrong type is one line before the work, not a traceback within it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from escape_score.errors import UsageError

MAX_SHOWN = 80
"""Characters of a wrong value that a line shows."""

PATH = (str, os.PathLike)
Kinds = type | tuple[type, ...]


def require_type(argument: str, value: object, kinds: Kinds, needed: str) -> None:
    """Refuse a value of a wrong type.

    Raises UsageError, such as ``title: 5 is of type int; give a text``; ``needed`` says what to give.
    """
    if not isinstance(value, kinds):
        is_short = isinstance(value, (str, bytes, int, float))
        shown = f"{repr(value)[:MAX_SHOWN]} " if is_short else ""
        what = "is None" if value is None else f"{shown}is of type {type(value).__name__}"
        raise UsageError.at(argument, f"{what}; give {needed}")


def require_path(argument: str, value: object, needed: str = "the path of a file") -> None:
    """Refuse a value that is not a path, and empty text, which would be the current folder; UsageError."""
    require_type(argument, value, PATH, needed)
    if value == "":
        raise UsageError.at(argument, f"is empty; give {needed}")


def require_text(argument: str, value: object, needed: str = "a text") -> None:
    """Refuse a value that is not text, and blank text; UsageError."""
    require_type(argument, value, str, needed)
    if not str(value).strip():
        raise UsageError.at(argument, f"is empty; give {needed}")


def require_pairs(argument: str, value: Mapping[str, str], needed: str) -> None:
    """Refuse a value that does not map texts to texts; UsageError."""
    require_type(argument, value, Mapping, needed)
    for text in (*value.keys(), *value.values()):
        require_type(argument, text, str, needed)


def texts_of(argument: str, value: Iterable[str], needed: str) -> tuple[str, ...]:
    """Texts of a list; one text is a list of one. Raises UsageError: it is none, or holds something else."""
    if isinstance(value, str):
        return (value,)
    require_type(argument, value, Iterable, needed)
    found = tuple(value)
    for text in found:
        require_type(argument, text, str, needed)
    return found
