"""From single cells to profiles: what a sample gets, and on what it does not depend."""

from __future__ import annotations

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from tests.pipeline.cells.conftest import REFERENCE, made_of, results_in, shown_by

import escape_score as es
from escape_score.errors import MatrixInvalidError, UsageError
from escape_score.library.cell_quantities import load_quantities
from escape_score.library.columns import columns_of
from escape_score.model.record import Call, EscapeProfile
from escape_score.pipeline.profiles import CELL_FILES, Profiles
from escape_score.store.manifest import read_manifest


def test_every_sample_with_enough_cells_has_a_profile(profiled: Profiles) -> None:
    assert profiled.sample_ids == ("S1", "S2", "S3")
    assert [one.sample_id for one in results_in(profiled).failed] == ["S4"]
    assert (
        results_in(profiled).failed[0].problem == "20 of 20 cells passed quality control; a sample needs 50."
    )


def test_quantities_are_those_of_the_patient(profiled: Profiles) -> None:
    first, second, third = (shown_by(profiled, sample_id) for sample_id in profiled.sample_ids)
    assert first.quantities == second.quantities != third.quantities
    assert first.patient_sample_ids == ("S1", "S2")
    assert first.n_patient_cells == 300
    assert first.sample != second.sample


def test_every_quantity_is_there_evaluable_or_not(profiled: Profiles) -> None:
    for sample_id in profiled.sample_ids:
        found = shown_by(profiled, sample_id).quantities
        assert [one.quantity for one in found] == list(load_quantities())
        for one in found:
            assert (one.value is None) == (one.interval is None)
            if one.call is not None:
                assert (one.value is None) == (one.call is Call.NOT_EVALUABLE)


def test_pseudo_bulk_is_the_sum_of_the_cells(cells: ad.AnnData, profiled: Profiles) -> None:
    whole = es.from_dataframe(
        pd.DataFrame(
            {
                name: np.asarray(cells.X[(cells.obs["sample"] == name).to_numpy()].sum(axis=0)).ravel()
                for name in ("S1", "S3")
            },
            index=cells.var_names,
        ),
        units="umi",
    )
    bulk = es.profile(whole, reference=REFERENCE).to_frame()
    columns = [str(name) for name in bulk if bulk[name].dtype.kind == "f"]
    found = profiled.to_frame()[columns].loc[["S1", "S3"]]
    pd.testing.assert_frame_equal(found, bulk[columns], rtol=1e-9)
    assert profiled.scores.facts.unit.unit.value == "umi"


def test_patient_alone_has_the_numbers_it_has_among_others(cells: ad.AnnData, profiled: Profiles) -> None:
    alone = made_of(cells[cells.obs["patient"] == "P1"].copy())
    for sample_id in ("S1", "S2"):
        own, among = alone[sample_id], profiled[sample_id]
        assert own.cells == among.cells
        assert [axis.score for axis in own.axes] == [axis.score for axis in among.axes]


def test_order_of_cells_does_not_matter(cells: ad.AnnData, profiled: Profiles) -> None:
    order = np.random.default_rng(4).permutation(cells.n_obs)
    turned = made_of(cells[order].copy())
    for own, other in zip(
        shown_by(turned, "S3").quantities, shown_by(profiled, "S3").quantities, strict=True
    ):
        if other.value is None:
            assert own.value is None
        else:
            assert own.value == pytest.approx(other.value, rel=1e-6, abs=1e-9)


def test_file_gives_what_memory_gives(cell_file: Path, profiled: Profiles) -> None:
    result = made_of(cell_file)
    assert [profile.cells for profile in result] == [profile.cells for profile in profiled]
    pd.testing.assert_frame_equal(result.to_frame(), profiled.to_frame())
    assert result.header.input_sha256 is not None
    assert profiled.header.input_sha256 is None


def test_nothing_given_is_changed(cells: ad.AnnData) -> None:
    before = cells.copy()
    made_of(cells)
    pd.testing.assert_frame_equal(cells.obs, before.obs)
    assert (cells.X != before.X).nnz == 0


def test_columns_of_obs_describe_the_samples(profiled: Profiles) -> None:
    assert profiled["S2"].metadata == {"patient_id": "P1", "timepoint": "on"}
    assert [change.earlier_sample_id for change in profiled["S2"].changes] == ["S1"]


def test_labels_that_are_not_known_are_listed(cells: ad.AnnData, tmp_path: Path) -> None:
    named = cells.copy()
    named.obs["cell_type"] = named.obs["cell_type"].astype(str).replace({"malignant": "zzz", "NK": "qqq"})
    found = shown_by(made_of(named), "S3").sample
    assert found.unknown_labels == ("qqq", "zzz")
    own = tmp_path / "labels.tsv"
    own.write_text("label\tcompartment\nzzz\tmalignant\nqqq\tnk\n", encoding="utf-8")
    mapped = shown_by(made_of(named, cell_types=own), "S3").sample
    assert mapped.unknown_labels == ()
    assert {one.compartment for one in mapped.compartments} >= {"malignant", "nk"}


def test_without_labels_compartments_are_found(cells: ad.AnnData) -> None:
    result = made_of(cells, cell_type=None)
    labels = results_in(result).labels_table().set_index("cell_id")["compartment"]
    known = cells.obs["cell_type"].str.lower()[labels.index]
    right = labels == known.replace({"malignant": "epithelial"})  # they have no change of copy number
    assert right.mean() > 0.95
    assert not shown_by(result, "S1").sample.labels_are_given


def test_result_folder_has_the_files_of_cells(profiled: Profiles, tmp_path: Path) -> None:
    folder = profiled.write(tmp_path / "result")
    manifest = read_manifest(folder)
    assert {entry.path for entry in manifest.files} >= set(CELL_FILES)
    assert [one.sample_id for one in manifest.failed] == ["S4"]
    qc = pd.read_csv(folder / "qc.tsv", sep="\t").set_index("sample_id")
    assert qc.loc["S4", "failed"] == "20 of 20 cells passed quality control; a sample needs 50."
    assert qc.loc["S4"].isna().sum() == len(qc.columns) - 1
    table = pd.read_csv(folder / "cells.tsv", sep="\t")
    assert len(table) == 2 * len(load_quantities())
    labels = pd.read_parquet(folder / "cell_labels.parquet")
    assert len(labels) == 450
    stored = json.loads(next((folder / "samples").glob("s1-*.json")).read_text())
    assert EscapeProfile.model_validate(stored) == profiled["S1"]


def test_pseudobulk_file_holds_all_counts(cells: ad.AnnData, profiled: Profiles, tmp_path: Path) -> None:
    bulk = ad.read_h5ad(profiled.write(tmp_path / "result", reports=False) / "pseudobulk.h5ad")
    assert set(bulk.obs.columns) == {"sample_id", "patient_id", "compartment", "n_cells"}
    kept = cells[cells.obs["sample"] != "S4"]
    assert bulk.obs["n_cells"].sum() == kept.n_obs
    both = [gene for gene in bulk.var_names if gene in set(kept.var_names)]
    np.testing.assert_array_equal(bulk[:, both].X.sum(axis=0), kept[:, both].X.sum(axis=0))


@pytest.mark.slow
def test_map_is_drawn_on_request_and_is_the_same_each_time(cells: ad.AnnData) -> None:
    small = cells[cells.obs["sample"] == "S3"].copy()
    first, second = (shown_by(made_of(small, umap=True), "S3").map for _ in range(2))
    assert first is not None
    assert first == second
    assert first.n_cells == 150
    assert first.compartments[0] == "malignant"


def test_cohort_without_a_sample_of_enough_cells_is_refused(cells: ad.AnnData) -> None:
    few = cells[cells.obs["sample"] == "S4"].copy()
    with pytest.raises(MatrixInvalidError, match=r"no sample has enough cells .*S4: 20 of 20"):
        made_of(few)


def test_word_that_is_not_known_is_a_usage_error(cells: ad.AnnData) -> None:
    with pytest.raises(UsageError, match="malignant-lineage"):
        made_of(cells, malignant_lineage="blood")


@pytest.mark.slow
def test_all_cells_are_written_on_request(cells: ad.AnnData, tmp_path: Path) -> None:
    kept = cells[cells.obs["sample"] != "S4"].copy()
    result = made_of(kept, h5ad=True, umap=True)
    written = ad.read_h5ad(result.write(tmp_path / "result", reports=False) / "cells.h5ad")
    order = [f"{sample}:{cell}" for cell, sample in zip(kept.obs_names, kept.obs["sample"], strict=True)]
    both = [gene for gene in written.var_names if gene in set(kept.var_names)]
    assert (written[order, both].X != kept[:, both].X).nnz == 0
    assert list(written[order].obs["compartment"]) == list(kept.obs["cell_type"].str.lower())
    assert np.isfinite(written.obsm["X_umap"]).all()


def test_every_column_of_a_result_of_cells_is_described(profiled: Profiles, tmp_path: Path) -> None:
    folder = profiled.write(tmp_path / "o", reports=False)
    tables = json.loads((folder / "columns.json").read_text(encoding="utf-8"))["tables"]
    said = {name: [column["column"] for column in table["columns"]] for name, table in tables.items()}
    real = {
        "profiles": pd.read_parquet(folder / "profiles.parquet"),
        "scores": pd.read_parquet(folder / "scores.parquet"),
        "qc": pd.read_csv(folder / "qc.tsv", sep="\t"),
        "scores.h5ad: obs": ad.read_h5ad(folder / "scores.h5ad").obs,
        "scores.h5ad: var": ad.read_h5ad(folder / "scores.h5ad").var,
        "cells": pd.read_parquet(folder / "cells.parquet"),
        "compartments": pd.read_csv(folder / "compartments.tsv", sep="\t"),
        "cell_labels": pd.read_parquet(folder / "cell_labels.parquet"),
        "pseudobulk.h5ad: obs": ad.read_h5ad(folder / "pseudobulk.h5ad").obs,
    }
    assert said == {name: list(table) for name, table in real.items()}
    missing = {name: set(columns_of(name)) - set(said[name]) for name in said}
    assert missing["profiles"] == missing["cells"] == missing["compartments"] == set()
    assert missing["cell_labels"] == {"umap_1", "umap_2"}
