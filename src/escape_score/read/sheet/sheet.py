"""Sample sheets: what is known of each sample besides its expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from escape_score.errors import SampleSheetInvalidError, raise_faults
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.read.sheet.cells import event_coding_faults, record_of, row_faults
from escape_score.read.sheet.rows import SheetRow, check_header, read_rows, unique_rows


@dataclass(frozen=True)
class SampleSheet:
    """A sample sheet as read.

    Parameters
    ----------
    label
        The file, or the argument that held it, for messages.
    records
        One record a sample id, in the order of the file.
    flags
        Unknown labels, bad survival and purity by sample, and rows that stand twice.
    """

    label: str
    records: tuple[SampleRecord, ...]
    flags: NoteLog = NoteLog()


def read_sample_sheet(path: Path) -> SampleSheet:
    """Read a sample sheet.

    Parameters
    ----------
    path
        TSV or CSV with a column ``sample_id``. Known columns: ``patient_id, timepoint, cancer_type,
        response`` (R, NR, RECIST and the words of ``resources/response_words.tsv``), ``os_days, pfs_days`` (≥
        0), ``os_event, pfs_event`` (0/1/true/false), ``purity`` (0–1), ``msi, tmb`` (≥ 0), ``pdl1_ihc,
        site``.

    Returns
    -------
    SampleSheet
        Sample ids are text, as they stand in the file.

    Raises
    ------
    FileMissingError, FileUnreadableError
        There is no such file, or it is no text.
    SampleSheetInvalidError
        The file is empty, has no sample_id, a row of another width, one sample with different rows, text for
        tmb or purity, or events coded 1/2.
    InputFaultsError
        Several of these.
    """
    return checked_sheet(str(path), read_rows(path))


def open_sheet(sheet: str | Path | pd.DataFrame | None) -> SampleSheet | None:
    """Read a sample sheet from a file or a table in memory; None where there is none.

    A table has a column ``sample_id``, or its index holds the sample ids; raises what
    :func:`read_sample_sheet` does.
    """
    if sheet is None or isinstance(sheet, (str, Path)):
        return None if sheet is None else read_sample_sheet(Path(sheet))
    table = sheet if "sample_id" in sheet else sheet.rename_axis("sample_id").reset_index()
    header = check_header("samples", [str(name) for name in table.columns])
    rows = enumerate(table.itertuples(index=False, name=None), 1)
    cells = [(row, ["" if pd.isna(cell) else str(cell) for cell in values]) for row, values in rows]
    return checked_sheet("samples", [SheetRow(row, dict(zip(header, c, strict=True))) for row, c in cells])


def checked_sheet(label: str, rows: Sequence[SheetRow]) -> SampleSheet:
    """Turn the rows of a sheet into records; raises what :func:`read_sample_sheet` does."""
    unique = unique_rows(label, rows)
    faults = [fault for row in unique.kept for fault in row_faults(label, row)]
    faults += event_coding_faults(label, unique.kept)
    raise_faults([*unique.faults, *faults])
    parsed = [record_of(row) for row in unique.kept]
    notes = tuple((record.sample_id, note) for record, row_notes in parsed for note in row_notes)
    flags = NoteLog(cohort=unique.notes, by_sample=notes)
    return SampleSheet(label, tuple(record for record, _ in parsed), flags)


def join_sheet(
    sheet: SampleSheet | None, sample_ids: Sequence[str]
) -> tuple[tuple[SampleRecord, ...], NoteLog]:
    """Give each sample of a matrix its record.

    Parameters
    ----------
    sheet
        Sheet as read, or None where there is none.
    sample_ids
        Samples of the matrix, unique but for blanks at their ends, which do not count in the join.

    Returns
    -------
    records : tuple of SampleRecord
        One a sample, in the order of ``sample_ids``, bearing the id of the matrix.
    flags : NoteLog
        Flags of the sheet for these samples; sheet_rows_unused for all, no_metadata for samples without a
        row.

    Raises
    ------
    SampleSheetInvalidError
        Sheet and matrix have no sample in common.
    """
    if sheet is None:
        return tuple(SampleRecord(sample_id) for sample_id in sample_ids), NoteLog()
    by_key = {record.sample_id.strip(): record for record in sheet.records}
    keys = {sample_id.strip(): sample_id for sample_id in sample_ids}
    if not by_key.keys() & keys.keys():
        msg = (
            f"{sheet.label}: no sample_id in common with the matrix (sheet {_some(by_key)}; matrix "
            f"{_some(keys)}); "
        )
        raise SampleSheetInvalidError(msg + "make the ids match")
    records = tuple(
        replace(by_key.get(key, SampleRecord(key)), sample_id=sample_id) for key, sample_id in keys.items()
    )
    unused = [key for key in by_key if key not in keys]
    own = tuple((keys[o.strip()], note) for o, note in sheet.flags.by_sample if o.strip() in keys)
    bare = tuple((keys[key], _no_metadata(keys[key])) for key in keys if key not in by_key)
    return records, NoteLog((*sheet.flags.cohort, *_unused(unused)), own + bare)


def _some(names: Mapping[str, object]) -> str:
    return ", ".join(repr(name) for name in list(names)[:3])


def _no_metadata(sample_id: str) -> Note:
    return note(Code.NO_METADATA, sample=sample_id)


def _unused(names: Sequence[str]) -> tuple[Note, ...]:
    if not names:
        return ()
    return (note(Code.SHEET_ROWS_UNUSED, n=len(names), names=names),)
