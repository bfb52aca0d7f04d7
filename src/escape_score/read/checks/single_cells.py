"""Whether the rows of a matrix are single cells and not samples, judged by a glance at three signs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.errors import SingleCellsError
from escape_score.model.cohort import MatrixSource

IntArray = npt.NDArray[np.int64]

MIN_SIGNS = 2
"""Signs that must be seen together. Each of them alone occurs in bulk: shallow 3' counts, names made of the
indices of a library, and sorted types of several patients."""

MOSTLY = 0.5
"""Share of zeros, and of names with a barcode, above which most are."""

MAX_DETECTED = 10_000
"""Median number of detected genes from which rows are no cells. Measured: 486 and 1,658 in two matrices
of 10x (Wu et al. 2021, Qian et al. 2020), 14,000 to 34,000 in ten cohorts of bulk transcriptomes. Full-length
protocols detect up to 9,000 in a cell (Ziegenhain et al. 2017, Mol. Cell 65:631)."""

MIN_BARCODE = 12
"""Length of a cell barcode: 12 in Drop-seq, 14 or 16 of 10x Genomics, 16 and more in others. A dual index of
a library has two runs of 8 or 10."""

MIN_SHARED = 5
"""Rows that share a value, for half of the rows or more. Pseudo-bulk has one row for each sample and cell
type, and decoupler asks for 10 cells in each group (Badia-i-Mompel et al. 2022, Bioinform. Adv. 2:vbac016).
Half of it leaves room for rare types, and is more than most patients have samples."""

RUN, N_RUNS = 32, 4
"""Neighbouring rows that are looked at together, and how often along the matrix."""

MAX_NAMES = 100_000
"""Names that are looked at, from the first on."""

MAX_ROWS = 10_000_000
"""Rows above which a file is not looked at; the droplets of a 10x chip are 6.8 million."""

_BARCODE = re.compile(rf"[ACGT]{{{MIN_BARCODE},}}")

_SAMPLE_WORDS = (
    *("sample", "orig_ident", "specimen", "biopsy", "library"),
    *("patient", "donor", "subject", "individual", "case"),
)
"""Words for where a cell is from, the finest first."""

_SAMPLE_NAME = re.compile(
    rf"(?:[a-z0-9]+_)*(?P<word>{'|'.join(_SAMPLE_WORDS)})s?_?(?:ids?|names?|no|nr|number|code|label)?"
)
_TYPE_NAME = re.compile(
    r"(?:[a-z0-9]+_)*(?:cell_?(?:sub_?)?(?:types?|states?|labels?|class|identity|ontology)|annot(?:ations?)?"
    r"|annotated|clusters?|leiden|louvain|phenograph|majority_voting|predicted_labels|compartment)(?:_?[a-z0-9]+)*"
)


@dataclass(frozen=True)
class ValueGlance:
    """Figures of some rows.

    Parameters
    ----------
    is_whole
        Whether all values are whole numbers of 0 or more.
    zero_share
        Fraction of the values that are 0.
    n_detected
        Median number of genes above 0 in a row.
    """

    is_whole: bool
    zero_share: float
    n_detected: float

    @property
    def is_like_cells(self) -> bool:
        """Whether these may be counts of single cells."""
        return self.is_whole and self.zero_share > MOSTLY and 0 < self.n_detected < MAX_DETECTED


@dataclass(frozen=True)
class Grouping:
    """Columns that say where rows are from; empty where there is none, and ``n_samples`` is 0 then.

    ``type_column`` is given only if several rows are of one sample and one type.
    """

    sample_column: str = ""
    n_samples: int = 0
    type_column: str = ""


NO_GROUPING = Grouping()
"""No column is known to say where rows are from."""


@dataclass(frozen=True)
class CellGlance:
    """What a glance at a matrix shows; ``names`` may be the first ones only."""

    n_rows: int
    names: Sequence[str] = field(repr=False)
    values: ValueGlance
    grouping: Grouping = NO_GROUPING

    @property
    def n_barcodes(self) -> int:
        """How many of the names hold a cell barcode."""
        return sum(map(has_barcode, self.names))

    def signs(self) -> tuple[str, ...]:
        """Signs of single cells, each with its figures."""
        return tuple(sign for sign in (self._counts(), self._barcodes(), self._columns()) if sign)

    def _counts(self) -> str:
        seen = self.values
        if not seen.is_like_cells:
            return ""
        zeros, detected = 100 * seen.zero_share, seen.n_detected
        return f"whole numbers, {zeros:.0f} % are 0, median of {detected:.0f} genes detected"

    def _barcodes(self) -> str:
        share = self.n_barcodes / max(len(self.names), 1)
        if share <= MOSTLY:
            return ""
        example = next(name for name in self.names if has_barcode(name))
        return f"{100 * share:.0f} % of the names contain a cell barcode, such as {example[:60]!r}"

    def _columns(self) -> str:
        by_sample, by_type = self.grouping.sample_column, self.grouping.type_column
        return f"rows share values of the columns {by_sample!r} and {by_type!r}" if by_type else ""


def has_barcode(name: str) -> bool:
    """Whether a name contains a cell barcode: 12 letters of ACGT or more in a row."""
    return _BARCODE.search(name) is not None


def refuse_cells(label: str, glance: CellGlance, *, is_read: bool = True) -> None:
    """Refuse a matrix of single cells; ``is_read``: whether ``escape-score cells`` reads its format.

    Raises SingleCellsError: at least two of three signs are seen. The number of rows is not one.
    """
    signs = glance.signs()
    if len(signs) < MIN_SIGNS:
        return
    found = glance.grouping
    samples = (
        f" of {found.n_samples} sample{'s' if found.n_samples > 1 else ''}" if found.sample_column else ""
    )
    # data in memory are called by the name of an argument
    file = "FILE.h5ad" if not is_read else "FILE" if label.isidentifier() else shlex.quote(label)
    command = f"{'' if is_read else 'write them as h5ad and '}use escape-score cells {file} --sample-column "
    command += found.sample_column or "COLUMN"
    msg = f"the {glance.n_rows} rows look like single cells{samples} ({'; '.join(signs)}); {command}, or "
    msg += "--as-samples (as_samples=True in Python) if each row is one sample"
    raise SingleCellsError.at(label, msg)


def glance_at(source: MatrixSource, grouping: Grouping = NO_GROUPING) -> CellGlance:
    """Look at the names and some rows of a matrix that is open."""
    names = source.sample_ids
    return CellGlance(len(names), names[:MAX_NAMES], glance_at_rows(source), grouping)


def glance_at_rows(source: MatrixSource) -> ValueGlance:
    """Look at some rows of a matrix, evenly spread."""
    is_whole, n_zero, n_detected = True, 0, [np.empty(0, dtype=np.int64)]
    for start, stop in runs(len(source.sample_ids), size=RUN, n_runs=N_RUNS):
        block = source.block(start, stop)
        is_whole &= are_counts(block)
        n_zero += int((block == 0).sum())
        n_detected.append((block > 0).sum(axis=1))
    detected = np.concatenate(n_detected)
    n_cells = max(len(detected) * len(source.gene_ids), 1)
    return ValueGlance(is_whole, n_zero / n_cells, float(np.median(detected)) if len(detected) else 0.0)


def runs(n: int, *, size: int, n_runs: int) -> Iterator[tuple[int, int]]:
    """Stretches of ``n`` rows or columns, evenly spread; all of them where they are few."""
    if n <= size * n_runs:
        yield 0, n
        return
    for start in np.linspace(0, n - size, n_runs).astype(int).tolist():
        yield start, start + size


def are_counts(values: npt.NDArray[np.generic]) -> bool:
    """Whether finite values are whole numbers of 0 or more."""
    numbers = np.asarray(values, dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    return bool((finite >= 0).all() and (finite == np.rint(finite)).all())


def find_grouping(columns: Iterable[str], cells_of: Callable[[str], Sequence[str]]) -> Grouping:
    """Find the column of the sample, and one of the cell type, among those that describe rows.

    ``cells_of`` reads one of the columns; only those are read whose name suggests one of the two.
    """
    names = list(columns)
    by_sample = _shared(sorted(filter(sample_rank, names), key=sample_rank), cells_of)
    sample, codes = next(by_sample, ("", np.empty(0, dtype=np.int64)))
    if not sample:
        return NO_GROUPING
    n_samples = len(np.unique(codes))
    types = _shared((name for name in names if _TYPE_NAME.fullmatch(_plain(name))), cells_of)
    # a row for each sample and type is pseudo-bulk, though rows share a sample, and rows share a type
    both = (name for name, of_type in types if _are_shared(codes * (of_type.max() + 1) + of_type))
    return Grouping(sample, n_samples, next(both, ""))


def _plain(name: str) -> str:
    return "_".join(re.split(r"[\W_]+", name.strip().lower())).strip("_")


def sample_rank(name: str) -> int:
    """Place of a column name among the words for samples, from 1 on; 0 where it is not one of them."""
    found = _SAMPLE_NAME.fullmatch(_plain(name))
    return _SAMPLE_WORDS.index(found["word"]) + 1 if found else 0


def _shared(
    columns: Iterable[str], cells_of: Callable[[str], Sequence[str]]
) -> Iterator[tuple[str, IntArray]]:
    """Columns with values that several rows share, as numbers of the values."""
    for name in columns:
        _, codes = np.unique(np.asarray(cells_of(name), dtype=str), return_inverse=True)
        if _are_shared(codes):
            yield name, codes.astype(np.int64)


def _are_shared(codes: IntArray) -> bool:
    """Whether half of the rows, or more, share their value with several others."""
    _, places, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return len(codes) > 0 and bool(np.median(counts[places]) >= MIN_SHARED)
