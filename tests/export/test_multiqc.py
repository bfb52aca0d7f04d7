"""Custom content of MultiQC."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from escape_score.export.multiqc import GENERAL_FILE, MECHANISMS_FILE, multiqc_files, multiqc_name
from escape_score.export.tables import ResultTables
from escape_score.library.axes import load_axis_catalogue


def documents(tables: ResultTables) -> tuple[dict[str, Any], dict[str, Any]]:
    files = multiqc_files(tables)
    assert list(files) == [GENERAL_FILE, MECHANISMS_FILE]
    assert all(re.search(r"_mqc\.json$", name) for name in files)
    return json.loads(files[GENERAL_FILE]), json.loads(files[MECHANISMS_FILE])


def test_multiqc_files_hold_the_numbers_of_the_profiles(tables: ResultTables) -> None:
    general, mechanisms = documents(tables)
    assert (general["plot_type"], mechanisms["plot_type"]) == ("generalstats", "table")
    assert list(general["data"]) == list(mechanisms["data"]) == tables.sample_ids
    for sample_id, row in tables.profiles.iterrows():
        cells = general["data"][sample_id]
        assert cells["escape_score_immunoresistance_index"] == row["immunoresistance_index"]
        calls = [row[f"{axis.axis}_call"] for axis in load_axis_catalogue().axes]
        assert cells["escape_score_n_detected"] == calls.count("detected")
        assert mechanisms["data"][sample_id]["stroma"] == row["stroma"]


def test_multiqc_headers_explain_every_column(tables: ResultTables) -> None:
    for document in documents(tables):
        columns = {column for cells in document["data"].values() for column in cells}
        assert columns <= set(document["headers"])
        assert all({"title", "description"} <= set(header) for header in document["headers"].values())
    assert set(documents(tables)[1]["headers"]) == {axis.axis for axis in load_axis_catalogue().axes}


def test_multiqc_leaves_out_what_is_not_evaluable(hostile: ResultTables) -> None:
    general, mechanisms = documents(hostile)
    last = hostile.sample_ids[-1]
    assert mechanisms["data"][last] == {}
    assert set(general["data"][last]) == {"escape_score_status"}
    assert "stroma" not in next(iter(mechanisms["data"].values()))


@pytest.mark.parametrize(
    ("sample_id", "name"),
    [
        ("TCGA-3L-AA1B-01", "TCGA-3L-AA1B-01"),
        ("<b>&'\"", "&lt;b&gt;&amp;&#x27;&quot;"),
        ("lab/1", "lab_1_da201591"),
    ],
)
def test_multiqc_name_is_text_and_keeps_samples_apart(sample_id: str, name: str) -> None:
    assert multiqc_name(sample_id) == name


def test_multiqc_name_tells_slashes_apart() -> None:
    assert len({multiqc_name(name) for name in ("a/x", "b/x", "a\\x", "a_x", "-a_x", "/")}) == 6
