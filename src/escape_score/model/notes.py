"""Notes: what a reader must know about an input or a score, as codes with figures.

A note is made where something is found, without a word of any language; ``report/messages.py`` turns it into
a sentence. Its severity belongs to its code, so that a page and ``check`` cannot disagree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import cast


class Severity(StrEnum):
    """How much a note matters."""

    ERROR = "error"
    """The sample, or the thing named, cannot be scored."""
    CAUTION = "caution"
    """It changes how the numbers can be read."""
    NOTE = "note"
    """It says what was done; the numbers read the same."""


class Code(StrEnum):
    """Codes of notes: first the flags, whose names are part of the contract of ``profiles.tsv``."""

    BAD_SURVIVAL = "bad_survival"
    CELLS_GATED = "cells_gated"
    COHORT_COMPOSITION = "cohort_composition"
    COHORT_TOO_SMALL = "cohort_too_small"
    COMPOSITION_OUTLIER = "composition_outlier"
    COUNTS_CONVERTED = "counts_converted"
    COUNTS_WITHOUT_LENGTHS = "counts_without_lengths"
    DEGRADED_RNA = "degraded_rna"
    DUPLICATE_GENE_IN_SET = "duplicate_gene_in_set"
    DUPLICATE_GENES = "duplicate_genes"
    DUPLICATE_GENES_AFTER_MAPPING = "duplicate_genes_after_mapping"
    EXCEL_GENE_DATES = "excel_gene_dates"
    FEATURES_LEFT_OUT = "features_left_out"
    FEW_CELLS = "few_cells"
    FEW_GENES = "few_genes"
    FLOOR_SUSPECT = "floor_suspect"
    FULL_LENGTH_READS = "full_length_reads"
    GENE_CASE_CHANGED = "gene_case_changed"
    GENE_IDS_DISAGREE = "gene_ids_disagree"
    GENE_IDS_SUSPECT = "gene_ids_suspect"
    GENE_NAMES_REWRITTEN = "gene_names_rewritten"
    GENE_SET_LOW_COVERAGE = "gene_set_low_coverage"
    GENE_SET_TOO_LARGE = "gene_set_too_large"
    GENE_ZERO_IN_ALL = "gene_zero_in_all"
    GMT_NO_DESCRIPTION = "gmt_no_description"
    HLA_UNQUANTIFIED = "hla_unquantified"
    IDENTICAL_SAMPLES = "identical_samples"
    IMPLAUSIBLE_PROFILE = "implausible_profile"
    KEY_GENES_MISSING = "key_genes_missing"
    MHC_LOCUS_UNQUANTIFIED = "mhc_locus_unquantified"
    MISSING_VALUES = "missing_values"
    MIXED_GENE_IDS = "mixed_gene_ids"
    MIXED_UNITS = "mixed_units"
    MOST_CELLS_GATED = "most_cells_gated"
    NANOSTRING_SCALED = "nanostring_scaled"
    NANOSTRING_WEAK = "nanostring_weak"
    NO_METADATA = "no_metadata"
    NO_MITOCHONDRIAL_GENES = "no_mitochondrial_genes"
    NOT_A_TUMOUR = "not_a_tumour"
    NON_GENE_ROWS = "non_gene_rows"
    PURITY_OUT_OF_RANGE = "purity_out_of_range"
    QUANTILE_NORMALISED = "quantile_normalised"
    QUANTITY_CHOSEN = "quantity_chosen"
    REFERENCE_DISTANT = "reference_distant"
    REFERENCE_EDITED = "reference_edited"
    REFERENCE_LEFT_OUT = "reference_left_out"
    REFERENCE_SKIPPED = "reference_skipped"
    RENAMED_SYMBOLS = "renamed_symbols"
    RESCALED_TO_TPM = "rescaled_to_tpm"
    SAMPLE_CONSTANT = "sample_constant"
    SAMPLE_EMPTY = "sample_empty"
    SHEET_COLUMNS_UNUSED = "sheet_columns_unused"
    SHEET_DUPLICATE_ROWS = "sheet_duplicate_rows"
    SHEET_IDS_RESPELT = "sheet_ids_respelt"
    SHEET_ROWS_UNUSED = "sheet_rows_unused"
    SPECIES_SUSPECT = "species_suspect"
    TARGETED_PANEL = "targeted_panel"
    TRAILING_BYTES = "trailing_bytes"
    TUMOUR_TYPE_DIFFERS = "tumour_type_differs"
    TUMOUR_TYPE_UNKNOWN = "tumour_type_unknown"
    UNITS_GUESSED = "units_guessed"
    UNITS_SUSPECT = "units_suspect"
    UNKNOWN_GENES = "unknown_genes"
    UNKNOWN_LABEL = "unknown_label"
    UNNAMED_GENES = "unnamed_genes"
    # not flags: reasons, evidence and remarks of a record
    CALL = "call"
    PERCENTILE = "percentile"
    WITHHELD = "withheld"
    MSI = "msi"
    UNPAIRED = "unpaired"
    UNIT = "unit"
    SUMS = "sums"
    ID_KIND = "id_kind"
    LENGTHS = "lengths"
    NOT_SCORED = "not_scored"
    STATISTICS = "statistics"
    LEFT_OUT = "left_out"
    NO_MODEL = "no_model"
    COLUMN = "column"
    GROUP = "group"
    REFERENCE_CHOICE = "reference_choice"
    MORE_EVALUABLE = "more_evaluable"
    CELL_QUANTITY = "cell_quantity"
    CELL_LABELS = "cell_labels"
    COMPARED = "compared"
    NOT_POOLED = "not_pooled"


FLAGS = tuple(Code)[: tuple(Code).index(Code.CALL)]
"""Codes of flags, which ``docs/qc.md`` explains."""
NOTES = frozenset(
    {
        Code.BAD_SURVIVAL,
        Code.CELLS_GATED,
        Code.COHORT_TOO_SMALL,
        Code.COUNTS_CONVERTED,
        Code.COUNTS_WITHOUT_LENGTHS,
        Code.DUPLICATE_GENE_IN_SET,
        Code.DUPLICATE_GENES,
        Code.DUPLICATE_GENES_AFTER_MAPPING,
        Code.EXCEL_GENE_DATES,
        Code.FEATURES_LEFT_OUT,
        Code.GENE_CASE_CHANGED,
        Code.GENE_NAMES_REWRITTEN,
        Code.GENE_SET_LOW_COVERAGE,
        Code.GENE_SET_TOO_LARGE,
        Code.GMT_NO_DESCRIPTION,
        Code.MIXED_GENE_IDS,
        Code.NANOSTRING_SCALED,
        Code.NO_METADATA,
        Code.NO_MITOCHONDRIAL_GENES,
        Code.NON_GENE_ROWS,
        Code.QUANTITY_CHOSEN,
        Code.REFERENCE_LEFT_OUT,
        Code.RENAMED_SYMBOLS,
        Code.RESCALED_TO_TPM,
        Code.SHEET_COLUMNS_UNUSED,
        Code.SHEET_DUPLICATE_ROWS,
        Code.SHEET_IDS_RESPELT,
        Code.SHEET_ROWS_UNUSED,
        Code.TRAILING_BYTES,
        Code.TUMOUR_TYPE_UNKNOWN,
        Code.UNKNOWN_GENES,
        Code.UNKNOWN_LABEL,
        Code.UNNAMED_GENES,
        *(code for code in Code if code not in FLAGS),
    }
)
ERRORS = frozenset({Code.FEW_CELLS, Code.SAMPLE_CONSTANT, Code.SAMPLE_EMPTY})
"""Severities of codes; every other code is a caution."""

MAX_NAMED = 5
"""Names in one note; the others are counted."""


def severity_of(code: Code) -> Severity:
    """How much a code matters."""
    if code in ERRORS:
        return Severity.ERROR
    return Severity.NOTE if code in NOTES else Severity.CAUTION


@dataclass(frozen=True)
class Note:
    """One thing found.

    ``kind``: which of several findings of this code; empty where there is one. ``params``: names and values:
    figures, names from the input, other notes.
    """

    code: Code
    kind: str = ""
    params: tuple[tuple[str, Param], ...] = ()

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return severity_of(self.code)


Param = str | bool | int | float | tuple[str, ...] | Note | tuple[Note, ...]


def note(code: Code, kind: str = "", **params: Param | Iterable[str] | Iterable[Note]) -> Note:
    """Make a note; of a list of names the first five are kept and the others counted as ``n_more``."""
    kept: dict[str, Param] = {}
    for name, value in params.items():
        if isinstance(value, (str, bool, int, float, Note)):
            kept[name] = value
        else:
            items = tuple(value)
            kept[name] = cast("Param", items[:MAX_NAMED])
            kept |= {"n_more": len(items) - MAX_NAMED} if len(items) > MAX_NAMED else {}
    return Note(code, kind, tuple(kept.items()))


def _order(one: Note) -> tuple[str, str, str]:
    return one.code, one.kind, repr(one.params)


@dataclass(frozen=True)
class NoteLog:
    """Notes so far: for every sample of the cohort, and for single samples as pairs of id and note."""

    cohort: tuple[Note, ...] = ()
    by_sample: tuple[tuple[str, Note], ...] = ()

    def joined(self, other: NoteLog) -> NoteLog:
        """Both logs, this one's notes first."""
        return NoteLog(self.cohort + other.cohort, self.by_sample + other.by_sample)

    def of_sample(self, sample_id: str) -> tuple[Note, ...]:
        """Notes that concern one sample, sorted by code; one that was made twice counts once."""
        if sample_id not in self._sorted:
            notes = {*self.cohort, *self._own_notes.get(sample_id, ())}
            self._sorted[sample_id] = tuple(sorted(notes, key=_order))
        return self._sorted[sample_id]

    def has(self, sample_id: str, code: Code) -> bool:
        """Whether a note of this code concerns a sample."""
        return any(one.code is code for one in (*self.cohort, *self._own_notes.get(sample_id, ())))

    @cached_property
    def _sorted(self) -> dict[str, tuple[Note, ...]]:
        """Notes of samples that were asked for: several tables and the record of a sample ask for them."""
        return {}

    @cached_property
    def _own_notes(self) -> Mapping[str, tuple[Note, ...]]:
        """Notes of single samples by id; searching all for each sample grows with the square of a cohort."""
        notes: dict[str, list[Note]] = defaultdict(list)
        for owner, one in self.by_sample:
            notes[owner].append(one)
        return {owner: tuple(own) for owner, own in notes.items()}
