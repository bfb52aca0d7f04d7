"""Rows of genes of a sample's page: some hundred, so they are written at once and not cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from escape_score.model.record import GeneEvidence
from escape_score.report.text.i18n import SOURCE_LANGUAGE, Language
from escape_score.report.text.numbers import format_z

N_ROWS, N_LEADING = 8, 3
"""Genes of a table, and those that the row of a mechanism names."""


def gene_rows(genes: Sequence[GeneEvidence], words: Language, *, is_adjusted: bool) -> Markup:
    """Rows of the table of genes; ``is_adjusted``: whether it has the column of adjusted distances."""
    directions = {True: escape(words.gettext("high")), False: escape(words.gettext("low"))}
    mark = "" if words.lang == SOURCE_LANGUAGE else f' lang="{SOURCE_LANGUAGE}"'
    rows = []
    for gene in genes[:N_ROWS]:
        adjusted = f"<td>{format_z(gene.adjusted, words)}</td>" if is_adjusted else ""
        # an id, which stays English
        component = f"<td{mark}>{escape(gene.component.replace('_', ' '))}</td>"
        numbers = f"<td>{format_z(gene.z, words)}</td><td>{words.fixed(gene.log2_tpm, 2)}</td>"
        rows.append(
            f'<tr><th scope="row">{escape(gene.gene_symbol)}</th>{component}{adjusted}{numbers}'
            f"<td>{directions[gene.direction > 0]}</td></tr>"
        )
    return Markup("\n".join(rows))


def leading_genes(genes: Sequence[GeneEvidence], words: Language) -> Markup:
    """The first genes of a mechanism, each with its distance from the expected level."""
    named = ((escape(gene.gene_symbol), format_z(_shown(gene), words)) for gene in genes[:N_LEADING])
    return Markup(" ".join(f'<span class="gene"><i>{symbol}</i>&nbsp;{z}</span>' for symbol, z in named))


def _shown(gene: GeneEvidence) -> float:
    return gene.z if gene.adjusted is None else gene.adjusted
