"""Make ``ucell__pyucell_0.8.0.tsv``, with the same ranks left at 500 genes.

pip install pyucell==0.8.0
PYTHONPATH=src:. python tests/golden/make_ucell.py
"""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import pyucell  # type: ignore[import-not-found]
import scipy.sparse as sp
from tests.golden.method_data import signatures, tied_table

GOLDEN = Path(__file__).with_name("ucell__pyucell_0.8.0.tsv")
MAX_RANK = 500


def main() -> None:
    """Score and write samples × sets."""
    cells = ad.AnnData(sp.csr_matrix(tied_table().to_numpy()))
    cells.obs_names, cells.var_names = tied_table().index, tied_table().columns
    sets = {s.signature_id: list(s.gene_symbols) for s in signatures()}
    pyucell.compute_ucell_scores(cells, sets, max_rank=MAX_RANK, n_jobs=1, suffix="")
    cells.obs[list(sets)].to_csv(GOLDEN, sep="\t", float_format="%.9g", index_label="sample_id")


if __name__ == "__main__":
    main()
