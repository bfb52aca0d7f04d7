"""What a caller says about a file where its content leaves a choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from escape_score.config import ReadConfig
from escape_score.errors import UsageError
from escape_score.model.units import ExpressionUnit, Strand
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits


@dataclass(frozen=True, kw_only=True)
class ReadRequest:
    """How a matrix is to be read.

    Parameters
    ----------
    limits
        Sizes above which a file is refused.
    units
        Unit declared; chooses among several quantities of one sample.
    transpose
        Whether samples are in rows and genes in columns.
    sheet
        Sheet of a workbook; the only one that is a matrix where None.
    layer
        Layer of an h5ad; ``X`` where None.
    strand
        Strandedness of the library.
    as_samples
        Whether each row is one sample, even if rows look like single cells.
    columns
        Names of the sample sheet's columns as the package calls them, to their names in the sheet.
    """

    limits: ReadLimits = DEFAULT_LIMITS
    units: ExpressionUnit = ExpressionUnit.AUTO
    transpose: bool = False
    sheet: str | None = None
    layer: str | None = None
    strand: Strand = Strand.AUTO
    as_samples: bool = False
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @classmethod
    def from_config(cls, config: ReadConfig, *, units: ExpressionUnit = ExpressionUnit.AUTO) -> ReadRequest:
        """Make a request of a config's block ``read`` and a declared unit."""
        return cls(
            limits=ReadLimits.from_config(config),
            units=units,
            transpose=config.transpose,
            sheet=config.sheet,
            layer=config.layer,
            strand=Strand(config.strand),
            as_samples=config.as_samples,
            columns=column_names(config.columns),
        )


DEFAULT_REQUEST = ReadRequest()


def column_names(pairs: Iterable[str]) -> Mapping[str, str]:
    """Read pairs such as ``sample_id=Barcode``: the package's name of a column, and its name in the sheet.

    Raises UsageError: a pair has no ``=``, an empty side, or a name that was given before.
    """
    names: dict[str, str] = {}
    for pair in pairs:
        ours, mark, theirs = (part.strip() for part in pair.partition("="))
        if not (ours and mark and theirs) or ours in names:
            msg = f"--map {pair!r}: not a new pair of names; write ours=theirs, such as sample_id=Barcode"
            raise UsageError(msg)
        names[ours] = theirs
    return MappingProxyType(names)
