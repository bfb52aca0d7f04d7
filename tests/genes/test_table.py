"""Names to approved symbols, with the values HGNC, Ensembl and NCBI Gene give."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.genes import GeneMapping, GeneMatch, GeneTable, load_gene_table


def map_gene(name: str) -> GeneMapping:
    (mapping,) = load_gene_table().map_genes([name])
    return mapping


@pytest.mark.parametrize(
    ("name", "gene_symbol", "match"),
    [
        ("HLA-A", "HLA-A", GeneMatch.CURRENT),
        (" CD274\t", "CD274", GeneMatch.CURRENT),
        ("TARP", "TARP", GeneMatch.CURRENT),
        ("MARCH1", "MARCHF1", GeneMatch.PREVIOUS),
        ("MARC1", "MTARC1", GeneMatch.PREVIOUS),
        ("SEPT2", "SEPTIN2", GeneMatch.PREVIOUS),
        ("PVRL2", "NECTIN2", GeneMatch.PREVIOUS),
        ("C10orf54", "VSIR", GeneMatch.PREVIOUS),
        ("CTGF", "CCN2", GeneMatch.PREVIOUS),
        ("IL8", "CXCL8", GeneMatch.PREVIOUS),
        ("WARS", "WARS1", GeneMatch.PREVIOUS),
        ("FAM101B", "RFLNB", GeneMatch.PREVIOUS),
        ("CTPS", "CTPS1", GeneMatch.PREVIOUS),
        ("SILV", "PMEL", GeneMatch.PREVIOUS),
        ("PD-L1", "CD274", GeneMatch.ALIAS),
        ("CD279", "PDCD1", GeneMatch.ALIAS),
    ],
)
def test_map_genes_finds_symbols_of_any_age(name: str, gene_symbol: str, match: GeneMatch) -> None:
    assert map_gene(name) == GeneMapping(name, gene_symbol, match, (gene_symbol,))


@pytest.mark.parametrize(
    ("name", "gene_symbol"),
    [
        ("CD97", "ADGRE5"),  # also an alias of ADGRE2
        ("DEC1", "DELEC1"),  # also an alias of BHLHE40
    ],
)
def test_map_genes_puts_previous_before_alias(name: str, gene_symbol: str) -> None:
    table = load_gene_table()
    assert set(table.aliases[name]) - {gene_symbol}
    assert map_gene(name) == GeneMapping(name, gene_symbol, GeneMatch.PREVIOUS, (gene_symbol,))


def test_map_genes_puts_current_before_previous() -> None:
    renamed_and_reused = sorted(set(load_gene_table().current) & set(load_gene_table().previous))
    assert "IL27" in renamed_and_reused
    assert all(map_gene(name).gene_symbol == name for name in renamed_and_reused)


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("STRA13", ("BHLHE40", "CENPX")),  # previous symbol of two genes
        ("SEP2", ("SEPTIN6", "SEPTIN8")),  # alias of two genes
        ("COX2", ("MT-CO2", "MTCO2P12", "PTGS2")),
    ],
)
def test_map_genes_never_chooses_between_genes(name: str, candidates: tuple[str, ...]) -> None:
    assert map_gene(name) == GeneMapping(name, None, GeneMatch.AMBIGUOUS, candidates)


@pytest.mark.parametrize(
    ("name", "gene_symbol", "match"),
    [
        ("ENSG00000206503", "HLA-A", GeneMatch.ENSEMBL),
        ("ENSG00000206503.13", "HLA-A", GeneMatch.ENSEMBL),
        ("ensg00000206503.13", "HLA-A", GeneMatch.ENSEMBL),
        ("ENSG00000182378.14_PAR_Y", "PLCXD1", GeneMatch.ENSEMBL),
        ("ENSGR0000182378.10", "PLCXD1", GeneMatch.ENSEMBL),
        ("ENSG00000235657", "HLA-A", GeneMatch.ENSEMBL_RETIRED),  # on an alternate contig
        ("ENSG00000006075", "CCL3", GeneMatch.ENSEMBL_RETIRED),  # of GRCh37
        ("3105", "HLA-A", GeneMatch.ENTREZ),
        ("3105.0", "HLA-A", GeneMatch.ENTREZ),
        ("LOC3105", "HLA-A", GeneMatch.ENTREZ),
        ("8", "TEAD1", GeneMatch.ENTREZ),  # discontinued, replaced by 7003
    ],
)
def test_map_genes_finds_accessions(name: str, gene_symbol: str, match: GeneMatch) -> None:
    assert map_gene(name) == GeneMapping(name, gene_symbol, match, (gene_symbol,))


@pytest.mark.parametrize(
    ("name", "gene_symbol", "match"),
    [
        ("A1BG|1", "A1BG", GeneMatch.CURRENT),
        ("?|8225", "GTPBP6", GeneMatch.ENTREZ),
        ("SLC35E2|9906", "SLC35E2A", GeneMatch.ENTREZ),
        ("SLC35E2|728661", "SLC35E2B", GeneMatch.ENTREZ),  # the symbol alone would give SLC35E2A
        ("STRA13|201254", "CENPX", GeneMatch.ENTREZ),
        ("1-Mar|55016", "MARCHF1", GeneMatch.ENTREZ),
        ("ENSG00000206503.13|HLA-A", "HLA-A", GeneMatch.CURRENT),
        ("ENSG00000206503.13|nonsense", "HLA-A", GeneMatch.ENSEMBL),
        ("PVRL2|99999999", "NECTIN2", GeneMatch.PREVIOUS),
    ],
)
def test_map_genes_reads_symbol_and_id(name: str, gene_symbol: str, match: GeneMatch) -> None:
    assert map_gene(name) == GeneMapping(name, gene_symbol, match, (gene_symbol,))


SYMBOLS = sorted(load_gene_table().current)
NUMBERS = sorted(load_gene_table().entrez)


@given(
    st.sampled_from(SYMBOLS) | st.sampled_from(["NKX2", "HLA", "A|B", "?", "", "KRT.AP", "x-1"]),
    st.sampled_from(NUMBERS)
    | st.integers(0, 60).map(str)
    | st.sampled_from(["43891", "07", "99999999999", "3105.0", "", "A", "LOC1", "१"]),
)
def test_map_genes_of_a_symbol_and_a_number_is_what_the_steps_give(symbol: str, number: str) -> None:
    """The short way for an approved symbol before a number leads to the same gene as all steps."""
    table, name = load_gene_table(), f"{symbol}|{number}"
    match, candidates = table._find(name)
    found = map_gene(name)
    assert found.candidates == candidates
    assert found.match in ({match} if len(candidates) < 2 else {GeneMatch.AMBIGUOUS})


def test_map_genes_asks_all_steps_where_a_bar_stands_for_another_mark() -> None:
    assert map_gene("NKX2|5") == GeneMapping("NKX2|5", "NKX2-5", GeneMatch.REWRITTEN, ("NKX2-5",))
    table = GeneTable.from_renames(["NKX2", "NKX2-5", "NEW"], {"NKX2|7": "NEW"})
    found = [one.gene_symbol for one in table.map_genes(["NKX2|5", "NKX2|6", "NKX2|7"])]
    assert found == ["NKX2-5", "NKX2", "NEW"]


@pytest.mark.parametrize(
    ("name", "gene_symbol", "match"),
    [
        ("ENSG00000141510_TP53", "TP53", GeneMatch.CURRENT),
        ("ENSG00000141510.12_TP53", "TP53", GeneMatch.CURRENT),
        ("TP53_ENSG00000141510", "TP53", GeneMatch.CURRENT),
        ("TP53|ENSG00000141510.12", "TP53", GeneMatch.CURRENT),
        ("ENSG00000182378.14_PAR_Y_PLCXD1", "PLCXD1", GeneMatch.CURRENT),
        ("HLA-A_ENSG00000206503.13", "HLA-A", GeneMatch.CURRENT),
        ("TP53 (7157)", "TP53", GeneMatch.CURRENT),
        ("TP53 (ENSG00000141510)", "TP53", GeneMatch.CURRENT),
        ("NKX2-1 (7080)", "NKX2-1", GeneMatch.CURRENT),
        ("MARCH1 (55016)", "MARCHF1", GeneMatch.ENTREZ),
        ("nonsense (7157)", "TP53", GeneMatch.ENTREZ),
        ("HGNC:5", "A1BG", GeneMatch.HGNC),
        ("GeneID:7157", "TP53", GeneMatch.ENTREZ),
        ("gene:ENSG00000141510", "TP53", GeneMatch.ENSEMBL),
        ("GRCh38_TP53", "TP53", GeneMatch.CURRENT),
        ("GRCh38_ENSG00000141510", "TP53", GeneMatch.ENSEMBL),
        ("hg19_HLA-A", "HLA-A", GeneMatch.CURRENT),
        ("ENSG00000141510_CD8A", "TP53", GeneMatch.ID_OVER_SYMBOL),
        ("ENSG00000141510|CD8A", "TP53", GeneMatch.ID_OVER_SYMBOL),
        ("CD8A_ENSG00000141510", "TP53", GeneMatch.ID_OVER_SYMBOL),
        ("CD8A (7157)", "TP53", GeneMatch.ID_OVER_SYMBOL),
        ("NAA38|51691", "NAA38", GeneMatch.CURRENT),  # as the shipped reference was made
    ],
)
def test_map_genes_reads_ids_of_all_spellings(name: str, gene_symbol: str, match: GeneMatch) -> None:
    assert map_gene(name) == GeneMapping(name, gene_symbol, match, (gene_symbol,))


@pytest.mark.parametrize(
    ("name", "gene_symbol"),
    [
        ("HLA.A", "HLA-A"),
        ("HLA_A", "HLA-A"),
        ("HLA A", "HLA-A"),
        ("hla.drb1", "HLA-DRB1"),
        ("HLA\u2011A", "HLA-A"),
        ("'HLA-A", "HLA-A"),
        ("NKX2.1", "NKX2-1"),
        ("KRTAP10.9", "KRTAP10-9"),  # as it stands, an alias of KRTAP10-11
        ("PD_L1", "CD274"),
        ("TP53.1", "TP53"),
        ("HLA.A.1", "HLA-A"),
        ("IL8.2", "CXCL8"),
    ],
)
def test_map_genes_undoes_what_programs_make_of_names(name: str, gene_symbol: str) -> None:
    assert map_gene(name) == GeneMapping(name, gene_symbol, GeneMatch.REWRITTEN, (gene_symbol,))


@pytest.mark.parametrize("mark", [".", "_", " "])
def test_map_genes_finds_every_symbol_with_another_mark(mark: str) -> None:
    symbols = tuple(load_gene_table().current)
    written = [re.sub(r"[^A-Za-z0-9]", mark, symbol) for symbol in symbols]
    assert tuple(mapping.gene_symbol for mapping in load_gene_table().map_genes(written)) == symbols


@pytest.mark.parametrize(
    "name", ["U6.1", "1.5", "X1", "P_1", "S.1", "AC004556.1", "Y_RNA.1", "CAND1.11", "x_y", "."]
)
def test_map_genes_does_not_make_genes_of_other_names(name: str) -> None:
    assert map_gene(name).gene_symbol is None


@pytest.mark.parametrize("name", ["1-Mar", "Sep-02", "2-Sep", "2001-03-01", "1-Dec", "43891", "43891.0"])
def test_map_genes_never_guesses_excel_dates(name: str) -> None:
    assert map_gene(name) == GeneMapping(name, None, GeneMatch.EXCEL_DATE, ())


@pytest.mark.parametrize("name", ["X1.Mar", "X1.SEP", "Sep.02", "X2001.03.01", "X3.1.2001"])
def test_map_genes_sees_excel_dates_that_went_through_r(name: str) -> None:
    assert map_gene(name) == GeneMapping(name, None, GeneMatch.EXCEL_DATE, ())


def test_map_genes_keeps_ids_in_the_range_of_excel_serials() -> None:
    assert map_gene("43847").gene_symbol == "KLK14"


@pytest.mark.parametrize(
    ("name", "gene_symbol"),
    [
        ("C9ORF72", "C9orf72"),
        ("hla-a", "HLA-A"),
        ("mt-co1", "MT-CO1"),
        ("Cd274", "CD274"),
        ("Met", "MET"),  # as it stands, an alias of RNMT and SLTM
        ("pvrl2", "NECTIN2"),
    ],
)
def test_map_genes_ignores_case_last(name: str, gene_symbol: str) -> None:
    assert map_gene(name) == GeneMapping(name, gene_symbol, GeneMatch.CASE_CHANGED, (gene_symbol,))


def test_map_genes_finds_every_symbol_in_lower_case() -> None:
    symbols = tuple(load_gene_table().current)
    mappings = load_gene_table().map_genes([symbol.lower() for symbol in symbols])
    assert tuple(mapping.gene_symbol for mapping in mappings) == symbols


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("", GeneMatch.UNKNOWN),
        ("?", GeneMatch.UNKNOWN),
        ("N_unmapped", GeneMatch.UNKNOWN),
        ("__no_feature", GeneMatch.UNKNOWN),
        ("ERCC-00002", GeneMatch.UNKNOWN),
        ("99999999", GeneMatch.UNKNOWN),
        ("ENSMUSG00000060971", GeneMatch.UNKNOWN),
        ("U6", GeneMatch.UNKNOWN),  # a family of a thousand genes, not the alias of one
        ("nonsense|CD4", GeneMatch.UNKNOWN),
        ("ENSG00000235329", GeneMatch.ENSEMBL_UNNAMED),
        ("ENSG99999999999", GeneMatch.ENSEMBL_UNNAMED),
    ],
)
def test_map_genes_reports_what_it_does_not_know(name: str, match: GeneMatch) -> None:
    assert map_gene(name) == GeneMapping(name, None, match, ())


def known_names() -> list[str]:
    """A few hundred names of every kind."""
    table = load_gene_table()
    kinds = (table.current, table.previous, table.aliases, table.ensembl, table.ensembl_retired, table.entrez)
    return [name for names in kinds for name in sorted(names)[:: len(names) // 50]]


any_name = st.one_of(st.sampled_from(known_names()), st.text(max_size=12))


@given(st.lists(any_name, max_size=20), st.lists(any_name, max_size=20), any_name)
def test_map_genes_does_not_depend_on_company(before: list[str], after: list[str], name: str) -> None:
    assert load_gene_table().map_genes([*before, name, *after])[len(before)] == map_gene(name)


@given(any_name)
def test_map_genes_gives_an_approved_symbol_or_none(name: str) -> None:
    mapping = map_gene(name)
    assert mapping.given == name
    assert (mapping.gene_symbol is not None) == (len(mapping.candidates) == 1)
    assert (mapping.match is GeneMatch.AMBIGUOUS) == (len(mapping.candidates) > 1)
    assert set(mapping.candidates) <= load_gene_table().current.keys()


@given(any_name)
def test_map_genes_is_idempotent(name: str) -> None:
    mapping = map_gene(name)
    if mapping.gene_symbol is not None:
        assert map_gene(mapping.gene_symbol).match is GeneMatch.CURRENT


def test_length_bp_is_in_the_order_asked() -> None:
    lengths = load_gene_table().length_bp(["HLA-A", "no such gene", "B2M"])
    shipped = load_gene_table().length_by_symbol
    np.testing.assert_array_equal(lengths, [shipped["HLA-A"], np.nan, shipped["B2M"]])
    assert lengths.dtype == np.float64


def test_length_bp_knows_nearly_all_genes_of_the_primary_assembly() -> None:
    table = load_gene_table()
    owners = sorted({candidates[0] for candidates in table.ensembl.values()})
    lengths = table.length_bp(owners)
    assert np.isnan(lengths).mean() < 0.001
    assert np.nanmin(lengths) > 0


def test_from_renames_maps_old_to_new() -> None:
    table = GeneTable.from_renames(["NEW", "KEPT"], {"OLD": "NEW"})
    mappings = table.map_genes(["OLD", "KEPT", "kept", "CD274"])
    assert [mapping.gene_symbol for mapping in mappings] == ["NEW", "KEPT", "KEPT", None]
    assert np.isnan(table.length_bp(["NEW"])).all()
