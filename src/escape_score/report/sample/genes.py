"""Genes of a sample's page: some hundred rows, so they are written at once and not cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from escape_score.model.record import AxisProfile, GeneEvidence
from escape_score.report.text.escaping import safe, written
from escape_score.report.text.i18n import SOURCE_LANGUAGE, Language
from escape_score.report.text.numbers import format_z

N_ROWS, N_LEADING = 8, 3
"""Genes of a table, and those that the row of a mechanism names."""


class GeneTable(NamedTuple):
    """One table of genes of a mechanism; ``n_more`` are in the JSON file only.

    ``is_adjusted``: whether it has the column of adjusted distances.
    """

    caption: str
    is_adjusted: bool
    rows: Markup
    n_more: int


def gene_tables(axis: AxisProfile, words: Language) -> list[GeneTable]:
    """Tables of the genes of a mechanism; those without a gene are left out."""
    _, is_adjusted = words.gettext, axis.adjusted_for is not None
    groups = (
        (axis.evidence, _("Evidence"), is_adjusted),
        (axis.opposing, _("Evidence against"), is_adjusted),
        (axis.denominator, _("Genes that the score is relative to"), False),
    )
    return [
        GeneTable(caption, has_column, gene_rows(genes, words, is_adjusted=has_column), len(genes[N_ROWS:]))
        for genes, caption, has_column in groups
        if genes
    ]


def gene_rows(genes: Sequence[GeneEvidence], words: Language, *, is_adjusted: bool) -> Markup:
    """Rows of the table of genes; ``is_adjusted``: whether it has the column of adjusted distances."""
    z, level, lang = words.signed_to[1], words.fixed_to[2], words.lang
    high, low = _last_cell(words.gettext("high")), _last_cell(words.gettext("low"))
    shown = genes[:N_ROWS]
    if is_adjusted:
        unknown = format_z(None, words)
        adjusted = [f"<td>{unknown if (at := gene.adjusted) is None else z(at)}</td>" for gene in shown]
    else:
        adjusted = [""] * len(shown)
    rows = [
        f"<tr>{_name_cells(gene.gene_symbol, gene.component, lang)}{first}<td>{z(gene.z)}</td>"
        f"<td>{level(gene.log2_tpm)}</td>{high if gene.direction > 0 else low}"
        for gene, first in zip(shown, adjusted, strict=True)
    ]
    return safe("\n".join(rows))


@lru_cache(maxsize=4096)
def _name_cells(symbol: str, component: str, lang: str) -> str:
    """Cells of a gene that are the same in all samples."""
    # the component is an id, which stays English
    mark = "" if lang == SOURCE_LANGUAGE else f' lang="{SOURCE_LANGUAGE}"'
    return f'<th scope="row">{escape(symbol)}</th><td{mark}>{escape(component.replace("_", " "))}</td>'


@lru_cache(maxsize=16)
def _last_cell(direction: str) -> str:
    return f"<td>{escape(direction)}</td></tr>"


def leading_genes(genes: Sequence[GeneEvidence], words: Language) -> Markup:
    """The first genes of a mechanism, each with its distance from the expected level."""
    named = [(written(gene.gene_symbol), format_z(_shown(gene), words)) for gene in genes[:N_LEADING]]
    return safe(" ".join([f'<span class="gene"><i>{symbol}</i>&nbsp;{z}</span>' for symbol, z in named]))


def _shown(gene: GeneEvidence) -> float:
    return gene.z if gene.adjusted is None else gene.adjusted
