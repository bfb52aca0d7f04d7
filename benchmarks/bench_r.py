"""Measure the kernels beside R's GSVA package, where it is installed, in turn, R as a process of its own.

    python benchmarks/bench_r.py [--rounds 2] [--samples 100]

R starts its clock when packages and matrix are loaded. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from bench_methods import expression, framed, gene_sets, index_of, seconds

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import Ties
from escape_score.score.methods import METHODS, MethodScores
from escape_score.score.methods.gsva import score_gsva
from escape_score.score.methods.ssgsea import score_ssgsea

HAS_GSVA = 'if (!requireNamespace("GSVA", quietly = TRUE)) quit(status = 3)'
CODE = """
suppressMessages(library(GSVA))
arguments <- commandArgs(trailingOnly = TRUE)
values <- as.matrix(read.delim(arguments[1], row.names = 1, check.names = FALSE))
lines <- strsplit(readLines(arguments[2]), "\\t")
sets <- setNames(lapply(lines, function(line) line[-(1:2)]), sapply(lines, `[`, 1))
options <- list(expr = values, gset.idx.list = sets, method = arguments[3], verbose = FALSE, parallel.sz = 1)
if (arguments[3] == "ssgsea") options <- c(options, list(ssgsea.norm = FALSE))
taken <- system.time(scores <- do.call(gsva, options))[["elapsed"]]
write.table(scores, arguments[4], sep = "\\t", quote = FALSE)
cat(taken, as.character(packageVersion("GSVA")), R.version$major, R.version$minor)
"""


def r_seconds(files: list[Path], method: str) -> tuple[float, str]:
    """Seconds that R took, and versions."""
    command = ["Rscript", "-e", CODE, str(files[0]), str(files[1]), method, str(files[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    taken, gsva, major, minor = done.stdout.split()[-4:]  # it says more before, for some methods
    return float(taken), f"GSVA {gsva}, R {major}.{minor}"


def ours(method: str, values: FloatArray) -> MethodScores:
    """The same score, with R's ties."""
    index = index_of(gene_sets())
    if method == "ssgsea":
        return score_ssgsea(values, index, ties=Ties.GSVA)
    return (
        score_gsva(values, index, ties=Ties.GSVA)
        if method == "gsva"
        else METHODS[method].score(values, index)
    )


def main() -> None:
    """Print the table, or a word where R is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args()
    try:
        subprocess.run(["Rscript", "-e", HAS_GSVA], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        print("R with GSVA (Debian: r-bioc-gsva) is not installed; not measured.")
        sys.exit(0)
    values = expression(options.samples).astype("float64")
    print("| what | ours / R | R ÷ ours | spread | largest difference |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / part for part in ("x.tsv", "sets.gmt", "scores.tsv")]
        framed(values).to_csv(files[0], sep="\t")
        files[1].write_text(
            "".join("\t".join([s, "", *genes]) + "\n" for s, genes in gene_sets().items()), encoding="utf-8"
        )
        for method in ("ssgsea", "gsva", "zscore"):
            ours(method, values[:5])
            pairs = []
            for _ in range(options.rounds):
                own = seconds(lambda m=method: ours(m, values))
                pairs.append((own, *r_seconds(files, method)))
            theirs = pd.read_csv(files[2], sep="\t").T.to_numpy()
            ratios = sorted(r / own for own, r, _ in pairs)
            times = " / ".join(f"{statistics.median(pair[i] for pair in pairs):.3g} s" for i in (0, 1))
            difference = abs(ours(method, values).values - theirs).max()
            print(
                f"| {method}, {options.samples} samples, {pairs[0][2]} | {times} "
                f"| {statistics.median(ratios):.0f} | {ratios[0]:.0f}–{ratios[-1]:.0f} | {difference:.2g} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
