"""What is wrong or doubtful in an input, most severe first; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import EscapeScoreError, ExitCode
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.model.notes import Note, NoteLog, Severity
from escape_score.pipeline.gene_sets import UserGeneSets, open_gene_sets
from escape_score.pipeline.profiles import in_english
from escape_score.pipeline.profiling import profile_scores, score
from escape_score.read import read_cohort
from escape_score.reference.read import load_reference

SHOWN_SAMPLES = 5
ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing found: ``error`` or the flag's name, and the samples concerned; empty where all are.

    Severity error: cannot be scored; caution: changes how a result is read; note: what was done.
    """

    severity: Severity
    kind: str
    text: str
    samples: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The finding as text."""
        rest = len(self.samples) - SHOWN_SAMPLES
        shown = ", ".join(self.samples[:SHOWN_SAMPLES]) + (f" and {rest} more" if rest > 0 else "")
        who = f" ({shown})" if self.samples else ""
        what = "" if self.kind == ERROR else f"{self.kind}{who}: "
        return f"{self.severity.value}: {what}{self.text}"


@dataclass(frozen=True)
class InputReport:
    """What was found in an input; texts are empty and numbers 0 where an error kept them from being known."""

    matrix: str
    unit: str
    unit_evidence: str
    n_samples: int
    n_genes: int
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> ExitCode:
        """3 where an error was found."""
        is_faulty = any(finding.kind == ERROR for finding in self.findings)
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

    Faults of gene sets are reported together with those of matrix and sheet.
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
        unit_evidence=in_english(cohort.unit.evidence),
        n_samples=len(cohort.sample_ids),
        n_genes=len(harmonised.gene_symbols),
        findings=tuple(errors + findings_of(result.maker.flags)),
    )


def _errors(error: EscapeScoreError) -> list[Finding]:
    """Every line of an error is a finding, in its order."""
    return [Finding(Severity.ERROR, ERROR, line) for line in error.lines]


def findings_of(flags: NoteLog) -> list[Finding]:
    """Flags as findings, most severe first; one note for several samples is one finding."""
    samples: dict[Note, list[str]] = {found: [] for found in flags.cohort}
    for sample_id, found in flags.by_sample:
        samples.setdefault(found, []).append(sample_id)
    findings = [
        Finding(found.severity, found.code.value, in_english(found), tuple(concerned))
        for found, concerned in samples.items()
    ]
    return sorted(findings, key=lambda one: (list(Severity).index(one.severity), one.kind, one.text))
