"""Make ``aucell__decoupler_2.2.0.tsv``, on values of which no two in a sample are equal.

pip install decoupler==2.2.0
PYTHONPATH=src:. python tests/golden/make_aucell.py
"""

from __future__ import annotations

from pathlib import Path

import decoupler  # type: ignore[import-not-found]
import pandas as pd
from tests.golden.method_data import signatures, untied_table

GOLDEN = Path(__file__).with_name("aucell__decoupler_2.2.0.tsv")


def main() -> None:
    """Score and write samples × sets."""
    pairs = [(s.signature_id, symbol) for s in signatures() for symbol in s.gene_symbols]
    network = pd.DataFrame(pairs, columns=["source", "target"])
    scores = decoupler.mt.aucell(untied_table(), network, tmin=1)
    scores = scores[0] if isinstance(scores, tuple) else scores
    columns = [s.signature_id for s in signatures()]
    scores[columns].to_csv(GOLDEN, sep="\t", float_format="%.17g", index_label="sample_id")


if __name__ == "__main__":
    main()
