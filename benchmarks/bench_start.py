"""Measure what a user waits for at the command line: help, errors, one sample, a large text file.

    python benchmarks/bench_start.py [--rounds 5] [--quick]

Each measurement is a process of its own, imports included, with warm caches: the first of the rounds is not
counted. The text file is compressed by gzip; beside the run, pyarrow alone reads it. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from shared import DEMO, LENGTHS, MUST_HEADER, N_GENES, demo_log2, mixed_samples, must_row

PROGRAM = str(Path(sys.executable).parent / "escape-score")
READ = """
import sys
from pyarrow import csv
csv.read_csv(sys.argv[1], parse_options=csv.ParseOptions(delimiter="\\t"))
"""


def seconds(command: Sequence[object], rounds: int, *, code: int = 0) -> list[float]:
    """Wall time of a process in each round."""
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        taken.append(time.perf_counter() - start)
        if done.returncode != code:
            sys.exit(f"error: {' '.join(map(str, command))}: {done.stderr[-400:]}")
    return taken[1:]


def within(what: str, taken: list[float], most_s: float) -> str:
    """Row of a time that must not be longer."""
    middle = statistics.median(taken)
    figures = f"{middle:.2f} s ({min(taken):.2f}–{max(taken):.2f})"
    return must_row(what, figures, f"≤ {most_s:g} s", is_reached=middle <= most_s)


def answers(folder: Path, rounds: int) -> Iterator[str]:
    """What is answered before any work."""
    missing = ["run", folder / "none.tsv", "--out", folder / "out"]
    yield within("`--help`", seconds([PROGRAM, "--help"], rounds), 0.3)
    yield within("`run --help`", seconds([PROGRAM, "run", "--help"], rounds), 0.3)
    yield within("an unknown option", seconds([PROGRAM, "run", "--uints", "tpm"], rounds, code=2), 0.3)
    yield within("a missing file", seconds([PROGRAM, *missing], rounds, code=3), 1.0)
    empty = statistics.median(seconds([sys.executable, "-c", ""], rounds))
    imports = seconds([sys.executable, "-c", "import escape_score"], rounds)
    yield within(
        "`import escape_score`, Python's own start taken off", [one - empty for one in imports], 0.15
    )


def one_sample(folder: Path, rounds: int) -> str:
    """A whole run with its page, for one tumour of the bundled cohort."""
    matrix = folder / "one.tsv"
    pd.read_parquet(DEMO).iloc[:, :1].to_csv(matrix, sep="\t")
    command = [PROGRAM, "run", matrix, "--units", "counts", "--gene-lengths", LENGTHS, "--quiet"]
    return within(
        "one sample, 20,531 rows, run with its page",
        seconds([*command, "--out", folder / "one"], rounds),
        1.8,
    )


def write_text(path: Path, n_samples: int) -> None:
    """Write genes × samples in log2(TPM + 1) with four decimals, as TSV in gzip."""
    genes, log2 = demo_log2()
    columns = np.array(list(mixed_samples(log2, n_samples))).T
    with gzip.open(path, "wt", compresslevel=4, encoding="utf-8") as handle:
        handle.write("\t".join(["gene", *(f"S{i}" for i in range(n_samples))]) + "\n")
        template = "%s" + "\t%.4f" * n_samples + "\n"
        for gene, row in zip(genes, columns.tolist(), strict=True):
            handle.write(template % (gene, *row))


def text_file(folder: Path, rounds: int, n_samples: int) -> str:
    """A large text file, beside its reading alone."""
    matrix = folder / "m.tsv.gz"
    write_text(matrix, n_samples)
    command = [
        PROGRAM,
        "run",
        matrix,
        "--units",
        "log2(x+1)",
        "--no-reports",
        "--quiet",
        "--out",
        folder / "text",
    ]
    pairs = [
        (seconds(command, 1)[0], seconds([sys.executable, "-c", READ, matrix], 1)[0]) for _ in range(rounds)
    ]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return must_row(
        f"TSV.gz, {N_GENES} × {n_samples}, run without pages ÷ pyarrow's reading alone",
        f"{ours:.1f} s ÷ {theirs:.1f} s = {ratio:.2f}",
        "≤ 1.5",
        is_reached=ratio <= 1.5,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round, a tenth of the text file")
    options = parser.parse_args()
    rounds, n_samples = (1, 100) if options.quick else (options.rounds, 1000)
    print(MUST_HEADER, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for row in answers(folder, rounds):
            print(row, flush=True)
        print(one_sample(folder, rounds), flush=True)
        print(text_file(folder, -(-rounds // 2), n_samples))


if __name__ == "__main__":
    main()
