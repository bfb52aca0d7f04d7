"""Tables for eyes and for programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.store import tables
from escape_score.store.tables import profiles_table, qc_table, write_parquet, write_tsv


def test_write_parquet_keeps_float64_and_text_as_it_is(tmp_path: Path) -> None:
    table = pd.DataFrame({"sample_id": ["=a\u202e"], "x": [1 / 3], "y": [np.nan]})
    write_parquet(tmp_path / "t.parquet", table)
    found = pd.read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(found, table, check_exact=True)


def test_tables_written_twice_are_the_same_bytes(demo: Profiles, tmp_path: Path) -> None:
    table = profiles_table(demo.scores, demo.profiles, demo.maker.flags, demo.reference)
    for folder in ("one", "two"):
        write_tsv(tmp_path / folder / "t.tsv", table)
        write_parquet(tmp_path / folder / "t.parquet", table)
    for name in ("t.tsv", "t.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_tsv_written_some_rows_at_a_time_is_the_same(
    demo: Profiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = demo.table()
    write_tsv(tmp_path / "whole.tsv", table)
    monkeypatch.setattr(tables, "ROWS_AT_A_TIME", 7)
    write_tsv(tmp_path / "parts.tsv", table)
    assert (tmp_path / "parts.tsv").read_bytes() == (tmp_path / "whole.tsv").read_bytes()


def test_tsv_holds_the_parquet_to_nine_digits(demo: Profiles, tmp_path: Path) -> None:
    table = profiles_table(demo.scores, demo.profiles, demo.maker.flags, demo.reference)
    write_tsv(tmp_path / "t.tsv", table)
    read = pd.read_csv(tmp_path / "t.tsv", sep="\t", keep_default_na=False, na_values=[""])
    numbers = table.select_dtypes("number")
    np.testing.assert_allclose(read[numbers.columns], numbers, rtol=5e-9)
    assert read["archetype"].fillna("").tolist() == [str(word) for word in table["archetype"]]


def test_qc_table_says_what_is_known_of_each_input(demo: Profiles) -> None:
    qc = qc_table(demo.scores, demo.profiles, demo.maker.flags, demo.reference, in_words=in_english)
    assert qc["sample_id"].tolist() == list(demo.scores.sample_ids)
    expected = {"unit", "n_genes", "coverage", "reference_distance", "flags", "flags_in_words", "status"}
    assert expected <= set(qc.columns)
    assert set(qc["unit"]) == {"counts"}
    assert qc["coverage"].between(0.9, 1).all()
    assert qc["flags_in_words"].str.contains("Counts were converted to TPM").all()
