"""Stage files come back as they were, to the last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from escape_score.errors import FileMissingError, FileUnreadableError
from escape_score.model.cohort import Cohort, GeneChange, HarmonisedCohort, InMemoryMatrix, SampleRecord
from escape_score.model.notes import Code, Note, NoteLog
from escape_score.pipeline.profiles import Profiles
from escape_score.store import h5ad

MakeCohort = Callable[..., Cohort]
HARD = np.array([[0.1, -0.0, np.nan, 5e-324], [1.7976931348623157e308, 1 / 3, np.inf, 2.0]])
FLAGS = NoteLog(
    cohort=(Note(Code.UNITS_GUESSED, "a → b, “quoted”\n"),),
    by_sample=(("=1+1", Note(Code.MISSING_VALUES, "1 of 4")),),
)
SAMPLES = (
    SampleRecord("=1+1", patient_id="NA", os_days=1 / 3, os_event=False, purity=0.25),
    SampleRecord(
        "00123", response="NR", tmb=0.0, sample_type="tumour", groups=(("CR/PR", "yes"), ("_index", "1"))
    ),
)


@pytest.fixture
def cohort(make_cohort: MakeCohort) -> Cohort:
    plain = make_cohort(pd.DataFrame(HARD, ["=1+1", "00123"], ["TP53", "TP53", "α/β", ""]))
    return dataclasses.replace(plain, samples=SAMPLES, flags=FLAGS, gene_lengths={"TP53": 2512.5, "": 1 / 3})


def bits(source: object) -> bytes:
    return source.block(0, 2).tobytes()  # type: ignore[attr-defined, no-any-return]


def test_cohort_comes_back_to_the_bit(cohort: Cohort, tmp_path: Path) -> None:
    h5ad.write_cohort(tmp_path / "c.h5ad", cohort)
    found = h5ad.read_cohort_file(tmp_path / "c.h5ad")
    assert bits(found.source) == bits(cohort.source)
    assert found.source.block(1, 2).tobytes() == cohort.source.block(1, 2).tobytes()
    assert found.source.gene_ids == cohort.source.gene_ids
    for field in ("name", "unit", "samples", "input_sha256", "flags", "gene_lengths"):
        assert getattr(found, field) == getattr(cohort, field)
    obs = anndata.read_h5ad(tmp_path / "c.h5ad").obs
    assert obs[["sample_type", "CR_PR", "index"]].iloc[1].tolist() == ["tumour", "yes", "1"]


def test_harmonised_comes_back_to_the_bit(cohort: Cohort, tmp_path: Path) -> None:
    harmonised = HarmonisedCohort(
        name="c",
        source=InMemoryMatrix(("=1+1", "00123"), ("TP53", "B2M", "CD8A", "A-1"), HARD),
        unit=cohort.unit,
        samples=SAMPLES,
        input_sha256="ab",
        is_targeted_panel=True,
        gene_changes=(GeneChange("p53", "TP53", "alias"), GeneChange("x", "", "unknown")),
        flags=FLAGS,
    )
    h5ad.write_harmonised(tmp_path / "h.h5ad", harmonised)
    found = h5ad.read_harmonised(tmp_path / "h.h5ad")
    assert bits(found.source) == bits(harmonised.source)
    assert found.label == str(tmp_path / "h.h5ad")
    assert dataclasses.replace(found, source=harmonised.source, label="") == harmonised


def test_reads_come_back_with_a_harmonised_cohort_and_its_scores(
    demo_harmonised: HarmonisedCohort, demo: Profiles, tmp_path: Path
) -> None:
    h5ad.write_harmonised(tmp_path / "h.h5ad", demo_harmonised)
    found = h5ad.read_harmonised(tmp_path / "h.h5ad").reads_per_tpm
    assert demo_harmonised.reads_per_tpm is not None
    assert (demo_harmonised.reads_per_tpm > 0).all()
    np.testing.assert_array_equal(found, demo_harmonised.reads_per_tpm)
    h5ad.write_scores(tmp_path / "s.h5ad", demo.scores, genesets_sha256="")
    placement = h5ad.read_scores(tmp_path / "s.h5ad")[0].placement
    np.testing.assert_array_equal(placement.reads_per_tpm, demo_harmonised.reads_per_tpm)


def test_scores_come_back_to_the_bit(demo: Profiles, tmp_path: Path) -> None:
    scores = demo.scores.with_flags(FLAGS)
    h5ad.write_scores(tmp_path / "s.h5ad", scores, genesets_sha256="g")
    found, meta = h5ad.read_scores(tmp_path / "s.h5ad")
    assert meta.genesets_sha256 == "g"
    for field in ("facts", "reference", "signature_ids", "skipped", "flags"):
        assert getattr(found, field) == getattr(scores, field)
    for ours, theirs in ((found.placement, scores.placement), (found.genes, scores.genes)):
        for name, value in vars(theirs).items():
            other = getattr(ours, name)
            if isinstance(value, np.ndarray):
                assert other.dtype == value.dtype
                assert other.tobytes() == np.ascontiguousarray(value).tobytes()
            else:
                assert other == value
    assert found.values.tobytes() == np.ascontiguousarray(scores.values).tobytes()
    assert found.coverage.tobytes() == np.ascontiguousarray(scores.coverage).tobytes()
    ((name, ids, values, coverage, skipped),) = (vars(table).values() for table in found.beside)
    (expected,) = scores.beside
    assert (name, ids, skipped) == (expected.name, expected.score_ids, expected.skipped)
    np.testing.assert_array_equal(values, expected.values)
    np.testing.assert_array_equal(coverage, expected.coverage)


def test_two_writes_are_the_same_bytes(cohort: Cohort, demo: Profiles, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        h5ad.write_cohort(tmp_path / folder / "c.h5ad", cohort)
        h5ad.write_scores(tmp_path / folder / "s.h5ad", demo.scores, genesets_sha256="")
    for name in ("c.h5ad", "s.h5ad"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_anndata_reads_stage_files(cohort: Cohort, demo: Profiles, tmp_path: Path) -> None:
    h5ad.write_cohort(tmp_path / "c.h5ad", cohort)
    read = anndata.read_h5ad(tmp_path / "c.h5ad")
    assert read.obs_names.tolist() == ["=1+1", "00123"]
    assert read.var["gene_id"].tolist() == ["TP53", "TP53", "α/β", ""]
    assert np.asarray(read.X).tobytes() == HARD.tobytes()
    assert read.obs["patient_id"].tolist() == ["NA", ""]
    h5ad.write_scores(tmp_path / "s.h5ad", demo.scores, genesets_sha256="")
    scores = anndata.read_h5ad(tmp_path / "s.h5ad")
    assert scores.var_names.tolist() == demo.scores.all_names
    assert set(scores.var["method"]) == {"reference_z", "published"}
    np.testing.assert_array_equal(scores.layers["coverage"], demo.scores.all_coverage)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match=r"c\.h5ad: no such file"):
        h5ad.read_cohort_file(tmp_path / "c.h5ad")


@pytest.mark.parametrize("kind", ["text", "empty", "other h5", "other h5ad", "cut"])
def test_file_that_is_not_of_a_stage_is_named(kind: str, cohort: Cohort, tmp_path: Path) -> None:
    path = tmp_path / "c.h5ad"
    if kind == "other h5":
        with h5py.File(path, "w") as handle:
            handle["x"] = [1]
    elif kind == "other h5ad":
        anndata.AnnData(np.ones((2, 2)), uns={"escape_score": "{}"}).write_h5ad(path)
    elif kind == "cut":
        h5ad.write_cohort(path, cohort)
        path.write_bytes(path.read_bytes()[:-200])
    else:
        path.write_bytes(b"" if kind == "empty" else b"gene\ta\n")
    for read in (h5ad.read_cohort_file, h5ad.read_harmonised, h5ad.read_scores):
        with pytest.raises(FileUnreadableError, match=r"c\.h5ad: not a file of this program's stages"):
            read(path)


def test_files_of_one_stage_are_not_taken_for_those_of_another(
    cohort: Cohort, demo_harmonised: HarmonisedCohort, tmp_path: Path
) -> None:
    h5ad.write_cohort(tmp_path / "c.h5ad", cohort)
    h5ad.write_harmonised(tmp_path / "h.h5ad", demo_harmonised)
    with pytest.raises(FileUnreadableError, match="written by the stage read, not harmonise"):
        h5ad.read_harmonised(tmp_path / "c.h5ad")
    with pytest.raises(FileUnreadableError, match="written by the stage harmonise, not read"):
        h5ad.read_cohort_file(tmp_path / "h.h5ad")
