"""References as folders: what is written is what is read, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from escape_score.errors import OutputUnwritableError
from escape_score.model.reference import Reference
from escape_score.reference.digest import TABLES, UNTRUSTED
from escape_score.reference.known import Origin, known_references
from escape_score.reference.read import load_reference
from escape_score.reference.write import render_tables, sealed, write_reference


@pytest.fixture
def lab() -> Reference:
    """The shipped reference under another name, with a gene that is not trusted."""
    shipped = load_reference()
    gone = {"HLA-A": "far below its siblings"}
    lab = replace(shipped, name="lab", untrusted_genes=gone, provenance={"input": "none"})
    return sealed(replace(lab, location_variance=0.078540))


@pytest.mark.parametrize("name", [one.name for one in known_references() if one.origin is Origin.SHIPPED])
def test_render_tables_gives_the_shipped_files(name: str, repo_root: Path) -> None:
    folder, shipped = repo_root / "resources" / "reference" / name, load_reference(name)
    for table, content in render_tables(shipped).items():
        assert content == (folder / table).read_bytes(), table
    assert sealed(shipped).sha256 == shipped.sha256


def test_write_reference_is_read_back_to_the_last_bit(lab: Reference, tmp_path: Path) -> None:
    write_reference(tmp_path / "lab", lab)
    read = load_reference(str(tmp_path / "lab"))
    assert sorted(path.name for path in (tmp_path / "lab").iterdir()) == sorted([*TABLES, UNTRUSTED])
    assert read.sha256 == lab.sha256 != load_reference().sha256
    assert render_tables(read) == render_tables(lab)
    np.testing.assert_array_equal(read.genes.location, lab.genes.location)
    np.testing.assert_array_equal(read.genes.spread, lab.genes.spread)
    for name, column in lab.distributions.columns.items():
        np.testing.assert_array_equal(read.distributions.columns[name], column)
    assert read.location_variance == lab.location_variance
    assert (read.untrusted_genes, read.provenance) == (lab.untrusted_genes, lab.provenance)
    assert list(tmp_path.iterdir()) == [tmp_path / "lab"]


def test_write_reference_replaces_an_earlier_one_with_all_its_tables(lab: Reference, tmp_path: Path) -> None:
    write_reference(tmp_path / "lab", lab)
    later = sealed(replace(lab, untrusted_genes={}))
    write_reference(tmp_path / "lab", later)
    assert {p.name: p.read_bytes() for p in (tmp_path / "lab").iterdir()} == render_tables(later)
    assert list(tmp_path.iterdir()) == [tmp_path / "lab"]


def test_digest_covers_the_genes_not_trusted(lab: Reference) -> None:
    other = replace(lab, untrusted_genes={"HLA-A": "near zero"})
    assert len({sealed(one).sha256 for one in (lab, other, replace(lab, untrusted_genes={}))}) == 3


def test_write_reference_leaves_other_files_alone(lab: Reference, tmp_path: Path) -> None:
    (tmp_path / "genes.tsv").write_text("mine", encoding="utf-8")
    (tmp_path / "thesis.docx").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputUnwritableError, match=f"{tmp_path}: holds other files \\(thesis.docx\\)"):
        write_reference(tmp_path, lab)
    assert (tmp_path / "genes.tsv").read_text(encoding="utf-8") == "mine"
    file = tmp_path / "thesis.docx"
    with pytest.raises(OutputUnwritableError, match="it is not a folder"):
        write_reference(file, lab)


@pytest.mark.parametrize(
    "names", [["genes.tsv"], ["slopes.tsv", "terms.tsv"], ["reference.json", "genes.tsv"]]
)
def test_tables_of_our_names_alone_are_no_reference(names: list[str], lab: Reference, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(OutputUnwritableError, match=f"{tmp_path}: holds other files"):
        write_reference(tmp_path, lab)
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == dict.fromkeys(names, "mine")


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_tables_that_are_no_files_are_not_replaced(kind: str, lab: Reference, tmp_path: Path) -> None:
    out, mine = tmp_path / "lab", tmp_path / "mine"
    write_reference(out, lab)
    mine.mkdir()
    (mine / "data.tsv").write_text("mine", encoding="utf-8")
    (out / "genes.tsv").unlink()
    (mine.rename if kind == "folder" else (out / "genes.tsv").symlink_to)(
        out / "genes.tsv" if kind == "folder" else mine / "data.tsv"
    )
    with pytest.raises(OutputUnwritableError, match="holds other files"):
        write_reference(out, lab)
    assert [path.read_text("utf-8") for path in tmp_path.rglob("data.tsv")] == ["mine"]


def test_link_to_a_reference_stays_a_link(lab: Reference, tmp_path: Path) -> None:
    write_reference(tmp_path / "lab", lab)
    (tmp_path / "link").symlink_to(tmp_path / "lab")
    write_reference(tmp_path / "link", replace(lab, description="another"))
    assert (tmp_path / "link").is_symlink()
    assert load_reference(str(tmp_path / "lab")).description == "another"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab", "link"]


def test_write_reference_that_fails_changes_nothing(
    lab: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reference(tmp_path / "lab", lab)
    before = {p.name: p.read_bytes() for p in (tmp_path / "lab").iterdir()}

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("escape_score.reference.write.sync", full)
    with pytest.raises(OutputUnwritableError, match=r"lab: cannot be written \(No space left"):
        write_reference(tmp_path / "lab", sealed(replace(lab, name="other")))
    assert {p.name: p.read_bytes() for p in (tmp_path / "lab").iterdir()} == before
    assert list(tmp_path.iterdir()) == [tmp_path / "lab"]
