"""One writer a folder: a lock that the kernel takes back from a process that dies."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from escape_score.errors import OutputUnwritableError
from escape_score.store.atomic import sync, unwritable
from escape_score.store.manifest import MANIFEST

LOCK = ".lock"
FIRST_LINE = f"{MANIFEST}\n"
"""Begins every list in a lock file, so that the lock file of another program is not taken for ours."""
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP})
"""What file systems answer that have no locks, such as Lustre mounted without ``flock``."""
TAKEN = frozenset({errno.EAGAIN, errno.EACCES})
"""What they answer where another process has the lock."""
PATIENCE_S = 0.2
"""Time in which a run that has just ended removes its lock."""
PAUSE_S = 0.02


@dataclass
class FolderLock:
    """The right to write into a folder, and the list of files that are being replaced in it.

    The list is the content of the lock file and outlives a killed process. The next run knows from it which
    files are ours even though the manifest is gone.

    Attributes
    ----------
    descriptor
        Of the locked file; None on a file system without locks.
    path
        The lock file.
    has_unsettled
        Whether it lists files that are not all in place.
    """

    descriptor: int | None
    path: Path
    has_unsettled: bool

    @classmethod
    def acquire(cls, folder: Path, *, patience_s: float = PATIENCE_S) -> Self:
        """Take the lock of a folder, which is made where missing; OutputUnwritableError where it is taken."""
        folder.mkdir(parents=True, exist_ok=True)
        path, deadline, descriptor = folder / LOCK, time.monotonic() + patience_s, None
        try:
            while (descriptor := _lock(path)) is None:
                if time.monotonic() > deadline:
                    remedy = "wait for it or choose another folder"
                    msg = f"{folder}: cannot be written, another run is writing there; {remedy}"
                    raise OutputUnwritableError(msg)
                time.sleep(PAUSE_S)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        return cls(descriptor, path, has_unsettled=path.stat().st_size > 0)

    @property
    def is_exclusive(self) -> bool:
        """False on a file system without locks: other runs may be at work too.

        A mixture that two of them leave has no manifest, or contradicts it.
        """
        return self.descriptor is not None

    def declare(self, relative: Iterable[Path]) -> None:
        """Note which files are about to be replaced, before the first one is."""
        with self.path.open("a", encoding="utf-8") as handle:
            handle.writelines([FIRST_LINE, *(f"{path.as_posix()}\n" for path in sorted(relative))])
        sync(self.path)
        self.has_unsettled = True

    def settle(self) -> None:
        """All files are in place."""
        self.has_unsettled = False

    def release(self) -> None:
        """Release the folder; the lock file goes unless it still lists files."""
        if not self.has_unsettled:
            with suppress(OSError):
                self.path.unlink()
        if self.descriptor is not None:
            os.close(self.descriptor)


def _lock(path: Path) -> int | None:
    """Lock a file, which is made where missing; its descriptor, None where another process has the lock.

    The lock counts only if the file is still at its path. The run that had it may have removed the file since
    it was opened, and a third run may have made another. NFS keeps a file that is open under another name, so
    its number of links does not show that.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in TAKEN:
            os.close(descriptor)
            raise
    os.close(descriptor)
    return None


def declared_files(folder: Path) -> set[Path]:
    """Files, relative to the folder, that an unfinished result declared before it touched them."""
    whole_lines = _list(folder).rpartition("\n")[0]
    return {Path(line) for line in whole_lines.splitlines() if line}


def has_foreign_lock(folder: Path) -> bool:
    """Whether the file of our lock's name holds something that we did not write there."""
    text = _list(folder)
    return not (text.startswith(FIRST_LINE) or FIRST_LINE.startswith(text))


def _list(folder: Path) -> str:
    try:
        return (folder / LOCK).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise unwritable(folder, error) from error


@contextmanager
def only_writer(folder: Path, *, patience_s: float = PATIENCE_S) -> Iterator[FolderLock]:
    """Write into a folder while no other run does; OutputUnwritableError where one does."""
    try:
        lock = FolderLock.acquire(folder, patience_s=patience_s)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield lock
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        lock.release()
