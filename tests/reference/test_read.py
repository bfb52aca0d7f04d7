"""References: the shipped one, folders, and what is wrong with them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from escape_score.errors import ReferenceInvalidError
from escape_score.library.tumour_types import load_tumour_types
from escape_score.reference.digest import TABLES
from escape_score.reference.known import DEFAULT_REFERENCE
from escape_score.reference.read import list_references, load_reference


@pytest.fixture
def folder(repo_root: Path, tmp_path: Path) -> Path:
    """A copy of the shipped reference, its long tables shortened where that does no harm."""
    return Path(shutil.copytree(repo_root / "resources" / "reference" / DEFAULT_REFERENCE, tmp_path / "mine"))


def test_shipped_reference_is_listed_and_whole() -> None:
    assert DEFAULT_REFERENCE in list_references()
    reference = load_reference()
    assert reference.name == DEFAULT_REFERENCE
    assert reference.n_samples == len(reference.distributions.sample_ids) == 592
    assert reference.genes.is_anchor.sum() > 4000
    assert reference.genes.spread.min() >= 0.5
    assert len(reference.sha256) == 64


SMALL = {"acc": 79, "brca": 50, "chol": 36, "dlbc": 43, "stad": 37, "ucs": 57, "uvm": 80}


@pytest.mark.parametrize(("code", "n"), SMALL.items())
def test_references_of_other_types_are_whole_and_state_their_limits(code: str, n: int) -> None:
    reference, shipped = load_reference(f"tcga-{code}-v1"), load_reference()
    assert reference.n_samples == len(reference.distributions.sample_ids) == n
    assert load_tumour_types().understood(reference.tumour_type) == {code.upper()}
    assert reference.limits.startswith(f"{n} tumours: a percentile of 50 may be ")
    assert reference.term_stats.keys() == shipped.term_stats.keys()
    assert reference.weakest_links.keys() == shipped.weakest_links.keys()
    assert reference.presentation is not None
    assert reference.genes.is_anchor.sum() > 4000
    assert not reference.is_edited


def test_reference_by_folder_is_the_same(folder: Path) -> None:
    mine, shipped = load_reference(str(folder)), load_reference()
    assert mine.sha256 == shipped.sha256
    np.testing.assert_array_equal(mine.genes.location, shipped.genes.location)


@pytest.mark.parametrize("table", [name for name in TABLES if name.endswith(".tsv")])
def test_digest_covers_every_table(table: str, folder: Path) -> None:
    text = (folder / table).read_text(encoding="utf-8").rstrip("\n")
    (folder / table).write_text(f"{text[:-1]}{(int(text[-1]) + 1) % 10}\n", encoding="utf-8")
    assert load_reference(str(folder)).sha256 != load_reference().sha256


@pytest.mark.parametrize(
    "name", ["nope", "cohort", "../tcga-coadread-v1", "x" * 300, "TCGA-COADREAD-V1", "a\0b"]
)
def test_unknown_reference_tells_the_known(name: str) -> None:
    with pytest.raises(ReferenceInvalidError, match=f"no such reference; .*{DEFAULT_REFERENCE}"):
        load_reference(name)


@pytest.mark.parametrize("table", TABLES)
def test_reference_without_a_table_is_refused(table: str, folder: Path) -> None:
    (folder / table).unlink()
    with pytest.raises(ReferenceInvalidError, match=rf"{folder}: not a complete reference .*{table}"):
        load_reference(str(folder))


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        ("reference.json", replaced("{", "")),
        ("reference.json", replaced('"assay"', '"essay"')),
        ("genes.tsv", replaced("A1BG\t2.003518\t0.762713", "A1BG\t2.003518")),
        ("genes.tsv", replaced("A1BG\t2.003518\t0.762713", "A1BG\t2.003518\t0")),
        ("genes.tsv", replaced("A1BG\t2.003518", "A1BG\tnan")),
        ("genes.tsv", replaced("A1BG\t2.003518", "A1CF\t2.003518")),
        ("genes.tsv", replaced("location", "place")),
        ("genes.tsv", lambda text: text[: len(text) // 2 + 3]),
        ("terms.tsv", replaced("0.5704", "wide")),
        ("slopes.tsv", replaced("\t0.588093", "")),
        ("weakest_links.tsv", replaced("IFNGR1\t0.270381\t", "IFNGR1\t")),
        ("presentation.tsv", replaced("location", "place")),
        ("presentation.tsv", replaced("B2M\t12", "B2M\tnan12")),
        ("presentation.tsv", lambda text: text[: text.rindex("\nTAPBP")] + "\n"),
        ("distributions.tsv", lambda text: text[:-25]),
    ],
)
def test_damaged_reference_is_refused(table: str, damage: Callable[[str], str], folder: Path) -> None:
    text = (folder / table).read_text(encoding="utf-8")
    assert damage(text) != text
    (folder / table).write_text(damage(text), encoding="utf-8")
    with pytest.raises(ReferenceInvalidError, match="not a complete reference") as caught:
        load_reference(str(folder))
    assert len(caught.value.lines) == 1


def test_folder_that_is_no_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceInvalidError, match="not a complete reference"):
        load_reference(str(tmp_path))
