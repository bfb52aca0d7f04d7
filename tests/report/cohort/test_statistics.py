"""Statistics of labels on the cohort's page: all of the JSON, and nothing where there is no label."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from tests.report.conftest import made
from tests.report.made_up import GROUPS, RESPONSE, SURVIVAL, adjusted, modelled, statistics
from tests.statistics.conftest import RESISTANCE
from tests.statistics.conftest import RESPONSE as CYT

from escape_score.model.notes import Code
from escape_score.model.record import EscapeProfile, NoteRecord
from escape_score.model.record_statistics import (
    CohortStatistics,
    EstimateName,
    FTest,
)
from escape_score.report import render_cohort
from escape_score.report.cohort.statistics import statistics_tables, statistics_view
from escape_score.report.messages import english, note_markup
from escape_score.report.text.i18n import translations
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.compute import compute_statistics

ENGLISH = re.compile(
    r"lang=|\b(the|of|and|others|samples|compared|measures|taken|fewer|an|has)\b", re.IGNORECASE
)
MakeProfile = Callable[..., EscapeProfile]


def test_statistics_tables_show_response_survival_and_groups() -> None:
    found = statistics(response=RESPONSE, survival=(SURVIVAL,), comparisons=(GROUPS,))
    response, survival, groups = statistics_tables(found, translations("en"))
    assert (response.title, response.note) == (
        "Response: 12 responders, 30 samples",
        "Samples not counted: 2 (taken on or after treatment). 3 measures are not tested: too few "
        "samples are evaluable, or all are equal.",
    )
    said = ("higher in non-responders", "0.31 · 0.52", "30 of 30")
    assert [(row.cells, row.is_found, row.origin) for row in response.rows] == [
        (("0.71", "[0.55, 0.90]", *said, "<0.001"), True, ""),
        (("0.71", "[0.45, 0.90]", *said, "0.200"), False, "(published)"),
    ]
    assert survival.title == "Overall survival: 28 samples, 11 events"
    assert survival.rows[0].cells == ("1.63", "[1.05, 2.51]", "higher: shorter", "0.62", "28 of 28", "0.210")
    medians = "a\\u202e −0.50 (9) · b 1.25 (11)"
    assert groups.rows[0].cells == ("0.40", "no interval", "higher in b", medians, "20 of 20", "0.600")


@pytest.mark.parametrize("found", [None, statistics()])
def test_statistics_tables_are_none_without_labels(found: CohortStatistics | None) -> None:
    assert statistics_tables(found, translations("en")) == ()


def test_render_cohort_asks_for_statistics_once_the_profiles_were_read(make_profile: MakeProfile) -> None:
    seen: list[str] = []

    def profiles() -> list[EscapeProfile]:
        seen.append("profiles")
        return [make_profile()]

    def asked() -> CohortStatistics:
        seen.append("statistics")
        return statistics(comparisons=(GROUPS,))

    html = render_cohort(iter(profiles()), statistics=asked, lang="fr")
    assert seen == ["profiles", "statistics"]
    assert "Groupes selon &lt;i&gt;site" in html
    assert "Groupes selon" not in render_cohort([make_profile()], lang="fr")


def test_statistics_view_shows_notes_and_findings() -> None:
    found = statistics(response=RESPONSE, notes=(made(Code.NO_METADATA, sample="x\u202e"),))
    view = statistics_view(found, translations("en"))
    assert view.notes == ("The sample sheet has no row for x\\u202e.",)
    assert view.tables[0].finding == "12 responders and 18 non-responders, one sample per patient."
    assert statistics_view(None, translations("en")).notes == ()


def sheet_of(n: int, **columns: Callable[[int], str | float | bool]) -> list[dict[str, str | float | bool]]:
    return [{name: value(at) for name, value in columns.items()} for at in range(n)]


def columns_of(sheet: list[dict[str, str | float | bool]]) -> CohortColumns:
    values = np.random.default_rng(0).normal(size=len(sheet))
    return CohortColumns("c", (RESISTANCE, CYT), tuple(sheet), np.column_stack([values, -values]))


def labelled_sheet() -> list[dict[str, str | float | bool]]:
    """A sheet with every label, samples without a patient, further and later samples, and unknown words."""
    rows = sheet_of(
        40,
        response=lambda at: ("R", "NR", "")[at % 3],
        msi=lambda at: ("MSI-H", "MSS")[at % 2],
        pdl1_ihc=lambda at: ("low", "middle", "high")[at % 3],
        site=lambda at: "liver" if at else "lung",
        cancer_type=lambda at: "OS",
        timepoint=lambda at: ("baseline", "on treatment", "whenever")[0 if at < 26 else 1 if at < 36 else 2],
        os_days=lambda at: 100.0 + at,
        os_event=lambda at: True,
        pfs_days=lambda at: 50.0 + at,
        pfs_event=lambda at: at < 3,
    )
    named = [row | ({"patient_id": f"p{at % 26}"} if at > 1 else {}) for at, row in enumerate(rows)]
    return [*named, named[5] | {"timepoint": "baseline"}]


def notes_of(found: CohortStatistics) -> list[NoteRecord]:
    parts = (*found.comparisons, *found.survival, *(() if found.response is None else (found.response,)))
    reasons = (
        one.reason for left_out in (found.left_out, *(part.left_out for part in parts)) for one in left_out
    )
    return [*found.notes, *(one for part in parts for one in part.findings), *reasons]


def test_every_sentence_of_statistics_is_translated_whole() -> None:
    sheets = [
        labelled_sheet(),
        sheet_of(8, response=lambda at: "R", timepoint=lambda at: "baseline", os_event=lambda at: True),
        [
            row | {"response": "R" if at < 4 else "", "pfs_event": True}
            for at, row in enumerate(labelled_sheet())
        ],
    ]
    statistics = [compute_statistics(columns_of(sheet), seed=1) for sheet in sheets]
    said = {english(one): one for found in statistics for one in notes_of(found)}
    assert len(said) > 20
    french = {text: note_markup(one, translations("fr")) for text, one in said.items()}
    of_english = re.compile(
        r"lang=|\b(the|of|and|others|samples|compared|measures|taken|fewer|an|has)\b", re.IGNORECASE
    )
    assert [(text, words) for text, words in french.items() if of_english.search(words)] == []


@pytest.mark.parametrize(
    ("q_value", "said"),
    [(0.3, "no evidence that the association differs"), (0.01, "the association differs")],
)
def test_models_are_beside_the_unadjusted_numbers(q_value: float, said: str) -> None:
    row = SURVIVAL.rows[0].model_copy(
        update={
            "adjusted": adjusted(EstimateName.HAZARD_RATIO),
            "interaction": modelled(1.5, q_value),
        }
    )
    survival = SURVIVAL.model_copy(update={"rows": (row,)})
    (table,) = statistics_tables(statistics(survival=(survival,)), translations("en"))
    at = table.headings.index("Adjusted hazard ratio per SD")
    assert table.headings[at + 1] == "Ratio of hazard ratios by <b>arm"
    assert table.rows[0].cells[at] == "0.25 [0.10, 0.50], n = 27"
    cell = table.rows[0].cells[at + 1]
    assert cell.startswith("B / A 1.50 [0.50, 3.00], FDR ")
    assert cell.endswith(f": {said}")
    assert len(table.rows[0].cells) == len(table.headings)
    assert "Adjusted for: purity, site\\u202e." in table.note
    assert "likelihood-ratio" in table.note


def test_f_tests_are_shown_with_their_rate_and_missing_models_with_their_reason() -> None:
    test = FTest(f=3.4, df_groups=2, df_residual=22, p_value=0.01, q_value=0.02)
    few = made(Code.NO_MODEL, "few_samples", least=10)
    rows = (
        GROUPS.rows[0].model_copy(update={"adjusted": adjusted(EstimateName.ETA_SQUARED, test)}),
        GROUPS.rows[0].model_copy(update={"not_adjusted": few, "effect": 0.1}),
    )
    (table,) = statistics_tables(
        statistics(comparisons=(GROUPS.model_copy(update={"rows": rows}),)), translations("en")
    )
    at = table.headings.index("Adjusted effect (partial eta squared)")
    assert [row.cells[at] for row in table.rows] == [
        "0.25 [0.10, 0.50], F = 3.40, FDR 0.020, n = 27",
        "not fitted",
    ]
    assert "No adjusted model: 1 (fewer than 10 samples per term of the model)." in table.note
