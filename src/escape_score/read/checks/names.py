"""Names of rows and columns: which can be used, which are genes, and which way round the matrix is."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from escape_score.errors import InputError, MatrixInvalidError, listed, raise_faults
from escape_score.genes import GeneMapping, GeneMatch, load_gene_table
from escape_score.read.checks.cells import NUMBER
from escape_score.read.checks.gene_kinds import check_kind, probed
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.sheet.columns import KNOWN, plain

MIN_GENE_FRACTION = 0.05
"""Below this fraction of recognised names the rows are not genes."""

TRANSPOSED_FRACTION = 0.3
"""From this fraction of recognised names on, the columns are genes."""

MOSTLY_GENES = 0.5
"""Fraction of known genes from which a column of text is one of gene names: more than all else together."""

MIN_COMPARED_COLUMNS = 20
"""Columns from which their names can outweigh rows that may be genes, such as patients with numbers."""

_CERTAIN_MATCHES = frozenset(
    {GeneMatch.CURRENT, GeneMatch.ENSEMBL, GeneMatch.ENSEMBL_RETIRED, GeneMatch.ENSEMBL_UNNAMED}
)

_ANNOTATION_WORDS = """
gene gene_id gene_ids gene_name gene_names gene_symbol gene_symbols symbol symbols hugo_symbol hgnc_symbol
hgnc_id ensembl ensembl_id ensembl_gene_id ensembl_gene_id_version ensembl_transcript_id entrez entrez_id
entrez_gene_id entrezid entrezgene entrezgene_id ncbi_gene_id geneid gene_type gene_biotype biotype
gene_description description gene_length length effective_length eff_length exon_length exonlength width
chr chrom chromosome chromosome_name seqnames start end start_position end_position strand locus gc
gc_content percentage_gene_gc_content probe probe_id probeset probe_set_id id_ref feature_id feature_name
feature_type transcript_id transcript_ids transcript_name refseq uniprot cytoband band havana_gene
transcript_length transcript_type transcript_biotype effectivelength efflength exonic_length gene_len
median_length mean_length reference tracking_id class_code nearest_ref_id gene_short_name tss_id description
"""
ANNOTATION_NAMES = frozenset(_ANNOTATION_WORDS.split())
"""Names, lower case with underscores, of columns that describe genes, as in headers of featureCounts, RSEM,
salmon, kallisto, StringTie, Cufflinks, GENCODE, BioMart, cBioPortal and GEO tables."""

_TEST_WORDS = """
basemean log2foldchange log2_fold_change log2_fc log2fc logfc log_fc foldchange fold_change fc lfc lfcse
lfc_se pvalue p_value pval p_val padj p_adj adj_p_val adj_p_value p_val_adj fdr qvalue q_value q_val svalue
s_value
aveexpr ave_expr logcpm log_cpm stat statistic t_stat t_statistic z_score zscore wald_stat bonferroni
p_bonferroni significance significant direction regulation
"""
TEST_NAMES = frozenset(_TEST_WORDS.split())
"""Columns of differential expression tests, as DESeq2, edgeR, limma, Seurat and scanpy name them."""

_TEST_PART = re.compile(
    r"(?:^|_)(?:log2_?fold_?change|log2_?fc|log_?fc|lfc_?se|p_?adj|p_?val(?:ue)?|adj_p_val|basemean)(?:_|$)"
)
"""The same with the name of a contrast before or after them: ``A_vs_B_logFC``, ``padj.treated``."""

_SHORT_TEST_NAMES = frozenset({"t", "b", "f", "lr", "p", "df"})
"""Columns of limma (t, B, F) and edgeR (LR, F)."""
_NEXT_TO_SHORT = frozenset({"logfc", "log_fc", "aveexpr", "ave_expr", "logcpm", "log_cpm"})
"""Columns that both programs write with them; elsewhere, B or F is a sample."""

_SUMMARY_WORDS = """
mean average avg median total maximum minimum variance stdev std_dev stddev
rowsum rowsums row_sum row_sums rowmean rowmeans row_mean row_means rowvar row_var total_count total_counts
mean_expression average_expression total_expression
"""
_SUMMARY_NAMES = frozenset(_SUMMARY_WORDS.split())
"""Columns that sum samples up."""
_NEXT_TO_SUMMARY = frozenset({"sum", "max", "min", "var", "sd", "std", "sem", "mad", "cv"})
"""The same in short words, which may name samples too: only next to one of the others."""

_WITH_ID = re.compile(r"(.+\S) \((?:\d+|ENSG\d+(?:\.\d+)?)\)")
"""A gene and its Entrez or Ensembl id, as DepMap names columns (``TP53 (7157)``)."""

_FORMULA_STARTS = ("=", "+", "-", "@")
"""Characters by which a spreadsheet takes a cell for a formula."""

SYMBOL_NAMES = ("gene_symbol", "symbol", "hugo_symbol", "hgnc_symbol", "gene_name")
"""Names of the column of gene symbols, best first."""

ENSEMBL_NAMES = ("ensembl_gene_id", "ensembl_id", "ensembl")
ENTREZ_NAMES = (
    "entrez_gene_id",
    "entrez_id",
    "entrezid",
    "entrezgene",
    "entrezgene_id",
    "ncbi_gene_id",
    "geneid",
)
"""Names of columns of ids, best first."""


_SHEET_NAMES = frozenset(alias for ours, aliases in KNOWN.items() for alias in (plain(ours), *aliases))


def plain_name(name: str) -> str:
    """Write a column name as ``ANNOTATION_NAMES`` does."""
    return "_".join(re.split(r"[\s._-]+", name.strip().lstrip("#").lower())).strip("_")


def is_annotation_name(name: str) -> bool:
    """Whether a column of this name describes genes, or holds the result of a test of each gene."""
    return plain_name(name) in ANNOTATION_NAMES or is_test_name(name)


def is_test_name(name: str) -> bool:
    """Whether a column of this name holds the result of a differential expression test."""
    plain = plain_name(name)
    return plain in TEST_NAMES or _TEST_PART.search(plain) is not None


def statistics_among(names: Sequence[str], *, others: Sequence[str]) -> frozenset[int]:
    """Positions of columns that sum samples up, such as ``mean`` and ``Total``, and so are no samples.

    None where there is nothing else, because one column of means may be all there is, unless the ``others``
    of the table are results of a test. A column ``t`` or ``B`` is one only next to those of limma or edgeR.
    """
    tests = {plain_name(name) for name in others if is_test_name(name)}
    words = _SUMMARY_NAMES | _SHORT_TEST_NAMES if tests & _NEXT_TO_SHORT else _SUMMARY_NAMES
    if tests or any(plain_name(name) in _SUMMARY_NAMES for name in names):
        words |= _NEXT_TO_SUMMARY
    found = frozenset(at for at, name in enumerate(names) if plain_name(name) in words)
    return found if len(found) < len(names) or tests else frozenset()


def is_sheet_name(name: str) -> bool:
    """Whether a column of this name is one of a sample sheet, where samples are in rows."""
    return plain(name) in _SHEET_NAMES and name not in load_gene_table().current


def check_header(label: str, corner: str, sample_ids: Sequence[str]) -> None:
    """Refuse a text file without a header, whose first row of values would be lost.

    Raises MatrixInvalidError: the names are numbers, and the corner is a gene.
    """
    if sample_ids and all(NUMBER.fullmatch(name.strip()) for name in sample_ids) and gene_fraction((corner,)):
        msg = f"no header (the first line holds gene {corner} and numbers); name the samples above it"
        raise MatrixInvalidError.at(label, msg)


def gene_fraction(names: Sequence[str], *, with_entrez: bool = True) -> float:
    """Fraction of names that are human genes without doubt.

    Aliases and former symbols do not count: P1, S1 and T1 are among them, and name samples more often.
    ``with_entrez`` also counts plain numbers, which may be Entrez ids or sample numbers. 0 where there is no
    name. Of a name such as ``TP53 (7157)`` the symbol counts.
    """
    looked_up = [_WITH_ID.sub(r"\1", name) for name in probed(names)]
    if not looked_up:
        return 0.0
    mappings = load_gene_table().map_genes(looked_up)
    return sum(_is_certain(mapping, with_entrez=with_entrez) for mapping in mappings) / len(looked_up)


def _is_certain(mapping: GeneMapping, *, with_entrez: bool) -> bool:
    if mapping.match is GeneMatch.ENTREZ:
        return with_entrez
    if mapping.match is GeneMatch.CASE_CHANGED:
        return (mapping.gene_symbol or "").upper() == mapping.given.strip().upper()
    return mapping.match in _CERTAIN_MATCHES


def check_orientation(label: str, sample_ids: Sequence[str], gene_ids: Sequence[str], *, layout: str) -> None:
    """Refuse a matrix whose genes are not genes.

    Raises MatrixInvalidError: it is transposed, or no row is a human gene, or most rows are named as
    something else.
    """
    if not gene_ids:
        raise MatrixInvalidError.at(label, "no gene rows (only a header); give one row for every gene")
    row_numbers = are_row_numbers(gene_ids)
    has_genes = not row_numbers and gene_fraction(gene_ids) >= MIN_GENE_FRACTION
    if lies_the_other_way(sample_ids, gene_ids, has_genes=has_genes):
        raise _transposed(label, sample_ids, layout)
    if not row_numbers:
        check_kind(label, gene_ids, are_known_genes=has_genes)
    if not has_genes and not row_numbers and _are_entrez_ids(sample_ids):
        raise _transposed(label, sample_ids, layout)
    if row_numbers:
        msg = f"{label}: no recognisable human gene (rows have only row numbers for gene identifiers); "
        raise MatrixInvalidError(msg + "give the gene names as the first column")
    if not has_genes:
        found = listed([name[:40] for name in gene_ids[:4]], limit=3)
        msg = f"{label}: no recognisable human gene (identifiers such as {found}); "
        raise MatrixInvalidError(msg + "use gene symbols, Ensembl or Entrez gene ids")


def check_samples(label: str, sample_ids: Sequence[str], limits: ReadLimits, *, layout: str) -> None:
    """Refuse sample names that no table can hold, and more samples than are read.

    Raises MatrixInvalidError, or InputFaultsError for several. Where the names are genes, the matrix is
    transposed, and the error is about that.
    """
    faults, is_large = sample_name_faults(label, sample_ids), len(sample_ids) > limits.max_samples
    if (faults or is_large) and gene_fraction(sample_ids, with_entrez=is_large) >= TRANSPOSED_FRACTION:
        raise _transposed(label, sample_ids, layout)
    check_shape(label, limits, n_samples=len(sample_ids))
    raise_faults(faults)


def _transposed(label: str, sample_ids: Sequence[str], layout: str) -> MatrixInvalidError:
    genes = listed([name[:40] for name in sample_ids[:4]], limit=3)
    msg = f"looks transposed (genes such as {genes} are where samples belong); {layout}"
    return MatrixInvalidError.at(label, msg)


def _are_entrez_ids(names: Sequence[str]) -> bool:
    """Whether numbers are Entrez ids, and not samples that are numbered."""
    is_numbered = len(names) < MIN_COMPARED_COLUMNS or are_row_numbers(names)
    return not is_numbered and gene_fraction(names) >= TRANSPOSED_FRACTION


def lies_the_other_way(sample_ids: Sequence[str], gene_ids: Sequence[str], *, has_genes: bool) -> bool:
    """Whether the columns are genes, and more clearly so than the rows."""
    by_column = gene_fraction(sample_ids, with_entrez=False)
    if by_column < TRANSPOSED_FRACTION:
        return False
    return not has_genes or (
        len(sample_ids) >= MIN_COMPARED_COLUMNS and by_column > 2 * gene_fraction(gene_ids, with_entrez=False)
    )


def are_row_numbers(gene_ids: Sequence[str]) -> bool:
    """Whether names are 0, 1, 2, … or 1, 2, 3, …, and not Entrez ids, which have gaps."""
    return len(gene_ids) > 1 and any(
        all(name == str(position + first) for position, name in enumerate(gene_ids)) for first in (0, 1)
    )


def sample_name_faults(label: str, sample_ids: Sequence[str]) -> tuple[InputError, ...]:
    """Find sample names that no table can hold as they are.

    At most one fault a kind: empty, twice (blanks at the ends aside), with control characters, or like the
    formula of a spreadsheet; and where there is no sample at all.
    """
    return tuple(MatrixInvalidError(f"{label}: {problem}") for problem in _problems(sample_ids))


def _problems(sample_ids: Sequence[str]) -> Iterator[str]:
    if not sample_ids:
        yield "no sample column with numbers; genes belong in rows and samples in columns"
    empty = [str(position + 1) for position, name in enumerate(sample_ids) if not name.strip()]
    if empty:
        yield f"sample name is empty (sample column {', '.join(empty[:5])}); name every sample"
    counts = Counter(name.strip() for name in sample_ids if name.strip())
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        yield f"duplicate sample names ({listed(twice)}); make sample ids unique"
    for what, is_chosen in (
        ("with a line end, tab or other control character", _has_control_characters),
        ("that a spreadsheet takes for a formula", _is_formula),
    ):
        chosen = [name[:60] for name in sample_ids if is_chosen(name)]
        if chosen:
            yield f"sample name {what} ({listed(chosen)}); rename it"


def _has_control_characters(name: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in name)


def _is_formula(name: str) -> bool:
    text = name.strip()
    return text.startswith(_FORMULA_STARTS) and not NUMBER.fullmatch(text)
