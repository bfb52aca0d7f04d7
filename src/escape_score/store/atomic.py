"""Files appear whole or not at all, and no signal stops a step that must not be cut in two."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from escape_score.errors import OutputUnwritableError

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
"""Signals that ask a program to end."""

LEFTOVER_NAME = re.compile(r"\..+\.tmp-(\d+)")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under another name in its folder, then rename it; on an error nothing stays.

    The folder is made where missing. OutputUnwritableError where it cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8 with newlines as they are."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def remove_leftovers(folder: Path) -> None:
    """Remove the unfinished files of processes that were killed; those of living ones stay."""
    for path in folder.glob(".*.tmp-*"):
        match = LEFTOVER_NAME.fullmatch(path.name)
        if match and not _is_alive(int(match[1])):
            with suppress(OSError):
                path.unlink()


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def sync(path: Path) -> None:
    """Bring a file or folder to the disk: a power cut cannot leave an empty file under a final name then."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritable(path: Path, error: OSError) -> OutputUnwritableError:
    """Say in one line why a file could not be written."""
    # the system's word: libraries hide it in a paragraph of their own
    reason = os.strerror(error.errno) if error.errno else error
    return OutputUnwritableError(f"{path}: cannot be written ({reason}); choose another folder or free space")


@contextmanager
def undisturbed(on_signal: Callable[[int], object] = lambda number: None) -> Iterator[Sequence[int]]:
    """Hold back the signals that ask to end until the block is done, then obey the first of them.

    Signals are held by their handlers, not by the thread's mask: threads of the numerical libraries would
    still take them. Outside the main thread, where Python runs no handler, the block just runs.

    Yields the signals held so far; ``on_signal`` is called with each when it arrives.
    """
    held: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield held
        return

    def hold(received: int, _frame: FrameType | None) -> None:
        held.append(received)
        on_signal(received)

    handlers = {number: signal.getsignal(number) for number in ENDING}
    try:
        for number, handler in handlers.items():
            # ignored ones stay ignored; one that is not Python's could not be put back
            if handler not in (None, signal.SIG_IGN):
                signal.signal(number, hold)
        yield held
    finally:
        for number, handler in handlers.items():
            if handler is not None:
                signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
