"""Texts of a template translated when it is compiled, as an engine has one language."""

from __future__ import annotations

from jinja2 import nodes
from jinja2.ext import InternationalizationExtension
from jinja2.parser import Parser

from escape_score.report.text.i18n import Language


class ConstantTexts(InternationalizationExtension):
    """``{% trans %}`` of a text without variables is part of the template, not a call for every cell."""

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """Parse a ``trans`` tag; one with variables or a plural stays a call."""
        parsed = super().parse(parser)
        match parsed:
            case nodes.Output(
                nodes=[nodes.Call(node=nodes.Name(name="gettext"), args=[nodes.Const() as text], kwargs=[])]
            ):
                # the extension doubles percent signs, for texts with variables
                words: Language = self.environment.words  # type: ignore[attr-defined]  # by make_environment
                said = words.gettext(str(text.value)) % {}
                return nodes.Output([nodes.TemplateData(said)]).set_lineno(parsed.lineno)
        return parsed
