"""The workflow holds names and no logic, its config says every default, the lock names hashes and no host."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from escape_score.config import RunConfig, WorkflowConfig, load_workflow_config
from escape_score.export.schema import schema_text
from escape_score.reference.known import DEFAULT_REFERENCE

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / "workflow"
SNAKEFILE = WORKFLOW / "Snakefile"
COMMON = WORKFLOW / "rules" / "common.smk"
RULE_FILES = sorted(path for path in (WORKFLOW / "rules").glob("*.smk") if path != COMMON)
MAX_SNAKEFILE_LINES = 40
MAX_COMMON_LINES = 80
STAGE_FILES = {"read.smk", "cells.smk", "harmonise.smk", "score.smk", "profile.smk", "report.smk"}

every_workflow_file = pytest.mark.parametrize(
    "path", [SNAKEFILE, COMMON, *RULE_FILES], ids=lambda path: path.name
)
every_rule_file = pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)


def rules_of(path: Path) -> dict[str, str]:
    """The text of each rule of a file."""
    parts = re.split(r"^rule (\w+):\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def shell_of(rule: str) -> str:
    """The command of a rule, its string literals joined."""
    return "".join(re.findall(r'^\s+"(.*)"$', rule.split("    shell:\n")[1], flags=re.MULTILINE))


def test_workflow_has_one_rule_file_a_stage() -> None:
    assert {path.name for path in RULE_FILES} == STAGE_FILES


@pytest.mark.parametrize(("path", "most"), [(SNAKEFILE, MAX_SNAKEFILE_LINES), (COMMON, MAX_COMMON_LINES)])
def test_workflow_file_stays_short(path: Path, most: int) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most


@every_workflow_file
def test_workflow_file_holds_no_code_in_rules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^\s*(?:run|script|notebook|wrapper):|\blambda\b", text, flags=re.MULTILINE) == []


@every_rule_file
def test_rule_calls_the_program_once(path: Path) -> None:
    for rule in rules_of(path).values():
        command = shell_of(rule)
        assert command.startswith("escape-score ")
        assert command.endswith(" > {log:q} 2>&1")
        assert re.findall(r"[;|`$]|&&", command) == []


@every_rule_file
def test_rule_quotes_every_value(path: Path) -> None:
    for rule in rules_of(path).values():
        values = re.findall(r"\{[^}]*\}", shell_of(rule))
        assert values
        assert [value for value in values if not value.endswith(":q}")] == []


@every_rule_file
def test_rule_has_docstring_log_version_and_resources(path: Path) -> None:
    for rule in rules_of(path).values():
        assert rule.startswith('    """')
        assert "    log:\n" in rule
        assert "package_version=PACKAGE_VERSION" in rule
        assert re.search(r'    resources:\n        \*\*requests\("\w+"\),\n', rule)
        assert "    benchmark:\n" in rule


@every_rule_file
def test_rule_writes_into_its_cohort_only(path: Path) -> None:
    for rule in rules_of(path).values():
        declared = rule.split("    output:\n")[1].split("    log:\n")[0]
        outputs = re.findall(r'"([^"]+)"', re.sub(r'(?:caption|category)="[^"]*"', "", declared))
        assert outputs
        assert all(output.startswith(("work/{cohort}/", "results/{cohort}/")) for output in outputs)


@every_rule_file
def test_rule_names_no_environment_that_does_not_hold_the_program(path: Path) -> None:
    assert not re.search(r"^    (?:conda|container):", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_rules_that_find_the_faults_of_an_input_are_tried_once() -> None:
    rules = {name: text for path in RULE_FILES for name, text in rules_of(path).items()}
    once = {name for name, text in rules.items() if "\n    retries: 0\n" in text}
    assert once == {"read", "cells_read", "cells_bulk", "harmonise"}
    for profile in ("default", "slurm", "lsf", "htcondor"):
        text = (WORKFLOW / "profiles" / profile / "config.yaml").read_text(encoding="utf-8")
        assert re.search(
            r'^retries: \?int\(os\.environ\.get\("ESCAPE_SCORE_RETRIES", "\d"\)\)$', text, flags=re.MULTILINE
        )


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        ("Congratulations", 0, 0),
        ("    * Specify a conda environment or container for each rule.:", 1, 0),
        ("    * No log directive defined:", 1, 1),
        (
            "    * Specify a conda environment or container for each rule.:\n    * No log directive defined:",
            1,
            1,
        ),
        ("SyntaxError in file Snakefile", 1, 1),
    ],
)
def test_lint_fails_on_all_but_the_one_known_lint(
    tmp_path: Path, words: str, status: int, expected: int
) -> None:
    snakemake = tmp_path / "snakemake"
    snakemake.write_text(f"#!/bin/sh\ncat >&2 <<'E'\n{words}\nE\nexit {status}\n", encoding="utf-8")
    snakemake.chmod(0o755)
    done = subprocess.run([ROOT / ".ci" / "lint-workflow", snakemake], check=False, capture_output=True)
    assert done.returncode == expected


def keys_of(block: dict[str, object], above: str = "") -> set[str]:
    """Dotted names of all keys of a config."""
    names = set()
    for key, value in block.items():
        names |= keys_of(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}"}
    return names


def test_config_states_every_default() -> None:
    shipped = load_workflow_config(ROOT / "config" / "config.yaml").model_dump(exclude={"cohorts"})
    # the demo names its reference, so that references of a user do not change it
    assert shipped["profile"].pop("reference") == DEFAULT_REFERENCE
    default = WorkflowConfig(cohorts=Path("cohorts.tsv")).model_dump(exclude={"cohorts"})
    assert default["profile"].pop("reference") is None
    assert shipped == default


@pytest.mark.parametrize(
    ("path", "model"),
    [("docs/config.schema.json", RunConfig), ("workflow/schemas/config.schema.json", WorkflowConfig)],
)
def test_schema_of_config_is_that_of_its_model(path: str, model: type[BaseModel]) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == schema_text(model), "run: make schema"


def test_shipped_config_agrees_with_the_schema_of_the_workflow() -> None:
    schema = json.loads((WORKFLOW / "schemas" / "config.schema.json").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(config, schema)
    with pytest.raises(jsonschema.ValidationError, match="seeds"):
        jsonschema.validate({**config, "seeds": 1}, schema)


def test_config_is_explained_key_by_key() -> None:
    keys = keys_of(WorkflowConfig(cohorts=Path("cohorts.tsv")).model_dump())
    example = (ROOT / "config" / "config.yaml").read_text(encoding="utf-8")
    readme = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert [key for key in keys if f"| `{key}` |" not in readme] == []
    assert [
        key for key in keys if not re.search(rf"^ *{key.split('.')[-1]}:", example, flags=re.MULTILINE)
    ] == []


def test_lock_names_no_host_and_every_hash() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    requirements = re.split(r"(?<!\\)\n", text.strip())
    assert not re.search(r"https?://|--(?:extra-)?index-url|--find-links", text)
    assert [line for line in requirements if "--hash=sha256:" not in line] == []


@pytest.mark.parametrize(
    "name", ["snakemake", "pandas", "scanpy", "gseapy", "pyarrow", "pytest", "anndata", "playwright"]
)
def test_lock_pins_the_named_stack(name: str) -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.search(rf"^{name}==", text, flags=re.MULTILINE)
