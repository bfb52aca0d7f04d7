"""Where the files shipped with the package are found, and how their tables are read."""

from __future__ import annotations

import csv
from pathlib import Path

from escape_score.errors import ResourceMissingError

_PACKAGE = Path(__file__).resolve().parents[1]
_ROOTS = (_PACKAGE / "_data" / "resources", _PACKAGE.parents[1] / "resources")
"""A wheel carries the resources inside the package; a source tree has them at its top."""


def resource_path(*parts: str) -> Path:
    """Path of a shipped file or folder.

    Parameters
    ----------
    *parts
        Path below ``resources/``, such as ``"genes", "genes.tsv.gz"``.

    Returns
    -------
    Path
        An absolute path that exists.

    Raises
    ------
    ResourceMissingError
        The installation does not hold the file.
    """
    for root in _ROOTS:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    msg = f"{'/'.join(('resources', *parts))}: not part of this installation; install escape-score again"
    raise ResourceMissingError(msg)


def table_rows(path: Path) -> list[dict[str, str]]:
    """Read a shipped tab-separated table.

    Parameters
    ----------
    path
        Such as from :func:`resource_path`; quotes are letters like any other.

    Returns
    -------
    list of dict
        One for each row: column to text.
    """
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
