"""Every key of a config, with its default, range and meaning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from escape_score.errors import ConfigInvalidError, did_you_mean
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, Engine, MethodChoice, MethodName, Ties
from escape_score.model.units import ExpressionUnit


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
    report: ReportConfig = Field(default_factory=ReportConfig, description="Options of the stage report.")

    def overridden(self, **options: object) -> Self:
        """The same config with the options of a command line, wherever their keys are; None changes nothing.

        Raises ConfigInvalidError: a value is not one that the key takes.
        """
        given = {key: value for key, value in options.items() if value is not None}
        changed: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            block, kind = getattr(self, name), field.annotation
            if name in given:
                changed[name] = given[name]
            elif isinstance(kind, type) and issubclass(kind, ConfigModel):
                inner = {key: given[key] for key in kind.model_fields.keys() & given.keys()}
                changed[name] = {**dict(block), **inner}
        try:
            return type(self).model_validate({**dict(self), **changed})
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = str(fault["loc"][-1]).replace("_", "-")
            option, what = f"--{name} {fault['input']}", fault["msg"]
            asked = did_you_mean(str(fault["input"]), re.findall("'([^']+)'", what))
            raise ConfigInvalidError.at(option, what[0].lower() + what[1:] + asked) from error


class RunConfig(StageBlocks):
    """Config of ``escape-score run``; the command line wins over each key."""

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
        msg = f"{'.'.join(str(part) for part in what['loc'])}: {what['msg']}; give a JSON object"
        raise ConfigInvalidError.at(option, msg) from error
