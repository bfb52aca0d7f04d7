"""Samples that a stage could not finish: noted one by one, listed in ``qc.tsv`` and in the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from escape_score.errors import EscapeScoreError, UsageError
from escape_score.model.record import slug_of
from escape_score.store.atomic import write_text
from escape_score.store.manifest import FailedSample
from escape_score.store.tables import quoted, safe_cell

QC = "qc.tsv"
TAB = "\t"


@contextmanager
def noting_failure(failed: list[FailedSample], slug: str, folder: Path) -> Iterator[None]:
    """Note that the block failed for one sample, and go on; the note names files as seen from ``folder``.

    A full disk, too little memory or a wrong option is no fault of a sample: these end the stage.
    """
    try:
        yield
    except (UsageError, MemoryError):
        raise
    except Exception as error:
        said = error.lines[0] if isinstance(error, EscapeScoreError) else f"{type(error).__name__}: {error}"
        problem = " ".join(said.replace(f"{folder}/", "").split())
        failed.append(FailedSample(slug=slug, problem=problem))


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
    """Write the failed samples into the last column of ``qc.tsv``, and nobody else.

    Whether the file has changed.
    """
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
