"""What the workflow's rules need to know before the first of them runs, checked, with absolute paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic.main import IncEx

from escape_score.config import CohortEntry, WorkflowConfig, load_workflow_config, read_cohorts
from escape_score.errors import FileMissingError, InputError, attempt, raise_faults
from escape_score.launch.resources import NEEDS, Need, chunk_size_of
from escape_score.read import ReadLimits, count_samples

NO_PART_OF_RESULTS: Final[Mapping[str, IncEx | bool]] = {
    "cohorts": True,
    "threads": True,
    "harmonise": True,
    "report": {"chunk_size"},
}
"""Keys of a config that change no result, or name files that are listed as such."""


@dataclass(frozen=True)
class CohortPlan:
    """One cohort of the workflow.

    Parameters
    ----------
    entry
        Its row of the table of cohorts.
    config
        The checked config.
    n_samples
        Samples of the matrix, by its header.
    """

    entry: CohortEntry
    config: WorkflowConfig
    n_samples: int

    @property
    def gene_lengths(self) -> Path | None:
        """File of gene lengths: the cohort's own, or the config's."""
        return self.entry.gene_lengths or self.config.harmonise.gene_lengths

    @property
    def n_chunks(self) -> int:
        """Jobs its pages are rendered by, at least 1."""
        return max(1, -(-self.n_samples // chunk_size_of(self.n_samples, self.config.report.chunk_size)))

    @property
    def sources(self) -> tuple[Path, ...]:
        """All files its result is made from."""
        named = (self.entry.expression, self.entry.samples, self.gene_lengths, self.config.score.gene_sets)
        return (*(path for path in named if path), *reference_files(self.config))

    @property
    def settings(self) -> str:
        """All else that its result depends on, as JSON."""
        return f"{self.entry.units.value} {self.config.model_dump_json(exclude=NO_PART_OF_RESULTS)}"

    def need(self, rule: str) -> tuple[Need, int]:
        """What a job of a rule needs, and for how many samples."""
        is_slice, has_methods = rule == "report", rule == "score" and self.config.score.methods
        n_samples = -(-self.n_samples // self.n_chunks) if is_slice else self.n_samples
        return NEEDS["score_methods" if has_methods else rule], n_samples


@dataclass(frozen=True)
class WorkflowPlan:
    """The checked config, and all cohorts by name in the order of their table."""

    config: WorkflowConfig
    cohorts: Mapping[str, CohortPlan]


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
    limits = ReadLimits.from_config(settings.read)
    table = attempt(lambda: read_cohorts(settings.cohorts))
    entries = table.results[0] if table.results else ()
    counts = [attempt(partial(count_samples, entry.expression, limits=limits)) for entry in entries]
    found = [*_missing(config, settings), *table.faults, *(fault for one in counts for fault in one.faults)]
    raise_faults(found)
    plans = {one.cohort: CohortPlan(one, settings, n.get()) for one, n in zip(entries, counts, strict=True)}
    return WorkflowPlan(settings, MappingProxyType(plans))


def reference_files(config: WorkflowConfig) -> tuple[Path, ...]:
    """Tables of a reference given by its folder: where one changes, what depends on it is computed again."""
    folder = _reference_folder(config)
    return tuple(sorted(path for path in folder.iterdir() if path.is_file())) if folder else ()


def _reference_folder(config: WorkflowConfig) -> Path | None:
    name = config.profile.reference
    return Path(name) if name and "/" in name else None


def _missing(config: Path, settings: WorkflowConfig) -> list[InputError]:
    """Files and folders that the config itself names and that do not exist."""
    named = {
        "harmonise.gene_lengths": settings.harmonise.gene_lengths,
        "score.gene_sets": settings.score.gene_sets,
        "profile.reference": _reference_folder(settings),
    }
    return [
        FileMissingError(f"{path}: not found ({key} of {config}); check the path")
        for key, path in named.items()
        if path is not None and not path.exists()
    ]
