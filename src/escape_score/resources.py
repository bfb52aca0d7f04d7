"""Where the files shipped with the package are found."""

from __future__ import annotations

from pathlib import Path

from escape_score.errors import ResourceMissingError

_PACKAGE = Path(__file__).resolve().parent
_ROOTS = (_PACKAGE / "resources", _PACKAGE.parents[1] / "resources")
"""In an installed wheel, resources lie inside the package; in a source tree, two folders above it."""


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
