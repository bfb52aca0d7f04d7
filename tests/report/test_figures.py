"""Every figure that a page shows stands in the JSON, or is a count of what stands there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from escape_score.model.record import EscapeProfile
from escape_score.report import render_sample
from escape_score.report.i18n import translations
from escape_score.report.sentences import CALL_REASONS

TEMPLATES = Path(__file__).resolve().parents[2] / "src" / "escape_score" / "report" / "templates"
FIGURE = re.compile(r"(?<![\w.,-])[-+]?\d[\d,]*(?:\.\d+)?(?![\w.]*[A-Za-z])")
PageParser = Callable[[str], object]


def leaves(node: object) -> Iterator[object]:
    """Everything in a tree of JSON, keys of objects too, and how long each list is."""
    if isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from leaves(value)
    elif isinstance(node, list):
        yield len(node)
        for value in node:
            yield from leaves(value)
    else:
        yield node


def figures_of(text: str) -> set[str]:
    return {match.lstrip("+").replace(",", "").rstrip(".") for match in FIGURE.findall(text)}


def is_from(figure: str, numbers: list[float]) -> bool:
    """Whether a figure is one of the numbers, rounded as far as it shows, in percent or as it is."""
    decimals = len(figure.partition(".")[2])
    allowed = 0.5000001 * 10**-decimals
    return any(
        abs(float(figure) - number * scale) <= allowed or figure == f"{number:.4g}"
        for number in numbers
        for scale in (1, 100)
    )


@pytest.mark.parametrize("name", ["provisional", "matched", "empty"])
def test_every_figure_of_a_sample_page_is_in_the_json(
    name: str,
    make_profile: Callable[..., EscapeProfile],
    matched_profile: EscapeProfile,
    empty_profile: EscapeProfile,
    parse_page: Callable[[str], object],
) -> None:
    profile = {"provisional": make_profile(), "matched": matched_profile, "empty": empty_profile}[name]
    record = json.loads(profile.model_dump_json())
    found = list(leaves(record))
    numbers = [float(leaf) for leaf in found if isinstance(leaf, int | float) and not isinstance(leaf, bool)]
    calls = [axis["call"] for axis in record["axes"]]
    counts = [calls.count(call) for call in ("detected", "not_detected", "not_evaluable")]
    numbers += [*counts, len(calls) - counts[2], *range(1, 10)]  # left-out genes are counted with one digit
    said = " ".join(str(leaf) for leaf in found if isinstance(leaf, str))
    fixed = " ".join(path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.j2"))
    fixed += " ".join(CALL_REASONS) + " of 100, 90 % interval"
    known = figures_of(said) | figures_of(fixed)
    text = parse_page(render_sample(profile)).text  # type: ignore[attr-defined]
    shown = figures_of(text)
    assert len(shown) > 10
    assert sorted(figure for figure in shown - known if not is_from(figure, numbers)) == []


def test_figure_that_is_not_in_the_json_is_noticed() -> None:
    assert not is_from("1.24", [1.25, 3.0])
    assert is_from("1.2", [1.24])
    assert is_from("87", [0.873])
    assert figures_of("P87 of 1,592 (+1.25)") == {"1592", "1.25"}
    assert translations("en").fixed(1592, 0) == "1,592"
