"""Four tumours as a text file, and the result of running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from escape_score.cli import main


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


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory, demo_counts: pd.DataFrame, demo_lengths: Path) -> Inputs:
    folder = tmp_path_factory.mktemp("inputs")
    four = demo_counts.iloc[::2]
    four.T.rename_axis("gene").to_csv(folder / "m.tsv", sep="\t")
    sheet = pd.DataFrame({"sample_id": four.index, "response": ["R", "NR", "", "R"], "purity": 0.5})
    sheet.to_csv(folder / "s.tsv", sep="\t", index=False)
    return Inputs(folder / "m.tsv", folder / "s.tsv", demo_lengths)


@pytest.fixture(scope="session")
def finished(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Result folder of a run; tests must not change it."""
    out = tmp_path_factory.mktemp("results") / "demo"
    assert main(["run", *inputs.options, "--out", str(out)]) == 0
    return out


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
