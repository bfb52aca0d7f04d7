"""Files that are damaged, cut short, something else, or not there."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from tests.battery import packing
from tests.battery.case import Case, Expect, Inputs, Make
from tests.battery.clean import Clean
from tests.battery.grid import write, write_clean

CATEGORY = "file"

FAST = {"cut-gz-60", "flip-gz", "cut-zst-60", "cut-text", "empty", "missing", "folder", "html", "random-tsv"}

Content = Callable[[Clean], bytes]


def _content(name: str, content: Content) -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        return Inputs(write(folder / name, content(clean)))

    return make


def _text(clean: Clean) -> bytes:
    return packing.clean_text(clean)


def _h5ad(clean: Clean) -> bytes:
    """Bytes of an h5ad; h5py writes to files only."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = packing.h5ad()(Path(folder), clean).matrix
        return path.read_bytes() if path else b""


def _parquet(clean: Clean) -> bytes:
    return packing.parquet_bytes(clean.tpm)


def _cut(content: Content, share: float) -> Content:
    def cut(clean: Clean) -> bytes:
        whole = content(clean)
        return whole[: int(len(whole) * share)]

    return cut


def _flip(content: Content, share: float = 0.5) -> Content:
    def flipped(clean: Clean) -> bytes:
        whole = bytearray(content(clean))
        whole[int(len(whole) * share)] ^= 0x55
        return bytes(whole)

    return flipped


def _packed(pack: packing.Pack) -> Content:
    return lambda clean: pack(_text(clean))


def _random(clean: Clean) -> bytes:
    del clean
    return np.random.default_rng(7).bytes(50_000)


def _constant(data: bytes) -> Content:
    return lambda clean: data


def _magic(start: bytes) -> Content:
    return lambda clean: start + _random(clean)


def _damaged() -> Iterator[tuple[str, str, Content, str]]:
    """Name, file name, content, and what the error must say."""
    damaged = "truncat|corrupt|incomplete|damaged|cut|end of|not a|invalid|cannot"
    for share in (20, 60, 95):
        yield f"cut-gz-{share}", "m.tsv.gz", _cut(_packed(packing.gz), share / 100), damaged
    for name in ("zst", "bz2", "xz"):
        yield f"cut-{name}-60", f"m.tsv.{name}", _cut(_packed(packing.PACKERS[name]), 0.6), damaged
    for name, pack in packing.PACKERS.items():
        # zstandard frames carry no checksum unless asked for
        if name != "zst":
            yield f"flip-{name}", f"m.tsv.{name}", _flip(_packed(pack)), damaged
    yield "cut-gz-trailer", "m.tsv.gz", lambda clean: packing.gz(_text(clean))[:-4], damaged
    yield "gz-with-junk", "m.tsv.gz", lambda clean: packing.gz(_text(clean)) + b"junk", damaged + "|after"
    yield "cut-xlsx", "m.xlsx", _cut(packing.xlsx_bytes, 0.5), damaged
    yield "cut-parquet", "m.parquet", _cut(_parquet, 0.7), damaged
    yield "cut-feather", "m.feather", _cut(packing.feather_bytes, 0.7), damaged
    yield "cut-h5ad", "m.h5ad", _cut(_h5ad, 0.7), damaged
    yield "cut-text", "m.tsv", _cut_mid_line, "line|truncat|field"
    yield "zeros-in-text", "m.tsv", _zeros, "binary|zero|line|character|numeric|text"


def _cut_mid_line(clean: Clean) -> bytes:
    lines = _text(clean).split(b"\n")
    return b"\n".join(lines[:5000]) + b"\n" + lines[5000][: len(lines[5000]) // 2]


def _zeros(clean: Clean) -> bytes:
    """A block of zero bytes in the middle, as a file has after a crash."""
    text = _text(clean)
    return text[: len(text) // 2] + bytes(4096) + text[len(text) // 2 + 4096 :]


def _foreign() -> Iterator[tuple[str, str, Content, str]]:
    """Content of another kind."""
    page = b"<!DOCTYPE html><html><body>Please log in\tto\tdownload</body></html>\n"
    format_ = "format|content|binary|table|column|text"
    yield "random-tsv", "m.tsv", _random, format_
    yield "random-h5ad", "m.h5ad", _random, format_
    yield "random-parquet", "m.parquet", _magic(b"PAR1"), "parquet"
    yield "random-xlsx", "m.xlsx", _magic(b"PK\x03\x04"), "xlsx|zip"
    yield "random-gz", "m.tsv.gz", _magic(b"\x1f\x8b\x08\x00"), "corrupt|damaged|gzip|not a"
    yield "random-hdf5", "m.h5ad", _magic(b"\x89HDF\r\n\x1a\n"), "h5|HDF"
    yield "html", "m.csv", _constant(page), "web page|HTML"
    yield "xml", "m.csv", _constant(b'<?xml version="1.0"?>\n<a>\n<b/>\n</a>\n'), "XML|web page"
    yield "json", "m.json", lambda clean: json.dumps({"CD8A": [1, 2]}, indent=1).encode(), format_ + "|gene"
    yield "pdf", "m.pdf", _magic(b"%PDF-1.7\n"), format_
    yield "png", "m.png", _magic(b"\x89PNG\r\n\x1a\n"), format_
    yield "pickle", "m.pkl", lambda clean: pickle.dumps({"a": np.arange(9.0)}), format_
    yield "prose", "m.txt", _constant(b"The matrix is on the other drive.\nSorry.\n"), format_ + "|gene"
    yield "xlsx-named-csv", "m.csv", packing.xlsx_bytes, "Excel|xlsx"
    yield "empty", "m.tsv", _constant(b""), "empty"
    yield "empty-gz", "m.tsv.gz", _constant(packing.gz(b"")), "empty"
    yield "blank", "m.tsv", _constant(b"  \n\t\n   \n"), "empty|no "
    yield "newline", "m.tsv", _constant(b"\n"), "empty|no "
    yield "comments-only", "m.tsv", _constant(b"# nothing\n# here\n"), "empty|no |header"
    yield (
        "pointer",
        "m.tsv",
        _constant(b"version https://example.org/spec/v1\noid sha256:4d7a\nsize 12\n"),
        ".",
    )


def _renamed() -> dict[str, Make]:
    """Sound content under a name that says otherwise."""
    return {
        "tsv-named-gz": _content("m.tsv.gz", _text),
        "gz-named-tsv": _content("m.tsv", _packed(packing.gz)),
        "gz-named-zst": _content("m.tsv.zst", _packed(packing.gz)),
        "parquet-named-tsv": _content("m.tsv", _parquet),
        "csv-named-xlsx": _content("m.xlsx", _text),
        "h5ad-named-parquet": _content("m.parquet", _h5ad),
    }


def _folder(folder: Path, clean: Clean) -> Inputs:
    (folder / "m.tsv").mkdir()
    return Inputs(folder / "m.tsv")


def _missing(folder: Path, clean: Clean) -> Inputs:
    return Inputs(folder / "not_there.tsv")


def _dangling(folder: Path, clean: Clean) -> Inputs:
    (folder / "m.tsv").symlink_to(folder / "gone.tsv")
    return Inputs(folder / "m.tsv")


def _loop(folder: Path, clean: Clean) -> Inputs:
    (folder / "m.tsv").symlink_to(folder / "m.tsv")
    return Inputs(folder / "m.tsv")


def _below_a_file(folder: Path, clean: Clean) -> Inputs:
    return Inputs(write_clean(folder, clean) / "deeper.tsv")


def _link(folder: Path, clean: Clean) -> Inputs:
    (folder / "link.tsv").symlink_to(write_clean(folder, clean))
    return Inputs(folder / "link.tsv")


def _pipe(folder: Path, clean: Clean) -> Inputs:
    os.mkfifo(folder / "m.tsv")
    return Inputs(folder / "m.tsv")


def cases() -> Iterator[Case]:
    """Damaged, foreign, misnamed and missing files."""
    for name, file_name, content, word in (*_damaged(), *_foreign()):
        make, fast = _content(file_name, content), name in FAST
        yield Case(f"file-{name}", CATEGORY, make, Expect.ERROR, mention=(word,), is_fast=fast)
    paths: dict[str, tuple[Make, str]] = {
        "folder": (_folder, "directory|folder"),
        "missing": (_missing, "not found|no such"),
        "dangling-link": (_dangling, "not found|no such"),
        "link-loop": (_loop, "link|opened|loop"),
        "below-a-file": (_below_a_file, "not a directory|not found|opened"),
        "pipe": (_pipe, "regular|pipe"),
    }
    for name, (make, word) in paths.items():
        fast = name in FAST
        yield Case(f"file-{name}", CATEGORY, make, Expect.ERROR, mention=(word,), is_fast=fast)
    for name, make in (_renamed() | {"link": _link}).items():
        yield Case(f"file-{name}", CATEGORY, make, Expect.SAME, is_fast=name == "gz-named-tsv")
