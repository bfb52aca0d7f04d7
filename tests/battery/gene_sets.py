"""Gene sets of the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.battery.case import Blame, Case, Expect, Inputs, Make
from tests.battery.clean import SAMPLES, Clean
from tests.battery.grid import write, write_clean

CATEGORY = "gene_sets"

FAST = {"gene-repeated", "no-genes", "half-unknown", "traversal-name", "markup-name", "matrix"}

GMT = "MINE\tmy set\tCD8A\tCD8B\tGZMB\tPRF1\nYOURS\tyour set\tCOL1A1\tCOL1A2\tFAP\n"


def _gmt(content: str | bytes | Callable[[Clean], str], name: str = "g.gmt") -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        text = content(clean) if callable(content) else content
        return Inputs(write_clean(folder, clean), gene_sets=write(folder / name, text))

    return make


CLEAN = _gmt(GMT)


def _missing(folder: Path, clean: Clean) -> Inputs:
    return Inputs(write_clean(folder, clean), gene_sets=folder / "none.gmt")


def _directory(folder: Path, clean: Clean) -> Inputs:
    (folder / "g.gmt").mkdir()
    return Inputs(write_clean(folder, clean), gene_sets=folder / "g.gmt")


def _matrix(clean: Clean) -> str:
    rows = clean.tpm.head(50).itertuples(name=None)
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def _read() -> dict[str, Make]:
    return {
        "clean": CLEAN,
        "crlf": _gmt(GMT.replace("\n", "\r\n")),
        "byte-order-mark": _gmt("\ufeff" + GMT),
        "no-final-newline": _gmt(GMT.rstrip("\n")),
        "trailing-tabs": _gmt(GMT.replace("\n", "\t\t\t\n")),
        "blank-lines": _gmt("\n" + GMT.replace("\n", "\n\n")),
        "blanks-around-genes": _gmt(GMT.replace("CD8A", " CD8A ")),
        "other-order": _gmt("MINE\tmy set\tPRF1\tGZMB\tCD8B\tCD8A\nYOURS\tyour set\tFAP\tCOL1A2\tCOL1A1\n"),
        "ensembl-ids": _gmt(GMT.replace("CD8A", "ENSG00000153563")),
    }


def _flagged() -> dict[str, tuple[Make, str, bool]]:
    """Input, flag, and whether the numbers of the clean sets stay."""
    return {
        "gene-repeated": (_gmt(GMT.replace("CD8A", "CD8A\tCD8A\tCD8A")), "duplicate_gene_in_set", True),
        "no-description": (_gmt(GMT.replace("my set", "")), "gmt_no_description", True),
        "all-unknown": (_gmt(GMT + "ALIEN\tx\tFOO1X\tFOO2X\tFOO3X\n"), "gene_set_low_coverage", True),
        "half-unknown": (_gmt(GMT + "HALF\tx\tCD3D\tFOO2X\tFOO3X\tFOO4X\n"), "gene_set_low_coverage", True),
        "whole-genome": (
            _gmt(lambda clean: GMT + "\t".join(["ALL", "x", *clean.genes]) + "\n"),
            "gene_set_too_large",
            True,
        ),
    }


def _refused() -> dict[str, tuple[Make, str]]:
    return {
        "no-genes": (_gmt(GMT + "NOTHING\tx\n"), "NOTHING|empty|no gene"),
        "only-tabs": (_gmt(GMT + "NOTHING\tx\t\t\t\n"), "NOTHING|empty|no gene"),
        "unnamed": (_gmt(GMT + "\tx\tCD3D\n"), "name"),
        "named-twice": (_gmt(GMT + "MINE\tx\tCD3D\n"), "MINE|twice"),
        "shipped-name": (_gmt(lambda clean: _shipped_name() + "\tx\tCD3D\tCD3E\n"), "shipped"),
        "blank-delimited": (_gmt(GMT.replace("\t", " ")), "tab"),
        "comma-delimited": (_gmt(GMT.replace("\t", ",")), "tab"),
        "matrix": (_gmt(_matrix), "GMT|matrix"),
        "empty": (_gmt(""), "empty"),
        "blank": (_gmt("\n \n"), "empty"),
        "binary": (_gmt(b"\x00\x01\x02" * 99), "binary|text"),
        "latin": (_gmt(GMT.replace("my set", "jeu à moi").encode("latin-1")), "UTF-8"),
        "missing": (_missing, "not found|no such"),
        "folder": (_directory, "directory|folder"),
    }


def _shipped_name() -> str:
    from escape_score.library.gene_sets import load_signatures

    return load_signatures().signatures[0].signature_id


def _hostile() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name of a set, and text that no page may hold."""
    markup = "<script>alert(1)</script>"
    return {
        "traversal-name": ("../../PWNED", ()),
        "markup-name": (markup, (markup,)),
        "attribute-name": ('"><img src=x onerror=alert(1)>', ("<img src=x",)),
        "formula-name": ("=1+1", ()),
        "template-name": ("{{7*7}}", ()),
    }


def cases() -> Iterator[Case]:
    """Gene sets that are read, flagged, refused and made harmless."""
    for name, make in _read().items():
        yield Case(f"gene_sets-{name}", CATEGORY, make, Expect.SAME, reference=CLEAN)
    for name, (make, flag, stays) in _flagged().items():
        unchanged, fast = SAMPLES if stays else (), name in FAST
        yield Case(
            f"gene_sets-{name}",
            CATEGORY,
            make,
            Expect.WARN,
            flag=flag,
            unchanged=unchanged,
            reference=CLEAN,
            is_fast=fast,
        )
    for name, (make, word) in _refused().items():
        fast = name in FAST
        yield Case(f"gene_sets-{name}", CATEGORY, make, Expect.ERROR, (word,), Blame.GENE_SETS, is_fast=fast)
    for name, (text, forbidden) in _hostile().items():
        make = _gmt(f"{text}\t{text}\tCD8A\tCD8B\tGZMB\n")
        fast = name in FAST
        yield Case(f"gene_sets-{name}", CATEGORY, make, Expect.SANITISED, forbidden=forbidden, is_fast=fast)
