"""Flags: what a reader of a result must know about its input, each with one sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Flag(StrEnum):
    """Names are part of the contract of ``profiles.tsv``; sentences stand in ``FLAG_SENTENCES``."""

    BAD_SURVIVAL = "bad_survival"
    COHORT_TOO_SMALL = "cohort_too_small"
    COMPOSITION_OUTLIER = "composition_outlier"
    CONFIG_DUPLICATE_KEY = "config_duplicate_key"
    COUNTS_CONVERTED = "counts_converted"
    COUNTS_WITHOUT_LENGTHS = "counts_without_lengths"
    DUPLICATE_GENE_IN_SET = "duplicate_gene_in_set"
    DUPLICATE_GENE_SET = "duplicate_gene_set"
    DUPLICATE_GENES = "duplicate_genes"
    DUPLICATE_GENES_AFTER_MAPPING = "duplicate_genes_after_mapping"
    EXCEL_GENE_DATES = "excel_gene_dates"
    FEW_GENES = "few_genes"
    GCT_DIMS_MISMATCH = "gct_dims_mismatch"
    GENE_CASE_CHANGED = "gene_case_changed"
    GENE_IDS_SUSPECT = "gene_ids_suspect"
    GENE_SET_EMPTY = "gene_set_empty"
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
    NO_METADATA = "no_metadata"
    NON_GENE_ROWS = "non_gene_rows"
    PURITY_OUT_OF_RANGE = "purity_out_of_range"
    QUANTILE_NORMALISED = "quantile_normalised"
    REFERENCE_DISTANT = "reference_distant"
    RENAMED_SYMBOLS = "renamed_symbols"
    RESCALED_TO_TPM = "rescaled_to_tpm"
    SAMPLE_CONSTANT = "sample_constant"
    SAMPLE_EMPTY = "sample_empty"
    SHEET_DUPLICATE_ROWS = "sheet_duplicate_rows"
    SHEET_ROWS_UNUSED = "sheet_rows_unused"
    SPECIES_SUSPECT = "species_suspect"
    TARGETED_PANEL = "targeted_panel"
    THREADS_CAPPED = "threads_capped"
    TRAILING_BYTES = "trailing_bytes"
    UNITS_GUESSED = "units_guessed"
    UNITS_SUSPECT = "units_suspect"
    UNKNOWN_LABEL = "unknown_label"
    UNNAMED_GENES = "unnamed_genes"
    ZSCORED_INPUT = "zscored_input"


@dataclass(frozen=True, order=True)
class FlagNote:
    """One flag raised, with a sentence that carries its figures."""

    flag: Flag
    sentence: str


@dataclass(frozen=True)
class FlagLog:
    """Flags raised so far: for every sample of the cohort, and for single samples.

    Parameters
    ----------
    cohort
        Notes that hold for each sample.
    by_sample
        Pairs of a sample id and a note of that sample alone.
    """

    cohort: tuple[FlagNote, ...] = ()
    by_sample: tuple[tuple[str, FlagNote], ...] = ()

    def joined(self, other: FlagLog) -> FlagLog:
        """Both logs, this one's notes first."""
        return FlagLog(self.cohort + other.cohort, self.by_sample + other.by_sample)

    def of_sample(self, sample_id: str) -> tuple[FlagNote, ...]:
        """Notes that concern one sample, sorted by flag; a note said twice counts once."""
        return tuple(sorted({*self.cohort, *self._own_notes.get(sample_id, ())}))

    @cached_property
    def _own_notes(self) -> Mapping[str, tuple[FlagNote, ...]]:
        """Notes of single samples by id; searching all for each sample grows with the square of a cohort."""
        notes: dict[str, list[FlagNote]] = defaultdict(list)
        for owner, note in self.by_sample:
            notes[owner].append(note)
        return {owner: tuple(own) for owner, own in notes.items()}
