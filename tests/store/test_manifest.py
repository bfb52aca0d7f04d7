"""A manifest is what readers of a result trust."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.errors import FileMissingError, ResultInvalidError
from escape_score.store.manifest import (
    MANIFEST,
    FileEntry,
    Manifest,
    Part,
    ResultHeader,
    entry_of,
    exchanged_since,
    library_versions,
    lost_since,
    read_manifest,
    read_part,
    verify,
    write_file,
    write_part,
)

WriteResult = Callable[..., tuple[FileEntry, ...]]


@pytest.fixture
def result(tmp_path: Path, write_result: WriteResult) -> Path:
    write_result(tmp_path, **{"samples__b.json": "{}", "samples__a.json": "{}", "profiles.tsv": "x\n"})
    return tmp_path


def test_manifest_lists_files_sorted_with_digest_and_size(result: Path) -> None:
    manifest = json.loads((result / MANIFEST).read_text(encoding="utf-8"))
    assert [entry["path"] for entry in manifest["files"]] == [
        "profiles.tsv",
        "samples/a.json",
        "samples/b.json",
    ]
    assert manifest["files"][0]["sha256"] == hashlib.sha256(b"x\n").hexdigest()
    assert manifest["files"][0]["size"] == 2
    assert verify(result) == ()


def test_write_file_gives_the_entry_of_what_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "samples" / "a.html"
    entry = write_file(tmp_path, path, "é\r\n")
    assert path.read_bytes() == "é\r\n".encode()
    assert entry == entry_of(tmp_path, path)


def test_verify_tells_missing_changed_and_extra_files(result: Path) -> None:
    (result / "profiles.tsv").write_text("y\n", encoding="utf-8")
    (result / "samples" / "a.json").unlink()
    (result / "samples" / "c.json").write_text("{}", encoding="utf-8")
    (result / "notes.txt").write_text("mine", encoding="utf-8")
    faults = verify(result)
    assert [
        (str(result / n) in f, w in f)
        for f, n, w in zip(
            faults,
            ("profiles.tsv", "samples/a.json", "samples/c.json"),
            ("differs", "missing", "not in the manifest"),
            strict=True,
        )
    ] == [(True, True)] * 3


@pytest.mark.parametrize("content", [b"", b"{}", b"{", b"\xff", b"[]"])
def test_damaged_manifest_is_no_result(content: bytes, result: Path) -> None:
    (result / MANIFEST).write_bytes(content)
    with pytest.raises(ResultInvalidError, match=r"manifest\.json: damaged; run again"):
        verify(result)


def test_folder_without_manifest_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(ResultInvalidError, match=r"no manifest\.json"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("length", [1, 100, -2])
def test_cut_manifest_is_no_result(length: int, result: Path) -> None:
    whole = (result / MANIFEST).read_bytes()
    (result / MANIFEST).write_bytes(whole[:length])
    with pytest.raises(ResultInvalidError):
        verify(result)


def test_parts_come_back_as_written(tmp_path: Path, header: ResultHeader) -> None:
    for part in (Part(files=()), Part(header=header, files=(FileEntry(path="a", sha256="b", size=1),))):
        write_part(tmp_path / "part.json", part)
        assert read_part(tmp_path / "part.json") == part


def test_read_part_names_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("no", encoding="utf-8")
    with pytest.raises(ResultInvalidError, match="p: not a list of files"):
        read_part(tmp_path / "p")
    with pytest.raises(FileMissingError, match=r"elsewhere: list of the files of a stage not found"):
        read_part(tmp_path / "elsewhere")


def test_library_versions_hold_neither_host_nor_time() -> None:
    assert set(library_versions()) >= {"python", "numpy", "anndata"}


def test_library_versions_have_every_library_that_computes_a_number(repo_root: Path) -> None:
    parts = ("score", "profile", "statistics", "cells", "fit", "harmonise")
    used = set()
    for path in (file for part in parts for file in (repo_root / "src/escape_score" / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used |= {name.partition(".")[0] for name in names}
    others = used - sys.stdlib_module_names - {"escape_score", "sklearn", "threadpoolctl"}
    assert others | {"scikit-learn"} <= set(library_versions())


def test_lost_since_names_what_a_result_no_longer_has(header: ResultHeader) -> None:
    pages = (FileEntry(path="index.html", sha256="", size=0),)
    old = header.model_copy(
        update={
            "labels": ("purity", "response"),
            "parameters": {"methods": "ssgsea,gsva"},
            "reference": "lab",
        }
    )
    new = header.model_copy(
        update={"genesets_sha256": "3" * 64, "reference_sha256": "4" * 64, "labels": ("purity", "os_days")}
    )
    before, now = Manifest(header=old, files=pages), Manifest(header=new, files=())
    assert lost_since(before, now) == (
        "labels of the sample sheet (response)",
        "methods (gsva, ssgsea)",
        "pages",
    )
    assert lost_since(before, before) == lost_since(None, now) == lost_since(before, None) == ()
    assert exchanged_since(before, now) == ("other gene sets", "the reference lab")
    assert (
        exchanged_since(before, before) == exchanged_since(None, now) == exchanged_since(before, None) == ()
    )
    assert "another state of the reference" in exchanged_since(now, Manifest(header=header, files=()))
