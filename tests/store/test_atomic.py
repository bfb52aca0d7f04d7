"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.errors import OutputUnwritableError
from escape_score.store.atomic import replacing, write_text


def test_replacing_makes_folders_and_leaves_only_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_text("new", encoding="utf-8")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "new"
    assert list(path.parent.iterdir()) == [path]


def test_replacing_keeps_the_old_file_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["folder is a file", "file is a folder"])
def test_write_text_says_in_one_line_what_cannot_be_written(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    if kind == "folder is a file":
        path.write_text("", encoding="utf-8")
        path = path / "y"
    else:
        (path / "inside").mkdir(parents=True)
    with pytest.raises(OutputUnwritableError, match="cannot be written") as caught:
        write_text(path, "text")
    assert len(caught.value.lines) == 1
    assert str(path) in caught.value.lines[0]
    assert [p.name for p in tmp_path.rglob(".*")] == []


def test_write_text_keeps_newlines_and_unicode(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "a\r\nβ\n")
    assert (tmp_path / "x").read_bytes() == "a\r\nβ\n".encode()
