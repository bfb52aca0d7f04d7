"""The tumour type of the sheet is compared with that of the reference; it changes no number."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import escape_score as es
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, Severity
from escape_score.profile.tumour_type import type_notes
from escape_score.reference.read import load_reference
from escape_score.report.text.i18n import languages

DIFFERS, UNKNOWN = Code.TUMOUR_TYPE_DIFFERS, Code.TUMOUR_TYPE_UNKNOWN
COLORECTAL = load_reference().tumour_type
SENTENCES = {
    "en": "The sample sheet gives the tumour type melanoma, and the reference is colorectal adenocarcinoma.",
    "fr": "Le tableau des échantillons indique le type de tumeur melanoma, et la référence est de type "
    "adénocarcinome colorectal.",
}


@pytest.mark.parametrize(
    ("given", "reference_type", "codes"),
    [
        ("melanoma", COLORECTAL, [DIFFERS]),
        ("LUAD", COLORECTAL, [DIFFERS]),
        ("cancer du poumon", COLORECTAL, [DIFFERS]),
        ("TCGA-COAD", COLORECTAL, []),
        ("rectal cancer", COLORECTAL, []),
        ("cancer colorectal", COLORECTAL, []),
        ("", COLORECTAL, []),
        ("  ", COLORECTAL, []),
        ("something else", COLORECTAL, [UNKNOWN]),
        ("NSCLC", "LUAD", []),
        ("LUSC", "lung adenocarcinoma", [DIFFERS]),
        ("LUAD", "NSCLC of our hospital", []),
        ("melanoma", "not stated", []),
        ("melanoma", "mixed", []),
        ("melanoma", "", []),
        ("something else", "", [UNKNOWN]),
        ("COAD", "COAD/READ", []),
    ],
)
def test_types_are_compared_where_both_are_known(given: str, reference_type: str, codes: list[Code]) -> None:
    samples = [SampleRecord("S1"), SampleRecord("S2", cancer_type=given)]
    found = list(type_notes(samples, reference_type))
    assert [(sample_id, one.code) for sample_id, one in found] == [("S2", code) for code in codes]
    for _, one in found:
        assert one.severity is (Severity.CAUTION if one.code is DIFFERS else Severity.NOTE)
        assert dict(one.params)["given"] == given


@pytest.fixture(scope="module")
def typed(demo_tpm: pd.DataFrame) -> es.Profiles:
    """Eight colorectal tumours whose sheet has an own type, another, one unknown, and none."""
    types = ["COAD", "melanoma", "<i>odd</i>", "", *["NSCLC"] * 4]
    sheet = pd.DataFrame({"cancer_type": types}, demo_tpm.index)
    return es.profile(es.from_dataframe(demo_tpm, units="tpm", samples=sheet))


def test_flags_are_those_of_each_sample(typed: es.Profiles) -> None:
    codes = [{flag.code for flag in profile.flags} & {DIFFERS, UNKNOWN} for profile in typed]
    assert codes == [set(), {DIFFERS}, {UNKNOWN}, set(), *[{DIFFERS}] * 4]


def test_a_type_changes_no_number(typed: es.Profiles, demo_tpm: pd.DataFrame) -> None:
    plain = es.profile(es.from_dataframe(demo_tpm, units="tpm")).to_frame()
    same = [column for column in plain if column not in {"flags", "cancer_type"}]
    pd.testing.assert_frame_equal(typed.to_frame()[same], plain[same])


@pytest.mark.parametrize("lang", languages())
def test_page_and_table_of_flags_have_the_sentence(typed: es.Profiles, tmp_path: Path, lang: str) -> None:
    out = typed.write(tmp_path / "out", lang=lang)
    pages = [(out / "samples" / f"{profile.slug}.html").read_text("utf-8") for profile in typed]
    is_second = [at == 1 for at in range(len(pages))]
    assert [SENTENCES[lang] in page.partition('class="figures"')[0] for page in pages] == is_second
    assert "<i>odd" not in pages[2]
    with (out / "qc.tsv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    assert [SENTENCES["en"] in " ".join(row.values()) for row in rows] == is_second


def test_a_fitted_reference_of_another_type_is_noticed(demo_tpm: pd.DataFrame, tmp_path: Path) -> None:
    many = pd.concat([demo_tpm, demo_tpm]).set_axis([f"S{at}" for at in range(16)])
    fitted = es.fit_reference(
        [es.from_dataframe(many, units="tpm")], name="lab", tumour_type="Poumon (NSCLC)", out=tmp_path / "lab"
    )
    sheet = pd.DataFrame({"cancer_type": ["COAD", "LUAD", *["lung cancer"] * 6]}, demo_tpm.index)
    result = es.profile(es.from_dataframe(demo_tpm, units="tpm", samples=sheet), reference=fitted)
    assert [any(flag.code == DIFFERS for flag in profile.flags) for profile in result] == [True, *[False] * 7]
    plain = es.profile(
        es.from_dataframe(demo_tpm, units="tpm", samples=sheet),
        reference=replace(fitted, tumour_type="lab samples"),
    )
    assert not any(flag.code in {DIFFERS, UNKNOWN} for profile in plain for flag in profile.flags)
