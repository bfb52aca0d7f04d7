"""Small matrices of real gene symbols with numbers of our own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escape_score.genes import load_gene_table

MakeFrame = Callable[..., pd.DataFrame]
WriteText = Callable[..., Path]


def gene_symbols(n_genes: int) -> list[str]:
    return sorted(load_gene_table().current)[:n_genes]


@pytest.fixture(scope="session")
def make_tpm() -> MakeFrame:
    """Genes x samples that add up to 1e6 a sample, a fifth of the cells 0."""

    def make(*, n_genes: int = 300, n_samples: int = 4, seed: int = 1) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        values = rng.lognormal(2.0, 2.0, (n_genes, 1)) * rng.lognormal(0.0, 0.5, (n_genes, n_samples))
        values[rng.random((n_genes, n_samples)) < 0.2] = 0.0
        values *= 1e6 / values.sum(axis=0)
        genes = pd.Index(gene_symbols(n_genes), name="gene")
        return pd.DataFrame(values, index=genes, columns=[f"P{number:02d}" for number in range(n_samples)])

    return make


@pytest.fixture
def write_text(tmp_path: Path) -> WriteText:
    """Write lines of cells as a text file."""

    def write(
        lines: list[str], *, name: str = "matrix.tsv", end: str = "\n", encoding: str = "utf-8"
    ) -> Path:
        path = tmp_path / name
        path.write_bytes("".join(line + end for line in lines).encode(encoding))
        return path

    return write
