"""Formats of one file that holds a whole matrix; plain text, which claims any text, is none of them."""

from __future__ import annotations

from escape_score.read.formats.feather import FEATHER
from escape_score.read.formats.gct import GCT
from escape_score.read.formats.h5ad import H5AD
from escape_score.read.formats.loom import LOOM
from escape_score.read.formats.nanostring import NANOSTRING_TABLE
from escape_score.read.formats.parquet import PARQUET
from escape_score.read.formats.reader import MatrixFormat
from escape_score.read.formats.series_matrix import SERIES_MATRIX
from escape_score.read.formats.tenx_h5 import TENX_H5
from escape_score.read.formats.xlsx import XLSX

BINARY_FILES: tuple[MatrixFormat, ...] = (PARQUET, TENX_H5, LOOM, H5AD, FEATHER, XLSX)
TEXT_FILES: tuple[MatrixFormat, ...] = (GCT, SERIES_MATRIX, NANOSTRING_TABLE)
