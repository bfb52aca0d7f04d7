"""The clean cohort that each case spoils in one way, and the result of running it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.gene_sets import load_signatures
from escape_score.model.cohort import Cohort, InMemoryMatrix, SampleRecord
from escape_score.model.notes import Code, note
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.read.checks.unit_evidence import totals_of
from escape_score.read.checks.values import gather_facts

DECLARED = note(Code.UNIT, "declared", unit="tpm", figures="")


RESOURCES = Path(__file__).resolve().parents[2] / "resources"
DEMO = RESOURCES / "demo" / "expression.parquet"
LENGTHS = RESOURCES / "reference" / "tcga-coadread-v1" / "length_factors.tsv"

SAMPLES = ("Pat02", "Pat19", "Pat37", "Pat47", "Pat86", "Pat126")
N_GENES = 8_600
"""Above the number from which a cohort counts as a whole transcriptome, and no more, for speed."""


@dataclass(frozen=True, eq=False)
class Clean:
    """Six tumours without a fault.

    Parameters
    ----------
    tpm
        Genes × samples, each sample adding up to 1e6 but for rounding to four decimals; sorted by symbol.
    """

    tpm: pd.DataFrame

    @property
    def genes(self) -> list[str]:
        return [str(gene) for gene in self.tpm.index]

    @property
    def samples(self) -> list[str]:
        return [str(sample) for sample in self.tpm.columns]


@cache
def clean_cohort() -> Clean:
    """Cut six tumours and some thousand genes out of the bundled cohort."""
    counts = pd.read_parquet(DEMO)
    picked = counts.iloc[:, :: counts.shape[1] // len(SAMPLES)].iloc[:, : len(SAMPLES)]
    tpm = _tpm(picked.T.astype(np.float64))
    kept = tpm.loc[sorted(_kept_genes(tpm))]
    scaled = (kept * (1e6 / kept.sum())).round(4)
    return Clean(scaled.set_axis(list(SAMPLES), axis=1).rename_axis("gene"))


def _kept_genes(tpm: pd.DataFrame) -> set[str]:
    """All genes that a score or a check looks at, and others evenly spread, that have an id of every kind."""
    library = load_signatures()
    scored = {gene for part in (*library.components, *library.published) for gene in part.gene_symbols} & set(
        tpm.index
    )
    table = gene_table()
    named = set(table.index[(table["ensembl_gene_id"] != "") & (table["entrez_id"] != "")])
    unscored = named - scored
    others = [gene for gene in tpm.index[tpm.max(axis=1) > 1.0] if gene in unscored]
    n_others = N_GENES - len(scored)
    chosen = np.linspace(0, len(others) - 1, n_others).astype(int)
    return scored | {others[at] for at in chosen}


def _tpm(counts: pd.DataFrame) -> pd.DataFrame:
    """Approved symbols × samples in TPM, as the package itself makes them."""
    ids = tuple(str(name) for name in counts.index)
    source = InMemoryMatrix(ids, tuple(str(name) for name in counts.columns), counts.to_numpy(np.float64))
    cohort = Cohort(
        name="clean",
        source=source,
        unit=UnitDecision(
            ExpressionUnit.COUNTS,
            is_declared=True,
            evidence=DECLARED,
        ),
        samples=tuple(SampleRecord(sample_id) for sample_id in ids),
        input_sha256="0" * 64,
        totals=totals_of(gather_facts(source, label="clean"), ExpressionUnit.COUNTS),
    )
    harmonised = harmonise(cohort, gene_lengths=open_gene_lengths(LENGTHS))
    values = np.exp2(harmonised.source.block(0, len(ids))) - 1.0
    return pd.DataFrame(values.T, list(harmonised.gene_symbols), list(ids))


@cache
def gene_table() -> pd.DataFrame:
    """The shipped table of genes, by symbol: ``ensembl_gene_id``, ``entrez_id``, ``length_bp`` as text."""
    table = pd.read_csv(RESOURCES / "genes" / "genes.tsv.gz", sep="\t", dtype=str, keep_default_na=False)
    return table.set_index("gene_symbol")


@cache
def former_symbols() -> dict[str, str]:
    """One unambiguous former symbol, that is no other gene's symbol, of genes that have one."""
    names = pd.read_csv(RESOURCES / "genes" / "names.tsv.gz", sep="\t", dtype=str, keep_default_na=False)
    current = set(gene_table().index)
    previous = names[(names["kind"] == "previous") & ~names["name"].isin(current)]
    unique = previous[~previous["name"].duplicated(keep=False)]
    return dict(zip(unique["gene_symbol"], unique["name"], strict=True))
