"""Texts of a template translated when it is compiled, as an engine has one language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2.ext import InternationalizationExtension
from jinja2.lexer import Token, TokenStream

from escape_score.report.text.i18n import Language

_TEXT = ("block_begin", "name", "block_end", "data", "block_begin", "name", "block_end")
"""Kinds of the tokens of ``{% trans %}text{% endtrans %}``."""
_LINE_BREAK = re.compile(r"\s*\n\s*")


class ConstantTexts(InternationalizationExtension):
    """``{% trans %}`` of a text without variables is part of the template, not a call for every cell."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Put the translation where the tag was; a tag with variables or a plural stays."""
        tokens = list(stream)
        at = 0
        while at < len(tokens):
            if _is_constant(tokens[at : at + len(_TEXT)]):
                yield Token(tokens[at].lineno, "data", self._translated(tokens[at + 3].value))
                at += len(_TEXT)
            else:
                yield tokens[at]
                at += 1

    def _translated(self, text: str) -> str:
        # as in a tag that stays, catalogues have one line with doubled percent signs
        message = _LINE_BREAK.sub(" ", text.strip()).replace("%", "%%")
        words: Language = self.environment.words  # type: ignore[attr-defined]  # by make_environment
        return words.gettext(message) % {}


def _is_constant(tokens: list[Token]) -> bool:
    kinds = tuple(token.type for token in tokens)
    return kinds == _TEXT and (tokens[1].value, tokens[5].value) == ("trans", "endtrans")
