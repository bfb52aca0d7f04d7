"""What becomes of the files that common pipelines write; ``outcomes.tsv`` names it for every layout."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from tests.realfiles.layouts import MAKERS

from escape_score.cli import main
from escape_score.errors import counted

with Path(__file__).with_name("outcomes.tsv").open(encoding="utf-8") as _handle:
    OUTCOMES = list(csv.DictReader(_handle, delimiter="\t"))


@pytest.fixture(scope="module")
def genes_by_samples(demo_tpm: pd.DataFrame) -> pd.DataFrame:
    """TPM of eight tumours of the bundled cohort, genes × samples."""
    return demo_tpm.T.fillna(0.0)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=[outcome["layout"] for outcome in OUTCOMES])
def test_layout_has_the_outcome_named(
    outcome: dict[str, str],
    genes_by_samples: pd.DataFrame,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / outcome["file"]
    MAKERS[outcome["maker"]](path, genes_by_samples)
    code = main(["check", str(path), *outcome["options"].split()])
    printed = capsys.readouterr()
    if outcome["outcome"] == "refused":
        assert code == 3
        assert all(str(path) in line for line in printed.err.splitlines())
        assert outcome["words"] in printed.err
    else:
        assert code == 0, printed.err
        assert f"\nunit: {outcome['unit']} (" in printed.out
        assert f": {counted(int(outcome['made_samples']), 'sample')}," in printed.out
