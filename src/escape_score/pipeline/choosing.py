"""Choose what a cohort is measured against: what is named, or what the rule of ``reference.auto`` gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from escape_score.errors import ReferenceUnfittableError, attempt
from escape_score.library.axes import load_design
from escape_score.model.cohort import HarmonisedCohort
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.model.reference import Reference
from escape_score.model.scores import ReferenceChoice, SignatureScores
from escape_score.pipeline.candidates import Candidates
from escape_score.pipeline.references import fit_on_cohort
from escape_score.reference.auto import Candidate, Decision, Rule, decide
from escape_score.reference.known import COHORT_REFERENCE, Origin
from escape_score.reference.read import load_reference


@dataclass(frozen=True)
class Chosen:
    """A reference, why it was taken, and what there is to flag."""

    reference: Reference
    choice: ReferenceChoice
    flags: NoteLog = NoteLog()

    def applied(self, scores: SignatureScores) -> SignatureScores:
        """Scores against the reference, with the choice."""
        return replace(scores, reference_choice=self.choice).with_flags(self.flags)


def choose_reference(
    cohort: HarmonisedCohort,
    wanted: str | Path | Reference,
    named: Reference | None,
    *,
    candidates: Candidates | None = None,
) -> Chosen:
    """Choose the reference of a cohort.

    Parameters
    ----------
    cohort
        log2(TPM + 1).
    wanted
        ``"auto"``, ``"cohort"``, a name, a folder, or a reference.
    named
        What ``wanted`` names; None for the first two.
    candidates
        How the cohort is placed on all references; found here where None.

    Returns
    -------
    Chosen
        With ``"auto"`` the choice depends on the tumours of the cohort and on the references that are there.

    Raises
    ------
    ReferenceUnfittableError
        ``"cohort"`` was requested, and fewer than 20 tumours can be placed, or they are of two pipelines.
    """
    if named is not None:
        return Chosen(named, ReferenceChoice(note(Code.REFERENCE_CHOICE, Rule.NAMED, name=named.name)))
    candidates = candidates or Candidates.of(cohort)
    if str(wanted) != COHORT_REFERENCE:
        return _by_rule(cohort, candidates)
    base = candidates.base()
    candidates.require_one_pipeline(base, cohort.label or cohort.name)
    return _own(cohort, candidates, base, "cohort_named")


def _by_rule(cohort: HarmonisedCohort, candidates: Candidates, against: Note | None = None) -> Chosen:
    """Apply the rule; ``against`` says why the cohort is not its own reference, where that is known."""
    against = against or _too_few(candidates)
    decision = decide(candidates.placed, can_be_own=against is None, limits=load_design().thresholds.auto)
    found = decision.candidate
    loaded = attempt(partial(load_reference, found.name))
    if loaded.faults and found.origin is not Origin.SHIPPED:
        return _by_rule(cohort, candidates.without(found.name, loaded.faults[0]), against)
    if decision.rule is Rule.COHORT:
        return _own_or_next(cohort, candidates, loaded.get(), share=found.share_good)
    choice = ReferenceChoice(_reason(decision, candidates, against), _advice(candidates, found, against))
    return Chosen(loaded.get(), choice, NoteLog(cohort=candidates.skipped))


def _own_or_next(
    cohort: HarmonisedCohort, candidates: Candidates, base: Reference, *, share: float
) -> Chosen:
    """The cohort as its own reference; what the rule gives next where that turns out impossible."""
    batches = candidates.batches(base)
    if batches is not None:
        groups = batches.params(candidates.survey.judged.samples)
        kind = "batches_by" if groups["column"] else "batches"
        return _by_rule(cohort, candidates, note(Code.REFERENCE_CHOICE, kind, **groups))
    try:
        return _own(cohort, candidates, base, Rule.COHORT, share=share)
    except ReferenceUnfittableError:  # too few of the tumours have enough anchors
        return _by_rule(cohort, candidates, _few(0))


def _too_few(candidates: Candidates) -> Note | None:
    """Why a cohort of few tumours is not its own reference; None where they are enough."""
    n = len(candidates.survey.rows)
    return _few(n) if n < load_design().thresholds.fit.advised_fit_samples else None


def _few(n: int) -> Note:
    least = load_design().thresholds.fit.advised_fit_samples
    return note(Code.REFERENCE_CHOICE, "few", n=n, least=least)


def _own(
    cohort: HarmonisedCohort, candidates: Candidates, base: Reference, kind: str, **figures: float
) -> Chosen:
    """Make the cohort its own reference, shrunk towards ``base``; ``kind`` and ``figures`` say why."""
    seen = candidates.survey
    reference = fit_on_cohort(cohort, base, rows=seen.rows)
    if len(seen.rows) > load_design().thresholds.auto.own_samples:  # a selection entered
        figures["n_all"] = len(seen.rows)
    reason = note(Code.REFERENCE_CHOICE, kind, n=reference.n_samples, base=base.name, **figures)
    unusual = seen.composition(candidates.comparable())
    flags = NoteLog(
        cohort=(*candidates.skipped, *(() if unusual is None else (unusual,))),
        by_sample=tuple(
            (cohort.sample_ids[row], note(Code.REFERENCE_LEFT_OUT, kind.value))
            for row, kind in seen.left_out.items()
        ),
    )
    return Chosen(reference, ReferenceChoice(reason), flags)


def _reason(decision: Decision, candidates: Candidates, against: Note | None) -> Note:
    """Why a reference other than the cohort was taken; ``against``: why the cohort is not its own."""
    rule, found = decision.rule, decision.candidate
    n, share, good = len(candidates.placed), found.share_matched, found.share_good
    if rule is Rule.PROVISIONAL and against is not None:
        return note(Code.REFERENCE_CHOICE, rule, name=found.name, n=n, share=share, why=against)
    return note(Code.REFERENCE_CHOICE, rule, name=found.name, n=n, share=share, good=good)


def _advice(candidates: Candidates, found: Candidate, against: Note | None) -> tuple[Note, ...]:
    """What would make more evaluable; nothing where the reference matches well."""
    if against is None or found.share_good >= load_design().thresholds.auto.matched_fraction:
        return ()
    limits, seen = load_design().thresholds.fit, candidates.survey
    n_more = max(1, limits.advised_fit_samples - len(seen.rows))
    is_mixed = against.kind != "few"
    return (
        note(Code.MORE_EVALUABLE, "separate") if is_mixed else note(Code.MORE_EVALUABLE, "samples", n=n_more),
        note(Code.MORE_EVALUABLE, "fit", least=limits.min_fit_samples),
        *_advice_on_type(candidates),
    )


def _advice_on_type(candidates: Candidates) -> Iterator[Note]:
    """Give the tumour type, or fetch its reference."""
    types = candidates.survey.own_types
    if not types:
        yield note(Code.MORE_EVALUABLE, "type")
    elif not any(one.is_own_type and one.origin is Origin.FETCHED for one in candidates.placed):
        yield note(Code.MORE_EVALUABLE, "fetch", names=sorted(types))
