from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.errors import ResultInvalidError
from escape_score.model.record import EscapeProfile
from escape_score.model.record_statistics import CohortStatistics
from escape_score.report.load import STATISTICS, iter_profiles, read_profiles, read_statistics, read_visible


def write_profile(results: Path, profile: EscapeProfile) -> Path:
    path = results / "samples" / f"{profile.slug}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(profile.model_dump_json(), encoding="utf-8")
    return path


def test_read_profiles_returns_what_was_published(
    tmp_path: Path, sample_profiles: tuple[EscapeProfile, ...]
) -> None:
    for profile in sample_profiles:
        write_profile(tmp_path, profile)
    found = {profile.sample_id: profile for profile in read_profiles(tmp_path)}
    assert found == {profile.sample_id: profile for profile in sample_profiles}


@pytest.mark.parametrize(
    ("key", "shown"), [("plain é", "plain é"), ("a\u202eb", "a\\u202eb"), ("a\nb", "a\\u000ab")]
)
def test_read_visible_shows_hidden_characters_as_escapes(
    tmp_path: Path, make_profile: Callable[..., EscapeProfile], key: str, shown: str
) -> None:
    path = write_profile(tmp_path, make_profile(metadata={key: "value"}))
    assert read_visible(path) == make_profile(metadata={shown: "value"})


def test_read_profiles_orders_numbers_by_value(
    tmp_path: Path, make_profile: Callable[..., EscapeProfile]
) -> None:
    for sample_id in ("S10", "S2", "S1", "A7"):
        write_profile(tmp_path, make_profile(sample_id))
    assert [profile.sample_id for profile in read_profiles(tmp_path)] == ["A7", "S1", "S2", "S10"]


def test_iter_profiles_reads_one_at_a_time(
    tmp_path: Path, make_profile: Callable[..., EscapeProfile]
) -> None:
    write_profile(tmp_path, make_profile("S1"))
    write_profile(tmp_path, make_profile("S2")).write_text("{", encoding="utf-8")
    assert next(iter_profiles(tmp_path)).sample_id == "S1"


@pytest.mark.parametrize("name", ["", "samples"])
def test_read_profiles_refuses_a_folder_without_profiles(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(exist_ok=True)
    with pytest.raises(ResultInvalidError, match=r"holds no profiles .* give the --out folder"):
        read_profiles(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"sample_id": "S1"}', b"\xff\xfe", b"[" * 100_000]
)
def test_read_profiles_names_a_broken_file_and_what_to_do(
    tmp_path: Path, make_profile: Callable[..., EscapeProfile], content: bytes
) -> None:
    path = write_profile(tmp_path, make_profile("S1"))
    path.write_bytes(content)
    with pytest.raises(ResultInvalidError) as caught:
        read_profiles(tmp_path)
    (line,) = caught.value.lines
    assert line.startswith(f"{path}: is not a profile")
    assert "; run escape-score again" in line


@pytest.mark.parametrize(
    ("field", "value"), [("status", "fine"), ("surprise", 1), ("leukocyte_fraction", float("nan"))]
)
def test_read_profiles_names_the_field_at_fault(
    tmp_path: Path, make_profile: Callable[..., EscapeProfile], field: str, value: object
) -> None:
    profile = make_profile("S1")
    path = write_profile(tmp_path, profile)
    path.write_text(json.dumps(profile.model_dump(mode="json") | {field: value}), encoding="utf-8")
    with pytest.raises(ResultInvalidError, match=field):
        read_profiles(tmp_path)


def test_read_profiles_refuses_a_file_of_another_sample(
    tmp_path: Path, make_profile: Callable[..., EscapeProfile]
) -> None:
    path = write_profile(tmp_path, make_profile("S1"))
    path.rename(path.with_name("s2-00000000.json"))
    with pytest.raises(ResultInvalidError, match="belongs to another sample"):
        read_profiles(tmp_path)


def test_read_profiles_refuses_what_is_no_regular_file(tmp_path: Path) -> None:
    (tmp_path / "samples" / "s1-00000000.json").mkdir(parents=True)
    with pytest.raises(ResultInvalidError, match="not a regular file"):
        read_profiles(tmp_path)


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
        n_tests=0,
        map=None,
        correlation=None,
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
    with pytest.raises(ResultInvalidError, match=r"has version 9\.9 where this program reads 4"):
        read_statistics(tmp_path)


def test_read_statistics_refuses_a_folder(tmp_path: Path) -> None:
    (tmp_path / STATISTICS).mkdir()
    with pytest.raises(ResultInvalidError, match=r"cohort\.json"):
        read_statistics(tmp_path)
