"""Formats that can be read, chosen by what a file holds.

A new format is one module with a ``MatrixFormat`` and one line here; text comes last because it claims any
readable text.
"""

from __future__ import annotations

from escape_score.errors import FileUnreadableError
from escape_score.read.files.probe import Probe
from escape_score.read.formats.feather import FEATHER
from escape_score.read.formats.gct import GCT
from escape_score.read.formats.h5ad import H5AD
from escape_score.read.formats.loom import LOOM
from escape_score.read.formats.mtx import TENX_FOLDER
from escape_score.read.formats.nanostring import NANOSTRING_RCC, NANOSTRING_TABLE
from escape_score.read.formats.parquet import PARQUET
from escape_score.read.formats.reader import MatrixFormat
from escape_score.read.formats.tenx_h5 import TENX_H5
from escape_score.read.formats.text import DELIMITED_TEXT
from escape_score.read.formats.xlsx import XLSX

FORMATS: tuple[MatrixFormat, ...] = (
    *(PARQUET, TENX_H5, LOOM, H5AD, FEATHER, XLSX),
    *(NANOSTRING_RCC, TENX_FOLDER, GCT, NANOSTRING_TABLE, DELIMITED_TEXT),
)

_KNOWN_OTHERS = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook (xls), or one with a password (save it as xlsx)",
    ),
    (b"FEA1", "a feather file of version 1 (write it again with a newer pandas or arrow)"),
    (b"RDX", "R data (write the matrix with write.table)"),
    (b"X\n\x00\x00\x00", "R data (rds; write the matrix with write.table)"),
    (b"\x93NUMPY", "a numpy array (it has no gene names; write a table)"),
    (b"\x80", "a Python pickle, which is never opened (write a table)"),
    (b"%PDF", "a PDF document"),
)


def choose_format(probe: Probe) -> MatrixFormat:
    """Choose the first format that recognises what a file holds.

    Raises FileUnreadableError: no format recognises it.
    """
    for candidate in FORMATS:
        if candidate.is_recognised(probe):
            return candidate
    known = ", ".join(one.name for one in FORMATS)
    msg = f"{_describe(probe)}, which is no known format by its content; readable are {known}"
    raise FileUnreadableError.at(probe.path, msg)


def _describe(probe: Probe) -> str:
    """Say in a word what is there instead."""
    if probe.is_folder:
        return "a folder (directory) without a matrix.mtx of 10x Genomics"
    for magic, description in _KNOWN_OTHERS:
        if probe.text_head.startswith(magic):
            return description
    return "a tar archive (unpack it)" if probe.text_head[257:262] == b"ustar" else "binary content"
