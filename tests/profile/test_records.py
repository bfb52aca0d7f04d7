"""Records of single samples, and flags that only the profile can raise."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from escape_score.library.axes import load_axis_catalogue, load_design
from escape_score.model.cohort import Cohort, SampleRecord
from escape_score.model.notes import Code
from escape_score.model.record import Call, EscapeProfile
from escape_score.model.reference import Distributions
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.profile.records import known, reference_quantiles
from escape_score.reference.read import load_reference

MakeCohort = Callable[..., Cohort]
RunEngine = Callable[..., Profiles]


def test_records_hold_the_numbers_of_the_table(
    demo: Profiles, numbers: Callable[[Profiles], pd.DataFrame]
) -> None:
    table = numbers(demo)
    for record in demo.maker.records():
        row = dict(table.loc[record.sample_id].items())
        assert record.index.score == row["immunoresistance_index"]
        assert record.leukocyte_fraction == row["leukocyte_fraction"]
        for axis in record.axes:
            assert axis.score == known(row[axis.axis])
            assert axis.percentile == known(row[f"{axis.axis}_percentile"])
            assert axis.coverage == row[f"{axis.axis}_coverage"]
            if axis.interval is not None:
                assert (axis.interval.low, axis.interval.high) == (
                    row[f"{axis.axis}_low"],
                    row[f"{axis.axis}_high"],
                )
            if axis.has_raw:
                assert axis.raw_score == known(row[f"{axis.axis}_raw"])


def test_records_hold_composition_and_targets(demo: Profiles) -> None:
    """They are the values of the scores, against the reference, and no score is made of them."""
    catalogue, scores = load_axis_catalogue(), demo.scores
    reference = load_reference("tcga-coadread-v1")
    column_of = {symbol: i for i, symbol in enumerate(scores.genes.gene_symbols)}
    used = {gene for genes in load_design().components.values() for gene in genes}
    assert {"CLDN18", "TACSTD2", "TGFB1"} <= set(column_of) - used
    for row, record in enumerate(demo):
        assert [level.component for level in record.composition] == [
            shown.component for shown in catalogue.composition
        ]
        for level in record.composition:
            location, spread = reference.term_stats[level.component]
            assert level.z == known((scores.of(level.component)[row] - location) / spread)
        assert [one.gene_symbol for one in record.targets] == [one.gene_symbol for one in catalogue.targets]
        for one in record.targets:
            assert one.z == scores.genes.z[row, column_of[one.gene_symbol]]
            assert one.log2_tpm >= 0


def test_records_come_back_from_their_json(demo: Profiles) -> None:
    for record in demo.maker.records():
        assert EscapeProfile.model_validate_json(record.model_dump_json()) == record


def test_not_evaluable_is_none_never_zero(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    genes = load_reference().genes
    panel = [s for s, a in zip(genes.symbols, genes.is_anchor, strict=True) if a and s in demo_tpm][:40]
    result = run_engine(make_cohort(demo_tpm[panel]))
    record = result.maker.record(0)
    assert [axis.axis for axis in record.axes] == [axis.axis for axis in load_axis_catalogue().axes]
    for axis in record.axes:
        assert (axis.score, axis.interval, axis.percentile, axis.percentile_n) == (None, None, None, 0)
        is_context = load_axis_catalogue().axis(axis.axis).is_context
        assert axis.call == (None if is_context else "not_evaluable")
        assert (axis.evidence, axis.opposing) == ((), ())
    assert record.index.score is None
    assert {block.score for block in record.index.blocks} == {None}
    assert (record.phenotype, record.archetype) == (None, None)
    assert record.status == "not-evaluable"
    flags = {flag.code for flag in record.flags}
    assert {Code.KEY_GENES_MISSING, Code.TARGETED_PANEL} <= flags


def test_distant_and_blood_samples_are_flagged(
    demo_tpm: pd.DataFrame, demo: Profiles, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    genes = load_reference().genes
    anchors = [s for s, a in zip(genes.symbols, genes.is_anchor, strict=True) if a and s in demo_tpm]
    odd = demo_tpm.copy()
    odd.loc[odd.index[0], anchors] *= np.exp2(np.random.default_rng(1).normal(0, 2, len(anchors)))
    odd.loc[odd.index[1], list(demo.maker.context.design.components["leukocyte"])] += 700
    by_sample = run_engine(make_cohort(odd)).maker.flags.by_sample
    assert {(s, note.code) for s, note in by_sample} == {
        (odd.index[0], Code.REFERENCE_DISTANT),
        (odd.index[1], Code.IMPLAUSIBLE_PROFILE),
        *((s, Code.RESCALED_TO_TPM) for s, note in by_sample if note.code is Code.RESCALED_TO_TPM),
    }


@pytest.mark.parametrize(
    ("gene", "n_samples", "is_flagged"),
    [("GZMA", 5, True), ("GZMA", 4, False), ("ACTG2", 1, True), ("MAGEA4", 8, False)],
)
def test_gene_at_zero_in_all_samples_is_flagged(
    gene: str,
    n_samples: int,
    *,
    is_flagged: bool,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
) -> None:
    dropped = demo_tpm.iloc[:n_samples].copy()
    dropped[gene] = 0.0
    before = run_engine(make_cohort(demo_tpm.iloc[:n_samples])).maker.flags.cohort
    notes = run_engine(make_cohort(dropped)).maker.flags.cohort
    named = [in_english(note) for note in notes if note.code is Code.GENE_ZERO_IN_ALL]
    assert (len(named) == 1 and gene in named[0]) == is_flagged
    assert not [note for note in before if note.code is Code.GENE_ZERO_IN_ALL and gene in in_english(note)]


def test_metadata_leaves_empty_fields_out_and_keeps_types() -> None:
    sample = SampleRecord("s", patient_id="p", os_days=0.0, os_event=False, purity=0.5)
    assert sample.known == {"patient_id": "p", "os_days": 0.0, "os_event": False, "purity": 0.5}
    assert type(sample.known["os_event"]) is bool


def test_metadata_never_changes_a_score(
    demo: Profiles, demo_tpm: pd.DataFrame, *, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    plain = make_cohort(demo_tpm)
    told = dataclasses.replace(
        plain,
        samples=tuple(dataclasses.replace(s, purity=0.9, response="R", msi="MSI-H") for s in plain.samples),
    )
    one, other = run_engine(plain).maker.record(0), run_engine(told).maker.record(0)
    assert one.axes == other.axes
    assert one.metadata != other.metadata


def test_records_list_every_link_with_its_limit_of_detection(demo: Profiles) -> None:
    links = demo.profiles.axis("mhc1_weakest_link").links
    assert links is not None
    for row, record in enumerate(demo.maker.records()):
        by_axis = {axis.axis: axis for axis in record.axes}
        found = by_axis["mhc1_weakest_link"].links
        assert [link.link for link in found] == list(links.names)
        assert [link.detectable_sd for link in found] == [known(x) for x in links.detectable_sd[row]]
        assert [link.is_evaluable for link in found] == links.is_evaluable[row].tolist()
        assert by_axis["treg"].links == ()


def test_reference_quantiles_leave_out_what_is_missing() -> None:
    columns = {"stroma": np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan]), "empty": np.array([np.nan])}
    distributions = Distributions(("a",) * 6, columns)
    assert reference_quantiles(distributions) == {"stroma": (0.2, 1.0, 2.0, 3.0, 3.8)}


def test_approaches_are_those_of_the_mechanisms_detected(demo: Profiles) -> None:
    for profile in demo.maker.records():
        detected = {axis.axis for axis in profile.axes if axis.call is Call.DETECTED}
        assert {item.mechanism for item in profile.approaches} <= detected | {profile.archetype}
        assert detected <= {item.mechanism for item in profile.approaches}


def test_record_of_an_earlier_version_still_loads(demo: Profiles) -> None:
    record = json.loads(next(demo.maker.records()).model_dump_json())
    record["schema_version"] = "1.1"
    del record["approaches"], record["index"]["reference_quantiles"]
    for axis in record["axes"]:
        del axis["reference_quantiles"]
    assert EscapeProfile.model_validate(record).approaches == ()


def test_approaches_of_an_earlier_version_still_load(demo: Profiles) -> None:
    profile = next(profile for profile in demo.maker.records() if profile.approaches)
    record = json.loads(profile.model_dump_json())
    for item in record["approaches"]:
        del item["tumour_types"], item["setting"], item["is_own_type"]
    loaded = EscapeProfile.model_validate(record).approaches
    assert {(item.tumour_types, item.setting, item.is_own_type) for item in loaded} == {((), "", None)}
