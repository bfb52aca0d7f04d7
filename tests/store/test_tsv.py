"""Tables for eyes and spreadsheets."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.store.tables import FLOAT_FORMAT, safe_cell, write_tsv


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
def test_safe_cell_never_starts_a_formula_nor_holds_a_control_character(text: str) -> None:
    shown = safe_cell(text)
    assert not shown.startswith(("=", "@", "\t", "\r"))
    is_number = re.fullmatch(r"[+-][\d.]+(e[+-]?\d+)?", shown, re.IGNORECASE)
    assert is_number or not shown.startswith(("+", "-"))
    assert not any(ord(c) < 32 for c in shown)


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


FLOATS = st.floats(allow_infinity=False, width=64)
COLUMNS = st.lists(st.lists(FLOATS, min_size=3, max_size=3), min_size=1, max_size=5)


@given(numbers=COLUMNS, words=st.lists(st.sampled_from(["nan", "a b", '"', ""]), min_size=3, max_size=3))
def test_write_tsv_writes_what_pandas_writes(
    numbers: list[list[float]], words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tsv")
    table = pd.DataFrame({f"x{i}": column for i, column in enumerate(numbers)})
    table.insert(len(numbers) // 2, "word", words)
    table["n"], table["is_it"] = [1, -2, 3], [True, False, True]
    write_tsv(folder / "ours.tsv", table)
    table.to_csv(folder / "pandas.tsv", sep="\t", index=False, float_format=FLOAT_FORMAT)
    assert (folder / "ours.tsv").read_bytes() == (folder / "pandas.tsv").read_bytes()
