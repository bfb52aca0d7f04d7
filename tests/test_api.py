"""The Python interface: public names, and one way from data to a result for Python and the command line."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc

import escape_score as es
from escape_score.cli import main
from escape_score.errors import SampleUnknownError, UsageError
from escape_score.model.record import EscapeProfile
from escape_score.store.manifest import verify


def python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_public_names_are_sorted_and_there() -> None:
    assert es.__all__ == sorted(es.__all__)
    assert dir(es) == es.__all__
    for name in es.__all__:
        assert getattr(es, name) is not None
    with pytest.raises(AttributeError, match="'nothing'"):
        es.nothing  # noqa: B018


def test_public_functions_are_documented_with_an_example() -> None:
    functions = [getattr(es, name) for name in es.__all__ if callable(getattr(es, name))]
    public = [
        f
        for f in (
            *functions,
            es.pl.heatmap,
            es.pl.survival,
            es.pl.groups,
            es.pl.roc,
            es.pl.forest,
            es.pl.reference_distance,
        )
        if not isinstance(f, type)
    ]
    assert len(public) >= 8
    for function in public:
        assert ">>> " in (function.__doc__ or ""), function.__name__
        assert "Returns\n" in (function.__doc__ or ""), function.__name__


def test_import_loads_no_library() -> None:
    heavy = ("anndata", "numpy", "pandas", "pydantic", "scanpy", "scipy", "typer")
    program = f"import sys, escape_score; print(*set({heavy!r}) & set(sys.modules))"
    assert python(program).split() == []


@pytest.mark.parametrize(
    "first", [pytest.param("escape_score.read.cohort", marks=pytest.mark.slow), "escape_score.profile.stage"]
)
def test_functions_keep_their_names_when_a_stage_is_imported(first: str) -> None:
    program = f"import {first}, escape_score as es; print(es.read.__name__, es.profile.__name__)"
    assert python(program).split() == ["read_cohort", "profile"]
    program = f"import escape_score as es; es.read, es.profile; import {first}; print(callable(es.read))"
    assert python(program).split() == ["True"]


def test_python_and_command_line_write_the_same_bytes(inputs: Any, tmp_path: Path) -> None:  # noqa: ANN401
    assert main(["run", *inputs.options, "--out", str(tmp_path / "cli")]) == 0
    cohort = es.read(inputs.matrix, units="counts", samples=inputs.samples, cohort="demo")
    result = es.profile(cohort, gene_lengths=inputs.lengths)
    assert result.write(tmp_path / "api") == tmp_path / "api"
    assert files_of(tmp_path / "api") == files_of(tmp_path / "cli")
    assert verify(tmp_path / "api") == ()
    table = pd.read_parquet(tmp_path / "api" / "profiles.parquet").set_index("sample_id")
    pd.testing.assert_frame_equal(result.to_frame(), table)


def test_three_lines_lead_from_anndata_to_a_table(demo_tpm: pd.DataFrame) -> None:
    adata = ad.AnnData(demo_tpm)
    lines = """
import escape_score as es
result = es.profile(es.from_anndata(adata, units="tpm"))
table = result.to_frame()
"""
    assert len(ast.parse(lines).body) == 3
    scope: dict[str, Any] = {"adata": adata}
    exec(lines, scope)
    assert len(scope["table"]) == len(demo_tpm)


def test_profiles_give_single_samples(demo: es.Profiles) -> None:
    first = demo.sample_ids[0]
    record = demo[first]
    assert isinstance(record, EscapeProfile)
    assert record.sample_id == first
    assert [one.sample_id for one in demo] == list(demo.sample_ids)
    assert len(demo) == 8
    with pytest.raises(SampleUnknownError, match="no sample 'x'") as caught:
        demo["x"]
    assert isinstance(caught.value, KeyError)
    assert "\n" not in str(caught.value)


def test_notebook_shows_a_table_and_escapes_names(demo_tpm: pd.DataFrame) -> None:
    named = demo_tpm.rename(index={demo_tpm.index[0]: "<b>one"})
    result = es.profile(es.from_dataframe(named, units="tpm", cohort="<i>mine"))
    shown = result._repr_html_()
    assert "&lt;i&gt;mine" in shown
    assert "&lt;b&gt;one" in shown
    assert "<i>" not in shown
    assert "8 samples" in repr(result)


def test_write_refuses_what_it_cannot_do(demo: es.Profiles, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="xx"):
        demo.write(tmp_path / "o", lang="xx")
    assert not (tmp_path / "o").exists()


def test_reference_can_be_an_object_a_folder_or_a_name(
    demo: es.Profiles, demo_counts: pd.DataFrame, demo_lengths: Path, repo_root: Path
) -> None:
    folder = repo_root / "resources" / "reference" / es.load_reference().name
    cohort = es.from_dataframe(demo_counts, units="counts")
    for reference in (es.load_reference(), folder, folder.name, "auto"):
        found = es.profile(cohort, reference=reference, gene_lengths=demo_lengths)
        expected = demo.to_frame().select_dtypes("number")
        pd.testing.assert_frame_equal(found.to_frame().select_dtypes("number"), expected)


def test_a_reference_is_fitted_and_used(repo_root: Path, demo_lengths: Path, tmp_path: Path) -> None:
    matrix = pd.read_parquet(repo_root / "resources" / "demo" / "expression.parquet")
    cohort = es.from_dataframe(
        matrix.set_index("gene").iloc[:, :12] if "gene" in matrix else matrix.iloc[:, :12]
    )
    lab = es.fit_reference([cohort], name="lab", gene_lengths=demo_lengths, out=tmp_path / "lab")
    again = es.load_reference(str(tmp_path / "lab"))
    assert (again.name, again.sha256) == ("lab", lab.sha256)
    assert es.profile(cohort, reference=lab, gene_lengths=demo_lengths).reference.name == "lab"
    with pytest.raises(UsageError, match="cohorts: there is none"):
        es.fit_reference([], name="lab")


@pytest.fixture(scope="module")
def partly_provisional(demo_tpm: pd.DataFrame) -> es.Profiles:
    """Sixteen tumours, half of them far from the reference, one without a gene of an axis."""
    rng = np.random.default_rng(7)
    far = demo_tpm * np.exp2(rng.normal(0, 1.6, demo_tpm.shape[1]))
    far.index = [f"far {name}" for name in far.index]
    both = pd.concat([demo_tpm, far])
    both.loc[both.index[0], ["CD274", "PDCD1LG2", "LGALS9"]] = np.nan
    return es.profile(es.from_dataframe(both.div(both.sum(axis=1), axis=0) * 1e6, units="tpm"))


@pytest.mark.slow
def test_scanpy_takes_the_scores_as_they_are(partly_provisional: es.Profiles, tmp_path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    adata = partly_provisional.to_anndata()
    assert set(adata.obs["status"]) == {"reference-matched", "provisional"}
    is_complete = ~np.isnan(np.asarray(adata.X)).any(axis=0)
    np.testing.assert_array_equal(adata.var["highly_variable"].to_numpy(), is_complete)
    assert 10 < is_complete.sum() < len(is_complete)
    sc.pp.pca(adata, n_comps=4)
    sc.pp.neighbors(adata, n_neighbors=5)
    sc.tl.umap(adata)
    assert np.isfinite(adata.obsm["X_umap"]).all()
    axes = adata.var_names[adata.var["kind"] == "axis"]
    shown = sc.pl.heatmap(adata, list(axes), groupby="status", show=False)
    assert "heatmap_ax" in shown
    adata.write_h5ad(tmp_path / "a.h5ad")
    assert ad.read_h5ad(tmp_path / "a.h5ad").var_names.tolist() == adata.var_names.tolist()


def test_figures_are_axes_of_matplotlib(partly_provisional: es.Profiles, demo_tpm: pd.DataFrame) -> None:
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.use("Agg")
    ax = es.pl.heatmap(partly_provisional)
    assert len(ax.get_xticks()) == 16
    sheet = pd.DataFrame({"os_days": range(100, 900, 100), "os_event": [1, 0] * 4}, index=demo_tpm.index)
    result = es.profile(es.from_dataframe(demo_tpm, units="tpm", samples=sheet))
    ax = es.pl.survival(result, "effector_absence")
    assert "log-rank p" in ax.get_title()
    with pytest.raises(UsageError, match="'x' is not a column of numbers"):
        es.pl.survival(result, "x")
    with pytest.raises(UsageError, match="unknown endpoint 'dfs'; did you mean 'pfs'\\? use one of os, pfs"):
        es.pl.survival(result, "effector_absence", endpoint="dfs")
    plt.close("all")


def test_objects_have_a_short_repr(demo: es.Profiles, demo_tpm: pd.DataFrame) -> None:
    cohort = es.from_dataframe(demo_tpm, units="tpm", cohort="mine")
    assert repr(cohort) == f"Cohort('mine': 8 samples × {demo_tpm.shape[1]} genes, tpm)"
    assert repr(demo[demo.sample_ids[0]]).startswith(
        f"EscapeProfile('{demo.sample_ids[0]}': reference-matched"
    )
