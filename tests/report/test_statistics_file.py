"""Statistics read back for the cohort's page."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.errors import ResultInvalidError
from escape_score.model.record_statistics import CohortStatistics
from escape_score.report import read_statistics
from escape_score.report.statistics_file import STATISTICS


@pytest.fixture
def statistics() -> CohortStatistics:
    return CohortStatistics(
        cohort="c",
        seed=1,
        n_samples=0,
        n_patients=0,
        left_out=(),
        comparisons=(),
        response=None,
        survival=(),
        notes=(),
    )


def test_read_statistics_gives_what_was_written(statistics: CohortStatistics, tmp_path: Path) -> None:
    (tmp_path / STATISTICS).write_text(statistics.model_dump_json(), encoding="utf-8")
    assert read_statistics(tmp_path) == statistics


def test_read_statistics_of_a_folder_without_them_is_none(tmp_path: Path) -> None:
    assert read_statistics(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "\udcff", '{"cohort": "c"}'])
def test_read_statistics_refuses_what_is_damaged(content: str, tmp_path: Path) -> None:
    (tmp_path / STATISTICS).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ResultInvalidError, match=r"cohort\.json: cannot be read .*; run"):
        read_statistics(tmp_path)


def test_read_statistics_refuses_another_version(statistics: CohortStatistics, tmp_path: Path) -> None:
    other = statistics.model_copy(update={"schema_version": "9.9"})
    (tmp_path / STATISTICS).write_text(other.model_dump_json(), encoding="utf-8")
    with pytest.raises(ResultInvalidError, match=r"has version 9\.9 where this program reads 2"):
        read_statistics(tmp_path)


def test_read_statistics_refuses_a_folder(tmp_path: Path) -> None:
    (tmp_path / STATISTICS).mkdir()
    with pytest.raises(ResultInvalidError, match=r"cohort\.json"):
        read_statistics(tmp_path)
