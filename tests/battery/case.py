"""What one case is: how its files are made, and what must come of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.battery.clean import Clean


class Expect(StrEnum):
    """What a run must end as."""

    ERROR = "error"
    WARN = "warn"
    SAME = "same"
    SANITISED = "sanitised"


class Blame(StrEnum):
    """The input that an error must name."""

    MATRIX = "matrix"
    SAMPLES = "samples"
    GENE_SETS = "gene_sets"
    CONFIG = "config"
    LENGTHS = "lengths"


@dataclass(frozen=True)
class Inputs:
    """Files and options of one run.

    Parameters
    ----------
    matrix, samples, gene_sets, config, lengths
        Given on the command line where not None; a config may name the matrix instead.
    options
        Further arguments.
    faulty
        File that an error must name instead of the one that the case blames, such as one that a sheet lists.
    command
        ``run``, or ``cells`` where the matrix is of single cells.
    """

    matrix: Path | None
    samples: Path | None = None
    gene_sets: Path | None = None
    config: Path | None = None
    lengths: Path | None = None
    options: tuple[str, ...] = ()
    faulty: Path | None = None
    command: str = "run"

    @property
    def arguments(self) -> list[str]:
        """Arguments of the command but its ``--out``."""
        named = (
            ("--samples", self.samples),
            ("--gene-sets", self.gene_sets),
            ("--config", self.config),
            ("--gene-lengths", self.lengths),
        )
        files = [part for option, path in named if path is not None for part in (option, str(path))]
        return [*([str(self.matrix)] if self.matrix else []), *files, *self.options]


Make = Callable[[Path, Clean], Inputs]
"""Writes the files of a case into a folder."""


@dataclass(frozen=True)
class Case:
    """One input that is wrong or tricky in one way.

    Parameters
    ----------
    case_id
        Unique; ``<category>-<words>``.
    category
        One of ``CATEGORIES``.
    make
        Writes the files.
    expect
        What the run must end as.
    mention
        Regular expressions the error must match, each one, apart from the name of the file.
    blame
        The file an error must name.
    flag, flagged
        Code that must stand in the JSON of these samples (of all where empty), and, where samples are named,
        in no other's.
    unchanged
        Samples whose numbers must be those of the reference; all under ``SAME``.
    reference
        Inputs whose numbers count as right; the clean cohort's where None.
    renamed
        New name to old name of samples.
    dropped
        Clean samples that the case does not hold.
    tolerance
        Largest difference of a number, relative to its size where that is above 1.
    forbidden
        Text that no page may hold as it stands.
    is_fast
        Whether ``make test`` runs the case.
    is_isolated
        Whether it runs in a process of its own, bounded in memory and time.
    """

    case_id: str
    category: str
    make: Make
    expect: Expect
    mention: tuple[str, ...] = ()
    blame: Blame = Blame.MATRIX
    flag: str = ""
    flagged: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    reference: Make | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    tolerance: float = 1e-6
    forbidden: tuple[str, ...] = ()
    is_fast: bool = False
    is_isolated: bool = False
