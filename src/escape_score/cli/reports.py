"""Pages and statistics from profiles, and the manifest that ends a result.

Rendering needs no numerical library; only the statistics do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from escape_score.errors import ResultInvalidError
from escape_score.model.record import EscapeProfile
from escape_score.report import iter_profiles, render_cohort, render_sample
from escape_score.report.load import read_profile
from escape_score.report.statistics_file import STATISTICS
from escape_score.store.atomic import write_text
from escape_score.store.manifest import (
    SAMPLES,
    FileEntry,
    Part,
    entry_of,
    read_part,
    remove_unlisted_samples,
    write_manifest,
    write_part,
)
from escape_score.store.result_folder import INDEX, gathering, staged_pages, withdraw_result

if TYPE_CHECKING:
    from escape_score.statistics import CohortColumns


def render_chunk(results: Path, profiles: Path, part: Path, *, chunk: int, chunks: int, lang: str) -> int:
    """Render one slice of a cohort's sample pages.

    Slices are counted from 1; the last one takes what is left, whatever number was planned with.
    """
    paths = sample_files(read_part(profiles).files)
    size = -(-len(paths) // chunks)
    mine = paths[(chunk - 1) * size : chunk * size]
    withdraw_result(results)
    written = write_pages(results, (read_profile(results / path) for path in mine), lang=lang)
    write_part(part, Part(files=written))
    return 0


def sample_files(files: Sequence[FileEntry]) -> list[str]:
    """Paths of the profiles of samples, in the order of the samples."""
    return [
        entry.path for entry in files if entry.path.startswith(f"{SAMPLES}/") and entry.path.endswith(".json")
    ]


def write_pages(
    folder: Path,
    profiles: Iterable[EscapeProfile],
    *,
    lang: str,
    on_sample: Callable[[], None] = lambda: None,
) -> tuple[FileEntry, ...]:
    """Write the page of every profile."""
    entries = []
    for profile in profiles:
        path = folder / SAMPLES / f"{profile.slug}.html"
        write_text(path, render_sample(profile, lang=lang))
        entries.append(entry_of(folder, path))
        on_sample()
    return tuple(entries)


def write_index(folder: Path, profiles: Iterable[EscapeProfile], *, lang: str) -> FileEntry:
    """Write the cohort's page."""
    write_text(folder / INDEX, render_cohort(profiles, lang=lang))
    return entry_of(folder, folder / INDEX)


def write_statistics(folder: Path, columns: CohortColumns, *, seed: int) -> FileEntry:
    """Write what the labels of the sample sheet say about a cohort's scores."""
    from escape_score.statistics import compute_statistics

    write_text(folder / STATISTICS, compute_statistics(columns, seed=seed).model_dump_json(indent=1) + "\n")
    return entry_of(folder, folder / STATISTICS)


def gather_parts(results: Path, parts: Sequence[Path], *, lang: str) -> int:
    """Write the cohort's statistics, its page and, last of all, the manifest of all parts."""
    read = [read_part(path) for path in parts]
    header = next((part.header for part in read if part.header is not None), None)
    if header is None:
        msg = f"{parts[0]}: no part of the stage profile among the parts; run that stage again"
        raise ResultInvalidError(msg)
    files = [entry for part in read for entry in part.files]
    from escape_score.statistics import CohortColumns

    with gathering(results):
        remove_unlisted_samples(results, files)
        files.append(write_statistics(results, CohortColumns.of(iter_profiles(results)), seed=header.seed))
        files.append(write_index(results, iter_profiles(results), lang=lang))
        write_manifest(results, header, files)
    return 0


def render_results(results: Path, out: Path, *, lang: str) -> int:
    """Render all pages of a finished result again, from its JSON alone.

    Inside the result itself the manifest is renewed; another folder gets pages only.
    """
    with staged_pages(out, is_own=out.resolve() == results.resolve()) as folder:
        pages = write_pages(folder, iter_profiles(results), lang=lang)
        write_index(folder, iter_profiles(results), lang=lang)
    print(f"{len(pages)} pages: {out / INDEX}")
    return 0
