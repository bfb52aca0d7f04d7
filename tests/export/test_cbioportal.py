"""Generic assays, held against the rules of cBioPortal's documentation and of its validator."""

from __future__ import annotations

import re

import pytest

from escape_score.errors import UsageError
from escape_score.export.cbioportal import SAMPLE_IDS_FILE, cbioportal_files, portal_sample_id
from escape_score.export.tables import ResultTables

META_FIELDS = {
    *("cancer_study_identifier", "genetic_alteration_type", "generic_assay_type", "datatype", "stable_id"),
    *("profile_name", "profile_description", "data_filename", "show_profile_in_analysis_tab"),
    "generic_entity_meta_properties",
}
NUMBERS_ONLY = {"value_sort_order"}
ID = re.compile(r"[A-Za-z0-9._-]+")
STUDY_ID = re.compile(r"[a-z0-9_]+")


def meta_of(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.splitlines())


def faults_of(files: dict[str, str]) -> list[str]:
    """What cBioPortal's validator would call an error or a warning, by its rules."""
    faults, stable_ids = [], []
    for name in (name for name in files if name.startswith("meta_")):
        meta = meta_of(files[name])
        stable_ids.append(meta["stable_id"])
        is_number = meta["datatype"] == "LIMIT-VALUE"
        faults += [name] if set(meta) != META_FIELDS | (NUMBERS_ONLY if is_number else set()) else []
        faults += [name] if not STUDY_ID.fullmatch(meta["cancer_study_identifier"]) else []
        faults += [name] if not ID.fullmatch(meta["stable_id"]) else []
        header, *lines = [line.split("\t") for line in files[meta["data_filename"]].rstrip("\n").split("\n")]
        properties = meta["generic_entity_meta_properties"].split(",")
        faults += [str(header)] if header[: 1 + len(properties)] != ["ENTITY_STABLE_ID", *properties] else []
        samples = header[1 + len(properties) :]
        ids = [*samples, *(line[0] for line in lines)]
        faults += [value for value in ids if not ID.fullmatch(value)]
        faults += ["twice"] if len(set(ids)) != len(ids) else []
        faults += [str(line) for line in lines if len(line) != len(header) or not all(line)]
        cells = (
            {cell for line in lines for cell in line[1 + len(properties) :]} - {"NA"} if is_number else set()
        )
        faults += [cell for cell in cells if float(cell) % 1 == 0 and "." not in cell and "e" not in cell]
        faults += [cell for cell in cells if not abs(float(cell)) < float("inf")]
    return faults + (["stable_id"] if len(set(stable_ids)) != len(stable_ids) else [])


@pytest.mark.parametrize("which", ["tables", "hostile"])
def test_cbioportal_files_keep_the_rules_of_the_importer(which: str, request: pytest.FixtureRequest) -> None:
    files = cbioportal_files(request.getfixturevalue(which))
    assert faults_of(files) == []
    assert sum(name.startswith("data_") for name in files) == 3


def test_cbioportal_data_are_those_of_the_profiles(tables: ResultTables) -> None:
    files = cbioportal_files(tables)
    assert meta_of(files["meta_escape_score_calls.txt"])["datatype"] == "CATEGORICAL"
    numbers, calls, published = (
        {
            line.split("\t")[0]: line.split("\t")[3:]
            for line in files[f"data_escape_score_{name}.txt"].splitlines()
        }
        for name in ("mechanisms", "calls", "published")
    )
    assert numbers["ENTITY_STABLE_ID"] == tables.sample_ids
    for at, (_, row) in enumerate(tables.profiles.iterrows()):
        assert float(numbers["escape_score_stroma"][at]) == pytest.approx(row["stroma"], rel=1e-8)
        assert calls["escape_score_phenotype"][at] == (row["phenotype"] or "NA")
        assert calls["escape_score_stroma_call"][at] == row["stroma_call"].replace("not_evaluable", "NA")
    cyt = [float(cell) for cell in published["escape_score_cyt_mean_log2"]]
    assert cyt == pytest.approx(tables.scores["published:cyt_mean_log2"].tolist(), rel=1e-8)


def test_cbioportal_names_samples_anew_only_where_it_must(
    tables: ResultTables, hostile: ResultTables
) -> None:
    assert SAMPLE_IDS_FILE not in cbioportal_files(tables)
    table = cbioportal_files(hostile)[SAMPLE_IDS_FILE]
    pairs = dict(line.split("\t") for line in table.splitlines()[1:])
    assert len(pairs) == len(hostile.sample_ids) == len(set(pairs.values()))
    assert pairs["../../etc/passwd"] == portal_sample_id("../../etc/passwd") != "../../etc/passwd"
    assert pairs["-12"] == "-12"
    assert pairs[hostile.sample_ids[-1]] == hostile.sample_ids[-1]


def test_cbioportal_study_is_named_or_made_from_the_cohort(
    tables: ResultTables, hostile: ResultTables
) -> None:
    def study(files: dict[str, str]) -> str:
        return meta_of(files["meta_escape_score_mechanisms.txt"])["cancer_study_identifier"]

    assert study(cbioportal_files(tables)) == "demo_1"
    assert study(cbioportal_files(hostile)) == "cmd"
    assert study(cbioportal_files(tables, study="coad_lab_2026")) == "coad_lab_2026"
    for bad in ("", "Coad", "a b", "a\nb", "../x"):
        with pytest.raises(UsageError, match=r"--study: .*lower case"):
            cbioportal_files(tables, study=bad)
