"""Sample sheets: what is known of each sample besides its expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from escape_score.errors import SampleSheetInvalidError, raise_faults
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, NoteLog, note
from escape_score.read.sheet.cells import event_coding_faults, record_of, row_faults
from escape_score.read.sheet.rows import SheetRow, check_header, read_rows, unique_rows


@dataclass(frozen=True)
class SampleSheet:
    """One record a sample id, in the order of the file that ``label`` names, and what there is to flag."""

    label: str
    records: tuple[SampleRecord, ...]
    flags: NoteLog = NoteLog()


def read_sample_sheet(path: Path) -> SampleSheet:
    """Read a sample sheet: TSV or CSV with a column ``sample_id``, whose ids are text as in the file.

    Known columns: ``patient_id, timepoint, cancer_type, response`` (R, NR, RECIST and the words of
    ``resources/response_words.tsv``), ``os_days, pfs_days`` (≥ 0), ``os_event, pfs_event`` (0/1/true/false),
    ``purity`` (0–1), ``msi, tmb`` (≥ 0), ``pdl1_ihc, site``. Raises FileMissingError, FileUnreadableError:
    there is no such file, or it is no text. Raises SampleSheetInvalidError, or InputFaultsError for several:
    the file is empty, has no sample_id, a row of another width, one sample with different rows, text for tmb
    or purity, or events coded 1/2.
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
    """Give each sample of a matrix its record, in their order, with the id of the matrix.

    Blanks at the ends of ids do not count. Flags of the sheet for these samples, sheet_rows_unused for all,
    no_metadata for samples without a row. Raises SampleSheetInvalidError: no sample is in both.
    """
    if sheet is None:
        return tuple(SampleRecord(sample_id) for sample_id in sample_ids), NoteLog()
    by_key = {record.sample_id.strip(): record for record in sheet.records}
    keys = {sample_id.strip(): sample_id for sample_id in sample_ids}
    if not by_key.keys() & keys.keys():
        some_ids, some_keys = (", ".join(repr(name) for name in list(names)[:3]) for names in (by_key, keys))
        msg = f"no sample_id in common with the matrix (sheet {some_ids}; matrix {some_keys})"
        raise SampleSheetInvalidError.at(sheet.label, f"{msg}; make the ids match")
    records = tuple(
        replace(by_key.get(key, SampleRecord(key)), sample_id=sample_id) for key, sample_id in keys.items()
    )
    unused = [key for key in by_key if key not in keys]
    own = tuple((keys[o.strip()], note) for o, note in sheet.flags.by_sample if o.strip() in keys)
    bare = tuple(
        (own_id, note(Code.NO_METADATA, sample=own_id)) for key, own_id in keys.items() if key not in by_key
    )
    of_all = (note(Code.SHEET_ROWS_UNUSED, n=len(unused), names=unused),) if unused else ()
    return records, NoteLog((*sheet.flags.cohort, *of_all), own + bare)
