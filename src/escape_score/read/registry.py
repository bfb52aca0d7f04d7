"""Formats that can be read, chosen by what a file holds.

A new format is one module with a ``MatrixFormat`` and one line here; text comes last because it claims any
readable text.
"""

from __future__ import annotations

from escape_score.errors import FileUnreadableError
from escape_score.read.formats import MatrixFormat
from escape_score.read.h5ad import H5AD
from escape_score.read.parquet import PARQUET
from escape_score.read.probe import Probe
from escape_score.read.text import DELIMITED_TEXT

FORMATS: tuple[MatrixFormat, ...] = (
    PARQUET,
    H5AD,
    DELIMITED_TEXT,
)


def choose_format(probe: Probe) -> MatrixFormat:
    """Choose the first format that recognises what a file holds.

    Parameters
    ----------
    probe
        First look at the file.

    Returns
    -------
    MatrixFormat
        Format to read it with.

    Raises
    ------
    FileUnreadableError
        No format recognises it.
    """
    for candidate in FORMATS:
        if candidate.is_recognised(probe):
            return candidate
    known = ", ".join(one.name for one in FORMATS)
    msg = f"{probe.path}: {_describe(probe)}, which is no known format by its content; readable are {known}"
    raise FileUnreadableError(msg)


def _describe(probe: Probe) -> str:
    """Say in a word what stands there instead."""
    if probe.is_folder:
        return "a folder (directory)"
    if probe.head.startswith(b"PK\x03\x04"):
        return "a zip file, for instance an Excel workbook (xlsx)"
    return "binary content"
