"""The tables of a result: profiles, scores and qc, as TSV for eyes and parquet for programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet as pq

from escape_score.model.notes import Note, NoteLog
from escape_score.model.profiles import INDEX, Bounds, CohortProfiles
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.store.atomic import replacing

FLOAT_FORMAT = "%.9g"
ROWS_AT_A_TIME = 1024
"""Rows that are numbers of Python at a time, which take four times as much memory as those of an array."""
FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
ENDS = ("low", "high", "low_within", "high_within")
"""Ends of both intervals of a value."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
PLAIN_NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?", re.IGNORECASE)

FAILED = "failed"
"""Last column of ``qc.tsv``: why a sample has no profile or no page; filled when a result is finished."""


def profiles_table(
    scores: SignatureScores, profiles: CohortProfiles, flags: NoteLog, reference: Reference
) -> pd.DataFrame:
    """One row a sample with the columns of the contract; NaN or empty text = not evaluable."""
    bounds = profiles.index.bounds
    columns: dict[str, object] = {
        "sample_id": list(scores.sample_ids),
        "cohort": [scores.facts.name] * len(scores.sample_ids),
        INDEX: profiles.index.index,
        **_bounds(INDEX, bounds, ("low", "high")),
        "archetype": profiles.archetype,
        "phenotype": profiles.phenotype,
        "status": profiles.status,
        "flags": [",".join(flag_names(flags, sample_id)) for sample_id in scores.sample_ids],
        **_bounds(INDEX, bounds, ("low_within", "high_within")),
    }
    for axis in profiles.axes:
        columns[axis.axis] = axis.score
        if axis.raw is not None:
            columns[f"{axis.axis}_raw"] = axis.raw
        columns[f"{axis.axis}_percentile"] = axis.percentile
        columns |= _bounds(axis.axis, axis.bounds)
        columns[f"{axis.axis}_coverage"] = axis.coverage
        columns[f"{axis.axis}_call"] = axis.call
    columns["decisive_mechanisms"] = profiles.decisive
    columns["msi_suspected"] = profiles.msi_suspected
    columns["mhc1_weakest_gene"] = profiles.axis("mhc1_weakest_link").weakest_gene
    columns["leukocyte_fraction"] = profiles.leukocyte_fraction
    columns["reference"] = [reference.name] * len(scores.sample_ids)
    rule = "" if scores.reference_choice is None else scores.reference_choice.reason.kind
    columns["reference_choice"] = [rule] * len(scores.sample_ids)
    return pd.DataFrame(columns)


def _bounds(name: str, bounds: Bounds, ends: Sequence[str] = ENDS) -> dict[str, object]:
    """Columns of ends of intervals."""
    return {f"{name}_{end}": getattr(bounds, end) for end in ends}


def flag_names(flags: NoteLog, sample_id: str) -> list[str]:
    """Flags of one sample by name, each once."""
    return list(dict.fromkeys(one.code.value for one in flags.of_sample(sample_id)))


def scores_table(scores: SignatureScores) -> pd.DataFrame:
    """Samples × scores: the signatures, then the additional scores as ``method:score``."""
    table = pd.DataFrame(scores.all_values, columns=scores.all_names)
    table.insert(0, "sample_id", list(scores.sample_ids))
    return table


def qc_table(
    scores: SignatureScores,
    profiles: CohortProfiles,
    flags: NoteLog,
    reference: Reference,
    *,
    in_words: Callable[..., str],
) -> pd.DataFrame:
    """What is known of each sample's input, and its flags in words."""
    facts, placement, n = scores.facts, scores.placement, len(scores.sample_ids)
    return pd.DataFrame(
        {
            "sample_id": list(scores.sample_ids),
            "unit": [facts.unit.unit.value] * n,
            "unit_is_declared": [facts.unit.is_declared] * n,
            "unit_evidence": [in_words(facts.unit.evidence)] * n,
            "n_genes": [facts.n_genes] * n,
            "coverage": sum(axis.coverage for axis in profiles.axes) / len(profiles.axes),
            "n_anchors": placement.n_anchors,
            "anchor_offset_log2": placement.offset_log2,
            "reference": [reference.name] * n,
            "reference_choice": [_choice_in_words(scores, in_words)] * n,
            "reference_distance": placement.distance,
            "reference_match": profiles.match,
            "leukocyte_fraction": profiles.leukocyte_fraction,
            "status": profiles.status,
            "flags": [",".join(flag_names(flags, sample_id)) for sample_id in scores.sample_ids],
            "flags_in_words": _in_words(flags, scores.sample_ids, in_words),
            FAILED: [""] * n,
        }
    )


def _in_words(flags: NoteLog, sample_ids: Sequence[str], in_words: Callable[..., str]) -> list[str]:
    """Flags of each sample in words; a flag of the whole cohort is put into words once."""
    known: dict[int, str] = {}  # by the note itself: notes that are equal may differ, as 1 and 1.0 are

    def said(one: Note) -> str:
        return known.get(id(one)) or known.setdefault(id(one), in_words(one))

    return [" ".join(map(said, flags.of_sample(sample_id))) for sample_id in sample_ids]


def with_failed(qc: pd.DataFrame, sample_ids: Sequence[str]) -> pd.DataFrame:
    """The table with a row for each sample without a profile, all but its id empty."""
    if not sample_ids:
        return qc
    rows = pd.DataFrame({"sample_id": list(sample_ids)}).reindex(columns=qc.columns)
    texts = [name for name in qc.columns if qc[name].dtype.kind not in "fiu"]
    rows = rows.astype(dict.fromkeys(texts, "object")).fillna(dict.fromkeys(texts, ""))
    return pd.concat([qc, rows.astype(dict.fromkeys(texts, "object"))], ignore_index=True)


def _choice_in_words(scores: SignatureScores, in_words: Callable[..., str]) -> str:
    """Why the reference was taken, and what would make more evaluable."""
    choice = scores.reference_choice
    return "" if choice is None else in_words(choice.reason, *choice.advice)


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table for programs: float64, text as it is."""
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), temporary, compression="zstd")
    pa.default_memory_pool().release_unused()


def write_tsv(path: Path, table: pd.DataFrame) -> None:
    """Write a table for eyes: 9 significant digits, empty = not evaluable, text safe in a spreadsheet.

    pandas formats cells one by one through a chain of functions, which takes most of the time of a run with
    thousands of samples; here a row's neighbouring numbers are formatted in one go.
    """
    names = [str(name) for name in table.columns]
    by_kind = groupby(range(len(names)), key=lambda at: table.dtypes.iloc[at].kind == "f")
    runs = [(is_number, list(at)) for is_number, at in by_kind]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as handle:
        handle.write("\t".join(quoted(safe_cell(name)) for name in names) + "\n")
        for start in range(0, len(table), ROWS_AT_A_TIME):
            rows = table.iloc[start : start + ROWS_AT_A_TIME]
            fields = [_fields(rows.iloc[:, at], is_number=is_number) for is_number, at in runs]
            handle.writelines("\t".join(row) + "\n" for row in zip(*fields, strict=True))


def _fields(table: pd.DataFrame, *, is_number: bool) -> Iterator[str]:
    """Neighbouring columns, all of numbers or none: a text for each row."""
    columns = [table.iloc[:, at].tolist() for at in range(table.shape[1])]
    if is_number:
        template = "\t".join([FLOAT_FORMAT] * table.shape[1])
        return ((template % row).replace("nan", "") for row in zip(*columns, strict=True))
    return map("\t".join, zip(*map(_cells, columns), strict=True))


def _cells(column: Sequence[object]) -> Iterator[str]:
    """Cells of a column that has no numbers with decimals; most columns have few values."""
    known: dict[str, str] = {}
    texts = map(str, column)
    return (known.get(text) or known.setdefault(text, quoted(safe_cell(text))) for text in texts)


@lru_cache(maxsize=4096)
def safe_cell(text: str) -> str:
    """Make text harmless where a table is opened.

    Formulas get an apostrophe, control characters are spelt out. Other invisible characters stay: an id must
    still meet its row in other tables; pages show them spelt out.
    """
    spelt = CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    is_formula = text.startswith(FORMULA_START) and not PLAIN_NUMBER.fullmatch(text)
    return f"'{spelt}" if is_formula else spelt


def quoted(text: str) -> str:
    """A cell as readers of delimited text expect it where it holds a quote."""
    return '"' + text.replace('"', '""') + '"' if '"' in text else text
