"""What benchmarks share: one thread, samples made from the bundled cohort, processes, rows of tables."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "resources" / "demo" / "expression.parquet"
SHEET = ROOT / "resources" / "demo" / "samples.tsv"
LENGTHS = ROOT / "resources" / "reference" / "tcga-coadread-v1" / "length_factors.tsv"
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "RAYON")}
N_GENES, SEED = 20_000, 20_261_124
MUST_HEADER = "| what | measured | must reach | reached |\n|---|---|---|---|"


def most_counted(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Rows of the genes (of genes × samples) that are above zero in most samples."""
    return np.argsort(-(counts > 0).sum(axis=1), kind="stable")[:N_GENES]


def demo_log2() -> tuple[list[str], npt.NDArray[np.float64]]:
    """Names of the most measured genes of the bundled cohort, and its tumours × genes in log2(TPM + 1)."""
    table = pd.read_parquet(DEMO)
    counts = table.to_numpy(dtype=np.float64)
    kept = most_counted(counts)
    return [str(table.index[at]) for at in kept], np.log2(
        counts[kept] / counts[kept].sum(axis=0) * 1e6 + 1.0
    ).T


def mixed_samples(log2: npt.NDArray[np.float64], n_samples: int) -> Iterator[npt.NDArray[np.float32]]:
    """Samples one by one, each a random mix of two tumours (of tumours × genes) with 10 % noise."""
    generator = np.random.default_rng(SEED)
    for _ in range(n_samples):
        first, second = generator.integers(0, len(log2), 2)
        share = generator.random()
        mixed = share * log2[first] + (1.0 - share) * log2[second]
        yield (mixed * generator.normal(1.0, 0.1, log2.shape[1]).clip(0.0)).astype(np.float32)


def must_rows(text: str) -> list[str]:
    """Rows of all tables of what must be reached, in a text."""
    rows, is_inside = [], False
    for line in text.splitlines():
        is_inside = (is_inside and line.startswith("|")) or line == MUST_HEADER.splitlines()[0]
        rows += [line] if is_inside else []
    return [row for row in rows if row not in MUST_HEADER.splitlines()]


@dataclass(frozen=True)
class Measured:
    """What a process took."""

    seconds: float
    peak_mb: float


def measure(command: Sequence[object], *, is_one_thread: bool = False) -> Measured:
    """Run a process to its end; a failure ends the benchmark with the last words of the process."""
    words, environment = [str(word) for word in command], os.environ | (ONE_THREAD if is_one_thread else {})
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"error: {' '.join(words)}: {said.read().decode(errors='replace')[-400:]}")
    return Measured(seconds, usage.ru_maxrss / 1024)


def must_row(what: str, measured: str, must: str, *, is_reached: bool) -> str:
    """One row of a table of what must be reached."""
    return f"| {what} | {measured} | {must} | {'yes' if is_reached else '**no**'} |"
