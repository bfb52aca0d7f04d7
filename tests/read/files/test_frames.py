"""Packed files: all frames, to the last end mark, and nothing behind it."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escape_score.errors import FileUnreadableError
from escape_score.read.files.frames import ends_in_padding
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits
from escape_score.read.files.streams import open_bytes

Pack = Callable[[bytes], bytes]


def pack_zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACKERS: dict[str, Pack] = {
    "gzip": gzip.compress,
    "zstandard": pack_zstd,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
every_packer = pytest.mark.parametrize("name", PACKERS)
TEXT = b"".join(b"G%d\t%d.5\t0\n" % (at, at * 7919 % 1000) for at in range(3_000))
SKIPPABLE_ZSTD = b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello"


def unpack(path: Path, content: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> bytes:
    path.write_bytes(content)
    with open_bytes(path, limits) as stream:
        return stream.read()


@every_packer
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_open_bytes_reads_every_frame(tmp_path: Path, name: str, pieces: list[bytes]) -> None:
    packed = b"".join(map(PACKERS[name], pieces))
    assert unpack(tmp_path / "m", packed) == b"".join(pieces)


def test_open_bytes_passes_over_skippable_frames(tmp_path: Path) -> None:
    packed = SKIPPABLE_ZSTD + pack_zstd(TEXT) + SKIPPABLE_ZSTD + pack_zstd(b"end")
    assert unpack(tmp_path / "m", packed) == TEXT + b"end"


@every_packer
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0.02, 0.9999))
def test_open_bytes_refuses_cut_frame(tmp_path: Path, name: str, part: float) -> None:
    packed = PACKERS[name](TEXT)
    cut = min(max(int(len(packed) * part), 10), len(packed) - 1)
    with pytest.raises(FileUnreadableError, match=rf"m: truncated {name}"):
        unpack(tmp_path / "m", packed[:cut])


@every_packer
def test_open_bytes_refuses_cut_second_frame(tmp_path: Path, name: str) -> None:
    packed = PACKERS[name](TEXT)
    with pytest.raises(FileUnreadableError, match=rf"truncated {name}"):
        unpack(tmp_path / "m", packed + packed[:-3])


@every_packer
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0.2, 0.8), bit=st.integers(0, 7))
def test_open_bytes_never_gives_other_bytes(tmp_path: Path, name: str, part: float, bit: int) -> None:
    packed = bytearray(PACKERS[name](TEXT))
    packed[int(len(packed) * part)] ^= 1 << bit
    try:
        assert unpack(tmp_path / "m", bytes(packed)) == TEXT
    except FileUnreadableError as error:
        assert "m: corrupt" in str(error) or "m: truncated" in str(error)  # noqa: PT017


@every_packer
@pytest.mark.parametrize(
    "rest", [b"garbage", b"x", b"\0\0\0garbage that is long enough", b"G1\t1\t2\n" * 999]
)
def test_open_bytes_refuses_trailing_bytes(tmp_path: Path, name: str, rest: bytes) -> None:
    with pytest.raises(FileUnreadableError, match=f"trailing bytes after the end of the {name} data"):
        unpack(tmp_path / "m", PACKERS[name](TEXT) + rest)


@every_packer
@pytest.mark.parametrize("n_zeros", [1, 16, 70_000])
def test_open_bytes_passes_over_padding(tmp_path: Path, name: str, n_zeros: int) -> None:
    packed = PACKERS[name](TEXT) + bytes(n_zeros)
    assert unpack(tmp_path / "m", packed) == TEXT
    assert ends_in_padding(tmp_path / "m") == (n_zeros >= 16)


@every_packer
@pytest.mark.parametrize(
    "limits",
    [
        ReadLimits(max_expansion_ratio=20, ratio_floor_bytes=1_000_000),
        ReadLimits(max_expanded_bytes=2_000_000),
    ],
)
def test_open_bytes_refuses_bomb(tmp_path: Path, name: str, limits: ReadLimits) -> None:
    with pytest.raises(FileUnreadableError, match="too large once unpacked"):
        unpack(tmp_path / "m", PACKERS[name](bytes(30_000_000)), limits)
