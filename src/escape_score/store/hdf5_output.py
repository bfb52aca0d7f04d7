"""HDF5 files that appear whole or not at all, and fail quietly on a full disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import h5py

from escape_score.store.atomic import replacing


class FaultHoldingFile(FileIO):
    """A file that keeps the first fault of the disk to itself and takes, from then on, all that it is given.

    HDF5 cannot close a file that it cannot write: it says so once for every object inside, in tracebacks on
    stderr that nobody can catch, whenever Python throws one of them away.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.fault: OSError | None = None

    def write(self, content: memoryview) -> int:  # type: ignore[override]
        """Write all of it, or hold the fault."""
        n_written = 0
        try:
            while self.fault is None and n_written < len(content):
                n_written += super().write(content[n_written:])
        except OSError as error:
            self.fault = error
        return len(content)

    def truncate(self, size: int | None = None) -> int:
        """Change the size, or hold the fault."""
        try:
            return super().truncate(size) if self.fault is None else (size or 0)
        except OSError as error:
            self.fault = error
            return size or 0


@contextmanager
def replacing_hdf5(path: Path) -> Iterator[h5py.File]:
    """Write an HDF5 file under another name in its folder, then rename it; on an error nothing stays.

    Parameters
    ----------
    path
        Final name; its folder is made where missing.

    Yields
    ------
    h5py.File
        Open for writing.

    Raises
    ------
    OutputUnwritableError
        The folder cannot be written, or the disk is full.
    """
    with replacing(path) as temporary, FaultHoldingFile(temporary) as raw:
        try:
            with h5py.File(raw, "w") as handle:
                yield handle
        finally:
            # whatever HDF5 says of what it then finds in the file is a consequence
            if raw.fault is not None:
                raise raw.fault
