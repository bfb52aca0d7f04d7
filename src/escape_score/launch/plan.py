"""What the workflow's rules need to know before the first of them runs, checked, with absolute paths.

Also how much memory and time the jobs request, and how samples are cut into jobs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic.main import IncEx

from escape_score.config import (
    CohortEntry,
    CohortKind,
    ConfigModel,
    ReadConfig,
    ScoreConfig,
    StatisticsConfig,
    WorkflowConfig,
    load_workflow_config,
    read_cohorts,
)
from escape_score.errors import FileMissingError, FileUnreadableError, InputError, attempt, raise_faults
from escape_score.model.record import slug_of
from escape_score.reference.known import AUTO_REFERENCE, HEADER, Origin, known_references

NO_PART_OF_RESULTS: Final[Mapping[str, IncEx | bool]] = {
    "cohorts": True,
    "threads": True,
    "harmonise": True,
    "report": {"chunk_size"},
}
"""Keys of a config that change no result, or name files that are listed as such."""

NO_PART_OF_KIND: Final[Mapping[CohortKind, Mapping[str, IncEx | bool]]] = MappingProxyType(
    {CohortKind.BULK: {"cells": True}, CohortKind.CELLS: {"cells": {"cell_types"}}}
)
"""Keys that change no result of a cohort of this kind."""

_COLUMNS: Final = frozenset({"sample_column", "patient_column", "cell_type_column", "layer"})
OPTIONS: Final[Mapping[str, tuple[str, IncEx]]] = MappingProxyType(
    {
        "read": ("reading", set(ReadConfig.model_fields)),
        "score": ("score", set(ScoreConfig.model_fields) - {"gene_sets"}),
        "cells_read": ("cells", {*_COLUMNS, "min_umi", "min_genes", "max_mitochondrial"}),
        "cells_patient": ("cells", {"malignant_lineage", "umap", "min_cells"}),
        "cells_bulk": ("cells", set(_COLUMNS)),
        "gather": ("statistics", set(StatisticsConfig.model_fields)),
    }
)
"""Block of the config, and its keys that change what a rule writes: no job runs for another key."""

SMALLEST_CHUNK = 500
LARGEST_CHUNK = 5_000
USUAL_CHUNKS = 10
"""Chunks of a cohort, unless that makes them smaller or larger than the two above."""


@dataclass(frozen=True)
class Need:
    """What a stage needs for a cohort of any size.

    ``base_mb`` is the memory without a sample, MiB: the program, its libraries, the reference and one block
    of samples; then come memory of one more sample, MiB, and time of a thousand, minutes.
    """

    base_mb: int
    mb_per_sample: float
    minutes_per_1000: float

    def memory_mb(self, n_samples: int, *, attempt: int = 1) -> int:
        """Memory to ask for, MiB; grows with each attempt, counted from 1."""
        return attempt * ceil(self.base_mb + self.mb_per_sample * n_samples)

    def minutes(self, n_samples: int, *, attempt: int = 1) -> int:
        """Time to ask for, minutes; grows with each attempt, counted from 1."""
        return attempt * ceil(BASE_MINUTES + self.minutes_per_1000 * n_samples / 1000)


OF_ONE: Final = frozenset({"cells_read", "cells_patient"})
"""Rules whose jobs work on the cells of one sample, or of one patient."""

BASE_MINUTES = 10
"""For a slow start on a busy file system; the program itself starts within seconds."""

# Twice to three times what docs/hpc.md lists as measured: 20,000 genes, two shared cores. `read` holds a
# matrix of text as a whole, 8 bytes a value, whose genes may be 40,000; all others hold blocks of samples.
# Methods in addition to the axes that compare samples hold the whole matrix too. How many cells of a sample
# pass the gates is not known: jobs of single cells are for samples of up to 20,000 cells with 2,000 values
# each, and of 5,000 cells on average. A job of one sample, or of one patient, does not grow with the cohort.
NEEDS = MappingProxyType(
    {
        "read": Need(1_000, 0.3, 5.0),
        "harmonise": Need(1_000, 0.02, 3.0),
        "score": Need(1_000, 0.05, 2.0),
        "score_methods": Need(1_500, 0.8, 20.0),
        "profile": Need(800, 0.1, 4.0),
        "report": Need(400, 0.02, 3.0),
        "gather": Need(400, 0.02, 2.0),
        "cells_read": Need(400, 2_000.0, 10_000.0),
        "cells_seeds": Need(2_500, 10.0, 60.0),
        "cells_patient": Need(4_000, 1_000.0, 5_000.0),
        "cells_bulk": Need(1_000, 12.0, 20.0),
        "cells_profile": Need(1_500, 12.0, 60.0),
    }
)


RESOURCES: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "mem_mb": ("memory_mb", 1),
        "runtime": ("minutes", 1),
        "htcondor_request_mem_mb": ("memory_mb", 1),
        "allowed_execute_duration": ("minutes", 60),
    }
)
"""What jobs request: methods of :class:`Need`, and units in one of theirs.

HTCondor's executor reads neither of the first two: it has names of its own, and counts time in seconds.
"""


def chunk_size_of(n_samples: int, stated: int | None) -> int:
    """Samples whose pages one job writes.

    A page takes milliseconds, a job two seconds to start, or seven more on a cluster: small cohorts stay
    whole, and large ones are cut into so many jobs that a handful of cores have work. It depends on nothing
    but the cohort, so that a run on another machine repeats no job.

    Parameters
    ----------
    n_samples
        Samples of the cohort, 0 or more.
    stated
        What the config says; None leaves it to the number of samples.
    """
    if stated is not None:
        return stated
    return min(max(ceil(n_samples / USUAL_CHUNKS), SMALLEST_CHUNK), LARGEST_CHUNK)


@dataclass(frozen=True)
class CohortPlan:
    """One cohort: its row of the table, the checked config, samples by its matrix's header.

    ``parts`` are the files that the matrix is read from: itself, or those in the folder or sheet named, so
    that a job notices a change in each of them. ``patients``: slugs of the patients of a cohort of single
    cells, with those of their samples.
    """

    entry: CohortEntry
    config: WorkflowConfig
    n_samples: int
    parts: tuple[Path, ...]
    patients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def cell_files(self, part: str, patient: str | None = None) -> list[str]:
        """Files of single cells that jobs make: of all samples, those of one patient, or of all patients.

        ``part``: ``sample`` or ``patient``. Patients and samples are named by their slugs.
        """
        samples = [slug for own in self.patients.values() for slug in own]
        slugs = self.patients[patient] if patient else samples if part == "sample" else self.patients
        return [f"work/{self.entry.cohort}/cells/{part}-{slug}.h5" for slug in slugs]

    @property
    def counts(self) -> list[str]:
        """Files of the cells of all samples, if a result has all cells in it."""
        return self.cell_files("sample") if self.patients and self.config.cells.h5ad else []

    @property
    def column_flags(self) -> list[str]:
        """Flags that name columns of the sample sheet."""
        return [word for pair in self.config.reading.columns for word in ("--map", pair)]

    @property
    def counts_flag(self) -> list[str]:
        """Flag with which the stage profile writes all cells."""
        return ["--cells-h5ad"] if self.counts else []

    def report_parts(self, *, is_finished: bool) -> list[str]:
        """Part files of all jobs that write pages; with ``is_finished`` without those that failed."""
        parts = [f"work/{self.entry.cohort}/report-{k + 1}.part.json" for k in range(self.n_chunks)]
        return list(filter(os.path.exists, parts)) if is_finished else parts

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
        own_labels = self.config.cells.cell_types if self.patients else None
        named = (self.entry.samples, self.gene_lengths, self.config.score.gene_sets, own_labels)
        return (*self.parts, *(path for path in named if path), *reference_files(self.config))

    @property
    def settings(self) -> str:
        """All else that its result depends on, as JSON."""
        left_out = {**NO_PART_OF_RESULTS, **NO_PART_OF_KIND[self.entry.kind]}
        return f"{self.entry.units.value} {self.config.model_dump_json(exclude=left_out)}"

    def need(self, rule: str, patient: str | None = None) -> tuple[Need, int]:
        """What a job of a rule needs, and for how many samples: those of a slice, of a patient, or all."""
        is_slice, has_methods = rule == "report", rule == "score" and self.config.score.methods
        n_samples = -(-self.n_samples // self.n_chunks) if is_slice else self.n_samples
        if rule in OF_ONE:
            n_samples = len(self.patients[patient]) if patient else 1
        of_cells = rule == "profile" and self.entry.kind is CohortKind.CELLS
        return NEEDS["score_methods" if has_methods else "cells_profile" if of_cells else rule], n_samples

    def request(self, resource: str, rule: str, patient: str | None, attempt: int) -> int:
        """What a job requests of one of ``RESOURCES``; more with every attempt."""
        need, n_samples = self.need(rule, patient)
        method, factor = RESOURCES[resource]
        return factor * int(getattr(need, method)(n_samples, attempt=attempt))


@dataclass(frozen=True)
class PlansOnDemand(Mapping[str, CohortPlan]):
    """Plans of cohorts, each made when it is first asked for: a job on a cluster needs its own only."""

    entries: Mapping[str, CohortEntry]
    config: WorkflowConfig
    _made: dict[str, CohortPlan] = field(default_factory=dict)

    def __getitem__(self, cohort: str) -> CohortPlan:
        if cohort not in self._made:
            self._made[cohort] = _plan_cohort(self.entries[cohort], self.config)
        return self._made[cohort]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True)
class WorkflowPlan:
    """The checked config, and all cohorts by name in the order of their table, with their kinds."""

    config: WorkflowConfig
    cohorts: Mapping[str, CohortPlan]
    kinds: Mapping[str, CohortKind]

    def pattern(self, kind: str) -> str:
        """Pattern of the names of all cohorts of a kind; it matches nothing where there are none."""
        names = [re.escape(name) for name, one in self.kinds.items() if one == kind]
        return "|".join(names) or "(?!)"

    @property
    def reference_files(self) -> tuple[Path, ...]:
        """Files by which a change of the reference is noticed."""
        return reference_files(self.config)

    @property
    def reference_flag(self) -> list[str]:
        """Flag that names the reference, if the config does."""
        named = self.config.profile.reference
        return ["--reference", named] if named else []

    @staticmethod
    def words(flag: str, named: str | Iterable[str] | None) -> list[str]:
        """A flag and the file, or files, it names; nothing if there are none."""
        files = [named] if isinstance(named, str) else [*(named or ())]
        return [flag, *files] if files else []

    def options(self, rule: str) -> str:
        """Options of a rule as JSON: keys of one block of the config."""
        block, keys = OPTIONS[rule]
        model: ConfigModel = getattr(self.config, block)
        return model.model_dump_json(include=keys)


def plan_workflow(config: Path, *, is_lazy: bool = False) -> WorkflowPlan:
    """Read a workflow's config and the headers of the matrices it names.

    Paths in the config, and in the table of cohorts, are relative to the file that names them. With
    ``is_lazy`` the matrix of a cohort is looked at when the plan of the cohort is asked for.

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
    table = attempt(lambda: read_cohorts(settings.cohorts))
    if table.faults:
        raise_faults([*_missing(config, settings), *table.faults])
    entries = table.get()
    if any(entry.kind is CohortKind.CELLS for entry in entries):
        settings.cells.require_label_column()
    kinds = {entry.cohort: entry.kind for entry in entries}
    if is_lazy:
        by_name = {entry.cohort: entry for entry in entries}
        return WorkflowPlan(settings, PlansOnDemand(by_name, settings), kinds)
    plans = [attempt(partial(_plan_cohort, entry, settings)) for entry in entries]
    files = [path for one in plans for plan in one.results for path in plan.parts]
    found = [*_missing(config, settings), *_in_label_map(entries, settings)]
    found += _with_braces(entries, settings, files)
    raise_faults([*found, *(fault for one in plans for fault in one.faults)])
    named = {plan.entry.cohort: plan for one in plans for plan in one.results}
    return WorkflowPlan(settings, MappingProxyType(named), kinds)


def _plan_cohort(entry: CohortEntry, settings: WorkflowConfig) -> CohortPlan:
    """Look at the headers of a cohort's input."""
    # slow to load, and not needed to find the faults of a table
    if entry.kind is CohortKind.CELLS:
        from escape_score.model.cohort import require_columns, sheet_columns
        from escape_score.read.cells import CellRequest, list_cells
        from escape_score.read.request import column_names
        from escape_score.read.sheet.sheet import join_sheet, open_sheet

        found = attempt(lambda: list_cells(entry.expression, CellRequest.from_config(settings.cells)))
        # jobs would find a fault of the sheet when all cells are done
        sheet = attempt(lambda: open_sheet(entry.samples, column_names(settings.reading.columns)))
        raise_faults([*found.faults, *sheet.faults])
        listed = found.get()
        records, _ = join_sheet(sheet.get(), listed.sample_ids)
        if entry.samples is not None:
            require_columns(settings.statistics.named, sheet_columns(records))
        patients = {
            slug_of(patient): tuple(map(slug_of, samples)) for patient, samples in listed.patients.items()
        }
        return CohortPlan(entry, settings, len(listed.sample_ids), listed.parts, patients)
    from escape_score.read import ReadRequest, count_samples, list_parts

    request = replace(ReadRequest.from_config(settings.read), units=entry.units)
    n_samples = count_samples(entry.expression, request=request)
    return CohortPlan(entry, settings, n_samples, list_parts(entry.expression, request=request))


def reference_files(config: WorkflowConfig) -> tuple[Path, ...]:
    """Files by which a change of the reference is noticed, so that what depends on it is computed again.

    Tables of a reference that is given by its folder, or kept; headers of all that are kept where ``auto``
    chooses. A shipped one changes with the program only.
    """
    folder, name = _reference_folder(config), config.profile.reference or AUTO_REFERENCE
    kept = [] if folder else [one for one in known_references() if one.origin is not Origin.SHIPPED]
    if name == AUTO_REFERENCE:
        return tuple(one.folder / HEADER for one in kept)
    folders = [folder] if folder else [one.folder for one in kept if one.name == name]
    return tuple(sorted(path for one in folders for path in one.iterdir() if path.is_file()))


def _reference_folder(config: WorkflowConfig) -> Path | None:
    name = config.profile.reference
    return Path(name) if name and "/" in name else None


def _with_braces(
    entries: Sequence[CohortEntry], settings: WorkflowConfig, files: Sequence[Path]
) -> list[InputError]:
    """Paths that Snakemake would take for a pattern of file names."""
    named = [
        *(path for one in entries for path in (one.expression, one.samples, one.gene_lengths)),
        *(settings.harmonise.gene_lengths, settings.score.gene_sets, settings.cells.cell_types),
        _reference_folder(settings),
        *files,
    ]
    msg = "its path has { or }, which Snakemake takes for a wildcard; rename the folder or the file"
    paths = dict.fromkeys(path for path in named if path is not None)
    return [FileUnreadableError.at(path, msg) for path in paths if set("{}") & set(str(path))]


def _in_label_map(entries: Sequence[CohortEntry], settings: WorkflowConfig) -> tuple[InputError, ...]:
    """Faults of the map of labels, which one job a patient would find else."""
    path = settings.cells.cell_types
    if path is None or not path.exists() or all(one.kind is not CohortKind.CELLS for one in entries):
        return ()
    from escape_score.cells.labels.given import read_label_map

    return attempt(partial(read_label_map, path)).faults


def _missing(config: Path, settings: WorkflowConfig) -> list[InputError]:
    """Files and folders that the config itself names and that do not exist."""
    named = {
        "harmonise.gene_lengths": settings.harmonise.gene_lengths,
        "score.gene_sets": settings.score.gene_sets,
        "cells.cell_types": settings.cells.cell_types,
        "profile.reference": _reference_folder(settings),
    }
    return [
        FileMissingError(f"{path}: not found ({key} of {config}); check the path")
        for key, path in named.items()
        if path is not None and not path.exists()
    ]
