"""10x Genomics folders: matrix.mtx with barcodes and features in the same folder, plain or compressed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as pa_csv
from scipy import sparse

from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError, listed, raise_faults
from escape_score.genes import load_gene_table
from escape_score.read.checks.cells import NUMBER
from escape_score.read.checks.names import sample_name_faults
from escape_score.read.checks.single_cells import CellGlance, ValueGlance, are_counts
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.files.probe import Probe, probe_path
from escape_score.read.files.streams import csv_batches, iter_lines, open_text
from escape_score.read.formats.reader import ArrayMatrix, MatrixFormat, MatrixReading, refuse_transpose
from escape_score.read.request import ReadRequest

GENE_EXPRESSION = "Gene Expression"
"""Type of the features that are genes; others are antibodies, guides or peaks (10x Genomics, Cell Ranger)."""

_READABLE_KINDS = ("matrix coordinate real general", "matrix coordinate integer general")

_PACKED = r"(?:\.(?:gz|zst|bz2|xz))?"
MATRIX_NAME = re.compile(rf"(?P<prefix>.*)matrix\.mtx{_PACKED}")
_FEATURE_NAMES, _BARCODE_NAMES = ("features.tsv", "genes.tsv"), ("barcodes.tsv",)

_BYTES_PER_ENTRY = 24
"""Memory of one entry while it is read: two positions and a number."""


_GLANCED_LINES = 10_000
"""Lines of each file that are looked at before it is read."""


class TenXFolder(NamedTuple):
    """The three files of one matrix."""

    matrix: Path
    features: Path
    barcodes: Path


class MtxHeader(NamedTuple):
    """Lines down to the sizes of a Matrix Market file, and the rows, columns and cells they promise."""

    n_lines: int
    n_features: int
    n_barcodes: int
    n_entries: int


def _is_10x(probe: Probe) -> bool:
    is_matrix = probe.text_head.startswith(b"%%MatrixMarket")
    return bool(matrices_in(probe.path)) if probe.is_folder else is_matrix


def matrices_in(folder: Path) -> list[Path]:
    """Files of matrices in a folder; raises FileUnreadableError: it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if MATRIX_NAME.fullmatch(path.name))
    except OSError as error:
        msg = f"the folder cannot be read ({error.strerror}); check its permissions"
        raise FileUnreadableError.at(folder, msg) from error


def find_parts(path: Path, limits: ReadLimits) -> TenXFolder:
    """Find the files of a folder, or those that belong to a matrix."""
    matrix = path
    if path.is_dir():
        matrix, *others = matrices_in(path)
        if others:
            names = listed([one.name for one in (matrix, *others)])
            msg = f"the folder holds several matrices ({names}); name one of them"
            raise MatrixInvalidError.at(path, msg)
    found = MATRIX_NAME.fullmatch(matrix.name)
    prefix = found["prefix"] if found else ""
    features, barcodes = (
        _neighbour(path, matrix.parent, prefix, names) for names in (_FEATURE_NAMES, _BARCODE_NAMES)
    )
    parts = TenXFolder(matrix, features, barcodes)
    for part in parts:
        if probe_path(part, limits).is_folder:
            raise FileUnreadableError.at(path, f"{part.name} is a folder where a file belongs")
    return parts


def _neighbour(path: Path, folder: Path, prefix: str, names: Sequence[str]) -> Path:
    pattern = re.compile(f"{re.escape(prefix)}(?:{'|'.join(map(re.escape, names))}){_PACKED}")
    found = sorted(one for one in folder.iterdir() if pattern.fullmatch(one.name))
    if len(found) == 1:
        return found[0]
    what = f"{'several files' if found else 'no file'} {prefix}{' or '.join(names)}"
    raise MatrixInvalidError.at(path, f"{what} beside matrix.mtx; a 10x folder holds one of each")


def read_header(path: Path, limits: ReadLimits) -> MtxHeader:
    """Read the lines above the entries; raises MatrixInvalidError: they promise no matrix that is read."""
    with open_text(path, limits) as stream:
        lines = enumerate(iter_lines(stream, path=path, limits=limits), start=1)
        kind = " ".join(next(lines, (0, ""))[1].lower().split()[1:])
        if kind not in _READABLE_KINDS:
            msg = f"matrix market file of kind {kind[:60]!r}; readable are {', '.join(_READABLE_KINDS)}"
            raise MatrixInvalidError.at(path, msg)
        for number, line in lines:
            if line.strip() and not line.startswith("%"):
                return _sizes(path, number, line)
    msg = "no line with the dimensions of the matrix; the file may be truncated"
    raise MatrixInvalidError.at(path, msg)


def _sizes(path: Path, number: int, line: str) -> MtxHeader:
    fields = line.split()
    if len(fields) != 3 or not all(field.isascii() and field.isdecimal() for field in fields):  # noqa: PLR2004
        msg = f"line {number} should hold the dimensions (rows, columns, entries); it holds {line[:60]!r}"
        raise MatrixInvalidError.at(path, msg)
    if any(len(field) > len("1000000000000") for field in fields):
        msg = f"too large (line {number} promises {line[:60]!r} rows, columns and entries)"
        raise MatrixInvalidError.at(path, msg)
    return MtxHeader(number, *map(int, fields))


def check_header(path: Path, header: MtxHeader, n_features: int, n_barcodes: int, limits: ReadLimits) -> None:
    """Compare the sizes with the names and the limits, before anything of that size is allocated."""
    if (header.n_features, header.n_barcodes) != (n_features, n_barcodes):
        msg = f"dimensions do not match: matrix.mtx has {header.n_features} rows by {header.n_barcodes} "
        msg += f"columns, beside it are {n_features} features and {n_barcodes} barcodes; "
        raise MatrixInvalidError.at(path, msg + "copy all three files again")
    check_shape(path, limits, n_samples=n_barcodes, n_genes=n_features)
    if header.n_entries > n_features * n_barcodes:
        msg = f"{header.n_entries} entries are more than {n_features} rows by {n_barcodes} columns hold; "
        raise MatrixInvalidError.at(path, msg + "copy the file again")
    if header.n_entries * _BYTES_PER_ENTRY > limits.max_expanded_bytes:
        raise MatrixInvalidError.at(path, f"too large ({header.n_entries} entries); give h5ad")


def read_fields(path: Path, limits: ReadLimits, *, max_lines: int) -> list[list[str]]:
    """Fields of the lines of a file of names; no more than would be too many."""
    found: list[str] = []
    with open_text(path, limits) as stream:
        for line in iter_lines(stream, path=path, limits=limits):
            found.append(line)
            if len(found) > max_lines:
                raise MatrixInvalidError.at(path, f"too large (more than {max_lines} lines)")
    while found and not found[-1].strip():
        found.pop()
    return [line.split("\t") for line in found]


def gene_names(path: Path, features: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Name each feature by its id, or by its symbol where no symbol is known for the id."""
    if any(not fields[0].strip() for fields in features):
        raise MatrixInvalidError.at(path, "a feature without an id; the file may be damaged")
    mappings = load_gene_table().map_genes([fields[0] for fields in features])
    return tuple(
        fields[1] if mapping.gene_symbol is None and len(fields) > 1 and fields[1].strip() else fields[0]
        for fields, mapping in zip(features, mappings, strict=True)
    )


def is_gene(path: Path, features: Sequence[Sequence[str]]) -> npt.NDArray[np.bool_]:
    """Tell genes from other features; files without types hold genes only."""
    kinds = [fields[2].strip() if len(fields) > 2 else GENE_EXPRESSION for fields in features]  # noqa: PLR2004
    found = np.array([kind == GENE_EXPRESSION for kind in kinds], dtype=bool)
    if kinds and not found.any():
        msg = f"no feature is of type {GENE_EXPRESSION!r} (types {listed(sorted(set(kinds)))}); "
        raise MatrixInvalidError.at(path, msg + "give the matrix of gene expression")
    return found


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    limits = request.limits
    refuse_transpose(path, request, "10x folder")
    parts = find_parts(path, limits)
    header = read_header(parts.matrix, limits)
    barcode_lines = read_fields(parts.barcodes, limits, max_lines=10 * limits.max_samples)
    barcodes = tuple(fields[0] for fields in barcode_lines)
    features = read_fields(parts.features, limits, max_lines=10 * limits.max_genes)
    check_header(path, header, len(features), len(barcodes), limits)
    raise_faults(sample_name_faults(str(parts.barcodes), barcodes))
    is_kept = is_gene(parts.features, features)
    genes = [fields for fields, kept in zip(features, is_kept, strict=True) if kept]
    gene_ids = gene_names(parts.features, genes)
    rows = _read_entries(parts.matrix, header, limits)[:, is_kept]
    return MatrixReading(ArrayMatrix(barcodes, gene_ids, rows), parts=parts)


def _read_entries(path: Path, header: MtxHeader, limits: ReadLimits) -> sparse.csr_matrix:
    """Read all entries to a matrix of barcodes by features."""
    try:
        batches = list(iter_batches(path, header, limits))
    except pa.ArrowInvalid as error:
        raise entry_fault(path, header, limits) from error
    columns = [np.concatenate(parts) for parts in zip(*batches, strict=True)] or [np.empty(0)] * 3
    features, barcodes = (positions.astype(np.int64) - 1 for positions in columns[:2])
    _check_entries(path, header, features, barcodes)
    shape = (header.n_barcodes, header.n_features)
    return sparse.coo_matrix((columns[2].astype(np.float64), (barcodes, features)), shape=shape).tocsr()


def iter_batches(
    path: Path, header: MtxHeader, limits: ReadLimits
) -> Iterator[list[npt.NDArray[np.float64]]]:
    """Entries in batches: features and barcodes, counted from 1, and values.

    Raises ArrowInvalid: a line is not an entry. MatrixInvalidError: more entries than the header promises.
    """
    types = {"feature": pa.int64(), "barcode": pa.int64(), "value": pa.float64()}
    with open_text(path, limits) as stream:
        for _ in range(header.n_lines):
            stream.readline(limits.max_line_bytes)
        if not stream.peek(1):
            return
        n_entries = 0
        with csv_batches(
            stream,
            read_options=pa_csv.ReadOptions(column_names=list(types), block_size=limits.max_line_bytes),
            parse_options=pa_csv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=pa_csv.ConvertOptions(column_types=types, null_values=[]),
        ) as batches:
            for batch in batches:
                n_entries += batch.num_rows
                if n_entries > header.n_entries:
                    raise count_fault(path, f"more than {header.n_entries}", header)
                yield [column.to_numpy(zero_copy_only=False) for column in batch.columns]


def count_fault(path: Path, found: str, header: MtxHeader) -> InputError:
    """Error for another number of entries than the header promises."""
    msg = f"{found} entries where line {header.n_lines} promises {header.n_entries} (dimensions do not "
    return MatrixInvalidError.at(path, msg + "match); the file may be truncated, copy it again")


def _check_entries(
    path: Path, header: MtxHeader, features: npt.NDArray[np.int64], barcodes: npt.NDArray[np.int64]
) -> None:
    """Refuse too few entries, entries outside the matrix, and two for one cell."""
    if len(features) != header.n_entries:
        raise count_fault(path, str(len(features)), header)
    is_inside = (features >= 0) & (features < header.n_features)
    is_inside &= (barcodes >= 0) & (barcodes < header.n_barcodes)
    if not is_inside.all():
        at = int(np.argmin(is_inside))
        msg = f"entry {at + 1} (row {features[at] + 1}, column {barcodes[at] + 1}) lies outside the "
        msg += f"{header.n_features} rows and {header.n_barcodes} columns; copy the file again"
        raise MatrixInvalidError.at(path, msg)
    if len(np.unique(barcodes * header.n_features + features)) != len(features):
        msg = "a cell of the matrix is given twice (duplicate entries); write the file again"
        raise MatrixInvalidError.at(path, msg)


def entry_fault(path: Path, header: MtxHeader, limits: ReadLimits) -> InputError:
    """Read again, slowly, to name the line that is no entry."""
    entry = re.compile(r"[0-9]+ [0-9]+ [+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
    with open_text(path, limits) as stream:
        for number, line in enumerate(iter_lines(stream, path=path, limits=limits), start=1):
            if number > header.n_lines and not entry.fullmatch(line.strip()):
                msg = f"line {number} is no entry of row, column and number ({line[:60]!r}); "
                msg += "the file may be damaged or truncated, copy it again"
                return MatrixInvalidError.at(path, msg)
    return MatrixInvalidError.at(path, "entries cannot be read; the file may be damaged, copy it again")


def _glance(path: Path, request: ReadRequest) -> CellGlance | None:
    """Look at the header and the first lines; its entries a barcode are the mean of detected genes."""
    limits = request.limits
    parts = find_parts(path, limits)
    header = read_header(parts.matrix, limits)
    names = [line.split("\t")[0] for line in _first_lines(parts.barcodes, limits)]
    lines = _first_lines(parts.matrix, limits, after=header.n_lines)
    values = [fields[2] for fields in map(str.split, lines) if len(fields) == 3]  # noqa: PLR2004
    if not (header.n_barcodes and header.n_features and all(map(NUMBER.fullmatch, values))):
        return None
    n_detected = header.n_entries / header.n_barcodes
    is_whole = are_counts(np.array(values, dtype=np.float64))
    seen = ValueGlance(is_whole, 1.0 - n_detected / header.n_features, n_detected)
    return CellGlance(header.n_barcodes, names, seen)


def _first_lines(path: Path, limits: ReadLimits, *, after: int = 0) -> list[str]:
    with open_text(path, limits) as stream:
        return list(islice(iter_lines(stream, path=path, limits=limits), after, after + _GLANCED_LINES))


def _count_samples(path: Path, request: ReadRequest) -> int:
    limits = request.limits
    return read_header(find_parts(path, limits).matrix, limits).n_barcodes


def _list_parts(path: Path, request: ReadRequest) -> tuple[Path, ...]:
    return tuple(find_parts(path, request.limits))


TENX_FOLDER = MatrixFormat(
    "10x folder (matrix.mtx, barcodes, features)",
    _is_10x,
    _open_matrix,
    _count_samples,
    _list_parts,
    _glance,
    is_of_cells=True,
)
"""Folders of Cell Ranger 2 (genes.tsv) and later (features.tsv.gz), or the matrix.mtx inside one."""
