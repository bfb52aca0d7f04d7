"""What a comparison needs of each cohort, from its result folder or from memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from escape_score.errors import (
    EscapeScoreError,
    InputError,
    ResultInvalidError,
    UsageError,
    counted,
    listed,
    raise_faults,
)
from escape_score.model.arguments import require_path, require_type, texts_of
from escape_score.model.record import Call, EscapeProfile, NoteRecord, Status
from escape_score.model.record_comparison import ComparedCohort, Count, StatusCount
from escape_score.model.record_statistics import CohortStatistics
from escape_score.pipeline.profiles import Profiles
from escape_score.pipeline.reports import sample_files
from escape_score.report import iter_profiles, read_statistics
from escape_score.report.load import STATISTICS
from escape_score.statistics import ColumnCollector, compute_statistics
from escape_score.statistics.comparison import GatheredCohort
from escape_score.statistics.meta import FEWEST
from escape_score.store.manifest import Manifest, ResultHeader, read_manifest, read_result_header, verify

TUMOUR_TYPE = "cancer_type"
_NO_STATISTICS = "has no cohort.json; run again without --no-reports"
Compared = str | Path | Profiles
"""A result folder, or profiles in memory."""


def gather(results: Sequence[Compared], names: Sequence[str] = ()) -> tuple[GatheredCohort, ...]:
    """Read all cohorts of a comparison.

    Parameters
    ----------
    results
        Folders that a run finished, or profiles in memory; at least two.
    names
        Names of the cohorts in this order; those of the results where empty.

    Raises
    ------
    UsageError
        There are fewer than two results, something else among them, or ``names`` are not one for each.
    InputFaultsError
        All faults of all results: not a finished one, changed since, of another version, given twice, without
        samples, or with a name that another has.
    """
    _require_results(results)
    names = texts_of("names", names or (), "a list with the name of each cohort")
    _require_names(results, names)
    places = [one if isinstance(one, Profiles) else Path(one) for one in results]
    faults, cohorts = _given_twice(places), list[GatheredCohort]()
    for place in places:
        try:
            cohorts.append(_in_memory(place) if isinstance(place, Profiles) else _in_folder(place))
        except EscapeScoreError as error:
            faults += [InputError(line) for line in error.lines]
    raise_faults(faults)
    return _named(cohorts, places, names)


def _require_results(results: Sequence[Compared]) -> None:
    """Refuse a value that is not a list of folders and profiles; UsageError."""
    needed = "a list of two or more result folders, or of profiles as es.profile returns them"
    if isinstance(results, str):  # its letters would be taken as folders
        require_type("results", results, (list, tuple), needed)
    require_type("results", results, Collection, needed)
    for one in results:
        if not isinstance(one, Profiles):
            require_path("results", one, needed)


def _require_names(results: Sequence[Compared], names: Sequence[str]) -> None:
    if len(results) < FEWEST:
        msg = f"compare: {counted(len(results), 'result')} given; give at least two result folders"
        raise UsageError(msg)
    if not names:
        return
    if len(names) != len(results):
        msg = f"--names: {len(names)} names for {len(results)} results; give one for each, in their order"
        raise UsageError(msg)
    if not all(name.strip() for name in names) or len(set(names)) < len(names):
        msg = "--names: a name is empty or there twice; give each cohort a name of its own"
        raise UsageError(msg)


def _given_twice(places: Sequence[Path | Profiles]) -> list[InputError]:
    """Folders that are the same, by whatever path they are given."""
    folders = [place for place in places if isinstance(place, Path)]
    counts = Counter(folder.resolve() for folder in folders)
    return [
        InputError.at(folder, "is given twice; give each result once")
        for folder in {folder.resolve(): folder for folder in folders}.values()
        if counts[folder.resolve()] > 1
    ]


def _in_folder(folder: Path) -> GatheredCohort:
    """One cohort as its result folder shows it, after the folder was checked against its manifest."""
    if not folder.is_dir():
        raise ResultInvalidError.at(folder, "there is no such folder; give the --out folder of a run")
    header, manifest = read_result_header(folder), read_manifest(folder)
    _require_complete(folder, manifest)
    statistics, tally = read_statistics(folder), _Tally()
    if statistics is None:
        raise ResultInvalidError.at(folder, _NO_STATISTICS)
    for profile in iter_profiles(folder, sample_files(manifest.files)):
        tally.add(profile)
    digests = {entry.path: entry.sha256 for entry in manifest.files}
    return tally.gathered(header, statistics, digests[STATISTICS])


def _require_complete(folder: Path, manifest: Manifest) -> None:
    if STATISTICS not in {entry.path for entry in manifest.files}:
        raise ResultInvalidError.at(folder, _NO_STATISTICS)
    if faults := verify(folder):
        more = f" ({len(faults) - 1} more such files)" if len(faults) > 1 else ""
        raise ResultInvalidError(faults[0] + more)


def _in_memory(result: Profiles) -> GatheredCohort:
    """One cohort as profiles in memory show it, with the statistics that its folder would have."""
    tally, collector = _Tally(), ColumnCollector()
    for profile in result:
        collector.add(profile)
        tally.add(profile)
    statistics = compute_statistics(collector.columns(), result.statistics, seed=result.header.seed)
    digest = hashlib.sha256(f"{statistics.model_dump_json(indent=1)}\n".encode()).hexdigest()
    return tally.gathered(result.header, statistics, digest)


@dataclass
class _Tally:
    """What is counted of a cohort's profiles; lives only while they are read."""

    calls: dict[str, tuple[str, Counter[Call]]] = field(default_factory=dict)
    statuses: Counter[Status] = field(default_factory=Counter)
    tumour_types: Counter[str] = field(default_factory=Counter)
    sample_ids: list[str] = field(default_factory=list)
    choice: NoteRecord | None = None

    def add(self, profile: EscapeProfile) -> None:
        """Count one profile."""
        self.sample_ids.append(profile.sample_id)
        self.statuses[profile.status] += 1
        if tumour_type := str(profile.metadata.get(TUMOUR_TYPE) or ""):
            self.tumour_types[tumour_type] += 1
        self.choice = self.choice or profile.reference.choice
        for axis in profile.axes:
            if axis.call is not None:
                self.calls.setdefault(axis.axis, (axis.title, Counter()))[1][axis.call] += 1

    def gathered(self, header: ResultHeader, statistics: CohortStatistics, digest: str) -> GatheredCohort:
        """The cohort, when all profiles were counted."""
        facts = ComparedCohort(
            cohort=header.cohort,
            n_samples=len(self.sample_ids),
            n_patients=statistics.n_patients,
            tumour_types=tuple(Count(label=label, n_samples=n) for label, n in self._types()),
            unit=header.parameters.get("unit", ""),
            reference=header.reference,
            reference_sha256=header.reference_sha256,
            reference_choice=self.choice,
            statuses=tuple(
                StatusCount(status=one, n_samples=self.statuses[one]) for one in Status if self.statuses[one]
            ),
            package_version=header.package_version,
            genesets_sha256=header.genesets_sha256,
            statistics_sha256=digest,
        )
        return GatheredCohort(facts, statistics, self.calls, frozenset(self.sample_ids))

    def _types(self) -> list[tuple[str, int]]:
        """Most frequent first, equal ones by name."""
        return sorted(self.tumour_types.items(), key=lambda one: (-one[1], one[0]))


def _named(
    cohorts: Sequence[GatheredCohort], places: Sequence[Path | Profiles], names: Sequence[str]
) -> tuple[GatheredCohort, ...]:
    """Cohorts with the names given, or with their own; the folder is added where two have one name."""
    chosen = list(names or (one.name for one in cohorts))
    counts = Counter(chosen)
    for at, place in enumerate(places):
        if counts[chosen[at]] > 1 and isinstance(place, Path):
            chosen[at] = f"{chosen[at]} ({place.resolve().name})"
    if repeated := [name for name, n in Counter(chosen).items() if n > 1]:
        msg = f"compare: two cohorts have one name ({listed(repeated)}); give all names with --names A,B"
        raise InputError(msg)
    return tuple(
        replace(one, facts=one.facts.model_copy(update={"cohort": name}))
        for one, name in zip(cohorts, chosen, strict=True)
    )


def require_outside(out: Path, results: Iterable[Compared]) -> None:
    """Refuse a folder inside one of the results, which hold only what their manifests list."""
    for place in _folders(results):
        if out.resolve().is_relative_to(place.resolve()):
            msg = f"--out: {out} is inside the result {place}; choose another folder"
            raise UsageError(msg)


def _folders(results: Iterable[Compared]) -> Iterator[Path]:
    return (Path(one) for one in results if not isinstance(one, Profiles))
