"""Pages written by several processes, as one page after the other takes most of the time of a large run.

Each process is this module, run as a program. It is told profiles by lines of its standard input, answers
each line by one line, and ends when its input ends: also where the program that started it was killed.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

from escape_score import errors
from escape_score.errors import EscapeScoreError, UsageError
from escape_score.pipeline.pages.writing import PageWriter
from escape_score.report.text.visible import VisibleProfile
from escape_score.store.manifest import Part

PAGES_AT_ONCE = 20
"""Profiles in one line: some 0.1 s of work."""

MIN_PAGES = 100
"""Pages from which processes of their own are started: each takes half a second to start."""


def page_writer(
    folder: Path, lang: str, *, n_pages: int, threads: int, on_sample: Callable[[], None] = lambda: None
) -> PageWriter:
    """Choose how pages are written; they have the same bytes either way."""
    if threads == 1 or n_pages < MIN_PAGES:
        return PageWriter(folder, lang, on_sample)
    return ProcessPageWriter(folder, lang, on_sample, threads=threads)


class ProcessPageWriter(PageWriter):
    """Writes pages by processes of their own, while the caller works on; see :class:`PageWriter`."""

    def __init__(
        self, folder: Path, lang: str, on_sample: Callable[[], None] = lambda: None, *, threads: int
    ) -> None:
        super().__init__(folder, lang, on_sample)
        self._waiting: list[Path] = []
        self._parts: list[tuple[int, Future[Part]]] = []
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._workers = [_Worker(folder, lang) for _ in range(threads)]
        for worker in self._workers:
            self._idle.put(worker)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="pages")

    def submit(self, source: Path, shown: VisibleProfile | None = None) -> None:
        """Have the page of the profile in a file written."""
        self._waiting.append(source)
        if len(self._waiting) == PAGES_AT_ONCE:
            self._send()

    def finish(self) -> Part:
        """Wait for all pages; raises what ended a process."""
        if self._waiting:
            self._send()
        for n_pages, written in self._parts:
            part = written.result()
            self._entries += part.files
            self._failed += part.failed
            for _ in range(n_pages):
                self.on_sample()
        return super().finish()

    def _send(self) -> None:
        sources, self._waiting = self._waiting, []
        self._parts.append((len(sources), self._pool.submit(self._written, sources)))

    def _written(self, sources: list[Path]) -> Part:
        worker = self._idle.get()
        try:
            return worker.written(sources)
        finally:
            self._idle.put(worker)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._pool.shutdown(cancel_futures=True)


class _Worker:
    """One process that writes pages."""

    def __init__(self, folder: Path, lang: str) -> None:
        command = [sys.executable, "-P", "-m", __name__, str(folder), lang]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def written(self, sources: list[Path]) -> Part:
        """Wait for some pages."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps([str(source) for source in sources]), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except (OSError, ValueError):  # its input was closed
            answer = ""
        if not answer:
            msg = (
                f"a process that writes pages ended early (code {self._process.wait()}); is there too little "
            )
            msg += "memory? set threads: 1 in the config and run again"
            raise EscapeScoreError(msg)
        kind, said = json.loads(answer)
        if kind != Part.__name__:
            raise getattr(errors, kind)(said)
        return Part.model_validate(said)

    def end(self) -> None:
        """End the process, also in the middle of a page."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):  # a line that nobody reads any more
                assert stream is not None
                stream.close()


def serve(folder: Path, lang: str) -> None:
    """Write the pages of the profiles named by the lines of the standard input."""
    started_by = os.getppid()
    for line in sys.stdin:
        writer = PageWriter(folder, lang)
        try:
            for source in json.loads(line):
                if os.getppid() != started_by:  # it was killed, and its folder may be removed any time
                    return
                writer.submit(Path(source))
            answer = [Part.__name__, writer.finish().model_dump(mode="json")]
        except UsageError as error:
            answer = [type(error).__name__, str(error)]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    # Ctrl-C reaches this process too; the one that started it ends it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # as the command line does: a profile alone is thousands of objects, and none is in a cycle
    gc.set_threshold(100_000, 50, 100)
    serve(Path(sys.argv[1]), sys.argv[2])
