"""Tests of the process that runs Snakemake."""

from __future__ import annotations

import io
import logging
import signal
import time
from collections.abc import Iterator

import pytest
from snakemake.logging import ColorizingTextHandler

from escape_score.launch.engine import interrupt

LINE = logging.LogRecord("snakemake", logging.INFO, "", 0, "Finished jobid: 1", None, None)


class InterruptedStream(io.StringIO):
    """A stream that receives Ctrl-C while a line is written, once."""

    is_done = False

    def write(self, text: str) -> int:
        if not self.is_done:
            self.is_done = True
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


@pytest.fixture
def handled() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, interrupt)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("handled")
def test_signal_during_a_line_of_the_log_stops_the_run_after_it() -> None:
    stream = InterruptedStream()
    ColorizingTextHandler(stream=stream, formatter=logging.Formatter("%(message)s")).emit(LINE)
    assert stream.getvalue() == "Finished jobid: 1\n"
    with pytest.raises(KeyboardInterrupt):
        time.sleep(5)


@pytest.mark.usefixtures("handled")
def test_signal_at_any_other_time_stops_the_run_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
