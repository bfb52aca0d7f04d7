"""Sample sheets: what is known of each sample besides its expression."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from escape_score.errors import SampleSheetInvalidError, raise_faults
from escape_score.model.arguments import require_path
from escape_score.model.cohort import SampleRecord, require_columns, sheet_columns
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.read.sheet.cells import event_coding_faults, record_of, row_faults, sample_type_in
from escape_score.read.sheet.columns import KNOWN, could_be_groups, group_columns, has_ids, near_name
from escape_score.read.sheet.rows import SheetRow, SheetRows, named_rows, read_rows, unique_rows

MAX_LISTED = 50
"""Columns that one note names."""


@dataclass(frozen=True)
class SampleSheet:
    """One record a sample id, in the order of the file that ``label`` names, and what there is to flag.

    ``further``: all columns without a known name, also those that are not kept.
    """

    label: str
    records: tuple[SampleRecord, ...]
    flags: NoteLog = NoteLog()
    further: tuple[str, ...] = ()


def read_sample_sheet(path: Path, columns: Mapping[str, str] = MappingProxyType({})) -> SampleSheet:
    """Read a sample sheet: TSV, CSV or xlsx with a column of sample ids, which are text as in the file.

    Columns are those of :data:`~escape_score.read.sheet.columns.KNOWN`, in any letter case: ``sample_id,
    patient_id, timepoint, cancer_type, response`` (R, NR, RECIST and the words of
    ``resources/response_words.tsv``), ``os_days, pfs_days`` (also months and years), ``os_event,
    pfs_event`` (0/1/true/false, alive/dead, ``1:DECEASED``), ``purity`` (0-1), ``msi, tmb`` (>= 0),
    ``pdl1_ihc, site, sample_type``. ``columns`` gives the names that others have in this sheet. Raises
    FileMissingError, FileUnreadableError: there is no such file, or it is of another kind. Raises
    SampleSheetInvalidError, or InputFaultsError for several: the file is empty, has no sample ids, a row of
    another width, one sample with different rows, text for tmb or purity, events coded 1/2, or lacks a column
    that ``columns`` names.
    """
    return checked_sheet(str(path), read_rows(path, columns))


def open_sheet(
    sheet: str | Path | pd.DataFrame | None, columns: Mapping[str, str] = MappingProxyType({})
) -> SampleSheet | None:
    """Read a sample sheet from a file or a table in memory; None where there is none.

    A table has a column of sample ids, or its index holds them. Raises what :func:`read_sample_sheet` does,
    and UsageError: it is neither a path nor a table.
    """
    if not isinstance(sheet, pd.DataFrame | None):
        require_path("samples", sheet, "the path of a sample sheet, or a pandas DataFrame")
        sheet = Path(sheet)
    if sheet is None or isinstance(sheet, Path):
        return None if sheet is None else read_sample_sheet(sheet, columns)
    is_named = "sample_id" in columns or has_ids([str(name) for name in sheet.columns])
    table = sheet if is_named else sheet.rename_axis("sample_id").reset_index()
    rows = enumerate(table.itertuples(index=False, name=None), 1)
    body = [(row, ["" if pd.isna(cell) else str(cell) for cell in values]) for row, values in rows]
    return checked_sheet(
        "samples", named_rows("samples", [str(name) for name in table.columns], body, columns)
    )


def checked_sheet(label: str, sheet: SheetRows) -> SampleSheet:
    """Turn the rows of a sheet into records; raises what :func:`read_sample_sheet` does."""
    unique = unique_rows(label, sheet.rows)
    faults = [fault for row in unique.kept for fault in row_faults(label, row)]
    faults += event_coding_faults(label, unique.kept)
    raise_faults([*unique.faults, *faults])
    named = {name: kind for name in sheet.named if (kind := _kind_of(unique.kept, name))}
    groups = tuple(dict.fromkeys((*_groups(unique.kept, sheet.unknown), *named)))
    numbers = {name for name, kind in named.items() if kind is float}
    parsed = [record_of(row, groups, numbers) for row in unique.kept]
    notes = tuple((record.sample_id, note) for record, row_notes in parsed for note in row_notes)
    flags = NoteLog(cohort=(*unique.notes, *_column_notes(sheet.unknown)), by_sample=notes)
    return SampleSheet(label, tuple(record for record, _ in parsed), flags, sheet.unknown)


def _groups(rows: Sequence[SheetRow], unknown: Sequence[str]) -> tuple[str, ...]:
    """Columns without a known name that divide the samples into groups."""
    patients = [row.given("patient_id") or row.sample_id for row in rows]
    cells = {name: [row.given(name) for row in rows] for name in unknown if name not in KNOWN}
    return group_columns(cells, patients)


def _kind_of(rows: Sequence[SheetRow], name: str) -> type[str | float] | None:
    """How a column that a caller names is kept: as labels, or as numbers; None where it is neither.

    Free text and names of patients are neither, whoever names them.
    """
    values = {row.given(name) for row in rows} - {""}
    if could_be_groups(values) or len(values) == 1:
        return str
    try:
        return float if values and all(map(math.isfinite, map(float, values))) else None
    except ValueError:
        return None


def require_named(
    columns: Mapping[str, str], records: Sequence[SampleRecord], sheet: SampleSheet | None
) -> None:
    """Refuse a pair of two equal names in ``columns`` whose column could not be kept.

    Raises UsageError: the sheet has no such column, or its values are free text.
    """
    named = [name for name, theirs in columns.items() if name == theirs and name not in KNOWN]
    require_columns(named, sheet_columns(records), () if sheet is None else sheet.further)


def _column_notes(unknown: Sequence[str]) -> tuple[Note, ...]:
    """One note on all columns without a known name, those first that resemble one."""
    near = {name: near_name(name) for name in unknown}
    said = [
        f"{name[:40]} ({near[name]}?)" if near[name] else name[:40]
        for name in sorted(unknown, key=lambda one: not near[one])
    ]
    if not said:
        return ()
    return (note(Code.SHEET_COLUMNS_UNUSED, n=len(said), columns=", ".join(said[:MAX_LISTED])),)


def join_sheet(
    sheet: SampleSheet | None, sample_ids: Sequence[str]
) -> tuple[tuple[SampleRecord, ...], NoteLog]:
    """Give each sample of a matrix its record, in their order, with the id of the matrix.

    Blanks at the ends of ids do not count. Ids that differ otherwise are matched as :func:`respelt_ids` says,
    with a note. A sample type that the sheet lacks is read from a barcode of TCGA. Flags of the sheet for
    these samples, sheet_rows_unused for all, no_metadata for samples without a row. Raises
    SampleSheetInvalidError: no sample is in both.
    """
    if sheet is None:
        return tuple(_typed(SampleRecord(sample_id)) for sample_id in sample_ids), NoteLog()
    keys = {sample_id.strip(): sample_id for sample_id in sample_ids}
    rows = {record.sample_id.strip(): record for record in sheet.records}
    respelt = respelt_ids(tuple(rows), tuple(keys))
    by_key = {respelt.get(key, key): record for key, record in rows.items()}
    if not by_key.keys() & keys.keys():
        some_ids, some_keys = (", ".join(repr(name) for name in list(names)[:3]) for names in (rows, keys))
        msg = f"no sample_id in common with the matrix (sheet {some_ids}; matrix {some_keys})"
        raise SampleSheetInvalidError.at(sheet.label, f"{msg}; make the ids match")
    records = tuple(
        _typed(replace(by_key.get(key, SampleRecord(key)), sample_id=sample_id))
        for key, sample_id in keys.items()
    )
    return records, _join_flags(sheet, by_key, keys, respelt)


def _typed(record: SampleRecord) -> SampleRecord:
    """A record with the sample type of its id, where the sheet has none."""
    return record if record.sample_type else replace(record, sample_type=sample_type_in(record.sample_id))


def _join_flags(
    sheet: SampleSheet,
    by_key: Mapping[str, SampleRecord],
    keys: Mapping[str, str],
    respelt: Mapping[str, str],
) -> NoteLog:
    """What there is to flag about a sheet and its samples."""
    key_of = {record.sample_id: key for key, record in by_key.items()}
    own = tuple((keys[key_of[o]], note) for o, note in sheet.flags.by_sample if key_of[o] in keys)
    bare = tuple(
        (own_id, note(Code.NO_METADATA, sample=own_id)) for key, own_id in keys.items() if key not in by_key
    )
    of_all = []
    if respelt:
        pairs = [f"{theirs} = {ours}" for theirs, ours in respelt.items()]
        of_all.append(note(Code.SHEET_IDS_RESPELT, n=len(pairs), names=pairs))
    if unused := [key for key in by_key if key not in keys]:
        of_all.append(note(Code.SHEET_ROWS_UNUSED, n=len(unused), names=unused))
    return NoteLog((*sheet.flags.cohort, *of_all), own + bare)


_ENDINGS = re.compile(
    r"(?:[._-]?Aligned(?:\..*)?|(?:[._](?:sorted|sort|dedup|markdup|mdup|toTranscriptome))*\.(?:bam|sam|cram))$",
    re.IGNORECASE,
)
"""What aligners put behind the name of a sample."""


def respelt_ids(theirs: Sequence[str], ours: Sequence[str]) -> Mapping[str, str]:
    """Ids of a sheet to ids of a matrix that are the same but for their spelling.

    Folders, endings of alignments (``.bam``, ``.sorted.bam``, ``Aligned.sortedByCoord.out.bam``) and what R
    makes of names (``X1``, ``.`` for ``-``) do not count. Only ids without a partner of the same spelling are
    matched, and only where one id of each side is left. Folders count where both sides have them, and marks
    where neither id is one that R could have made.
    """
    has_folders = [any(_FOLDER.search(name) for name in names) for names in (theirs, ours)]
    sides = [defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)]
    for side, names in zip(sides, (theirs, ours), strict=True):
        for name in names:
            side[_as_of_r(_bare_id(name, keeps_folder=all(has_folders)))].append(name)
    same = {*theirs} & {*ours}
    pairs = ((sides[0][bare], sides[1][bare]) for bare in sides[0] if bare in sides[1])
    return {
        first[0]: second[0]
        for first, second in pairs
        if len(first) == len(second) == 1
        and not {first[0], second[0]} & same
        and _are_spellings(*(_bare_id(one[0], keeps_folder=all(has_folders)) for one in (first, second)))
    }


_FOLDER = re.compile(r"[/\\]")
_OF_R = re.compile(r"[A-Za-z0-9_.]+")
"""What a name in R consists of."""


def _bare_id(name: str, *, keeps_folder: bool) -> str:
    """An id without what aligners add, and without the folder."""
    return _ENDINGS.sub("", name if keeps_folder else _FOLDER.split(name)[-1])


def _as_of_r(bare: str) -> str:
    """An id as R leaves it, without the X before a digit; letters of every script stay."""
    return re.sub(r"^X(?=[0-9_.])", "", re.sub(r"[^\w.]", ".", bare))


def _are_spellings(first: str, second: str) -> bool:
    """Whether two ids can be one: the same, or one of them changed by R."""
    return first == second or bool(_OF_R.fullmatch(first) or _OF_R.fullmatch(second))
