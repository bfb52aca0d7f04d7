"""``escape-score compare``: results on one page, all their faults together, and no file of others touched."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

import escape_score as es
from escape_score.cli import main
from escape_score.config import StatisticsConfig
from escape_score.library.columns import columns_of
from escape_score.model.record_comparison import CohortComparison
from escape_score.store.manifest import Manifest, ResultHeader, read_manifest, verify

FILES = ["columns.json", "comparison.json", "comparison.tsv", "index.html", "manifest.json"]
Refused = Callable[..., tuple[str, ...]]


@dataclass(frozen=True)
class Results:
    """Two results, and the profiles that the first was written from."""

    first: Path
    second: Path
    profiles: es.Profiles

    @property
    def folders(self) -> list[str]:
        return [str(self.first), str(self.second)]


def profiles_of(tpm: pd.DataFrame, name: str, seed: int) -> es.Profiles:
    """Sixteen tumours, half of them responders, all with other names than those of another cohort."""
    rows = tpm.iloc[[*range(8), *range(8)]].set_axis([f"{name}-{at:02d}" for at in range(16)])
    rows = rows * np.exp2(np.random.default_rng(seed).normal(0, 0.2, rows.shape))
    rows = rows.div(rows.sum(axis=1), axis=0) * 1e6
    sheet = pd.DataFrame({"response": ["R", "NR"] * 8, "cancer_type": "COAD"}, index=rows.index)
    cohort = es.from_dataframe(rows, units="tpm", samples=sheet, cohort=name)
    return es.profile(cohort, reference="tcga-coadread-v1")


@pytest.fixture(scope="module")
def results(demo_tpm: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Results of two cohorts; tests must not change them."""
    folder = tmp_path_factory.mktemp("results")
    profiles = [profiles_of(demo_tpm, name, seed) for seed, name in enumerate(("north", "south"))]
    first, second = (one.write(folder / one.cohort) for one in profiles)
    return Results(first, second, profiles[0])


@pytest.fixture(scope="module")
def compared(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished comparison; tests must not change it."""
    out = tmp_path_factory.mktemp("compared") / "both"
    assert main(["compare", *results.folders, "--out", str(out), "--title", "Two centres"]) == 0
    return out


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_folder_holds_page_record_table_and_manifest(compared: Path, repo_root: Path) -> None:
    assert sorted(bytes_of(compared)) == FILES
    record = json.loads((compared / "comparison.json").read_text(encoding="utf-8"))
    schema = json.loads((repo_root / "docs" / "comparison.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(record, schema)
    assert record["title"] == "Two centres"
    assert [one["cohort"] for one in record["cohorts"]] == ["north", "south"]
    assert [one["tumour_types"] for one in record["cohorts"]] == [[{"label": "COAD", "n_samples": 16}]] * 2
    assert [question["label"] for question in record["questions"]] == ["response"]
    assert record["cautions"] == []
    assert "<h1>Two centres</h1>" in (compared / "index.html").read_text(encoding="utf-8")


def test_effects_of_cohorts_are_those_of_their_results(compared: Path, results: Results) -> None:
    table = pd.read_csv(compared / "comparison.tsv", sep="\t")
    own = json.loads((results.second / "cohort.json").read_text(encoding="utf-8"))
    areas = {row["measure"]["measure"]: row["auroc"] for row in own["response"]["rows"]}
    rows = table[table["cohort"] == "south"].set_index("measure")
    assert len(rows) > 20
    assert rows["effect"].to_dict() == pytest.approx({name: areas[name] for name in rows.index}, rel=1e-8)


def test_table_is_described_and_agrees_with_the_record(compared: Path) -> None:
    table = pd.read_csv(compared / "comparison.tsv", sep="\t")
    assert list(table) == list(columns_of("comparison"))
    described = json.loads((compared / "columns.json").read_text(encoding="utf-8"))["tables"]
    assert [one["column"] for one in described["comparison"]["columns"]] == list(table)
    record = CohortComparison.model_validate_json((compared / "comparison.json").read_bytes())
    pooled = table[table["row"] == "pooled"]
    assert len(pooled) == record.n_tests
    assert set(pooled["model"]) == {"fixed effect"}
    assert pooled["prediction_low"].isna().all()
    weights = table[table["row"] == "cohort"].groupby(["label", "measure"])["weight"].sum()
    assert weights.to_numpy() == pytest.approx(1, abs=1e-6)


def test_verify_finds_a_change(
    compared: Path, tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(compared)]) == 0
    assert "agrees with its manifest (4 files)" in capsys.readouterr().out
    copy = shutil.copytree(compared, tmp_path / "copy")
    (copy / "comparison.tsv").write_text("changed")
    (line,) = refused(3, "verify", copy)
    assert "comparison.tsv: differs from the manifest" in line


def test_same_command_gives_the_same_bytes_and_replaces_its_own(
    compared: Path, results: Results, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    for _ in range(2):
        assert main(["compare", *results.folders, "--out", str(out), "--title", "Two centres"]) == 0
        assert bytes_of(out) == bytes_of(compared)
    assert main(["compare", *results.folders, "--out", str(out), "--lang", "fr", "--names", "A, B"]) == 0
    assert verify(out) == ()
    assert '<html lang="fr">' in (out / "index.html").read_text(encoding="utf-8")
    assert json.loads((out / "comparison.json").read_text())["cohorts"][1]["cohort"] == "B"


def test_python_gives_the_same_from_memory_and_folders(
    compared: Path, results: Results, tmp_path: Path
) -> None:
    found = es.compare([results.profiles, results.second], title="Two centres")
    assert found.cohorts == ("north", "south")
    assert repr(found).startswith("Comparison(north, south: ")
    found.write(tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(compared)
    table = pd.read_csv(compared / "comparison.tsv", sep="\t")
    pd.testing.assert_frame_equal(found.to_frame().replace("", np.nan), table, check_dtype=False)


def test_statistics_from_memory_are_those_that_a_folder_has(results: Results, tmp_path: Path) -> None:
    named = replace(
        results.profiles, statistics=StatisticsConfig(adjust=["cancer_type"], groups=["cancer_type"])
    )
    written = (named.write(tmp_path / "named") / "cohort.json").read_bytes()
    assert written != (results.first / "cohort.json").read_bytes()
    first, _ = es.compare([named, results.second]).record.cohorts
    assert first.statistics_sha256 == hashlib.sha256(written).hexdigest()


def damaged(folder: Path, target: Path, change: Callable[[Path], object]) -> Path:
    copy = shutil.copytree(folder, target)
    change(copy)
    return copy


def declared_anew(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Change ``cohort.json`` and its entry in the manifest."""
    from escape_score.store.manifest import entry_of, write_manifest

    path = folder / "cohort.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    manifest: Manifest = read_manifest(folder)
    kept = [entry for entry in manifest.files if entry.path != "cohort.json"]
    write_manifest(folder, manifest.header, [*kept, entry_of(folder, path)])


def test_faults_of_all_results_come_together(
    results: Results, compared: Path, tmp_path: Path, refused: Refused
) -> None:
    first = results.first
    unfinished = damaged(first, tmp_path / "unfinished", lambda copy: (copy / "manifest.json").unlink())
    changed = damaged(first, tmp_path / "changed", lambda copy: (copy / "cohort.json").write_text("{}"))
    older = damaged(
        first,
        tmp_path / "older",
        lambda copy: declared_anew(copy, lambda content: content.update(schema_version="2")),
    )
    pageless = results.profiles.write(tmp_path / "pageless", reports=False)
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    given = [
        *(tmp_path / "none", tmp_path / "empty", unfinished, changed, older, pageless, compared),
        *(first, tmp_path / ".." / tmp_path.name / "unfinished" / ".." / ".." / first),
    ]
    lines = refused(3, "compare", *given, "--out", out)
    for place, what in (
        (first, "is given twice"),
        (tmp_path / "none", "there is no such folder"),
        (tmp_path / "empty", "no manifest.json: not a finished result"),
        (unfinished, "no manifest.json: not a finished result"),
        (changed / "cohort.json", "differs from the manifest"),
        (older / "cohort.json", "has version 2 where this program reads"),
        (pageless, "has no cohort.json; run again without --no-reports"),
        (compared, "is a comparison of cohorts, not the result of one"),
    ):
        assert [line for line in lines if str(place) in line and what in line], (place, what, lines)
    assert len(lines) == 8
    assert not out.exists()


def test_names_are_made_unique_or_asked_for(results: Results, tmp_path: Path, refused: Refused) -> None:
    copy = shutil.copytree(results.first, tmp_path / "second_run")
    found = es.compare([results.first, copy])
    assert found.cohorts == ("north (north)", "north (second_run)")
    (caution,) = found.record.cautions
    assert caution.params["n"] == 16
    same = shutil.copytree(results.first, tmp_path / "other" / "north")
    (line,) = refused(3, "compare", results.first, same, "--out", tmp_path / "out")
    assert "two cohorts have one name ('north (north)')" in line
    assert "--names" in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--names", "a"], "1 names for 2 results"),
        (["--names", "a,a"], "empty or there twice"),
        (["--names", "a,"], "empty or there twice"),
        (["--lang", "xx"], "use en or fr"),
    ],
)
def test_options_that_cannot_be_are_refused(
    results: Results, tmp_path: Path, refused: Refused, options: Sequence[str], said: str
) -> None:
    (line,) = refused(2, "compare", *results.folders, "--out", tmp_path / "out", *options)
    assert said in line
    assert not (tmp_path / "out").exists()


def test_one_result_is_not_enough(results: Results, tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(2, "compare", results.first, "--out", tmp_path / "out")
    assert "give at least two" in line


def test_nothing_of_others_is_overwritten(
    results: Results, compared: Path, tmp_path: Path, refused: Refused
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("my own page")
    result = shutil.copytree(results.first, tmp_path / "result")
    unfinished = shutil.copytree(results.first, tmp_path / "unfinished")
    (unfinished / "manifest.json").unlink()
    (unfinished / ".lock").write_text("manifest.json\nprofiles.tsv\nindex.html\n")
    for out, said in (
        (mine, "it holds files that are not of a result"),
        (result, "it holds the result of a run"),
        (unfinished, "it holds the result of a run"),
        (results.second / "inside", "is inside the result"),
        (results.second, "is inside the result"),
    ):
        before = bytes_of(out) if out.exists() else {}
        (line,) = refused(2, "compare", *results.folders, "--out", out)
        assert said in line
        assert (bytes_of(out) if out.exists() else {}) == before


def test_other_commands_refuse_a_comparison(
    results: Results, compared: Path, tmp_path: Path, refused: Refused
) -> None:
    before = bytes_of(compared)
    (line,) = refused(3, "report", compared, "--lang", "fr")
    assert "is a comparison of cohorts; run escape-score compare again" in line
    (line,) = refused(3, "export", compared, "--format", "gct", "--out", tmp_path / "gct")
    assert "is a comparison of cohorts" in line
    with pytest.raises(es.EscapeScoreError, match="it holds a comparison of cohorts"):
        results.profiles.write(compared)
    assert bytes_of(compared) == before


def test_manifest_of_a_comparison_names_its_cohorts(compared: Path, results: Results) -> None:
    header = read_manifest(compared).header
    assert not isinstance(header, ResultHeader)
    assert (header.cohorts, header.n_samples) == (("north", "south"), 32)
    digests = {entry.path: entry.sha256 for entry in read_manifest(results.first).files}
    assert header.statistics_sha256[0] == digests["cohort.json"]
