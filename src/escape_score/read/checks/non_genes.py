"""Rows that are no genes: left out before any sample is added up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray, MatrixSource
from escape_score.model.notes import Code, Note, note
from escape_score.read.checks.cells import is_missing

_NON_GENE = re.compile(
    r"__\w+"
    r"|_*(?:no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)"
    r"|N_(?:unmapped|multimapping|noFeature|ambiguous)"
    r"|Unassigned_\w+"
    r"|ERCC-\d+"
    r"|SIRV\d+"
    r"|(?:(?:grand|column|row|all|overall|raw|clean)[\s._-]?)?(?:total|sum)s?"
    r"(?:[\s._-]?(?:of|gene|genes|mapped|unique|uniquely|aligned|assigned|reads?|counts?|umis?|tpm|fpkm|rpkm))*"
    r"|(?:raw|clean|all|total|uniquely|un|multi)?[\s._-]?(?:mapped|aligned|assigned|mapping)?[\s._-]?reads?"
    r"|(?:lib(?:rary)?|sequencing)[\s._-]?(?:size|depth)s?"
    r"|(?:size|norm(?:ali[sz]ation)?|scaling)[\s._-]?factors?"
    r"|n_?(?:count|feature|gene|umi)s?(?:_rna)?",
    re.IGNORECASE,
)
"""Summary rows of HTSeq (htseq-count), STAR (ReadsPerGene.out.tab) and featureCounts (its .summary file), the
spike-ins of ERCC (ERCC-00002 to ERCC-00171) and Lexogen (SIRV1 and on), and totals that a table ends with. No
symbol or alias of a gene is among them."""

_UNNAMED = frozenset({"?", "-", "--", "---", "none", "unknown"})
"""Names that annotation files give to what has none, such as Affymetrix (``---``) and TCGA (``?``)."""


@dataclass(frozen=True, eq=False)
class SelectedGenes:
    """A matrix of which the columns at some positions are read; shape (n_genes kept,)."""

    source: MatrixSource
    positions: npt.NDArray[np.int64] = field(repr=False)

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return self.source.sample_ids

    @property
    def gene_ids(self) -> tuple[str, ...]:
        """Names of the columns kept."""
        names = self.source.gene_ids
        return tuple(names[position] for position in self.positions)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes kept), float64, NaN = missing."""
        return self.source.block(start, stop)[:, self.positions]


def selected(source: MatrixSource, left_out: Sequence[int]) -> MatrixSource:
    """The matrix without the genes at some positions."""
    kept = np.setdiff1d(np.arange(len(source.gene_ids)), left_out)
    return SelectedGenes(source, kept) if len(left_out) else source


def without_non_genes(source: MatrixSource) -> tuple[MatrixSource, tuple[Note, ...]]:
    """Leave out rows of the file that are no genes, so that they count in no sum.

    Flags non_gene_rows (summary rows of aligners and counters, totals, spike-ins) and unnamed_genes.
    """
    names = source.gene_ids
    unnamed = [at for at, name in enumerate(names) if is_unnamed(name)]
    others = [at for at, name in enumerate(names) if _NON_GENE.fullmatch(name.strip())]
    notes = []
    if others:
        notes.append(note(Code.NON_GENE_ROWS, n=len(others), names=[names[at] for at in others]))
    if unnamed:
        notes.append(note(Code.UNNAMED_GENES, n=len(unnamed)))
    return selected(source, [*unnamed, *others]), tuple(notes)


def is_unnamed(name: str) -> bool:
    """Whether a row has no name, or a word that means none."""
    return is_missing(name) or name.strip().lower() in _UNNAMED
