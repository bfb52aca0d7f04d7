from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cells.simulated import simulated_cells

from escape_score.errors import (
    ConfigInvalidError,
    FileMissingError,
    FileUnreadableError,
    InputError,
    InputFaultsError,
)
from escape_score.launch.plan import RESOURCES, CohortPlan, plan_workflow, reference_files

HEADER = "cohort\texpression\tsamples\tunits\tgene_lengths\n"


def write_project(folder: Path, *, config: str = "", rows: str, n_samples: int = 3) -> Path:
    """A config below ``folder``, its table beside it, and a matrix of some samples one folder up."""
    names = [f"s{i}" for i in range(n_samples)]
    matrix = "\t".join(["gene", *names]) + "\n" + "\t".join(["CD8A", *("1" for _ in names)]) + "\n"
    (folder / "matrix.tsv").write_text(matrix, encoding="utf-8")
    (folder / "config").mkdir()
    (folder / "config" / "cohorts.tsv").write_text(HEADER + rows, encoding="utf-8")
    path = folder / "config" / "config.yaml"
    path.write_text(f"cohorts: cohorts.tsv\n{config}", encoding="utf-8")
    return path


@pytest.mark.parametrize(("n_samples", "n_chunks"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_plan_workflow_cuts_samples_into_chunks(tmp_path: Path, n_samples: int, n_chunks: int) -> None:
    config = write_project(
        tmp_path,
        config="report:\n  chunk_size: 4\n",
        rows="a\t../matrix.tsv\t\tcounts\t\n",
        n_samples=n_samples,
    )
    assert plan_workflow(config).cohorts["a"].n_chunks == n_chunks


def test_plan_workflow_reads_paths_from_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_project(tmp_path, rows="a\t../matrix.tsv\t\t\t\n")
    monkeypatch.chdir(config.parent)
    plan = plan_workflow(Path(config.name))
    assert plan.cohorts["a"].entry.expression.samefile(tmp_path / "matrix.tsv")
    assert plan.cohorts["a"].entry.expression.is_absolute()
    assert plan.cohorts["a"].entry.units == "auto"


def test_plan_workflow_prefers_the_lengths_of_a_cohort(tmp_path: Path) -> None:
    config = write_project(
        tmp_path,
        config="harmonise:\n  gene_lengths: all.tsv\n",
        rows="a\t../matrix.tsv\t\tcounts\town.tsv\nb\t../matrix.tsv\t\tcounts\t\n",
    )
    for name in ("all.tsv", "own.tsv"):
        (config.parent / name).touch()
    cohorts = plan_workflow(config).cohorts
    assert [cohorts[name].gene_lengths for name in ("a", "b")] == [
        config.parent / "own.tsv",
        config.parent / "all.tsv",
    ]


@pytest.mark.parametrize(
    ("reference", "names"), [("tcga-coadread-v1", []), ("./own", ["genes.tsv", "terms.tsv"])]
)
def test_plan_workflow_lists_the_tables_of_a_reference_folder(
    tmp_path: Path, reference: str, names: list[str]
) -> None:
    config = write_project(
        tmp_path, config=f"profile:\n  reference: {reference}\n", rows="a\t../matrix.tsv\t\tcounts\t\n"
    )
    (config.parent / "own").mkdir()
    for name in ("terms.tsv", "genes.tsv"):
        (config.parent / "own" / name).touch()
    assert [path.name for path in reference_files(plan_workflow(config).config)] == names


def test_plan_workflow_names_all_faults_at_once(tmp_path: Path) -> None:
    config = write_project(
        tmp_path,
        config="score:\n  gene_sets: none.gmt\n",
        rows="a\t../none.tsv\t\tcounts\t\nb\t../matrix.tsv\tnone_either.tsv\tcounts\t\n",
    )
    with pytest.raises(InputFaultsError) as caught:
        plan_workflow(config)
    for name in ("none.gmt", "none.tsv", "none_either.tsv"):
        assert any(name in line for line in caught.value.lines)


def test_plan_workflow_names_a_missing_gene_set_file(tmp_path: Path) -> None:
    config = write_project(
        tmp_path, config="score:\n  gene_sets: none.gmt\n", rows="a\t../matrix.tsv\t\tcounts\t\n"
    )
    with pytest.raises(
        FileMissingError, match=r"none\.gmt: not found \(score\.gene_sets of .*config\.yaml\)"
    ):
        plan_workflow(config)


def test_plan_workflow_refuses_an_unknown_key(tmp_path: Path) -> None:
    config = write_project(tmp_path, config="chunk_sise: 4\n", rows="a\t../matrix.tsv\t\tcounts\t\n")
    with pytest.raises(ConfigInvalidError, match="chunk_sise"):
        plan_workflow(config)


def test_plan_workflow_knows_all_that_a_result_rests_on(tmp_path: Path) -> None:
    config = write_project(
        tmp_path,
        config="score:\n  gene_sets: own.gmt\nseed: 3\nthreads: 2\n",
        rows="a\t../matrix.tsv\t\tcounts\tlengths.tsv\n",
    )
    for name in ("own.gmt", "lengths.tsv"):
        (config.parent / name).touch()
    cohort = plan_workflow(config).cohorts["a"]
    assert [path.name for path in cohort.sources] == ["matrix.tsv", "lengths.tsv", "own.gmt"]
    assert "counts" in cohort.settings
    assert '"seed":3' in cohort.settings
    assert "threads" not in cohort.settings
    assert "chunk_size" not in cohort.settings


def test_plan_workflow_lists_all_files_of_a_cohort(tmp_path: Path) -> None:
    config = write_project(tmp_path, rows="a\t../run\t\t\t\nb\t../tenx\t\t\t\nc\tsheet.csv\t\t\t\n")
    run, tenx = tmp_path / "run", tmp_path / "tenx"
    for folder in (run, tenx):
        folder.mkdir()
    for name in ("A", "B"):
        (run / f"{name}.genes.results").write_text("gene_id\texpected_count\tTPM\tFPKM\nCD8A\t1\t1\t1\n")
    (config.parent / "sheet.csv").write_text("sample_id,path\nP1,../run/A.genes.results\n")
    (tenx / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 5\n")
    (tenx / "genes.tsv").write_text("ENSG00000153563\tCD8A\n")
    (tenx / "barcodes.tsv").write_text("S1\n")
    cohorts = plan_workflow(config).cohorts
    names = {name: [path.name for path in plan.parts] for name, plan in cohorts.items()}
    assert names == {
        "a": ["A.genes.results", "B.genes.results"],
        "b": ["matrix.mtx", "genes.tsv", "barcodes.tsv"],
        "c": ["sheet.csv", "A.genes.results"],
    }
    assert cohorts["a"].n_samples == 2
    assert set(cohorts["a"].parts) <= set(cohorts["a"].sources)


def test_plan_workflow_refuses_paths_that_snakemake_takes_for_patterns(tmp_path: Path) -> None:
    folder = tmp_path / "a{b}"
    folder.mkdir()
    for name in ("m.tsv", "s}.tsv", "g.gmt", "l.tsv"):
        (folder / name).write_text("gene\ts1\nCD8A\t1\n", encoding="utf-8")
    config = write_project(
        tmp_path,
        config="score:\n  gene_sets: ../a{b}/g.gmt\n",
        rows="a\t../a{b}/m.tsv\t../a{b}/s}.tsv\ttpm\t../a{b}/l.tsv\n",
    )
    with pytest.raises(InputFaultsError) as caught:
        plan_workflow(config)
    assert len(caught.value.lines) == 4
    for name in ("m.tsv", "s}.tsv", "g.gmt", "l.tsv"):
        assert any(f"{name}: its path has {{ or }}" in line for line in caught.value.lines)


def test_plan_workflow_refuses_such_names_inside_a_folder_too(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("A", "{B}"):
        (run / f"{name}.genes.results").write_text("gene_id\texpected_count\tTPM\tFPKM\nCD8A\t1\t1\t1\n")
    config = write_project(tmp_path, rows="a\t../run\t\t\t\n")
    with pytest.raises(FileUnreadableError, match=r"\{B\}.genes.results: its path has \{ or \}"):
        plan_workflow(config)


def test_plan_workflow_counts_samples_in_the_unit_of_the_cohort(tmp_path: Path) -> None:
    (tmp_path / "own.tsv").write_text("gene\tcpm\tnormalized_count\nCD8A\t1\t2\nB2M\t3\t4\n")
    config = write_project(tmp_path, rows="a\t../own.tsv\t\tcpm\t\n")
    assert plan_workflow(config).cohorts["a"].n_samples == 1


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param("", ["a-lab/reference.json", "b-lab/reference.json"], id="auto"),
        pytest.param(
            "profile:\n  reference: auto\n", ["a-lab/reference.json", "b-lab/reference.json"], id="auto, said"
        ),
        pytest.param(
            "profile:\n  reference: b-lab\n", ["b-lab/genes.tsv", "b-lab/reference.json"], id="kept"
        ),
        pytest.param("profile:\n  reference: tcga-brca-v1\n", [], id="shipped"),
        pytest.param("profile:\n  reference: cohort\n", [], id="cohort"),
    ],
)
def test_reference_files_are_those_by_which_a_change_is_noticed(
    tmp_path: Path, kept_references: Path, config: str, expected: list[str]
) -> None:
    for name in ("b-lab", "a-lab"):
        folder = kept_references / "fitted" / name
        folder.mkdir(parents=True)
        for table in ("genes.tsv", "reference.json"):
            (folder / table).touch()
    plan = plan_workflow(write_project(tmp_path, config=config, rows="a\t../matrix.tsv\t\t\t\n"))
    found = [path.relative_to(kept_references / "fitted").as_posix() for path in plan.reference_files]
    assert found == expected
    assert [path for path in plan.cohorts["a"].sources if path in plan.reference_files] == list(
        plan.reference_files
    )


def plan_of_cells(folder: Path, *, more: str = "", n_samples: int = 3) -> CohortPlan:
    """A cohort of cells whose first two samples are of one patient."""
    simulated_cells(n_samples=n_samples, n_cells=5, n_genes=180, samples_per_patient=2).write_h5ad(
        folder / "c.h5ad"
    )
    (folder / "cohorts.tsv").write_text(
        "cohort\texpression\tsamples\tunits\tkind\nc\tc.h5ad\t\t\tcells\n", encoding="utf-8"
    )
    config = folder / "config.yaml"
    config.write_text(
        f"cohorts: cohorts.tsv\ncells: {{sample_column: sample, patient_column: patient{more}}}\n",
        encoding="utf-8",
    )
    return plan_workflow(config).cohorts["c"]


def test_plan_of_cells_has_a_file_a_sample_and_a_patient(tmp_path: Path) -> None:
    cohort = plan_of_cells(tmp_path)
    first, second = cohort.patients
    assert [len(cohort.patients[name]) for name in (first, second)] == [2, 1]
    assert [Path(name).name.split("-")[1] for name in cohort.cell_files("sample")] == ["s1", "s2", "s3"]
    assert cohort.cell_files("sample", second) == cohort.cell_files("sample")[2:]
    assert cohort.cell_files("patient") == [f"work/c/cells/patient-{name}.h5" for name in (first, second)]
    assert cohort.n_samples == 3
    assert cohort.counts == cohort.counts_flag == []


def test_labels_of_ones_own_without_their_column_are_refused_before_any_job(tmp_path: Path) -> None:
    (tmp_path / "own.tsv").write_text("label\tcompartment\nzzz\tmalignant\n", encoding="utf-8")
    with pytest.raises(ConfigInvalidError, match=r"own\.tsv: labels of your own need the column"):
        plan_of_cells(tmp_path, more=", cell_types: own.tsv")
    assert plan_of_cells(tmp_path, more=", cell_types: own.tsv, cell_type_column: cell_type").patients


def test_all_cells_are_asked_for_where_they_are_wanted(tmp_path: Path) -> None:
    cohort = plan_of_cells(tmp_path, more=", h5ad: true")
    assert cohort.counts == cohort.cell_files("sample")
    assert cohort.counts_flag == ["--cells-h5ad"]


def test_jobs_of_one_sample_or_patient_do_not_grow_with_the_cohort(tmp_path: Path) -> None:
    for folder in ("small", "large"):
        (tmp_path / folder).mkdir()
    small, large = (
        plan_of_cells(tmp_path / folder, n_samples=n) for folder, n in (("small", 3), ("large", 9))
    )
    patient = next(iter(small.patients))
    for rule, of in (("cells_read", None), ("cells_patient", patient)):
        for resource in ("mem_mb", "runtime"):
            needed = [one.request(resource, rule, of, 1) for one in (small, large)]
            assert needed[0] == needed[1]
    assert small.request("mem_mb", "cells_seeds", None, 1) < large.request("mem_mb", "cells_seeds", None, 1)
    last = list(small.patients)[-1]
    assert small.request("mem_mb", "cells_patient", last, 1) < small.request(
        "mem_mb", "cells_patient", patient, 1
    )


def test_sheet_of_cells_is_read_before_any_job(tmp_path: Path) -> None:
    plan_of_cells(tmp_path)
    (tmp_path / "sheet.tsv").write_text("sample_id\tsample_id\nS1\tS1\n", encoding="utf-8")
    text = (tmp_path / "cohorts.tsv").read_text(encoding="utf-8").replace("c.h5ad\t\t", "c.h5ad\tsheet.tsv\t")
    (tmp_path / "cohorts.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"sheet\.tsv"):
        plan_workflow(tmp_path / "config.yaml")


def test_options_of_cells_change_no_settings_of_bulk(tmp_path: Path) -> None:
    plain, changed = tmp_path / "plain", tmp_path / "changed"
    settings = {}
    for folder, config in ((plain, ""), (changed, "cells:\n  min_umi: 300\n")):
        folder.mkdir()
        plan = plan_workflow(write_project(folder, config=config, rows="a\t../matrix.tsv\t\tcounts\t\n"))
        settings[folder] = plan.cohorts["a"].settings
    assert settings[plain] == settings[changed]


def test_columns_that_statistics_name_are_kept_by_the_job_that_reads_the_sheet(tmp_path: Path) -> None:
    block = "statistics:\n  groups: [arm]\n  adjust: [age, purity]\n"
    config = write_project(tmp_path, config=block, rows="a\t../matrix.tsv\t\tcounts\t\n")
    plan = plan_workflow(config)
    assert json.loads(plan.options("read"))["columns"] == ["arm=arm", "age=age"]
    assert plan.cohorts["a"].column_flags == ["--map", "arm=arm", "--map", "age=age"]
    assert json.loads(plan.options("gather"))["adjust"] == ["age", "purity"]
    assert '"groups":["arm"]' in plan.cohorts["a"].settings


def test_job_on_a_cluster_looks_at_the_matrix_of_its_own_cohort_only(tmp_path: Path) -> None:
    rows = "a\t../matrix.tsv\t\tcounts\t\n"
    (tmp_path / "empty.tsv").touch()
    config = write_project(tmp_path, rows=f"{rows}b\t../empty.tsv\t\tcounts\t\n")
    plan = plan_workflow(config, is_lazy=True)
    assert (list(plan.cohorts), plan.pattern("bulk")) == (["a", "b"], "a|b")
    with pytest.raises(InputError, match=r"empty\.tsv"):
        plan.cohorts["b"]
    (config.parent / "cohorts.tsv").write_text(HEADER + rows, encoding="utf-8")
    assert plan.cohorts["a"] == plan_workflow(config).cohorts["a"]


def test_resources_of_htcondor_are_the_usual_ones_in_its_own_names_and_units(tmp_path: Path) -> None:
    cohort = plan_workflow(write_project(tmp_path, rows="a\t../matrix.tsv\t\tcounts\t\n")).cohorts["a"]
    asked = {name: cohort.request(name, "read", None, 2) for name in RESOURCES}
    assert asked["mem_mb"] == asked["htcondor_request_mem_mb"] > 2_000
    assert asked["allowed_execute_duration"] == 60 * asked["runtime"] > 1_200
