"""Tests of the choice of the config file."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.errors import UsageError
from escape_score.launch.config_file import main_config, module_config

SHIPPED = Path("config.yaml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("cohorts: cohorts.tsv\nseed: 7\n", encoding="utf-8")
    return path


def test_main_config_is_the_last_file_that_is_named() -> None:
    assert main_config(SHIPPED, [], {}) == SHIPPED
    assert main_config(SHIPPED, [Path("a.yaml"), Path("b.yaml")], {"pages": "finished"}) == Path("b.yaml")


@pytest.mark.parametrize("values", [{"seed": 3}, {"pages": "all"}, {"pages": "finished", "seed": 3}])
def test_main_config_refuses_values(values: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="--config: values given here are not read"):
        main_config(SHIPPED, [], values)


def test_module_config_is_the_file_that_its_key_names(file: Path) -> None:
    assert module_config({"configfile": "other.yaml"}, [file]) == Path("other.yaml")


def test_module_config_is_the_file_of_the_including_workflow(file: Path) -> None:
    assert module_config({"cohorts": "cohorts.tsv", "seed": 7}, [SHIPPED, str(file)]) == file


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"cohorts": "cohorts.tsv", "seed": 8},
        {"cohorts": "cohorts.tsv"},
        {"configfile": "other.yaml", "seed": 7},
        {"configfile": 3},
    ],
)
def test_module_config_refuses_values_of_no_file(values: dict[str, object], file: Path) -> None:
    with pytest.raises(UsageError, match="module: values of config are not read"):
        module_config(values, [file])


def test_module_config_needs_a_file() -> None:
    with pytest.raises(UsageError, match="name a file"):
        module_config({"cohorts": "cohorts.tsv"}, [])
