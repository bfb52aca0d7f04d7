"""Small files made to take all memory, all time, or another file's content; each runs in a process apart."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from tests.battery import packing
from tests.battery.case import Blame, Case, Expect, Inputs, Make
from tests.battery.clean import Clean
from tests.battery.grid import Grid, write, write_clean

CATEGORY = "hostile"

MEGABYTE = 1024**2
LARGE = "large|size|memory|expan|ratio|dimension|rows|long|at most"

FAST = {"device-zero"}


def _content(name: str, content: Callable[[], bytes]) -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        return Inputs(write(folder / name, content()))

    return make


# --- bombs --------------------------------------------------------------------------------------------------


def _bomb_gz() -> bytes:
    """3 GB of one line in 3 MB."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as packed:
        packed.write(b"gene\ta\tb\n")
        for _ in range(300):
            packed.write(b"0" * 10 * MEGABYTE)
    return stream.getvalue()


def _bomb_lines(pack: Callable[[bytes], bytes]) -> bytes:
    """A gigabyte of rows that are all the same."""
    return pack(b"gene\ta\tb\n") + b"".join([pack(b"CD8A\t0\t0\n" * 1_000_000)] * 110)


def _bomb_zst() -> bytes:
    return _bomb_lines(zstandard.ZstdCompressor(level=19).compress)


def _bomb_xz() -> bytes:
    return _bomb_lines(lzma.compress)


def _xlsx(sheet: bytes) -> bytes:
    """The least workbook, with a sheet of our own."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    files = {
        "[Content_Types].xml": (
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="m" sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return stream.getvalue()


def _worksheet(rows: str, *, entities: str = "") -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'{entities}<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def _row(number: int, gene: str = "CD8A") -> str:
    return (
        f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{gene}</t></is></c>'
        f'<c r="B{number}"><v>0</v></c></row>'
    )


def _xlsx_far_cell() -> bytes:
    """Two cells, one of them in the last corner of the sheet."""
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return _xlsx(_worksheet(_row(1, "gene") + _row(2) + far))


def _xlsx_bomb() -> bytes:
    """300 MB of rows in less than one."""
    return _xlsx(_worksheet(_row(2) * 3_000_000))


def _xlsx_entities() -> bytes:
    lines = ['<!ENTITY a "ha">']
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f'<!ENTITY {name} "{f"&{before};" * 10}">')
    entities = f'<?xml version="1.0"?><!DOCTYPE x [{"".join(lines)}]>'
    return _xlsx(_worksheet(_row(1, "&j;"), entities=entities))


def _xlsx_outside(folder: Path, clean: Clean) -> Inputs:
    """A sheet whose cell is the content of another file."""
    secret = write(folder / "secret.txt", "SECRET")
    entities = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY s SYSTEM "file://{secret}">]>'
    return Inputs(write(folder / "m.xlsx", _xlsx(_worksheet(_row(1, "&s;"), entities=entities))))


def _parquet_rows() -> bytes:
    """40 million rows that are all the same."""
    stream, n = io.BytesIO(), 1_000_000
    genes = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array(["CD8A"]))
    batch = pa.table({"gene": genes, "a": pa.array(np.zeros(n)), "b": pa.array(np.zeros(n))})
    with pq.ParquetWriter(stream, batch.schema, compression="zstd") as writer:
        for _ in range(40):
            writer.write_table(batch)
    return stream.getvalue()


# --- sizes that are not true --------------------------------------------------------------------------------


def _mtx_huge() -> bytes:
    return b"%%MatrixMarket matrix coordinate real general\n2000000000 2000000000 1\n1 1 5\n"


def _mtx_folder(folder: Path, clean: Clean) -> Inputs:
    """A 10x folder whose matrix says that it is huge."""
    path = packing.write_10x(folder / "mtx", clean)
    write(path / "matrix.mtx.gz", packing.gz(_mtx_huge()))
    return Inputs(path)


def _gct_huge() -> bytes:
    return b"#1.2\n2000000000\t2000000000\nName\tDescription\ta\tb\nCD8A\tna\t1\t2\n"


def _h5ad(change: Callable[[h5py.File, Path], None]) -> Make:
    """Make a sound h5ad, then change the file below AnnData."""

    def make(folder: Path, clean: Clean) -> Inputs:
        inputs = packing.h5ad()(folder, clean)
        with h5py.File(folder / "m.h5ad", "r+") as file:
            change(file, folder)
        return inputs

    return make


def _replaced(file: h5py.File, shape: tuple[int, ...], **options: object) -> None:
    attributes = dict(file["X"].attrs)
    del file["X"]
    dataset = file.create_dataset("X", shape, dtype="f8", **options)
    dataset.attrs.update(attributes)


def _virtual(file: h5py.File, folder: Path) -> None:
    _replaced(file, (6, 900_000_000), chunks=(1, 1_000_000))


def _external_storage(file: h5py.File, folder: Path) -> None:
    secret = write(folder / "secret.bin", b"SECRET!!" * 6 * 8600)
    _replaced(file, (6, 8600), external=[(str(secret), 0, h5py.h5f.UNLIMITED)])


def _external_link(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["X"] = np.ones((6, 8600))
    del file["X"]
    file["X"] = h5py.ExternalLink(str(folder / "other.h5"), "/X")


def _soft_loop(file: h5py.File, folder: Path) -> None:
    del file["X"]
    file["X"] = h5py.SoftLink("/X")


def _zarr(name: str, change: Callable[[dict[str, Any]], None]) -> Make:
    """Make a sound zarr store, then change the metadata of one of its parts."""

    def changed(path: Path) -> None:
        file = path / name / "zarr.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        change(content)
        file.write_text(json.dumps(content), encoding="utf-8")

    return packing.zarr(change=changed)


def _huge_chunk(x: dict[str, Any]) -> None:
    x["chunk_grid"]["configuration"]["chunk_shape"] = [100_000, 100_000]


def _named_outside(obs: dict[str, Any]) -> None:
    obs["attributes"]["_index"] = "../../m.zarr/obs/_index"


def _zarr_pipe(path: Path) -> None:
    (path / "X/c/0/0").unlink()
    os.mkfifo(path / "X/c/0/0")


def _zarr_linked(path: Path) -> None:
    """A matrix that is in another folder."""
    (path / "X").rename(path.parent / "X")
    (path / "X").symlink_to(path.parent / "X")


# --- text ---------------------------------------------------------------------------------------------------


def _wide(folder: Path, clean: Clean) -> Inputs:
    """More samples than a matrix may have."""
    names = "\t".join(f"s{at}" for at in range(25_000))
    zeros = "\t".join(["0"] * 25_000)
    return Inputs(write(folder / "m.tsv", f"gene\t{names}\nCD8A\t{zeros}\nB2M\t{zeros}\n"))


def _long(folder: Path, clean: Clean) -> Inputs:
    """More genes than a matrix may have."""
    rows = "".join(f"{gene}.{at}\t1\t2\n" for at in range(20) for gene in clean.genes)
    return Inputs(write(folder / "m.tsv", "gene\ta\tb\n" + rows))


def _long_line(folder: Path, clean: Clean) -> Inputs:
    return Inputs(write(folder / "m.tsv", b"gene\ta\n" + b"x" * 40 * MEGABYTE))


def _open_quote(folder: Path, clean: Clean) -> Inputs:
    """A quote that is never closed takes in the rest of the file."""
    grid = Grid.of_clean(clean)
    grid.rows[5][0] = '"' + grid.rows[5][0]
    return Inputs(write(folder / "m.tsv", grid.text()))


def _many_digits(folder: Path, clean: Clean) -> Inputs:
    grid = Grid.of_clean(clean)
    grid.put("CD8A", "Pat19", "9" * 100_000)
    return Inputs(write(folder / "m.tsv", grid.text()))


def _device(path: str) -> Make:
    return lambda folder, clean: Inputs(Path(path))


def _pipe(folder: Path, clean: Clean) -> Inputs:
    os.mkfifo(folder / "m.tsv.gz")
    return Inputs(folder / "m.tsv.gz")


def _sheet_pipe(folder: Path, clean: Clean) -> Inputs:
    os.mkfifo(folder / "s.tsv")
    return Inputs(write_clean(folder, clean), samples=folder / "s.tsv")


def _gmt_pipe(folder: Path, clean: Clean) -> Inputs:
    os.mkfifo(folder / "g.gmt")
    return Inputs(write_clean(folder, clean), gene_sets=folder / "g.gmt")


def cases() -> Iterator[Case]:
    """All of them end with an error, in bounded memory and time."""
    matrices: dict[str, tuple[Make, str]] = {
        "bomb-gz": (_content("m.tsv.gz", _bomb_gz), LARGE),
        "bomb-zst": (_content("m.tsv.zst", _bomb_zst), LARGE),
        "bomb-xz": (_content("m.tsv.xz", _bomb_xz), LARGE),
        "xlsx-far-cell": (_content("m.xlsx", _xlsx_far_cell), LARGE + "|column|row|gene|sample"),
        "xlsx-bomb": (_content("m.xlsx", _xlsx_bomb), LARGE),
        "xlsx-entities": (_content("m.xlsx", _xlsx_entities), "entit|XML|DTD|xlsx"),
        "xlsx-outside": (_xlsx_outside, "entit|XML|DTD|xlsx"),
        "parquet-rows": (_content("m.parquet", _parquet_rows), LARGE),
        "mtx-huge": (_content("m.mtx", _mtx_huge), LARGE + "|features|match|folder"),
        "mtx-folder-huge": (_mtx_folder, LARGE + "|features|match"),
        "gct-huge": (_content("m.gct", _gct_huge), LARGE),
        "h5ad-virtual": (_h5ad(_virtual), LARGE + "|shape|match"),
        "h5ad-external-storage": (_h5ad(_external_storage), "external"),
        "h5ad-external-link": (_h5ad(_external_link), "link"),
        "h5ad-link-loop": (_h5ad(_soft_loop), "link|h5ad"),
        "zarr-huge": (_zarr("X", lambda x: x.update(shape=[6, 900_000_000])), LARGE + "|shape|match"),
        "zarr-negative": (_zarr("X", lambda x: x.update(shape=[-6, 8600])), "zarr"),
        "zarr-huge-chunk": (_zarr("X", _huge_chunk), LARGE),
        "zarr-outside": (_zarr("obs", _named_outside), "zarr"),
        "zarr-pipe": (packing.zarr(change=_zarr_pipe), "pipe"),
        "zarr-link": (packing.zarr(change=_zarr_linked), "linked"),
        "too-many-samples": (_wide, LARGE),
        "too-many-genes": (_long, LARGE),
        "long-line": (_long_line, LARGE),
        "open-quote": (_open_quote, "line|quote|field"),
        "many-digits": (_many_digits, "CD8A|line|infinite|long"),
        "device-zero": (_device("/dev/zero"), "regular|device"),
        "device-null": (_device("/dev/null"), "regular|device"),
        "pipe-gz": (_pipe, "regular|pipe"),
    }
    for name, (make, word) in matrices.items():
        yield _hostile(name, make, word, Blame.MATRIX)
    yield _hostile("pipe-for-sheet", _sheet_pipe, "regular|pipe", Blame.SAMPLES)
    yield _hostile("pipe-for-gene-sets", _gmt_pipe, "regular|pipe", Blame.GENE_SETS)


def _hostile(name: str, make: Make, word: str, blame: Blame) -> Case:
    return Case(
        f"hostile-{name}",
        CATEGORY,
        make,
        Expect.ERROR,
        mention=(word,),
        blame=blame,
        is_fast=name in FAST,
        is_isolated=True,
    )
