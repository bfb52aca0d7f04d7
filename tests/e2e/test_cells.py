"""Single cells in the workflow: the files of ``escape-score cells``; resumed, repeated and refused."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from tests.cells.simulated import simulated_cells
from tests.e2e.test_workflow import call, digests, errors_of, killing, rules_run, times

REFERENCE = "tcga-brca-v1"
COLUMNS = {"sample_column": "sample", "patient_column": "patient", "cell_type_column": "cell_type"}
CELL_JOBS = {"cells_read", "cells_seeds", "cells_patient", "cells_bulk"}
LATER_JOBS = {"harmonise", "score", "profile", "report", "gather"}
FEW = "20 of 20 cells passed quality control; a sample needs 50."
N_BULK = 3


@dataclass
class Study:
    """A folder with a config, and the place where its workflow was run."""

    folder: Path
    cohorts: dict[str, str] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def results(self, cohort: str) -> Path:
        return self.run / "results" / cohort

    def configure(self, **changed: object) -> None:
        """Write the config; words of ``cohorts.tsv`` are a file and the kind of its rows."""
        rows = [f"{name}\t{file}\t\t\t{kind}\n" for name, (file, kind) in self._rows().items()]
        table = "cohort\texpression\tsamples\tunits\tkind\n" + "".join(rows)
        (self.folder / "cohorts.tsv").write_text(table, encoding="utf-8")
        cells = {**self.options, **changed}
        lines = ["cohorts: cohorts.tsv", f"profile: {{reference: {REFERENCE}}}", "cells:"]
        lines += [
            f"  {name}: {str(value).lower() if value in (True, False) else value}"
            for name, value in cells.items()
        ]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _rows(self) -> dict[str, tuple[str, str]]:
        return {
            name: (file, "bulk" if file.endswith(".parquet") else "cells")
            for name, file in self.cohorts.items()
        }

    def launch(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the workflow; the words of Snakemake, which are in a log file, are added to stdout."""
        before = {*self.run.glob("logs/snakemake-*.log")}
        words = ["--config", self.config, "--cores", "2", "--directory", self.run, *options]
        done = call("escape-score", "workflow", *words)
        for log in sorted({*self.run.glob("logs/snakemake-*.log")} - before):
            done.stdout += log.read_text(encoding="utf-8")
        return done

    def would_run(self) -> set[str]:
        """Jobs, as rule and cohort."""
        done = self.launch("--", "--dry-run")
        assert done.returncode == 0, done.stderr
        found = re.findall(
            r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    wildcards: cohort=(\w+)", done.stdout, re.MULTILINE
        )
        return {" ".join(one) for one in found}

    def alone(self, cohort: str, out: Path) -> dict[str, str]:
        """Files that ``escape-score cells`` writes of the input of a cohort, with the same config."""
        own = [word for name, value in self.options.items() for word in _flag(name, value)]
        words = [self.folder / self.cohorts[cohort], "--reference", REFERENCE, "--cohort", cohort]
        done = call("escape-score", "cells", *words, "--out", out, "--quiet", *own, cwd=self.folder)
        assert done.returncode in {0, 5}, done.stderr
        return digests(out)


def _flag(name: str, value: object) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    return [flag] if value is True else [flag, str(value)]


def jobs(cohort: str, rules: set[str]) -> set[str]:
    return {f"{rule} {cohort}" for rule in rules}


def few_of(cells: ad.AnnData, sample: str, n: int) -> ad.AnnData:
    """All cells but those of one sample from some on."""
    of_sample = np.flatnonzero(cells.obs["sample"] == sample)
    return cells[np.setdiff1d(np.arange(cells.n_obs), of_sample[n:])].copy()


def write_study(folder: Path, repo_root: Path) -> Study:
    """A bulk cohort, and cells with labels: a patient of two samples, one of one, one with too few cells.

    The second patient has another sample with too few cells.
    """
    cells = simulated_cells(n_samples=5, n_cells=80, n_genes=1_200)
    cells.obs["patient"] = cells.obs["sample"].map(
        {"S1": "P1", "S2": "P1", "S3": "P2", "S4": "P2", "S5": "P3"}
    )
    cells.obs["cell_type"] = cells.obs["cell_type"].astype(str).replace({"NK": "own label"})
    few_of(few_of(cells, "S4", 20), "S5", 20).write_h5ad(folder / "labelled.h5ad")
    (folder / "labels.tsv").write_text("label\tcompartment\nown label\tnk\n", encoding="utf-8")
    demo = pd.read_parquet(repo_root / "resources" / "demo" / "expression.parquet")
    demo.iloc[:, :N_BULK].to_parquet(folder / "bulk.parquet")
    study = Study(
        folder,
        {"labelled": "labelled.h5ad", "bulk": "bulk.parquet"},
        {**COLUMNS, "cell_types": "labels.tsv", "h5ad": True},
    )
    study.configure()
    return study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> Study:
    """A study whose workflow has run; exit code 5, since two samples have too few cells."""
    made = write_study(tmp_path_factory.mktemp("study"), repo_root)
    done = made.launch()
    assert done.returncode == 5, done.stderr
    assert rules_run(done) == {"read", *CELL_JOBS, *LATER_JOBS}
    failed = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert failed == [f"warning: labelled: {name}: failed ({FEW})" for name in ("S4", "S5")]
    return made


@pytest.fixture
def restored(study: Study) -> Iterator[Study]:
    """The finished study, its config and map of labels put back afterwards."""
    yield study
    study.configure()


@pytest.mark.slow
def test_workflow_gives_the_files_of_cells(study: Study, tmp_path: Path) -> None:
    found = digests(study.results("labelled"))
    assert found == study.alone("labelled", tmp_path / "out")
    assert {
        "cells.tsv",
        "cells.h5ad",
        "cell_labels.parquet",
        "pseudobulk.h5ad",
        "manifest.json",
    } <= found.keys()
    qc = pd.read_csv(study.results("labelled") / "qc.tsv", sep="\t", dtype=str).set_index("sample_id")
    assert qc["failed"].dropna().to_dict() == {"S4": FEW, "S5": FEW}
    for cohort in study.cohorts:
        verified = call("escape-score", "verify", study.results(cohort))
        assert verified.returncode == 0, verified.stderr
    assert not (study.results("bulk") / "cells.tsv").exists()


@pytest.mark.slow
def test_second_run_does_nothing(study: Study) -> None:
    before = times(study.run / "results") | times(study.run / "work")
    done = study.launch()
    assert "nothing was to be done" in done.stderr
    assert done.returncode == 5, done.stderr
    assert times(study.run / "results") | times(study.run / "work") == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"min_umi": 300}, CELL_JOBS | LATER_JOBS),
        ({"min_cells": 60}, CELL_JOBS - {"cells_read", "cells_seeds"} | LATER_JOBS),
        ({"malignant_lineage": "any"}, CELL_JOBS - {"cells_read", "cells_seeds"} | LATER_JOBS),
        ({"h5ad": False}, {"profile", "report", "gather"}),
    ],
)
def test_changed_gate_repeats_what_it_concerns(
    restored: Study, changed: dict[str, object], rules: set[str]
) -> None:
    restored.configure(**changed)
    assert restored.would_run() == jobs("labelled", rules)


@pytest.mark.slow
def test_changed_map_of_labels_repeats_patients(restored: Study) -> None:
    path = restored.folder / "labels.tsv"
    before, status = path.read_bytes(), path.stat()
    path.write_text("label\tcompartment\nown label\tt\n", encoding="utf-8")
    found = restored.would_run()
    path.write_bytes(before)
    assert found == jobs("labelled", {"cells_patient", "cells_bulk", *LATER_JOBS})
    assert status.st_size == len(before)


@pytest.mark.slow
def test_changed_file_of_cells_is_made_anew(study: Study) -> None:
    results = study.results("labelled")
    before = digests(results)
    for name in ("cells.tsv", "cell_labels.parquet"):
        path = results / name
        path.write_bytes(path.read_bytes()[:-2])
        done = study.launch()
        assert f"{name}: missing or changed since the result was finished; made anew" in done.stderr
        assert rules_run(done) == {"profile", "report", "gather"}
        assert digests(results) == before


@pytest.mark.slow
def test_all_cells_go_where_they_are_not_wanted_any_more(restored: Study) -> None:
    results = restored.results("labelled")
    before = digests(results)
    restored.configure(h5ad=False)
    assert restored.launch().returncode == 5
    assert before.keys() - digests(results).keys() == {"cells.h5ad"}
    assert call("escape-score", "verify", results).returncode == 0
    restored.configure()
    assert restored.launch().returncode == 5
    assert digests(results) == before


@pytest.mark.slow
@pytest.mark.parametrize("part", ["patient", "sample"])
def test_damaged_file_of_a_job_is_named_in_one_line(study: Study, part: str) -> None:
    before = digests(study.results("labelled"))
    path = min((study.run / "work" / "labelled" / "cells").glob(f"{part}-*.h5"))
    path.write_bytes(path.read_bytes()[:-100])
    done = study.launch()
    (error,) = {*errors_of(done)}
    assert done.returncode == 3, done.stderr
    assert f"{path.name}: not " in error
    assert "damaged; remove it, then run the same command again" in error
    path.unlink()
    assert study.launch().returncode == 5
    assert digests(study.results("labelled")) == before


@pytest.mark.slow
def test_run_goes_on_after_a_job_of_a_patient_was_killed(
    study: Study, tmp_path: Path, repo_root: Path
) -> None:
    again = write_study(tmp_path, repo_root)
    again.run.mkdir()
    # the killer waits for a minute only, and a busy machine may need longer for the jobs before
    assert again.launch("--", "--until", "cells_seeds").returncode == 0
    with killing(again.run, "cells-patient", "--seeds"):
        done = again.launch()
    assert done.returncode == 5, done.stderr
    (error,) = errors_of(done)
    assert re.search(
        r"cells-patient-p\d-\w+\.log: the job cells-patient-p\d-\w+ was killed by SIGKILL", error
    )
    assert not (again.run / "results" / "labelled").exists()
    assert digests(again.results("bulk")) == digests(study.results("bulk"))
    expected = again.would_run()
    assert expected == jobs("labelled", {"cells_patient", "cells_bulk", *LATER_JOBS})
    resumed = again.launch()
    assert resumed.returncode == 5, resumed.stderr
    assert digests(again.results("labelled")) == digests(study.results("labelled"))


@pytest.mark.slow
def test_plain_snakemake_finds_compartments_in_mixed_rows_and_draws_maps(
    tmp_path: Path, repo_root: Path
) -> None:
    cells = simulated_cells(n_samples=2, n_cells=100, n_genes=1_200, seed=5)
    cells = cells[np.random.default_rng(1).permutation(cells.n_obs)].copy()
    cells.obs = cells.obs[["sample"]]
    cells.write_h5ad(tmp_path / "mixed.h5ad")
    mixed = Study(tmp_path, {"mixed": "mixed.h5ad"}, {"sample_column": "sample", "umap": True, "h5ad": True})
    mixed.configure()
    words = ["--snakefile", repo_root / "workflow" / "Snakefile", "--configfile", mixed.config]
    done = call("snakemake", *words, "--directory", mixed.run, "--cores", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert digests(mixed.results("mixed")) == mixed.alone("mixed", tmp_path / "out")
    assert "X_umap" in ad.read_h5ad(mixed.results("mixed") / "cells.h5ad").obsm
    assert call("escape-score", "verify", mixed.results("mixed")).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("columns", [COLUMNS, {"sample_column": "sample"}], ids=["labels", "no labels"])
def test_cohort_without_enough_cells_is_refused_in_one_line(tmp_path: Path, columns: dict[str, str]) -> None:
    simulated_cells(n_samples=2, n_cells=20, n_genes=600).write_h5ad(tmp_path / "few.h5ad")
    few = Study(tmp_path, {"few": "few.h5ad"}, dict(columns))
    few.configure()
    done = few.launch()
    assert done.returncode == 3, done.stderr
    (error,) = errors_of(done)
    assert error.startswith(
        f"error: {tmp_path / 'few.h5ad'}: no sample has enough cells (S1: {FEW.rstrip('.')}; S2: "
    )
    assert not few.results("few").exists()
    alone = call(
        "escape-score", "cells", tmp_path / "few.h5ad", "--sample-column", "sample", "--out", tmp_path / "o"
    )
    assert (alone.returncode, errors_of(alone)) == (3, [error])


def test_faults_of_all_cohorts_are_named_before_any_job(tmp_path: Path) -> None:
    cells = simulated_cells(n_samples=2, n_cells=20, n_genes=300)
    cells.write_h5ad(tmp_path / "good.h5ad")
    cells.obs = cells.obs.drop(columns="cell_type")
    cells.write_h5ad(tmp_path / "unlabelled.h5ad")
    (tmp_path / "cut.h5ad").write_bytes((tmp_path / "good.h5ad").read_bytes()[:5_000])
    (tmp_path / "bulk.parquet").write_text("no table", encoding="utf-8")
    (tmp_path / "labels.tsv").write_text("own\tno compartment\n", encoding="utf-8")
    names = ("good", "unlabelled", "cut")
    faulty = Study(
        tmp_path,
        {**{name: f"{name}.h5ad" for name in names}, "bulk": "bulk.parquet"},
        {**COLUMNS, "cell_types": "labels.tsv"},
    )
    faulty.configure()
    done = faulty.launch()
    assert done.returncode == 3, done.stderr
    said = {Path(error.split(": ")[1]).name: error for error in errors_of(done)}
    assert said.keys() == {"unlabelled.h5ad", "cut.h5ad", "bulk.parquet", "labels.tsv"}
    assert len(errors_of(done)) == len(said)
    assert "'cell_type'" in said["unlabelled.h5ad"]
    assert "not a label and a compartment (line 1" in said["labels.tsv"]
    assert not (faulty.run / "work").exists()
    faulty.cohorts["missing"] = "none.h5ad"
    faulty.configure()
    missing = faulty.launch()
    assert missing.returncode == 3, missing.stderr
    assert [
        error for error in errors_of(missing) if "none.h5ad: file not found (expression of cohort" in error
    ]
    assert not (faulty.run / "work").exists()
