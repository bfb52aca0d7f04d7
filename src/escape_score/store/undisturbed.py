"""Steps that a signal must not cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
"""Signals that ask a program to end."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back the signals that ask to end until the block is done, then obey the first of them.

    Signals are held by their handlers, not by the thread's mask: threads of the numerical libraries would
    still take them. Outside the main thread, where Python runs no handler, the block just runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in ENDING}
    held: list[int] = []
    try:
        for number, handler in handlers.items():
            # ignored ones stay ignored; one that is not Python's could not be put back
            if handler not in (None, signal.SIG_IGN):
                signal.signal(number, lambda received, _frame: held.append(received))
        yield
    finally:
        for number, handler in handlers.items():
            if handler is not None:
                signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])
