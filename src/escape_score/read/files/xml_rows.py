"""XML read as a stream of finished records, with nothing of it kept and no document type allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Generic, Protocol, TypeVar
from xml.parsers import expat

_CHUNK_BYTES = 1 << 18

Record = TypeVar("Record")


class XmlTarget(Protocol[Record]):
    """What a parser tells of what it meets, and what hands out finished records."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins; ``name`` has no namespace."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Some text inside the current element."""

    def take(self) -> list[Record]:
        """Records finished since the last call."""


class XmlForbiddenError(ValueError):
    """A document type or entity, by which a small file can grow without bounds."""


class XmlTokenTooLongError(ValueError):
    """One tag or attribute that does not end."""


class _LocalNames(dict[str, str]):
    """Names without their namespace, each taken off once."""

    def __missing__(self, name: str) -> str:
        self[name] = local = name.rpartition(" ")[2]
        return local


class XmlStream(Generic[Record]):
    """Records of one XML document.

    Parameters
    ----------
    stream
        Bytes of the document.
    target
        Turns elements into records.
    max_token_bytes
        Longest tag that is read.
    """

    def __init__(self, stream: IO[bytes], target: XmlTarget[Record], *, max_token_bytes: int) -> None:
        self._stream = stream
        self._target = target
        self._max_token_bytes = max_token_bytes

    def __iter__(self) -> Iterator[Record]:
        """Hand out records as they are finished; raises ``expat.ExpatError`` and the errors above."""
        parser = self._new_parser()
        n_fed = 0
        while chunk := self._stream.read(_CHUNK_BYTES):
            parser.Parse(chunk, False)
            n_fed += len(chunk)
            if n_fed - max(parser.CurrentByteIndex, 0) > self._max_token_bytes:
                msg = f"a tag is longer than {self._max_token_bytes} bytes"
                raise XmlTokenTooLongError(msg)
            yield from self._target.take()
        parser.Parse(b"", True)
        yield from self._target.take()

    def _new_parser(self) -> expat.XMLParserType:
        start, end, local = self._target.start, self._target.end, _LocalNames()
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, attributes: start(local[name], attributes)
        parser.EndElementHandler = lambda name: end(local[name])
        parser.CharacterDataHandler = self._target.text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        return parser


def _refuse_doctype(*_: object) -> None:
    msg = "a document type or entity, which no workbook has"
    raise XmlForbiddenError(msg)
