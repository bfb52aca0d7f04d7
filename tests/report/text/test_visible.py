from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.errors import ResultInvalidError
from escape_score.model.record import EscapeProfile
from escape_score.report.text.visible import (
    checked_slug,
    is_visible_json,
    visible_profile,
    visible_text,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("TUM-0042 é 肿瘤", "TUM-0042 é 肿瘤"),
        ("a\u202eb", "a\\u202eb"),
        ("a\x00b\n", "a\\u0000b\\u000a"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("a\u00a0b", "a\\u00a0b"),
        ("\ud800", "\\ud800"),
        ("\u3164", "\\u3164"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_visible_text_escapes_what_cannot_be_seen(text: str, shown: str) -> None:
    assert visible_text(text) == shown


@given(st.text())
def test_visible_text_leaves_no_control_or_format_character(text: str) -> None:
    shown = visible_text(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown.encode("utf-8")


@given(st.text())
def test_visible_text_is_idempotent(text: str) -> None:
    assert visible_text(visible_text(text)) == visible_text(text)


def test_visible_profile_reaches_nested_texts_and_keys(make_profile: Callable[..., EscapeProfile]) -> None:
    profile = make_profile(metadata={"\u202ekey": "value\x07", "number": 1.5, "truth": True})
    assert visible_profile(profile).metadata == {"\\u202ekey": "value\\u0007", "number": 1.5, "truth": True}


@given(st.text(st.characters(codec="utf-8")), st.sampled_from([None, 1]))
def test_is_visible_json_never_misses_a_hidden_character(text: str, indent: int | None) -> None:
    is_visible = is_visible_json(json.dumps({text: [text]}, ensure_ascii=False, indent=indent).encode())
    assert not is_visible or visible_text(text) == text
    # a quotation mark or a backslash is visible, but written with a backslash
    assert is_visible or visible_text(text) != text or set(text) & {'"', "\\"}


@pytest.mark.parametrize("text", ["a\u202eb", "a\x7fb", "a\nb", "\u3164", "\U000e0100"])
@pytest.mark.parametrize("is_ascii", [False, True])
def test_is_visible_json_finds_what_is_raw_and_what_is_escaped(text: str, is_ascii: bool) -> None:
    written = json.dumps([text], ensure_ascii=is_ascii)
    assert not is_visible_json(written.encode())


def test_visible_profile_keeps_a_clean_profile(make_profile: Callable[..., EscapeProfile]) -> None:
    profile = make_profile()
    assert visible_profile(profile) == profile


def test_checked_slug_returns_a_file_name(make_profile: Callable[..., EscapeProfile]) -> None:
    profile = make_profile("TUM-0042-A")
    assert checked_slug(profile) == profile.slug


@pytest.mark.parametrize("slug", ["../../etc/passwd", "javascript:alert(1)", "A", "", "a\n", "a b", "//host"])
def test_checked_slug_refuses_what_is_no_file_name(
    make_profile: Callable[..., EscapeProfile], slug: str
) -> None:
    with pytest.raises(ResultInvalidError, match="not a file name of a sample"):
        checked_slug(make_profile(slug=slug))
