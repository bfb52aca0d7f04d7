"""References fitted on public matrices of one tumour type, which are fetched for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from escape_score.errors import DownloadFailedError, InputError, ReferenceInvalidError, UsageError
from escape_score.fit import with_rows
from escape_score.harmonise import harmonise
from escape_score.model.reference import Reference
from escape_score.pipeline.public_matrix import SampleChoice, check_content, check_start, choose_samples
from escape_score.pipeline.references import fit_joined, require_name
from escape_score.read import read_cohort
from escape_score.read.formats.reader import digest_of
from escape_score.reference.known import Origin, data_folder, find_reference, kept_folder
from escape_score.reference.read import load_reference
from escape_score.reference.sources import PublicMatrix, find_public_matrix
from escape_score.reference.write import write_reference
from escape_score.store.atomic import write_text
from escape_score.store.download import BY_HAND, discard, download
from escape_score.store.folder_lock import only_writer

FETCHING, FITTING = "fetch", "fit"
LEFT_OUT = "samples left out"
"""Key of the provenance that counts them by reason."""

BY_USER = "a file given by the user"
OnProgress = Callable[[str, int, int | None], object]
"""Called with ``fetch`` or ``fit``, the bytes that are done, and all bytes where they are known."""


@dataclass(frozen=True)
class SourceRecord:
    """The file that a reference was fitted on, as it is kept next to the reference.

    ``url`` and ``etag`` are empty where the user gave the file.
    """

    url: str
    sha256: str
    size: int
    etag: str


@dataclass(frozen=True)
class _FetchedFile:
    """A matrix on the disk; ``url`` and ``etag`` are empty where the user gave it."""

    path: Path
    url: str = ""
    etag: str = ""

    @property
    def label(self) -> str:
        return self.url or str(self.path)


def fetch_reference(
    tumour_type: str,
    *,
    source_file: str | Path | None = None,
    refit: bool = False,
    accept_change: bool = False,
    on_progress: OnProgress | None = None,
) -> Reference:
    """Fetch the public matrix of a tumour type, and keep a reference that is fitted on its tumours.

    Parameters
    ----------
    tumour_type
        Type, such as ``"SKCM"``, or another name of it: ``"melanoma"``.
    source_file
        The matrix as it was fetched by other means; it is only read. Where None it is fetched.
    refit
        Whether to fit a reference that is already there again.
    accept_change
        Whether the file may differ from the one of an earlier fetch.
    on_progress
        Called while the matrix is fetched and when the fit begins.

    Returns
    -------
    Reference
        The one that is already there and can be read, or a new one. Its name finds it from now on.

    Raises
    ------
    UsageError
        The type is not known or names several, or the name of the reference is taken.
    DownloadFailedError
        The matrix cannot be fetched, is not what it should be, or changed since an earlier fetch.
    InputError
        The table of the user or ``source_file`` is not usable.
    OutputUnwritableError
        The data folder cannot be written, or another process fetches the same matrix.
    """
    matrix = find_public_matrix(tumour_type)
    if not refit and (kept := kept_reference(matrix)) is not None:
        return kept
    folder = data_folder() / "downloads" / matrix.name
    with only_writer(folder):
        # another process may have kept it meanwhile
        if not refit and (kept := kept_reference(matrix)) is not None:
            return kept
        report = on_progress or (lambda step, done, total: None)
        file = _fetched(matrix, folder, report) if source_file is None else _FetchedFile(Path(source_file))
        report(FITTING, 0, None)
        fitted = _kept(matrix, file, folder, accept_change=accept_change)
        if file.url or folder.resolve() not in file.path.resolve().parents:
            discard(folder)
        return fitted


def kept_reference(matrix: PublicMatrix) -> Reference | None:
    """The reference of a matrix; None where it is not there or cannot be read.

    Raises UsageError: another reference has its name.
    """
    require_name(matrix.name, is_kept=False)
    known = find_reference(matrix.name)
    if known is None:
        return None
    if known.origin is not Origin.FETCHED:
        msg = f"a reference that you fitted has this name; run: reference remove {matrix.name}"
        raise UsageError.at(matrix.name, msg)
    try:
        return load_reference(str(known.folder))
    except ReferenceInvalidError:
        return None


def read_record(name: str) -> SourceRecord | None:
    """The record of an earlier fetch; None where nothing was fetched.

    Raises ReferenceInvalidError: the record is damaged.
    """
    path = _record_path(name)
    try:
        return TypeAdapter(SourceRecord).validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        msg = "the record of an earlier fetch cannot be read; remove this file and fetch again"
        raise ReferenceInvalidError.at(path, msg) from error


def _record_path(name: str) -> Path:
    return kept_folder(f"{name}.source.json", Origin.FETCHED)


def _fetched(matrix: PublicMatrix, folder: Path, report: OnProgress) -> _FetchedFile:
    fetched = download(
        matrix.urls,
        folder,
        max_bytes=matrix.max_bytes,
        on_bytes=lambda done, total: report(FETCHING, done, total),
    )
    return _FetchedFile(fetched.path, fetched.url, fetched.etag)


def _kept(matrix: PublicMatrix, file: _FetchedFile, folder: Path, *, accept_change: bool) -> Reference:
    """Check a file, fit on it, and keep the reference with the record of the file."""
    with _discarding(matrix, file, folder):
        check_start(file.path, matrix)
    sha256 = digest_of([file.path])
    if not accept_change:
        _require_same(matrix, file, sha256)
    with _discarding(matrix, file, folder):
        fitted = _fitted(matrix, file)
    write_reference(kept_folder(matrix.name, Origin.FETCHED), fitted)
    record = SourceRecord(file.url, sha256, file.path.stat().st_size, file.etag)
    write_text(_record_path(matrix.name), json.dumps(asdict(record), indent=2) + "\n")
    return fitted


@contextmanager
def _discarding(matrix: PublicMatrix, file: _FetchedFile, folder: Path) -> Iterator[None]:
    """Discard a fetched file that turns out to be wrong; errors of a file of the user pass."""
    try:
        yield
    except InputError as error:
        if not file.url:
            raise
        discard(folder)
        problem = error.lines[0].removeprefix(f"{file.path}: ").partition("; ")[0]
        named = problem if matrix.project in problem else f"not the matrix of {matrix.project}: {problem}"
        msg = f"{named}; nothing was kept, try again later, or {BY_HAND}"
        raise DownloadFailedError.at(file.url, msg) from error


def _require_same(matrix: PublicMatrix, file: _FetchedFile, sha256: str) -> None:
    """Refuse a file that is not the one of the table or of an earlier fetch; DownloadFailedError."""
    record = read_record(matrix.name)
    expected = {
        "is not the file that the table of sources names": matrix.sha256,
        "changed since the earlier fetch": record.sha256 if record else "",
    }
    for what, digest in expected.items():
        if digest not in {"", sha256}:
            msg = f"{what} (sha256 {sha256[:16]}…, expected {digest[:16]}…); accept it with --accept-change"
            raise DownloadFailedError.at(file.label, msg)


def _fitted(matrix: PublicMatrix, file: _FetchedFile) -> Reference:
    """Fit on the tumours of a matrix."""
    cohort = read_cohort(file.path, units=matrix.unit, cohort=matrix.project)
    check_content(file.path, matrix, cohort)
    choice = choose_samples(cohort.source.sample_ids, matrix.sample_codes)
    return fit_joined(
        [with_rows(harmonise(cohort), choice.rows)],
        name=matrix.name,
        samples=f"tumours of {matrix.project}",
        tumour_type=matrix.tumour_type,
        assay=matrix.assay or None,
        notes=_notes(matrix, file, choice),
        is_one_pipeline=True,
    )


def _notes(matrix: PublicMatrix, file: _FetchedFile, choice: SampleChoice) -> dict[str, str]:
    """What the reference was made from: no path, time or host."""
    notes = {
        "address": file.url or BY_USER,
        "project": matrix.project,
        "sample types": " ".join(matrix.sample_codes),
        LEFT_OUT: choice.left_out_in_words,
        "to cite": matrix.citation,
    }
    return {key: value for key, value in notes.items() if value}
