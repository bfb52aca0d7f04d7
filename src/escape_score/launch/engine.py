"""Run Snakemake so that an interrupt always stops it: ``python -m escape_score.launch.engine ARGUMENTS``."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import snakemake.cli
import snakemake.logging

RETRY_S = 0.05


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, but not while Snakemake writes a line of its log.

    Its handler of log records ignores a KeyboardInterrupt (Snakemake 9), and the run would go on to its end.
    The signal is sent again a moment later.
    """
    if _is_logging(frame):
        threading.Timer(RETRY_S, os.kill, (os.getpid(), number)).start()
    else:
        raise KeyboardInterrupt


def _is_logging(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == snakemake.logging.__file__:
            return True
        frame = frame.f_back
    return False


if __name__ == "__main__":
    # in the background of a script SIGINT is ignored; it must stop Snakemake all the same
    signal.signal(signal.SIGINT, interrupt)
    snakemake.cli.main()
