"""Made-up expression that the golden files of the scoring methods were computed from, from uniform numbers.

    python tests/golden/method_data.py FOLDER

writes it as tables, for programs in other languages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from escape_score.model.cohort import FloatArray
from escape_score.model.signature import Signature

N_SAMPLES, N_GENES, N_CONSTANT = 12, 1500, 20
SIZES = (5, 10, 20, 40, 80, 150)
N_UNMEASURED = 3
SEED = 20_261_124


def tied_table() -> pd.DataFrame:
    """Samples × genes in two decimals: some 20 % zeros, many equal values, and the last genes all 0."""
    values = np.maximum(_smooth(), 0.0).round(2).astype(np.float64)
    values[:, -N_CONSTANT:] = 0.0
    return _framed(values)


def untied_table() -> pd.DataFrame:
    """The same before rounding, > 0, no two values of a sample equal."""
    smooth = _smooth()
    return _framed(smooth - smooth.min() + 0.01)


def count_table() -> pd.DataFrame:
    """Counts."""
    return tied_table().mul(10.0).floordiv(1.0)


def signatures() -> list[Signature]:
    """Sets of several sizes; three genes of the third are not measured."""
    generator = np.random.default_rng(SEED + 1)
    sets: list[Signature] = []
    for size in SIZES:
        columns = np.argsort(generator.random(N_GENES))[:size]
        symbols = [_symbol(column) for column in columns]
        if len(sets) == 2:
            symbols[-N_UNMEASURED:] = [f"ABSENT{i}" for i in range(N_UNMEASURED)]
        sets.append(Signature(f"set_{size}", tuple(symbols)))
    return sets


def _smooth() -> FloatArray:
    generator = np.random.default_rng(SEED)
    level = 12.0 * generator.random(N_GENES) ** 2
    noise = generator.random((N_SAMPLES, N_GENES, 4)).sum(axis=2) - 2.0
    smooth: FloatArray = level + 2.0 * noise - 1.0
    return smooth


def _symbol(column: int) -> str:
    return f"GENE{column:04d}"


def _framed(values: FloatArray) -> pd.DataFrame:
    samples = [f"S{row:02d}" for row in range(N_SAMPLES)]
    return pd.DataFrame(values, index=samples, columns=[_symbol(column) for column in range(N_GENES)])


def main() -> None:
    """Write genes × samples and the sets."""
    folder = Path(sys.argv[1])
    for name, table in (("tied", tied_table()), ("counts", count_table())):
        table.T.to_csv(folder / f"{name}.tsv", sep="\t", float_format="%.17g")
    lines = ["\t".join([s.signature_id, "", *s.gene_symbols]) for s in signatures()]
    (folder / "sets.gmt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
