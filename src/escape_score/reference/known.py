"""Which references there are: shipped with the program, and kept in the user's data folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from escape_score.errors import ReferenceInvalidError, did_you_mean
from escape_score.library.files import resource_path
from escape_score.model.arguments import require_path

DATA_VARIABLE = "ESCAPE_SCORE_DATA"
"""Environment variable that names another data folder; see :func:`data_folder`."""

HEADER = "reference.json"

DEFAULT_REFERENCE = "tcga-coadread-v1"
"""The first shipped one, of most tumours: others are shrunk towards it, and it has the gene lengths."""
COHORT_REFERENCE = "cohort"
"""Asks for a reference fitted on the cohort itself; no reference may be called that."""
AUTO_REFERENCE = "auto"
"""Asks for the reference that fits a cohort best; no reference may be called that."""

NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What the name of a reference may be: it is also the name of its folder."""


class Origin(StrEnum):
    """Where a reference comes from."""

    SHIPPED = "shipped"
    FETCHED = "fetched"
    """Fitted on a public matrix, by ``reference fetch``."""
    FITTED = "fitted"
    """Fitted on matrices of the user, by ``reference fit`` without ``--out``."""


@dataclass(frozen=True)
class KnownReference:
    """A reference that can be named: its name, where it comes from, and the folder of its tables."""

    name: str
    origin: Origin
    folder: Path


def data_folder() -> Path:
    """Folder in which the program keeps references of the user.

    ``$ESCAPE_SCORE_DATA`` where it is set, else the usual place of the system for data of a program. It is
    not made here.
    """
    named = os.environ.get(DATA_VARIABLE, "")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("escape_score", appauthor=False)


def kept_folder(name: str, origin: Origin) -> Path:
    """Folder in which a reference of a name is kept, whether it is there or not."""
    return data_folder() / "references" / origin.value / name


def known_references() -> tuple[KnownReference, ...]:
    """All references with a name, those shipped first, each kind sorted by name."""
    return tuple(one for origin in Origin for one in sorted(_of(origin), key=lambda one: one.name))


def find_reference(name: str) -> KnownReference | None:
    """The reference of a name; None where there is none."""
    return next((one for one in known_references() if one.name == name), None)


def find_folder(name_or_path: str) -> Path:
    """Folder of a reference that is given by its name or folder.

    Raises ReferenceInvalidError: there is no such reference; UsageError: it is no name.
    """
    require_path("reference", name_or_path, "a name of es.list_references or the folder of a reference")
    folder = Path(name_or_path)
    if not _is_folder(folder):
        known = find_reference(name_or_path)
        if known is None:
            raise unknown_reference(name_or_path)
        folder = known.folder
    return folder.resolve()


def known_at(folder: Path) -> KnownReference | None:
    """The reference with a name that is in a folder; None for any other folder."""
    resolved = folder.resolve()
    return next((one for one in known_references() if one.folder.resolve() == resolved), None)


def _is_folder(path: Path) -> bool:
    """Whether there is such a folder; a name that no file can have is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def unknown_reference(name: str) -> ReferenceInvalidError:
    """The error for a name that no reference has."""
    names = [one.name for one in known_references()]
    asked = did_you_mean(name, names) or ";"
    what = f"no such reference{asked} give a folder or one of {', '.join(names)}"
    return ReferenceInvalidError.at(name, what)


def _of(origin: Origin) -> Iterator[KnownReference]:
    """References of one kind."""
    parent = resource_path("reference") if origin is Origin.SHIPPED else kept_folder("", origin)
    try:
        folders = [path.parent for path in parent.glob(f"*/{HEADER}")]
    except OSError as error:
        msg = f"cannot be read ({error.strerror}); check its permissions or set {DATA_VARIABLE}"
        raise ReferenceInvalidError.at(parent, msg) from error
    return (KnownReference(path.name, origin, path) for path in folders if not path.name.startswith("."))
