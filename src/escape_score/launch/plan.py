"""What the workflow's rules have to know before the first of them runs, checked, its paths absolute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic.main import IncEx

from escape_score.config import CohortEntry, WorkflowConfig, load_workflow_config, read_cohorts
from escape_score.errors import FileMissingError, InputError, InputFaultsError
from escape_score.launch.resources import NEEDS, chunk_size_of
from escape_score.read import ReadLimits, count_samples

NO_PART_OF_RESULTS: Final[Mapping[str, IncEx | bool]] = {
    "cohorts": True,
    "threads": True,
    "harmonise": True,
    "report": {"chunk_size"},
}
"""Keys of a config that change no result, or name files that are listed as such."""


@dataclass(frozen=True, kw_only=True)
class CohortPlan:
    """One cohort of the workflow.

    Parameters
    ----------
    expression
        Expression matrix.
    samples, gene_lengths
        Sample sheet and gene lengths, or None.
    units
        Declared unit of the matrix, ``auto`` where none is declared.
    n_samples
        Samples of the matrix, by its header.
    n_chunks
        Jobs its pages are rendered by, at least 1.
    has_methods
        Whether methods beside the axes are scored.
    sources
        All files its result is made from.
    settings
        All else that its result rests on, as JSON.
    """

    expression: Path
    samples: Path | None
    gene_lengths: Path | None
    units: str
    n_samples: int
    n_chunks: int
    has_methods: bool
    sources: tuple[Path, ...]
    settings: str

    def memory_mb(self, rule: str, attempt: int) -> int:
        """Memory a job asks for, MiB, at its first, second … attempt."""
        return NEEDS[self._need(rule)].memory_mb(self._n_samples(rule), attempt=attempt)

    def minutes(self, rule: str, attempt: int) -> int:
        """Time a job asks for, minutes, at its first, second … attempt."""
        return NEEDS[self._need(rule)].minutes(self._n_samples(rule), attempt=attempt)

    def _need(self, rule: str) -> str:
        return "score_methods" if rule == "score" and self.has_methods else rule

    def _n_samples(self, rule: str) -> int:
        return -(-self.n_samples // self.n_chunks) if rule == "report" else self.n_samples


@dataclass(frozen=True, kw_only=True)
class WorkflowPlan:
    """All cohorts, by name, and what they share.

    Parameters
    ----------
    cohorts
        In the order of their table; names are safe as folder names.
    gene_sets
        GMT file of further gene sets, or None.
    reference
        Name or folder of the reference, ``cohort``, or None for the shipped one.
    reference_files
        The tables of a reference named by its folder: where one changes, what rests on it is done again.
    min_genes
        Fewest genes with a known symbol a matrix may have.
    threads
        Threads of one job.
    read_limits
        The config's block ``read`` as JSON.
    score_options
        The config's block ``score`` as JSON, without the file of gene sets.
    seed
        Seed of every random draw.
    lang
        Language of the pages.
    """

    cohorts: Mapping[str, CohortPlan]
    gene_sets: Path | None
    reference: str | None
    reference_files: tuple[Path, ...]
    min_genes: int
    threads: int
    read_limits: str
    score_options: str
    seed: int
    lang: str


def plan_workflow(config: Path) -> WorkflowPlan:
    """Read a workflow's config and the headers of the matrices it names.

    Parameters
    ----------
    config
        YAML file; paths in it, and in the table of cohorts, are relative to the file that names them.

    Returns
    -------
    WorkflowPlan
        Every file in it exists, and every matrix has a readable header; the values are not read.

    Raises
    ------
    ConfigInvalidError
        The config cannot be used.
    InputError
        The only fault of the files it names, or an ``InputFaultsError`` with all of them.
    """
    settings = load_workflow_config(config.absolute())
    faults: list[InputError] = _missing(config, settings)
    entries: Sequence[CohortEntry] = ()
    try:
        entries = read_cohorts(settings.cohorts)
    except InputError as fault:
        faults += fault.faults if isinstance(fault, InputFaultsError) else [fault]
    limits = ReadLimits.from_config(settings.read)
    n_samples = _collected(entries, lambda entry: count_samples(entry.expression, limits=limits), faults)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise InputFaultsError(tuple(faults))
    plans = (_cohort_plan(entry, settings, n) for entry, n in zip(entries, n_samples, strict=True))
    return WorkflowPlan(
        cohorts=MappingProxyType({entry.cohort: plan for entry, plan in zip(entries, plans, strict=True)}),
        gene_sets=settings.score.gene_sets,
        reference=settings.profile.reference,
        reference_files=_reference_files(settings.profile.reference),
        min_genes=settings.min_genes,
        threads=settings.threads,
        read_limits=settings.read.model_dump_json(),
        score_options=settings.score.model_dump_json(exclude={"gene_sets"}),
        seed=settings.seed,
        lang=settings.report.lang,
    )


def _missing(config: Path, settings: WorkflowConfig) -> list[InputError]:
    """Files and folders that the config itself names and that are not there."""
    reference = settings.profile.reference
    named = {
        "harmonise.gene_lengths": settings.harmonise.gene_lengths,
        "score.gene_sets": settings.score.gene_sets,
        "profile.reference": Path(reference) if reference and "/" in reference else None,
    }
    return [
        FileMissingError(f"{path}: not found ({key} of {config}); check the path")
        for key, path in named.items()
        if path is not None and not path.exists()
    ]


def _collected(
    entries: Sequence[CohortEntry], count: Callable[[CohortEntry], int], faults: list[InputError]
) -> list[int]:
    """Counts of all cohorts; what stands against one is added to the faults."""
    counts = []
    for entry in entries:
        try:
            counts.append(count(entry))
        except InputError as fault:
            faults += fault.faults if isinstance(fault, InputFaultsError) else [fault]
    return counts


def _cohort_plan(entry: CohortEntry, settings: WorkflowConfig, n_samples: int) -> CohortPlan:
    chunk_size = chunk_size_of(n_samples, settings.report.chunk_size)
    gene_lengths = entry.gene_lengths or settings.harmonise.gene_lengths
    named = (entry.expression, entry.samples, gene_lengths, settings.score.gene_sets)
    return CohortPlan(
        expression=entry.expression,
        samples=entry.samples,
        gene_lengths=gene_lengths,
        units=entry.units.value,
        n_samples=n_samples,
        n_chunks=max(1, -(-n_samples // chunk_size)),
        has_methods=bool(settings.score.methods),
        sources=(
            *(path for path in named if path is not None),
            *_reference_files(settings.profile.reference),
        ),
        settings=f"{entry.units.value} {settings.model_dump_json(exclude=NO_PART_OF_RESULTS)}",
    )


def _reference_files(reference: str | None) -> tuple[Path, ...]:
    if reference is None or "/" not in reference:
        return ()
    return tuple(sorted(path for path in Path(reference).iterdir() if path.is_file()))
