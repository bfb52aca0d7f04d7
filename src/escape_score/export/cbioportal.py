"""Generic assays of cBioPortal: a data file and a meta file a profile, to lie in the folder of a study.

Fields and columns follow cBioPortal's documentation (docs.cbioportal.org/file-formats, "Generic Assay"); ids
may hold letters, digits, points, underscores and hyphens only, as its validator checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from escape_score.errors import UsageError
from escape_score.export.cells import MISSING, number, text
from escape_score.export.tables import (
    PUBLISHED_PREFIX,
    Entity,
    ResultTables,
    axis_entities,
    index_entity,
    published_entities,
)
from escape_score.model.record import slug_of

ASSAY_TYPE = "IMMUNE_ESCAPE"
NUMBERS = "LIMIT-VALUE"
PROPERTIES = ("NAME", "DESCRIPTION")
SAMPLE_IDS_FILE = "escape_score_sample_ids.tsv"
_BAD_ID = re.compile(r"[^A-Za-z0-9._-]+")
_STUDY_ID = re.compile(r"[a-z0-9_]+")
_TEXTS = {
    "phenotype": ("Phenotype", "How T cells lie in the tumour, as far as RNA tells"),
    "archetype": ("Archetype", "The leading way of escape"),
    "status": ("Status", "How far levels can be read against the reference"),
}


@dataclass(frozen=True)
class Assay:
    """One molecular profile of a study."""

    stable_id: str
    datatype: str
    profile_name: str
    profile_description: str
    lines: tuple[tuple[str, ...], ...]


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
        (numbers). Where an id cannot stand in cBioPortal, its sample has the name of its files instead, and a
        table of both ids is added.

    Raises
    ------
    UsageError
        The study's id has characters that cBioPortal does not take.
    """
    identifier = _study_id(tables.cohort) if study is None else study
    if not _STUDY_ID.fullmatch(identifier):
        msg = f"--study: {identifier!r} is no id of a study; use lower case letters, digits and _"
        raise UsageError(msg)
    files: dict[str, str] = {}
    for assay in (_mechanisms(tables), _calls(tables), _published(tables)):
        if assay.lines:
            files[f"meta_{assay.stable_id}.txt"] = _meta(assay, identifier)
            files[f"data_{assay.stable_id}.txt"] = _data(assay, tables)
    return files | _renamed(tables)


def portal_sample_id(sample_id: str) -> str:
    """Id of a sample in cBioPortal: its own where that can stand there, else the name of its files."""
    return slug_of(sample_id) if _BAD_ID.search(sample_id) else sample_id


def _study_id(cohort: str) -> str:
    """Name of a cohort as the id of a study."""
    return re.sub(r"[^a-z0-9_]+", "_", cohort.lower()).strip("_") or "escape_score"


def _mechanisms(tables: ResultTables) -> Assay:
    entities = (index_entity(), *axis_entities(tables))
    return Assay(
        "escape_score_mechanisms",
        NUMBERS,
        "Immune escape mechanisms (escape_score)",
        "Scores in standard deviations of the reference, index 0-100; larger = more resistance. Research use "
        f"only. escape_score {tables.package_version}",
        _lines(entities, lambda entity: [_decimal(value) for value in tables.profiles[entity.column]]),
    )


def _calls(tables: ResultTables) -> Assay:
    texts = [Entity(column, title, "", "", said) for column, (title, said) in _TEXTS.items()]
    calls = [
        Entity(f"{axis.column}_call", f"{axis.title}: call", axis.group, "", axis.description)
        for axis in axis_entities(tables)
    ]
    return Assay(
        "escape_score_calls",
        "CATEGORICAL",
        "Immune escape calls (escape_score)",
        "Mechanisms detected or not, and immune phenotype. Research use only. "
        f"escape_score {tables.package_version}",
        _lines((*texts, *calls), lambda entity: [_category(v) for v in tables.profiles[entity.column]]),
    )


def _published(tables: ResultTables) -> Assay:
    return Assay(
        "escape_score_published",
        NUMBERS,
        "Published immune scores (escape_score)",
        f"Scores by the formulas of their publications. escape_score {tables.package_version}",
        _lines(
            published_entities(tables),
            lambda entity: [_decimal(value) for value in tables.scores[entity.column]],
        ),
    )


def _lines(entities: Sequence[Entity], cells: Callable[[Entity], list[str]]) -> tuple[tuple[str, ...], ...]:
    """One line an entity: id, properties, one cell a sample."""
    return tuple(
        (_entity_id(entity.column), text(entity.title), text(entity.description), *cells(entity))
        for entity in entities
    )


def _entity_id(column: str) -> str:
    """An id that is unique in a whole portal."""
    name = column.removeprefix(PUBLISHED_PREFIX)
    return f"escape_score_{_BAD_ID.sub('_', name)}"


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
        "generic_assay_type": ASSAY_TYPE,
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


def _data(assay: Assay, tables: ResultTables) -> str:
    samples = [portal_sample_id(sample_id) for sample_id in tables.sample_ids]
    header = ("ENTITY_STABLE_ID", *PROPERTIES, *samples)
    return "".join("\t".join(line) + "\n" for line in (header, *assay.lines))


def _renamed(tables: ResultTables) -> dict[str, str]:
    """Both ids of every sample, where any had to be named anew."""
    pairs = [(text(sample_id), portal_sample_id(sample_id)) for sample_id in tables.sample_ids]
    if all(own == portal for own, portal in pairs):
        return {}
    lines = (("sample_id", "cbioportal_sample_id"), *pairs)
    return {SAMPLE_IDS_FILE: "".join("\t".join(line) + "\n" for line in lines)}
