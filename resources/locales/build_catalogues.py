"""Gather every text that a page can show into the catalogues in ``src/escape_score/report/locales/``.

    python resources/locales/build_catalogues.py

Texts come from the templates and modules of the report and from the resources whose texts a record carries.
What a catalogue has translated stays; what is new is left empty, what is gone is removed. A test fails
while a text has no translation.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import yaml
from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "src" / "escape_score" / "report"
LOCALES = REPORT / "locales"
AXIS_TEXTS = ("title", "group", "mechanism", "adjusted_for", "meaning", "limits")
QUANTITY_TEXTS = ("title", "cells", "meaning", "limits")
APPROACH_TEXTS = ("approach", "statement", "setting")
TUMOUR_TYPE_TEXTS = ("name",)
PUBLISHED_TEXTS = ("title", "unit", "differs")
REFERENCE_TEXTS = ("description", "assay", "tumour_type", "limits")
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
DROPPED = tuple(
    f'"{name}'.encode() for name in ("POT-", "PO-Rev", "Report-", "Last-", "Language-Team", "Generated-")
)
"""Fields of the header that name nobody, or when and with what it was made."""

JINJA = {"trimmed": "true", "newstyle_gettext": "true"}

Message = str | tuple[str, ...]


def main() -> None:
    """Write every catalogue anew."""
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/escape_score.po")):
        path.write_bytes(renewed(path))


def renewed(path: Path) -> bytes:
    """Content of a catalogue with all texts of today and its own translations."""
    lang = path.parts[-3]
    old = read_po(io.BytesIO(path.read_bytes()), locale=lang)
    new = Catalog(locale=lang, project="escape-score", version="1", fuzzy=False)
    new.creation_date = new.revision_date = old.creation_date
    for message in messages():
        known = old.get(message if isinstance(message, str) else message[0])
        new.add(message, known.string if known is not None else None)
    out = io.BytesIO()
    write_po(out, new, width=110, sort_output=False, omit_header=False, ignore_obsolete=True)
    _, _, rest = out.getvalue().partition(b"msgid")
    kept = [line for line in (b"msgid" + rest).split(b"\n") if not line.startswith(DROPPED)]
    return b"# Texts of the reports; made by resources/locales/build_catalogues.py.\n" + b"\n".join(kept)


def messages() -> list[Message]:
    """All texts, each once, in the order of their sources."""
    found = (*texts_of_code(), *texts_of_resources())
    singular: dict[str, Message] = {}
    for message in found:
        key = message if isinstance(message, str) else message[0]
        if not isinstance(singular.get(key), tuple):
            singular[key] = message
    return list(singular.values())


def texts_of_code() -> Iterator[Message]:
    """Texts marked in the modules and templates of the report."""
    sources = [("python", path) for path in sorted(REPORT.rglob("*.py"))]
    sources += [("jinja2", path) for path in sorted(REPORT.rglob("*.j2"))]
    for method, path in sources:
        with path.open("rb") as handle:
            options = JINJA if method == "jinja2" else {}
            for _, message, _, _ in extract(method, handle, keywords=KEYWORDS, options=options):
                yield message


def texts_of_resources(resources: Path = ROOT / "resources") -> Iterator[str]:
    """Texts that a record carries."""
    axes = yaml.safe_load((resources / "axes" / "axes.yaml").read_text(encoding="utf-8"))["axes"]
    tables = (
        (axes, AXIS_TEXTS),
        (rows_of(resources / "axes" / "approaches.tsv"), APPROACH_TEXTS),
        (rows_of(resources / "axes" / "composition.tsv"), ("title",)),
        (rows_of(resources / "axes" / "targets.tsv"), ("name",)),
        (rows_of(resources / "cells" / "quantities.tsv"), QUANTITY_TEXTS),
        (rows_of(resources / "tumour_types.tsv"), TUMOUR_TYPE_TEXTS),
        (rows_of(resources / "genesets" / "published.tsv"), PUBLISHED_TEXTS),
        *(
            ([yaml.safe_load(path.read_text(encoding="utf-8"))], REFERENCE_TEXTS)
            for path in sorted((resources / "reference").glob("*/reference.json"))
        ),
    )
    for rows, columns in tables:
        for row in rows:
            yield from (" ".join(row[column].split()) for column in columns if row.get(column))


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a table of the resources."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


if __name__ == "__main__":
    main()
