"""The documentation has every public name, and names tests that there are."""

from __future__ import annotations

import inspect
import re
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import escape_score as es
from escape_score.library.columns import columns_of


def test_every_public_name_has_a_page(repo_root: Path) -> None:
    text = (repo_root / "docs" / "api.rst").read_text(encoding="utf-8")
    lists = re.findall(r"^\.\. autosummary::\n   :toctree: api\n\n((?:   \S+\n)+)", text, flags=re.MULTILINE)
    names = {name for listed in lists for name in listed.split()}
    drawn = {f"pl.{name}" for name, f in vars(es.pl).items() if _is_public_function(name, f)}
    assert len(drawn) >= 2
    assert names >= (set(es.__all__) - {"__version__", "pl"}) | drawn


def _is_public_function(name: str, found: object) -> bool:
    return inspect.isfunction(found) and found.__module__ == "escape_score.pl" and not name.startswith("_")


def test_tests_named_in_the_quality_checks_are_there(repo_root: Path) -> None:
    text = (repo_root / "docs" / "qc.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]*test_\w+\.py)(?:::(test_[\w*]+))?`", text)
    assert len(named) >= 20
    for path, pattern in named:
        functions = re.findall(
            r"^def (test_\w+)", (repo_root / "tests" / path).read_text(), flags=re.MULTILINE
        )
        assert any(fnmatch(name, pattern or "*") for name in functions), f"{path}::{pattern}"


def test_every_name_for_contributors_is_there(repo_root: Path) -> None:
    # building the site is slow, and takes only such names
    text = (repo_root / "docs" / "api.rst").read_text(encoding="utf-8").partition("For contributors")[2]
    names = re.findall(r"^   (\w+(?:\.\w+)+)$", text, flags=re.MULTILINE)
    assert len(names) > 15
    for name in names:
        module, _, attribute = f"escape_score.{name}".rpartition(".")
        assert hasattr(import_module(module), attribute), name


def test_columns_named_in_the_recipe_for_r_are_columns_of_a_result(repo_root: Path) -> None:
    text = (repo_root / "docs" / "r.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:profiles|shown|known|joined)\$`?([\w:]+)", text)) - {"group", "columns"}
    named |= set(re.findall(r"aes\((?:\w+, )?(?:colour = )?(\w+)\)", text))
    known = {*columns_of("profiles"), *columns_of("scores.h5ad: obs")}
    assert len(named) >= 7
    assert named <= known
    scores = set(re.findall(r"scores\$`?([\w:]+)", text))
    assert scores
    assert scores <= columns_of("scores").keys()
