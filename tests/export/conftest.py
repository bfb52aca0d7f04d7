"""Tables of a result with the names and gaps that formats must survive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escape_score.export.tables import ResultTables
from escape_score.pipeline.profiles import Profiles
from escape_score.store.tables import profiles_table, scores_table

HOSTILE = (
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "a b;touch PWNED",
    'say "hi"',
    "Pt\u200b1",
    "-12",
    "é 样",
)
"""Names that the reader lets through."""


@pytest.fixture(scope="session")
def tables(demo: Profiles) -> ResultTables:
    """Eight tumours, as a result holds them."""
    return ResultTables(
        "Demo 1",
        "0.0",
        profiles_table(demo.scores, demo.profiles, demo.maker.flags, demo.reference).set_index("sample_id"),
        scores_table(demo.scores).set_index("sample_id"),
    )


@pytest.fixture(scope="session")
def hostile(tables: ResultTables) -> ResultTables:
    """The same with hostile names, one axis of the first sample and all of the last not evaluable."""
    names = pd.Index([*HOSTILE, tables.sample_ids[-1]], name="sample_id")
    profiles, scores = tables.profiles.set_index(names), tables.scores.set_index(names)
    numbers = profiles.select_dtypes("number").columns
    profiles.loc[names[0], "stroma"] = np.nan
    profiles.loc[names[-1], numbers] = np.nan
    calls = [column for column in profiles.columns if column.endswith("_call")]
    profiles.loc[names[-1], calls] = "not_evaluable"
    profiles.loc[names[-1], ["phenotype", "archetype"]] = ""
    profiles["cohort"] = "=cmd()"
    scores.iloc[-1] = np.nan
    return ResultTables("=cmd()", "0.0", profiles, scores)


@pytest.fixture(scope="session")
def programs(repo_root: Path) -> Path:
    """Folder of the programs that read our exports; the test is skipped where they are not installed."""
    folder = repo_root / "build" / "interchange" / "bin"
    if not (folder / "multiqc").is_file():
        pytest.skip("no build/interchange; make interchange installs it")
    return folder
