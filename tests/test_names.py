"""A name that is not known is answered with the nearest right one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.config import load_config
from escape_score.errors import ConfigInvalidError, GeneSetInvalidError, did_you_mean, nearest, unknown_name
from escape_score.library.gene_sets import load_signatures
from escape_score.model.units import ExpressionUnit
from escape_score.reference.known import unknown_reference

UNITS = tuple(ExpressionUnit)


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("tmp", "tpm"),
        ("TPM", "tpm"),
        ("count", "counts"),
        ("log2(tpm+1)", "log2(cpm+1)"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_nearest_name(given: str, near: str) -> None:
    assert nearest(given, UNITS) == near
    assert did_you_mean(given, UNITS) == (f"; did you mean {near!r}?" if near else "")


def test_right_name_keeps_its_letter_case() -> None:
    assert nearest("h_a1", ["H_A1", "H_B2"]) == "H_A1"


def test_message_is_one_line_and_lists_few_names() -> None:
    few = unknown_name("unit", "tmp", ("tpm", "fpkm"), place="line 3")
    assert few == "unknown unit 'tmp' (line 3); did you mean 'tpm'? use one of tpm, fpkm"
    many = [f"set{number}" for number in range(400)]
    assert unknown_name("set", "set4000", many, advice="see the list").endswith("? see the list")
    assert unknown_name("set", "zzz", many) == "unknown set 'zzz'"
    assert len(unknown_name("set", "x" * 5_000, many)) < 120


def test_gene_sets_references_and_keys_are_answered(tmp_path: Path) -> None:
    with pytest.raises(GeneSetInvalidError, match="unknown gene set 'exhaustio'; did you mean 'exhaustion'"):
        load_signatures().signature("exhaustio")
    assert "did you mean 'tcga-brca-v1'? give a folder or one of" in str(unknown_reference("tcga-brac-v1"))
    config = tmp_path / "c.yaml"
    config.write_text("score:\n  methods: [ssgsa]\n  engin: gseapy\n", encoding="utf-8")
    with pytest.raises(ConfigInvalidError, match="did you mean 'ssgsea'") as caught:
        load_config(config)
    assert "unknown key score.engin (line 3, column 3); did you mean 'engine'?" in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rnu"], "unknown command 'rnu'; did you mean 'run'? use one of init, run, "),
        (["genesets", "shows"], "unknown command 'shows'; did you mean 'show'? use one of list, show"),
        (
            ["export", "x", "--out", "y", "--format", "gtc"],
            "--format: unknown value 'gtc'; did you mean 'gct'?",
        ),
        (
            ["check", "x", "--unist", "y"],
            "unknown option --unist; did you mean '--units'? see escape-score check",
        ),
        (["schema", "profil"], "schema: unknown record 'profil'; did you mean 'profile'?"),
    ],
)
def test_command_line_is_answered(
    words: list[str], said: str, refused: Callable[..., tuple[str, ...]]
) -> None:
    (line,) = refused(2, *words)
    assert said in line
    assert "cells-read" not in line
