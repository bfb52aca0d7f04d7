"""The shipped axes and fixed numbers fit together."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pydantic import ValidationError

from escape_score.errors import ResourceInvalidError
from escape_score.library.axes import load_axis_catalogue, load_design, load_thresholds, require_names
from escape_score.library.files import resource_path
from escape_score.model.axes import Axis, AxisCatalogue, AxisKind, IndexWeight, Term
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
    twins = {axis.axis for axis in load_axis_catalogue().axes if axis.raw_terms}
    adjusted = {axis.axis for axis in load_axis_catalogue().axes if axis.adjusted_for and axis.terms}
    assert twins == adjusted


def test_axes_have_the_inputs_of_their_kind() -> None:
    for axis in load_axis_catalogue().axes:
        is_mean = axis.kind in {AxisKind.MEAN, AxisKind.CHAIN_LOSS}
        assert bool(axis.terms) == is_mean
        assert bool(axis.chain) != is_mean


def test_weights_of_the_index_are_those_of_the_contract() -> None:
    weights = [(block.axis, block.weight) for block in load_axis_catalogue().index]
    assert weights == [("effector_absence", 3), ("mhc1_loss", 1), ("stroma", 1), ("suppressive", 1)]


def with_axis(axis: str, **changes: object) -> AxisCatalogue:
    catalogue = load_axis_catalogue()
    changed = catalogue.axis(axis).model_copy(update=changes)
    axes = tuple(changed if found.axis == axis else found for found in catalogue.axes)
    return catalogue.model_copy(update={"axes": axes})


def with_part(part: str, **changes: object) -> AxisCatalogue:
    catalogue = load_axis_catalogue()
    return catalogue.model_copy(update={part: getattr(catalogue, part).model_copy(update=changes)})


@pytest.mark.parametrize(
    ("catalogue", "where", "name"),
    [
        (with_axis("wnt", terms=(Term(name="wmt"),)), "axis wnt", "wmt"),
        (with_axis("coinhibition", raw_terms=(Term(name="x"),)), "axis coinhibition", "x"),
        (with_axis("ifng_machinery", chain="no_chain"), "axis ifng_machinery", "no_chain"),
        (with_axis("mhc1_loss", terms=(Term(name="mhc1"),)), "axis mhc1_loss", "mhc1"),
        (with_part("class_one", fallback="none"), "class_one", "none"),
        (with_part("class_one", shortfall="loss"), "axis mhc1_loss", "mhc1_shortfall"),
        (with_part("covariates", interferon="ifn"), "covariates", "ifn"),
        (with_part("phenotype", t_cells=("effector", "t")), "phenotype", "t"),
        (with_part("phenotype", stroma="tgfb"), "phenotype", "tgfb"),
        (with_part("archetype", exhausted=("spent",)), "archetype", "spent"),
    ],
)
def test_a_name_that_nothing_defines_is_refused(catalogue: AxisCatalogue, where: str, name: str) -> None:
    with pytest.raises(ResourceInvalidError, match=f"^resources/axes: {where} uses {name}, .*; use one of "):
        require_names(catalogue, load_design().components)


def test_the_index_takes_axes_that_are_means() -> None:
    catalogue = load_axis_catalogue()
    blocks = (*catalogue.index, IndexWeight(axis="ifng_machinery", weight=1))
    with pytest.raises(ResourceInvalidError, match="index uses ifng_machinery"):
        require_names(catalogue.model_copy(update={"index": blocks}), load_design().components)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"kind": "mean", "terms": []}, "axis wnt: kind mean needs terms"),
        ({"kind": "link_loss"}, "axis wnt: kind link_loss needs chain"),
        ({"kind": "sum"}, "Input should be"),
        ({"treshold": 1}, "Extra inputs"),  # codespell:ignore
    ],
)
def test_an_axis_that_cannot_be_computed_is_refused(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Axis.model_validate(load_axis_catalogue().axis("wnt").model_dump() | changes)


def test_a_fault_in_the_shipped_file_is_one_line_that_names_the_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = resource_path("axes", "axes.yaml").read_text(encoding="utf-8")
    for name in ("contrasts.tsv", "index.tsv", "approaches.tsv", "composition.tsv", "targets.tsv"):
        (tmp_path / name).write_bytes(resource_path("axes", name).read_bytes())
    (tmp_path / "axes.yaml").write_text(text.replace("fallback: ", "fall_back: "), encoding="utf-8")
    monkeypatch.setattr("escape_score.library.axes.resource_path", lambda _, name: tmp_path / name)
    with pytest.raises(ResourceInvalidError) as caught:
        load_axis_catalogue.__wrapped__()
    assert caught.value.lines == (
        "resources/axes: class_one.fallback: Field required; see the comments in axes.yaml",
    )


def test_an_approach_of_an_unknown_tumour_type_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (
        "contrasts.tsv",
        "index.tsv",
        "approaches.tsv",
        "composition.tsv",
        "targets.tsv",
        "axes.yaml",
    ):
        text = resource_path("axes", name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("\tNSCLC\t", "\tNSCLC FLU\t"), encoding="utf-8")
    monkeypatch.setattr("escape_score.library.axes.resource_path", lambda _, name: tmp_path / name)
    with pytest.raises(ResourceInvalidError) as caught:
        load_axis_catalogue.__wrapped__()
    assert caught.value.lines == (
        "resources/axes: approaches.tsv: 10.1016/S1470-2045(22)00226-1: FLU is not a type of "
        "resources/tumour_types.tsv; use a value of its column type",
    )


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
