"""The formats there are."""

from __future__ import annotations

from enum import StrEnum


class ExportFormat(StrEnum):
    """Formats of other programs; scores as AnnData are in every result (``scores.h5ad``)."""

    MULTIQC = "multiqc"
    GCT = "gct"
    CBIOPORTAL = "cbioportal"
    SCHEMA = "schema"
