"""Every figure that a page shows stands in the JSON, or is a count of what stands there."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from html import unescape
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from tests.report.conftest import ParsedPage, made
from tests.report.made_up import GROUPS, RESPONSE, SURVIVAL, statistics

from escape_score.model.notes import Code
from escape_score.model.record import AxisProfile, Call, EscapeProfile, NoteRecord
from escape_score.model.record_statistics import CohortStatistics
from escape_score.report import render_cohort, render_sample
from escape_score.report.messages import MESSAGES, english
from escape_score.report.text.i18n import MINUS, translations
from escape_score.report.text.terms import TERMS

TEMPLATES = Path(__file__).resolve().parents[2] / "src" / "escape_score" / "report" / "templates"
FIGURE = re.compile(r"(?<![\w.,-])[-+]?\d[\d,]*(?:\.\d+)?(?![\w.]*[A-Za-z])")
CELL = r"<t[hd][ >].*?</t[hd]>"
Json = dict[str, Any]
ParsePage = Callable[[str], ParsedPage]


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
    found = FIGURE.findall(text.replace(MINUS, "-"))
    return {match.lstrip("+").replace(",", "").rstrip(".") for match in found}


def is_from(figure: str, numbers: Sequence[float]) -> bool:
    """Whether a figure is one of the numbers, rounded as far as it shows, in percent or as it is."""
    decimals = len(figure.partition(".")[2])
    allowed = 0.5000001 * 10**-decimals
    return any(
        abs(float(figure) - number * scale) <= allowed or figure == f"{number:.4g}"
        for number in numbers
        for scale in (1, 100)
    )


def numbers_of(tree: object) -> list[float]:
    """Every number of a tree of JSON."""
    return [
        float(leaf) for leaf in leaves(tree) if isinstance(leaf, int | float) and not isinstance(leaf, bool)
    ]


def sentences(tree: object) -> Iterator[str]:
    """Sentences of all notes of a tree of JSON."""
    if isinstance(tree, dict) and tree.keys() == {"code", "severity", "params"}:
        yield english(NoteRecord.model_validate(tree))
    for one in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from sentences(one)


def figures_said(*trees: object) -> set[str]:
    """Figures inside texts: of the records, such as names of genes and samples, and of the templates."""
    said = " ".join(str(leaf) for tree in trees for leaf in leaves(tree) if isinstance(leaf, str))
    said += " ".join(sentence for tree in trees for sentence in sentences(tree))
    fixed = " ".join(path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.j2"))
    return figures_of(said) | figures_of(
        " ".join((fixed, *MESSAGES.values(), *(meaning for _, meaning in TERMS.values())))
        + " of 100, 90 % interval, 95 % interval, −2 on the scale"
    )


def foreign_figures(text: str, known: set[str], numbers: Sequence[float]) -> list[str]:
    """Figures of a page that stand in no JSON and count nothing that stands there."""
    shown = figures_of(text)
    assert len(shown) > 10
    return sorted(figure for figure in shown - known if not is_from(figure, numbers))


def counts_of_sample(record: Json) -> list[float]:
    """Mechanisms of each call, those evaluable, and counts of genes left out, which have one digit."""
    calls = [axis["call"] for axis in record["axes"]]
    counts = [calls.count(call) for call in Call]
    return [*counts, sum(counts[:-1]), *range(1, 10)]


EVALUABLE = ("detected", "borderline", "not_detected")
QUALITY: tuple[Callable[[Json], float | None], ...] = (
    lambda record: record["reference"]["distance"],
    lambda record: record["reference"]["n_anchors"],
    lambda record: record["leukocyte_fraction"],
)


def counts_of_cohort(records: Sequence[Json]) -> list[float]:
    """What the page of a cohort may count or take the middle of: samples by class, call, flag and label."""
    axes = [axis for record in records for axis in record["axes"]]
    classes = Counter(
        (key, str(value))
        for record in records
        for key, value in (
            *((key, record[key]) for key in ("status", "phenotype", "archetype")),
            ("match", record["reference"]["match"]),
            *record["metadata"].items(),
            *(("flag", flag["code"]) for flag in record["flags"]),
        )
    )
    calls = Counter((axis["axis"], axis["call"]) for axis in axes)
    per_sample = [counts_of_sample(record) for record in records]
    scores = [
        [axis["score"] for axis in axes if axis["axis"] == name and axis["score"] is not None]
        for name in dict.fromkeys(axis["axis"] for axis in axes)
    ]
    quality = [[value for record in records if (value := get(record)) is not None] for get in QUALITY]
    return [
        len(records),
        0,
        *classes.values(),
        *calls.values(),
        *(n for counts in per_sample for n in counts[:5]),
        *(sum(calls[name, call] for call in EVALUABLE) for name, _ in calls),
        *(counts[0] - 3 for counts in per_sample),  # mechanisms that a row does not name
        *(len(record["flags"]) - n for record in records for n in range(4)),
        *(median(values) for values in (*scores, *quality) if values),
        median([counts[4] for counts in per_sample]),
    ]


@pytest.mark.parametrize("name", ["provisional", "matched", "empty"])
def test_every_figure_of_a_sample_page_is_in_the_json(
    name: str,
    make_profile: Callable[..., EscapeProfile],
    matched_profile: EscapeProfile,
    empty_profile: EscapeProfile,
    parse_page: ParsePage,
) -> None:
    profile = {"provisional": make_profile(), "matched": matched_profile, "empty": empty_profile}[name]
    record = json.loads(profile.model_dump_json())
    numbers = [*numbers_of(record), *counts_of_sample(record)]
    assert foreign_figures(parse_page(render_sample(profile)).text, figures_said(record), numbers) == []


@pytest.fixture(scope="module")
def made_up_statistics() -> CohortStatistics:
    return statistics(
        response=RESPONSE,
        survival=(SURVIVAL,),
        comparisons=(GROUPS,),
        notes=(made(Code.STATISTICS, "not_counted", n=6, n_all=36),),
    )


def shrunk(profile: EscapeProfile, factor: float) -> tuple[AxisProfile, ...]:
    """Mechanisms with smaller scores."""
    return tuple(
        axis.model_copy(update={"score": None if axis.score is None else axis.score * factor})
        for axis in profile.axes
    )


@pytest.fixture(scope="module")
def cohort(make_profile: Callable[..., EscapeProfile], matched_profile: EscapeProfile) -> list[EscapeProfile]:
    """Samples that differ in index, labels and scores, and one that is comparable to the reference."""
    base = make_profile()
    return [
        matched_profile,
        *(
            make_profile(
                f"T-{number}",
                index=base.index.model_copy(update={"score": 21.37 + 7.31 * number}),
                axes=shrunk(base, 0.63**number),
                metadata={"response": "R" if number % 3 else "NR", "msi": "MSS" if number % 4 else "MSI-H"},
            )
            for number in range(7)
        ),
    ]


def cohort_page(profiles: Sequence[EscapeProfile], statistics: CohortStatistics) -> str:
    return render_cohort(profiles, skipped=[("S9", "no values")], statistics=lambda: statistics)


def trees_of(profiles: Sequence[EscapeProfile], statistics: CohortStatistics) -> tuple[list[Json], Json]:
    """The JSON files of a result, as a reader of them finds them."""
    return [json.loads(one.model_dump_json()) for one in profiles], json.loads(statistics.model_dump_json())


def foreign_in_cohort(
    html: str, profiles: Sequence[EscapeProfile], statistics: CohortStatistics, parse_page: ParsePage
) -> list[str]:
    records, found = trees_of(profiles, statistics)
    # numbers at ticks are those of a scale, not of a sample
    drawn = re.sub(r'<text class="tick".*?</text>', "", html.partition("<script>")[0])
    shown = parse_page(drawn)
    text = " ".join([shown.text, *shown.values("svg", "aria-label"), *shown.values("span", "title")])
    numbers = [
        *(n for record in records for n in numbers_of(record["index"])),
        *(n for record in records for axis in record["axes"] for n in (axis["reference_quantiles"] or ())),
        *(n for record in records for n in numbers_of(record["reference"])),
        *(float(record["leukocyte_fraction"]) for record in records),
        *counts_of_cohort(records),
        *numbers_of(found),
        0.001,  # the least false discovery rate that is written out
    ]
    return foreign_figures(text, figures_said(records, found), numbers)


def test_every_figure_of_the_cohort_page_is_in_the_json(
    cohort: list[EscapeProfile], made_up_statistics: CohortStatistics, parse_page: ParsePage
) -> None:
    html = cohort_page(cohort, made_up_statistics)
    assert foreign_in_cohort(html, cohort, made_up_statistics, parse_page) == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<=data-v=\"21\.370\">)21",
        r"(?<=<td class=\"number value\">)0\.71",
        r"(?<=<td class=\"number\">)[−+]\d\.\d\d(?=</td>)",
        r"(?<=<p class=\"headline\">)8",
        r"(?<=<dd>)7(?=</dd>)",
        r"(?<=<td class=\"number\">)0\.84(?= log2)",
    ],
)
def test_wrong_figure_on_the_cohort_page_is_noticed(
    pattern: str, cohort: list[EscapeProfile], made_up_statistics: CohortStatistics, parse_page: ParsePage
) -> None:
    html = cohort_page(cohort, made_up_statistics)
    wrong, n_changed = re.subn(pattern, "83.19", html, count=1)
    assert n_changed == 1
    assert foreign_in_cohort(wrong, cohort, made_up_statistics, parse_page) == ["83.19"]


def test_every_number_of_the_statistics_changes_the_page(
    cohort: list[EscapeProfile], made_up_statistics: CohortStatistics
) -> None:
    """What the page shows of ``cohort.json`` is read from there, not computed again."""
    before = cohort_page(cohort, made_up_statistics)
    response = made_up_statistics.response
    assert response is not None
    for field, value in {"auroc": 0.8319, "q_value": 0.8319}.items():
        rows = tuple(row.model_copy(update={field: value}) for row in response.rows)
        changed = made_up_statistics.model_copy(
            update={"response": response.model_copy(update={"rows": rows})}
        )
        assert cohort_page(cohort, changed).count("0.83") > before.count("0.83"), field


def tables_of(html: str) -> list[list[list[str]]]:
    """Texts of the cells of every table, row by row, as they stand on the page."""
    tables = re.findall(r"<tbody.*?</tbody>", html.partition("<script>")[0], re.DOTALL)
    return [
        [
            [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(CELL, row, re.DOTALL)]
            for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        ]
        for table in tables
    ]


def test_cells_of_the_cohort_page_are_those_of_each_sample_and_mechanism(
    cohort: list[EscapeProfile], made_up_statistics: CohortStatistics
) -> None:
    records, found = trees_of(cohort, made_up_statistics)
    samples, mechanisms, response, survival, groups, quality, *_ = tables_of(
        cohort_page(cohort, made_up_statistics)
    )
    assert len(mechanisms) == len(records[0]["axes"])
    for place, (title, _, *cells, _) in enumerate(mechanisms):
        axes = [record["axes"][place] for record in records]
        calls = [axis["call"] for axis in axes]
        scores = [axis["score"] for axis in axes if axis["score"] is not None]
        is_called = calls != [None] * len(calls)
        expected = [str(calls.count(call)) if is_called else "–" for call in Call]
        middle = (
            f"{median(scores):+z.2f}".replace("+0.00", "0.00").replace("-", MINUS)
            if scores
            else "not evaluable"
        )
        assert (title, cells) == (axes[0]["title"], [*expected, middle])
    assert len(samples) == len(records)
    for record, (name, _, index, _, _, sheet, flags, detected, _) in zip(records, samples, strict=True):
        points, interval = record["index"]["score"], record["index"]["interval"]
        shown = f"{points:.0f} [{interval['low']:.0f}, {interval['high']:.0f}]"
        assert (name, index) == (record["sample_id"], shown)
        assert int(detected) == counts_of_sample(record)[0]
        assert int(flags) == sum(flag["code"] != "renamed_symbols" for flag in record["flags"])
        assert all(str(record["metadata"].get(key, "")) in sheet for key in ("response", "msi"))
    for row, cells in zip(found["response"]["rows"], response, strict=True):
        medians = f"{row['median_responders']:.2f} · {row['median_nonresponders']:.2f}"
        evaluable = f"{row['n_evaluable']} of {found['response']['n_samples']}"
        direction = {"R": "higher in responders", "NR": "higher in non-responders"}[row["higher_in"]]
        said = [direction, medians, evaluable, rate_of(row["q_value"])]
        assert cells[1:] == [f"{row['auroc']:.2f}", interval_of(row["interval"]), *said]
    for row, cells in zip(found["survival"][0]["rows"], survival, strict=True):
        ratio, concordance = (f"{row[name]:.2f}" for name in ("hazard_ratio", "concordance"))
        evaluable = f"{row['n']} of {found['survival'][0]['n_samples']}"
        said = ["higher: shorter", concordance, evaluable, rate_of(row["q_value"])]
        assert cells[1:] == [ratio, interval_of(row["interval"]), *said]
    for row, cells in zip(found["comparisons"][0]["rows"], groups, strict=True):
        middles = (f"{one['median']:.2f} ({one['n']})".replace("-", MINUS) for one in row["groups"])
        assert all(one in cells[4] for one in middles)
        assert cells[1:4] == [f"{row['effect']:.2f}", "no interval", f"higher in {row['higher_in']}"]
        assert cells[5:] == [f"{row['n_evaluable']} of 20", rate_of(row["q_value"])]
    measured = [[value for record in records if (value := get(record)) is not None] for get in QUALITY]
    assert [float(cell.removesuffix(" log2")) for cell in quality[0][1:]] == [
        pytest.approx(of(measured[0]), abs=0.005) for of in (min, median, max)
    ]


def interval_of(interval: Json) -> str:
    return f"[{interval['low']:.2f}, {interval['high']:.2f}]"


def rate_of(q_value: float) -> str:
    return "<0.001" if q_value < 0.001 else f"{q_value:.3f}"


def test_figure_that_is_not_in_the_json_is_noticed() -> None:
    assert not is_from("1.24", [1.25, 3.0])
    assert is_from("1.2", [1.24])
    assert is_from("87", [0.873])
    assert figures_of("P87 of 1,592 (+1.25, −0.4)") == {"1592", "1.25", "-0.4"}
    assert translations("en").fixed(1592, 0) == "1,592"
