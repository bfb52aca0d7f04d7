"""Tables for eyes and for programs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.cli.outputs import ProfiledCohort
from escape_score.store.tables import profiles_table, qc_table, safe_cell, write_parquet, write_tsv


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "+1"),
        ("-0.5e-3", "-0.5e-3"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-", "'-"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\\u0009=1"),
        ("\r=1", "'\\u000d=1"),
        ("a\tb\nc", "a\\u0009b\\u000ac"),
        ("x\u202eexe", "x\u202eexe"),
        ("z\u200bw", "z\u200bw"),
        ("\ufeffa", "\ufeffa"),
        ("a\u2028b", "a\u2028b"),
        ("\x1b[31m", "\\u001b[31m"),
        ("β-catenin, “x”", "β-catenin, “x”"),
        ("", ""),
        ("00123", "00123"),
        ("NA", "NA"),
    ],
)
def test_safe_cell(text: str, shown: str) -> None:
    assert safe_cell(text) == shown


@given(st.text())
def test_safe_cell_never_starts_a_formula_nor_hides_a_character(text: str) -> None:
    shown = safe_cell(text)
    assert not shown.startswith(("=", "@", "\t", "\r"))
    is_number = re.fullmatch(r"[+-][\d.]+(e[+-]?\d+)?", shown, re.IGNORECASE)
    assert is_number or not shown.startswith(("+", "-"))
    assert not any(ord(c) < 32 or 0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in shown)


def test_write_tsv_has_nine_digits_and_empty_for_missing(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "sample_id": ["=a", "b\tc", 'q"t'],
            "x": [1 / 3, np.nan, 123456789.123],
            "n": [1, 2, 3],
            "word": ["", "ok", "NA"],
        }
    )
    write_tsv(tmp_path / "t.tsv", table)
    assert (tmp_path / "t.tsv").read_bytes().decode() == (
        'sample_id\tx\tn\tword\n\'=a\t0.333333333\t1\t\nb\\u0009c\t\t2\tok\n"q""t"\t123456789\t3\tNA\n'
    )
    assert table["sample_id"].tolist() == ["=a", "b\tc", 'q"t']


def test_write_tsv_makes_column_names_safe(tmp_path: Path) -> None:
    write_tsv(tmp_path / "t.tsv", pd.DataFrame({"=HYPERLINK(1)": [1.0], "a\nb": [2.0]}))
    assert (tmp_path / "t.tsv").read_text(encoding="utf-8") == "'=HYPERLINK(1)\ta\\u000ab\n1\t2\n"


def test_write_parquet_keeps_float64_and_text_as_it_is(tmp_path: Path) -> None:
    table = pd.DataFrame({"sample_id": ["=a\u202e"], "x": [1 / 3], "y": [np.nan]})
    write_parquet(tmp_path / "t.parquet", table)
    found = pd.read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(found, table, check_exact=True)


def test_tables_written_twice_are_the_same_bytes(demo: ProfiledCohort, tmp_path: Path) -> None:
    table = profiles_table(demo.scores, demo.profiles, demo.maker.flags, demo.reference)
    for folder in ("one", "two"):
        write_tsv(tmp_path / folder / "t.tsv", table)
        write_parquet(tmp_path / folder / "t.parquet", table)
    for name in ("t.tsv", "t.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_tsv_holds_the_parquet_to_nine_digits(demo: ProfiledCohort, tmp_path: Path) -> None:
    table = profiles_table(demo.scores, demo.profiles, demo.maker.flags, demo.reference)
    write_tsv(tmp_path / "t.tsv", table)
    read = pd.read_csv(tmp_path / "t.tsv", sep="\t", keep_default_na=False, na_values=[""])
    numbers = table.select_dtypes("number")
    np.testing.assert_allclose(read[numbers.columns], numbers, rtol=5e-9)
    assert read["archetype"].fillna("").tolist() == [str(word) for word in table["archetype"]]


def test_qc_table_says_what_is_known_of_each_input(demo: ProfiledCohort) -> None:
    qc = qc_table(demo.scores, demo.profiles, demo.maker.flags, demo.reference)
    assert qc["sample_id"].tolist() == list(demo.scores.sample_ids)
    expected = {"unit", "n_genes", "coverage", "reference_distance", "flags", "flags_in_words", "status"}
    assert expected <= set(qc.columns)
    assert set(qc["unit"]) == {"counts"}
    assert qc["coverage"].between(0.9, 1).all()
    assert qc["flags_in_words"].str.contains("Counts were turned into TPM").all()
