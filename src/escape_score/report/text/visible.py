"""Text from outside made safe to look at: what would be invisible or reorder a line is shown as an escape.

HTML escaping is a separate matter and is left to the templates' autoescape.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NewType

from pydantic_core import PydanticSerializationError

from escape_score.errors import ResultInvalidError
from escape_score.model.record import EscapeProfile, NoteRecord

if TYPE_CHECKING:
    from pydantic.main import IncEx

# Printable by category, yet drawn as nothing: Default_Ignorable_Code_Point of Unicode's
# DerivedCoreProperties.txt outside the categories C* and Z*, and the blank braille cell.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Bytes of JSON that hide nothing: no text has a line break in it there, and a backslash may begin an escape.
_VISIBLE_ASCII = bytes({*range(ord(" "), ord("~") + 1), ord("\n")} - {ord("\\")})
_LAST_OF_FOUR_DIGITS = 0xFFFF
_SLUG = re.compile(r"[a-z0-9-]+")


def checked_slug(profile: EscapeProfile) -> str:
    """Return the slug of a profile, which links and file names are made of: matches ``[a-z0-9-]+``."""
    if _SLUG.fullmatch(profile.slug):
        return profile.slug
    message = (
        f"{profile.slug!r}: is not a file name of a sample ([a-z0-9-]+); "
        "run escape-score again to write the profile anew"
    )
    raise ResultInvalidError(message)


def visible_text(text: str) -> str:
    r"""Show control, bidirectional, surrogate and blank characters as escapes, such as ``a\u202eb``.

    An ASCII space is the only blank that stays.
    """
    if text.isprintable() and not _BLANK.search(text):
        return text
    return "".join(_visible_character(character) for character in text)


VisibleProfile = NewType("VisibleProfile", EscapeProfile)
"""A record without invisible characters."""


def visible_profile(profile: EscapeProfile, *, shown: IncEx | None = None) -> VisibleProfile:
    """Apply :func:`visible_text` to every text of a record, so that no view can forget one.

    ``shown``: parts of the record that a view shows, as ``include`` of pydantic names them; all if None.
    A record of which only other parts have hidden characters is given back as it is.
    """
    if _is_visible(profile, shown):
        return VisibleProfile(profile)
    return VisibleProfile(EscapeProfile.model_validate(_visible_tree(profile.model_dump(mode="json"))))


def visible_note(note: NoteRecord) -> NoteRecord:
    """Apply :func:`visible_text` to every text of a note."""
    return NoteRecord.model_validate(_visible_tree(note.model_dump(mode="json")))


def _is_visible(profile: EscapeProfile, shown: IncEx | None) -> bool:
    """Whether all texts can stay; one look at the JSON, as walking a record costs more than its page."""
    try:
        return is_visible_json(profile.model_dump_json(include=shown).encode())
    except PydanticSerializationError:
        return False


def is_visible_json(content: bytes) -> bool:
    """Whether :func:`visible_text` keeps all texts of JSON in UTF-8; false also where escapes hide that."""
    beyond = content.translate(None, delete=_VISIBLE_ASCII).decode()
    return "\\" not in beyond and beyond.isprintable() and not _BLANK.search(beyond)


def _visible_character(character: str) -> str:
    if character.isprintable() and not _BLANK.match(character):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"


def _visible_tree(node: object) -> object:
    """Walk dumped JSON; keys are texts from outside too."""
    if isinstance(node, str):
        return visible_text(node)
    if isinstance(node, dict):
        return {visible_text(str(key)): _visible_tree(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_visible_tree(value) for value in node]
    return node
