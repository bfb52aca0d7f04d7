"""What a table of text is by its columns: whose program wrote it, and tables that are no genes by samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import MatrixInvalidError
from escape_score.read.checks.cells import NUMBER
from escape_score.read.checks.names import (
    MIN_GENE_FRACTION,
    TRANSPOSED_FRACTION,
    gene_fraction,
    is_annotation_name,
    is_test_name,
    plain_name,
)
from escape_score.read.formats.quantities import QUANTITY_WORDS
from escape_score.read.formats.text_layout import STRAND_COLUMNS, TextLayout

FEATURE_COLUMNS = ("geneid", "chr", "start", "end", "strand", "length")
"""First columns of featureCounts (Subread); one column for each alignment follows."""

HTSEQ_ROW = "__no_feature"
"""Summary row of htseq-count, whose tables have no header."""

_TRANSCRIPT = re.compile(r"(?:ENST\d{11}|[NX][MR]_\d+|uc\d{3}[a-z]{3}\.\d+)(?:[._|].*)?")
"""Transcripts of Ensembl and GENCODE (also with all fields of its fasta headers), RefSeq and UCSC."""

_TRANSCRIPT_COLUMNS = frozenset({"transcript_id", "transcript", "t_id", "t_name", "isoform_id"})

_SAMPLE_WORDS = """
sample sample_id sample_name sampleid samples patient patient_id case_id barcode submitter_id
tumor_sample_barcode submitted_sample_id icgc_sample_id icgc_donor_id run variable analysis_id
"""
_SAMPLE_COLUMNS = frozenset(_SAMPLE_WORDS.split())
"""Columns that name the sample of each row in a long table: tidyr, reshape2, ICGC, GDC, SRA."""

_MAX_LONG_COLUMNS = 40
"""Columns above which a table is not long; ICGC has 22."""

_GENE_COLUMNS = frozenset({"gene", "gene_id", "gene_name", "gene_symbol", "symbol", "hugo_symbol", "ensembl"})


@dataclass(frozen=True)
class Program:
    """A program that writes one table a sample.

    Parameters
    ----------
    name
        Its name for messages.
    columns
        Columns that its tables have, as ``plain_name`` writes them.
    gene_level
        What to give instead of its transcripts.
    """

    name: str
    columns: frozenset[str]
    gene_level: str = "make gene level with tximport"


PROGRAMS = (
    Program(
        "RSEM", frozenset({"expected_count", "tpm", "fpkm"}), "give SAMPLE.genes.results of the same run"
    ),
    Program(
        "salmon",
        frozenset({"effectivelength", "tpm", "numreads"}),
        "make gene level with tximport, or give quant.genes.sf (salmon quant --geneMap)",
    ),
    Program("kallisto", frozenset({"eff_length", "est_counts", "tpm"})),
    Program("GDC STAR", frozenset({*STRAND_COLUMNS, "tpm_unstranded"})),
    Program("STAR", frozenset(STRAND_COLUMNS)),
    Program("StringTie", frozenset({"gene_id", "coverage", "fpkm", "tpm"})),
    Program("Ballgown", frozenset({"t_id", "cov", "fpkm"}), "give the table of stringtie -A"),
    Program("Cufflinks", frozenset({"tracking_id", "fpkm"}), "give genes.fpkm_tracking of the same run"),
    Program("featureCounts", frozenset(FEATURE_COLUMNS)),
)


def program_of(layout: TextLayout) -> Program | None:
    """The program that writes such columns, None where none is known."""
    names = frozenset(map(plain_name, layout.names))
    return next((program for program in PROGRAMS if program.columns <= names), None)


def has_transcripts(layout: TextLayout) -> bool:
    """Whether rows are transcripts, by the first column or that of the genes: its name, or its cells."""
    return any(_are_transcripts(layout, at) for at in {_first_column(layout), layout.gene_column})


def _first_column(layout: TextLayout) -> int:
    return next((at for at in range(len(layout.names)) if at not in layout.blank_columns), 0)


def _are_transcripts(layout: TextLayout, column: int) -> bool:
    if plain_name(layout.names[column]) in _TRANSCRIPT_COLUMNS:
        return True
    cells = layout.first_cells(column)
    return 2 * sum(_TRANSCRIPT.fullmatch(cell) is not None for cell in cells) > len(cells)


def has_genes(layout: TextLayout) -> bool:
    """Whether the first rows are human genes."""
    return gene_fraction(layout.first_genes) >= MIN_GENE_FRACTION


def is_featurecounts(layout: TextLayout) -> bool:
    """Whether the first columns are those of featureCounts."""
    return tuple(map(plain_name, layout.names[: len(FEATURE_COLUMNS)])) == FEATURE_COLUMNS


def is_headless_count(layout: TextLayout) -> bool:
    """Whether the only sample has a number for a name, so that its header may be the first gene."""
    return len(layout.names) == 2 and NUMBER.fullmatch(layout.names[1].strip()) is not None  # noqa: PLR2004


def transcripts_refused(path: Path, program: Program | None) -> MatrixInvalidError:
    """Error for a table of transcripts."""
    by = f" of {program.name}" if program else ""
    advice = program.gene_level if program else Program.gene_level
    return MatrixInvalidError.at(path, f"rows are transcripts{by}, not genes; {advice}")


def refuse_other_kinds(path: Path, layout: TextLayout) -> None:
    """Refuse tables that are no matrix of genes by samples, by the name of what they are.

    Raises MatrixInvalidError: transcripts of one sample, a long table, or results of a test.
    """
    numeric = [plain_name(name) for name in layout.sample_ids[: len(QUANTITY_WORDS)]]
    if not numeric and any(map(is_test_name, layout.annotation_names)):
        msg = "results of a differential expression test, not expression; give the matrix that was tested"
        raise MatrixInvalidError.at(path, msg)
    is_named_by_gene = layout.gene_column != _first_column(layout)
    if numeric and (set(numeric) <= QUANTITY_WORDS or is_named_by_gene) and has_transcripts(layout):
        raise transcripts_refused(path, program_of(layout))
    sample_column = _long_by(layout)
    if sample_column:
        raise long_refused(path, sample_column)


def long_refused(path: Path, sample_column: str) -> MatrixInvalidError:
    """Error for a table with one row for each gene of each sample."""
    msg = f"long format (column {sample_column!r} names the sample of each row), not genes by samples; "
    advice = (
        "widen it to one column a sample (pandas: table.pivot(index=GENE, columns=SAMPLE, values=VALUE); "
    )
    return MatrixInvalidError.at(path, f"{msg}{advice}tidyr: pivot_wider)")


def _long_by(layout: TextLayout) -> str:
    """Column that names samples in a long table, empty where the table is not long.

    That is a column of the usual names apart from the genes, of which either repeats. A column of numbers
    may be values, many of them 0: it names samples only if there are other values, and genes repeat.
    """
    if len(layout.names) > _MAX_LONG_COLUMNS:
        return ""
    named = [at for at, name in enumerate(layout.names) if plain_name(name) in _SAMPLE_COLUMNS]
    for at in named:
        genes = _gene_column_but(layout, at)
        are_values = at in layout.sample_columns
        if genes is None or (are_values and len(layout.sample_columns) == 1):
            continue
        if any(_repeats(layout.first_cells(one)) for one in ([genes] if are_values else [at, genes])):
            return layout.names[at]
    return ""


def _gene_column_but(layout: TextLayout, sample_column: int) -> int | None:
    """Column of genes in a table whose samples are in another; None where that one holds the genes."""
    if gene_fraction(layout.first_cells(sample_column), with_entrez=False) >= TRANSPOSED_FRACTION:
        return None
    others = [at for at in range(len(layout.names)) if at not in (sample_column, *layout.blank_columns)]
    named = [at for at in others if plain_name(layout.names[at]) in _GENE_COLUMNS]
    texts = [at for at in others if at not in layout.sample_columns]
    by_content = (
        at for at in texts if gene_fraction(layout.first_cells(at), with_entrez=False) >= TRANSPOSED_FRACTION
    )
    return named[0] if named else next(by_content, None)


def _repeats(cells: Sequence[str]) -> bool:
    return 2 * len(set(cells)) <= len(cells)


def describing_column(layout: TextLayout) -> str:
    """Name of a text column that may name samples in a long table, empty where there is none."""
    return next((name for name in layout.annotation_names if not is_annotation_name(name)), "")
