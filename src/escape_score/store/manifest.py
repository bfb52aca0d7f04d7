"""Manifests: which files a result has, with their digests. Readers of results trust nothing else."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from escape_score import __version__
from escape_score.errors import FileMissingError, ResultInvalidError
from escape_score.store.atomic import sync, write_bytes, write_text

MANIFEST = "manifest.json"
SAMPLES = "samples"
RECORDED_VERSIONS = (
    *("numpy", "scipy", "numba", "pandas", "anndata", "h5py", "pyarrow", "pydantic", "jinja2"),
    *("gseapy", "lifelines", "statsmodels", "formulaic", "scikit-learn", "scanpy"),
)
"""Libraries that compute or write a number of a result."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Strict):
    """One file of a result: path relative to its folder, digest, size in bytes."""

    path: str
    sha256: str
    size: int


class FailedSample(_Strict):
    """A sample that a stage could not finish, and why, in one line; a job knows its slug only."""

    slug: str
    problem: str
    sample_id: str = ""


class ResultHeader(_Strict):
    """What a result was made from and with; no time, host, path or number of cores.

    ``reference_choice`` says in English why the reference was taken. ``labels`` are the columns of the sample
    sheet that are filled for a sample at least.
    """

    cohort: str
    n_samples: int
    input_sha256: str | None
    matrix_sha256: str | None = None
    package_version: str = __version__
    reference: str
    reference_sha256: str
    reference_choice: str = ""
    genesets_sha256: str
    parameters: dict[str, str]
    labels: tuple[str, ...] = ()
    seed: int
    versions: dict[str, str]


class ComparisonHeader(_Strict):
    """What a comparison of cohorts was made from: names and digests of their statistics, in their order."""

    title: str
    cohorts: tuple[str, ...]
    n_samples: int
    statistics_sha256: tuple[str, ...]
    package_version: str = __version__
    versions: dict[str, str]


class Part(_Strict):
    """What one job wrote. ``header`` and ``sample_ids`` are there for the profile stage only."""

    header: ResultHeader | None = None
    files: tuple[FileEntry, ...]
    failed: tuple[FailedSample, ...] = ()
    sample_ids: tuple[str, ...] = ()


class Manifest(_Strict):
    """All files of a finished result."""

    manifest_version: str = "1.0"
    header: ResultHeader | ComparisonHeader
    files: tuple[FileEntry, ...]
    failed: tuple[FailedSample, ...] = ()


def library_versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    versions = {name: importlib.metadata.version(name) for name in RECORDED_VERSIONS}
    return {"python": platform.python_version()} | versions


def entry_of(folder: Path, path: Path) -> FileEntry:
    """Digest one file of a result."""
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return FileEntry(path=path.relative_to(folder).as_posix(), sha256=digest, size=path.stat().st_size)


def write_file(folder: Path, path: Path, text: str) -> FileEntry:
    """Write one text file of a result; its digest is that of what is written, which is not read again."""
    content = text.encode("utf-8")
    write_bytes(path, content)
    digest = hashlib.sha256(content).hexdigest()
    return FileEntry(path=path.relative_to(folder).as_posix(), sha256=digest, size=len(content))


def write_part(path: Path, part: Part) -> None:
    """Write what one job wrote, last of all its files."""
    write_text(path, part.model_dump_json(indent=1) + "\n")


def read_part(path: Path) -> Part:
    """Read what one job wrote; FileMissingError or ResultInvalidError where it is missing or damaged."""
    try:
        return Part.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileMissingError.named(path, "list of the files of a stage not found (no such file)") from error
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        msg = f"{path}: not a list of files this program wrote; run the stage before again"
        raise ResultInvalidError(msg) from error


def write_manifest(
    folder: Path,
    header: ResultHeader | ComparisonHeader,
    files: Iterable[FileEntry],
    failed: Iterable[FailedSample] = (),
) -> None:
    """Declare a result finished: the last write of every run."""
    sync_names(folder)
    ordered = tuple(sorted(files, key=lambda entry: entry.path))
    manifest = Manifest(header=header, files=ordered, failed=tuple(failed))
    write_text(folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    sync(folder / MANIFEST)


def sync_names(folder: Path) -> None:
    """Bring the names of all files of a result to the disk."""
    for part in (folder / SAMPLES, folder):
        if part.is_dir():
            sync(part)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a result; ResultInvalidError where there is none, or it is damaged."""
    path = folder / MANIFEST
    try:
        is_there = path.is_file()
    except OSError as error:
        raise ResultInvalidError.at(folder, f"cannot be read ({error.strerror}); check the path") from error
    if not is_there:
        msg = f"{folder}: no {MANIFEST}: not a finished result; run again into a new folder"
        raise ResultInvalidError(msg)
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        msg = f"{path}: damaged; run again into a new folder"
        raise ResultInvalidError(msg) from error


def read_result_header(folder: Path) -> ResultHeader:
    """Read what a result of one cohort was made from; ResultInvalidError where there is no such result."""
    header = read_manifest(folder).header
    if isinstance(header, ComparisonHeader):
        msg = "is a comparison of cohorts, not the result of one; give the --out folder of a run"
        raise ResultInvalidError.at(folder, msg)
    return header


def lost_since(before: Manifest | None, now: Manifest | None) -> tuple[str, ...]:
    """Name what a result had, and the result that replaced it does not."""
    if before is None or now is None or (headers := _headers(before, now)) is None:
        return ()
    old, new = headers
    labels = sorted({*old.labels} - {*new.labels})
    methods = sorted({*_methods(old)} - {*_methods(new)})
    has_pages = [any(entry.path == "index.html" for entry in one.files) for one in (before, now)]
    lost = {
        f"labels of the sample sheet ({', '.join(labels)})": bool(labels),
        f"methods ({', '.join(methods)})": bool(methods),
        "pages": has_pages == [True, False],
    }
    return tuple(what for what, is_lost in lost.items() if is_lost)


def exchanged_since(before: Manifest | None, now: Manifest | None) -> tuple[str, ...]:
    """Name what a result was made with, where the result that replaced it was made with something else."""
    if before is None or now is None or (headers := _headers(before, now)) is None:
        return ()
    old, new = headers
    reference = (
        f"the reference {old.reference}"
        if old.reference != new.reference
        else "another state of the reference"
    )
    exchanged = {
        "other gene sets": old.genesets_sha256 != new.genesets_sha256,
        reference: old.reference_sha256 != new.reference_sha256,
    }
    return tuple(what for what, is_other in exchanged.items() if is_other)


def _headers(before: Manifest, now: Manifest) -> tuple[ResultHeader, ResultHeader] | None:
    """Headers of two results; None where one of them is a comparison of cohorts."""
    old, new = before.header, now.header
    if isinstance(old, ComparisonHeader) or isinstance(new, ComparisonHeader):
        return None
    return old, new


def _methods(header: ResultHeader) -> list[str]:
    return [name for name in header.parameters.get("methods", "").split(",") if name]


def earlier_manifest(folder: Path) -> Manifest | None:
    """The manifest of the result in a folder; None where there is none that can be read."""
    try:
        return read_manifest(folder)
    except ResultInvalidError:
        return None


def verify(folder: Path) -> tuple[str, ...]:
    """Compare a result folder with its manifest.

    Returns
    -------
    tuple of str
        One line for every file that is missing, changed or not listed; empty when all agrees.

    Raises
    ------
    ResultInvalidError
        There is no manifest, or it is damaged.
    """
    manifest = read_manifest(folder)
    faults = [fault for entry in manifest.files if (fault := _fault(folder, entry))]
    listed = {entry.path for entry in manifest.files}
    extra = sorted(p.name for p in (folder / SAMPLES).glob("[!.]*") if f"{SAMPLES}/{p.name}" not in listed)
    faults += [f"{folder / SAMPLES / name}: not in the manifest; move it away" for name in extra]
    return tuple(faults)


def _fault(folder: Path, entry: FileEntry) -> str | None:
    path = folder / entry.path
    if not path.is_file():
        return f"{path}: listed in the manifest but missing; run again"
    try:
        is_same = path.stat().st_size == entry.size and entry_of(folder, path).sha256 == entry.sha256
    except OSError as error:
        return f"{path}: cannot be read ({error.strerror}); check its permissions"
    return None if is_same else f"{path}: differs from the manifest; run again"
