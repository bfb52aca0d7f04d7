"""What is wrong or doubtful in an input, most severe first; nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import EscapeScoreError, ExitCode, attempt
from escape_score.model.notes import Code, Note, NoteLog, Severity
from escape_score.model.record import NoteRecord
from escape_score.pipeline.gene_sets import open_gene_sets
from escape_score.pipeline.profiles import in_english
from escape_score.pipeline.profiling import MIN_GENES, ProfileOptions, profile_opened
from escape_score.read import ReadRequest, read_requested
from escape_score.read.request import DEFAULT_REQUEST
from escape_score.report.messages import english

SHOWN_SAMPLES = 5
ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One kind of finding: ``error`` or the flag's name, and the samples concerned; empty where all are.

    Severity error: cannot be scored; caution: changes how a result is read; note: what was done.
    """

    severity: Severity
    kind: str
    text: str
    samples: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The finding as text."""
        rest, n = len(self.samples) - SHOWN_SAMPLES, len(self.samples)
        shown = ", ".join(self.samples[:SHOWN_SAMPLES]) + (f" and {rest} more" if rest > 0 else "")
        who = f" ({n} sample{'s' if n > 1 else ''}: {shown})" if self.samples else ""
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
    reference: str
    reference_choice: str
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> ExitCode:
        """3 where an error was found."""
        is_faulty = any(finding.kind == ERROR for finding in self.findings)
        return ExitCode.INPUT if is_faulty else ExitCode.DONE


def inspect_input(
    matrix: Path,
    request: ReadRequest = DEFAULT_REQUEST,
    *,
    samples: Path | None = None,
    gene_lengths: Path | None = None,
    lengths_from_positions: bool = False,
    gene_sets: Path | None = None,
    reference: str = "auto",
    min_genes: int = MIN_GENES,
) -> InputReport:
    """Read, harmonise and place an input, and collect errors and flags; writes nothing.

    Faults of all files are reported together; with faulty gene sets the rest is looked at all the same.
    """
    faults = attempt(lambda: open_gene_sets(gene_sets)).faults
    errors = [finding for fault in faults for finding in _errors(fault)]
    options = ProfileOptions(
        reference=reference,
        gene_sets=None if errors else gene_sets,
        gene_lengths=gene_lengths,
        lengths_from_positions=lengths_from_positions,
        min_genes=min_genes,
    )
    try:
        result = profile_opened(lambda: read_requested(matrix, request, samples=samples), options)
    except EscapeScoreError as error:
        return InputReport(str(matrix), "", "", 0, 0, "", "", (*_errors(error), *errors))
    facts = result.scores.facts
    return InputReport(
        matrix=str(matrix),
        unit=facts.unit.unit.value,
        unit_evidence=in_english(facts.unit.evidence),
        n_samples=len(facts.samples),
        n_genes=facts.n_genes,
        reference=result.reference.name,
        reference_choice=result.why_reference,
        findings=(*errors, *findings_of(result.maker.flags)),
    )


def _errors(error: EscapeScoreError) -> list[Finding]:
    """Every line of an error is a finding, in its order."""
    return [Finding(Severity.ERROR, ERROR, line) for line in error.lines]


def findings_of(flags: NoteLog) -> list[Finding]:
    """Flags as findings, one for each code and kind: most severe first, then those of most samples."""
    notes: dict[tuple[Code, str, bool], dict[Note, None]] = defaultdict(dict)
    samples: dict[tuple[Code, str, bool], dict[str, None]] = defaultdict(dict)
    for sample_id, found in (*((None, one) for one in flags.cohort), *flags.by_sample):
        key = (found.code, found.kind, sample_id is None)
        notes[key][found] = None
        if sample_id is not None:
            samples[key][sample_id] = None
    findings = [
        Finding(next(iter(alike)).severity, key[0].value, _in_english(alike), tuple(samples[key]))
        for key, alike in notes.items()
    ]
    return sorted(findings, key=_rank)


def _in_english(alike: Iterable[Note]) -> str:
    """Notes of one code and kind as one sentence."""
    return english(*(NoteRecord.of(one) for one in alike))


def _rank(one: Finding) -> tuple[int, bool, int, str, str]:
    """Place among the findings: what concerns all samples goes before what concerns some."""
    return (list(Severity).index(one.severity), bool(one.samples), -len(one.samples), one.kind, one.text)
