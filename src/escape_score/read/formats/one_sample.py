"""Tables of one sample: how it is named by its file, and what is read of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray, InMemoryMatrix
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import ExpressionUnit
from escape_score.read.formats.quantities import Selection, select_quantity
from escape_score.read.formats.reader import MatrixReading
from escape_score.read.formats.table_kinds import FEATURE_COLUMNS, is_featurecounts, refuse_other_kinds
from escape_score.read.formats.text_layout import STRAND_COLUMNS, TextLayout
from escape_score.read.request import ReadRequest

STRANDED_SHARE = 0.8
"""Share of the stranded reads on one strand from which a library is stranded.

Kits that keep the strand give above 0.9 (dUTP 0.99, Levin 2010, doi:10.1038/nmeth.1491; one library measured
with STAR: 0.95). nf-core/rnaseq infers it with the same limit.
"""

UNSTRANDED_SHARES = (0.4, 0.6)
"""Shares of an unstranded library: a half, with 0.1 for genes that lie on both strands (nf-core/rnaseq).

Between these and ``STRANDED_SHARE`` is a mixture of libraries, or DNA in the RNA: counts do not decide it.
"""

PACKED = re.compile(r"\.(?:gz|zst|bz2|xz)$", re.IGNORECASE)
_ENDING = re.compile(
    r"(?:(?:^|[._])(?:genes?|results?|quant|abundances?|abund|counts?|htseq|featurecounts?|rna_seq|tpm|fpkm"
    r"|augmented_star_gene_counts|star_gene_counts|normalized_results|fpkm[_-]uq|fpkm_tracking)"
    r"|\.(?:sf|tsv|csv|txt|tab|out|xlsx|parquet|feather|rsem|salmon|kallisto|stringtie|star|isoforms)"
    r"|[._]?readspergene)$",
    re.IGNORECASE,
)
"""Words that pipelines write behind the name of a sample, alone where the folder has the name."""

_ALIGNMENT = re.compile(r"\.(?:bam|sam|cram)$", re.IGNORECASE)


def sample_of(path: Path) -> str:
    """Name of the one sample of a file: the file's without the usual endings, or else its folder's."""
    return own_name(path) or path.absolute().parent.name or path.name


def own_name(path: Path) -> str:
    """Name of a file without the endings that pipelines write; empty where nothing is left."""
    name = PACKED.sub("", path.name)
    while found := _ENDING.search(name):
        name = name[: found.start()]
    return name.strip(" ._-")


@dataclass(frozen=True)
class SelectedSamples:
    """A table with the columns that are read.

    Parameters
    ----------
    layout
        Its samples are the columns to parse; the last is the length of the genes where ``has_lengths``.
    sample_ids
        Names of the samples.
    is_by_strand
        Whether the columns are counts of one sample by strand, of which one is chosen once they are read.
    unit, notes
        Unit that the columns state, and what a user must know of the choice.
    """

    path: Path
    layout: TextLayout
    sample_ids: tuple[str, ...]
    is_by_strand: bool = False
    has_lengths: bool = False
    unit: ExpressionUnit | None = None
    notes: tuple[Note, ...] = ()

    def finished(self, reading: MatrixReading) -> MatrixReading:
        """Take apart what was parsed: lengths of genes, and the strand that the counts show."""
        if not (self.has_lengths or self.is_by_strand):
            return replace(reading, unit=self.unit or reading.unit, notes=(*reading.notes, *self.notes))
        genes = reading.source.gene_ids
        values = reading.source.block(0, len(reading.source.sample_ids))
        lengths = self._lengths(genes, values[-1].tolist()) if self.has_lengths else {}
        rows, notes = slice(len(self.sample_ids)), self.notes
        if self.is_by_strand:
            row = _strand_row(self.path, genes, values)
            rows = slice(row, row + 1)
            notes = (*notes, note(Code.QUANTITY_CHOSEN, "strand", column=STRAND_COLUMNS[row]))
        return replace(
            reading,
            source=InMemoryMatrix(self.sample_ids, genes, values[rows]),
            unit=self.unit,
            gene_lengths=lengths if self.has_lengths else None,
            notes=(*reading.notes, *notes),
        )

    def _lengths(self, genes: Sequence[str], bp: Sequence[float]) -> Mapping[str, float]:
        """Lengths by name of the gene; raises MatrixInvalidError: one name has two."""
        lengths: dict[str, float] = {}
        for gene, length in zip(genes, bp, strict=True):
            if length > 0 and lengths.setdefault(gene, length) != length:
                msg = f"gene {gene} has lengths {lengths[gene]:g} and {length:g}; name genes by their ids"
                raise MatrixInvalidError.at(self.path, msg)
        return lengths


def select_samples(path: Path, layout: TextLayout, request: ReadRequest) -> SelectedSamples:
    """Choose the columns of a table that are read, and name them.

    Raises MatrixInvalidError: the table is no genes by samples, or has no column in the declared unit.
    """
    if request.transpose:
        return SelectedSamples(path, layout, layout.sample_ids)
    refuse_other_kinds(path, layout)
    selection = select_quantity(path, layout.sample_ids, request) or _of_featurecounts(path, layout)
    if selection is None:
        return SelectedSamples(path, layout, layout.sample_ids)
    columns = [layout.sample_columns[at] for at in selection.columns]
    sample_ids = selection.sample_ids or (sample_of(path),)
    has_lengths = is_featurecounts(layout)
    names = list(layout.names)
    for at, name in zip(columns, () if selection.is_by_strand else sample_ids, strict=False):
        names[at] = name
    read = tuple([*columns, FEATURE_COLUMNS.index("length")] if has_lengths else columns)
    chosen = replace(layout, names=tuple(names), sample_columns=read)
    return SelectedSamples(
        path, chosen, sample_ids, selection.is_by_strand, has_lengths, selection.unit, selection.notes
    )


@dataclass(frozen=True)
class SelectedColumns:
    """Positions of the columns that are read, names of their samples, and the unit that they state."""

    columns: tuple[int, ...]
    sample_ids: tuple[str, ...]
    unit: ExpressionUnit | None = None
    notes: tuple[Note, ...] = ()


def select_columns(
    label: Path | str, names: Sequence[str], request: ReadRequest, *, own: str = ""
) -> SelectedColumns:
    """Choose among named columns of numbers, for tables that are no text.

    ``own``: name of a sample that the columns do not name; the file's where empty. Raises MatrixInvalidError:
    there is no column in the declared unit, or the strand of counts is not declared.
    """
    selection = None if request.transpose else select_quantity(label, names, request)
    if selection is None:
        return SelectedColumns(tuple(range(len(names))), tuple(names))
    if selection.is_by_strand:
        msg = "counts by strand; keep the column that fits the library, or declare it with --strand"
        raise MatrixInvalidError.at(label, msg)
    sample_ids = selection.sample_ids or (own or sample_of(Path(label)),)
    return SelectedColumns(selection.columns, sample_ids, selection.unit, selection.notes)


def _of_featurecounts(path: Path, layout: TextLayout) -> Selection | None:
    """Counts of featureCounts; a single alignment is named by the file, or else by the alignment."""
    if not is_featurecounts(layout) or not layout.sample_ids:
        return None
    sample_ids = layout.sample_ids
    if len(sample_ids) == 1 and _ALIGNMENT.search(sample_ids[0]):
        own = own_name(path) or own_name(Path(_ALIGNMENT.sub("", sample_ids[0])))
        sample_ids = (own,) if own else sample_ids
    return Selection(tuple(range(len(sample_ids))), sample_ids, ExpressionUnit.COUNTS, "")


def _strand_row(path: Path, genes: Sequence[str], values: FloatArray) -> int:
    """Choose among counts of shape (3, n_genes) by the share of stranded reads on the first strand.

    Raises MatrixInvalidError: the share is neither that of a stranded nor of an unstranded library.
    """
    is_gene = np.array([not name.startswith("N_") for name in genes], dtype=bool)
    first, second = np.nansum(values[1:, is_gene], axis=1)
    share = first / (first + second) if first + second > 0 else 0.5
    low, high = UNSTRANDED_SHARES
    if low <= share <= high:
        return 0
    if max(share, 1 - share) >= STRANDED_SHARE:
        return 1 if share > high else 2
    msg = f"strandedness not clear ({share:.0%} of the stranded reads are on the first strand); "
    raise MatrixInvalidError.at(path, msg + "declare it with --strand unstranded, forward or reverse")
