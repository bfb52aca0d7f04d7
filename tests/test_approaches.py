"""The table of approaches: hypotheses with a source each, never an order."""

from __future__ import annotations

import re

from escape_score.library.axes import load_axis_catalogue
from escape_score.library.files import resource_path
from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.record import Archetype, EvidenceLevel

APPROACHES = load_axis_catalogue().approaches
WORDS_OF = {
    "colorectal cancer": "colorectal adenocarcinoma",
    "melanoma": "cutaneous melanoma",
    "hepatocellular": "hepatocellular carcinoma",
    "urothelial": "urothelial carcinoma",
    "lung cancer": "non-small cell lung cancer",
    "renal cancer": "clear cell renal cell carcinoma",
    "head and neck": "head and neck squamous cell carcinoma",
    "synovial sarcoma": "synovial sarcoma",
    "tenosynovial": "tenosynovial giant-cell tumour",
}
"""Words of a statement to the tumour type that it must have."""

README = resource_path("axes", "README.md")
ORDERS = re.compile(r"\b(should|must|recommend\w*|prescribe\w*|give|treat with|indicated)\b", re.IGNORECASE)


def test_approaches_are_tied_to_known_mechanisms() -> None:
    known = {axis.axis for axis in load_axis_catalogue().axes} | set(Archetype)
    assert {approach.mechanism for approach in APPROACHES} <= known


def test_every_mechanism_has_an_approach_or_none_is_known() -> None:
    tied = {approach.mechanism for approach in APPROACHES}
    assert {axis.axis for axis in load_axis_catalogue().axes} - tied == set()


def test_every_approach_has_a_source() -> None:
    assert all(re.fullmatch(r"10\.\d{4,9}/\S+", approach.doi) for approach in APPROACHES)
    assert all(re.search(r" (19|20)\d\d, ", approach.citation) for approach in APPROACHES)
    sources = {approach.doi: approach.citation for approach in APPROACHES}
    assert len(set(sources.values())) == len(sources)


def test_no_approach_is_an_order() -> None:
    assert [approach.statement for approach in APPROACHES if ORDERS.search(approach.statement)] == []


def test_every_source_says_how_it_was_checked() -> None:
    table = re.findall(r"^\| (10\.\S+) \| (.+?) \| (abstract|citation) \|$", README.read_text("utf-8"), re.M)
    cited = {(approach.doi, approach.citation.partition(",")[0]) for approach in APPROACHES}
    assert {(doi, publication) for doi, publication, _ in table} == cited


def test_types_of_approaches_are_those_of_their_statement() -> None:
    for approach in APPROACHES:
        named = {name for word, name in WORDS_OF.items() if word in approach.statement}
        if approach.level is EvidenceLevel.LABORATORY:
            assert (approach.tumour_types, approach.setting) == ((), "")
        else:
            assert named <= {*approach.tumour_types}, approach.statement
        assert {*approach.tumour_types} <= {*load_tumour_types().names.values()}


def test_one_publication_has_one_type_and_setting() -> None:
    found = {(approach.doi, approach.tumour_types, approach.setting) for approach in APPROACHES}
    assert len(found) == len({approach.doi for approach in APPROACHES})


def test_no_shipped_approach_is_marked_as_of_the_own_type() -> None:
    assert {approach.is_own_type for approach in APPROACHES} == {None}
