"""Files fetched from the network: resumed where a transfer broke off, and never larger than allowed.

A folder holds the file under the name ``matrix.part``, and next to it where it comes from, so that a later
call can go on. Proxies and certificates are those of the usual environment variables.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Self

from escape_score import __version__
from escape_score.errors import DownloadFailedError
from escape_score.store.atomic import unwritable, write_text

if TYPE_CHECKING:
    import requests

PART, ORIGIN = "matrix.part", "matrix.json"
PAUSES_S = (1.0, 2.0, 4.0)
"""Pauses before an address is tried again."""

TIMEOUT_S = (15.0, 60.0)
"""Patience until a server is connected, and between two pieces."""

CHUNK_BYTES = 65_536
BYTES_PER_MB = 1024**2
PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Answers after which the same request may succeed, as after all from 500 on."""

BY_HAND = "fetch the file elsewhere and give it with --from FILE"
CHECK_NETWORK = f"check the network, or {BY_HAND}"
CHECK_PROXY = f"check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or {BY_HAND}"
CHECK_CERTIFICATES = (
    f"set REQUESTS_CA_BUNDLE to the file of certificates that your network uses, or {BY_HAND}"
)

OnBytes = Callable[[int, int | None], object]
"""Called with the bytes that are there, and with those of the whole file where known."""


@dataclass(frozen=True)
class Download:
    """A complete file, where it comes from, and what the server calls its state (empty: nothing)."""

    path: Path
    url: str
    etag: str
    n_bytes: int


@dataclass(frozen=True)
class _Origin:
    """Where a part of a file comes from."""

    url: str = ""
    etag: str = ""
    last_modified: str = ""

    @property
    def validator(self) -> str:
        """What identifies the state of the file at the server; empty where a transfer cannot go on."""
        return self.last_modified if self.etag.startswith("W/") else self.etag or self.last_modified

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Origin of the part in a folder; an empty one where it is not known."""
        try:
            found = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
            return cls(**{name: str(found[name]) for name in ("url", "etag", "last_modified")})
        except (OSError, ValueError, KeyError, TypeError):
            return cls()


class _FaultError(Exception):
    """One address did not give the file."""

    def __init__(
        self, url: str, reason: str, *, advice: str = CHECK_NETWORK, is_passing: bool = False
    ) -> None:
        super().__init__(reason)
        self.url, self.reason, self.advice, self.is_passing = url, reason, advice, is_passing


def download(
    urls: Sequence[str], folder: Path, *, max_bytes: int, on_bytes: OnBytes = lambda done, total: None
) -> Download:
    """Fetch a file from the first of its addresses that has it.

    Parameters
    ----------
    urls
        Addresses of the same file, in order of preference; one that was begun earlier is tried first.
    folder
        Holds the file until :func:`discard`, and the part of it after an interruption. One process at a time
        may use it.
    max_bytes
        Size above which the file is refused.

    Returns
    -------
    Download
        The complete file.

    Raises
    ------
    DownloadFailedError
        No address has the file, or it is too large.
    OutputUnwritableError
        The file cannot be written, as on a full disk.
    """
    import requests

    begun, faults = _Origin.read(folder).url, list[_FaultError]()
    with requests.Session() as session:
        session.headers.update({"Accept-Encoding": "identity", "User-Agent": f"escape-score/{__version__}"})
        for url in sorted(urls, key=lambda one: one != begun):
            try:
                return _Transfer(session, url, folder, max_bytes, on_bytes).patiently()
            except _FaultError as fault:
                faults.append(fault)
    raise _failed(faults)


def discard(folder: Path) -> None:
    """Remove what was fetched into a folder."""
    for name in (PART, ORIGIN):
        with suppress(FileNotFoundError):
            (folder / name).unlink()


def _failed(faults: Sequence[_FaultError]) -> DownloadFailedError:
    """One line for all addresses, with the remedy of the first."""
    first, *others = faults
    also = "".join(f", nor from {fault.url} ({fault.reason})" for fault in others)
    return DownloadFailedError.at(first.url, f"cannot be fetched ({first.reason}){also}; {first.advice}")


@dataclass(frozen=True)
class _Transfer:
    """A file on its way from one address."""

    session: requests.Session
    url: str
    folder: Path
    max_bytes: int
    on_bytes: OnBytes

    def patiently(self) -> Download:
        """Try some times with pauses while faults may pass; raises the last fault."""
        for pause in PAUSES_S:
            try:
                return self.once()
            except _FaultError as fault:
                if not fault.is_passing:
                    raise
            time.sleep(pause)
        return self.once()

    def once(self) -> Download:
        """Fetch what is missing of the file."""
        origin, offset = self._begun()
        with self._requested(origin, offset) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return self._already_whole(origin, offset, response)
            self._require_ok(response)
            start, total = self._extent(response, offset)
            self._require_size(total or 0)
            if not start:
                origin = self._restarted(response)
            n_bytes = self._receive(response, start, total)
        return Download(self.folder / PART, self.url, origin.etag, n_bytes)

    def _begun(self) -> tuple[_Origin, int]:
        """Origin and size of the part that can be completed from here; size 0 where there is none."""
        origin, part = _Origin.read(self.folder), self.folder / PART
        if origin.url != self.url or not origin.validator or not part.is_file():
            return _Origin(), 0
        return origin, part.stat().st_size

    def _requested(self, origin: _Origin, offset: int) -> requests.Response:
        headers = {"Range": f"bytes={offset}-", "If-Range": origin.validator} if offset else {}
        try:
            return self.session.get(self.url, headers=headers, stream=True, timeout=TIMEOUT_S)
        except OSError as error:  # all errors of requests are of this kind
            raise _fault_of(self.url, error) from error

    def _already_whole(self, origin: _Origin, offset: int, response: requests.Response) -> Download:
        """The part is the whole file, because the server has nothing beyond it; else begin again."""
        if _content_range(response)[1] == offset:
            return Download(self.folder / PART, self.url, origin.etag, offset)
        raise self._unresumable()

    def _unresumable(self) -> _FaultError:
        """Discard the part; the fault after which the next try begins at the start."""
        discard(self.folder)
        reason = "the server does not continue a transfer that was interrupted"
        return _FaultError(self.url, reason, is_passing=True)

    def _require_ok(self, response: requests.Response) -> None:
        status = response.status_code
        if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            return
        phrase = HTTPStatus(status).phrase if status in {*HTTPStatus} else "unknown answer"
        needs_proxy = status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
        raise _FaultError(
            self.url,
            f"{status} {phrase}",
            advice=CHECK_PROXY if needs_proxy else f"try again later, or {BY_HAND}",
            is_passing=status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        )

    def _extent(self, response: requests.Response, offset: int) -> tuple[int, int | None]:
        """Where the answer begins in the file, and the size of the file where known."""
        if response.status_code == HTTPStatus.OK:
            length = response.headers.get("Content-Length", "")
            return 0, int(length) if length.isdecimal() else None
        start, total = _content_range(response)
        if start != offset:
            raise self._unresumable()
        return start, total

    def _require_size(self, n_bytes: int) -> None:
        if n_bytes > self.max_bytes:
            discard(self.folder)
            at_most = f"at most {self.max_bytes / BYTES_PER_MB:.0f} MB are fetched"
            reason = f"the file has {n_bytes / BYTES_PER_MB:.1f} MB or more, {at_most}"
            advice = "if the size is right, raise max_mb in a row of reference_sources.tsv in the data folder"
            raise _FaultError(self.url, reason, advice=advice)

    def _restarted(self, response: requests.Response) -> _Origin:
        """Begin at the start, and note what is begun."""
        headers = response.headers
        origin = _Origin(self.url, headers.get("ETag", ""), headers.get("Last-Modified", ""))
        discard(self.folder)
        write_text(self.folder / ORIGIN, json.dumps(asdict(origin), indent=2) + "\n")
        return origin

    def _receive(self, response: requests.Response, start: int, total: int | None) -> int:
        """Append what the server sends; the size of the file then."""
        part, n_bytes = self.folder / PART, start
        self.on_bytes(n_bytes, total)
        try:
            with part.open("ab") as handle:
                for piece in self._pieces(response):
                    n_bytes += len(piece)
                    self._require_size(n_bytes)
                    handle.write(piece)
                    self.on_bytes(n_bytes, total)
        except OSError as error:
            raise unwritable(part, error) from error
        if total is not None and n_bytes != total:
            raise _FaultError(
                self.url, f"the transfer ended after {n_bytes} of {total} bytes", is_passing=True
            )
        return n_bytes

    def _pieces(self, response: requests.Response) -> Iterator[bytes]:
        """Bytes as they are at the server, whatever encoding it declares for them."""
        from urllib3.exceptions import HTTPError

        try:
            yield from response.raw.stream(CHUNK_BYTES, decode_content=False)
        except (HTTPError, OSError) as error:
            raise _FaultError(self.url, "the transfer broke off", is_passing=True) from error


def _content_range(response: requests.Response) -> tuple[int | None, int | None]:
    """First byte and size of the file that an answer names; None where it does not."""
    text = response.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", text.strip())
    start, total = found.groups() if found else (None, None)
    return (None if start is None else int(start)), (None if total is None else int(total))


def _fault_of(url: str, error: OSError) -> _FaultError:
    """Why no answer came, in words that hold no password of a proxy."""
    from requests import exceptions
    from urllib3.exceptions import NameResolutionError

    if isinstance(error, exceptions.SSLError):
        is_certificate = "CERTIFICATE" in str(error).upper()
        why = "the certificate of the server is not trusted" if is_certificate else "no secure connection"
        return _FaultError(url, why, advice=CHECK_CERTIFICATES)
    if isinstance(error, exceptions.ProxyError | exceptions.InvalidProxyURL):
        return _FaultError(url, "the proxy does not answer or refuses", advice=CHECK_PROXY)
    if isinstance(error, exceptions.Timeout):
        return _FaultError(url, "the server does not answer in time", is_passing=True)
    if isinstance(error, exceptions.ConnectionError):
        reason = getattr(error.args[0] if error.args else None, "reason", None)
        is_unknown = isinstance(reason, NameResolutionError)
        why = "the name of the server is not found" if is_unknown else "no connection to the server"
        return _FaultError(url, why, is_passing=not is_unknown)
    if isinstance(error, exceptions.RequestException):
        return _FaultError(
            url, f"the address or the proxy cannot be used: {type(error).__name__}", advice=CHECK_PROXY
        )
    # requests looks for the file of certificates only now
    return _FaultError(url, "the file of certificates is not found", advice=CHECK_CERTIFICATES)
