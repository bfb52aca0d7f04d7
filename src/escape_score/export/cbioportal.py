"""Generic assays of cBioPortal: a data file and a meta file a profile, for the folder of a study.

Fields and columns follow cBioPortal's documentation (docs.cbioportal.org/file-formats, "Generic Assay"); ids
may hold letters, digits, points, underscores and hyphens only, as its validator checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from escape_score.errors import UsageError
from escape_score.export.tables import (
    CALL_TEXTS,
    MISSING,
    PUBLISHED_PREFIX,
    Entity,
    ResultTables,
    axis_entities,
    called_entities,
    index_entity,
    number,
    published_entities,
    text,
)
from escape_score.model.record import slug_of

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = "LIMIT-VALUE"
PROPERTIES = ("NAME", "DESCRIPTION")
SAMPLE_IDS_FILE = "escape_score_sample_ids.tsv"
_BAD_ID = re.compile(r"[^A-Za-z0-9._-]+")
_STUDY_ID = re.compile(r"[a-z0-9_]+")


class Assay(NamedTuple):
    """One molecular profile of a study: some columns of a table."""

    stable_id: str
    datatype: str
    profile_name: str
    profile_description: str
    entities: Sequence[Entity]
    values: pd.DataFrame

    def lines(self) -> Iterator[tuple[str, ...]]:
        """One line an entity: id that is unique in a whole portal, properties, one cell a sample."""
        cell = _decimal if self.datatype == NUMBERS else _category
        for one in self.entities:
            name = _BAD_ID.sub("_", one.column.removeprefix(PUBLISHED_PREFIX))
            described = (text(one.title), text(one.description))
            yield f"escape_score_{name}", *described, *map(cell, self.values[one.column])


def cbioportal_files(tables: ResultTables, *, study: str | None = None) -> dict[str, str]:
    """Write generic assays for a study of cBioPortal.

    Parameters
    ----------
    tables
        Of one cohort.
    study
        ``cancer_study_identifier``; made from the cohort's name where None.

    Returns
    -------
    dict of str to str
        Data and meta files of the mechanisms (numbers), their calls (categories) and the published scores
        (numbers), by name. Where an id is not allowed in cBioPortal, its sample has the name of its files
        instead, and a table of both ids is added.

    Raises
    ------
    UsageError
        The study's id has characters that cBioPortal does not take.
    """
    of_cohort = re.sub(r"[^a-z0-9_]+", "_", tables.cohort.lower()).strip("_") or "escape_score"
    identifier = of_cohort if study is None else study
    if not _STUDY_ID.fullmatch(identifier):
        msg = f"--study: {identifier!r} is no id of a study; use lower case letters, digits and _"
        raise UsageError(msg)
    files: dict[str, str] = {}
    header = ("ENTITY_STABLE_ID", *PROPERTIES, *map(portal_sample_id, tables.sample_ids))
    for assay in (_mechanisms(tables), _calls(tables), _published(tables)):
        if assay.entities:
            files[f"meta_{assay.stable_id}.txt"] = _meta(assay, identifier)
            files[f"data_{assay.stable_id}.txt"] = _tsv((header, *assay.lines()))
    return files | _renamed(tables)


def portal_sample_id(sample_id: str) -> str:
    """Id of a sample in cBioPortal: its own where that is allowed, else the name of its files."""
    return slug_of(sample_id) if _BAD_ID.search(sample_id) else sample_id


def _mechanisms(tables: ResultTables) -> Assay:
    return Assay(
        "escape_score_mechanisms",
        NUMBERS,
        "Immune escape mechanisms (escape_score)",
        "Scores in standard deviations of the reference, index 0-100; larger = more resistance. Research use "
        f"only. escape_score {tables.package_version}",
        (index_entity(), *axis_entities(tables)),
        tables.profiles,
    )


def _calls(tables: ResultTables) -> Assay:
    texts = (Entity(column, title, "", "", words) for column, (title, words) in CALL_TEXTS.items())
    calls = (
        axis._replace(column=f"{axis.column}_call", title=f"{axis.title}: call")
        for axis in called_entities(tables)
    )
    return Assay(
        "escape_score_calls",
        "CATEGORICAL",
        "Immune escape calls (escape_score)",
        "Mechanisms detected, borderline or not, and immune phenotype. Research use only. "
        f"escape_score {tables.package_version}",
        (*texts, *calls),
        tables.profiles,
    )


def _published(tables: ResultTables) -> Assay:
    return Assay(
        "escape_score_published",
        NUMBERS,
        "Published immune scores (escape_score)",
        f"Scores by the formulas of their publications. escape_score {tables.package_version}",
        published_entities(tables),
        tables.scores,
    )


def _decimal(value: float) -> str:
    """A number with decimals: the validator warns of whole numbers, as if they had been cut off."""
    cell = number(value)
    return f"{cell}.0" if cell.lstrip("-").isdigit() else cell


def _category(value: str) -> str:
    return MISSING if value == "not_evaluable" else text(value)


def _meta(assay: Assay, study: str) -> str:
    fields = {
        "cancer_study_identifier": study,
        "genetic_alteration_type": "GENERIC_ASSAY",
        "generic_assay_type": "IMMUNE_ESCAPE",
        "datatype": assay.datatype,
        "stable_id": assay.stable_id,
        "profile_name": assay.profile_name,
        "profile_description": assay.profile_description,
        "data_filename": f"data_{assay.stable_id}.txt",
        "show_profile_in_analysis_tab": "true",
        "generic_entity_meta_properties": ",".join(PROPERTIES),
    }
    if assay.datatype == NUMBERS:
        fields["value_sort_order"] = "DESC"
    return "".join(f"{name}: {text(value)}\n" for name, value in fields.items())


def _tsv(lines: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(line) + "\n" for line in lines)


def _renamed(tables: ResultTables) -> dict[str, str]:
    """Both ids of every sample, where any had to be named anew."""
    pairs = [(text(sample_id), portal_sample_id(sample_id)) for sample_id in tables.sample_ids]
    if all(own == portal for own, portal in pairs):
        return {}
    return {SAMPLE_IDS_FILE: _tsv([("sample_id", "cbioportal_sample_id"), *pairs])}
