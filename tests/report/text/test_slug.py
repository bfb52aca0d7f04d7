from __future__ import annotations

from collections.abc import Callable

import pytest

from escape_score.errors import ResultInvalidError
from escape_score.model.record import EscapeProfile
from escape_score.report.text.slug import checked_slug


def test_checked_slug_returns_a_file_name(make_profile: Callable[..., EscapeProfile]) -> None:
    profile = make_profile("TUM-0042-A")
    assert checked_slug(profile) == profile.slug


@pytest.mark.parametrize("slug", ["../../etc/passwd", "javascript:alert(1)", "A", "", "a\n", "a b", "//host"])
def test_checked_slug_refuses_what_is_no_file_name(
    make_profile: Callable[..., EscapeProfile], slug: str
) -> None:
    with pytest.raises(ResultInvalidError, match="not a file name of a sample"):
        checked_slug(make_profile(slug=slug))
