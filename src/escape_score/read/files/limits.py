"""How large an input may be: what is larger is refused before it is read."""

from __future__ import annotations

from dataclasses import dataclass

from escape_score.config import ReadConfig

MEBIBYTE = 1024**2


@dataclass(frozen=True, kw_only=True)
class ReadLimits:
    """Sizes above which a file is refused.

    Parameters
    ----------
    max_file_bytes
        Size on disk.
    max_expanded_bytes
        Size after decompression.
    max_expansion_ratio
        Decompressed size over size on disk; judged from ``ratio_floor_bytes`` on, because small files of
        zeros pack well.
    ratio_floor_bytes
        Decompressed bytes below which the ratio does not matter.
    max_genes, max_samples
        Shape of the matrix.
    max_line_bytes
        One line of a text file.
    max_cell_bytes
        One name of a sample or gene, or one cell of a workbook.
    """

    max_file_bytes: int = 4 * 1024**3
    max_expanded_bytes: int = 8 * 1024**3
    max_expansion_ratio: int = 200
    ratio_floor_bytes: int = 64 * 1024**2
    max_genes: int = 100_000
    max_samples: int = 20_000
    max_line_bytes: int = 16 * 1024**2
    max_cell_bytes: int = 4 * 1024

    @classmethod
    def from_config(cls, config: ReadConfig) -> ReadLimits:
        """Limits as a config states them."""
        return cls(
            max_file_bytes=config.max_file_mb * MEBIBYTE,
            max_expanded_bytes=config.max_expanded_mb * MEBIBYTE,
            max_expansion_ratio=config.max_expansion_ratio,
            max_genes=config.max_genes,
            max_samples=config.max_samples,
        )


DEFAULT_LIMITS = ReadLimits()
