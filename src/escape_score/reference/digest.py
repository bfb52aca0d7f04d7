"""Which files a reference is, and their digest; nothing but bytes is needed for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from escape_score.library.files import resource_path

UNTRUSTED = "untrusted_genes.tsv"
TABLES = (
    "reference.json",
    "genes.tsv",
    "terms.tsv",
    "slopes.tsv",
    "weakest_links.tsv",
    "presentation.tsv",
    "distributions.tsv",
)


def digest_tables(tables: Mapping[str, bytes]) -> str:
    """Digest a reference by the bytes of its tables and of the shipped constants.

    Parameters
    ----------
    tables
        File name to content: every name of ``TABLES``, and ``untrusted_genes.tsv`` where there is one.

    Returns
    -------
    str
        sha256, 64 hex digits: the same whether the tables are in a folder or in memory.
    """
    names = (*TABLES, UNTRUSTED) if UNTRUSTED in tables else TABLES
    contents = [tables[name] for name in names] + [resource_path("reference", "constants.tsv").read_bytes()]
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def digest_folder(folder: Path) -> str:
    """Digest the reference in a folder as :func:`digest_tables`, without reading its numbers."""
    paths = (folder / name for name in (*TABLES, UNTRUSTED))
    return digest_tables({path.name: path.read_bytes() for path in paths if path.is_file()})
