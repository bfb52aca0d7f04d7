"""One writer a folder: a lock that the kernel takes back from a process that dies."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from escape_score.errors import OutputUnwritableError
from escape_score.store.atomic import unwritable

LOCK = ".lock"
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP})
"""What file systems answer that have no locks, such as Lustre mounted without ``flock``."""


@dataclass
class FolderLock:
    """The right to write into a folder, and the list of files that are being replaced in it.

    The list stands in the lock file and outlives a killed process, so that the next run knows which files are
    ours even though the manifest is gone.

    Attributes
    ----------
    is_exclusive
        False on a file system without locks: others may be at work too. A mixture that two of them leave
        has no manifest, or contradicts it.
    """

    path: Path
    descriptor: int = field(repr=False)
    is_exclusive: bool
    has_unsettled: bool = False

    @classmethod
    def acquire(cls, folder: Path) -> Self:
        """Take the lock of a folder, which is made where missing.

        Raises
        ------
        OutputUnwritableError
            Another run is writing there.
        OSError
            The folder cannot be written.
        """
        path = folder / LOCK
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
            try:
                is_exclusive = _lock(descriptor, folder)
                # its last holder may have removed the file between both calls
                if _is_still_at(path, descriptor):
                    return cls(path, descriptor, is_exclusive, has_unsettled=os.fstat(descriptor).st_size > 0)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def unsettled(self) -> set[Path]:
        """Files, relative to the folder, that a run was replacing when it was killed."""
        content = os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0)
        whole_lines = content.decode("utf-8", errors="replace").rpartition("\n")[0]
        return {Path(line) for line in whole_lines.splitlines() if line}

    def declare(self, relative: Iterable[Path]) -> None:
        """Note which files are about to be replaced, before the first one is."""
        lines = "".join(f"{path.as_posix()}\n" for path in sorted(relative))
        with os.fdopen(self.descriptor, "ab", closefd=False) as handle:
            handle.write(lines.encode())
        os.fsync(self.descriptor)
        self.has_unsettled = True

    def settle(self) -> None:
        """All files are in place."""
        self.has_unsettled = False

    def release(self) -> None:
        """Give the folder free; the lock file goes unless it still lists files."""
        if not self.has_unsettled:
            with suppress(OSError):
                self.path.unlink()
        os.close(self.descriptor)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Write into a folder while no other run does.

    Raises
    ------
    OutputUnwritableError
        Another run is writing there, or the folder cannot be written.
    """
    try:
        lock = FolderLock.acquire(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield
        lock.settle()
    finally:
        lock.release()


def _lock(descriptor: int, folder: Path) -> bool:
    """Lock an open file; False where the file system cannot."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        msg = (
            f"{folder}: cannot be written, another run is writing there; wait for it or choose another folder"
        )
        raise OutputUnwritableError(msg) from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True


def _is_still_at(path: Path, descriptor: int) -> bool:
    """Whether an open file has kept its name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
