"""A headless Chromium that is spoken to through a pipe, with the messages of its DevTools protocol.

The pipe needs no port and no library: JSON with a NUL after each message, on descriptors 3 (in) and 4 (out).
The browser ends by itself when the pipe is closed, also if this program is killed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

from escape_score.store.atomic import undisturbed

TIMEOUT_SECONDS = 120.0
"""For one answer: a page of a large sample on a busy machine takes seconds."""
CLOSING_SECONDS = 10.0
READ_BYTES = 1 << 20
ENDED = "the browser ended"

_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
)
# a shell moves the pipes of a child to the descriptors that Chromium reads and writes
_MOVED = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1'

Answer = dict[str, Any]


class ChromiumError(Exception):
    """The browser ended, did not answer, or refused; the message is a few words."""


class Chromium:
    """A running browser; any number of threads may call it at once.

    Parameters
    ----------
    to, back
        The two ends of the pipe.
    """

    def __init__(self, to: IO[bytes], back: IO[bytes]) -> None:
        self._to, self._back = to, back
        self._lock, self._numbers = Lock(), count(1)
        self._answers: dict[int, tuple[str, Future[Answer]]] = {}
        self._events: dict[tuple[str, str], Future[Answer]] = {}
        self._has_ended = False
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def call(self, method: str, session: str = "", **params: object) -> Answer:
        """Call a method of the protocol and wait for its result; raises ChromiumError."""
        answer = Future[Answer]()
        message: dict[str, object] = {"method": method, "params": params}
        if session:
            message["sessionId"] = session
        with self._lock:
            if self._has_ended:
                raise ChromiumError(ENDED)
            message["id"] = number = next(self._numbers)
            self._answers[number] = (session, answer)
            try:
                self._to.write(json.dumps(message).encode("ascii") + b"\0")
                self._to.flush()
            except (OSError, ValueError) as error:
                del self._answers[number]
                raise ChromiumError(ENDED) from error
        return result_of(answer)

    def expect(self, method: str, session: str) -> Future[Answer]:
        """Wait for the next event of a kind from now on: a promise for :func:`result_of`."""
        with self._lock:
            promise = self._events[session, method] = Future[Answer]()
            if self._has_ended:
                promise.set_exception(ChromiumError(ENDED))
        return promise

    def _read(self) -> None:
        """Give every answer and event to who waits for it, until the browser ends."""
        rest = bytearray()
        with suppress(OSError, ValueError):
            while block := self._back.read(READ_BYTES):
                rest += block
                if b"\0" in block:
                    *messages, rest = rest.split(b"\0")
                    for message in messages:
                        self._take(json.loads(message))
        with self._lock:
            self._has_ended = True
            self._fail(ENDED)

    def _take(self, message: Answer) -> None:
        with self._lock:
            session, method = message.get("sessionId", ""), message.get("method", "")
            if "id" in message:
                _, answer = self._answers.pop(message["id"], ("", Future[Answer]()))
                _settle(answer, message)
            elif method == "Inspector.targetCrashed":
                self._fail("the page crashed", session)
            elif (promise := self._events.pop((session, method), None)) is not None:
                promise.set_result(message.get("params", {}))

    def _fail(self, problem: str, session: str | None = None) -> None:
        """Let all who wait, or those of one session, know that no answer will come."""
        for number, (owner, answer) in list(self._answers.items()):
            if session in (None, owner):
                del self._answers[number]
                answer.set_exception(ChromiumError(problem))
        for key, promise in list(self._events.items()):
            if session in (None, key[0]):
                del self._events[key]
                promise.set_exception(ChromiumError(problem))


def result_of(promise: Future[Answer]) -> Answer:
    """Wait for an answer; raises ChromiumError: it does not come, or is a refusal."""
    try:
        return promise.result(TIMEOUT_SECONDS)
    except TimeoutError as error:
        message = f"no answer in {TIMEOUT_SECONDS:.0f} s"
        raise ChromiumError(message) from error


def _settle(answer: Future[Answer], message: Mapping[str, Any]) -> None:
    if "error" in message:
        answer.set_exception(ChromiumError(str(message["error"].get("message", "refused"))))
    else:
        answer.set_result(message.get("result", {}))


@contextmanager
def running_chromium(program: Path) -> Iterator[Chromium]:
    """Start a browser with a profile of its own, and end it with all its processes.

    Yields
    ------
    Chromium
        It may have ended already, if it cannot start: then every call raises ChromiumError.
    """
    folder = tempfile.mkdtemp(prefix="escape-score-chromium-")
    # the sandbox needs a user that is not root, and our pages run no script
    options = (*_OPTIONS, "--no-sandbox") if os.geteuid() == 0 else _OPTIONS
    process: subprocess.Popen[bytes] | None = None
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _MOVED, str(program), *options, f"--user-data-dir={folder}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        yield Chromium(process.stdin, process.stdout)
    finally:
        with undisturbed():
            if process is not None:
                _end(process)
            shutil.rmtree(folder, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe, which ends the browser, and kill what is still there after a while."""
    with process:
        with suppress(OSError, ValueError):
            assert process.stdin is not None
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(CLOSING_SECONDS)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
