"""References by name: shipped, and kept in the data folder of the user."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import escape_score as es
from escape_score.cli import main
from escape_score.errors import OutputUnwritableError, ReferenceInvalidError, UsageError
from escape_score.reference.known import (
    DATA_VARIABLE,
    DEFAULT_REFERENCE,
    Origin,
    data_folder,
    find_reference,
    kept_folder,
    known_references,
)
from escape_score.reference.read import forget_references, load_reference
from escape_score.reference.write import remove_reference


@pytest.fixture
def kept(kept_references: Path, repo_root: Path) -> Path:
    """A kept reference, called lab."""
    shipped = repo_root / "resources" / "reference" / DEFAULT_REFERENCE
    return Path(
        shutil.copytree(shipped, kept_references / "fitted" / "lab", ignore=shutil.ignore_patterns("length*"))
    )


def test_data_folder_is_that_of_the_variable_or_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "mine"))
    assert data_folder() == tmp_path / "mine"
    monkeypatch.setenv(DATA_VARIABLE, "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert data_folder() == tmp_path / "xdg" / "escape_score"
    assert list(tmp_path.iterdir()) == []


def test_kept_references_are_listed_after_the_shipped_and_found_by_name(kept: Path) -> None:
    names = [(one.name, one.origin) for one in known_references()]
    assert names[-1] == ("lab", Origin.FITTED)
    assert (DEFAULT_REFERENCE, Origin.SHIPPED) in names
    assert es.list_references()[-1] == "lab"
    found = find_reference("lab")
    assert found is not None
    assert found.folder == kept
    assert load_reference("lab").sha256 == load_reference().sha256


def test_unfinished_folders_are_no_references(kept_references: Path) -> None:
    shipped_only = known_references()
    for name in (".lab.tmp-1", "empty"):
        (kept_references / "fitted" / name).mkdir(parents=True)
    (kept_references / "fitted" / ".lab.tmp-1" / "reference.json").write_text("{}", encoding="utf-8")
    assert known_references() == shipped_only


def test_removing_takes_a_kept_reference_away_and_no_other(kept: Path) -> None:
    assert load_reference("lab").n_samples
    assert remove_reference("lab") == kept
    assert not kept.exists()
    with pytest.raises(ReferenceInvalidError, match="lab: no such reference"):
        load_reference("lab")
    with pytest.raises(ReferenceInvalidError, match="lab: no such reference"):
        remove_reference("lab")
    with pytest.raises(UsageError, match="is shipped with the program"):
        remove_reference(DEFAULT_REFERENCE)


def test_a_folder_with_files_of_the_user_is_not_removed(kept: Path) -> None:
    (kept / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputUnwritableError, match=r"holds other files \(notes.txt\)"):
        remove_reference("lab")
    assert (kept / "genes.tsv").is_file()


def test_list_and_remove_on_the_command_line(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", "list"]) == 0
    assert "\nlab\tfitted\t592 samples\tcolorectal adenocarcinoma\t" in capsys.readouterr().out
    assert main(["reference", "remove", "lab"]) == 0
    assert not kept.exists()
    assert main(["reference", "remove", DEFAULT_REFERENCE]) == 2


def test_only_references_of_the_user_are_read_again(kept: Path) -> None:
    lab, shipped = load_reference("lab"), load_reference()
    assert load_reference("lab") is lab
    (kept / "reference.json").write_text(
        (kept / "reference.json").read_text(encoding="utf-8").replace('"assay": "', '"assay": "other '),
        encoding="utf-8",
    )
    forget_references()
    assert load_reference("lab").assay == f"other {lab.assay}"
    assert load_reference() is shipped


def test_list_names_a_damaged_reference_after_the_others(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept / "terms.tsv").unlink()
    forget_references()
    assert main(["reference", "list"]) == 3
    shown = capsys.readouterr()
    assert DEFAULT_REFERENCE in shown.out
    assert shown.err.startswith(f"error: {kept}: not a complete reference")


def test_kept_folder_is_by_origin(kept_references: Path) -> None:
    assert kept_folder("skcm", Origin.FETCHED) == kept_references / "fetched" / "skcm"
