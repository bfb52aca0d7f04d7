"""Arbitrary damage to valid files, and what a reader may do with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from escape_score.errors import InputError, UsageError

Value = TypeVar("Value")
Mutation = Callable[[bytes], bytes]

SECONDS = 20
"""A reader that takes longer on a file of some kilobytes hangs; the first example also loads libraries."""

bounded = settings(
    max_examples=1500,
    deadline=SECONDS * 1000,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""The same examples in every run, so that a find stays found."""

_SNIPPETS = (
    *(b"\t", b"\n", b"\r", b"\r\n", b",", b";", b" ", b'"', b"'", b"#", b"\x00", b"\xff", b"\xef\xbb\xbf"),
    *(b"\xff\xfe", b"NA", b"NaN", b"Inf", b"-", b"1e999", b"1e-999", b"0x1F", b"=1+1", b"../", b"<b>", b"::"),
    *(b"---\n", b"&a", b"*a", b"!!python/object", b"{", b"[", b"\x1f\x8b\x08", b"(\xb5/\xfd", b"PK\x03\x04"),
    *("é".encode(), "\u202e".encode(), "\ufeff".encode("utf-16"), b"9" * 400, b"\t" * 300, b"\n" * 300),
)


@st.composite
def _places(draw: st.DrawFn, length: int) -> tuple[int, int]:
    """Start and stop of a stretch of at most some hundred bytes."""
    start = draw(st.integers(0, max(length, 0)))
    return start, min(length, start + draw(st.integers(0, 300)))


@st.composite
def _damaged_once(draw: st.DrawFn, content: bytes) -> bytes:
    """Flip, cut off, cut out, insert, repeat or move one stretch."""
    start, stop = draw(_places(len(content)))
    head, stretch, tail = content[:start], content[start:stop], content[stop:]
    kind = draw(st.sampled_from(["flip", "cut off", "cut out", "insert", "repeat", "move"]))
    if kind == "flip":
        mask = draw(st.integers(1, 255))
        return head + bytes(byte ^ mask for byte in stretch[:4]) + stretch[4:] + tail
    if kind == "cut off":
        return head
    if kind == "cut out":
        return head + tail
    if kind == "insert":
        return head + draw(st.sampled_from(_SNIPPETS) | st.binary(max_size=8)) + stretch + tail
    if kind == "repeat":
        return head + stretch * draw(st.integers(2, 5)) + tail
    return stretch + head + tail


@st.composite
def damaged(draw: st.DrawFn, valid: bytes) -> bytes:
    """A valid file, damaged one to four times."""
    content = valid
    for _ in range(draw(st.integers(1, 4))):
        content = draw(_damaged_once(content))
    return content


def read_or_refuse(
    read: Callable[[Path], Value], path: Path, content: bytes, *, place: Path | None = None
) -> Value | None:
    """Read a file; an error must be one made for the user, in single lines that name the file.

    ``place``: a folder, where the lines may name it or any file in it.
    """
    path.write_bytes(content)
    try:
        return read(path)
    except (InputError, UsageError) as error:
        lines = error.lines
    assert lines
    for line in lines:
        assert line.startswith(str(place) if place else f"{path}: "), line
        assert len(line.splitlines()) == 1, line
    return None
