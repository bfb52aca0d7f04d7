"""Whether a file is the public matrix of a project, and which of its samples are taken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from escape_score.errors import FileUnreadableError, MatrixInvalidError, listed
from escape_score.harmonise.source import TPM_TOTAL
from escape_score.model.cohort import Cohort
from escape_score.model.units import ExpressionUnit
from escape_score.read.files.limits import DEFAULT_LIMITS
from escape_score.read.files.probe import probe_path
from escape_score.read.files.streams import iter_lines, open_text
from escape_score.reference.sources import PublicMatrix

BARCODE = re.compile(r"(?P<patient>TCGA-[A-Z0-9]{2}-[A-Z0-9]{4})-(?P<code>[0-9]{2})(?:[A-Z].*)?")
"""Barcode of The Cancer Genome Atlas, to the sample or beyond: patient, sample type, vial."""

ENSEMBL_ID = re.compile(r"ENSG[0-9]{11}\.[0-9]+(?:_PAR_Y)?")
NAMED_PROJECT = re.compile(r"(?<![A-Z])TCGA-[A-Z]{2,6}(?![A-Z0-9-])")
"""Project in the name of a file, as ``TCGA-SKCM.star_tpm.tsv.gz`` has it."""

NORMAL_CODES = frozenset(f"{code}" for code in range(10, 20))
TPM_UNITS = frozenset({ExpressionUnit.TPM, ExpressionUnit.LOG2_PLUS_1, ExpressionUnit.LOG2_PLUS_0001})
LOWEST_TOTAL, HIGHEST_TOTAL = 0.5 * TPM_TOTAL, 1.02 * TPM_TOTAL
"""Sums of TPM: 1e6 over all genes, less where genes were left out. FPKM add up to less in most tumours."""


@dataclass(frozen=True)
class SampleChoice:
    """Samples of a matrix that are taken, by position, and the number left out for each reason."""

    rows: tuple[int, ...]
    left_out: Mapping[str, int]

    @property
    def left_out_in_words(self) -> str:
        """``41 normal tissue, 3 further samples of a patient``; ``none``."""
        return ", ".join(f"{n} {reason}" for reason, n in self.left_out.items() if n) or "none"


def choose_samples(barcodes: Sequence[str], codes: Sequence[str]) -> SampleChoice:
    """Take one sample a patient, of the sample types wanted.

    Parameters
    ----------
    barcodes
        Barcodes of the matrix, in its order.
    codes
        Sample types in order of preference. Of several samples of one type, the first barcode in
        alphabetical order is taken.
    """
    parts = [BARCODE.fullmatch(barcode) for barcode in barcodes]
    code_of = ["" if part is None else part["code"] for part in parts]
    wanted = [row for row, code in enumerate(code_of) if code in codes]
    best: dict[str, int] = {}
    for row in sorted(wanted, key=lambda row: (codes.index(code_of[row]), barcodes[row])):
        best.setdefault(barcodes[row][: len("TCGA-XX-XXXX")], row)
    reasons = Counter(
        "normal tissue" if code in NORMAL_CODES else "of other sample types"
        for code in code_of
        if code not in codes
    )
    reasons["further samples of a patient"] = len(wanted) - len(best)
    return SampleChoice(tuple(sorted(best.values())), dict(sorted(reasons.items())))


def check_start(path: Path, matrix: PublicMatrix) -> None:
    """Refuse a file whose name or first lines are not those of the matrix, before it is read as a whole.

    Raises
    ------
    FileMissingError
        There is no such file.
    FileUnreadableError
        It cannot be read, is too large, or is something else.
    MatrixInvalidError
        It is another matrix.
    """
    _check_file(path, matrix)
    with open_text(path, DEFAULT_LIMITS) as stream:
        lines = iter_lines(stream, path=path, limits=DEFAULT_LIMITS)
        header, row = next(lines, ""), next(lines, "")
    if header.lstrip().startswith("<"):
        msg = "a web page (HTML or XML), not a matrix; a login page of the network may have answered instead"
        raise FileUnreadableError.at(path, msg)
    first, *barcodes = header.split("\t")
    if first != matrix.first_column:
        found = f"the first column is called {first[:40]!r}, not {matrix.first_column!r} (line 1)"
        raise _other(path, matrix, found)
    _check_barcodes(path, matrix, barcodes)
    _check_genes(path, matrix, row.split("\t")[:1])


def check_content(path: Path, matrix: PublicMatrix, cohort: Cohort) -> None:
    """Refuse a matrix with rows that are not Ensembl ids, or sums that TPM cannot have.

    Raises MatrixInvalidError.
    """
    _check_genes(path, matrix, cohort.source.gene_ids)
    totals = cohort.totals.linear_total
    is_tpm = float(np.median(totals)) >= LOWEST_TOTAL and float(np.max(totals)) <= HIGHEST_TOTAL
    if matrix.unit in TPM_UNITS and not is_tpm:
        figures = f"{np.min(totals):.6g} to {np.max(totals):.6g}"
        raise _other(
            path, matrix, f"values read as {matrix.unit.value} add up to {figures} a sample, not to 1e6"
        )


def _check_file(path: Path, matrix: PublicMatrix) -> None:
    if probe_path(path, DEFAULT_LIMITS).is_folder:
        raise FileUnreadableError.at(path, "a folder, not a matrix; give the file")
    n_bytes = path.stat().st_size
    if n_bytes > matrix.max_bytes:
        msg = f"too large ({n_bytes} bytes) for the matrix of {matrix.project}, at most {matrix.max_bytes}; "
        raise FileUnreadableError.at(path, msg + "check the file, or raise max_mb in reference_sources.tsv")
    named = NAMED_PROJECT.search(path.name)
    if named and matrix.project.startswith("TCGA-") and named[0] != matrix.project:
        raise _other(path, matrix, f"the file is named after {named[0]}")


def _check_barcodes(path: Path, matrix: PublicMatrix, barcodes: Sequence[str]) -> None:
    others = [name for name in barcodes if not BARCODE.fullmatch(name)]
    if others:
        found = f"columns {listed(others)}" if others[0] else "a column without a name"
        raise _other(path, matrix, f"{found[:200]}: not a barcode of TCGA with its sample type (line 1)")
    n = len(choose_samples(barcodes, matrix.sample_codes).rows)
    if n < matrix.min_samples:
        codes = ", ".join(matrix.sample_codes)
        found = f"tumours of {n} patients (sample types {codes}), at least {matrix.min_samples} are expected"
        raise _other(path, matrix, found)


def _check_genes(path: Path, matrix: PublicMatrix, names: Sequence[str]) -> None:
    others = [name for name in names if not ENSEMBL_ID.fullmatch(name)]
    if others or not names:
        raise _other(
            path, matrix, f"{listed(others)[:200] or 'no rows'}: not Ensembl gene ids with a version"
        )


def _other(path: Path, matrix: PublicMatrix, found: str) -> MatrixInvalidError:
    what = f"{found}; give the file at {matrix.urls[0]}"
    return MatrixInvalidError.at(path, f"not the matrix of {matrix.project}: {what}")
