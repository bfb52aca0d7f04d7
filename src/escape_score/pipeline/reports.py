"""Pages and statistics from profiles, and the manifest that ends a result.

A sample that a stage could not finish takes no other along: it is listed in ``qc.tsv`` and in the manifest.
Rendering needs no numerical library; only the statistics do.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from escape_score.config import DEFAULT_STATISTICS, StatisticsConfig
from escape_score.errors import ResultInvalidError, UsageError, listed
from escape_score.model.record import EscapeProfile, slug_of
from escape_score.pipeline.pages.pdf import find_chromium, print_pages
from escape_score.pipeline.pages.workers import page_writer
from escape_score.pipeline.pages.writing import PageWriter, noting_failure
from escape_score.report import iter_profiles, render_summary
from escape_score.report.load import STATISTICS, profile_paths, read_profile, read_statistics, read_visible
from escape_score.report.render import CohortPage
from escape_score.store.atomic import write_text
from escape_score.store.manifest import (
    MANIFEST,
    SAMPLES,
    FailedSample,
    FileEntry,
    Part,
    ResultHeader,
    entry_of,
    read_manifest,
    read_part,
    write_manifest,
    write_part,
)
from escape_score.store.ownership import COMPARISON, SUMMARY
from escape_score.store.result_folder import (
    INDEX,
    gathering,
    outdated_prints,
    remove_files,
    staged_pages,
    withdraw_result,
)
from escape_score.store.tables import quoted, safe_cell

if TYPE_CHECKING:
    from escape_score.statistics import ColumnCollector

QC = "qc.tsv"
TAB = "\t"
NO_PAGE = "no page: the job that writes it did not finish; run the same command again"


def named(failed: Iterable[FailedSample], sample_ids: Iterable[str]) -> tuple[FailedSample, ...]:
    """The failed samples with their ids, each once, in the order of the samples."""
    problems: dict[str, str] = {}
    for one in failed:
        problems.setdefault(one.slug, one.problem)
    slugs = ((slug_of(sample_id), sample_id) for sample_id in sample_ids) if problems else ()
    return tuple(
        FailedSample(slug=slug, problem=problems[slug], sample_id=sample_id)
        for slug, sample_id in slugs
        if slug in problems
    )


def list_failures(folder: Path, failed: Sequence[FailedSample]) -> bool:
    """Write the failed samples alone into the last column of ``qc.tsv``; whether the file has changed."""
    path = folder / QC
    before = path.read_bytes().decode("utf-8")
    problems = {quoted(safe_cell(one.sample_id)): quoted(safe_cell(one.problem)) for one in failed}
    header, *rows = before.removesuffix("\n").split("\n")
    marked = (f"{row[: row.rindex(TAB)]}{TAB}{problems.get(row.split(TAB, 1)[0], '')}" for row in rows)
    after = "\n".join([header, *marked]) + "\n"
    if after == before:
        return False
    write_text(path, after)
    return True


def render_chunk(results: Path, profiles: Path, part: Path, *, chunk: int, chunks: int, lang: str) -> None:
    """Render one slice of a cohort's sample pages.

    Slices are counted from 1; the last one takes what is left, whatever number was planned with.
    """
    listed = read_part(profiles).files
    paths = sample_files(listed)
    size = -(-len(paths) // chunks)
    mine = [Path(path) for path in paths[(chunk - 1) * size : chunk * size]]
    withdraw_result(results, {path.with_suffix(".html") for path in mine}, files_of_workflow(listed))
    writer = PageWriter(results, lang)
    for path in mine:
        writer.submit(results / path)
    write_part(part, writer.finish())


def sample_files(files: Sequence[FileEntry]) -> list[str]:
    """Paths of the profiles of samples, in the order of the samples."""
    return [
        entry.path for entry in files if entry.path.startswith(f"{SAMPLES}/") and entry.path.endswith(".json")
    ]


def files_of_workflow(listed: Iterable[FileEntry]) -> set[Path]:
    """Files of a result, relative to it, of which the stage profile has written those listed."""
    paths = {Path(entry.path) for entry in listed}
    pages = {path.with_suffix(".html") for path in paths if path.parent == Path(SAMPLES)}
    return paths | pages | {Path(INDEX), Path(STATISTICS), Path(MANIFEST)}


@dataclass
class CohortTally:
    """What the page and the statistics of a cohort need of the profiles so far."""

    page: CohortPage
    columns: ColumnCollector
    slugs: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, lang: str) -> CohortTally:
        """No profile yet."""
        from escape_score.statistics import ColumnCollector

        return cls(CohortPage(lang), ColumnCollector())

    def add(self, profile: EscapeProfile) -> None:
        """Keep what is needed of one more profile, in the order of the page."""
        self.slugs.add(profile.slug)
        self.columns.add(profile)
        self.page.add(profile)


def finish_result(
    folder: Path,
    header: ResultHeader,
    parts: Sequence[Part],
    *,
    lang: str | None,
    before: Iterable[Path] = (),
    statistics: StatisticsConfig = DEFAULT_STATISTICS,
    tally: CohortTally | None = None,
) -> tuple[FailedSample, ...]:
    """Write the list of failed samples, statistics, the cohort's page and, last of all, the manifest.

    ``before`` are files of the result that was in the folder: those that this one does not have are removed.
    Profiles are read from the folder, unless ``tally`` has seen just those that did not fail. Samples that
    failed are returned, and are in ``qc.tsv``, on the cohort's page and in the manifest.
    """
    failed = named(
        (one for part in parts for one in part.failed), (i for part in parts for i in part.sample_ids)
    )
    files = {entry.path: entry for part in parts for entry in part.files}
    stale = {path.as_posix() for path in before}
    for path in {f"{SAMPLES}/{one.slug}.json" for one in failed} & set(files):
        # a profile that was damaged after it was written is not part of the result
        if entry_of(folder, folder / path) != files[path]:
            del files[path]
            stale.add(path)
    remove_files(folder, map(Path, stale - files.keys()))
    if list_failures(folder, failed):
        files[QC] = entry_of(folder, folder / QC)
    if lang is not None:
        left_out = {one.slug for one in failed if one.problem != NO_PAGE}
        if tally is None or tally.slugs & left_out:
            tally = _read_tally(folder, sample_files(list(files.values())), left_out, lang)
        for entry in _write_cohort(folder, tally, failed, statistics, seed=header.seed):
            files[entry.path] = entry
    write_manifest(folder, header, files.values(), failed)
    return failed


def _read_tally(folder: Path, paths: Sequence[str], left_out: Container[str], lang: str) -> CohortTally:
    """Read the profiles of a cohort; a missing page leaves no profile out."""
    tally = CohortTally.begin(lang)
    for profile in iter_profiles(folder, paths):
        if profile.slug not in left_out:
            tally.add(profile)
    return tally


def _write_cohort(
    folder: Path,
    tally: CohortTally,
    failed: Sequence[FailedSample],
    config: StatisticsConfig,
    *,
    seed: int,
) -> tuple[FileEntry, FileEntry]:
    """Write the cohort's page and statistics."""
    from escape_score.statistics import compute_statistics

    statistics = compute_statistics(tally.columns.columns(), config, seed=seed)
    skipped = [(one.sample_id, one.problem) for one in failed]
    write_text(folder / INDEX, tally.page.render(skipped=skipped, statistics=statistics))
    write_text(folder / STATISTICS, statistics.model_dump_json(indent=1) + "\n")
    return entry_of(folder, folder / INDEX), entry_of(folder, folder / STATISTICS)


def gather_parts(
    results: Path,
    parts: Sequence[Path],
    *,
    lang: str,
    statistics: StatisticsConfig = DEFAULT_STATISTICS,
) -> tuple[FailedSample, ...]:
    """Write the cohort's statistics, its page and, last of all, the manifest; samples that failed."""
    read = [read_part(path) for path in parts]
    header = next((part.header for part in read if part.header is not None), None)
    if header is None:
        msg = f"{parts[0]}: no part of the stage profile among the parts; run that stage again"
        raise ResultInvalidError(msg)
    known = files_of_workflow(entry for part in read for entry in part.files)
    with gathering(results, {Path(STATISTICS)}, known) as before:
        every = [*read, _unwritten_pages(read)]
        return finish_result(results, header, every, lang=lang, before=before, statistics=statistics)


def _unwritten_pages(parts: Sequence[Part]) -> Part:
    """Note samples whose page no part lists: the job that should have written it has failed."""
    files = [entry for part in parts for entry in part.files]
    pages = {Path(entry.path).stem for entry in files if entry.path.endswith(".html")}
    slugs = (Path(path).stem for path in sample_files(files))
    return Part(
        files=(), failed=tuple(FailedSample(slug=s, problem=NO_PAGE) for s in slugs if s not in pages)
    )


@dataclass(frozen=True)
class Prints:
    """What is printed to PDF: pages of samples, their summaries, or both.

    ``sample_ids``: of these samples only; of all where empty.
    """

    has_pages: bool = False
    has_summaries: bool = False
    sample_ids: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is printed."""
        return not (self.has_pages or self.has_summaries)


@dataclass(frozen=True)
class Rendered:
    """Number of sample pages, PDFs written, relative to the folder, and number of earlier PDFs removed."""

    n_pages: int
    prints: tuple[Path, ...]
    n_outdated: int


def render_results(
    results: Path, out: Path, *, lang: str, prints: Prints = Prints(), threads: int = 1
) -> Rendered:
    """Render all pages of a finished result again, from its JSON alone.

    Inside the result itself the manifest is renewed; another folder gets pages only. ``prints`` are put next
    to the pages; what was printed of pages that change, and is not printed again, is removed. ``threads``:
    processes that write pages.

    Raises
    ------
    UsageError
        Chromium is missing, or ``prints`` names a sample that the result does not have.
    ResultInvalidError
        A profile cannot be read or shown.
    """
    if (results / COMPARISON).is_file():
        msg = "is a comparison of cohorts; run escape-score compare again, with --lang for another language"
        raise ResultInvalidError.at(results, msg)
    chromium = None if prints.is_empty else find_chromium()
    with staged_pages(out, is_own=out.resolve() == results.resolve()) as folder:
        profiles = sorted(results / path for path in _listed_profiles(results))
        chosen = _chosen(profiles, prints.sample_ids)
        n_pages = _render_all(results, profiles, folder, lang=lang, threads=threads)
        printed = () if chromium is None else _print(chromium, folder, chosen, prints, lang=lang)
        prints_made = tuple(path.relative_to(folder) for path in printed)
        return Rendered(n_pages, prints_made, len(outdated_prints(out, folder)))


def _render_all(results: Path, profiles: Sequence[Path], folder: Path, *, lang: str, threads: int) -> int:
    """Write the pages of samples and of their cohort; the number of samples."""
    page, failed = CohortPage(lang), list[FailedSample]()
    with page_writer(folder, lang, n_pages=len(profiles), threads=threads) as writer:
        for path in profile_paths(results, [path.relative_to(results).as_posix() for path in profiles]):
            with noting_failure(failed, path.stem, results):
                shown = read_visible(path)
                page.add(shown)
                writer.submit(path, shown)
        part = writer.finish()
    if faults := (*failed, *part.failed):
        raise _no_page(results, faults[0])
    write_text(folder / INDEX, page.render(skipped=(), statistics=read_statistics(results)))
    return len(profiles)


def _no_page(results: Path, failed: FailedSample) -> ResultInvalidError:
    """Error for a sample without a page; a fault of its file names the file already."""
    name = f"{SAMPLES}/{failed.slug}.json"
    problem = failed.problem.removeprefix(f"{name}: ")
    why = problem if problem != failed.problem else f"no page can be made of it: {problem}"
    return ResultInvalidError.at(results / name, why)


def _print(
    chromium: Path, folder: Path, profiles: Sequence[Path], prints: Prints, *, lang: str
) -> tuple[Path, ...]:
    """Print pages in a folder of theirs; the HTML of summaries is there for the browser alone."""
    pages = [folder / SAMPLES / f"{path.stem}.html" for path in profiles] if prints.has_pages else []
    summaries = [folder / SAMPLES / f"{path.stem}{SUMMARY}.html" for path in profiles]
    if not prints.has_summaries:
        return print_pages(chromium, pages)
    for path, page in zip(profiles, summaries, strict=True):
        write_text(page, render_summary(read_profile(path), lang=lang))
    printed = print_pages(chromium, [*pages, *summaries])
    for page in summaries:
        page.unlink()
    return printed


def _chosen(profiles: Sequence[Path], sample_ids: Sequence[str]) -> Sequence[Path]:
    """Profiles of the samples named, all where none is; raises UsageError with similar ids."""
    if not sample_ids:
        return profiles
    by_slug = {path.stem: path for path in profiles}
    unknown = [name for name in sample_ids if slug_of(name) not in by_slug]
    if unknown:
        known = [read_profile(path).sample_id for path in profiles]
        similar = get_close_matches(unknown[0], known, cutoff=0) or known[:1]
        msg = f"--sample {unknown[0]}: the result has no such sample; similar ids: {listed(similar)}"
        raise UsageError(msg)
    return [by_slug[slug] for slug in dict.fromkeys(map(slug_of, sample_ids))]


def _listed_profiles(results: Path) -> list[str]:
    """Profiles that a manifest lists; without one, all JSON of samples."""
    if (results / MANIFEST).is_file() and (results / SAMPLES).is_dir():
        return sample_files(read_manifest(results).files)
    return [path.relative_to(results).as_posix() for path in (results / SAMPLES).glob("*.json")]
