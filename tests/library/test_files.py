"""Shipped files are found wherever the package lies."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from escape_score.errors import ResourceMissingError
from escape_score.library.files import resource_path


def test_resource_path_finds_files_and_folders() -> None:
    assert resource_path("genes", "provenance.json").is_file()
    assert resource_path("genes").is_dir()
    assert resource_path("genes").is_absolute()


def test_resource_path_names_a_missing_file() -> None:
    with pytest.raises(ResourceMissingError, match=r"resources/genes/none\.tsv: .*install"):
        resource_path("genes", "none.tsv")


def test_resource_path_finds_files_inside_an_installed_package(repo_root: Path, tmp_path: Path) -> None:
    package = tmp_path / "site" / "escape_score"
    (package / "library").mkdir(parents=True)
    for module in ("__init__.py", "errors.py", "library/__init__.py", "library/files.py"):
        shutil.copy(repo_root / "src" / "escape_score" / module, package / module)
    (package / "_data" / "resources").mkdir(parents=True)
    (package / "_data" / "resources" / "one.tsv").touch()
    code = "from escape_score.library.files import resource_path; print(resource_path('one.tsv'))"
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": str(package.parent)}
    found = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()) == (package / "_data" / "resources" / "one.tsv").resolve()
