"""Figures on disk: the same bytes in every run, and no file of the user is replaced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from escape_score.errors import OutputUnwritableError, UsageError
from escape_score.store.figures import FORMATS, require_figure_file, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawing(title: str = "tumours 腫瘍") -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    ax = figure.subplots()
    ax.plot([0, 1], [1, 0], label="line")
    ax.set_title(title)
    ax.legend()
    return figure


@pytest.mark.parametrize("ending", FORMATS)
def test_same_figure_gives_the_same_bytes_whatever_the_user_has_set(ending: str, tmp_path: Path) -> None:
    import matplotlib as mpl

    first, second = tmp_path / f"a{ending}", tmp_path / "new" / f"b{ending.upper()}"
    write_figure(first, drawing)
    with mpl.rc_context({"font.size": 20, "svg.fonttype": "path", "savefig.dpi": 20}):
        write_figure(second, drawing)
    assert first.read_bytes() == second.read_bytes()
    assert b"Date" not in first.read_bytes()
    require_figure_file(first)
    write_figure(first, lambda: drawing("another"))
    assert first.read_bytes() != second.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {first.name, "new"}


@pytest.mark.parametrize("name", ["figure", "figure.jpeg", ".svg", "."])
def test_unknown_ending_names_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match=r"use one of \.svg, \.png, \.pdf"):
        require_figure_file(Path(name))


def test_what_the_program_did_not_write_stays(tmp_path: Path) -> None:
    foreign, folder, link = tmp_path / "a.svg", tmp_path / "b.svg", tmp_path / "c.svg"
    foreign.write_text("<svg/>", encoding="utf-8")
    folder.mkdir()
    link.symlink_to(tmp_path / "nothing")
    for path in (foreign, folder, link):
        with pytest.raises(OutputUnwritableError, match="is not a figure of this program"):
            require_figure_file(path)
    png = tmp_path / "a.png"
    write_figure(tmp_path / "d.svg", drawing)
    png.write_bytes((tmp_path / "d.svg").read_bytes())
    with pytest.raises(OutputUnwritableError, match="is not a figure of this program"):
        require_figure_file(png)


def test_input_is_never_replaced(tmp_path: Path) -> None:
    path, other = tmp_path / "a.svg", tmp_path / "b.svg"
    write_figure(path, drawing)
    other.hardlink_to(path)
    with pytest.raises(OutputUnwritableError, match="is an input"):
        require_figure_file(other, None, tmp_path / "missing", path)


def test_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputUnwritableError, match="cannot be written") as caught:
        write_figure(tmp_path / "file" / "a.svg", drawing)
    assert len(caught.value.lines) == 1
    with pytest.raises(OutputUnwritableError, match="cannot be written"):
        require_figure_file(tmp_path / ("x" * 300 + ".svg"))
