"""Formats that can be read, chosen by what a file holds.

A new format is one module with a ``MatrixFormat`` and one line here, or in ``matrix_files`` where it is one
file; text comes last because it claims any readable text.
"""

from __future__ import annotations

import re

from escape_score.errors import FileUnreadableError
from escape_score.read.files.probe import Probe
from escape_score.read.formats.matrix_files import BINARY_FILES, TEXT_FILES
from escape_score.read.formats.mtx import TENX_FOLDER
from escape_score.read.formats.nanostring import NANOSTRING_RCC
from escape_score.read.formats.reader import MatrixFormat
from escape_score.read.formats.sample_files import SAMPLE_FILE_SHEET, SAMPLE_FOLDER
from escape_score.read.formats.text import DELIMITED_TEXT
from escape_score.read.formats.zarr import ZARR

FORMATS: tuple[MatrixFormat, ...] = (
    *BINARY_FILES,
    *(ZARR, NANOSTRING_RCC, TENX_FOLDER, SAMPLE_FOLDER),
    *(*TEXT_FILES, SAMPLE_FILE_SHEET, DELIMITED_TEXT),
)

_R_TABLE = "write the matrix in R with write.table(x, file, sep = '\\t', quote = FALSE)"
_KNOWN_OTHERS = (
    (
        rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook (xls), or one with a password",
        "save it as xlsx",
    ),
    (rb"FEA1", "a feather file of version 1", "write it again with a newer pandas or arrow"),
    (rb"RD[XAB]\d\n", "R data (RData)", _R_TABLE),
    (rb"[XA]\n\x00\x00\x00|A\n\d+\n\d+\n", "R data (rds)", _R_TABLE),
    (rb"\x93NUMPY", "a numpy array, which has no gene names", "write a table"),
    (rb"MATLAB \d", "a MATLAB file", "write a table"),
    (rb"\x80[\x02-\x05]", "a Python pickle, which is never opened", "write a table"),
    (rb"%PDF", "a PDF document", "give the table itself"),
    (
        rb"@\x00\x00\x00\x04\x00\x00\x00|\[CEL\]|;\x01",
        "raw intensities of an Affymetrix array (CEL)",
        "normalise them, for instance with RMA, map probes to genes, and give the table with --units array",
    ),
    (
        rb"IDAT\x03",
        "raw intensities of an Illumina array (idat)",
        "process them; this package reads gene expression, not methylation",
    ),
    (
        rb"BAM\x01|CRAM|@(?:HD|SQ|RG|PG|CO)\t",
        "aligned reads (BAM, CRAM or SAM)",
        "count them by gene, for instance with featureCounts, and give the counts",
    ),
    (
        rb"@[^\n]*\n[ACGTNacgtn.]+\r?\n\+",
        "sequencing reads (FASTQ)",
        "quantify them, for instance with salmon or nf-core/rnaseq, and give TPM or counts",
    ),
    (rb">[^\n]*\n[ACGTNacgtn]+\r?\n", "sequences (FASTA)", "give a table of gene expression"),
    (rb"##fileformat=VCF", "variants (VCF)", "give a table of gene expression"),
    (
        rb"##gff-version|##description: evidence-based",
        "a gene annotation (GTF, GFF)",
        "give a table of expression",
    ),
    (rb"SQLite format 3\x00", "an SQLite database", "export the table of expression as text"),
    (rb"7z\xbc\xaf\x27\x1c|Rar!|\x1f\x9d", "an archive (7z, rar or Z)", "unpack it"),
)
"""First bytes of other files, what they are, and what to do instead."""


def choose_format(probe: Probe) -> MatrixFormat:
    """Choose the first format that recognises what a file holds.

    Raises FileUnreadableError: no format recognises it, or it is known to be something else.
    """
    for pattern, description, advice in _KNOWN_OTHERS:
        if re.match(pattern, probe.text_head):
            raise FileUnreadableError.at(probe.path, f"{description}, which is not read; {advice}")
    for candidate in FORMATS:
        if candidate.is_recognised(probe):
            return candidate
    known = ", ".join(one.name for one in FORMATS)
    msg = f"{_describe(probe)}, which is no known format by its content; readable are {known}"
    raise FileUnreadableError.at(probe.path, msg)


def _describe(probe: Probe) -> str:
    """Say in a word what is there instead."""
    return "a tar archive (unpack it)" if probe.text_head[257:262] == b"ustar" else "binary content"
