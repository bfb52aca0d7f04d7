"""``escape-score run``: the files of a result and what is in them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import jsonschema
import numpy as np
import pandas as pd
import pytest
import scanpy as sc

from escape_score.cli import main
from escape_score.library.axes import load_axis_catalogue
from escape_score.model.record import EscapeProfile, slug_of


class Inputs(Protocol):
    matrix: Path
    samples: Path
    lengths: Path
    options: list[str]


CONTEXT_AXES = ["antigen_loss", "mmr_deficiency"]
TABLES = [
    "columns.json",
    "profiles.parquet",
    "profiles.tsv",
    "qc.tsv",
    "scores.h5ad",
    "scores.parquet",
    "scores.tsv",
]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def records_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(p.read_text(encoding="utf-8")) for p in sorted((folder / "samples").glob("*.json"))]


def test_result_holds_the_files_of_the_contract(finished: Path, inputs: Inputs) -> None:
    ids = pd.read_csv(inputs.samples, sep="\t")["sample_id"]
    pages = [f"samples/{slug_of(s)}.{end}" for s in ids for end in ("html", "json")]
    assert sorted(files_of(finished)) == sorted(
        [*TABLES, "cohort.json", "index.html", "manifest.json", *pages]
    )


def test_columns_of_profiles_are_those_of_the_contract(finished: Path) -> None:
    expected = [
        *("sample_id", "cohort"),
        *("immunoresistance_index", "immunoresistance_index_low", "immunoresistance_index_high"),
        *("archetype", "phenotype", "status", "flags"),
        *("immunoresistance_index_low_within", "immunoresistance_index_high_within"),
    ]
    for axis in load_axis_catalogue().axes:
        raw = [f"{axis.axis}_raw"] if axis.raw_terms else []
        ends = ("percentile", "low", "high", "low_within", "high_within", "coverage", "call")
        expected += [axis.axis, *raw, *(f"{axis.axis}_{end}" for end in ends)]
    expected += [
        "decisive_mechanisms",
        "msi_suspected",
        "mhc1_weakest_gene",
        "leukocyte_fraction",
        "reference",
        "reference_choice",
    ]
    table = pd.read_csv(finished / "profiles.tsv", sep="\t")
    assert list(table.columns) == expected
    assert list(pd.read_parquet(finished / "profiles.parquet").columns) == expected
    assert set(table["cohort"]) == {"demo"}


def test_tables_hold_samples_in_the_order_of_the_matrix(finished: Path, inputs: Inputs) -> None:
    ids = pd.read_csv(inputs.samples, sep="\t")["sample_id"].tolist()
    for name in ("profiles", "scores", "qc"):
        assert pd.read_csv(finished / f"{name}.tsv", sep="\t")["sample_id"].tolist() == ids


def test_manifest_has_digests_and_no_trace_of_place_or_time(finished: Path, inputs: Inputs) -> None:
    manifest = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))
    assert {entry["path"]: entry["sha256"] for entry in manifest["files"]} == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files_of(finished).items()
        if name != "manifest.json"
    }
    header = manifest["header"]
    assert header["input_sha256"] == hashlib.sha256(inputs.matrix.read_bytes()).hexdigest()
    assert (header["cohort"], header["n_samples"], header["seed"]) == ("demo", 4, 1)
    for name, content in files_of(finished).items():
        assert str(inputs.matrix.parent).encode() not in content, name
        assert str(finished.parent).encode() not in content, name


def test_json_of_samples_fits_the_published_schema(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for record in records_of(finished):
        validator.validate(record)
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({**record, "unknown": 1})


def test_json_and_table_say_the_same(finished: Path) -> None:
    table = pd.read_parquet(finished / "profiles.parquet").set_index("sample_id")
    for record in records_of(finished):
        row = table.loc[record["sample_id"]]
        assert record["index"]["score"] == row["immunoresistance_index"]
        assert record["metadata"]["purity"] == 0.5
        for axis in record["axes"]:
            assert pytest.approx(row[axis["axis"]], rel=0, abs=0, nan_ok=True) == (
                np.nan if axis["score"] is None else axis["score"]
            )
            assert (axis["call"] or "") == row[f"{axis['axis']}_call"]
        assert [axis["axis"] for axis in record["axes"] if axis["call"] is None] == CONTEXT_AXES
        assert ",".join(record["decisive_mechanisms"]) == row["decisive_mechanisms"]
        assert {True: "yes", False: "no", None: ""}[record["msi_suspected"]] == row["msi_suspected"]
        assert sorted({flag["code"] for flag in record["flags"]}) == sorted(row["flags"].split(","))


def test_percentiles_of_tumours_of_the_reference_leave_them_out(finished: Path) -> None:
    for record in records_of(finished):
        assert record["reference"]["is_sample_in_reference"]
        counted = {axis["percentile_n"] for axis in record["axes"]}
        assert max(counted) == record["reference"]["n_samples"] - 1 == 591


def test_scores_open_in_scanpy_and_equal_the_table(finished: Path) -> None:
    scores = sc.read_h5ad(finished / "scores.h5ad")
    table = pd.read_parquet(finished / "scores.parquet").set_index("sample_id")
    table.columns = [name if ":" in name else f"reference_z:{name}" for name in table.columns]
    profiles = pd.read_parquet(finished / "profiles.parquet").set_index("sample_id")
    assert scores.obs_names.tolist() == table.index.tolist()
    of_profiles = [name for name in scores.var_names if name not in table]
    assert set(scores.var["kind"][of_profiles]) == {"index", "axis", "unadjusted axis"}
    expected = pd.concat([profiles[of_profiles], table], axis=1)
    assert scores.var_names.tolist() == expected.columns.tolist()
    np.testing.assert_array_equal(np.asarray(scores.X), expected.to_numpy())
    assert scores.obs["response"].tolist() == ["R", "NR", "", "R"]
    assert scores.obs["purity"].tolist() == [0.5] * 4
    assert scores.uns["escape_score"]["cohort"] == "demo"


def test_no_reports_writes_the_same_tables_and_no_pages(
    finished: Path, inputs: Inputs, tmp_path: Path
) -> None:
    assert main(["run", *inputs.options, "--out", str(tmp_path / "o"), "--no-reports"]) == 0
    found = files_of(tmp_path / "o")
    assert sorted(found) == sorted([*TABLES, "manifest.json"])
    assert {n: found[n] for n in TABLES} == {n: files_of(finished)[n] for n in TABLES}
    assert main(["verify", str(tmp_path / "o")]) == 0


def test_run_again_gives_the_same_bytes_and_takes_old_samples_away(
    finished: Path, inputs: Inputs, tmp_path: Path
) -> None:
    fewer = tmp_path / "fewer.tsv"
    pd.read_csv(inputs.matrix, sep="\t", index_col=0).iloc[:, :1].rename(columns=lambda n: f"x{n}").to_csv(
        fewer, sep="\t"
    )
    out = tmp_path / "o"
    assert main(["run", str(fewer), "--units", "counts", "--out", str(out), "--quiet"]) == 0
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    assert main(["run", *inputs.options, "--out", str(out)]) == 0
    found = files_of(out)
    assert found.pop("notes.txt") == b"mine"
    assert found == files_of(finished)


def test_config_gives_what_the_command_line_does_not(finished: Path, inputs: Inputs, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        f"expression: {inputs.matrix}\nsamples: missing.tsv\nunits: counts\noutdir: o\nseed: 1\n"
        f"harmonise:\n  gene_lengths: {inputs.lengths}\n",
        encoding="utf-8",
    )
    overridden = ["--samples", str(inputs.samples), "--cohort", "demo"]
    assert main(["run", "--config", str(config), "--quiet", *overridden]) == 0
    assert files_of(tmp_path / "o") == files_of(finished)


def test_limits_of_a_config_hold(inputs: Inputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("read:\n  max_samples: 3\n", encoding="utf-8")
    assert main(["run", *inputs.options, "--config", str(config), "--out", str(tmp_path / "o")]) == 3
    assert "at most 3 samples" in capsys.readouterr().err


def test_gene_sets_of_a_user_are_scored(inputs: Inputs, tmp_path: Path) -> None:
    gmt = tmp_path / "u.gmt"
    gmt.write_text("MINE\tmy set\tCD8A\tCD8B\tGZMB\n=NONE\tnothing\tALIEN1\tALIEN2\n", encoding="utf-8")
    out = tmp_path / "o"
    assert main(["run", *inputs.options, "--out", str(out), "--gene-sets", str(gmt)]) == 0
    scores = pd.read_csv(out / "scores.tsv", sep="\t")
    assert scores["MINE"].notna().all()
    flags = {flag["code"] for flag in records_of(out)[0]["flags"]}
    assert "gene_set_low_coverage" in flags


def test_sample_that_cannot_be_scored_is_no_failure(inputs: Inputs, tmp_path: Path) -> None:
    matrix = pd.read_csv(inputs.matrix, sep="\t", index_col=0)
    matrix.iloc[:, 1] = 0
    matrix.to_csv(tmp_path / "m.tsv", sep="\t")
    out = tmp_path / "o"
    assert main(["run", str(tmp_path / "m.tsv"), "--units", "counts", "--out", str(out), "--quiet"]) == 0
    table = pd.read_csv(out / "profiles.tsv", sep="\t", keep_default_na=False)
    assert table["status"].tolist()[1] == "not-evaluable"
    assert table["immunoresistance_index"].tolist()[1] == ""
    assert "sample_empty" in table["flags"].tolist()[1]
    record = next(r for r in records_of(out) if r["sample_id"] == matrix.columns[1])
    EscapeProfile.model_validate(record)
    assert {axis["score"] for axis in record["axes"]} == {None}


def test_odd_sample_names_travel_safely(inputs: Inputs, tmp_path: Path) -> None:
    names = ["Pt\u200b1", "../../etc/passwd", "<script>alert(1)</script>", "a b;touch PWNED"]
    matrix = pd.read_csv(inputs.matrix, sep="\t", index_col=0).set_axis(names, axis=1)
    matrix.to_csv(tmp_path / "m.tsv", sep="\t")
    out = tmp_path / "o"
    assert main(["run", str(tmp_path / "m.tsv"), "--units", "counts", "--out", str(out), "--quiet"]) == 0
    assert sorted(r["sample_id"] for r in records_of(out)) == sorted(names)
    assert pd.read_csv(out / "profiles.tsv", sep="\t")["sample_id"].tolist() == names
    assert pd.read_parquet(out / "profiles.parquet")["sample_id"].tolist() == names
    assert "<script>alert(1)" not in (out / "index.html").read_text(encoding="utf-8")
    assert {p.name for p in tmp_path.iterdir()} == {"m.tsv", "o"}


def test_sample_name_that_is_a_formula_is_refused(
    inputs: Inputs, tmp_path: Path, refused: Callable[..., tuple[str, ...]]
) -> None:
    matrix = pd.read_csv(inputs.matrix, sep="\t", index_col=0)
    matrix.rename(columns={matrix.columns[0]: "=1+1"}).to_csv(tmp_path / "m.tsv", sep="\t")
    lines = refused(3, "run", tmp_path / "m.tsv", "--units", "counts", "--out", tmp_path / "o")
    assert "m.tsv" in lines[0]
    assert "rename" in lines[0]


@pytest.mark.parametrize("options", [[], ["--no-reports"]])
def test_folder_of_the_input_is_not_a_folder_of_results(
    options: list[str], inputs: Inputs, tmp_path: Path, refused: Callable[..., tuple[str, ...]]
) -> None:
    for name in ("scores.tsv", "qc.tsv", "index.html", "samples/mine.json", "samples/mine.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(inputs.matrix.read_bytes() if name == "scores.tsv" else b"mine")
    before = files_of(tmp_path)
    (line,) = refused(2, "run", tmp_path / "scores.tsv", *inputs.options[1:], "--out", tmp_path, *options)
    assert line.startswith(
        f"error: {tmp_path}: cannot be written, it holds files that are not of a result ('index"
    )
    assert files_of(tmp_path) == before


def test_input_inside_the_result_that_it_would_replace_is_refused(
    finished: Path, inputs: Inputs, tmp_path: Path, refused: Callable[..., tuple[str, ...]]
) -> None:
    out = shutil.copytree(finished, tmp_path / "o")
    (line,) = refused(2, "run", out / "scores.tsv", "--out", out)
    assert "scores.tsv: is a file of the result" in line
    assert files_of(out) == files_of(finished)


def test_run_reports_what_the_earlier_result_had(
    inputs: Inputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gmt, out = tmp_path / "u.gmt", str(tmp_path / "o")
    gmt.write_text("MINE\tmy set\tCD8A\tCD8B\tGZMB\n", encoding="utf-8")
    plain = [*inputs.options[:1], "--units", "counts", "--quiet", "--out", out]
    assert main(["run", *inputs.options, "--out", out, "--quiet", "--gene-sets", str(gmt)]) == 0
    assert capsys.readouterr().err == ""
    assert main(["run", *plain, "--no-reports"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    labels = "labels of the sample sheet (purity, response"
    assert line.startswith(f"note: {out}: the earlier result had {labels}")
    assert line.endswith(") and pages, which this one does not have; it was made with other gene sets")
    gmt.write_text("MINE\tmy set\tCD8A\tCD8B\tPRF1\n", encoding="utf-8")
    assert main(["run", *plain, "--no-reports", "--gene-sets", str(gmt)]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"note: {out}: the earlier result was made with other gene sets"
    capsys.readouterr()
    assert main(["run", *plain, "--no-reports"]) == 0
    capsys.readouterr()
    assert main(["run", *plain, "--no-reports"]) == 0
    assert capsys.readouterr().err == ""


def test_a_sheet_of_a_clinic_is_read(inputs: Inputs, tmp_path: Path) -> None:
    ids = list(pd.read_csv(inputs.samples, sep="\t")["sample_id"])
    sheet = pd.DataFrame(
        {
            "Barcode": [f"bams/{name}.sorted.bam" for name in ids],
            "OS (months)": [2, 4, 6, 8],
            "OS_STATUS": ["1:DECEASED", "0:LIVING"] * 2,
            "Benefit": ["DCB", "NDB"] * 2,
            "arm / <b>": ["A", "B"] * 2,
        }
    )
    sheet.to_excel(tmp_path / "sheet.xlsx", index=False)
    options = [str(inputs.matrix), "--units", "counts", "--samples", str(tmp_path / "sheet.xlsx")]
    options += ["--map", "sample_id=Barcode", "--map", "response=Benefit"]
    assert main(["run", *options, "--out", str(tmp_path / "o")]) == 0
    found = {record["sample_id"]: record["metadata"] for record in records_of(tmp_path / "o")}
    assert found[ids[0]] == {
        "response": "R",
        "os_days": 60.875,
        "os_event": True,
        "sample_type": "tumour",
        "arm / <b>": "A",
    }
    obs = sc.read_h5ad(tmp_path / "o" / "scores.h5ad").obs
    assert obs["arm _ <b>"].tolist() == ["A", "B"] * 2
    assert obs["sample_type"].tolist() == ["tumour"] * 4
    flags = pd.read_csv(tmp_path / "o" / "profiles.tsv", sep="\t")["flags"]
    assert flags.str.contains("sheet_ids_respelt").all()


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("outcome=response", "--map outcome=response: unknown column 'outcome'; use one of "),
        ("site=Organ", "no column 'Organ' (--map site=Organ); name one of 'sample_id', 'response', 'purity'"),
    ],
)
def test_a_map_that_cannot_be_followed_is_refused(
    pair: str, said: str, inputs: Inputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (
        ["check", *inputs.options[:3]],
        ["run", *inputs.options[:3], "--out", str(tmp_path / "o")],
    ):
        assert main([*command, "--samples", str(inputs.samples), "--map", pair]) == 3
        assert said in capsys.readouterr().err
