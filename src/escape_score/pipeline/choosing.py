"""Choose what a cohort is measured against: what is named, or what the rule of ``reference.auto`` gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from escape_score.errors import ReferenceUnfittableError, attempt
from escape_score.fit.batches import Batches
from escape_score.library.axes import load_design
from escape_score.model.cohort import HarmonisedCohort
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.model.reference import Reference
from escape_score.model.scores import ReferenceChoice, SignatureScores
from escape_score.pipeline.candidates import Candidates
from escape_score.pipeline.references import fit_on_cohort
from escape_score.reference.auto import Decision, Rule, decide
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


def _by_rule(cohort: HarmonisedCohort, candidates: Candidates) -> Chosen:
    """Apply the rule; the next one where the cohort turns out not to be its own reference."""
    limits, n = load_design().thresholds, len(candidates.survey.rows)
    is_enough = n >= limits.fit.advised_fit_samples
    decision = decide(candidates.placed, can_be_own=is_enough, limits=limits.auto)
    name, batches = decision.candidate.name, None
    loaded = attempt(partial(load_reference, name))
    if loaded.faults and decision.candidate.origin is not Origin.SHIPPED:
        return _by_rule(cohort, candidates.without(name, loaded.faults[0]))
    base = loaded.get()
    if decision.rule is Rule.COHORT:
        batches = candidates.batches(base)
        if batches is None:
            try:
                return _own(cohort, candidates, base, Rule.COHORT, share=decision.candidate.share_good)
            except ReferenceUnfittableError:
                n = 0  # enough samples, but too few of them have enough anchors
        decision = decide(candidates.placed, can_be_own=False, limits=limits.auto)
        base = load_reference(decision.candidate.name)
    against = _against_own(candidates, batches, n)
    is_near = decision.candidate.share_good >= limits.auto.matched_fraction
    advice = () if is_near else tuple(_advice(candidates, against))
    reason = _reason(decision, candidates, against)
    return Chosen(base, ReferenceChoice(reason, advice), NoteLog(cohort=candidates.skipped))


def _own(
    cohort: HarmonisedCohort, candidates: Candidates, base: Reference, kind: str, **figures: float
) -> Chosen:
    """Make the cohort its own reference, shrunk towards ``base``; ``kind`` and ``figures`` say why."""
    seen = candidates.survey
    reference = fit_on_cohort(cohort, base, rows=seen.rows)
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


def _reason(decision: Decision, candidates: Candidates, against: Note | None = None) -> Note:
    """Why a reference other than the cohort was taken; ``against``: why the cohort is not its own."""
    rule, found = decision.rule, decision.candidate
    n, share, good = len(candidates.placed), found.share_matched, found.share_good
    if rule is Rule.PROVISIONAL and against is not None:
        return note(Code.REFERENCE_CHOICE, rule, name=found.name, n=n, share=share, why=against)
    return note(Code.REFERENCE_CHOICE, rule, name=found.name, n=n, share=share, good=good)


def _against_own(candidates: Candidates, batches: Batches | None, n: int) -> Note:
    """Why a cohort is not its own reference: two pipelines, or too few tumours."""
    if batches is not None:
        groups = batches.params(candidates.survey.judged.samples)
        kind = "batches_by" if groups["column"] else "batches"
        return note(Code.REFERENCE_CHOICE, kind, **groups)
    least = load_design().thresholds.fit.advised_fit_samples
    return note(Code.REFERENCE_CHOICE, "few", n=n, least=least)


def _advice(candidates: Candidates, against: Note) -> Iterator[Note]:
    """What would make more evaluable."""
    limits, seen = load_design().thresholds.fit, candidates.survey
    if against.kind.startswith("batches"):
        yield note(Code.MORE_EVALUABLE, "separate")
    else:
        yield note(Code.MORE_EVALUABLE, "samples", n=max(1, limits.advised_fit_samples - len(seen.rows)))
    yield note(Code.MORE_EVALUABLE, "fit", least=limits.min_fit_samples)
    if not seen.own_types:
        yield note(Code.MORE_EVALUABLE, "type")
    elif not any(one.is_own_type and one.origin is Origin.FETCHED for one in candidates.placed):
        yield note(Code.MORE_EVALUABLE, "fetch", names=sorted(seen.own_types))
