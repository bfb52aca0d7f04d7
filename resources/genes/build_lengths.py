"""Build ``effective_lengths.tsv`` of this folder from ``genes.tsv.gz`` and the reference's length factors.

Run ``python resources/genes/build_lengths.py [--out FILE]``. Nothing is fetched, and the same inputs give the
same bytes. ``README.md`` in this folder says what the lengths are and how good they are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parent
GENES = FOLDER / "genes.tsv.gz"
FACTORS = FOLDER.parent / "reference" / "tcga-coadread-v1" / "length_factors.tsv"

UNKNOWN_FACTOR = 1000.0
"""Factor of genes that were too low to be measured: the median of all (``resources/reference/README.md``)."""


def effective_lengths() -> pd.Series:
    """Effective length in bp of every gene whose factor was measured, by approved symbol, 4 digits.

    Factors are relative. They are brought to base pairs by their median ratio to the lengths of GENCODE.
    """
    factors = pd.read_csv(FACTORS, sep="\t", index_col="gene_symbol")["length_bp"]
    factors = factors[factors != UNKNOWN_FACTOR]
    annotated = pd.read_csv(GENES, sep="\t", index_col="gene_symbol", dtype={"entrez_id": str})["length_bp"]
    ratios = np.log2(annotated.reindex(factors.index) / factors)
    return (factors * 2.0 ** ratios.median()).map(lambda length: float(f"{length:.4g}"))


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, default=FOLDER / "effective_lengths.tsv", help="file to write the lengths to"
    )
    lengths = effective_lengths()
    text = "".join(f"{symbol}\t{length:g}\n" for symbol, length in lengths.sort_index().items())
    parser.parse_args().out.write_text(f"gene_symbol\tlength_bp\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
