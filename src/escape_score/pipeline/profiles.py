"""The profiles of a cohort: what they hold, and how they become tables and a result folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from escape_score.config import StatisticsConfig
from escape_score.errors import SampleUnknownError, counted, did_you_mean, listed
from escape_score.model.arguments import require_path, require_type
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Note
from escape_score.model.profiles import INDEX, CohortProfiles
from escape_score.model.record import EscapeProfile, NoteRecord, slug_of
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.pipeline.pages.workers import page_writer
from escape_score.pipeline.pages.writing import noting_failure
from escape_score.pipeline.reports import CohortTally, finish_result
from escape_score.profile import RecordMaker
from escape_score.report.load import natural_order
from escape_score.report.messages import english
from escape_score.report.text.i18n import SOURCE_LANGUAGE, translations
from escape_score.store.columns import COLUMNS, write_columns
from escape_score.store.manifest import (
    SAMPLES,
    FailedSample,
    Part,
    ResultHeader,
    entry_of,
    library_versions,
    write_file,
)
from escape_score.store.result_folder import staged_result
from escape_score.store.scores_anndata import scores_anndata, write_anndata
from escape_score.store.tables import (
    profiles_table,
    qc_table,
    scores_table,
    with_failed,
    write_parquet,
    write_tsv,
)

if TYPE_CHECKING:
    from anndata import AnnData

    from escape_score.pipeline.cells.results import CellResults

N_SHOWN = 10
"""Samples in the table that a notebook shows."""
TABLES = (
    *("profiles.tsv", "profiles.parquet", "scores.tsv", "scores.parquet", "qc.tsv", "scores.h5ad"),
    COLUMNS,
)
CELL_FILES = ("cells.tsv", "cells.parquet", "compartments.tsv", "cell_labels.parquet", "pseudobulk.h5ad")
"""Files that a result of single cells has in addition."""
ALL_CELLS = "cells.h5ad"
"""File of all cells with their counts, if it is wanted."""
SHOWN_COLUMNS = (INDEX, "archetype", "phenotype", "status", "flags")


@dataclass(frozen=True, eq=False)
class Profiles:
    """Profiles of the samples of one cohort, as :func:`escape_score.profile` gives them.

    Attributes
    ----------
    scores
        Scores of all signatures, and of all genes that axes are made of.
    profiles
        Axes, index and calls as columns over samples.
    reference
        What the samples were measured against.
    cells
        What single cells show; None for bulk expression.
    statistics
        Groups and models of the cohort's statistics.

    Examples
    --------
    >>> import escape_score as es
    >>> result = es.profile(es.read("matrix.tsv", units="tpm"))  # doctest: +SKIP
    >>> result["PATIENT-1"].index.score  # doctest: +SKIP
    >>> result.to_frame().query("mhc1_loss_call == 'detected'")  # doctest: +SKIP
    >>> result.write("results/mine")  # doctest: +SKIP
    """

    scores: SignatureScores = field(repr=False)
    profiles: CohortProfiles = field(repr=False)
    maker: RecordMaker = field(repr=False)
    reference: Reference = field(repr=False)
    cells: CellResults | None = field(default=None, repr=False)
    statistics: StatisticsConfig = field(default_factory=StatisticsConfig, repr=False)

    @property
    def cohort(self) -> str:
        """Name of the cohort."""
        return self.scores.facts.name

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in the order of the matrix."""
        return self.scores.sample_ids

    def __len__(self) -> int:
        return len(self.sample_ids)

    def __iter__(self) -> Iterator[EscapeProfile]:
        return (self.record(row) for row in range(len(self)))

    def __getitem__(self, sample_id: str) -> EscapeProfile:
        """The whole profile of one sample, as its JSON holds it.

        Raises SampleUnknownError: the cohort has no such sample; it is a ``KeyError`` too.
        """
        ids = self.sample_ids
        if sample_id not in ids:
            asked, own = did_you_mean(sample_id, ids) or ";", counted(len(ids), "sample")
            msg = f"{self.cohort}: no sample {sample_id!r}{asked} it has {own}: {listed(ids)}"
            raise SampleUnknownError(msg)
        return self.record(ids.index(sample_id))

    def record(self, row: int) -> EscapeProfile:
        """The whole profile of the sample in one row of the tables."""
        profile = self.maker.record(row)
        return profile if self.cells is None else self.cells.added_to(profile)

    def __repr__(self) -> str:
        return f"Profiles({self.cohort!r}: {counted(len(self), 'sample')} against {self.reference.name!r})"

    def to_frame(self) -> pd.DataFrame:
        """The table ``profiles.tsv``.

        One row a sample, sample ids as index; the columns are explained in ``columns.json`` and in the
        documentation. NaN or empty text = not evaluable.
        """
        return self.table().set_index("sample_id")

    def table(self) -> pd.DataFrame:
        """Columns of ``profiles.tsv``."""
        table = profiles_table(self.scores, self.profiles, self.maker.flags, self.reference)
        return table if self.cells is None else table.join(self.cells.columns(self.sample_ids))

    def to_anndata(self) -> AnnData:
        """Scores of all samples for scanpy, as in ``scores.h5ad``.

        Samples × (index, axes, signatures); ``var`` has kind, axis, method, unit and what higher values
        mean; ``obs`` has status, archetype, phenotype, flags and the sample sheet. NaN = not evaluable;
        ``var["highly_variable"]`` marks the variables without one, which scanpy's PCA then uses.
        """
        return scores_anndata(self.scores, self.profiles, self.maker.flags, self.header)

    def write(self, folder: str | Path, *, lang: str = SOURCE_LANGUAGE, reports: bool = True) -> Path:
        """Write a result folder: tables, one JSON and page a sample, the cohort's page, the manifest.

        Parameters
        ----------
        folder
            Made where missing; an earlier result in it is replaced as a whole. A folder that holds other
            files and no result is refused.
        lang
            Language of the pages, ``"en"`` or ``"fr"``.
        reports
            Whether ``samples/`` and ``index.html`` are written.

        Returns
        -------
        pathlib.Path
            The folder. Samples that failed are listed in its ``qc.tsv``.

        Raises
        ------
        OutputUnwritableError
            The folder cannot be written, or holds files of yours that would be replaced.
        UsageError
            There are no pages in this language.
        """
        require_path("folder", folder, "the folder of the result")
        require_type("reports", reports, bool, "True or False")
        translations(lang)
        write_result(self, Path(folder), lang=lang if reports else None)
        return Path(folder)

    @property
    def why_reference(self) -> str:
        """Why the samples are measured against their reference, and what would make more evaluable."""
        choice = self.scores.reference_choice
        return "" if choice is None else in_english(choice.reason, *choice.advice)

    @cached_property
    def header(self) -> ResultHeader:
        """What the profiles were made from and with."""
        facts, made, choice = self.scores.facts, self.maker.provenance, self.scores.reference_choice
        return ResultHeader(
            cohort=facts.name,
            n_samples=len(facts.samples),
            input_sha256=facts.input_sha256,
            matrix_sha256=facts.matrix_sha256,
            reference=self.reference.name,
            reference_sha256=self.reference.sha256,
            reference_choice="" if choice is None else in_english(choice.reason),
            genesets_sha256=made.genesets_sha256,
            parameters={"unit": facts.unit.unit.value, **dict(facts.parameters)},
            labels=_labels(facts.samples),
            seed=made.seed,
            versions=library_versions(),
        )

    def _repr_html_(self) -> str:
        """Number of samples by status, and the first of them."""
        counts = Counter(str(status) for status in self.profiles.status)
        said = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
        shown = self.to_frame().head(N_SHOWN)[list(SHOWN_COLUMNS)]
        more = f"<p>… and {len(self) - N_SHOWN} more samples</p>" if len(self) > N_SHOWN else ""
        title = f"<b>{escape(self.cohort)}</b>: {counted(len(self), 'sample')} ({said})"
        table = shown.to_html(float_format="{:.1f}".format, na_rep="", border=0)
        why = escape(self.why_reference)
        return f"<div><p>{title}, reference {escape(self.reference.name)}</p><p>{why}</p>{table}{more}</div>"


def _labels(samples: Sequence[SampleRecord]) -> tuple[str, ...]:
    """Columns of the sample sheet that are filled for a sample at least."""
    names = (one.name for one in fields(SampleRecord) if one.name != "sample_id")
    return tuple(name for name in names if any(getattr(one, name) not in {"", None, ()} for one in samples))


def in_english(*found: Note | NoteRecord) -> str:
    """Notes as tables and the command line show them."""
    return " ".join(_sentence(one, repr(one)) if isinstance(one, Note) else english(one) for one in found)


@lru_cache(maxsize=8192)
def _sentence(found: Note, _written: str) -> str:
    """A note in English, cached: most notes of a cohort are the same in all samples."""
    return english(NoteRecord.of(found))


def write_result(
    result: Profiles,
    folder: Path,
    *,
    lang: str | None,
    threads: int = 1,
    on_stage: Callable[[str], None] = lambda _: None,
    on_sample: Callable[[], None] = lambda: None,
) -> tuple[FailedSample, ...]:
    """Write a result folder as a whole or not at all; samples without a profile or a page.

    There are no pages where ``lang`` is None. Pages are written by ``threads`` processes. For progress,
    ``on_stage`` is called when the writing and the rendering begin, and ``on_sample`` after each sample.
    """
    if lang is not None:
        translations(lang)  # an unknown language is an error before the work, not after it
    with staged_result(folder) as staging:
        on_stage("write")
        parts, tally = [write_profiles(result, staging, has_samples=False)], None
        if lang is not None:
            on_stage("report")
            tally = CohortTally.begin(lang)
            parts += _write_pages(result, staging, tally, threads=threads, on_sample=on_sample)
        header, labels = result.header, result.statistics
        return finish_result(staging, header, parts, lang=lang, statistics=labels, tally=tally)


def _write_pages(
    result: Profiles, folder: Path, tally: CohortTally, *, threads: int, on_sample: Callable[[], None]
) -> tuple[Part, Part]:
    """Write JSON and page of all samples, in the order of the cohort's page."""
    ids = result.sample_ids
    rows = sorted(range(len(ids)), key=lambda row: natural_order(_path_of(ids[row], folder)))
    with page_writer(
        folder, tally.page.lang, n_pages=len(ids), threads=threads, on_sample=on_sample
    ) as writer:

        def add(path: Path, profile: EscapeProfile) -> None:
            tally.add(profile)
            writer.submit(path)

        return _write_samples(result, folder, rows, add), writer.finish()


def _write_samples(
    result: Profiles,
    folder: Path,
    rows: Iterable[int],
    then: Callable[[Path, EscapeProfile], None] = lambda path, profile: None,
) -> Part:
    """Write one JSON a sample, and ``then`` do more with it; one that fails does not take others along."""
    entries, failed = [], list[FailedSample]()
    for row in rows:
        path, profile = _path_of(result.sample_ids[row], folder), None
        with noting_failure(failed, path.stem, folder):
            profile = result.record(row)
            entries.append(write_file(folder, path, profile.model_dump_json(indent=1) + "\n"))
        if profile is not None:
            then(path, profile)
    return Part(files=tuple(entries), failed=tuple(failed))


def _path_of(sample_id: str, folder: Path) -> Path:
    return folder / SAMPLES / f"{slug_of(sample_id)}.json"


def files_of(result: Profiles) -> set[Path]:
    """All files that the result can have, relative to its folder, but for the last three of ``gather``."""
    samples = (
        Path(SAMPLES, f"{slug_of(sample_id)}{end}")
        for sample_id in result.sample_ids
        for end in (".json", ".html")
    )
    return {*map(Path, tables_of(result)), *samples}


def tables_of(result: Profiles) -> tuple[str, ...]:
    """Files of the result that are not of one sample, but for those of its pages."""
    if result.cells is None:
        return TABLES
    return (*TABLES, *CELL_FILES, *(() if result.cells.counts is None else (ALL_CELLS,)))


def _write_table(folder: Path, name: str, table: pd.DataFrame) -> list[object]:
    """Write a table for eyes and for programs; its columns, so that of large tables one is held at a time."""
    write_tsv(folder / f"{name}.tsv", table)
    write_parquet(folder / f"{name}.parquet", table)
    return list(table)


def _write_qc(folder: Path, result: Profiles) -> list[object]:
    """Write what is known of each sample's input; the columns."""
    flags, lost = result.maker.flags, () if result.cells is None else result.cells.failed
    qc = qc_table(result.scores, result.profiles, flags, result.reference, in_words=in_english)
    write_tsv(folder / "qc.tsv", with_failed(qc, [one.sample_id for one in lost]))
    return list(qc)


def _write_scores(folder: Path, scored: AnnData) -> dict[str, list[object]]:
    """Write the scores for scanpy; the columns of their tables."""
    write_anndata(folder / "scores.h5ad", scored)
    return {"scores.h5ad: obs": list(scored.obs), "scores.h5ad: var": list(scored.var)}


def write_profiles(result: Profiles, folder: Path, *, has_samples: bool = True) -> Part:
    """Write tables, scores and, where wanted, one JSON a sample; the files, in the order of the samples."""
    cells = result.cells
    samples = _write_samples(result, folder, range(len(result)) if has_samples else ())
    written: dict[str, Iterable[object]] = {
        "profiles": _write_table(folder, "profiles", result.table()),
        "scores": _write_table(folder, "scores", scores_table(result.scores)),
        "qc": _write_qc(folder, result),
        **_write_scores(folder, result.to_anndata()),
    }
    if cells is not None:
        from escape_score.pipeline.cells.files import write_cell_files

        written |= write_cell_files(folder, cells)
    write_columns(folder, written)
    lost = () if cells is None else cells.failed
    return Part(
        header=result.header,
        files=(*samples.files, *(entry_of(folder, folder / name) for name in tables_of(result))),
        failed=(*samples.failed, *lost),
        sample_ids=(*result.sample_ids, *(one.sample_id for one in lost)),
    )
