"""Gene identifiers that are recognised by their spelling alone."""

from __future__ import annotations

import re
from datetime import date, timedelta

# ENSG00000182378, with ".14", "_2" (lifted over) and "_PAR_Y" behind it. GENCODE wrote the copies on the Y
# chromosome as ENSGR0000182378 until release 24: the R takes the place of a zero.
_ENSEMBL = re.compile(
    r"ENSG(?:R(?P<par>\d{10})|(?P<plain>\d{11}))(?:\.\d+)?(?:_\d+)?(?:_PAR_Y)?", re.IGNORECASE
)
# 3105, "3105.0" of a table that went through floating point, and NCBI's placeholder symbol LOC3105.
_ENTREZ = re.compile(r"(?:LOC)?(?P<number>[1-9]\d{0,9})(?:\.0+)?")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)"
_DATE = re.compile(
    rf"\d{{1,2}}[-/ ]{_MONTH}(?:[-/ ]\d{{2,4}})?"  # 1-Mar, 1-Mar-01
    rf"|{_MONTH}[-/ ]\d{{1,4}}"  # Mar-01
    r"|\d{4}-\d{2}-\d{2}(?:[ T]00:00:00(?:\.0+)?)?"  # 2001-03-01
    r"|\d{1,2}([/.])\d{1,2}\1\d{2,4}",  # 3/1/2001, 01.03.2001
    re.IGNORECASE,
)

_SERIAL_ORIGIN = date(1899, 12, 30)
"""Day 0 of a spreadsheet's serial numbers, as they count after February 1900."""
_SERIAL_YEARS = range(1990, 2041)
_LAST_DAY_OF_SYMBOL = {3: 11, 9: 15, 12: 1}
"""Month to highest number of the symbols read as its days: MARCH1-11, SEPT1-14 and SEP15, DEC1."""


def ensembl_gene_id(name: str) -> str | None:
    """Return the bare Ensembl gene id, ``ENSG`` and 11 digits, or None if the name is not a human one.

    The name may have a version or pseudoautosomal mark, such as ``ENSG00000206503.13``,
    ``ENSG00000182378.14_PAR_Y`` or ``ENSGR0000182378``.
    """
    match = _ENSEMBL.fullmatch(name)
    return None if match is None else f"ENSG{match['plain'] or '0' + match['par']}"


def entrez_id(name: str) -> str | None:
    """Return the digits of an NCBI Gene id written as ``3105``, ``3105.0`` or ``LOC3105``, else None."""
    match = _ENTREZ.fullmatch(name)
    return None if match is None else match["number"]


def is_excel_date(name: str) -> bool:
    """Whether a name looks like a date, such as ``1-Mar``, ``Sep-02`` or ``2001-03-01``."""
    return name[:1].isascii() and _DATE.fullmatch(name) is not None


def is_excel_serial(number: str) -> bool:
    """Whether digits are a spreadsheet's serial number of a day that a gene symbol is turned into.

    These are 1-11 March, 1-15 September and 1 December, such as ``43891`` (1 March 2020), of 1990 to 2040,
    since a spreadsheet fills in the year of typing.
    """
    if len(number) != len("43891"):
        return False
    day = _SERIAL_ORIGIN + timedelta(days=int(number))
    return day.year in _SERIAL_YEARS and day.day <= _LAST_DAY_OF_SYMBOL.get(day.month, 0)
