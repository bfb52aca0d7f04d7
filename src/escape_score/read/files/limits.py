"""How large an input may be: what is larger is refused before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from escape_score.config import ReadConfig
from escape_score.errors import FileUnreadableError, MatrixInvalidError


@dataclass(frozen=True, kw_only=True)
class ReadLimits:
    """Sizes above which a file is refused.

    Parameters
    ----------
    max_file_bytes, max_expanded_bytes
        Size on disk and after decompression.
    max_expansion_ratio, ratio_floor_bytes
        Decompressed size over size on disk, and the decompressed size below which it does not matter, because
        small files of zeros pack well.
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
            max_file_bytes=config.max_file_mb * 1024**2,
            max_expanded_bytes=config.max_expanded_mb * 1024**2,
            max_expansion_ratio=config.max_expansion_ratio,
            max_genes=config.max_genes,
            max_samples=config.max_samples,
        )

    def allow(self, n_bytes: int, *, of: int) -> bool:
        """Whether that many bytes may come of so many on disk."""
        is_dense = n_bytes > self.ratio_floor_bytes and n_bytes > self.max_expansion_ratio * max(of, 1)
        return n_bytes <= self.max_expanded_bytes and not is_dense

    def check_unpacked(self, path: Path, n_bytes: int, *, of: int, part: str = "") -> None:
        """Refuse a file of ``of`` bytes, or a part of it, that grows to ``n_bytes`` or more once unpacked.

        Raises FileUnreadableError: that is beyond the limits.
        """
        if not self.allow(n_bytes, of=of):
            size = f"{part}: {n_bytes}" if part else n_bytes
            raise FileUnreadableError.at(
                path,
                f"too large once unpacked ({size} bytes of {of} packed); "
                f"at most {self.max_expanded_bytes} bytes and {self.max_expansion_ratio}-fold are read",
            )


DEFAULT_LIMITS = ReadLimits()


def check_shape(label: Path | str, limits: ReadLimits, *, n_samples: int = 0, n_genes: int = 0) -> None:
    """Refuse a matrix of too many samples or genes; 0 where their number is not known yet.

    Raises MatrixInvalidError: either is above its limit.
    """
    if n_samples <= limits.max_samples and n_genes <= limits.max_genes:
        return
    found = [f"{n} {what}" for n, what in ((n_samples, "samples"), (n_genes, "genes")) if n]
    msg = f"too large ({' by '.join(found)}); at most {limits.max_samples} samples and "
    raise MatrixInvalidError.at(label, msg + f"{limits.max_genes} genes are read")


def check_filling(path: Path, limits: ReadLimits, *, n_samples: int, n_genes: int) -> None:
    """Refuse a matrix that would be many times as large as the file that holds it, and so mostly blank.

    Raises MatrixInvalidError: its cells, of 8 bytes in memory, are beyond the limits.
    """
    needed, n_bytes = 8 * n_samples * n_genes, path.stat().st_size
    if not limits.allow(needed, of=n_bytes):
        msg = f"too large ({n_samples} samples by {n_genes} genes need {needed} bytes of memory, "
        raise MatrixInvalidError.at(path, msg + f"the file has {n_bytes}); give a smaller matrix, or h5ad")
