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
from escape_score.library.axes import load_axis_catalogue, load_design
from escape_score.model.record import EscapeProfile
from escape_score.store.manifest import verify

UNTYPED: Any = es
"""The package as users without a type checker have it."""


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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seed": 1.5}, "^seed: input should be a valid integer, got 1.5$"),
        ({"seed": "a"}, "^seed: input should be a valid integer, got 'a'$"),
        ({"seed": -1}, "^seed: input should be greater than or equal to 0, got -1$"),
        ({"seed": None}, "^seed: input should be a valid integer, got None$"),
        ({"threads": 0}, "^threads: input should be greater than or equal to 1"),
        ({"min_genes": 1.5}, "^min_genes: input should be a valid integer"),
        ({"published": "yes"}, "^published: input should be a valid boolean"),
        ({"reference": None}, "^reference: is None; give 'auto'"),
        ({"reference": ""}, "^reference: is empty; give 'auto'"),
        ({"gene_sets": ["CD8A"]}, "^gene_sets: is of type list; give the path of a GMT file"),
        ({"gene_sets": {"m": "CD8A"}}, "^gene_sets: m: 'CD8A' is of type str; give a list of genes"),
        ({"methods": 5}, "^methods: 5 is of type int; give a list of methods"),
        ({"methods": ["ssgsea", 5]}, "^methods: 5 is of type int; give a list of methods"),
        ({"cohort": 5}, "^cohort: 5 is of type int; give the name of the cohort$"),
        ({"cohort": " "}, "^cohort: is empty; give the name of the cohort$"),
        ({"gene_lengths": 5}, "^gene_lengths: 5 is of type int; give the path of a file$"),
        ({"statistics": ["groups"]}, "^statistics: is of type list; give a mapping with keys of groups"),
        ({"statistics": {"groups": "arm"}}, "^groups: input should be a valid list, got 'arm'$"),
    ],
)
def test_profile_refuses_options_before_the_work(
    options: dict[str, Any], said: str, demo_tpm: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = es.from_dataframe(demo_tpm, units="tpm")
    monkeypatch.setattr("escape_score.pipeline.profiling.harmonise", lambda *_, **__: pytest.fail("worked"))
    with pytest.raises(UsageError, match=said) as caught:
        es.profile(cohort, **options)
    assert "\n" not in str(caught.value)


def test_numbers_of_numpy_are_numbers(demo: es.Profiles, demo_tpm: pd.DataFrame) -> None:
    cohort = es.from_dataframe(demo_tpm, units="tpm")
    found = es.profile(cohort, seed=np.int64(7), min_genes=np.int64(200), threads=np.int32(1))  # type: ignore[arg-type]
    assert found.header.seed == 7
    assert type(found.header.seed) is int
    assert len(found) == len(demo)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: UNTYPED.read(5), "^matrix: 5 is of type int; give the path of a file"),
        (lambda: UNTYPED.read(pd.DataFrame()), "^matrix: is of type DataFrame; .* use es.from_dataframe$"),
        (lambda: UNTYPED.read(""), "^matrix: is empty"),
        (
            lambda: UNTYPED.read("m", transpose="yes"),
            "^transpose: input should be a valid boolean, got 'yes'",
        ),
        (lambda: UNTYPED.read("m", sheet=5), "^sheet: input should be a valid string, got 5"),
        (lambda: UNTYPED.read("m", cohort=5), "^cohort: 5 is of type int"),
        (lambda: UNTYPED.read("m", columns=["a=b"]), "^columns: is of type list; give the package's name"),
        (
            lambda: UNTYPED.read("m", columns={"age": 5}),
            "^columns: 5 is of type int; give the package's name",
        ),
        (lambda: UNTYPED.read("m", limits=5), "^limits: 5 is of type int"),
        (lambda: UNTYPED.load_reference(None), "^reference: is None; give a name of es.list_references"),
        (lambda: UNTYPED.fit_reference(5, name="x"), "^cohorts: is of type int; read it with es.read"),
        (lambda: UNTYPED.fit_reference([5], name="x"), "^cohorts: is of type int; read it with es.read"),
        (lambda: UNTYPED.profile_cells(5), "^data: 5 is of type int; give an AnnData object of cells"),
        (lambda: UNTYPED.profile_cells([]), "^data: is empty; give an AnnData object of cells"),
        (
            lambda: UNTYPED.profile_cells("m", seed=-1),
            "^seed: input should be greater than or equal to 0, got -1",
        ),
        (lambda: UNTYPED.profile_cells("m", cohort=None), "^cohort: is None; give the name of the cohort"),
        (lambda: UNTYPED.profile_cells("m", cell_types=5), "^cell_types: 5 is of type int"),
        (lambda: UNTYPED.compare(5), "^results: 5 is of type int; give a list of two or more result folders"),
        (lambda: UNTYPED.compare("ab"), "^results: 'ab' is of type str; give a list of two or more"),
        (lambda: UNTYPED.compare([5, 6]), "^results: 5 is of type int; give a list of two or more"),
        (lambda: UNTYPED.compare(["a", "b"], names=[5, 6]), "^names: 5 is of type int; give a list"),
        (lambda: UNTYPED.compare(["a", "b"], title=5), "^title: 5 is of type int; give a text"),
        (
            lambda: UNTYPED.pl.heatmap(5),
            "^result: is of type int; give what es.profile or es.profile_cells returns$",
        ),
        (lambda: UNTYPED.pl.survival(5, "stroma"), "^result: is of type int"),
        (lambda: UNTYPED.pl.groups(5, "stroma", "arm"), "^result: is of type int"),
        (lambda: UNTYPED.pl.roc(5, "stroma"), "^result: is of type int"),
        (lambda: UNTYPED.pl.forest(5), "^result: is of type int"),
        (
            lambda: UNTYPED.pl.reference_distance(5, "tcga-uvm-v1"),
            "^cohort: is of type int; read it with es.read",
        ),
    ],
)
def test_public_functions_refuse_other_types_in_one_line(call: Any, said: str) -> None:  # noqa: ANN401
    with pytest.raises(UsageError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_results_refuse_what_is_no_option(demo: es.Profiles, demo_tpm: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^folder: 5 is of type int"):
        demo.write(5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="--lang None: reports have no such language; use en or fr"):
        demo.write(tmp_path / "o", lang=None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^reports: 'no' is of type str; give True or False"):
        demo.write(tmp_path / "o", reports="no")  # type: ignore[arg-type]
    assert not (tmp_path / "o").exists()
    with pytest.raises(SampleUnknownError, match="no sample 0; it has 8 samples: "):
        demo[0]  # type: ignore[index]
    for samples in (5, ["x"], {"sample_id": "x"}):
        with pytest.raises(UsageError, match=r"^samples: .* give the path of a sample sheet, or a pandas"):
            es.from_dataframe(demo_tpm, units="tpm", samples=samples)  # type: ignore[arg-type]


def test_one_cohort_is_enough_for_a_reference(repo_root: Path, demo_lengths: Path, tmp_path: Path) -> None:
    matrix = pd.read_parquet(repo_root / "resources" / "demo" / "expression.parquet")
    cohort = es.from_dataframe(matrix.iloc[:, :12])
    one, listed = (
        es.fit_reference(given, name="lab", gene_lengths=demo_lengths, out=tmp_path / place)
        for given, place in ((cohort, "one"), ([cohort], "list"))
    )
    assert one.sha256 == listed.sha256


def test_data_in_memory_are_the_cohort_named_cohort(demo_tpm: pd.DataFrame) -> None:
    adata = ad.AnnData(demo_tpm)
    for cohort in (es.from_dataframe(demo_tpm, units="tpm"), es.from_anndata(adata, units="tpm")):
        assert cohort.name == "cohort"
        assert es.profile(cohort).cohort == "cohort"
        assert es.profile(cohort, cohort="mine").cohort == "mine"
    with pytest.raises(UsageError, match=r"^cohort: is None; give the name"):
        es.from_dataframe(demo_tpm, units="tpm", cohort=None)  # type: ignore[arg-type]


def test_objects_have_a_short_repr(demo: es.Profiles, demo_tpm: pd.DataFrame) -> None:
    uvm = es.load_reference("tcga-uvm-v1")
    n_genes = len(uvm.genes.symbols)
    assert repr(uvm) == f"Reference('tcga-uvm-v1': uveal melanoma, RNA-seq, 80 tumours × {n_genes} genes)"
    assert repr(demo.scores).startswith("SignatureScores('")
    whole = es.from_dataframe(demo_tpm, units="tpm")
    shown = (uvm, uvm.genes, uvm.distributions, demo, demo.scores, demo.scores.genes, demo.scores.facts)
    for one in (*shown, demo.profiles, demo.maker, whole, whole.source, load_axis_catalogue(), load_design()):
        assert len(repr(one)) < 1000, type(one)
    first = demo[demo.sample_ids[0]]
    assert str(first) == repr(first)
    cohort = es.from_dataframe(demo_tpm, units="tpm", cohort="mine")
    assert repr(cohort) == f"Cohort('mine': 8 samples × {demo_tpm.shape[1]} genes, tpm)"
    assert repr(demo[demo.sample_ids[0]]).startswith(
        f"EscapeProfile('{demo.sample_ids[0]}': reference-matched"
    )
