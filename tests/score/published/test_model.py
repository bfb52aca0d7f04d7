"""The shipped table of published scores."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from escape_score.errors import UsageError
from escape_score.genes import load_gene_table
from escape_score.library.gene_sets import load_signatures
from escape_score.score.methods import METHODS, Scope
from escape_score.score.published import Formula, load_published
from escape_score.score.published.formulas import FORMULAS

RENAMED = {"SDPR": "CAVIN2", "IARS": "IARS1", "DARS": "DARS1", "C10orf54": "VSIR"}
SHIPPED_SETS = {
    "cyt_mean_log2": ("CC.CytoxAct_Rooney", "IO.CYT_Rooney"),
    "ifng6_ayers": ("CC.Ayers_IFNg6", "IO.IFN_Ayers"),
    "expanded_immune18_ayers": ("CC.Ayers_IFNg18",),
    "gep18_research": ("IO.Tcell-inflamed_Ayers",),
    "davoli_immune": ("CC.CytotoxSig_Davoli", "IO.CYT_Davoli"),
    "roh_immune": ("IO.ImmuneScore_Roh",),
    "chemokine12_messina": ("CC.Messina_CKS", "IO.Chemokine_Messina"),
    "tls9_easier": ("IO.TLS_Cabrita",),
    "ips_mhc": ("IPS.MHC",),
    "ips_ec": ("IPS.EC",),
}
"""Lists of the same name from other carriers."""


def test_load_published_reads_once() -> None:
    assert load_published() is load_published()


def test_score_ids_are_unique_and_named_for_reading() -> None:
    ids = load_published().score_ids
    assert len(set(ids)) == len(ids)
    assert all(score_id == score_id.lower() and score_id.isidentifier() for score_id in ids)


def test_no_two_scores_are_one_formula_of_one_gene_list() -> None:
    formulas = Counter(
        (score.formula, score.offset, score.part, tuple(gene.gene_symbol for gene in score.genes))
        for score in load_published().scores
    )
    assert max(formulas.values()) == 1


def test_symbols_are_approved_and_are_what_the_published_names_became() -> None:
    genes = [gene for score in load_published().scores for gene in score.genes]
    table = load_gene_table()
    for gene, now, then in zip(
        genes,
        table.map_genes([gene.gene_symbol for gene in genes]),
        table.map_genes([gene.published_symbol for gene in genes]),
        strict=True,
    ):
        assert (now.gene_symbol, then.gene_symbol) == (gene.gene_symbol, gene.gene_symbol), gene
    renamed = {g.published_symbol: g.gene_symbol for g in genes if g.published_symbol != g.gene_symbol}
    assert renamed == RENAMED


@pytest.mark.parametrize(
    ("score_id", "set_id"), [(s, name) for s, names in SHIPPED_SETS.items() for name in names]
)
def test_genes_are_those_of_other_carriers(score_id: str, set_id: str) -> None:
    genes = {gene.gene_symbol for gene in load_published().score(score_id).genes}
    assert genes == set(load_signatures().signature(set_id).gene_symbols)


def test_immunophenoscore_has_26_factors_of_the_published_sizes() -> None:
    genes = load_published().score("ips_az").genes
    sizes = Counter((gene.part, gene.role) for gene in genes)
    assert len(sizes) == 26
    assert {role: n for (_, role), n in sizes.items() if n > 1} == {
        "Act CD4": 24,
        "Act CD8": 26,
        "Tem CD4": 27,
        "Tem CD8": 25,
        "MDSC": 20,
        "Treg": 20,
    }
    cells = [gene for gene in genes if gene.part in {"EC", "SC"}]
    assert all(a.published_symbol < b.published_symbol for a, b in pairwise(cells) if a.role == b.role), (
        "the list is alphabetical within a factor"
    )
    negative = {gene.gene_symbol for gene in genes if gene.weight == -1}
    library = load_signatures()
    downs = [set(library.signature(name).gene_symbols) for name in ("IPS.CP.down", "IPS.SC.down")]
    assert negative - {"CCL3L1"} == downs[0] | downs[1]


def test_impres_is_fifteen_pairs() -> None:
    genes = load_published().score("impres15").genes
    assert Counter(gene.role for gene in genes) == {"greater": 15, "lesser": 15}
    assert all(greater.part == lesser.part for greater, lesser in zip(genes[::2], genes[1::2], strict=True))


def test_every_formula_is_computed_or_is_a_method() -> None:
    assert {score.formula for score in load_published().scores} == set(Formula)
    assert set(Formula) - set(FORMULAS) == {Formula.GSVA}
    assert Formula.GSVA.value in METHODS
    assert METHODS[Formula.GSVA.value].scope is Scope.COHORT


def test_every_row_says_where_it_comes_from(repo_root: Path) -> None:
    for score in load_published().scores:
        texts = (
            score.title,
            score.words,
            score.unit,
            score.version,
            score.source,
            score.terms,
            score.differs,
        )
        assert all(texts), score.score_id
        assert score.pmid.isdigit()
        assert score.doi.startswith("10.")
        assert score.low < score.high
        assert all(gene.source for gene in score.genes)
        if score.formula is not Formula.GSVA:
            assert (repo_root / "tests" / "golden" / score.golden).is_file()
            assert score.program
            assert score.program_version


def test_tables_have_no_row_that_is_not_used(repo_root: Path) -> None:
    folder = repo_root / "resources" / "genesets"
    with (folder / "published_genes.tsv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    used = {
        (gene.gene_list, gene.gene_symbol, gene.role) for s in load_published().scores for gene in s.genes
    }
    assert {(row["gene_list"], row["gene_symbol"], row["role"]) for row in rows} == used


def test_score_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown published score 'CYT'; use one of cyt_geometric_mean, "):
        load_published().score("CYT")


def test_only_keeps_the_named_scores_in_their_order() -> None:
    assert load_published().only(["ips", "ips_az"]).score_ids == ("ips", "ips_az")
