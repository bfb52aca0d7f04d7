"""Whose files a folder holds: what is of a result is replaced, and a file of the user is never touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from os.path import realpath  # a loop of links is not an error here
from pathlib import Path

from escape_score.errors import OutputUnwritableError, ResultInvalidError, listed
from escape_score.store.atomic import unwritable
from escape_score.store.folder_lock import LOCK, declared_files, has_foreign_lock
from escape_score.store.manifest import MANIFEST, SAMPLES, read_manifest

MAX_SHOWN = 3
"""Names of foreign files in a message."""
HEAD_BYTES = 2048
"""How far into a page its generator is looked for: it is in the first lines."""
GENERATOR = b'<meta name="generator" content="escape-score">'
"""In the head of every page."""
COMPARISON = "comparison.json"
"""Only a comparison of cohorts has it."""
PROFILES = "profiles.tsv"
_PROFILES_START = b"sample_id\tcohort\timmunoresistance_index\t"
_MANIFEST_KEY = b'"manifest_version"'
"""Other programs have files of these names too."""
SUMMARY = ".summary"
"""What the name of a printed summary has after that of the page of its sample."""


def holds_result(folder: Path) -> bool:
    """Whether a folder holds a result of this program: finished or not, of this version or an earlier one."""
    is_profiled = _begins(folder / PROFILES).startswith(_PROFILES_START)
    return is_profiled or _MANIFEST_KEY in _begins(folder / MANIFEST)


def _begins(path: Path) -> bytes:
    """First bytes of a file; none where there is none that can be read."""
    try:
        with path.open("rb") as handle:
            return handle.read(HEAD_BYTES) if path.is_file() else b""
    except OSError:
        return b""


def own_files(folder: Path, known: Iterable[Path] = ()) -> set[Path]:
    """Find the files of a result, finished or not, in the folder it is to be written to.

    They are those that its manifest lists, those that an unfinished result declared in its lock file before
    it touched them, and those in ``known``, which a job of the workflow knows from the jobs before it.

    Returns
    -------
    set of pathlib.Path
        Relative to the folder, whether they are there or not; empty where the folder is absent or empty.

    Raises
    ------
    OutputUnwritableError
        The folder holds files, and is no result, or is not a folder.
    """
    known = set(known)
    manifest_files = _listed(folder)
    ours = inside({*(manifest_files or ()), *declared_files(folder), *known})
    if Path(COMPARISON) in ours:
        msg = "cannot be written, it holds a comparison of cohorts; choose a new or an empty folder"
        raise OutputUnwritableError.at(folder, msg)
    return _checked(folder, ours, has_manifest=manifest_files is not None)


def comparison_files(folder: Path) -> set[Path]:
    """Find the files of a comparison of cohorts, finished or not, in the folder it is to be written to.

    Relative to the folder. Raises OutputUnwritableError: the folder holds the result of a run, finished or
    not, or other files.
    """
    manifest_files = _listed(folder)
    ours = inside({*(manifest_files or ()), *declared_files(folder)})
    if ours and Path(COMPARISON) not in ours:
        msg = "cannot be written, it holds the result of a run; choose a new or an empty folder"
        raise OutputUnwritableError.at(folder, msg)
    return _checked(folder, ours, has_manifest=manifest_files is not None)


def _checked(folder: Path, ours: set[Path], *, has_manifest: bool) -> set[Path]:
    """Those files, where the folder is one of this program, or holds nothing."""
    if has_foreign_lock(folder):
        msg = "is not of this program; move it away or choose another folder"
        raise OutputUnwritableError.at(folder / LOCK, msg)
    if not has_manifest and not ours:
        require_only(folder, lambda _: False, what="are not of a result")
    return ours


def require_only(folder: Path, is_ours: Callable[[Path], bool], *, what: str) -> None:
    """Refuse a folder that holds a file which is not ours; hidden files of others can stay.

    ``is_ours`` gets paths relative to the folder; files in the folder of samples are looked at one by one.
    """
    try:
        foreign = [path for path in _entries(folder) if not is_ours(path)]
    except OSError as error:
        raise unwritable(folder, error) from error
    if foreign:
        names = listed([path.as_posix() for path in foreign], limit=MAX_SHOWN)
        msg = f"cannot be written, it holds files that {what} ({names}); choose a new or an empty folder"
        raise OutputUnwritableError.at(folder, msg)


def require_free(folder: Path, new: Iterable[Path], ours: set[Path]) -> None:
    """Refuse, before anything is touched, to replace a file of the user, or to follow a link of theirs."""
    new = set(new)
    for parent in sorted({path.parent for path in new | ours} - {Path()}):
        place, is_needed = folder / parent, any(path.parent == parent for path in new)
        if place.is_symlink() or (is_needed and place.exists() and not place.is_dir()):
            what = "a link" if place.is_symlink() else "a file"
            msg = f"cannot be written, it is {what} and no folder; move it away or choose another folder"
            raise OutputUnwritableError.at(place, msg)
    for path in sorted(new):
        place = folder / path
        if place.is_symlink() or place.is_dir() or (path not in ours and place.exists()):
            msg = (
                "cannot be written, what is there is not of the result; move it away or choose another folder"
            )
            raise OutputUnwritableError.at(place, msg)


def require_result_folder(folder: Path, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse a folder that no result may be written to, before the work; nothing is touched.

    Raises
    ------
    OutputUnwritableError
        It holds files of the user and is no result, or one of the inputs is a file of the result there.
    """
    ours = {realpath(folder / path) for path in own_files(folder)}
    for path in inputs:
        if path is not None and realpath(path) in ours:
            msg = f"is a file of the result in {folder}, which would be replaced; choose another folder"
            raise OutputUnwritableError.at(path, msg)


def is_page(path: Path) -> bool:
    """Whether a file is a page that this program rendered, or was printed from the page next to it."""
    if path.suffix == ".pdf":
        return is_page(path.with_name(path.name.removesuffix(".pdf").removesuffix(SUMMARY) + ".html"))
    if path.suffix != ".html" or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as handle:
        return GENERATOR in handle.read(HEAD_BYTES)


def inside(relative: Iterable[Path]) -> set[Path]:
    """Those paths that are inside their folder: a list that was tampered with names no others."""
    return {path for path in relative if not path.is_absolute() and ".." not in path.parts}


def _listed(folder: Path) -> set[Path] | None:
    """Files of the finished result in a folder, its manifest among them; None where there is no result."""
    with suppress(ResultInvalidError):
        return {Path(MANIFEST), *(Path(entry.path) for entry in read_manifest(folder).files)}
    return None


def _entries(folder: Path) -> list[Path]:
    """What a folder holds, relative to it: files of samples one by one, hidden files left out."""
    if not folder.is_dir():
        if folder.exists():
            raise OutputUnwritableError.at(
                folder, "cannot be written, it is not a folder; choose another folder"
            )
        return []
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    samples = folder / SAMPLES
    if SAMPLES in names and samples.is_dir() and not samples.is_symlink():
        names.remove(SAMPLES)
        names += sorted(f"{SAMPLES}/{p.name}" for p in samples.iterdir() if not p.name.startswith("."))
    return [Path(name) for name in names]
