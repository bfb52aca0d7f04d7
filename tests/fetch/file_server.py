"""A server on the loopback that has one file, and misbehaves as a test wants."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LAST_MODIFIED = "Mon, 02 Jan 2023 03:04:05 GMT"


@dataclass
class Behaviour:
    """What the server has and does; it keeps what it was sent.

    Attributes
    ----------
    content
        The file, under any path.
    statuses
        Answers to the next requests instead of the file.
    status_of
        Answers to all requests of a path instead of the file.
    cuts
        Bytes after which the next answers break off.
    skips
        Bytes that the next answers to a Range leave out.
    """

    content: bytes = b""
    statuses: list[int] = field(default_factory=list)
    status_of: dict[str, int] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    sends_length: bool = True
    has_etag: bool = True
    skips: list[int] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:12]}"'

    @property
    def ranges(self) -> list[str | None]:
        """The header Range of each request."""
        return [headers.get("Range") for _, headers in self.requests]


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        own = self.behaviour
        own.requests.append((self.path, dict(self.headers)))
        status = own.status_of.get(self.path) or (own.statuses.pop(0) if own.statuses else 200)
        if status != 200:
            self.send_error(status)
            return
        start = self._start(own)
        if start >= len(own.content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(own.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(own, start + own.skips.pop(0) if start and own.skips else start)

    def _start(self, own: Behaviour) -> int:
        asked, state = self.headers.get("Range"), self.headers.get("If-Range")
        is_same = state in {own.etag if own.has_etag else None, LAST_MODIFIED}
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked and is_same and own.knows_ranges else 0

    def _send(self, own: Behaviour, start: int) -> None:
        body = own.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(own.content) - 1}/{len(own.content)}")
        if own.sends_length:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", LAST_MODIFIED)
        if own.has_etag:
            self.send_header("ETag", own.etag)
        self.end_headers()
        self.wfile.write(body[: own.cuts.pop(0)] if own.cuts else body)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that leave before the end."""


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """Serve while the block runs; the address of the server."""
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
