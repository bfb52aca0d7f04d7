"""File names of samples, checked before they become links."""

from __future__ import annotations

import re

from escape_score.errors import ResultInvalidError
from escape_score.model.record import EscapeProfile

_SLUG = re.compile(r"[a-z0-9-]+")


def checked_slug(profile: EscapeProfile) -> str:
    """Return the slug of a profile, which links and file names are made of.

    Matches ``[a-z0-9-]+``.
    """
    if _SLUG.fullmatch(profile.slug):
        return profile.slug
    message = (
        f"{profile.slug!r}: is not a file name of a sample ([a-z0-9-]+); "
        "run escape-score again to write the profile anew"
    )
    raise ResultInvalidError(message)
