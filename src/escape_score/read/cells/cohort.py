"""The reading of single cells: files, or data in memory, to the samples of a cohort, one at a time."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from escape_score.config.models import CellsConfig
from escape_score.errors import (
    InputError,
    MatrixInvalidError,
    SampleUnknownError,
    attempt,
    did_you_mean,
    listed,
    raise_faults,
)
from escape_score.model.cells import CellSample
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.read.cells.inputs import CellInput, CellInputs, inputs_of
from escape_score.read.cells.matrices import CellMatrix, Labels, matrix_of_anndata, open_matrix
from escape_score.read.cells.request import DEFAULT_CELL_REQUEST, CellRequest
from escape_score.read.cells.spill import (
    Rows,
    SampleCells,
    Spilled,
    blocks_ahead,
    cell_stretches,
    checked_source,
    joined,
    spill,
)
from escape_score.read.cells.values import (
    BlockReader,
    gate_counts,
    gene_columns,
    kind_of_values,
    sample_notes,
    shape_problem,
)
from escape_score.read.checks.names import sample_name_faults
from escape_score.read.checks.single_cells import sample_rank
from escape_score.read.formats.mtx import GENE_EXPRESSION
from escape_score.read.formats.reader import digest_of
from escape_score.read.sheet.columns import KNOWN, plain
from escape_score.read.sheet.rows import named_rows
from escape_score.read.sheet.sheet import checked_sheet

if TYPE_CHECKING:
    from anndata import AnnData

_PATIENT_NAMES = frozenset({*KNOWN["patient_id"], "donorid", "donor"})
_ID_NAMES = _PATIENT_NAMES.union(KNOWN["sample_id"])
"""Names of columns of patients and samples, letters and digits alone; CELLxGENE has ``donor_id``."""


@dataclass(frozen=True, eq=False)
class CellFile:
    """One opened file: its matrix, whose cells are whose, and its genes.

    Parameters
    ----------
    sample_of, types
        Sample and given type of each cell; no type where no column was named.
    records
        One for each word of ``sample_of``, in that order.
    reader
        Turns its blocks into counts; None where only samples are listed.
    """

    matrix: CellMatrix
    sample_of: Labels
    types: Labels | None
    records: tuple[SampleRecord, ...]
    notes: NoteLog = NoteLog()
    reader: BlockReader | None = None

    @property
    def is_sorted(self) -> bool:
        """Whether the cells of every sample are neighbours."""
        return int(np.count_nonzero(np.diff(self.sample_of.codes))) + 1 <= len(self.records)

    def cells_of(self, sample: int, spilled: Callable[[], Spilled] | None) -> SampleCells:
        """Cells of one sample, read where they are if that is cheap, else from a temporary file.

        Without ``spilled`` the file is read as far as it has cells of the sample, and nothing is written.
        """
        codes, is_near = (
            self.sample_of.codes,
            self.is_sorted and (self.matrix.has_rows or len(self.records) == 1),
        )
        if self.matrix.take is None and spilled is not None and not is_near:
            return spilled().load(sample, codes)
        return self._gathered(np.flatnonzero(codes == sample))

    def _gathered(self, rows: npt.NDArray[np.intp]) -> SampleCells:
        """Cells of some rows."""
        reader, matrix = self.blocks, self.matrix
        found, kept, gates = [], [np.empty(0, dtype=np.intp)], []
        with ThreadPoolExecutor(1, "cells") as disk:
            for own, block in self._blocks(rows, disk):
                gathered = reader.gather(block, [matrix.cell_ids[at] for at in own])
                kept.append(own[gathered.kept])
                found.append(Rows.of(gathered.counts))
                gates.append(gathered.gate_of)
        counts = joined(found, len(reader.genes.symbols), is_estimated=reader.is_estimated)
        return SampleCells(np.concatenate(kept), counts, np.concatenate(gates))

    def _blocks(
        self, rows: npt.NDArray[np.intp], disk: ThreadPoolExecutor
    ) -> Iterator[tuple[npt.NDArray[np.intp], sp.csr_array]]:
        """Some rows and their values, block by block: from the file, or from a matrix in memory."""
        matrix, first, last = self.matrix, int(rows[0]), int(rows[-1])
        if matrix.take is not None and last - first + 1 != len(rows):
            n_stored = None if matrix.n_stored is None else matrix.n_stored[rows]
            for start, stop in cell_stretches(replace(matrix, n_stored=n_stored), 0, len(rows)):
                yield rows[start:stop], matrix.take(rows[start:stop])
            return
        places = [
            (*bounds, *np.searchsorted(rows, bounds)) for bounds in cell_stretches(matrix, first, last + 1)
        ]
        filled = [place for place in places if place[2] < place[3]]
        blocks = blocks_ahead(checked_source(matrix), [place[:2] for place in filled], disk)
        for (start, stop, begin, end), (_, _, block) in zip(filled, blocks, strict=True):
            own = rows[begin:end]
            yield own, block if len(own) == stop - start else block[own - start]

    @property
    def blocks(self) -> BlockReader:
        """What turns its blocks into counts."""
        if self.reader is None:
            msg = f"{self.matrix.label}: only the samples were listed"
            raise RuntimeError(msg)
        return self.reader


@dataclass(frozen=True, eq=False)
class CellCohort:
    """Samples of single cells, read one at a time.

    Use it in a ``with`` block, or call :meth:`close`, so that temporary files are removed at once.

    Parameters
    ----------
    samples
        One record a sample, in the order in which the inputs have them first.
    label
        What errors call the input.
    notes
        Flags of all samples, and of single ones.
    request
        How the files are read.
    """

    samples: tuple[SampleRecord, ...]
    label: str
    notes: NoteLog
    request: CellRequest
    _files: tuple[CellFile, ...] = field(repr=False)
    _sheets: tuple[Path, ...] = field(default=(), repr=False)
    _folder: Path | None = field(default=None, repr=False)
    _spilled: dict[int, Spilled] = field(default_factory=dict, repr=False)

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Ids, in order."""
        return tuple(sample.sample_id for sample in self.samples)

    @cached_property
    def patients(self) -> Mapping[str, tuple[str, ...]]:
        """Samples of each patient, in the order of the samples; a sample without a patient is its own."""
        found: dict[str, list[str]] = defaultdict(list)
        for sample in self.samples:
            found[patient_of(sample)].append(sample.sample_id)
        return MappingProxyType({patient: tuple(ids) for patient, ids in found.items()})

    @property
    def parts(self) -> tuple[Path, ...]:
        """Files that the cells are read from; none for data in memory."""
        files = (*self._sheets, *(part for file in self._files for part in file.matrix.parts))
        return tuple(dict.fromkeys(files))

    @cached_property
    def sha256(self) -> str | None:
        """Digest of all files, 64 hex digits, computed at first use; None for data in memory."""
        return digest_of(self.parts) if self.parts else None

    @cached_property
    def _places(self) -> Mapping[str, tuple[int, int]]:
        return {
            record.sample_id: (at, sample)
            for at, file in enumerate(self._files)
            for sample, record in enumerate(file.records)
        }

    def n_cells(self, sample_id: str) -> int:
        """Cells of a sample in its file, before the gates."""
        file, sample = self._places[sample_id]
        return int(np.count_nonzero(self._files[file].sample_of.codes == sample))

    def load(self, sample_id: str, *, is_only: bool = False) -> CellSample:
        """Read the cells of one sample that pass the gates; they may be fewer than a sample needs.

        ``is_only``: no other sample will be read, so that nothing is sorted into a temporary file.

        Raises SampleUnknownError: no sample has this id. InputError: the file is damaged, or holds values
        that are not counts.
        """
        if sample_id not in self._places:
            msg = f"{self.label}: no sample {sample_id!r} (samples: {listed(self.sample_ids)})"
            raise SampleUnknownError(msg)
        at, sample = self._places[sample_id]
        file = self._files[at]
        cells = file.cells_of(sample, None if is_only else lambda: self._spill(at))
        return _cell_sample(file, sample, cells)

    def _spill(self, at: int) -> Spilled:
        """The temporary file of an input, made at first use."""
        if at not in self._spilled:
            file = self._files[at]
            path = Path(self._temporary) / f"cells-{at}.bin"
            self._spilled[at] = spill(file.matrix, file.blocks, file.sample_of.codes, path)
        return self._spilled[at]

    @cached_property
    def _temporary(self) -> str:
        """Folder of temporary files, which goes at the end of this object at the latest."""
        folder = tempfile.mkdtemp(prefix="escape-score-", dir=self._folder)
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def close(self) -> None:
        """Remove temporary files; samples can be loaded again, which makes them anew."""
        self._spilled.clear()
        if "_temporary" in vars(self):
            shutil.rmtree(vars(self).pop("_temporary"), ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def patient_of(sample: SampleRecord) -> str:
    """Patient of a sample: itself where none is known."""
    return sample.patient_id or sample.sample_id


def too_few(sample: CellSample, gates: CellsConfig) -> Note | None:
    """Why a sample cannot be scored, where fewer cells passed than it needs; else None."""
    if sample.n_cells >= gates.min_cells:
        return None
    return note(Code.FEW_CELLS, n=sample.n_cells, least=gates.min_cells, n_read=sample.gates.n_read)


def open_cells(
    inputs: Sequence[str | Path] | str | Path,
    request: CellRequest = DEFAULT_CELL_REQUEST,
    *,
    spill_folder: Path | None = None,
) -> CellCohort:
    """Open files of single cells; their values are read when samples are loaded.

    Parameters
    ----------
    inputs
        One or several: h5ad, the .h5 of Cell Ranger, a folder with matrix.mtx, a folder of these, or a sheet
        with columns ``sample_id`` and ``path``.
    request
        Columns, layer and gates.
    spill_folder
        Where cells are sorted by sample if a file has them mixed; the temporary folder of the system where
        None. 4 bytes a stored value are needed.

    Returns
    -------
    CellCohort
        Samples in the order in which the inputs have them first.

    Raises
    ------
    InputError
        The only fault found.
    InputFaultsError
        All faults of all inputs, where there are several.
    """
    found = _opened(inputs, request, reads_values=True)
    return replace(found, _folder=spill_folder)


def list_cells(
    inputs: Sequence[str | Path] | str | Path, request: CellRequest = DEFAULT_CELL_REQUEST
) -> CellCohort:
    """Samples, patients and files of single cells, by names alone; no sample can be loaded.

    Raises what :func:`open_cells` raises, but for faults of values and genes.
    """
    return _opened(inputs, request, reads_values=False)


def cells_from_anndata(
    adata: AnnData,
    *,
    sample: str | None,
    patient: str | None = None,
    cell_type: str | None = None,
    layer: str | None = None,
    gates: CellsConfig | None = None,
) -> CellCohort:
    """Single cells of an AnnData object, which is not changed.

    Parameters
    ----------
    adata
        Cells in obs, genes in var, dense or sparse, in memory or backed.
    sample, patient, cell_type
        Columns of obs; all cells are of one sample, named ``cells``, where the first is None.
    layer
        Layer that holds counts, ``"raw"`` for ``adata.raw``; ``X`` where None.
    gates
        Which cells are left out; the defaults where None.

    Raises
    ------
    InputError, InputFaultsError
        As :func:`open_cells`; lines begin with ``adata``.
    UsageError
        ``adata`` is not an AnnData object, or lacks the layer.
    """
    request = CellRequest(
        sample_column=sample,
        patient_column=patient,
        cell_type_column=cell_type,
        layer=layer,
        gates=gates or CellsConfig(),
    )
    matrix = matrix_of_anndata(adata, layer)
    file = _file_of(matrix, "cells", None, request, reads_values=True)
    return _cohort([file], CellInputs(()), request, "adata")


def _opened(
    inputs: Sequence[str | Path] | str | Path, request: CellRequest, *, reads_values: bool
) -> CellCohort:
    paths = [Path(one) for one in ([inputs] if isinstance(inputs, (str, Path)) else inputs)]
    found = inputs_of(paths, request)
    tried = [attempt(partial(_open_file, one, request, reads_values=reads_values)) for one in found.files]
    files = [file for one in tried for file in one.results]
    faults = [*found.faults, *(fault for one in tried for fault in one.faults), *_shared_samples(files)]
    raise_faults(faults)
    label = str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    return _cohort(files, found, request, label)


def _cohort(files: Sequence[CellFile], found: CellInputs, request: CellRequest, label: str) -> CellCohort:
    notes = found.notes
    for file in files:
        notes = notes.joined(file.notes)
    samples = tuple(record for file in files for record in file.records)
    return CellCohort(samples, label, notes, request, tuple(files), found.sheets)


def _shared_samples(files: Sequence[CellFile]) -> Iterator[InputError]:
    """Samples that several files have."""
    owners: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for record in file.records:
            owners[record.sample_id].append(file.matrix.label)
    for sample_id, labels in owners.items():
        if len(labels) > 1:
            msg = (
                f"sample {sample_id!r} is also in {listed(labels[1:])}; put its cells into one file, or give "
            )
            yield MatrixInvalidError.at(labels[0], msg + "the samples different names")


def _open_file(one: CellInput, request: CellRequest, *, reads_values: bool) -> CellFile:
    return _file_of(
        open_matrix(one.path, one.format_name, request),
        one.sample_id,
        one.record,
        request,
        reads_values=reads_values,
    )


def _file_of(
    matrix: CellMatrix, own: str, record: SampleRecord | None, request: CellRequest, *, reads_values: bool
) -> CellFile:
    """Check a matrix; raises InputError, or InputFaultsError for several faults."""
    tried_samples = attempt(lambda: _samples_in(matrix, own, record, request))
    types = attempt(lambda: _optional(matrix, request.cell_type_column, "--cell-type-column"))
    faults = [*tried_samples.faults, *types.faults]
    reader = None
    if reads_values:
        tried = attempt(lambda: _reader_of(matrix, request))
        faults += tried.faults
        reader = tried.results[0] if tried.results else None
    raise_faults(faults)
    sample_of, records, notes = tried_samples.get()
    if reader is not None:
        of_all = (*reader.genes.notes, *_left_out(matrix))
        notes = notes.joined(NoteLog(by_sample=tuple((one.sample_id, n) for one in records for n in of_all)))
    return CellFile(matrix, sample_of, types.get(), records, notes, reader)


def _optional(matrix: CellMatrix, name: str | None, option: str) -> Labels | None:
    """A column of obs by its name, if one is named; raises MatrixInvalidError: obs lacks it."""
    if name is None:
        return None
    if name not in matrix.columns:
        asked = did_you_mean(name, matrix.columns) or ";"
        msg = f"no column {name!r} in obs (columns: {listed(matrix.columns, limit=30) or 'none'}){asked} "
        raise MatrixInvalidError.at(matrix.label, f"{msg}name one of them with {option}, or leave it out")
    return matrix.read_column(name)


def _samples_in(
    matrix: CellMatrix, own: str, record: SampleRecord | None, request: CellRequest
) -> tuple[Labels, tuple[SampleRecord, ...], NoteLog]:
    """Sample of each cell, and what is known of the samples."""
    if not matrix.cell_ids:
        raise MatrixInvalidError.at(matrix.label, "no cells (0 rows); give a file with cells")
    given = attempt(lambda: _optional(matrix, request.sample_column, "--sample-column"))
    patients = attempt(lambda: _optional(matrix, _patient_column(matrix, request), "--patient-column"))
    raise_faults([*given.faults, *patients.faults])
    if (found := given.get()) is None:
        _refuse_several(matrix)
        sample_of = Labels.one(own, len(matrix.cell_ids))
    else:
        sample_of = found
    raise_faults(
        [
            *_empty(matrix, sample_of, "sample", request.sample_column),
            *sample_name_faults(matrix.label, sample_of.words),
            *_twice(matrix, sample_of),
        ]
    )
    of_patient, faults = _patients_of(matrix, sample_of, patients.get(), request)
    raise_faults(faults)
    if record is not None:
        return sample_of, (replace(record, sample_id=own),), NoteLog()
    records, notes = _described(matrix, sample_of, of_patient)
    return sample_of, records, notes


def _patient_column(matrix: CellMatrix, request: CellRequest) -> str | None:
    """Column of the patient: the one that is named, else the first whose name says so."""
    if request.patient_column is not None or request.sample_column is None:
        return request.patient_column
    others = (name for name in matrix.columns if name != request.sample_column)
    return next((name for name in others if plain(name) in _PATIENT_NAMES), None)


def _refuse_several(matrix: CellMatrix) -> None:
    """Refuse a file of several samples if the column of the sample was not named."""
    candidates = []
    for name in filter(sample_rank, matrix.columns):
        n_words = len(matrix.read_column(name).words)
        if 1 < n_words <= len(matrix.cell_ids) // 2:
            candidates.append((sample_rank(name), f"{name!r} with {n_words} values"))
    if candidates:
        shown = ", ".join(what for _, what in sorted(candidates)[:5])
        msg = f"several samples, and no column says which (columns of obs that may: {shown}); "
        raise MatrixInvalidError.at(matrix.label, msg + "name it with --sample-column (sample= in Python)")


def _empty(matrix: CellMatrix, labels: Labels, what: str, column: str | None) -> Iterator[InputError]:
    """Cells without a label."""
    rows = np.flatnonzero(labels.codes < 0)
    if len(rows):
        cells = listed([matrix.cell_ids[at] for at in rows[:6]], limit=3)
        n_cells = "1 cell has" if len(rows) == 1 else f"{len(rows)} cells have"
        msg = f"{n_cells} no {what} (column {column!r}; cells such as {cells}); "
        yield MatrixInvalidError.at(matrix.label, msg + "fill the column, or leave these cells out")


def _twice(matrix: CellMatrix, sample_of: Labels) -> Iterator[InputError]:
    """Names of cells that a sample has twice."""
    frame = pd.DataFrame({"sample": sample_of.codes, "cell": np.array(matrix.cell_ids, dtype=object)})
    rows = np.flatnonzero(frame.duplicated())
    if len(rows):
        first = int(rows[0])
        sample = sample_of.words[sample_of.codes[first]]
        n_cells = "1 cell has" if len(rows) == 1 else f"{len(rows)} cells have"
        msg = f"{n_cells} the name of another cell of the sample (such as "
        msg += f"{matrix.cell_ids[first]!r} in sample {sample!r}); give each cell a name of its own"
        yield MatrixInvalidError.at(matrix.label, msg)


def _patients_of(
    matrix: CellMatrix, sample_of: Labels, patients: Labels | None, request: CellRequest
) -> tuple[tuple[str, ...], list[InputError]]:
    """Patient of each sample, and samples of several patients."""
    if patients is None:
        return ("",) * len(sample_of.words), []
    is_named = request.patient_column is not None
    faults = list(_empty(matrix, patients, "patient", request.patient_column)) if is_named else []
    pairs = pd.DataFrame({"sample": sample_of.codes, "patient": patients.codes}).drop_duplicates()
    of_sample: dict[int, list[str]] = defaultdict(list)
    for sample, patient in pairs.itertuples(index=False):
        if patient >= 0:
            of_sample[sample].append(patients.words[patient])
    mixed = {sample: names for sample, names in of_sample.items() if len(names) > 1}
    if mixed and not is_named:  # a column that nobody named, and that does not say whose the samples are
        return ("",) * len(sample_of.words), []
    faults += [
        MatrixInvalidError.at(
            matrix.label,
            f"sample {sample_of.words[sample]!r} has cells of {len(names)} patients ({listed(names)}); "
            f"correct column {request.patient_column!r}, or name another sample column",
        )
        for sample, names in mixed.items()
    ]
    return tuple((of_sample.get(at) or [""])[0] for at in range(len(sample_of.words))), faults


def _described(
    matrix: CellMatrix, sample_of: Labels, of_patient: Sequence[str]
) -> tuple[tuple[SampleRecord, ...], NoteLog]:
    """Records made from columns of obs that have one value in each sample."""
    table = {"sample_id": sample_of.words, "patient_id": tuple(of_patient)}
    for name in matrix.describing:
        if plain(name) not in _ID_NAMES and (words := _constant(matrix.read_column(name), sample_of)):
            table[name] = words
    body = [(at, row) for at, row in enumerate(zip(*table.values(), strict=True), start=1)]
    sheet = checked_sheet(f"{matrix.label} (obs)", named_rows(matrix.label, list(table), body, {}))
    # columns of obs describe cells: those without a meaning for samples are no surprise
    return sheet.records, NoteLog(by_sample=sheet.flags.by_sample)


def _constant(labels: Labels, sample_of: Labels) -> tuple[str, ...]:
    """Words of the samples, where each sample has one at most; empty otherwise."""
    pairs = pd.DataFrame({"sample": sample_of.codes, "word": labels.codes}).drop_duplicates()
    if len(pairs) != len(sample_of.words) or (pairs["word"] < 0).all():
        return ()
    word_of = dict(pairs.itertuples(index=False, name=None))
    return tuple(
        labels.words[code] if (code := word_of[at]) >= 0 else "" for at in range(len(sample_of.words))
    )


def _reader_of(matrix: CellMatrix, request: CellRequest) -> BlockReader:
    """Check genes and some values of a matrix; raises all its faults."""
    is_rna = np.ones(len(matrix.feature_names), dtype=bool)
    if matrix.kinds is not None and GENE_EXPRESSION in matrix.kinds:
        is_rna = np.array([kind == GENE_EXPRESSION for kind in matrix.kinds])
    genes = attempt(lambda: gene_columns(matrix.label, matrix.feature_names, is_rna))
    estimated = attempt(lambda: _check_values(matrix))
    raise_faults([*genes.faults, *estimated.faults])
    return BlockReader(matrix.label, matrix.feature_names, genes.get(), request.gates, estimated.get())


def _check_values(matrix: CellMatrix) -> bool:
    """Whether counts are estimates; raises MatrixInvalidError: values are not counts, rows are not cells."""
    rows = matrix.glance()
    if matrix.has_rows:
        problem, remedy = shape_problem(np.diff(rows.indptr) if matrix.n_stored is None else matrix.n_stored)
        if problem:
            raise MatrixInvalidError.at(matrix.label, f"{problem}; {remedy}")
    kind = kind_of_values(rows)
    if kind.problem:
        raise MatrixInvalidError.at(matrix.label, f"{kind.problem}; {matrix.remedy}")
    return kind.is_estimated


def _left_out(matrix: CellMatrix) -> tuple[Note, ...]:
    """A note on features that are no genes, in files of several kinds."""
    if matrix.kinds is None or GENE_EXPRESSION not in matrix.kinds:
        return ()
    others = Counter(kind for kind in matrix.kinds if kind != GENE_EXPRESSION)
    if not others:
        return ()
    return (note(Code.FEATURES_LEFT_OUT, n=others.total(), kinds=sorted(others)),)


def _cell_sample(file: CellFile, sample: int, cells: SampleCells) -> CellSample:
    record, reader = file.records[sample], file.blocks
    gates = gate_counts(cells.gate_of)
    made = CellSample(
        sample_id=record.sample_id,
        patient_id=patient_of(record),
        cell_ids=np.array([file.matrix.cell_ids[at] for at in cells.rows], dtype=np.str_),
        gene_symbols=reader.genes.symbols,
        counts=cells.counts,
        given_types=None if file.types is None else file.types.texts(cells.rows),
        gates=gates,
    )
    own = sample_notes(gates, made.n_umi, is_estimated=reader.is_estimated)
    is_umi = not any(one.code is Code.FULL_LENGTH_READS for one in own)
    return replace(made, is_umi=is_umi, flags=(*file.notes.of_sample(record.sample_id), *own))
