"""Names of cell types, and what they are taken for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cells.copy_number import tumour

from escape_score.cells.labels.given import labels_from_given, read_label_map
from escape_score.errors import FileMissingError, FileUnreadableError
from escape_score.genes import load_gene_table
from escape_score.library.cell_types import LINEAGES, key_of_label, load_cell_types, load_markers
from escape_score.library.files import resource_path, table_rows
from escape_score.model.cells import COMPARTMENTS


def given(*labels: str, user_map: dict[str, str] | None = None, tmp_path: Path | None = None) -> list[str]:
    """Compartment and lineage of labels, joined."""
    sample = replace(tumour({"t": len(labels)}), given_types=np.array(labels))
    own = None
    if user_map is not None and tmp_path is not None:
        (tmp_path / "map.tsv").write_text("".join(f"{k}\t{v}\n" for k, v in user_map.items()), "utf-8")
        own = read_label_map(tmp_path / "map.tsv")
    found = labels_from_given(sample, own)
    pairs = zip(found.codes, found.lineages, strict=True)
    return [f"{COMPARTMENTS[code]} {LINEAGES[lineage]}".strip() for code, lineage in pairs]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        # of published data sets
        ("Cancer Epithelial", "malignant"),
        ("Normal Epithelial", "epithelial"),
        ("CAFs", "fibroblast mesenchymal"),
        ("PVL", "fibroblast mesenchymal"),
        ("T-cells", "t"),
        ("Plasmablasts", "plasma"),
        ("Epithelial", "epithelial epithelial"),
        ("T_cell", "t"),
        ("CD4-positive, alpha-beta T cell", "t"),
        ("regulatory T cell", "t"),
        ("plasmacytoid dendritic cell", "myeloid"),
        ("malignant_MGH53", "malignant"),
        ("Oligodendrocytes (non-malignant)", "other"),
        ("Microglia/Macrophage", "myeloid"),
        ("reg. T cell", "t"),
        ("gdT", "t"),
        ("MDC", "myeloid"),
        ("ILC3", "nk"),
        ("Tem/Trm cytotoxic T cells", "t"),
        ("CD16+ NK cells", "nk"),
        ("HSC/MPP", "other"),
        ("CD8Tex", "t"),
        ("Mono/Macro", "myeloid"),
        ("AC-like Malignant", "malignant"),
        ("cDC2", "myeloid"),
        ("B intermediate", "b"),
        # spellings
        ("CD8 Tem", "t"),
        ("tcells", "t"),
        ("NK T cell", "t"),
        ("tumour_1", "malignant"),
        ("TUMOR", "malignant"),
        ("hepatocyte", "other"),
        ("Melanocytes", "other melanocytic"),
        ("Astrocyte", "other glial"),
        ("Mast cells", "mast"),
        # a word inside another name
        ("tumor associated macrophage", "myeloid"),
        ("Cancer-associated fibroblasts", "fibroblast mesenchymal"),
        ("tumour endothelial cell", "endothelial"),
        ("normal ductal cells", "epithelial"),
        ("endothelial cell of lymphatic vessel", "endothelial"),
        # nothing is known
        ("Doublet", "unassigned"),
        ("T cell/macrophage doublet", "unassigned"),
        ("low quality", "unassigned"),
        ("", "unassigned"),
        ("nan", "unassigned"),
    ],
)
def test_labels_from_given_reads_names(label: str, expected: str) -> None:
    assert given(label) == [expected]


def test_labels_from_given_lists_what_it_does_not_know() -> None:
    labels = np.array(["T cell", "zyzzyva", "3", "T cells and B cells", "unknown"])
    found = labels_from_given(replace(tumour({"t": 5}), given_types=labels))
    assert found.unknown == ("3", "T cells and B cells", "zyzzyva")
    assert [COMPARTMENTS[code].value for code in found.codes] == ["t", *["unassigned"] * 4]


def test_labels_from_given_without_labels_is_unassigned() -> None:
    found = labels_from_given(tumour({"t": 2}))
    assert [COMPARTMENTS[code].value for code in found.codes] == ["unassigned"] * 2
    assert found.unknown == ()


def test_labels_from_given_prefers_the_users_map(tmp_path: Path) -> None:
    own = {"label": "compartment", "3": "t", "Epithelial": "malignant", "Lining": "candidate"}
    found = given("3", "EPITHELIAL", "lining", "B cell", user_map=own, tmp_path=tmp_path)
    assert found == ["t", "malignant", "epithelial epithelial", "b"]


@pytest.mark.parametrize("text", ["T cell\n", "T cell\ttt\n", "T cell\tt\tmore\n"])
def test_read_label_map_refuses_other_tables(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.tsv").write_text(text, "utf-8")
    with pytest.raises(FileUnreadableError, match="line 1"):
        read_label_map(tmp_path / "map.tsv")


def test_read_label_map_names_the_compartment_that_is_near(tmp_path: Path) -> None:
    (tmp_path / "map.tsv").write_text("Lining\tmyelod\n", "utf-8")
    with pytest.raises(FileUnreadableError, match="did you mean 'myeloid'"):
        read_label_map(tmp_path / "map.tsv")


def test_read_label_map_says_that_a_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        read_label_map(tmp_path / "map.tsv")


def test_every_name_of_the_table_means_what_its_row_says() -> None:
    rows = [row for row in table_rows(resource_path("cells", "cell_types.tsv")) if row["kind"] == "name"]
    assert len(rows) > 200
    for row in rows:
        found = load_cell_types().understood(row["synonym"])
        assert found is not None
        assert (found.compartment, found.lineage) == (row["compartment"], row["lineage"])


def test_names_of_the_table_are_written_as_labels_are_looked_up() -> None:
    rows = table_rows(resource_path("cells", "cell_types.tsv"))
    assert [row["synonym"] for row in rows] == [key_of_label(row["synonym"]) for row in rows]
    pairs = [(row["synonym"], row["kind"] == "name") for row in rows]
    assert len(set(pairs)) == len(pairs)
    assert all(row["source"] for row in rows)


def test_markers_are_approved_symbols_of_one_set_each() -> None:
    rows = table_rows(resource_path("cells", "markers.tsv"))
    symbols = [row["gene_symbol"] for row in rows]
    assert set(symbols) <= load_gene_table().current.keys()
    assert all("doi:" in row["source"] for row in rows)
    shared = {symbol for symbol in symbols if symbols.count(symbol) > 1}
    assert shared == set()
    assert len(load_markers()) == 13
