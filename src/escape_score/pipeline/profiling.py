"""The one way from data to profiles: every command, script and test takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escape_score import __version__
from escape_score.config import DEFAULT_STATISTICS, RunConfig, StatisticsConfig
from escape_score.errors import UsageError, attempt, raise_faults, unknown_name
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.library.gene_sets import load_signatures
from escape_score.model.arguments import require_text, require_type, texts_of
from escape_score.model.cohort import Cohort, HarmonisedCohort, require_columns, sheet_columns
from escape_score.model.method_choice import DEFAULT_CHOICE, MethodChoice, MethodName
from escape_score.model.notes import Code, NoteLog, note
from escape_score.model.record import NoteRecord, Provenance, PublishedRecord
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.signature import Signature
from escape_score.pipeline.arguments import require_cohort
from escape_score.pipeline.choosing import choose_reference
from escape_score.pipeline.gene_sets import GeneSets, UserGeneSets, open_gene_sets
from escape_score.pipeline.profiles import Profiles
from escape_score.pipeline.references import open_reference
from escape_score.profile import RecordMaker, build_context, profile_scored
from escape_score.reference.known import AUTO_REFERENCE
from escape_score.score import Beside, score_signatures

MIN_GENES = 200
"""Fewest recognised genes that a matrix must have."""


@dataclass(frozen=True, kw_only=True)
class ProfileOptions:
    """How a cohort is profiled; see :func:`profile`."""

    reference: str | Path | Reference = AUTO_REFERENCE
    gene_sets: GeneSets = None
    gene_lengths: str | Path | None = None
    lengths_from_positions: bool = False
    min_genes: int = MIN_GENES
    choice: MethodChoice = DEFAULT_CHOICE
    statistics: StatisticsConfig = DEFAULT_STATISTICS
    seed: int = 1


def profile(
    data: Cohort,
    *,
    reference: str | Path | Reference = AUTO_REFERENCE,
    gene_sets: GeneSets = None,
    methods: Sequence[str] = (),
    seed: int = 1,
    cohort: str | None = None,
    gene_lengths: str | Path | None = None,
    min_genes: int = MIN_GENES,
    published: bool = True,
    threads: int = 1,
    statistics: Mapping[str, object] | None = None,
) -> Profiles:
    """Profile a cohort: harmonise it, score it, and report for every sample which mechanisms it shows.

    Parameters
    ----------
    data
        From :func:`escape_score.read`, :func:`escape_score.from_anndata` or
        :func:`escape_score.from_dataframe`.
    reference
        What samples are measured against: ``"auto"`` (a reference that matches, or the cohort itself;
        ``result.scores.reference_choice`` says which and why), ``"cohort"`` (the cohort itself, from 20
        tumours on), a name of :func:`escape_score.list_references`, the folder of a fitted reference, or a
        :class:`~escape_score.Reference`.
    gene_sets
        More gene sets to score: a GMT file, or names with their genes.
    methods
        Methods to score every gene set with in addition to the axes, such as ``"ssgsea"``.
    seed
        Seed of every random draw, 0 to 4,294,967,295.
    cohort
        Name of the cohort. Where None, it keeps the name that it was read with: that of its file, and
        ``"cohort"`` for data in memory, unless another name was given there.
    gene_lengths
        TSV of genes and their lengths in bp, for counts; the shipped lengths where None.
    min_genes
        Fewest recognised genes that the matrix must have, 1 or more.
    published
        Whether scores by published formulas are computed too.
    threads
        Threads of the methods chosen, 1 to 256; they change no number.
    statistics
        Groups and models of the cohort's statistics, which ``write`` computes: the keys ``groups``,
        ``adjust``, ``interaction`` and ``formula`` of the block ``statistics`` of a config. Columns that the
        package does not know are kept by ``columns`` of :func:`escape_score.read`.

    Returns
    -------
    Profiles
        One profile a sample; ``to_frame()`` gives the table.

    Raises
    ------
    InputError
        The only fault of the reference, the gene sets or the matrix.
    InputFaultsError
        All of them, where there are several.
    UsageError
        An argument is of a wrong type or not a known word.

    Examples
    --------
    >>> import escape_score as es
    >>> result = es.profile(es.read("matrix.tsv", units="tpm"))  # doctest: +SKIP
    >>> result.to_frame()["immunoresistance_index"]  # doctest: +SKIP
    """
    require_cohort("data", data)
    if cohort is not None:
        require_text("cohort", cohort, "the name of the cohort")
    given = RunConfig.of_arguments(seed=seed, threads=threads, min_genes=min_genes, published=published)
    options = ProfileOptions(
        reference=reference,
        gene_sets=gene_sets,
        gene_lengths=gene_lengths,
        min_genes=given.min_genes,
        choice=MethodChoice(
            named_methods(methods), has_published=given.score.published, threads=given.threads
        ),
        statistics=named_statistics(statistics),
        seed=given.seed,
    )
    named = data if cohort is None else replace(data, name=cohort)
    return profile_opened(lambda: named, options)


def named_statistics(given: Mapping[str, object] | None) -> StatisticsConfig:
    """Groups and models as they are named in Python; raises UsageError: a key or value is wrong."""
    known = tuple(StatisticsConfig.model_fields)
    if given is not None:
        require_type("statistics", given, Mapping, f"a mapping with keys of {', '.join(known)}")
    unknown = [key for key in given or () if key not in known]
    if unknown:
        msg = f"statistics: {unknown_name('key', unknown[0], known)}"
        raise UsageError(msg)
    return RunConfig.of_arguments(**(given or {})).statistics


def named_methods(methods: Sequence[str]) -> tuple[MethodName, ...]:
    """Look methods up by name, each once.

    Raises UsageError: one is not known.
    """
    wanted = texts_of("methods", methods, "a list of methods, such as ['ssgsea']")
    unknown = [name for name in wanted if name not in list(MethodName)]
    if unknown:
        msg = f"methods: {unknown_name('method', unknown[0], tuple(MethodName))}"
        raise UsageError(msg)
    return tuple(dict.fromkeys(MethodName(name) for name in wanted))


def profile_opened(
    opened: Callable[[], Cohort], options: ProfileOptions, *, on_stage: Callable[[str], None] = lambda _: None
) -> Profiles:
    """Profile a cohort that is yet to be read, so that the faults of all inputs are raised together.

    Result and errors are those of :func:`profile`. ``on_stage`` is called when a stage begins.
    """
    on_stage("read")
    named = attempt(lambda: open_reference(options.reference))
    user_sets = attempt(lambda: open_gene_sets(options.gene_sets))
    lengths = attempt(
        lambda: open_gene_lengths(options.gene_lengths, from_positions=options.lengths_from_positions)
    )
    cohort = attempt(opened)
    raise_faults((*named.faults, *user_sets.faults, *lengths.faults, *cohort.faults))
    require_columns(options.statistics.named, sheet_columns(cohort.get().samples))
    on_stage("harmonise")
    harmonised = harmonise(cohort.get(), gene_lengths=lengths.get(), min_genes=options.min_genes)
    on_stage("score")
    chosen, sets = choose_reference(harmonised, options.reference, named.get()), user_sets.get()
    scores = chosen.applied(score(harmonised, chosen.reference, sets, choice=options.choice))
    on_stage("profile")
    found = profile_scores(scores, chosen.reference, genesets_sha256=sets.digest, seed=options.seed)
    return replace(found, statistics=options.statistics)


def score(
    cohort: HarmonisedCohort,
    reference: Reference,
    user_sets: UserGeneSets | None = None,
    *,
    choice: MethodChoice = DEFAULT_CHOICE,
) -> SignatureScores:
    """Score components, published signatures and a user's sets."""
    design, sets = load_design(), user_sets or UserGeneSets()
    signatures = (*design.signatures, *load_signatures().published, *sets.signatures)
    beside = _beside(choice, signatures, cohort)
    scores = score_signatures(cohort, signatures, reference, design=design, beside=beside)
    facts = replace(scores.facts, parameters=(*scores.facts.parameters, *_method_parameters(choice)))
    flagged = replace(scores, facts=facts).with_flags(sets.flags_of(scores))
    edited = (note(Code.REFERENCE_EDITED, name=reference.name),) if reference.is_edited else ()
    return flagged.with_flags(NoteLog(cohort=edited))


def _beside(choice: MethodChoice, signatures: Sequence[Signature], cohort: HarmonisedCohort) -> list[Beside]:
    """What is scored in addition to the axes."""
    beside: list[Beside] = []
    if choice.methods:
        from escape_score.score.beside import MethodsBeside
        from escape_score.score.methods import SetIndex

        ids = tuple(signature.signature_id for signature in signatures)
        beside.append(MethodsBeside(choice, ids, SetIndex.of(signatures, cohort.gene_symbols)))
    if choice.has_published:
        from escape_score.score.published.scoring import PublishedBeside, PublishedPlan, offers_of

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


def profile_scores(
    scores: SignatureScores, reference: Reference, *, genesets_sha256: str | None = None, seed: int = 1
) -> Profiles:
    """Turn the scores of a cohort into profiles; the digest is that of the shipped gene sets where None."""
    design = load_design()
    profiles = profile_scored(scores, reference, design)
    provenance = Provenance(
        package_version=__version__,
        reference_sha256=reference.sha256,
        genesets_sha256=UserGeneSets().digest if genesets_sha256 is None else genesets_sha256,
        seed=seed,
    )
    context = build_context(scores, reference, design)
    maker = RecordMaker(context, profiles, provenance, _published_records(scores))
    return Profiles(scores=scores, profiles=profiles, maker=maker, reference=reference)


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
            reason=NoteRecord.of(reasons[score.score_id]) if score.score_id in reasons else None,
        )
        for score in map(known.score, table.score_ids)
    )
