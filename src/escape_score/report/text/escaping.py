"""Text made safe for a page. Most of it stays as it is, which is found out faster than it is escaped."""

from __future__ import annotations

import re
from functools import partial

from markupsafe import Markup, escape

_needs_escaping = re.compile("[&<>\"']").search

safe: partial[Markup] = partial(str.__new__, Markup)
"""Mark a text of our own as markup: what ``Markup`` does, without a look at what it was given."""


def written(value: object) -> str:
    """What a page shows of a value: the same as ``escape``, without a new object for a text that stays."""
    if type(value) is Markup or (type(value) is str and _needs_escaping(value) is None):
        return value
    return escape(value)


def escaped(text: str) -> Markup:
    """Do what ``escape`` does with a text."""
    return safe(text) if _needs_escaping(text) is None else escape(text)
