"""HDF5 files that appear whole or not at all, and fail quietly on a full disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO

import h5py

from escape_score.store.atomic import replacing

_SEAL = b"escape_score sha256:"
_SEAL_BYTES = len(_SEAL) + hashlib.sha256().digest_size
_BLOCK_BYTES = 1 << 20


class FaultHoldingFile(FileIO):
    """A file that keeps the first fault of the disk to itself and holds in memory what comes from then on.

    HDF5 cannot close a file that it cannot write: it says so once for every object inside, in tracebacks on
    stderr that nobody can catch. Nor may what it wrote be lost: it reads its own structures back, and crashes
    where they are not what they were.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.fault: OSError | None = None
        self._held: list[tuple[int, bytes]] = []

    def write(self, content: memoryview) -> int:  # type: ignore[override]
        """Write all of it, or hold it and the fault."""
        start, n_written = self.tell(), 0
        try:
            while self.fault is None and n_written < len(content):
                n_written += super().write(content[n_written:])
        except OSError as error:
            self.fault = error
        if self.fault is not None:
            self._held.append((start, bytes(content)))
            super().seek(start + len(content))
        return len(content)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what was written, wherever it is."""
        if self.fault is None:
            return super().readinto(buffer)
        start = self.tell()
        found = bytearray(super().read(len(buffer))).ljust(len(buffer), b"\0")
        for held_start, held in self._held:
            first, last = max(start, held_start), min(start + len(buffer), held_start + len(held))
            if first < last:
                found[first - start : last - start] = held[first - held_start : last - held_start]
        buffer[:] = found
        super().seek(start + len(buffer))
        return len(buffer)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; the end is that of all that was written."""
        position = super().seek(offset, whence)
        if whence != os.SEEK_END or not self._held:
            return position
        return super().seek(max(position, *(start + len(held) for start, held in self._held)))

    def truncate(self, size: int | None = None) -> int:
        """Change the size, or hold the fault."""
        try:
            return super().truncate(size) if self.fault is None else (size or 0)
        except OSError as error:
            self.fault = error
            return size or 0


@dataclass(frozen=True)
class Hdf5Output:
    """An HDF5 file being written."""

    handle: h5py.File
    raw: FaultHoldingFile

    def check_disk(self) -> None:
        """Raise OSError between two large writes if the disk is full, before memory is too."""
        if self.raw.fault is not None:
            raise self.raw.fault


def has_intact_seal(path: Path) -> bool:
    """Whether a file ends with the digest of what is before it.

    HDF5 crashes at files in which some bytes were changed, or reads other numbers from them.
    """
    with path.open("rb") as file:
        size = max(file.seek(0, os.SEEK_END) - _SEAL_BYTES, 0)
        digest = _digest(file, size)
        return file.read() == _SEAL + digest


def _digest(file: IO[bytes] | FileIO, size: int) -> bytes:
    """The sha256 of the first bytes of a file, which is then read from there on."""
    file.seek(0)
    digest, left = hashlib.sha256(), size
    while left and (content := file.read(min(left, _BLOCK_BYTES))):
        digest.update(content)
        left -= len(content)
    return digest.digest()


def column_key(name: str, taken: Container[object]) -> str:
    """Name of a column as HDF5 and AnnData can hold it: without ``/``, and none that is taken or reserved."""
    key = name.replace("/", "_").lstrip("_")
    return f"sheet_{key}" if not key or key in taken else key


@contextmanager
def replacing_hdf5(path: Path, *, has_seal: bool = False) -> Iterator[Hdf5Output]:
    """Write an HDF5 file as :func:`escape_score.store.atomic.replacing` does.

    ``has_seal``: a digest of the file follows behind its end, which HDF5 does not look at.
    """
    with replacing(path) as temporary, FaultHoldingFile(temporary) as raw:
        try:
            with h5py.File(raw, "w") as handle:
                yield Hdf5Output(handle, raw)
            if has_seal:
                size = raw.seek(0, os.SEEK_END)
                seal = _SEAL + _digest(raw, size)
                raw.seek(size)
                raw.write(memoryview(seal))
        finally:
            # whatever else went wrong after a fault of the disk is a consequence
            if raw.fault is not None:
                raise raw.fault
