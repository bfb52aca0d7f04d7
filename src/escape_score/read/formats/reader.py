"""What every reader of a file format offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from escape_score.model.cohort import MatrixSource
from escape_score.model.notes import Note
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.probe import Probe

IN_OBS = "samples belong in obs, genes in var"
"""Layout of AnnData."""


@dataclass(frozen=True)
class MatrixReading:
    """A matrix opened by a reader.

    Parameters
    ----------
    source
        Samples × genes.
    annotation_columns
        Names of columns that describe genes and are no samples.
    notes
        What the reader noticed about the file.
    parts
        Files the matrix was read from, where it is more than the one named.
    remedy
        What to do where the values are no expression: another matrix that the file holds; empty where it
        holds none.
    layout
        Where samples and genes belong in such an input.
    """

    source: MatrixSource
    annotation_columns: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    parts: tuple[Path, ...] = ()
    remedy: str = ""
    layout: str = "samples belong in columns, genes in rows"


@dataclass(frozen=True)
class MatrixFormat:
    """One file format.

    Parameters
    ----------
    name
        Name for messages.
    is_recognised
        Whether content is of this format; judges bytes, never a file name.
    open_matrix
        Opens a recognised file; raises an ``InputError`` that names file and place.
    count_samples
        Counts samples by header or footer alone.
    """

    name: str
    is_recognised: Callable[[Probe], bool]
    open_matrix: Callable[[Path, ReadLimits], MatrixReading]
    count_samples: Callable[[Path, ReadLimits], int]
