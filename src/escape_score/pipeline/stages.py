"""The way from a matrix to profiles, shared by ``run`` and by the stage commands."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escape_score import __version__
from escape_score.errors import GeneSetInvalidError, raise_faults
from escape_score.genes import load_gene_table
from escape_score.genes.lengths import read_gene_lengths
from escape_score.harmonise import harmonise_cohort
from escape_score.library.axes import load_design
from escape_score.library.files import resource_path
from escape_score.library.gene_sets import load_signatures, read_gmt
from escape_score.model.cohort import Cohort, HarmonisedCohort
from escape_score.model.flags import Flag, FlagLog, FlagNote
from escape_score.model.method_choice import DEFAULT_CHOICE, MethodChoice
from escape_score.model.profiles import CohortProfiles
from escape_score.model.record import Provenance, PublishedRecord
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.signature import Signature
from escape_score.profile import RecordMaker, build_context, make_records, profile_cohort
from escape_score.score import Beside, score_signatures

LARGE_SET_GENES = 500
"""Larger sets are left out by default in GSEA (Broad Institute, user guide: max size)."""


@dataclass(frozen=True)
class UserGeneSets:
    """A user's gene sets over approved symbols, and what was noticed."""

    signatures: tuple[Signature, ...] = ()
    flags: FlagLog = FlagLog()
    sha256: str = ""


def cohort_name(matrix: Path) -> str:
    """Name of a cohort that was given none: its file's, without endings."""
    return matrix.name.split(".")[0] or matrix.name


def harmonise(cohort: Cohort, *, gene_lengths: Path | None, min_genes: int, source: Path) -> HarmonisedCohort:
    """Harmonise with the shipped gene names; errors name the file ``source``."""
    genes = load_gene_table()
    lengths = None if gene_lengths is None else read_gene_lengths(gene_lengths, genes)
    harmonised = harmonise_cohort(cohort, genes, gene_lengths=lengths, min_genes=min_genes, label=str(source))
    digest = "" if gene_lengths is None else hashlib.sha256(gene_lengths.read_bytes()).hexdigest()
    parameters = (("gene_lengths_sha256", digest), ("min_genes", str(min_genes)))
    return replace(harmonised, parameters=parameters)


def read_user_gene_sets(path: Path | None) -> UserGeneSets:
    """Read a user's GMT and bring its genes to approved symbols.

    Raises
    ------
    GeneSetInvalidError, InputFaultsError
        Faults of the file; a set named like a shipped one; a set without any known gene.
    """
    if path is None:
        return UserGeneSets()
    content, genes = read_gmt(path), load_gene_table()
    shipped = {signature.signature_id for signature in load_signatures().signatures}
    faults, signatures, notes = [], [], list(content.notes)
    for signature in content.signatures:
        mappings = genes.map_genes(signature.gene_symbols)
        known = tuple(dict.fromkeys(m.gene_symbol for m in mappings if m.gene_symbol is not None))
        if signature.signature_id in shipped:
            problem = "is the name of a shipped gene set; rename it"
            faults.append(GeneSetInvalidError(f"{path}: gene set {signature.signature_id} {problem}"))
        elif not known:
            sentence = f"No gene of gene set {signature.signature_id} is known; it is not scored."
            notes.append(FlagNote(Flag.GENE_SET_LOW_COVERAGE, sentence))
        else:
            notes += _size_notes(signature)
            unknown = tuple(m.given for m in mappings if m.gene_symbol is None)
            # genes nobody knows stay in the set, so that coverage tells the truth
            signatures.append(
                Signature(signature.signature_id, known + unknown, signature.description, path.name)
            )
    raise_faults(faults)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return UserGeneSets(tuple(signatures), FlagLog(cohort=tuple(notes)), digest)


def _size_notes(signature: Signature) -> list[FlagNote]:
    """Flag a set so large that its mean is that of the whole transcriptome."""
    n_genes = len(signature.gene_symbols)
    if n_genes <= LARGE_SET_GENES:
        return []
    sentence = f"Gene set {signature.signature_id} has {n_genes} genes: the mean of so many says little."
    return [FlagNote(Flag.GENE_SET_TOO_LARGE, sentence)]


def score(
    cohort: HarmonisedCohort,
    reference: Reference,
    user_sets: UserGeneSets,
    *,
    source: Path,
    choice: MethodChoice = DEFAULT_CHOICE,
) -> SignatureScores:
    """Score components, published signatures and a user's sets; errors name the file ``source``."""
    design = load_design()
    signatures = (*design.signatures, *load_signatures().published, *user_sets.signatures)
    beside = _beside(choice, signatures, cohort)
    scores = score_signatures(cohort, signatures, reference, design=design, label=str(source), beside=beside)
    facts = replace(scores.facts, parameters=(*scores.facts.parameters, *_method_parameters(choice)))
    scores = replace(scores, facts=facts)
    return scores.with_flags(user_sets.flags.joined(_skipped_flags(scores, user_sets.signatures)))


def _beside(choice: MethodChoice, signatures: Sequence[Signature], cohort: HarmonisedCohort) -> list[Beside]:
    """What is scored beside the axes."""
    beside: list[Beside] = []
    if choice.methods:
        from escape_score.score.beside import MethodsBeside
        from escape_score.score.methods import SetIndex

        ids = tuple(signature.signature_id for signature in signatures)
        beside.append(MethodsBeside(choice, ids, SetIndex.of(signatures, cohort.gene_symbols)))
    if choice.has_published:
        from escape_score.score.published import PublishedPlan
        from escape_score.score.published.beside import PublishedBeside, offers_of

        plan = PublishedPlan.of(cohort.gene_symbols)
        beside.append(PublishedBeside(plan, choice.min_coverage, offers_of(cohort)))
    return beside


def _method_parameters(choice: MethodChoice) -> tuple[tuple[str, str], ...]:
    """What was chosen, for the manifest; the number of threads changes nothing."""
    return (
        ("methods", ",".join(choice.methods)),
        ("engine", choice.engine.value),
        ("ties", choice.ties.value),
        ("min_coverage", f"{choice.min_coverage:g}"),
        ("published", str(choice.has_published).lower()),
    )


def _skipped_flags(scores: SignatureScores, user_sets: Sequence[Signature]) -> FlagLog:
    """Flag a user's sets that could not be scored; shipped ones are told by their axes."""
    names = {signature.signature_id for signature in user_sets}
    return FlagLog(
        cohort=tuple(
            FlagNote(Flag.GENE_SET_LOW_COVERAGE, f"Gene set {name} is not scored: {reason}.")
            for name, reason in scores.skipped
            if name in names
        )
    )


def genesets_digest(user_sets: UserGeneSets | None = None) -> str:
    """Digest of the shipped gene sets, axes and thresholds, and of a user's sets."""
    digest = hashlib.sha256()
    gene_sets = ("escape.gmt", "axis_genes.tsv", "published.tsv", "published_genes.tsv")
    shipped = (*(("genesets", name) for name in gene_sets), *(("axes", name) for name in AXIS_FILES))
    for parts in shipped:
        digest.update(hashlib.sha256(resource_path(*parts).read_bytes()).digest())
    digest.update((user_sets.sha256 if user_sets else "").encode())
    return digest.hexdigest()


AXIS_FILES = ("approaches.tsv", "axes.yaml", "contrasts.tsv", "index.tsv", "thresholds.tsv")


def profile(
    scores: SignatureScores, reference: Reference, *, genesets_sha256: str, seed: int
) -> tuple[CohortProfiles, RecordMaker]:
    """Profile a cohort and prepare its records."""
    context = build_context(scores, reference, load_design())
    profiles = profile_cohort(context)
    provenance = Provenance(
        package_version=__version__,
        reference_sha256=reference.sha256,
        genesets_sha256=genesets_sha256,
        seed=seed,
    )
    return profiles, make_records(context, profiles, provenance, _published_records(scores))


def _published_records(scores: SignatureScores) -> tuple[PublishedRecord, ...]:
    """What is the same in all samples of the published scores, in the order of their table."""
    table = scores.published
    if table is None:
        return ()
    from escape_score.score.published import load_published

    reasons, known = dict(table.skipped), load_published()
    return tuple(
        PublishedRecord(
            score_id=score.score_id,
            title=score.title,
            formula=score.words,
            unit=score.unit,
            scope=score.scope.value,
            matches=f"{score.program} {score.program_version}".strip(),
            differs=score.differs,
            doi=score.doi,
            value=None,
            coverage=0.0,
            reason=reasons.get(score.score_id, ""),
        )
        for score in map(known.score, table.score_ids)
    )
