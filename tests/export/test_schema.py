"""The JSON Schemas in docs/ are those of the program."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from escape_score.cli import main
from escape_score.export.schema import PUBLISHED_MODELS, schema_files
from escape_score.model.record_comparison import CohortComparison


@pytest.mark.parametrize("name", PUBLISHED_MODELS)
def test_schema_in_docs_is_what_the_program_prints(
    name: str, repo_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", name]) == 0
    printed = capsys.readouterr().out
    published = (repo_root / "docs" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert published == printed, "make schema"
    assert schema_files()[f"{name}.schema.json"] == printed


def test_schema_of_comparisons_is_what_the_program_prints(
    repo_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", "comparison"]) == 0
    published = (repo_root / "docs" / "comparison.schema.json").read_text(encoding="utf-8")
    assert published == capsys.readouterr().out, "make schema"


@pytest.mark.parametrize("model", [*PUBLISHED_MODELS.values(), CohortComparison])
def test_schema_is_a_schema(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
