"""Made-up TPM that the golden files of the published scores were computed from, from uniform numbers.

    python tests/golden/published_data.py FOLDER

writes ``tpm.tsv`` and, for the immunophenoscore, ``EXPR.txt`` (log2(TPM + 1)), both genes × samples, and
``IPS_genes.txt``. Values depend on the genes of the shipped table: where those change, make all files again.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from escape_score.score.published import load_published

N_SAMPLES, N_OTHER = 12, 10_500
ZERO_FRACTION = 0.05
MISSING = ("HLA-H", "ICAM5", "EIF1AY", "CCL18", "CD247")
"""Genes left out in the second half of each golden file; no score falls below its coverage."""
SEED = 20_261_125


def tpm_table() -> pd.DataFrame:
    """Samples × genes: the genes of all scores among 10,500 others, with zeros and ties."""
    generator = np.random.default_rng(SEED)
    needed = sorted({gene.gene_symbol for score in load_published().scores for gene in score.genes})
    symbols = needed + [f"OTHER{column:05d}" for column in range(N_OTHER)]
    shape = (N_SAMPLES, len(symbols))
    level = 11.0 * generator.random(len(symbols)) ** 2
    is_mhc = np.isin(symbols, [gene.gene_symbol for gene in load_published().score("ips_mhc").genes])
    infiltrate = 4.0 * generator.random((N_SAMPLES, 1)) * (np.arange(len(symbols)) < len(needed))
    infiltrate += np.linspace(-2.0, 25.0, N_SAMPLES)[:, None] * is_mhc
    noise = generator.random((*shape, 4)).sum(axis=2) - 2.0
    tpm = np.exp2(level + infiltrate + noise).round(2)
    tpm[generator.random(shape) < ZERO_FRACTION] = 0.0
    samples = [f"S{row:02d}" for row in range(N_SAMPLES)]
    return pd.DataFrame(tpm, index=samples, columns=symbols)


def ips_genes() -> pd.DataFrame:
    """The gene list of the immunophenoscore in the form that IPS.R reads, in its order."""
    genes = load_published().score("ips_az").genes
    rows = [(gene.gene_symbol, gene.role, gene.part, gene.weight) for gene in genes]
    return pd.DataFrame(rows, columns=["GENE", "NAME", "CLASS", "WEIGHT"])


def main() -> None:
    """Write the tables."""
    folder = Path(sys.argv[1])
    tpm = tpm_table()
    tpm.T.to_csv(folder / "tpm.tsv", sep="\t", float_format="%.17g")
    log2_tpm = pd.DataFrame(np.log2(tpm + 1.0))
    log2_tpm.T.to_csv(folder / "EXPR.txt", sep="\t", float_format="%.17g")
    ips_genes().to_csv(folder / "IPS_genes.txt", sep="\t", index=False)


if __name__ == "__main__":
    main()
