"""The shipped axes and fixed numbers fit together."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from escape_score.library.axes import load_axis_catalogue, load_design, load_thresholds
from escape_score.model.axes import AxisKind
from escape_score.reference.read import load_reference

AXES = [
    "antigen_loss",
    "mmr_deficiency",
    "coinhibition",
    "stroma",
    "exclusion",
    "wnt",
    "angiogenesis",
    "exhaustion",
    "treg",
    "mdsc",
    "tam",
    "suppressive",
    "mhc1_loss",
    "mhc1_weakest_link",
    "mhc2_loss",
    "ifng_machinery",
    "hypoxia_glycolysis",
    "adenosine",
    "kynurenine",
    "arginine",
    "lipid",
    "autophagy",
    "effector_absence",
]
"""The axes that result columns are named after, in their order."""


def test_axes_are_those_of_the_result_columns() -> None:
    assert [axis.axis for axis in load_axis_catalogue().axes] == AXES


def test_axes_with_an_unadjusted_twin() -> None:
    twins = {axis.axis for axis in load_axis_catalogue().axes if axis.has_raw}
    assert twins == {"coinhibition", "exhaustion", "suppressive", "mhc1_loss"}


def test_every_term_is_a_component_a_contrast_or_the_shortfall() -> None:
    catalogue, components = load_axis_catalogue(), load_design().components
    known = {*components, *(contrast.contrast for contrast in catalogue.contrasts), "mhc1_shortfall"}
    for axis in catalogue.axes:
        assert {term.name for term in (*axis.terms, *axis.raw_terms)} <= known
        assert bool(axis.terms) == (axis.kind is AxisKind.MEAN)
        assert bool(axis.chain) == (axis.kind is not AxisKind.MEAN)
        assert axis.chain in {"", *components}
    for block in catalogue.index_blocks:
        assert {term.name for term in block.terms} <= known
    for contrast in catalogue.contrasts:
        assert {contrast.numerator, contrast.denominator} <= components.keys()


def test_the_reference_has_all_that_axes_ask_for() -> None:
    catalogue, components, reference = load_axis_catalogue(), load_design().components, load_reference()
    for axis in catalogue.axes:
        assert {term.name for term in (*axis.terms, *axis.raw_terms)} <= reference.term_stats.keys()
        if axis.kind is AxisKind.WEAKEST_LINK:
            assert set(components[axis.chain]) <= reference.weakest_links.keys()
        if axis.kind is AxisKind.LINK_LOSS:
            assert reference.presentation is not None
            assert set(components[axis.chain]) <= set(reference.presentation.gene_symbols)
        assert axis.axis in reference.distributions.columns
    assert {contrast.contrast for contrast in catalogue.contrasts} == reference.slopes.keys()
    assert set(components["mhc1"]) == reference.constants.mhc_per_leukocyte_unit.keys()
    assert "index" in reference.distributions.columns


def test_every_threshold_says_unit_meaning_and_source(repo_root: Path) -> None:
    path = repo_root / "resources" / "axes" / "thresholds.tsv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    groups = load_thresholds().model_dump()
    assert [(row["group"], row["threshold"]) for row in rows] == [
        (group, name) for group, numbers in groups.items() for name in numbers
    ]
    for row in rows:
        assert all(row.values())
        assert groups[row["group"]][row["threshold"]] == pytest.approx(float(row["value"]))


def test_a_threshold_has_one_name_whatever_its_group() -> None:
    names = [name for numbers in load_thresholds().model_dump().values() for name in numbers]
    assert len(names) == len(set(names))


def test_texts_of_axes_are_sentences() -> None:
    for axis in load_axis_catalogue().axes:
        for text in (axis.mechanism, axis.meaning, axis.limits):
            assert text.endswith(".")
            assert "\n" not in text
