"""``escape-score export``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pandas as pd
import pytest

from escape_score.cli import main
from escape_score.store.manifest import verify


class Inputs(Protocol):
    matrix: Path
    options: list[str]


Refused = Callable[..., tuple[str, ...]]
FILES = {
    "multiqc": {"escape_score_general_mqc.json", "escape_score_mechanisms_mqc.json"},
    "gct": {"profiles.gct", "scores.gct"},
    "cbioportal": {
        f"{kind}_escape_score_{name}.txt"
        for kind in ("meta", "data")
        for name in ("mechanisms", "calls", "published")
    },
    "schema": {"profile.schema.json", "cohort.schema.json"},
    "xlsx": {"escape_score_results.xlsx"},
}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", FILES)
def test_export_writes_one_format(
    name: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(finished), "--format", name, "--out", str(tmp_path / "o")]) == 0
    assert names_in(tmp_path / "o") == FILES[name]
    first, *listed = capsys.readouterr().out.splitlines()
    n = len(FILES[name])
    assert first == ("1 file:" if n == 1 else f"{n} files:")
    assert set(listed) == {str(tmp_path / "o" / one) for one in FILES[name]}
    assert verify(finished) == ()


def test_export_writes_several_formats_at_once(finished: Path, tmp_path: Path) -> None:
    chosen = [word for name in (*FILES, "gct") for word in ("--format", name)]
    assert main(["export", str(finished), *chosen, "--out", str(tmp_path), "--study", "lab_1"]) == 0
    assert names_in(tmp_path) == set().union(*FILES.values())
    meta = (tmp_path / "meta_escape_score_calls.txt").read_text(encoding="utf-8")
    assert meta.startswith("cancer_study_identifier: lab_1\n")
    for path in tmp_path.iterdir():
        assert str(finished.parent).encode() not in path.read_bytes(), path.name


def test_export_needs_no_pages(inputs: Inputs, finished: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    assert main(["run", *inputs.options, "--out", str(bare), "--no-reports"]) == 0
    for folder, out in ((bare, "a"), (finished, "b")):
        assert main(["export", str(folder), "--format", "gct", "--out", str(tmp_path / out)]) == 0
    for name in FILES["gct"]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_export_gives_hostile_names_a_place(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], inputs: Inputs
) -> None:
    names = ["../../etc/passwd", "<script>alert(1)</script>", "a b;touch PWNED", 'say "hi"']
    matrix = pd.read_csv(inputs.matrix, sep="\t", index_col=0).set_axis(names, axis=1)
    matrix.to_csv(tmp_path / "m.tsv", sep="\t")
    out = tmp_path / "o"
    assert main(["run", str(tmp_path / "m.tsv"), "--units", "counts", "--out", str(out), "--quiet"]) == 0
    chosen = [word for name in FILES for word in ("--format", name)]
    assert main(["export", str(out), *chosen, "--out", str(tmp_path / "x")]) == 0
    assert "escape_score_sample_ids.tsv" in capsys.readouterr().err
    general = json.loads((tmp_path / "x" / "escape_score_general_mqc.json").read_text(encoding="utf-8"))
    assert len(general["data"]) == 4
    assert not any(set(name) & set("<>/\"'") for name in general["data"])
    assert {p.name for p in tmp_path.iterdir()} == {"m.tsv", "o", "x"}


def test_export_of_a_changed_result_is_refused(finished: Path, tmp_path: Path, refused: Refused) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    (copy / "profiles.tsv").write_text("x", encoding="utf-8")
    (line,) = refused(3, "export", copy, "--format", "gct", "--out", tmp_path / "o")
    assert "profiles.tsv: differs from the manifest; run again" in line
    (copy / "manifest.json").unlink()
    (line,) = refused(3, "export", copy, "--format", "gct", "--out", tmp_path / "o")
    assert "not a finished result" in line
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("inside", ["", "x"])
def test_export_into_the_results_is_refused(inside: str, finished: Path, refused: Refused) -> None:
    (line,) = refused(2, "export", finished, "--format", "gct", "--out", finished / inside)
    assert "is inside the results" in line
    assert verify(finished) == ()


def test_export_refuses_what_it_cannot_do(finished: Path, tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(2, "export", finished, "--format", "pdf", "--out", tmp_path / "o")
    assert "multiqc" in line
    (line,) = refused(
        2, "export", finished, "--format", "cbioportal", "--out", tmp_path / "o", "--study", "No Study"
    )
    assert "--study" in line
    (tmp_path / "file").write_text("", encoding="utf-8")
    (line,) = refused(2, "export", finished, "--format", "gct", "--out", tmp_path / "file")
    assert "cannot be written" in line
    assert not (tmp_path / "o").exists()


def test_export_replaces_earlier_exports_of_all_formats(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "o"
    for name in (*FILES, *FILES):
        assert main(["export", str(finished), "--format", name, "--out", str(out)]) == 0
    assert names_in(out) == set().union(*FILES.values())


@pytest.mark.parametrize("name", ["profiles.gct", "cohort.schema.json", "notes.txt", "samples/scores.gct"])
def test_export_touches_no_file_of_the_user(
    name: str, finished: Path, tmp_path: Path, refused: Refused
) -> None:
    mine = tmp_path / "o" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    chosen = [word for kind in FILES for word in ("--format", kind)]
    (line,) = refused(2, "export", finished, *chosen, "--out", tmp_path / "o")
    assert str(tmp_path / "o") in line
    assert name in line
    assert [path for path in (tmp_path / "o").rglob("*") if path.is_file()] == [mine]
    assert mine.read_text(encoding="utf-8") == "mine"
