"""Cohorts of one file a sample, as pipelines write them: a folder of files, or a sheet that lists them."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from escape_score.errors import (
    FileMissingError,
    FileUnreadableError,
    InputError,
    MatrixInvalidError,
    SampleSheetInvalidError,
    attempt,
    counted,
    listed,
    raise_faults,
)
from escape_score.model.cohort import FloatArray
from escape_score.read.checks.cells import NUMBER, NumberStyle
from escape_score.read.checks.names import (
    TRANSPOSED_FRACTION,
    gene_fraction,
    plain_name,
    sample_name_faults,
)
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits, check_shape
from escape_score.read.files.probe import Probe, probe_path
from escape_score.read.files.streams import encoding_of, iter_lines, open_text
from escape_score.read.formats.gct import GCT
from escape_score.read.formats.one_sample import PACKED, sample_of, select_samples
from escape_score.read.formats.quantities import QUANTITY_WORDS
from escape_score.read.formats.reader import MatrixFormat, MatrixReading, refuse_transpose
from escape_score.read.formats.samples_among import is_store, lost_samples, samples_among, samples_of_matrix
from escape_score.read.formats.table_kinds import (
    PROGRAMS,
    has_genes,
    has_transcripts,
    is_headless_count,
    program_of,
    transcripts_refused,
)
from escape_score.read.formats.text import DELIMITED_TEXT, STYLE_CHARACTERS, open_table, read_layout
from escape_score.read.formats.text_layout import TextLayout, split_line
from escape_score.read.request import DEFAULT_REQUEST, ReadRequest
from escape_score.read.sheet import read_sample_sheet
from escape_score.read.sheet.columns import FILE_NAMES, has_ids, plain
from escape_score.read.sheet.rows import SheetRow, read_rows, unique_rows
from escape_score.store.ownership import holds_result

_logger = logging.getLogger(__name__)

MAX_FAULTS = 20
"""Faulty files named before the search ends."""

MAX_FILES_PER_SAMPLE = 20
"""Files looked at for each sample allowed; STAR and RSEM leave about ten a sample, salmon four."""

MIN_SHARED_GENES = 0.9
"""Share of the genes of a file, or of the first one if it has more, that both must have.

Files of one pipeline list the same genes. One that is cut off at the end of a line lacks what was cut off,
and one of other identifiers, such as symbols and not Ensembl ids, shares none.
"""

_PLAIN_ENDINGS = frozenset({"", ".txt", ".tsv", ".csv", ".tab"})
"""Endings that notes and lists of files have too."""

_PROGRAM_NAMES = frozenset(program.name for program in PROGRAMS)

_IN_ROWS = "samples in rows"
"""Instead of a kind: of such a table not all samples are in its first lines."""

MAX_LOST = 3
"""Samples named that only a matrix holds."""

_VERSION = re.compile(r"(ENSG\d{11})\.\d+")


@dataclass(frozen=True)
class SampleFile:
    """One file of one sample.

    Parameters
    ----------
    kind
        Program that wrote it, or its columns; files of one cohort are of one kind.
    has_transcripts
        Whether its rows are transcripts, not genes.
    samples
        All samples, where it holds several or is no text; it is not read with others.
    """

    path: Path
    sample: str
    kind: str
    has_transcripts: bool = False
    samples: tuple[str, ...] = ()

    @property
    def ending(self) -> str:
        """Name of the file behind the name of the sample; all of it where the folder has that name."""
        return PACKED.sub("", self.path.name.removeprefix(self.sample))


@dataclass(frozen=True)
class SampleFiles:
    """Files of a cohort, the faults of those that cannot be read, and what there is to say of others."""

    files: tuple[SampleFile, ...]
    faults: tuple[InputError, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files, in the order of the samples; raises InputError: some cannot be read."""
        raise_faults(self.faults[:MAX_FAULTS])
        return tuple(file.path for file in self.files)


@dataclass(frozen=True, eq=False)
class StackedMatrix:
    """Samples read one by one: values of the first genes of ``gene_ids``; later genes are missing."""

    sample_ids: tuple[str, ...] = field(repr=False)
    gene_ids: tuple[str, ...] = field(repr=False)
    rows: tuple[FloatArray, ...] = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, NaN = not measured."""
        rows = self.rows[start:stop]
        values = np.full((len(rows), len(self.gene_ids)), np.nan)
        for value, row in zip(values, rows, strict=True):
            value[: len(row)] = row
        return values


# --- one file -----------------------------------------------------------------------------------------------


def _recognised(path: Path, limits: ReadLimits) -> SampleFile | None:
    """Look at the first lines of a file; None where it is no table of samples.

    Raises InputError: it cannot be read.
    """
    probe = probe_path(path, limits)
    if probe.is_folder or GCT.is_recognised(probe) or not DELIMITED_TEXT.is_recognised(probe):
        return None
    request = ReadRequest(limits=limits)
    layout = read_layout(path, request, n_style_characters=0)
    program = program_of(layout)
    are_quantities = {plain_name(name) for name in layout.sample_ids[: len(QUANTITY_WORDS)]} <= QUANTITY_WORDS
    if layout.sample_ids and are_quantities and has_transcripts(layout):
        return SampleFile(path, sample_of(path), program.name if program else "", has_transcripts=True)
    samples = select_samples(path, layout, request).sample_ids
    if len(samples) > 1:
        return _several(path, samples, layout)
    if not samples or not (program or has_genes(layout)):
        return None
    if program or not (are_quantities or is_headless_count(layout)):
        return SampleFile(path, samples[0], program.name if program else "genes and one sample")
    columns = "value" if is_headless_count(layout) else ", ".join(layout.sample_ids)
    return SampleFile(path, sample_of(path), f"genes and {columns}")


def _several(path: Path, columns: tuple[str, ...], layout: TextLayout) -> SampleFile | None:
    """A matrix of several samples, also with samples in rows; None where it holds no genes."""
    if has_genes(layout) or program_of(layout):
        return SampleFile(path, "", "", samples=columns)
    samples = samples_among(columns, layout.first_genes)
    return SampleFile(path, "", _IN_ROWS, samples=samples) if samples else None


def _several_refused(file: SampleFile) -> MatrixInvalidError:
    """Error for a table that a sheet lists, whose samples would be lost among those of one sample."""
    held = file.kind if file.kind == _IN_ROWS else counted(len(file.samples), "sample")
    msg = f"holds {held}; give it alone, or only tables of one sample"
    return MatrixInvalidError.at(file.path, msg)


def _one_kind(label: Path, files: Sequence[SampleFile]) -> None:
    """Refuse files that different programs wrote."""
    first_of: dict[str, str] = {}
    for file in files:
        first_of.setdefault(file.kind, file.path.name)
    if len(first_of) > 1:
        found = "; ".join(f"{kind} such as {name}" for kind, name in list(first_of.items())[:3])
        msg = f"files of different layouts ({found}); give files of one pipeline"
        raise MatrixInvalidError.at(label, msg)


def _unique_samples(label: Path, files: Sequence[SampleFile]) -> Iterator[InputError]:
    """Samples that several files have."""
    by_sample: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        by_sample[file.sample.strip()].append(file.path)
    for sample, paths in by_sample.items():
        if len(paths) > 1:
            msg = (
                f"sample {sample!r} is in several files ({', '.join(map(str, paths[:3]))}); keep one of them"
            )
            yield MatrixInvalidError.at(label, msg)


# --- a folder -----------------------------------------------------------------------------------------------


def _files_of_folder(folder: Path, limits: ReadLimits) -> SampleFiles:
    """Files of one sample in a folder and in the folders inside it.

    Raises InputError: there are none, or they are of several kinds.
    """
    if holds_result(folder):
        raise FileUnreadableError.at(folder, "a result of this program, not expression; name the matrix")
    found: list[SampleFile] = []
    others: list[tuple[Path, InputError | None]] = []
    for path in _walk(folder, limits):
        tried = attempt(partial(_looked_at, path, limits))
        file = tried.results[0] if tried.results else None
        if file is not None:
            found.append(file)
        else:
            others.append((path, tried.faults[0] if tried.faults else None))
    genes = [file for file in found if not (file.has_transcripts or file.samples)]
    files = tuple(file for file in genes if file.kind in _PROGRAM_NAMES) or tuple(genes)
    left = [file for file in found if not file.has_transcripts and file not in files]
    _refuse_transcripts(folder, files, [file for file in found if file.has_transcripts])
    if not files:
        raise _nothing_found(folder, left)
    check_shape(folder, limits, n_samples=len(files))
    _one_kind(folder, files)
    faults = (*_unique_samples(folder, files), *_damaged_among(files, others), *_lost_among(files, left))
    kinds = {file.kind for file in files}
    unlike = [file for file in found if file.has_transcripts and file.kind not in kinds]
    return SampleFiles(files, faults, tuple(_remarks(folder, [path for path, _ in others], unlike, left)))


def _looked_at(path: Path, limits: ReadLimits) -> SampleFile | None:
    """One file of a folder; None where it holds no samples. Raises InputError: it cannot be read."""
    file = None if path.is_dir() else _recognised(path, limits)
    if file is None and (samples := samples_of_matrix(path, limits)):
        return SampleFile(path, "", "", samples=samples)
    return file


def _nothing_found(folder: Path, left: Sequence[SampleFile]) -> FileUnreadableError:
    """Error for a folder without files of one sample; a matrix in it is named."""
    if left:
        names = listed([str(file.path.relative_to(folder)) for file in left])
        msg = f"a folder without tables of one sample; name one of the matrices in it ({names})"
        return FileUnreadableError.at(folder, msg)
    msg = "a folder (directory) without a matrix.mtx of 10x Genomics and without tables of one sample"
    return FileUnreadableError.at(folder, f"{msg} (looked into it and one level below); name the matrix")


def _lost_among(files: Sequence[SampleFile], left: Sequence[SampleFile]) -> Iterator[InputError]:
    """Files that would not be read although they have samples without a file of their own.

    Merged tables of a pipeline lie in the same folder as those of its samples, and nothing of them is lost.
    """
    own = [file.sample for file in files]
    for file in left:
        if lost := lost_samples(file.samples or (file.sample,), own):
            yield MatrixInvalidError.at(file.path, _why_lost(file, lost, kind=files[0].kind))


def _why_lost(file: SampleFile, lost: Sequence[str], *, kind: str) -> str:
    if not file.samples:
        msg = f"holds sample {file.sample!r} in another layout than the other files ({kind}); "
        return f"{msg}give files of one pipeline, or move it away"
    held = file.kind if file.kind == _IN_ROWS else counted(len(file.samples), "sample")
    which = f"without a file of their own here: {listed(lost, limit=MAX_LOST)}"
    return f"holds {held}; give it alone as the matrix, or move it away ({which})"


def _remarks(
    folder: Path, others: Sequence[Path], transcripts: Sequence[SampleFile], left: Sequence[SampleFile]
) -> Iterator[str]:
    """What a user must know of files that are not read."""
    if others or transcripts:
        unread = sorted([*others, *(file.path for file in transcripts)])
        once = list(dict.fromkeys(path.name for path in unread))
        yield f"{folder}: other files are not read: {listed(once)}"
    if left:
        names = [file.path.name for file in left]
        yield f"{folder}: tables whose samples have files of their own are not read: {listed(names)}"


def _walk(folder: Path, limits: ReadLimits) -> Iterator[Path]:
    """Files in a folder and one level below, in the order of their names, and folders that are a matrix.

    Hidden files are passed over, and results of this program: their tables are not expression.
    """
    n_files = 0
    for entry in _entries(folder):
        is_searched = entry.is_dir() and not is_store(entry, limits)
        for path in _inside(entry) if is_searched else [entry]:
            n_files += 1
            if n_files > limits.max_samples * MAX_FILES_PER_SAMPLE:
                msg = f"too many files (more than {n_files - 1}); give a folder of one cohort"
                raise FileUnreadableError.at(folder, msg)
            yield path


def _inside(folder: Path) -> list[Path]:
    """Files in a folder inside that of the cohort, and folders in it that are a matrix; none of a result."""
    if holds_result(folder):
        return []
    return [path for path in _entries(folder) if not path.is_dir() or is_store(path, DEFAULT_LIMITS)]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        msg = f"the folder cannot be read ({error.strerror}); check its permissions"
        raise FileUnreadableError.at(folder, msg) from error


def _refuse_transcripts(folder: Path, files: Sequence[SampleFile], transcripts: Sequence[SampleFile]) -> None:
    """Refuse a folder of transcripts, and samples of the same program that have no table of genes."""
    if transcripts and not files:
        first = transcripts[0].path
        program = program_of(read_layout(first, DEFAULT_REQUEST, n_style_characters=0))
        error = transcripts_refused(folder, program)
        msg = f"{error} (files such as {first.relative_to(folder)})"
        raise MatrixInvalidError(msg)
    kinds, samples = {file.kind for file in files}, {file.sample for file in files}
    lacking = [file.sample for file in transcripts if file.kind in kinds and file.sample not in samples]
    if lacking:
        msg = f"samples {listed(lacking)} have a table of transcripts and none of genes; make that too"
        raise MatrixInvalidError.at(folder, msg)


def _damaged_among(
    files: Sequence[SampleFile], others: Sequence[tuple[Path, InputError | None]]
) -> Iterator[InputError]:
    """Files that look like those of samples by name and cannot be read, so that no sample is lost."""
    endings = {file.ending for file in files} - {""}
    special = tuple(endings - _PLAIN_ENDINGS)
    for path, error in others:
        name = PACKED.sub("", path.name)
        is_alike = bool(special) and name.endswith(special)
        is_unreadable = (
            isinstance(error, FileUnreadableError) and path.suffix and name.endswith(tuple(endings))
        )
        if is_alike or is_unreadable:
            msg = f"not a table as the other files with this ending ({files[0].kind}); copy it again"
            yield error or MatrixInvalidError.at(path, msg)


# --- a sheet ------------------------------------------------------------------------------------------------


def _is_sheet(probe: Probe) -> bool:
    """Whether a table names samples and files: columns for both, and a file that is no number."""
    head = probe.text_head
    lines = head.decode(encoding_of(head), errors="replace").splitlines()
    filled = list(islice((line for line in lines if line.strip() and not line.startswith("#")), 2))
    if len(filled) < 2:  # noqa: PLR2004
        return False
    header, row = (split_line(line, _delimiter(filled[0])) for line in filled)
    column = next((at for at, name in enumerate(header) if plain(name) in FILE_NAMES), len(row))
    if column >= len(row) or NUMBER.fullmatch(row[column].strip()):
        return False
    others = [name for name in header if not has_ids([name])]
    has_genes_in_columns = gene_fraction(others, with_entrez=False) >= TRANSPOSED_FRACTION
    return not has_genes_in_columns and (has_ids(header) or _is_file(probe.path.parent / row[column].strip()))


def has_header_alone(probe: Probe) -> bool:
    """Whether a table has the columns of such a sheet and nothing below them."""
    head = probe.text_head
    lines = head.decode(encoding_of(head), errors="replace").splitlines()
    filled = [line for line in lines if line.strip() and not line.startswith("#")]
    if len(filled) != 1:
        return False
    header = split_line(filled[0], _delimiter(filled[0]))
    return has_ids(header) and any(plain(name) in FILE_NAMES for name in header)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _delimiter(line: str) -> str:
    return max("\t,;", key=lambda mark: (line.count(mark), mark == "\t"))


def _files_of_sheet(path: Path, request: ReadRequest) -> SampleFiles:
    """Files that a sheet lists, named by it; raises InputError: it is no sheet, or mixes kinds of files."""
    refuse_transpose(path, request, "sheet of tables of one sample")
    limits, own = request.limits, _own_columns(path, request.columns)
    unique = unique_rows(str(path), read_rows(path, own).rows)
    check_shape(path, limits, n_samples=len(unique.kept))
    tried = [attempt(partial(_file_of_row, path, row, limits)) for row in unique.kept]
    files = tuple(one.results[0] for one in tried if one.results)
    faults = [*attempt(lambda: read_sample_sheet(path, own)).faults, *_same_files(path, files)]
    faults += [fault for one in tried for fault in one.faults]
    _one_kind(path, files)
    return SampleFiles(files, tuple(faults))


def _own_columns(path: Path, columns: Mapping[str, str]) -> Mapping[str, str]:
    """Names of columns that this sheet has; the others may be those of another sheet, given as samples."""
    with open_text(path, ReadLimits()) as stream:
        lines = (line for line in iter_lines(stream, path=path, limits=ReadLimits()) if line.strip())
        first = next((line for line in lines if not line.startswith("#")), "")
    names = {name.strip().lower() for name in split_line(first, _delimiter(first))}
    return {ours: theirs for ours, theirs in columns.items() if theirs.lower() in names}


def _file_of_row(sheet: Path, row: SheetRow, limits: ReadLimits) -> SampleFile:
    cell = next((text.strip() for name, text in row.cells.items() if plain(name) in FILE_NAMES), "")
    where = f"sample {row.sample_id}, line {row.line} of {sheet}"
    if not cell:
        raise SampleSheetInvalidError.at(sheet, f"path is empty (sample {row.sample_id}, line {row.line})")
    path = sheet.parent / cell
    try:
        file = _recognised(path, limits)
    except FileMissingError as error:
        raise FileMissingError.at(path, f"file not found ({where}); check the path") from error
    if file is None:
        raise MatrixInvalidError.at(
            path, f"not a table of one sample ({where}); list tables of one sample each"
        )
    if file.samples:
        raise _several_refused(file)
    if file.has_transcripts:
        raise transcripts_refused(path, program_of(read_layout(path, DEFAULT_REQUEST, n_style_characters=0)))
    return replace(file, sample=row.sample_id)


def _same_files(sheet: Path, files: Sequence[SampleFile]) -> Iterator[InputError]:
    samples: dict[Path, list[str]] = defaultdict(list)
    for file in files:
        samples[file.path.resolve()].append(file.sample)
    for path, names in samples.items():
        if len(names) > 1:
            msg = f"{path.name} is the file of several samples ({listed(names)}); give each its own"
            yield SampleSheetInvalidError.at(sheet, msg)


# --- their matrix -------------------------------------------------------------------------------------------


def _open_files(label: Path, listed_files: SampleFiles, request: ReadRequest) -> MatrixReading:
    """Read the files one by one to one matrix; raises InputError: the faults of all of them."""
    files = listed_files.files
    for file in files[:1]:  # a unit that no file has is one fault, not one for each file
        select_samples(file.path, read_layout(file.path, request), request)
    sample_ids = tuple(file.sample for file in files)
    stack, faults = _Stack(label, request.limits, sample_ids), [*listed_files.faults]
    faults += sample_name_faults(str(label), list(dict.fromkeys(sample_ids))) if files else ()
    for file in files:
        if len(faults) >= MAX_FAULTS:
            break
        faults += attempt(partial(stack.add, file.path, request)).faults
    raise_faults({str(fault): fault for fault in faults[:MAX_FAULTS]}.values())
    return replace(stack.reading(), parts=listed_files.paths)


class _Stack:
    """Samples read so far, their values in the order in which genes were seen first."""

    def __init__(self, label: Path, limits: ReadLimits, sample_ids: tuple[str, ...]) -> None:
        self._label, self._limits, self._sample_ids = label, limits, sample_ids
        self._names: tuple[str, ...] = ()
        self._genes: list[str] = []
        self._positions: dict[tuple[str, int], int] = {}
        self._rows: list[FloatArray] = []
        self._style: NumberStyle | None = None
        self._reading = MatrixReading(StackedMatrix((), (), ()))

    def add(self, path: Path, request: ReadRequest) -> None:
        """Read one file; its genes that no file had yet come last."""
        reading = open_table(path, self._layout(path, request), request)
        names, values = reading.source.gene_ids, np.array(reading.source.block(0, 1)[0])
        if self._rows:
            notes = (*self._reading.notes, *reading.notes)
            lengths = _joined_lengths(path, self._reading.gene_lengths, reading.gene_lengths)
            self._reading = replace(self._reading, notes=tuple(dict.fromkeys(notes)), gene_lengths=lengths)
        else:
            self._names, self._genes, self._reading = names, list(names), reading
            self._check_size()
        self._rows.append(values if names == self._names else self._aligned(path, names, values))

    def reading(self) -> MatrixReading:
        """All samples as one matrix."""
        source = StackedMatrix(self._sample_ids, tuple(self._genes), tuple(self._rows))
        return replace(self._reading, source=source)

    def _layout(self, path: Path, request: ReadRequest) -> TextLayout:
        """Layout of a file; the way numbers are written takes many lines to see, and is that of the first."""
        layout = read_layout(path, request, n_style_characters=0 if self._style else STYLE_CHARACTERS)
        self._style = self._style or layout.style
        return replace(layout, style=self._style)

    def _aligned(self, path: Path, names: Sequence[str], values: FloatArray) -> FloatArray:
        """Values in the order of the stack; genes that the file does not have are missing."""
        keys = _keys(names)
        if not self._positions:
            self._positions = {key: at for at, key in enumerate(_keys(self._genes))}
        self._check_shared(path, keys)
        for key, name in zip(keys, names, strict=True):
            if key not in self._positions:
                self._positions[key] = len(self._genes)
                self._genes.append(name)
        self._check_size()
        row = np.full(len(self._genes), np.nan)
        row[[self._positions[key] for key in keys]] = values
        return row

    def _check_shared(self, path: Path, keys: Sequence[tuple[str, int]]) -> None:
        n_first = len(self._names)
        n_shared = sum(self._positions.get(key, n_first) < n_first for key in keys)
        if n_shared < MIN_SHARED_GENES * max(len(keys), n_first):
            msg = f"{len(keys)} genes, of which {n_shared} are among the {n_first} of the first file; "
            advice = "copy it again if it is truncated, or quantify all samples with one annotation"
            raise MatrixInvalidError.at(path, msg + advice)

    def _check_size(self) -> None:
        n_samples, n_genes = len(self._sample_ids), len(self._genes)
        check_shape(self._label, self._limits, n_samples=n_samples, n_genes=n_genes)
        n_bytes = 8 * n_samples * n_genes
        if n_bytes > self._limits.max_expanded_bytes:
            msg = f"too large ({n_samples} samples by {n_genes} genes need {n_bytes} bytes)"
            raise MatrixInvalidError.at(self._label, f"{msg}; give h5ad")


def _joined_lengths(
    path: Path, known: Mapping[str, float] | None, new: Mapping[str, float] | None
) -> Mapping[str, float] | None:
    """Lengths of the genes of several files; raises MatrixInvalidError: those of a file are others."""
    if known is None or new is None:
        return None
    other = next((gene for gene in new if known.get(gene, new[gene]) != new[gene]), None)
    if other is not None:
        msg = f"gene {other} has length {new[other]:g} here and {known[other]:g} in the files before; "
        raise MatrixInvalidError.at(path, msg + "give files that were counted with one annotation")
    return {**new, **known}


def _keys(names: Sequence[str]) -> list[tuple[str, int]]:
    """Names without the version of Ensembl, each with how often it came before."""
    seen: dict[str, int] = defaultdict(int)
    keys = []
    for name in names:
        found = _VERSION.fullmatch(name)
        base = found[1] if found else name
        keys.append((base, seen[base]))
        seen[base] += 1
    return keys


# --- the two formats ----------------------------------------------------------------------------------------


def _open_folder(path: Path, request: ReadRequest) -> MatrixReading:
    refuse_transpose(path, request, "folder of tables of one sample")
    found = _files_of_folder(path, request.limits)
    reading = _open_files(path, found, request)
    for remark in found.remarks:
        _logger.warning("%s", remark)
    return reading


def _open_sheet(path: Path, request: ReadRequest) -> MatrixReading:
    reading = _open_files(path, _files_of_sheet(path, request), request)
    return replace(reading, parts=(path, *reading.parts), sheet=path)


SAMPLE_FOLDER = MatrixFormat(
    "folder of tables of one sample each (RSEM, salmon, kallisto, STAR, StringTie, featureCounts, HTSeq)",
    lambda probe: probe.is_folder,
    _open_folder,
    lambda path, request: len(_files_of_folder(path, request.limits).paths),
    lambda path, request: _files_of_folder(path, request.limits).paths,
)
"""Files in a folder, or each in a folder of its own."""

SAMPLE_FILE_SHEET = MatrixFormat(
    "sheet of such tables (columns sample_id, path)",
    _is_sheet,
    _open_sheet,
    lambda path, request: len(_files_of_sheet(path, request).paths),
    lambda path, request: (path, *_files_of_sheet(path, request).paths),
)
"""Tables anywhere, listed with the names of their samples; other columns are those of a sample sheet."""
