"""What every test leans on: reproducible property tests, and browser tests only where there is a browser."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

import escape_score as es
from escape_score.cli import main
from escape_score.genes import load_gene_table
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.library.gene_sets import load_signatures
from escape_score.model.cohort import Cohort, HarmonisedCohort, InMemoryMatrix, SampleRecord
from escape_score.model.notes import Code, note
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.pipeline.profiles import Profiles
from escape_score.read.checks.unit_evidence import totals_of
from escape_score.read.checks.values import gather_facts
from escape_score.reference.known import DATA_VARIABLE

DECLARED = note(Code.UNIT, "declared", unit="tpm", figures="")


# As the program does when it starts: looking for cycles took a sixth of the time of tests.
gc.set_threshold(100_000, 50, 100)

# Drawn examples are the same in every run, and a busy machine is no failure.
settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")

REPO_ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep slow tests of a file together, and skip the browser tests where there is no Chromium."""
    skip = pytest.mark.skip(reason="no chromium on PATH")
    has_browser = shutil.which("chromium") is not None
    for item in items:
        # else every process prepares the workflow of a file; the cases of the battery share nothing
        if item.get_closest_marker("slow") and "battery" not in item.path.parts:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if item.get_closest_marker("browser") and not has_browser:
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """Leave what was imported out of all later searches for cycles: it stays until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_references_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty data folder, so that no reference of the machine's user changes a choice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATA_VARIABLE, str(tmp_path_factory.mktemp("data-of-nobody")))
        yield


@pytest.fixture
def kept_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own; the folder in which references are kept."""
    folder = tmp_path / "data-of-user"
    monkeypatch.setenv(DATA_VARIABLE, str(folder))
    return folder / "references"


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds src/, workflow/, config/ and resources/."""
    return REPO_ROOT


N_DEMO = 8
"""Tumours of the bundled cohort that the numerical tests look at."""


def cohort_of(matrix: pd.DataFrame, unit: ExpressionUnit = ExpressionUnit.TPM) -> Cohort:
    """A cohort from samples × genes, as if it had been read from a file."""
    sample_ids = tuple(str(name) for name in matrix.index)
    source = InMemoryMatrix(
        sample_ids, tuple(str(name) for name in matrix.columns), matrix.to_numpy(np.float64)
    )
    return Cohort(
        name="cohort",
        source=source,
        unit=UnitDecision(unit, is_declared=True, evidence=DECLARED),
        samples=tuple(SampleRecord(sample_id) for sample_id in sample_ids),
        input_sha256="0" * 64,
        totals=totals_of(gather_facts(source, label="cohort"), unit),
    )


def profiled(cohort: Cohort, gene_lengths: Path | None = None) -> Profiles:
    """All stages from a cohort to its profiles, against the shipped reference."""
    return es.profile(cohort, gene_lengths=gene_lengths, min_genes=1)


def numbers_of(result: Profiles) -> pd.DataFrame:
    """All numbers of ``profiles.tsv``, by sample id."""
    return result.to_frame().select_dtypes("number")


@pytest.fixture(scope="session")
def make_cohort() -> Callable[..., Cohort]:
    """Make a cohort from samples × genes and a unit."""
    return cohort_of


@pytest.fixture(scope="session")
def run_engine() -> Callable[..., Profiles]:
    """Bring a cohort through all stages."""
    return profiled


@pytest.fixture(scope="session")
def numbers() -> Callable[[Profiles], pd.DataFrame]:
    """All numbers of ``profiles.tsv``."""
    return numbers_of


@pytest.fixture(scope="session")
def demo_lengths(repo_root: Path) -> Path:
    """Length factors that belong to the bundled cohort."""
    return repo_root / "resources" / "reference" / "tcga-coadread-v1" / "length_factors.tsv"


@pytest.fixture(scope="session")
def demo_counts(repo_root: Path) -> pd.DataFrame:
    """Eight tumours of the bundled cohort, as they stand in its file: samples × genes."""
    path = repo_root / "resources" / "demo" / "expression.parquet"
    matrix = pd.read_parquet(path)
    return matrix.iloc[:, :: matrix.shape[1] // N_DEMO].iloc[:, :N_DEMO].T.astype(np.float64)


@pytest.fixture(scope="session")
def demo_harmonised(demo_counts: pd.DataFrame, demo_lengths: Path) -> HarmonisedCohort:
    """The eight tumours in log2(TPM + 1)."""
    cohort = cohort_of(demo_counts, ExpressionUnit.COUNTS)
    return harmonise(cohort, gene_lengths=open_gene_lengths(demo_lengths))


@pytest.fixture(scope="session")
def demo_tpm(demo_harmonised: HarmonisedCohort) -> pd.DataFrame:
    """The eight tumours in TPM, samples × approved symbols."""
    values = np.exp2(demo_harmonised.source.block(0, N_DEMO)) - 1.0
    return pd.DataFrame(values, list(demo_harmonised.sample_ids), list(demo_harmonised.gene_symbols))


@pytest.fixture(scope="session")
def demo(demo_counts: pd.DataFrame, demo_lengths: Path) -> Profiles:
    """Profiles of the eight tumours."""
    return profiled(cohort_of(demo_counts, ExpressionUnit.COUNTS), demo_lengths)


@dataclass(frozen=True)
class Inputs:
    """A matrix with its sample sheet and gene lengths."""

    matrix: Path
    samples: Path
    lengths: Path

    @property
    def options(self) -> list[str]:
        """Arguments of ``run`` but its ``--out``."""
        return [
            *(str(self.matrix), "--samples", str(self.samples), "--units", "counts"),
            *("--gene-lengths", str(self.lengths), "--cohort", "demo", "--quiet"),
        ]


def needed_genes(matrix: pd.DataFrame) -> pd.DataFrame:
    """Genes × samples: what scores and placement look at, and every fourth other gene.

    A run takes half the time, and is still one of a whole transcriptome.
    """
    library, design, genes = load_signatures(), load_design(), es.load_reference().genes
    needed = {gene for part in (*library.components, *library.published) for gene in part.gene_symbols}
    needed |= {*design.genes, *design.locus_genes, *design.control_genes}
    needed |= {symbol for symbol, is_anchor in zip(genes.symbols, genes.is_anchor, strict=True) if is_anchor}
    found = load_gene_table().map_genes([str(name) for name in matrix.index])
    return matrix[[at % 4 == 0 or one.gene_symbol in needed for at, one in enumerate(found)]]


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory, demo_counts: pd.DataFrame, demo_lengths: Path) -> Inputs:
    folder = tmp_path_factory.mktemp("inputs")
    four = needed_genes(demo_counts.iloc[::2].T).T
    four.T.rename_axis("gene").to_csv(folder / "m.tsv", sep="\t")
    sheet = pd.DataFrame({"sample_id": four.index, "response": ["R", "NR", "", "R"], "purity": 0.5})
    sheet.to_csv(folder / "s.tsv", sep="\t", index=False)
    return Inputs(folder / "m.tsv", folder / "s.tsv", demo_lengths)


@pytest.fixture(scope="session")
def finished(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Result folder of a run; tests must not change it."""
    out = tmp_path_factory.mktemp("results") / "demo"
    cohort = es.read(inputs.matrix, units="counts", samples=inputs.samples, cohort="demo")
    return es.profile(cohort, gene_lengths=inputs.lengths).write(out)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, ...]]:
    """Run a command that must fail with an exit code; give the lines of its errors."""

    def run(code: int, *arguments: object) -> tuple[str, ...]:
        capsys.readouterr()
        found = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        lines = tuple(said.err.splitlines())
        assert found == code, lines
        assert lines
        assert all(line.startswith("error: ") for line in lines)
        assert len(lines) <= 20
        assert "Traceback" not in said.err + said.out
        return lines

    return run
