"""Names of samples: text to the last character, and never a path, markup, formula or command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.battery.case import Case, Expect, Inputs, Make
from tests.battery.clean import Clean
from tests.battery.grid import Grid, write

CATEGORY = "sample_names"

RENAMED = "Pat02"

FAST = {"traversal", "markup", "shell", "leading-zeros", "na", "formula", "empty", "case-only"}

TEXT = {
    "leading-zeros": "00123",
    "na": "NA",
    "nan": "nan",
    "none": "None",
    "true": "TRUE",
    "exponent": "1e5",
    "integer": "7",
    "decimal": "1.0",
    "date": "2021-03-01",
    "accent": "Société-é",
    "combining": "e\u0301tude",
    "emoji": "🧬tumour",
    "chinese": "患者一",
    "dot-inside": "Pat.02",
    "hash": "#1",
    "long-digits": "12345678901234567890123",
}
"""Names that a reader may take for something else; first columns of tables hold them as they are."""

HOSTILE = {
    "traversal": "../../PWNED/x",
    "backslash": "..\\..\\PWNED",
    "slash": "a/b",
    "absolute": "/tmp/PWNED",
    "dot": ".",
    "two-dots": "..",
    "windows-device": "CON",
    "windows-extension": "aux.tsv",
    "colon": "a:b",
    "star": "a*b?",
    "percent": "%2e%2e%2fPWNED",
    "format": "%s%n{0}",
    "shell": "$(mkdir PWNED)",
    "backticks": "`mkdir PWNED`",
    "semicolon": "a;mkdir PWNED",
    "ampersand": "a&&b",
    "wildcard": "{sample}",
    "template": "{{ 7*7 }}",
    "template-block": "{% raw %}",
    "tilde": "~root",
    "prototype": "__proto__",
    "markup": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "script-end": "</script><script>alert(2)</script>",
    "comment-end": "<!-- --><b>",
    "entity": "&lt;b&gt;",
    "apostrophe": "O'Brien",
    "js-template": "${alert(4)}",
    "javascript": "javascript:alert(5)",
    "markdown": "[x](javascript:alert(6))",
    "right-to-left": "\u202egnp.lmth",
    "zero-width": "Pt\u200b1",
    "long": "y" * 300,
    "trailing-dot": "Pt1.",
    "inner-blanks": "Pt 1  a",
    "outer-blanks": " Pt 1 ",
    "quotes": 'a"b""c',
    "sql": "x'); DROP TABLE s;--",
}

REFUSED = {
    "empty": ("", "sample name|empty"),
    "blank": (" ", "sample name|empty"),
    "formula": ("=1+1", "formula"),
    "formula-command": ("=cmd|' /C calc'!A0", "formula"),
    "formula-plus": ("+1+1", "formula"),
    "formula-at": ("@SUM(1+1)", "formula"),
    "formula-minus": ("-1+1", "formula"),
    "bell": ("Pt\x071", "control"),
    "escape": ("Pt\x1b[31m", "control"),
    "too-long": ("y" * 5000, "long|characters"),
}

COLLISIONS = {
    "case-only": ("pat", "PAT"),
    "same-start": ("z" * 120 + "1", "z" * 120 + "2"),
    "same-slug": ("a b", "a-b"),
    "no-letters": ("***", "???"),
    "composed": ("é", "e\u0301"),
}


def _named(*names: str, with_sheet: bool = False) -> Make:
    """Give the first samples other names."""

    def make(folder: Path, clean: Clean) -> Inputs:
        grid = Grid.of_clean(clean)
        grid.header[1 : 1 + len(names)] = [_quoted(name) for name in names]
        matrix = write(folder / "m.tsv", grid.text())
        if not with_sheet:
            return Inputs(matrix)
        rows = "".join(f"{name}\tR\n" for name in grid.header[1:])
        return Inputs(matrix, samples=write(folder / "s.tsv", "sample_id\tresponse\n" + rows))

    return make


def _quoted(name: str) -> str:
    """A cell as a program writes it that minds quotes."""
    return '"' + name.replace('"', '""') + '"' if '"' in name else name


def _markup_in(name: str) -> tuple[str, ...]:
    return (name,) if "<" in name else ()


def _renames(*names: str) -> Mapping[str, str]:
    return dict(zip(names, ("Pat02", "Pat19"), strict=False))


def cases() -> Iterator[Case]:
    """Names kept as text, names made harmless, names refused."""
    for name, text in TEXT.items():
        make, fast = _named(text), name in FAST
        yield Case(f"sample_names-{name}", CATEGORY, make, Expect.SAME, renamed=_renames(text), is_fast=fast)
    for at, (name, text) in enumerate(HOSTILE.items()):
        yield Case(
            f"sample_names-{name}",
            CATEGORY,
            _named(text, with_sheet=at % 2 == 0),
            Expect.SANITISED,
            renamed=_renames(text),
            forbidden=_markup_in(text),
            is_fast=name in FAST,
        )
    for name, pair in COLLISIONS.items():
        yield Case(
            f"sample_names-collision-{name}",
            CATEGORY,
            _named(*pair),
            Expect.SANITISED,
            renamed=_renames(*pair),
            is_fast=name in FAST,
        )
    for name, (text, word) in REFUSED.items():
        make, fast = _named(text), name in FAST
        yield Case(f"sample_names-{name}", CATEGORY, make, Expect.ERROR, mention=(word,), is_fast=fast)
