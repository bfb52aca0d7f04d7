"""Every error this package raises on purpose, and the exit code each one ends the program with.

That is 2 for every UsageError, 3 for every InputError and a ResultInvalidError, and 4 for others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, Self, TypeVar

Result = TypeVar("Result")

NEAR = 0.6
"""Least similarity, by difflib, at which a right name is suggested: two letters of a short name exchanged."""
MAX_ALLOWED = 30
"""Most right names that a message lists."""
MAX_NAMED = 5
"""Names spelled out in one message; the rest are counted."""


class ExitCode(IntEnum):
    """Exit codes of the command line."""

    DONE = 0
    USAGE = 2
    INPUT = 3
    INTERNAL = 4
    PARTIAL = 5


ON_DISK = "give a file on disk"
"""What to do instead of giving a pipe."""
BY_SIGNAL = 128
"""What shells add to the number of the signal that ended a program."""


class EscapeScoreError(Exception):
    """Base of all errors raised on purpose; ``str()`` is one line made for the user."""

    exit_code: ExitCode = ExitCode.INTERNAL

    @property
    def lines(self) -> tuple[str, ...]:
        """The faults, one line each, most severe first."""
        return (" ".join(str(self).split()),)

    @classmethod
    def at(cls, place: object, what: str) -> Self:
        """Make an error whose line begins with the file, option or input that it is about."""
        return cls(f"{place}: {what}")


class UsageError(EscapeScoreError):
    """The command line cannot be carried out as given."""

    exit_code = ExitCode.USAGE


class ConfigInvalidError(UsageError):
    """A config file has a key or value that is not allowed."""


class OutputUnwritableError(UsageError):
    """An output file or folder cannot be written."""


class InputError(EscapeScoreError):
    """An input file cannot be used as it is."""

    exit_code = ExitCode.INPUT


class FileMissingError(InputError):
    """A named file does not exist."""

    @classmethod
    def named(cls, path: object, what: str = "file not found") -> Self:
        """Make the error for a file that is not there; ``what`` says which of a command's files it is."""
        # other programs read standard input by this name
        is_stdin = str(path) == "-"
        return cls.at(
            path, f"standard input is not read; {ON_DISK}" if is_stdin else f"{what}; check the path"
        )


class DownloadFailedError(InputError):
    """A public file cannot be fetched, or is not the one that is expected."""


class FileUnreadableError(InputError):
    """A file is not regular, cut short, damaged, or of no known format."""


class MatrixInvalidError(InputError):
    """The cells, names or shape of an expression matrix are not usable."""


class SingleCellsError(InputError):
    """The rows of a matrix look like single cells, not samples."""


class UnitContradictedError(InputError):
    """The declared unit contradicts the numbers."""


class UnitAmbiguousError(InputError):
    """No unit was declared and the numbers do not decide it."""


class SampleSheetInvalidError(InputError):
    """A sample sheet is not usable or disagrees with the matrix."""


class GeneSetInvalidError(InputError):
    """A gene set file is not usable."""


class ReferenceInvalidError(InputError):
    """A reference is unknown, incomplete or damaged."""


class ReferenceUnfittableError(InputError):
    """Matrices hold too few samples, or samples of different pipelines, to fit a reference on."""


class AnchorsMissingError(InputError):
    """Too few anchor genes are measured to place samples on the reference scale."""


class InputFaultsError(InputError):
    """Several input faults found together, so that a user can correct them at once."""

    def __init__(self, faults: tuple[InputError, ...]) -> None:
        super().__init__(f"{len(faults)} faults in the input")
        self.faults = faults

    @property
    def lines(self) -> tuple[str, ...]:
        """One line for every fault, in the order found."""
        return tuple(line for fault in self.faults for line in fault.lines)


def raise_faults(faults: Iterable[InputError]) -> None:
    """Raise the only fault as it is, and several as one InputFaultsError."""
    found = tuple(faults)
    if len(found) == 1:
        raise found[0]
    if found:
        raise InputFaultsError(found)


def counted(n: int, noun: str) -> str:
    """Write a number with its noun, such as ``1 page`` and ``60 pages``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def listed(names: Sequence[str], *, limit: int = MAX_NAMED) -> str:
    """Join names for a message, the first few in full."""
    shown = ", ".join(repr(name) for name in names[:limit])
    rest = len(names) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def nearest(name: object, allowed: Iterable[str], *, cutoff: float = NEAR) -> str:
    """The right name that a wrong one is most like, in any letter case; empty text where none is near.

    ``cutoff``: least similarity, 0–1, by difflib.
    """
    import difflib

    if not isinstance(name, str):  # what Python gives as an argument by mistake
        return ""
    spelt = {str(one).lower(): str(one) for one in reversed([*allowed])}  # not the members of an enum
    found = difflib.get_close_matches(name.lower(), spelt, n=1, cutoff=cutoff)
    return spelt[found[0]] if found else ""


def did_you_mean(name: object, allowed: Iterable[str]) -> str:
    """A question after a phrase, such as ``; did you mean 'tpm'?``; empty text where no name is near."""
    near = nearest(name, allowed)
    return f"; did you mean {near!r}?" if near else ""


def unknown_name(
    what: str, name: object, allowed: Sequence[str], *, place: str = "", advice: str = ""
) -> str:
    """Say that a name is not known, with the nearest right one, and what is allowed.

    Parameters
    ----------
    what
        What it should be the name of: ``"unit"``.
    allowed
        The right names; they are listed where they are few and there is no ``advice``.
    place
        Where the name is, such as ``line 3``.

    Returns
    -------
    str
        ``unknown unit 'tmp'; did you mean 'tpm'? use one of counts, tpm``.
    """
    few = ", ".join(allowed) if len(allowed) <= MAX_ALLOWED else ""
    what_to_do = advice or (f"use one of {few}" if few else "")
    where = f" ({place})" if place else ""
    asked = did_you_mean(name, allowed)
    mark = " " if asked else "; "
    return f"unknown {what} {str(name)[:80]!r}{where}{asked}{mark if what_to_do else ''}{what_to_do}"


@dataclass(frozen=True)
class Attempt(Generic[Result]):
    """One result, or the faults of a step, which are kept until other steps were tried too."""

    results: tuple[Result, ...] = ()
    faults: tuple[InputError, ...] = ()

    def get(self) -> Result:
        """Result of the step; raises its faults where it failed."""
        raise_faults(self.faults)
        return self.results[0]


def attempt(step: Callable[[], Result]) -> Attempt[Result]:
    """Try a step and keep its input faults; errors other than ``InputError`` pass."""
    try:
        return Attempt(results=(step(),))
    except InputError as error:
        return Attempt(faults=error.faults if isinstance(error, InputFaultsError) else (error,))


class SampleUnknownError(UsageError, KeyError):
    """No sample of a result has this id."""

    def __str__(self) -> str:
        return str(self.args[0])


class ResultInvalidError(EscapeScoreError):
    """A result folder does not agree with its manifest, or has none."""

    exit_code = ExitCode.INPUT


class ResourceMissingError(EscapeScoreError):
    """A file that ships with the package is not there."""


class ResourceInvalidError(EscapeScoreError):
    """A file that ships with the package uses a name or key that is not defined."""
