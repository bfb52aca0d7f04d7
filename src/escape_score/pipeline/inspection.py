"""What is wrong or doubtful in an input, most severe first; nothing is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from escape_score.errors import EscapeScoreError, ExitCode
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.model.flags import Flag, FlagLog
from escape_score.pipeline.gene_sets import UserGeneSets, open_gene_sets
from escape_score.pipeline.profiling import profile_scores, score
from escape_score.read import read_cohort
from escape_score.reference.read import load_reference

GRAVE_FLAGS = frozenset(
    {
        Flag.SAMPLE_EMPTY,
        Flag.SAMPLE_CONSTANT,
        Flag.HLA_UNQUANTIFIED,
        Flag.MHC_LOCUS_UNQUANTIFIED,
        Flag.IDENTICAL_SAMPLES,
        Flag.MIXED_UNITS,
        Flag.IMPLAUSIBLE_PROFILE,
        Flag.QUANTILE_NORMALISED,
        Flag.UNITS_SUSPECT,
    }
)
"""Flags that change what a result means; the others say what was done."""

SHOWN_SAMPLES = 5


class Gravity(IntEnum):
    """How much a finding matters."""

    ERROR = 0
    DOUBT = 1
    NOTE = 2


@dataclass(frozen=True, order=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    gravity
        0 error: cannot be scored; 1 doubt: changes what a result means; 2 note: what was done.
    kind
        ``error`` or the flag's name.
    samples
        Samples concerned; empty where all are.
    """

    gravity: int
    kind: str
    text: str
    samples: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The finding as text."""
        rest = len(self.samples) - SHOWN_SAMPLES
        shown = ", ".join(self.samples[:SHOWN_SAMPLES]) + (f" and {rest} more" if rest > 0 else "")
        who = f" ({shown})" if self.samples else ""
        what = "" if self.gravity == Gravity.ERROR else f"{self.kind}{who}: "
        return f"{Gravity(self.gravity).name.lower()}: {what}{self.text}"


@dataclass(frozen=True)
class InputReport:
    """What was found in an input.

    Attributes
    ----------
    unit, unit_evidence, n_samples, n_genes
        Empty or 0 where an error kept them from being known.
    """

    matrix: str
    unit: str
    unit_evidence: str
    n_samples: int
    n_genes: int
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> ExitCode:
        """3 where an error was found."""
        is_faulty = any(finding.gravity == Gravity.ERROR for finding in self.findings)
        return ExitCode.INPUT if is_faulty else ExitCode.DONE


def inspect_input(
    matrix: Path,
    *,
    samples: Path | None = None,
    units: str = "auto",
    gene_lengths: Path | None = None,
    gene_sets: Path | None = None,
    reference: str = "auto",
) -> InputReport:
    """Read, harmonise and place an input, and collect errors and flags; writes nothing.

    Faults of gene sets are reported beside those of matrix and sheet, since neither waits for the other.
    """
    user_sets, errors = UserGeneSets(), []
    try:
        user_sets = open_gene_sets(gene_sets)
    except EscapeScoreError as error:
        errors += _errors(error)
    try:
        cohort = read_cohort(matrix, units=units, samples=samples)
        harmonised = harmonise(cohort, gene_lengths=open_gene_lengths(gene_lengths))
        against = load_reference(reference)
        result = profile_scores(score(harmonised, against, user_sets), against)
    except EscapeScoreError as error:
        return InputReport(str(matrix), "", "", 0, 0, tuple(_errors(error) + errors))
    return InputReport(
        matrix=str(matrix),
        unit=cohort.unit.unit.value,
        unit_evidence=cohort.unit.evidence,
        n_samples=len(cohort.sample_ids),
        n_genes=len(harmonised.gene_symbols),
        findings=tuple(errors + findings_of(result.maker.flags)),
    )


def _errors(error: EscapeScoreError) -> list[Finding]:
    """Every line of an error is a finding, in its order."""
    return [Finding(Gravity.ERROR, "error", line) for line in error.lines]


def findings_of(flags: FlagLog) -> list[Finding]:
    """Flags as findings, doubts before notes; a flag with one sentence for several samples is one finding."""
    samples: dict[tuple[Flag, str], list[str]] = defaultdict(list)
    for note in flags.cohort:
        samples[note.flag, note.sentence] = []
    for sample_id, note in flags.by_sample:
        samples[note.flag, note.sentence].append(sample_id)
    return sorted(
        Finding(
            Gravity.DOUBT if flag in GRAVE_FLAGS else Gravity.NOTE, flag.value, sentence, tuple(concerned)
        )
        for (flag, sentence), concerned in samples.items()
    )
