"""``escape-score axes list`` and ``show``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from escape_score.cli import main
from escape_score.library.axes import load_axis_catalogue, load_design
from escape_score.library.axis_details import axis_details
from escape_score.model.axes import Axis, AxisKind

AXES = load_axis_catalogue().axes
Capture = pytest.CaptureFixture[str]


def test_list_has_every_axis_in_order(capsys: Capture) -> None:
    assert main(["axes", "list"]) == 0
    header, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert header == ["axis", "title", "group", "adjusted_for", "called"]
    assert [row[0] for row in rows] == [axis.axis for axis in AXES]
    assert {row[0] for row in rows if row[4] == "context"} == {"antigen_loss", "mmr_deficiency"}
    assert main(["axes", "list", "--json"]) == 0
    assert [list(row.values()) for row in json.loads(capsys.readouterr().out)] == rows


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.axis)
def test_every_axis_is_shown_with_its_genes_and_sources(axis: Axis, capsys: Capture) -> None:
    definition = axis
    assert main(["axes", "show", definition.axis, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["title"], found["threshold"]) == (definition.title, definition.threshold)
    for component in found["components"]:
        genes = {gene["gene_symbol"] for gene in component["genes"]}
        assert genes == set(load_design().components[component["component"]])
        assert all(gene["source"] for gene in component["genes"])
    uses = {component["use"] for component in found["components"]}
    assert ("adjustment" in uses) is bool(definition.adjusted_for)
    assert ("chain" in uses) is (definition.kind is not AxisKind.MEAN)
    assert all(one["doi"] and one["level"] for one in found["approaches"])


def test_text_says_what_the_axis_looks_at(capsys: Capture) -> None:
    assert main(["axes", "show", "exclusion"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("exclusion: Exclusion of effector cells by stroma (Microenvironment)\n")
    for part in ("adjusted for: effector T cells", "called from: 1.28 (", "effector (adjustment;"):
        assert part in text
    assert all(f"\n{gene}\t" in text for gene in load_design().components["tgfb"])
    assert main(["axes", "show", "antigen_loss"]) == 0
    assert "called: no, it describes the tumour" in capsys.readouterr().out


def test_a_title_is_understood_too() -> None:
    assert axis_details("macrophages").axis == "tam"


def test_wrong_name_is_answered_with_the_nearest(refused: Callable[..., tuple[str, ...]]) -> None:
    (line,) = refused(2, "axes", "show", "exhaustionn")
    assert "unknown axis 'exhaustionn'; did you mean 'exhaustion'? use one of antigen_loss, " in line
