"""The reference that ``auto`` takes: from Python, the command line and the stages, with the same bytes."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.conftest import needed_genes

import escape_score as es
from escape_score.cli import main
from escape_score.errors import ReferenceUnfittableError
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.pipeline.candidates import Candidates
from escape_score.reference.known import DEFAULT_REFERENCE
from escape_score.reference.read import forget_references

Refused = Callable[..., tuple[str, ...]]


@pytest.fixture(scope="module")
def tumours(repo_root: Path, demo_lengths: Path) -> pd.DataFrame:
    """Sixty tumours of the shipped reference, TPM, samples × symbols."""
    matrix = pd.read_parquet(repo_root / "resources" / "demo" / "expression.parquet")
    matrix = needed_genes(matrix.set_index("gene") if "gene" in matrix else matrix)
    symbols = [str(name).split("|")[0] for name in matrix.index]
    lengths = pd.read_csv(demo_lengths, sep="\t", index_col=0)["length_bp"]
    counts = matrix.set_axis(symbols).groupby(level=0).sum()
    counts = counts[counts.index.isin(lengths.index)].astype(float)
    tpm = counts.div(lengths.reindex(counts.index), axis=0)
    return (tpm / tpm.sum() * 1e6).T


@pytest.fixture(scope="module")
def far(tumours: pd.DataFrame) -> pd.DataFrame:
    """Thirty of them as another pipeline would count them."""
    return tumours.iloc[:30] * np.exp2(np.random.default_rng(3).normal(0, 1.4, tumours.shape[1]))


@pytest.fixture(scope="module")
def far_matrix(far: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("far") / "far.parquet"
    far.T.rename_axis("gene").reset_index().to_parquet(path)
    return path


@pytest.fixture(scope="module")
def far_run(far_matrix: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Result folder of a run on them, and what it said; tests must not change it."""
    out = tmp_path_factory.mktemp("far-run") / "o"
    with redirect_stderr(StringIO()) as said:
        assert main(["run", str(far_matrix), "--units", "tpm", "--out", str(out)]) == 0
    return out, said.getvalue()


@pytest.fixture(scope="module")
def far_profiles(far: pd.DataFrame) -> es.Profiles:
    """Their profiles; tests must not change them."""
    return profiled(far)


def profiled(frame: pd.DataFrame, reference: str = "auto", **sheet: object) -> es.Profiles:
    samples = pd.DataFrame(sheet, frame.index) if sheet else None
    cohort = es.from_dataframe(frame, units="tpm", samples=samples)
    return es.profile(cohort, reference=reference, published=False)


def rule_of(result: es.Profiles) -> str:
    assert result.scores.reference_choice is not None
    return result.scores.reference_choice.reason.kind


def test_tumours_of_the_pipeline_are_measured_against_its_reference(tumours: pd.DataFrame) -> None:
    some = profiled(tumours.iloc[:12])
    assert (some.reference.name, rule_of(some)) == (DEFAULT_REFERENCE, "closest")
    assert rule_of(profiled(tumours.iloc[:12], cancer_type="colon")) == "type"
    assert set(some.profiles.status) == {"reference-matched"}


def test_a_cohort_of_another_pipeline_is_its_own_reference(far_profiles: es.Profiles) -> None:
    assert (far_profiles.reference.name, rule_of(far_profiles)) == ("cohort", "cohort")
    assert set(far_profiles.profiles.status) == {"cohort-relative"}
    table = far_profiles.to_frame()
    assert set(table["reference_choice"]) == {"cohort"}
    calls = table.filter(regex="_call$").drop(columns=["antigen_loss_call", "mmr_deficiency_call"])
    assert (calls == "not_evaluable").mean().mean() < 0.15
    assert table["phenotype"].ne("").all()


def test_few_samples_of_another_pipeline_are_provisional_and_get_advice(far: pd.DataFrame) -> None:
    result = profiled(far.iloc[:8], cancer_type="melanoma")
    assert rule_of(result) == "provisional"
    assert set(result.profiles.status) == {"provisional"}
    assert [
        json.loads(one.model_dump_json())["params"] for one in result[result.sample_ids[0]].reference.advice
    ] == [
        {"kind": "samples", "n": 12},
        {"kind": "fit", "least": 10},
        {"kind": "fetch", "names": ["MELANOMA"]},
    ]


def test_named_reference_repeats_the_choice_to_the_last_bit(tumours: pd.DataFrame) -> None:
    chosen = profiled(tumours.iloc[:25])
    named = profiled(tumours.iloc[:25], reference=chosen.reference.name)
    pd.testing.assert_frame_equal(
        chosen.to_frame().drop(columns="reference_choice"), named.to_frame().drop(columns="reference_choice")
    )
    assert rule_of(named) == "named"


def test_own_reference_leaves_out_normals_cell_lines_and_repeats(far: pd.DataFrame) -> None:
    kinds = ["normal", "cell line", *["tumour"] * 28]
    result = profiled(far, sample_type=kinds, patient_id=["a", "b", *"cc", *map(str, range(26))])
    assert result.reference.n_samples == 27
    assert set(result.reference.distributions.sample_ids) == set(far.index[2:]) - {far.index[3]}
    flags = {s: {one.code for one in result.maker.flags.of_sample(s)} for s in result.sample_ids}
    left_out = [s for s, codes in flags.items() if "reference_left_out" in codes]
    assert left_out == [*far.index[:2], far.index[3]]
    assert [s for s, codes in flags.items() if "not_a_tumour" in codes] == list(far.index[:2])
    kept = profiled(far.drop(index=left_out), patient_id=["c", *map(str, range(26))])
    assert kept.reference.distributions.sample_ids == result.reference.distributions.sample_ids


def test_two_pipelines_are_no_reference_and_both_are_named(
    tumours: pd.DataFrame, far: pd.DataFrame, tmp_path: Path, refused: Refused
) -> None:
    mixed = pd.concat([far.iloc[:15], tumours.iloc[30:45]])
    result = profiled(mixed, site=["one"] * 15 + ["two"] * 15)
    assert rule_of(result) == "provisional"
    assert "differ like two pipelines" in result.why_reference
    assert "Column site of the sample sheet separates them." in result.why_reference
    with pytest.raises(ReferenceUnfittableError, match=r"differ like two pipelines: 15 .* and 15 "):
        profiled(mixed, reference="cohort")
    path = tmp_path / "mixed.parquet"
    mixed.T.rename_axis("gene").reset_index().to_parquet(path)
    (line,) = refused(3, "reference", "fit", path, "--units", "tpm", "--name", "x", "--out", tmp_path / "o")
    assert f"{path}: two groups of samples differ like two pipelines" in line


@pytest.mark.parametrize(("factor", "kind"), [(30.0, "hot"), (0.001, "cold")])
def test_unusual_cohort_gets_a_caution(far: pd.DataFrame, factor: float, kind: str) -> None:
    components = load_design().components
    genes = [g for name in ("tcell", "leukocyte") for g in components[name] if g in far]
    unusual = far.assign(**{gene: far[gene] * factor for gene in genes})
    for sheet, expected in (({}, f"{kind}_all"), ({"cancer_type": "colon"}, kind)):
        notes = profiled(unusual, **sheet).maker.flags.cohort
        assert [one.kind for one in notes if one.code == "cohort_composition"] == [expected]
    usual = profiled(far, cancer_type="colon").maker.flags.cohort
    assert [one.kind for one in usual if one.code == "cohort_composition"] == []


def test_kept_reference_is_taken_and_a_damaged_one_is_skipped(
    far: pd.DataFrame, kept_references: Path, repo_root: Path
) -> None:
    cohort = es.from_dataframe(far.iloc[:20], units="tpm")
    es.fit_reference([cohort], name="our-lab", tumour_type="colon")
    assert "our-lab" in es.list_references()
    result = profiled(far.iloc[20:])
    assert (result.reference.name, rule_of(result)) == ("our-lab", "kept")
    (kept_references / "fitted" / "our-lab" / "slopes.tsv").unlink()
    forget_references()
    again = profiled(far.iloc[20:])
    assert rule_of(again) == "provisional"
    (skipped,) = (one for one in again.maker.flags.cohort if one.code == "reference_skipped")
    assert dict(skipped.params)["name"] == "our-lab"


def test_run_stages_and_python_choose_alike_to_the_last_byte(
    far_matrix: Path, far_run: tuple[Path, str], tmp_path: Path
) -> None:
    run, _ = far_run
    work, out = tmp_path / "work", tmp_path / "stages"
    for command in (
        ["read", str(far_matrix), "--units", "tpm", "--cohort", "far", "--out", str(work / "cohort.h5ad")],
        ["harmonise", str(work / "cohort.h5ad"), "--out", str(work / "harmonised.h5ad")],
        ["score", str(work / "harmonised.h5ad"), "--out", str(work / "scores.h5ad")],
        ["profile", str(work / "scores.h5ad"), "--out", str(out), "--part", str(work / "part.json")],
    ):
        assert main(command) == 0
    es.profile(es.read(far_matrix, units="tpm")).write(tmp_path / "python")
    names = [path.relative_to(out) for path in out.rglob("[!.]*") if path.is_file()]
    assert len(names) == 30 + 7
    for name in names:
        expected = (out / name).read_bytes()
        assert (run / name).read_bytes() == expected, name
        assert (tmp_path / "python" / name).read_bytes() == expected, name


def test_every_output_says_what_was_taken_and_why(
    far_matrix: Path, far_run: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    out, complained = far_run
    said = "Compared with 30 tumours of this cohort itself: the closest reference, tcga-"
    assert said in complained
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["header"]["reference_choice"].startswith(said)
    assert manifest["header"]["reference"] == "cohort"
    qc = pd.read_csv(out / "qc.tsv", sep="\t")
    assert qc["reference_choice"].str.startswith(said).all()
    pages = [out / "index.html", *(out / "samples").glob("*.html")]
    assert len(pages) == 31
    assert all(said in page.read_text(encoding="utf-8") for page in pages)
    assert main(["check", str(far_matrix), "--units", "tpm"]) == 0
    assert f"reference: {said}" in capsys.readouterr().out


def test_data_folder_that_cannot_be_read_is_an_error(
    far: pd.DataFrame, kept_references: Path, repo_root: Path
) -> None:
    folder = kept_references / "fitted" / "lab"
    shutil.copytree(repo_root / "resources" / "reference" / DEFAULT_REFERENCE, folder)
    (folder / "reference.json").write_text("{", encoding="utf-8")
    notes = profiled(far).maker.flags.cohort
    assert [dict(one.params)["name"] for one in notes if one.code == "reference_skipped"] == ["lab"]


def test_pages_of_an_own_reference_show_the_intervals_that_count(
    far_profiles: es.Profiles, tmp_path: Path
) -> None:
    folder = far_profiles.write(tmp_path / "o")
    record = far_profiles[far_profiles.sample_ids[0]]
    assert record.index.interval_within is not None
    low, high = (
        f"{end:.0f}" for end in (record.index.interval_within.low, record.index.interval_within.high)
    )
    page = (folder / "samples" / f"{record.slug}.html").read_text(encoding="utf-8")
    assert f"of 100, 90 % interval [{low}, {high}]" in page
    assert "this cohort itself, 30 samples (" in page
    assert "mechanisms are detected in a tumour of this cohort." in page
    assert "Detected means high for this cohort, about its highest tenth." in page
    assert (
        re.search(r"reaches the threshold \S+: high for this cohort", page) or "detected</span>" not in page
    )


@pytest.mark.parametrize(
    ("given", "is_own"), [("UVM", True), ("melanoma", False), ("colon", False), ("", False)]
)
def test_a_narrower_type_is_not_the_own_type(far: pd.DataFrame, given: str, *, is_own: bool) -> None:
    cohort = harmonise(
        es.from_dataframe(
            far.iloc[:6], units="tpm", samples=pd.DataFrame({"cancer_type": given}, far.index[:6])
        )
    )
    own = {one.name for one in Candidates.of(cohort).placed if one.is_own_type}
    assert ("tcga-uvm-v1" in own) is is_own


def test_panel_without_the_genes_of_any_mechanism_is_not_evaluable(tumours: pd.DataFrame) -> None:
    design = load_design()
    used = {*design.genes, *design.locus_genes, *design.control_genes}
    anchors = [
        s
        for s, yes in zip(es.load_reference().genes.symbols, es.load_reference().genes.is_anchor, strict=True)
        if yes
    ]
    panel = tumours[[gene for gene in anchors if gene in tumours and gene not in used][:400]]
    for reference in ("auto", DEFAULT_REFERENCE):
        assert set(profiled(panel, reference=reference).profiles.status) == {"not-evaluable"}
