"""The cells of one sample as an HDF5 file: the same bytes for the same cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pydantic import TypeAdapter

from escape_score.errors import FileMissingError, FileUnreadableError
from escape_score.model.cells import CellSample, GateCounts
from escape_score.model.notes import Note
from escape_score.store.hdf5_output import has_intact_seal, replacing_hdf5

KIND = "escape_score cells 1"
"""Content of the attribute ``kind``, which files of cells have."""


NOT_INTACT = "not a file of cells of this program, or damaged; remove it, then run the same command again"
DAMAGED = (OSError, LookupError, ValueError, TypeError)
"""What h5py, numpy and pydantic raise at a file of another program, or of another version of this one."""


@dataclass(frozen=True)
class _SampleMeta:
    """What is not an array."""

    sample_id: str
    patient_id: str
    is_umi: bool
    gates: GateCounts
    flags: tuple[Note, ...]


_META = TypeAdapter(_SampleMeta)


def write_sample(path: Path, sample: CellSample) -> None:
    """Write the cells of a sample, whole or not at all; the same cells give the same bytes.

    Raises OutputUnwritableError: the file cannot be written, or the disk is full.
    """
    counts = sample.counts
    kind = np.min_scalar_type(max(len(sample.gene_symbols) - 1, 0))
    arrays = {
        "cell_ids": _encoded(sample.cell_ids),
        "gene_symbols": _encoded(np.array(sample.gene_symbols, dtype=np.str_)),
        "starts": counts.indptr.astype(np.int64),
        "columns": counts.indices.astype(kind),
        "values": _smallest(counts.data),
    }
    if sample.given_types is not None:
        words, codes = np.unique(sample.given_types, return_inverse=True)
        arrays |= {"types": _encoded(words), "type_of": codes.astype(np.int32)}
    meta = _SampleMeta(sample.sample_id, sample.patient_id, sample.is_umi, sample.gates, sample.flags)
    with replacing_hdf5(path, has_seal=True) as output:
        output.handle.attrs["kind"] = KIND
        text = np.frombuffer(_META.dump_json(meta), dtype=np.uint8)
        for name, values in {"meta": text, **arrays}.items():
            output.handle.create_dataset(name, data=values, track_times=False)
            output.check_disk()


def _encoded(words: npt.NDArray[np.str_]) -> npt.NDArray[np.bytes_]:
    """Words in UTF-8, all as long as the longest."""
    return (
        np.char.encode(words, "utf-8") if words.size and words.dtype.itemsize else np.zeros(len(words), "S1")
    )


def _smallest(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Whole numbers in the smallest unsigned type; others in 4 bytes where nothing is lost."""
    high = values.max(initial=0)
    if (
        np.isfinite(high)
        and values.min(initial=0) >= 0
        and high < 2**32
        and (np.rint(values) == values).all()
    ):
        return values.astype(np.min_scalar_type(int(high)))
    single = values.astype(np.float32)
    return single if np.array_equal(single, values) else values.astype(np.float64)


def read_sample(path: Path) -> CellSample:
    """Read what :func:`write_sample` wrote: counts as int32, or float64 where some are fractions.

    Raises FileMissingError: nothing is there. FileUnreadableError: it is another file, or damaged.
    """
    if not path.is_file():
        raise FileMissingError.at(path, "no such file; run the stage before first")
    try:
        if not has_intact_seal(path):
            raise FileUnreadableError.at(path, NOT_INTACT)
        with h5py.File(path) as file:
            if file.attrs.get("kind") != KIND:
                raise FileUnreadableError.at(
                    path, "not a file of cells of this program; run the stage before"
                )
            meta = _META.validate_json(file["meta"][:].tobytes())
            return _made_of(meta, {name: file[name][:] for name in file if name != "meta"})
    except DAMAGED as error:
        raise FileUnreadableError.at(path, NOT_INTACT) from error


def _made_of(meta: _SampleMeta, arrays: Mapping[str, npt.NDArray[Any]]) -> CellSample:
    """A sample from the arrays of its file; raises one of ``DAMAGED`` if they do not belong together."""
    cells, genes = (np.char.decode(arrays[name], "utf-8") for name in ("cell_ids", "gene_symbols"))
    values, starts = arrays["values"], arrays["starts"]
    numbers = values.astype(np.float64 if values.dtype.kind == "f" else np.int32)
    starts = starts.astype(np.int32) if starts[-1] < 2**31 else starts
    counts = sp.csr_array(
        (numbers, arrays["columns"].astype(starts.dtype), starts), shape=(len(cells), len(genes))
    )
    types = np.char.decode(arrays["types"], "utf-8")[arrays["type_of"]] if "types" in arrays else None
    return CellSample(
        sample_id=meta.sample_id,
        patient_id=meta.patient_id,
        cell_ids=cells,
        gene_symbols=tuple(genes.tolist()),
        counts=counts,
        given_types=types,
        is_umi=meta.is_umi,
        gates=meta.gates,
        flags=meta.flags,
    )
