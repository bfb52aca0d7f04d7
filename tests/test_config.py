"""Configs: each key is checked, and YAML holds no surprise."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from escape_score.config import (
    CohortEntry,
    CohortKind,
    RunConfig,
    WorkflowConfig,
    load_config,
    load_workflow_config,
    read_cohorts,
)
from escape_score.errors import (
    ConfigInvalidError,
    FileMissingError,
    InputFaultsError,
    SampleSheetInvalidError,
)
from escape_score.model.units import ExpressionUnit

FULL = """
expression: m.tsv
samples: sub/s.tsv
units: log2(x+1)
seed: 7
threads: 2
min_genes: 500
outdir: out
read: {max_samples: 50}
harmonise:
  gene_lengths: lengths.tsv
score:
  gene_sets: /abs/sets.gmt
profile:
  reference: ./mine.json
report:
  chunk_size: 10
"""


def load(folder: Path, text: str) -> RunConfig:
    path = folder / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_load_config_reads_every_key_and_resolves_paths(tmp_path: Path) -> None:
    config = load(tmp_path, FULL)
    assert config.expression == tmp_path / "m.tsv"
    assert config.samples == tmp_path / "sub" / "s.tsv"
    assert config.outdir == tmp_path / "out"
    assert config.units is ExpressionUnit.LOG2_PLUS_1
    assert (config.seed, config.threads, config.min_genes, config.read.max_samples) == (7, 2, 500, 50)
    assert config.harmonise.gene_lengths == tmp_path / "lengths.tsv"
    assert config.score.gene_sets == Path("/abs/sets.gmt")
    assert config.profile.reference == str(tmp_path / "mine.json")
    assert (config.report.lang, config.report.chunk_size) == ("en", 10)


def test_load_config_has_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "{}") == RunConfig()
    assert load(tmp_path, "profile: {reference: cohort}").profile.reference == "cohort"


def test_load_config_is_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path, FULL).read.max_samples = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("- a\n- b", "not a mapping"),
        ("just words", "not a mapping"),
        (
            "seed: 1\nthread: 2",
            r"unknown key thread \(line 2, column 1\); did you mean 'threads'\? allowed are .*threads",
        ),
        (
            "report:\n  language: en",
            r"unknown key report.language \(line 2, column 3\); did you mean 'lang'\? allowed are lang, ",
        ),
        ("seed: 1\nseed: 2", r"duplicate key seed \(lines 1 and 2\)"),
        ("read:\n  max_genes: 5\n  max_genes: 6", r"duplicate key read.max_genes \(lines 2 and 3\)"),
        ("a: &x 1\nb: *x", r"anchors and aliases .*line 1, column 4"),
        ("seed: !!python/object/apply:os.getcwd []", "tags"),
        ("seed: !!int 3", r"tags .*\(line 1, column 7: .*int\)"),
        ("<<: {seed: 1}", "unknown key <<"),
        ("1: 2", "a key is not a word"),
        ("? [a]\n: 1", "a key is not a word"),
        ("seed: 1\n\tthreads: 2", "not valid YAML .*line 2, column 1"),
        ("seed: [", "not valid YAML"),
        ("a: 1\n---\nb: 1", "not valid YAML"),
        ("seed: .nan", r"seed is 'nan' \(line 1, column 1\); .*valid integer"),
        ("read: {max_genes: .inf}", r"read.max_genes is 'inf' \(line 1, column 8\); .*valid integer"),
        ("seed: true", "seed .*valid integer"),
        ("seed: 1.0", "seed .*valid integer"),
        ("seed: '1'", "seed .*valid integer"),
        ("seed: 2026-11-24", "seed .*valid integer"),
        ("seed: 010", "seed .*valid integer"),
        ("seed: 0x1F", "seed .*valid integer"),
        ("seed: 1_000", "seed .*valid integer"),
        ("seed: 1:30", "seed .*valid integer"),
        ("seed: 1e999", "seed is 'inf' .*valid integer"),
        ("score: {min_coverage: .nan}", "score.min_coverage is 'nan' .*finite number"),
        ("%YAML 1.1\n---\nprofile: {reference: no}\nseed: no", "seed is 'no' .*valid integer"),
        (f"seed: {'9' * 5000}", "seed .*valid integer"),
        ("score: {published: yes}", "score.published is 'yes' .*valid boolean"),
        ("a: &x [*x]", "anchors and aliases"),
        ("a: &x 1\nb: &x 2", "anchors and aliases"),
        ("threads: -3", r"threads is '-3' \(line 1, column 1\)"),
        ("threads: 999999999", "threads"),
        ("min_genes: 0", "min_genes"),
        ("expression: 5", "expression"),
        ("units: furlongs", "units .*'tpm'"),
        ("report: {lang: xx}", "report.lang"),
        ("score: {methods: [ssgsea, foo]}", r"score.methods.1 is 'foo' \(line 1, column 27\); .*'singscore'"),
        ("score: {methods: [ucell, ucell]}", "score.methods .*a method stands twice"),
        ("score: {min_coverage: 0}", "score.min_coverage"),
        ("score: {ties: first}", "score.ties .*'mid'"),
        ("read: [1]", "read"),
        ("read: " + "[" * 3000, "too deeply"),
    ],
)
def test_load_config_refuses(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigInvalidError, match=said) as caught:
        load(tmp_path, text)
    assert "c.yaml" in str(caught.value)
    assert len(caught.value.lines) == 1


def test_load_config_refuses_what_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalidError, match="not found"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigInvalidError, match="not a regular file"):
        load_config(tmp_path)
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigInvalidError, match="UTF-8"):
        load_config(tmp_path / "c.yaml")


@given(
    seed=st.integers(0, 2**32 - 1),
    threads=st.integers(1, 256),
    units=st.sampled_from(ExpressionUnit),
    chunk_size=st.integers(1, 10_000),
)
def test_load_config_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, seed: int, threads: int, units: ExpressionUnit, chunk_size: int
) -> None:
    written = {"seed": seed, "threads": threads, "units": units.value, "report": {"chunk_size": chunk_size}}
    text = io.StringIO()
    YAML().dump(written, text)
    config = load(tmp_path_factory.mktemp("config"), text.getvalue())
    assert (config.seed, config.threads, config.units, config.report.chunk_size) == (
        seed,
        threads,
        units,
        chunk_size,
    )


def test_load_workflow_config_needs_cohorts(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("cohorts: cohorts.tsv\nseed: 3\n", encoding="utf-8")
    assert load_workflow_config(path) == WorkflowConfig(cohorts=tmp_path / "cohorts.tsv", seed=3)
    path.write_text("seed: 3\n", encoding="utf-8")
    with pytest.raises(ConfigInvalidError, match="key cohorts is missing"):
        load_workflow_config(path)


@pytest.mark.parametrize("model", [RunConfig, WorkflowConfig])
def test_every_option_is_described(model: type[RunConfig]) -> None:
    schema = model.model_json_schema()
    blocks = [schema, *(block for block in schema["$defs"].values() if "properties" in block)]
    options = [option for block in blocks for option in block["properties"].values()]
    assert len(options) > 8
    assert all(option.get("description") for option in options)


def cohorts(
    folder: Path, *rows: str, header: str = "cohort\texpression\tsamples\tunits\tgene_lengths"
) -> Path:
    path = folder / "cohorts.tsv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def test_read_cohorts_resolves_paths(tmp_path: Path) -> None:
    for name in ("m.tsv", "s.tsv", "l.tsv"):
        (tmp_path / name).touch()
    path = cohorts(tmp_path, "# comment", "a.1\tm.tsv\ts.tsv\tcounts\tl.tsv", "", "b\tm.tsv\t\t\t")
    assert read_cohorts(path) == (
        CohortEntry("a.1", tmp_path / "m.tsv", tmp_path / "s.tsv", ExpressionUnit.COUNTS, tmp_path / "l.tsv"),
        CohortEntry("b", tmp_path / "m.tsv", None, ExpressionUnit.AUTO, None),
    )


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "a b", "a;b", "{x}", "é"])
def test_read_cohorts_refuses_unsafe_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.tsv").touch()
    with pytest.raises(SampleSheetInvalidError, match="not safe as a folder name"):
        read_cohorts(cohorts(tmp_path, f"{name}\tm.tsv\t\ttpm\t"))


def test_read_cohorts_tells_all_faults(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").touch()
    path = cohorts(tmp_path, "a\tm.tsv\tnone.tsv\ttpm\t", "A\t\t\tfurlongs\t")
    with pytest.raises(InputFaultsError) as caught:
        read_cohorts(path)
    said = "\n".join(caught.value.lines)
    assert len(caught.value.lines) == 4
    for part in (
        "none.tsv: file not found",
        "unknown unit 'furlongs'",
        "expression is empty",
        "duplicate cohort",
    ):
        assert part in said


def test_read_cohorts_knows_single_cells_by_their_kind(tmp_path: Path) -> None:
    for name in ("a.h5ad", "b.tsv"):
        (tmp_path / name).touch()
    header = "cohort\texpression\tsamples\tunits\tkind"
    path = cohorts(tmp_path, "a\ta.h5ad\t\t\tcells", "b\tb.tsv\t\ttpm\t", header=header)
    assert [entry.kind for entry in read_cohorts(path)] == [CohortKind.CELLS, CohortKind.BULK]
    path = cohorts(tmp_path, "a\ta.h5ad\t\ttpm\tcells", "b\tb.tsv\t\t\tmice", header=header)
    with pytest.raises(InputFaultsError) as caught:
        read_cohorts(path)
    cells, mice = caught.value.lines
    assert "leave units" in cells
    assert "unknown kind 'mice' (line 3); use one of bulk, cells" in mice


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ([], "cohort\texpression\tsamples\tunits", "empty"),
        (["a\tm\t"], "cohort\texpression\tsamples", "they must be"),
        (["a\tm\t\ttpm\tx"], "cohort\texpression\tsamples\tunits\tcolour", "they must be"),
        (["a\tm"], "cohort\texpression\tsamples\tunits", "line 2 has 2 fields"),
        (["a m"], "cohort expression samples units", "has no tab"),
    ],
)
def test_read_cohorts_refuses_table(tmp_path: Path, rows: list[str], header: str, said: str) -> None:
    with pytest.raises(SampleSheetInvalidError, match=said):
        read_cohorts(cohorts(tmp_path, *rows, header=header))


def test_read_cohorts_refuses_missing_table(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="not found"):
        read_cohorts(tmp_path / "none.tsv")


def test_path_that_begins_with_the_home_is_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    config = load(tmp_path, "expression: ~/m.tsv\noutdir: ~/out\nprofile: {reference: ~/lab}\n")
    assert config.expression == tmp_path / "home" / "m.tsv"
    assert config.outdir == tmp_path / "home" / "out"
    assert config.profile.reference == str(tmp_path / "home" / "lab")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("expression: $HOME/m.tsv", "expression is '.*HOME/m.tsv' \\(line 1, column 1\\)"),
        ("outdir: ${DATA}/out", "outdir"),
        ("score: {gene_sets: sets/$SETS.gmt}", "score.gene_sets"),
        ("profile: {reference: $REFERENCES/lab}", "profile.reference"),
    ],
)
def test_variable_in_a_path_is_refused(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigInvalidError, match=f"{key}.* variables are not expanded; write the path out"):
        load(tmp_path, text)


def test_folder_that_has_the_name_of_a_variable_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "$data").mkdir()
    (tmp_path / "$data" / "m.tsv").touch()
    assert load(tmp_path, "expression: $data/m.tsv").expression == tmp_path / "$data" / "m.tsv"


@pytest.mark.parametrize("text", ["a: &x [*x]", "read: &x {b: *x}", "&a a: *a", "a: &x\n  b: &y [*x, *y]"])
def test_config_that_contains_itself_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigInvalidError, match="anchors and aliases"):
        load(tmp_path, text)
