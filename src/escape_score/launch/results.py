"""Results that are already there: those that must not be touched, and those that were changed or damaged.

Snakemake looks at declared outputs only, and at whether they are there. Records and pages of samples are not
declared, and an edited file is newer, which makes nothing run again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from escape_score.errors import ResultInvalidError
from escape_score.launch.plan import WorkflowPlan, plan_workflow
from escape_score.store.manifest import (
    MANIFEST,
    FileEntry,
    Manifest,
    Part,
    earlier_manifest,
    entry_of,
    read_manifest,
    read_part,
)
from escape_score.store.ownership import own_files, require_free
from escape_score.store.result_folder import withdraw_result

_RUN_NOTHING = re.compile(
    r"-[a-zA-Z]*[nSDl][a-zA-Z]*|--(?:dry-?run|unlock|summary|detailed-summary|report|dag|rulegraph|filegraph|d3dag"
    r"|list.*|lint|print-compilation|archive|containerize|cleanup.*|touch|delete.*|help|version)(?:=.*)?"
)
"""Options of Snakemake with which no job runs, also several in one word (``-np``)."""


def runs_nothing(words: Iterable[str]) -> bool:
    """Whether options of Snakemake are such that no job runs."""
    return any(map(_RUN_NOTHING.fullmatch, words))


DECLARED = frozenset(
    Path(name)
    for name in (
        *("profiles.tsv", "profiles.parquet", "scores.tsv", "scores.parquet", "qc.tsv", "scores.h5ad"),
        *("columns.json", "cohort.json", "index.html", MANIFEST),
    )
)
"""Outputs that the rules declare: Snakemake removes such a file before a job writes it."""


@dataclass(frozen=True)
class CohortFiles:
    """The folder of a cohort's result, and the part files of its jobs, by path."""

    results: Path
    parts: Mapping[Path, Part]

    @classmethod
    def of(cls, cohort: str, directory: Path) -> CohortFiles:
        """Read the part files of a cohort; one that is damaged lists nothing."""
        parts = dict[Path, Part]()
        for path in sorted((directory / "work" / cohort).glob("*.part.json")):
            try:
                parts[path] = read_part(path)
            except ResultInvalidError:
                continue
        return cls(directory / "results" / cohort, parts)

    @cached_property
    def listed(self) -> dict[str, tuple[Path, FileEntry]]:
        """Part file and entry of every file that a job wrote."""
        return {entry.path: (path, entry) for path, part in self.parts.items() for entry in part.files}

    def changed(self) -> tuple[str, ...]:
        """Files of the finished result that are missing or do not agree with its manifest.

        A digest of every file would read all results at every start: 12 GB for 200 cohorts of 1,000 samples.
        So a file is read only if its size agrees, and it is newer than the list of the job that wrote it, or
        that list and the manifest disagree, or no job lists it. A file that was changed to the same size and
        given its old time is found by ``escape-score verify`` only.
        """
        if not (self.results / MANIFEST).exists():
            return ()
        try:
            manifest = read_manifest(self.results)
        except ResultInvalidError:
            entries = [entry for path, (_, entry) in self.listed.items() if path != "qc.tsv"]
            return (MANIFEST, *(entry.path for entry in entries if self._is_changed(entry)))
        faulty = [entry.path for entry in manifest.files if self._is_changed(entry)]
        return (*([MANIFEST] if self._has_other_header(manifest) else []), *faulty)

    def _has_other_header(self, manifest: Manifest) -> bool:
        return any(part.header not in (None, manifest.header) for part in self.parts.values())

    def _is_changed(self, entry: FileEntry) -> bool:
        path = self.results / entry.path
        part, written = self.listed.get(entry.path, (self.results / MANIFEST, None))
        if not path.is_file() or path.stat().st_size != entry.size:
            return True
        is_unchanged = written == entry and path.stat().st_mtime_ns <= part.stat().st_mtime_ns
        return not is_unchanged and entry_of(self.results, path) != entry

    def made_by(self, changed: Iterable[str]) -> set[Path]:
        """Last outputs of the jobs that make changed files: their part files, and the manifest."""
        return {self.results / MANIFEST, *(self.listed[path][0] for path in changed if path in self.listed)}

    @property
    def known(self) -> set[Path]:
        """Files, relative to the result, that the jobs of the workflow write; empty before the first."""
        from escape_score.pipeline.reports import files_of_workflow

        return files_of_workflow(entry for _, entry in self.listed.values()) if self.listed else set()


def require_own_results(
    cohorts: Iterable[str],
    directory: Path = Path(),
    more: Mapping[str, Iterable[Path]] = MappingProxyType({}),
) -> None:
    """Refuse a folder of results that holds files of the user, before Snakemake removes any of them.

    ``more`` are files of a cohort's result that no rule declares, such as those of single cells. Raises
    OutputUnwritableError, which names the first such folder.
    """
    for cohort in cohorts:
        folder = directory / "results" / cohort
        if folder.exists():
            require_free(folder, {*DECLARED, *more.get(cohort, ())}, _own_outputs(cohort, directory))


def _files_of_cells(plan: WorkflowPlan) -> dict[str, set[Path]]:
    """Files that a result has in addition because its cohort is of single cells, by cohort."""
    named = {name: cohort for name, cohort in plan.cohorts.items() if cohort.patients}
    if not named:
        return {}
    # slow to load, and for cohorts of cells only
    from escape_score.pipeline.profiles import ALL_CELLS, CELL_FILES

    return {
        name: {Path(one) for one in (*CELL_FILES, *([ALL_CELLS] if cohort.counts else ()))}
        for name, cohort in named.items()
    }


def _own_outputs(cohort: str, directory: Path) -> set[Path]:
    """Files of a result that may be replaced; a finished one needs no other list than its manifest."""
    folder = directory / "results" / cohort
    if manifest := earlier_manifest(folder):
        return {Path(MANIFEST), *(Path(entry.path) for entry in manifest.files if "/" not in entry.path)}
    return own_files(folder, CohortFiles.of(cohort, directory).known)


def find_changed(cohorts: Iterable[str], directory: Path = Path()) -> tuple[set[Path], list[str]]:
    """Find finished results that were changed: outputs to make anew, and a line for each such cohort."""
    outputs, lines = set[Path](), list[str]()
    for cohort in cohorts:
        files = CohortFiles.of(cohort, directory)
        if changed := files.changed():
            outputs |= files.made_by(changed)
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            what = f"{files.results / changed[0]}{more}: missing or changed since the result was finished"
            lines.append(f"note: {what}; made anew")
    return outputs, lines


def withdraw_changed(cohorts: Iterable[str], directory: Path = Path()) -> list[str]:
    """Have changed results made anew by the next run of Snakemake; a line for each.

    The lists of the jobs go first: without them these jobs run again even if the manifest is gone already.
    """
    lines = []
    for cohort in cohorts:
        outputs, found = find_changed([cohort], directory)
        if found:
            files = CohortFiles.of(cohort, directory)
            for path in outputs - {files.results / MANIFEST}:
                path.unlink(missing_ok=True)
            withdraw_result(files.results, known=files.known)
        lines += found
    return lines


def plan_run(config: Path, *, is_main: bool) -> WorkflowPlan:
    """Plan a workflow for its rules; before the first job, see to the results in the current folder.

    ``is_main`` is False in a job, which reads the rules again while results are being made. A dry run changes
    nothing: ``escape-score workflow --dry-run`` lists the jobs of changed results all the same.
    """
    plan = plan_workflow(config, is_lazy=not is_main)
    if is_main:
        require_own_results(plan.cohorts, more=_files_of_cells(plan))
        is_dry = runs_nothing(sys.argv[1:])
        lines = find_changed(plan.cohorts)[1] if is_dry else withdraw_changed(plan.cohorts)
        sys.stderr.writelines(f"{line}\n" for line in lines)
    return plan
