"""Measure whole runs on matrices of pseudo-bulk that are larger than memory should be: h5ad and zarr.

    python benchmarks/bench_out_of_core.py [--largest 50000] [--smallest 12500] [--folder DIR] [--quick]

Sizes double from the smallest to the largest number of samples. Each sample is a random mix of two tumours as
UMI counts of 20,000 genes, float32: as h5ad in chunks of 16 samples with lzf, and as zarr in chunks of 128
samples with zstd. Every measurement is a process of its own that imports first and starts the clock then, on
one thread. CPU time depends least on other work of the machine, so that the time of a sample is given in it.
Prints a Markdown table. 100,000 samples need 7 GB on disk.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import zarr
from bench_end_to_end import measured
from shared import N_GENES, demo_log2, mixed_samples

CHUNK, CHUNK_HDF5 = 128, 16
LIMITS = "read:\n  max_samples: 1000000\n  max_file_mb: 100000\n"
HEADER = (
    "| what | seconds | CPU seconds | peak MB | CPU ms per sample | over the smallest |\n"
    "|---|---|---|---|---|---|"
)
RUN = """
import sys, time, json
import anndata, h5py, zarr
import escape_score.pipeline.profiles, escape_score.pipeline.profiling, escape_score.read
import escape_score.store.h5ad
from escape_score.cli.main import main
start, cpu = time.perf_counter(), time.process_time()
code = main(["run", sys.argv[1], "--units", "umi", "--config", sys.argv[2], "--out", sys.argv[3],
             "--no-reports", "--quiet"])
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
assert code == 0
print(json.dumps([seconds, cpu, peak_mb()]))
"""

Values = npt.NDArray[np.float32]


def counts(log2: npt.NDArray[np.float64], n_samples: int) -> Iterator[tuple[int, Values]]:
    """Stretches of samples as counts of about a million, each with its first position."""
    samples = mixed_samples(log2, n_samples)
    for start in range(0, n_samples, CHUNK):
        block = [next(samples) for _ in range(start, min(start + CHUNK, n_samples))]
        yield start, np.rint(np.exp2(np.stack(block)) - 1.0)


def write_matrices(folder: Path, n_samples: int) -> list[Path]:
    """Write the same AnnData as h5ad and as zarr, block by block."""
    genes, log2 = demo_log2()
    obs, var = (pd.DataFrame(index=names) for names in (_names(n_samples), genes))
    paths = [folder / f"{n_samples}.h5ad", folder / f"{n_samples}.zarr"]
    empty = ad.AnnData(obs=obs, var=var)
    empty.write_h5ad(paths[0])
    empty.write_zarr(paths[1])
    layout, kind = (n_samples, N_GENES), {"encoding-type": "array", "encoding-version": "0.2.0"}
    with h5py.File(paths[0], "a") as file:
        store = zarr.open_group(paths[1], mode="a")
        both = (
            file.create_dataset("X", layout, "f4", chunks=(CHUNK_HDF5, N_GENES), compression="lzf"),
            store.create_array("X", shape=layout, dtype="f4", chunks=(CHUNK, N_GENES)),
        )
        for start, block in counts(log2, n_samples):
            for x in both:
                x[start : start + len(block)] = block
        for x in both:
            x.attrs.update(kind)
    return paths


def _names(n_samples: int) -> list[str]:
    return [f"S{number}" for number in range(n_samples)]


def disk_mb(path: Path) -> float:
    """MB of a file, or of all files of a folder."""
    return sum(one.stat().st_size for one in (path, *path.rglob("*")) if one.is_file()) / 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--largest", type=int, default=50_000)
    parser.add_argument("--smallest", type=int, default=12_500)
    parser.add_argument("--folder", type=Path, help="where matrices are written and removed again")
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything")
    options = parser.parse_args()
    part = 20 if options.quick else 1
    smallest, largest = options.smallest // part, options.largest // part
    sizes = [smallest << step for step in range(20) if smallest << step <= largest]
    first: dict[str, float] = {}
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        (folder / "limits.yaml").write_text(LIMITS, encoding="utf-8")
        for size in sizes:
            for matrix in write_matrices(folder, size):
                seconds, cpu, peak = measured(RUN, matrix, folder / "limits.yaml", folder / "out")
                kind, per_sample = matrix.suffix[1:], 1000 * cpu / size
                ratio = per_sample / first.setdefault(kind, per_sample)
                what = f"{kind}, {size} × {N_GENES}, {disk_mb(matrix):.0f} MB on disk"
                print(
                    f"| {what} | {seconds:.1f} | {cpu:.1f} | {peak:.0f} | {per_sample:.2f} | {ratio:.2f} |",
                    flush=True,
                )
                shutil.rmtree(matrix) if matrix.is_dir() else matrix.unlink()


if __name__ == "__main__":
    main()
