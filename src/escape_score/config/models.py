"""Every key of a config, with its default, range and meaning."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from escape_score.config.formula import ModelFormula, formula_of, parse_formula
from escape_score.errors import ConfigInvalidError, did_you_mean
from escape_score.model.arguments import MAX_SHOWN
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, Engine, MethodChoice, MethodName, Ties
from escape_score.model.units import ExpressionUnit

VALUE_ERROR = "Value error, "
"""What pydantic puts before the words of a check of ours."""
_OPTIONS = MappingProxyType({"groups": "group_by"})
"""Options of the command line that are not called like their key."""

MOST_OWN_THREADS = 4
"""Threads from which on a run waits for its file and its last steps."""


class ConfigModel(BaseModel):
    """Base of all config blocks: unknown keys are errors, nothing is converted, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ReadConfig(ConfigModel):
    """Options of the stage ``read``."""

    max_samples: int = Field(20_000, ge=1, le=1_000_000, description="Most samples a matrix may have.")
    max_genes: int = Field(100_000, ge=1, le=1_000_000, description="Most gene rows a matrix may have.")
    max_file_mb: int = Field(4096, ge=1, le=1_000_000, description="Largest file, in MiB.")
    max_expanded_mb: int = Field(
        8192, ge=1, le=1_000_000, description="Largest content after decompression, in MiB."
    )
    max_expansion_ratio: int = Field(
        200, ge=1, le=100_000, description="Most a file may grow by decompression, as a multiple."
    )
    transpose: bool = Field(False, description="Whether samples are in rows and genes in columns.")
    sheet: str | None = Field(None, min_length=1, description="Sheet of a workbook that is the matrix.")
    layer: str | None = Field(None, min_length=1, description="Layer of an h5ad; X where empty.")
    strand: Literal["auto", "unstranded", "forward", "reverse"] = Field(
        "auto", description="Strandedness of the library, for gene counts of STAR."
    )
    as_samples: bool = Field(
        False, description="Whether each row is one sample, even if rows look like single cells."
    )
    columns: list[str] = Field(
        [], description="Columns of the sample sheet under other names, each as ours=theirs."
    )


class CellsConfig(ConfigModel):
    """How single cells are read: columns of obs, gates, and how cells are labelled and drawn."""

    sample_column: str | None = Field(
        None,
        min_length=1,
        description="Column of obs with the sample of each cell; a file is one sample where empty.",
    )
    patient_column: str | None = Field(
        None,
        min_length=1,
        description="Column of obs with the patient; where empty, patient_id or donor_id, else the sample.",
    )
    cell_type_column: str | None = Field(
        None,
        min_length=1,
        description="Column of obs with the type of each cell; found from genes where empty.",
    )
    layer: str | None = Field(None, min_length=1, description="Layer with counts, or raw; X where empty.")
    cell_types: Path | None = Field(
        None, description="TSV of labels and their compartments, for labels of your own."
    )
    malignant_lineage: Literal["auto", "epithelial", "mesenchymal", "melanocytic", "glial", "any"] = Field(
        "auto", description="Which cells can be malignant."
    )
    umap: bool = Field(False, description="Whether a map of each patient's cells is drawn.")
    h5ad: bool = Field(False, description="Whether all cells are written as cells.h5ad, with labels and map.")
    min_umi: int = Field(200, ge=0, le=100_000, description="Fewest counts of a cell, over all its genes.")
    min_genes: int = Field(100, ge=0, le=20_000, description="Fewest genes detected in a cell.")
    max_mitochondrial: float = Field(
        0.25, ge=0, le=1, description="Largest share of a cell's counts in genes of the mitochondrion (MT-)."
    )
    min_cells: int = Field(
        50, ge=1, le=1_000_000, description="Fewest cells of a sample after the gates; others are not scored."
    )

    def require_label_column(self) -> None:
        """Refuse labels of the user's own without the column that has them.

        The command line can complete a file, so this is asked when both are known. Raises ConfigInvalidError.
        """
        if self.cell_types is not None and self.cell_type_column is None:
            msg = "labels of your own need the column that has them; name it with cell_type_column"
            option = f"cell_types {self.cell_types}"
            raise ConfigInvalidError.at(option, f"{msg} (--cell-type-column)")


class HarmoniseConfig(ConfigModel):
    """Options of the stage ``harmonise``."""

    gene_lengths: Path | None = Field(
        None, description="TSV of gene lengths in bp for counts; the shipped lengths where empty."
    )
    lengths_from_positions: bool = Field(
        False, description="Take end - start + 1 of that file as length, introns included."
    )


class ScoreConfig(ConfigModel):
    """Options of the stage ``score``."""

    gene_sets: Path | None = Field(None, description="GMT file of further gene sets to score.")
    methods: list[MethodName] = Field(
        [], description="Methods to score every gene set with, in addition to the axes; none where empty."
    )
    engine: Engine = Field(
        Engine.OWN, description="Whose program computes ssgsea and gsva: escape_score or gseapy."
    )
    ties: Ties = Field(
        Ties.MID,
        description="Where equal values stand in ssgsea and gsva: mid, or as gseapy or gsva have it.",
    )
    published: bool = Field(True, description="Whether published scores are computed too.")
    min_coverage: float = Field(
        DEFAULT_MIN_COVERAGE,
        gt=0,
        le=1,
        description="Least fraction of its genes that an additional score needs.",
    )

    @field_validator("methods")
    @classmethod
    def _none_twice(cls, methods: list[MethodName]) -> list[MethodName]:
        if len(set(methods)) < len(methods):
            msg = "a method stands twice; name each once"
            raise ValueError(msg)
        return methods

    def choice(self, *, threads: int) -> MethodChoice:
        """What is to be scored in addition to the axes."""
        return MethodChoice(
            tuple(self.methods),
            self.engine,
            self.ties,
            self.min_coverage,
            has_published=self.published,
            threads=threads,
        )


class ProfileConfig(ConfigModel):
    """Options of the stage ``profile``."""

    reference: str | None = Field(
        None,
        min_length=1,
        description=(
            "Reference by name, by path (with '/' in it, relative to this file), 'cohort', or 'auto', which "
            "chooses one for each cohort; auto where empty."
        ),
    )


DEFAULT_COVARIATES = ("purity", "site", "cancer_type")
"""Columns that models are adjusted for where the sample sheet has them and none is named."""


_OUTCOMES = frozenset(
    {"sample_id", "patient_id", "timepoint", "response", "os_days", "os_event", "pfs_days", "pfs_event"}
)
"""Columns that statistics use in their own way."""


def _require_names(names: Iterable[str]) -> None:
    """Refuse what cannot be the name of a column of the sample sheet, and columns with a use of their own."""
    for name in names:
        if not name.strip() or "=" in name:
            msg = "the name of a column is empty or has '=' in it"
            raise ValueError(msg)
        if name in _OUTCOMES:
            msg = f"{name} has a use of its own in the statistics; name another column of the sample sheet"
            raise ValueError(msg)


class StatisticsConfig(ConfigModel):
    """Which columns of the sample sheet a cohort's statistics compare and adjust for."""

    groups: list[str] = Field(
        [], description="Columns whose groups are compared; found by their values where empty."
    )
    adjust: list[str] | None = Field(
        None,
        description=(
            "Columns that models are adjusted for; if not given, those of purity, site and cancer_type that "
            "the sheet has. An empty list adjusts for none."
        ),
    )
    interaction: str | None = Field(
        None, description="Column, such as treatment, whose groups may change the effect of a measure."
    )
    formula: str | None = Field(
        None,
        description="The model in one line, instead of the two keys above: ~ score * treatment + purity.",
    )

    @field_validator("groups", "adjust", "interaction")
    @classmethod
    def _are_columns(cls, named: list[str] | str | None) -> list[str] | str | None:
        _require_names([named] if isinstance(named, str) else named or ())
        return named

    @field_validator("formula")
    @classmethod
    def _is_formula(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None:
            return text
        _require_names(parse_formula(text).columns)
        if any(info.data.get(key) is not None for key in ("adjust", "interaction")):
            msg = "a formula has the columns of adjust and interaction in it; give one or the other"
            raise ValueError(msg)
        return text

    @property
    def model(self) -> ModelFormula:
        """The model of every measure."""
        if self.formula is not None:
            return parse_formula(self.formula)
        return formula_of(DEFAULT_COVARIATES if self.adjust is None else self.adjust, self.interaction)

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that a user names, each once; the sample sheet must have them."""
        is_default = self.adjust is None and self.formula is None
        defaults = {*DEFAULT_COVARIATES} - {self.interaction} if is_default else set[str]()
        modelled = (name for name in self.model.columns if name not in defaults)
        return tuple(dict.fromkeys((*self.groups, *modelled)))


DEFAULT_STATISTICS = StatisticsConfig()


class ReportConfig(ConfigModel):
    """Options of the stage ``report``."""

    lang: Literal["en", "fr"] = Field("en", description="Language of the pages.")
    chunk_size: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Samples whose pages are rendered by one job; by the size of the cohort where empty.",
    )


class StageBlocks(ConfigModel):
    """Keys that a single run and a workflow share."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="Seed of every random draw.")] = 1
    threads: Annotated[int, Field(ge=1, le=256, description="Threads of one job.")] = 1
    min_genes: Annotated[
        int, Field(ge=1, le=100_000, description="Fewest recognised genes a matrix may have.")
    ] = 200
    read: ReadConfig = Field(default_factory=ReadConfig, description="Options of the stage read.")
    cells: CellsConfig = Field(default_factory=CellsConfig, description="How single cells are read.")
    harmonise: HarmoniseConfig = Field(
        default_factory=HarmoniseConfig, description="Options of the stage harmonise."
    )
    score: ScoreConfig = Field(default_factory=ScoreConfig, description="Options of the stage score.")
    profile: ProfileConfig = Field(default_factory=ProfileConfig, description="Options of the stage profile.")
    statistics: StatisticsConfig = Field(
        default_factory=StatisticsConfig, description="Statistics of the cohort: groups and models."
    )
    report: ReportConfig = Field(default_factory=ReportConfig, description="Options of the stage report.")

    @property
    def reading(self) -> ReadConfig:
        """The block read, by which columns that statistics name are kept as well."""
        # it loads numpy, which most uses of a config do not need
        from escape_score.model.cohort import SAMPLE_COLUMNS

        kept = [f"{name}={name}" for name in self.statistics.named if name not in SAMPLE_COLUMNS]
        return self.read.model_copy(update={"columns": [*self.read.columns, *kept]})

    def overridden(self, **options: object) -> Self:
        """The same config with the options of a command line, wherever their keys are; None changes nothing.

        Raises ConfigInvalidError: a value is not one that the key takes.
        """
        try:
            return self._with({key: value for key, value in options.items() if value is not None})
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = str(fault["loc"][-1])
            given_as = " ".join(fault["input"]) if isinstance(fault["input"], list) else fault["input"]
            option = f"--{_OPTIONS.get(name, name).replace('_', '-')} {given_as}"
            what = fault["msg"].removeprefix(VALUE_ERROR)
            asked = did_you_mean(str(fault["input"]), re.findall("'([^']+)'", what))
            raise ConfigInvalidError.at(option, what[0].lower() + what[1:] + asked) from error

    @classmethod
    def of_arguments(cls, **given: object) -> Self:
        """Config of arguments of Python that are named like its keys; numbers of numpy are numbers.

        Raises ConfigInvalidError: a value is not one that the key takes, such as
        ``seed: input should be a valid integer, got 1.5``.
        """
        plain = {name: _plain(value) for name, value in given.items()}
        try:
            return cls()._with(plain)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            what = fault["msg"].removeprefix(VALUE_ERROR)
            name = next(
                (str(part) for part in reversed(fault["loc"]) if part in given), str(fault["loc"][-1])
            )
            got = repr(fault["input"])
            shown = got if len(got) <= MAX_SHOWN and "\n" not in got else type(fault["input"]).__name__
            raise ConfigInvalidError.at(name, f"{what[0].lower()}{what[1:]}, got {shown}") from error

    def _with(self, given: Mapping[str, object]) -> Self:
        """The same config with other values, wherever their keys are; ValidationError."""
        changed: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            block, kind = getattr(self, name), field.annotation
            if name in given:
                changed[name] = given[name]
            elif isinstance(kind, type) and issubclass(kind, ConfigModel):
                inner = {key: given[key] for key in kind.model_fields.keys() & given.keys()}
                changed[name] = {**dict(block), **inner}
        return type(self).model_validate({**dict(self), **changed})


def _plain(value: Any) -> object:  # noqa: ANN401
    """A number of numpy as one of Python; anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def own_threads() -> int:
    """Threads of a program that was told none: those that it may use, at most ``MOST_OWN_THREADS``."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST_OWN_THREADS)


class RunConfig(StageBlocks):
    """Config of ``escape-score run``; the command line wins over each key."""

    threads: int = Field(
        default_factory=own_threads,
        ge=1,
        le=256,
        description=f"Threads and processes at work; if absent, the free ones, at most {MOST_OWN_THREADS}.",
    )
    expression: Path | None = Field(None, description="Expression matrix, relative to this file.")
    samples: Path | None = Field(None, description="Sample sheet, relative to this file.")
    units: ExpressionUnit = Field(ExpressionUnit.AUTO, description="Unit of the matrix.")
    outdir: Path | None = Field(
        None, description="Folder of the results, relative to this file and never above its folder."
    )


class WorkflowConfig(StageBlocks):
    """Config of ``escape-score workflow``."""

    cohorts: Path = Field(
        description="TSV: columns cohort, expression, samples, units and, optionally, gene_lengths, kind."
    )


Block = TypeVar("Block", bound=ConfigModel)


def parse_block(option: str, text: str, model: type[Block]) -> Block:
    """Read one block of a config from JSON, as a rule of the workflow hands it on.

    Raises ConfigInvalidError: it is not JSON, or a key or value is not allowed; the message names the option.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        what = error.errors(include_url=False)[0]
        key = ".".join(map(str, what["loc"]))
        msg = f"{what['msg']}; give a JSON object"
        raise ConfigInvalidError.at(option, f"{key}: {msg}" if key else msg) from error
