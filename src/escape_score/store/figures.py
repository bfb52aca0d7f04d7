"""Figures on disk: the same figure gives the same bytes, and no file of the user is replaced."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from escape_score.errors import OutputUnwritableError, UsageError, did_you_mean
from escape_score.store.atomic import replacing, unwritable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AUTHOR = "escape-score"
LARGEST_FIGURE = 100_000_000
"""Bytes above which a file is none of our figures."""

STYLE = {"svg.fonttype": "none", "svg.hashsalt": AUTHOR, "pdf.fonttype": 42, "savefig.dpi": 150}
"""Text stays text, and names inside a file do not change from run to run."""


@dataclass(frozen=True)
class FigureFormat:
    """A format of figures: what is stored about the file, and the bytes that show who wrote it."""

    name: str
    mark: bytes
    metadata: Mapping[str, str | None] = field(hash=False)


FORMATS = {
    f".{one.name}": one
    for one in (
        FigureFormat("svg", f"<dc:title>{AUTHOR}</dc:title>".encode(), {"Creator": AUTHOR, "Date": None}),
        FigureFormat("png", f"Software\0{AUTHOR}".encode(), {"Software": AUTHOR}),
        FigureFormat(
            "pdf",
            f"/Creator ({AUTHOR})".encode(),
            {"Creator": AUTHOR, "Producer": None, "CreationDate": None},
        ),
    )
}
"""By the ending of the file."""


def require_figure_file(out: Path, *inputs: Path | None) -> None:
    """Refuse an unknown ending, an input, and what is there and is not a figure of this program.

    Raises
    ------
    UsageError
        The ending is not known.
    OutputUnwritableError
        The file cannot be replaced, or its folder cannot be looked at.
    """
    form = _format_of(out)
    try:
        is_there = out.is_symlink() or out.exists()
        if is_there and any(one is not None and one.exists() and one.samefile(out) for one in inputs):
            raise OutputUnwritableError.at(out, "is an input; name another file")
        if is_there and not _is_ours(out, form):
            raise OutputUnwritableError.at(
                out, "exists and is not a figure of this program; name another file"
            )
    except OSError as error:
        raise unwritable(out, error) from error


def write_figure(out: Path, draw: Callable[[], Figure]) -> None:
    """Draw a figure and write it whole or not at all, in the format of its ending, without a date.

    Settings of the user do not change it. Raises OutputUnwritableError: it cannot be written.
    """
    from matplotlib import style

    form = _format_of(out)
    with replacing(out) as temporary, style.context(["default", STYLE]), warnings.catch_warnings():
        # letters that the font lacks are drawn as boxes
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        draw().savefig(temporary, format=form.name, metadata=dict(form.metadata))


def _format_of(out: Path) -> FigureFormat:
    """Format by the ending, in any case."""
    form = FORMATS.get(out.suffix.lower())
    if form is None:
        what, asked = out.suffix or "no ending", did_you_mean(out.suffix, FORMATS) or ";"
        raise UsageError.at(out, f"{what} is not a format of figures{asked} use one of {', '.join(FORMATS)}")
    return form


def _is_ours(path: Path, form: FigureFormat) -> bool:
    """Whether this program wrote a file; a link is never its own."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_FIGURE:
        return False
    return form.mark in path.read_bytes()
