"""The shipped tables, and the record of where they come from."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest

from escape_score.genes import load_gene_table
from escape_score.genes.positions import GenePosition, load_positions
from escape_score.genes.table import gene_rows
from escape_score.library.files import resource_path


def provenance() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(resource_path("genes", "provenance.json").read_text("utf-8"))
    return record


@pytest.mark.parametrize("file_name", ["genes.tsv.gz", "names.tsv.gz"])
def test_tables_agree_with_their_provenance(file_name: str) -> None:
    data = resource_path("genes", file_name).read_bytes()
    header, *rows = gzip.decompress(data).decode("utf-8").splitlines()
    recorded = provenance()["files"][file_name]
    assert hashlib.sha256(data).hexdigest() == recorded["sha256"]
    assert header.split("\t") == recorded["columns"]
    assert len(rows) == recorded["rows"]
    assert rows == sorted(rows, key=lambda row: row.split("\t"))


def test_provenance_records_every_table() -> None:
    tables = {path.name for path in resource_path("genes").glob("*.gz")}
    assert tables == provenance()["files"].keys()


def test_load_gene_table_is_loaded_once() -> None:
    assert load_gene_table() is load_gene_table()


def test_load_gene_table_names_lead_to_approved_symbols() -> None:
    table = load_gene_table()
    for names in (table.previous, table.aliases, table.ensembl, table.ensembl_retired, table.entrez):
        assert {symbol for owners in names.values() for symbol in owners} <= table.current.keys()
        assert all(list(owners) == sorted(set(owners)) for owners in names.values())


def test_load_gene_table_has_all_rows() -> None:
    table = load_gene_table()
    assert len(table.current) == provenance()["files"]["genes.tsv.gz"]["rows"]
    kinds = provenance()["names_by_kind"]
    assert sum(map(len, table.previous.values())) == kinds["previous"]
    assert sum(map(len, table.aliases.values())) == kinds["alias"]
    assert sum(map(len, table.ensembl_retired.values())) == kinds["ensembl_retired"]


@pytest.mark.parametrize(
    ("symbol", "chromosome", "start_bp"),
    [("TP53", "17", 7661779), ("HLA-A", "6", 29941260), ("PLCXD1", "X", 276322), ("MT-ND1", "MT", 3307)],
)
def test_load_positions_counts_from_one(symbol: str, chromosome: str, start_bp: int) -> None:
    assert load_positions()[symbol] == GenePosition(chromosome, start_bp)


def test_load_positions_has_nearly_all_protein_coding_genes() -> None:
    rows = gene_rows(resource_path("genes", "genes.tsv.gz"))
    coding = [row[0] for row in rows if row[4] == "protein_coding" and row[5]]
    found = [symbol in load_positions() for symbol in coding]
    assert len(coding) > 19_000
    assert sum(found) > 0.999 * len(found)
