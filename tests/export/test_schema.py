"""The JSON Schemas in docs/ are those of the program."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from escape_score.cli import main
from escape_score.export.schema import PUBLISHED_MODELS, schema_files


@pytest.mark.parametrize("name", PUBLISHED_MODELS)
def test_schema_in_docs_is_what_the_program_prints(
    name: str, repo_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", name]) == 0
    printed = capsys.readouterr().out
    published = (repo_root / "docs" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert published == printed, "make schema"
    assert schema_files()[f"{name}.schema.json"] == printed


@pytest.mark.parametrize("name", PUBLISHED_MODELS)
def test_schema_is_a_schema(name: str) -> None:
    schema = PUBLISHED_MODELS[name].model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
