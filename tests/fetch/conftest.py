"""A small matrix in the layout of the public ones, and a server that has it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.conftest import needed_genes
from tests.fetch.file_server import Behaviour, serving

from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.model.cohort import Cohort
from escape_score.model.units import ExpressionUnit
from escape_score.reference.sources import COLUMNS, USER_TABLE
from escape_score.store import download

FILE = "/download/TCGA-DEMO.star_tpm.tsv.gz"
N_PATIENTS = 26


@pytest.fixture(autouse=True)
def _direct_and_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine, and no pauses between tries."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(download, "PAUSES_S", (0.0, 0.0))


def barcodes_of(patients: list[str]) -> list[str]:
    """Twenty-six patients with a primary tumour or a metastasis, further vials, and normal tissue."""
    primary, metastatic = patients[: N_PATIENTS - 2], patients[N_PATIENTS - 2 : N_PATIENTS]
    return [
        *(f"{patient}-01A" for patient in primary),
        *(f"{patient}-06A" for patient in (*metastatic, primary[0])),
        f"{primary[1]}-01B",
        *(f"{patient}-11A" for patient in primary[2:5]),
    ]


@pytest.fixture(scope="session")
def public_table(repo_root: Path, demo_lengths: Path, make_cohort: Callable[..., Cohort]) -> pd.DataFrame:
    """Thirty-one tumours of the bundled cohort as log2(TPM + 1): Ensembl ids × barcodes."""
    counts = pd.read_parquet(repo_root / "resources" / "demo" / "expression.parquet")
    counts = needed_genes(counts.iloc[:, :31])
    cohort = make_cohort(counts.T.astype(np.float64), ExpressionUnit.COUNTS)
    harmonised = harmonise(cohort, gene_lengths=open_gene_lengths(demo_lengths))
    tpm = np.exp2(harmonised.source.block(0, counts.shape[1])) - 1.0
    names = pd.read_csv(repo_root / "resources" / "genes" / "genes.tsv.gz", sep="\t")
    ids = names.dropna(subset="ensembl_gene_id").set_index("gene_symbol")["ensembl_gene_id"]
    table = pd.DataFrame(tpm.T, index=list(harmonised.gene_symbols))
    table = table.loc[table.index.intersection(ids.index)]
    table = (table / table.sum() * 1e6 + 1.0).map(np.log2)
    table.index = pd.Index(ids[table.index] + ".7", name="Ensembl_ID")
    table.columns = pd.Index(barcodes_of([f"{name[:12]}" for name in counts.columns]))
    return table[~table.index.duplicated()]


@pytest.fixture(scope="session")
def matrix(public_table: pd.DataFrame) -> bytes:
    """The file."""
    return packed(public_table)


def packed(table: pd.DataFrame) -> bytes:
    text = table.to_csv(sep="\t", float_format="%.6f")
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


@pytest.fixture
def behaviour(matrix: bytes) -> Behaviour:
    """What the server does."""
    return Behaviour(matrix)


@pytest.fixture
def address(behaviour: Behaviour) -> Iterator[str]:
    """Address of the server."""
    with serving(behaviour) as found:
        yield found


ROW = {
    "type": "DEMO",
    "name": "gdc-demo",
    "tumour_type": "melanoma",
    "project": "TCGA-DEMO",
    "urls": "",
    "unit": "log2(x+1)",
    "first_column": "Ensembl_ID",
    "sample_codes": "01 06",
    "min_samples": "20",
    "max_mb": "50",
    "citation": "made for a test",
}


def table_of(*rows: Mapping[str, str]) -> str:
    """A table of sources."""
    lines = [COLUMNS, *([row.get(column, "") for column in COLUMNS] for row in rows)]
    return "".join("\t".join(line) + "\n" for line in lines)


@pytest.fixture
def write_sources(kept_references: Path) -> Callable[..., Path]:
    """Write a table of the user with one row; the data folder."""

    def write(*urls: str, **cells: str) -> Path:
        data = kept_references.parent
        data.mkdir(exist_ok=True)
        row = ROW | {"urls": " ".join(urls)} | cells
        (data / USER_TABLE).write_text(table_of(row), encoding="utf-8")
        return data

    return write


@pytest.fixture
def data(address: str, write_sources: Callable[..., Path]) -> Path:
    """A data folder whose table names the server."""
    return write_sources(address + FILE)
