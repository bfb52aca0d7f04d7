"""The profile of one sample as it is published: the JSON in ``samples/`` and all that a report may show.

This module needs nothing but pydantic, so that reports render without the numerical libraries.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from functools import lru_cache
from math import isfinite, nan

from pydantic import BaseModel, ConfigDict, Field

from escape_score.model.notes import Code, Note, Param, Severity

SCHEMA_VERSION = "2"
SLUG_LENGTH = 40


class Call(StrEnum):
    """Whether a mechanism was found."""

    DETECTED = "detected"
    BORDERLINE = "borderline"
    NOT_DETECTED = "not_detected"
    NOT_EVALUABLE = "not_evaluable"


class Phenotype(StrEnum):
    """T cells in the tumour, as far as RNA shows."""

    DESERT = "desert"
    EXCLUDED = "excluded"
    INFLAMED = "inflamed"


class Archetype(StrEnum):
    """The dominant resistance mechanism."""

    ANTIGEN_PRESENTATION_DEFICIENT = "antigen-presentation-deficient"
    DESERT = "desert"
    EXCLUDED = "excluded"
    SUPPRESSIVE = "suppressive"
    EXHAUSTED = "exhausted"
    INFLAMED = "inflamed"


class Status(StrEnum):
    """How far the levels of a profile can be read against its reference."""

    REFERENCE_MATCHED = "reference-matched"
    COHORT_RELATIVE = "cohort-relative"
    """The cohort is its own reference: high and low are those of this cohort."""
    PROVISIONAL = "provisional"
    NOT_EVALUABLE = "not-evaluable"


class ReferenceMatch(StrEnum):
    """How near a sample's anchor genes lie to the reference."""

    GOOD = "good"
    MODERATE = "moderate"
    POOR = "poor"


class EvidenceLevel(StrEnum):
    """What kind of study ties a class of approach to a mechanism."""

    RANDOMISED_POSITIVE = "randomised-positive"
    RANDOMISED_NEGATIVE = "randomised-negative"
    SINGLE_ARM = "single-arm"
    PATIENT_COHORT = "patient-cohort"
    LABORATORY = "laboratory"


class Record(BaseModel):
    """Base of all published records: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoteRecord(Record):
    """A note: a code with figures, which the reports turn into a sentence of any language."""

    code: str = Field(
        description="a flag (docs/qc.md), or a reason, an evidence or a remark of the record",
        json_schema_extra={"enum": [code.value for code in Code]},
    )
    severity: Severity
    params: dict[str, ParamRecord] = Field(
        default={}, description="kind (which finding of the code), figures, names, other notes"
    )

    @classmethod
    def of(cls, found: Note) -> NoteRecord:
        """The record of a note."""
        if any(type(value) is float for _, value in found.params):
            return _record_of(found)  # figures of one sample
        # equal notes may be written differently: 1 == 1.0
        return _kept_record_of(found, repr(found))

    @property
    def note(self) -> Note:
        """The note that it is the record of."""
        params = {name: value for name, value in self.params.items() if name != "kind"}
        return Note(
            Code(self.code),
            str(self.params.get("kind", "")),
            tuple((name, _unrecorded(value)) for name, value in params.items()),
        )


@lru_cache(maxsize=8192)
def _kept_record_of(found: Note, _written: str) -> NoteRecord:
    """The record of a note, cached: many notes of a cohort are the same in all samples."""
    return _record_of(found)


def _record_of(found: Note) -> NoteRecord:
    params = {"kind": found.kind} if found.kind else {}
    return NoteRecord(
        code=found.code.value,
        severity=found.severity,
        params=params | {name: _param(value) for name, value in found.params},
    )


ParamRecord = str | bool | int | float | None | NoteRecord | tuple[str, ...] | tuple[NoteRecord, ...]


def _param(value: Param) -> ParamRecord:
    """A value as records hold it."""
    if isinstance(value, Note):
        return NoteRecord.of(value)
    if isinstance(value, tuple):
        notes = tuple(NoteRecord.of(one) for one in value if isinstance(one, Note))
        return notes or tuple(one for one in value if isinstance(one, str))
    return None if isinstance(value, float) and not isfinite(value) else value


def _unrecorded(value: ParamRecord) -> Param:
    """A value as notes hold it."""
    if isinstance(value, NoteRecord):
        return value.note
    if isinstance(value, tuple):
        notes = tuple(one.note for one in value if isinstance(one, NoteRecord))
        return notes or tuple(one for one in value if isinstance(one, str))
    return nan if value is None else value


class GeneEvidence(Record):
    """One gene behind a mechanism's score."""

    gene_symbol: str
    component: str = Field(description="component of the axis that the gene belongs to")
    z: float = Field(description="distance from the reference's location in its spreads, within ±5")
    log2_tpm: float = Field(description="log2(TPM + 1) on the reference's scale")
    direction: int = Field(description="+1: high expression speaks for resistance, -1: low expression does")
    adjusted: float | None = Field(
        default=None, description="distance from what the score's denominator lets expect, in the same way"
    )


class Interval(Record):
    """A 90 % interval."""

    low: float
    high: float


QUANTILES = "5, 25, 50, 75 and 95 % of the scores of the reference's tumours, None where they are not known"
Quantiles = tuple[float, float, float, float, float] | None


class LinkRecord(Record):
    """One link of a chain: whether its loss was looked for, and could have been seen in this sample."""

    link: str = Field(description="a gene, or two joined by + that are lost together")
    z: float | None = Field(description="standard normal if nothing is lost; larger = more likely lost")
    detectable_sd: float | None = Field(
        description="what a five-fold loss in the tumour cells would add to z here: the limit of detection"
    )
    is_evaluable: bool = Field(description="whether that is enough to say that the link is not lost")


class AxisProfile(Record):
    """One mechanism in one sample. ``None`` means not evaluable, never zero."""

    axis: str
    title: str
    group: str = Field(description="family of mechanisms")
    mechanism: str = Field(description="what the axis looks at, one sentence")
    adjusted_for: str | None
    score: float | None = Field(description="reference SD units; larger = more resistance")
    has_raw: bool = Field(description="whether the axis has an unadjusted version")
    raw_score: float | None = Field(
        description="the same without adjustment, where the axis has an unadjusted version"
    )
    interval: Interval | None = Field(description="absolute, against the reference")
    interval_within: Interval | None = Field(description="for comparisons inside one pipeline")
    percentile: float | None = Field(ge=0, le=100, description="share of the reference's tumours below, %")
    percentile_n: int = Field(ge=0, description="reference tumours behind the percentile")
    percentile_interval: Interval | None = Field(
        default=None,
        description="90 % binomial interval of the percentile: what the reference's size leaves open",
    )
    percentile_reason: NoteRecord | None = Field(default=None, description="why there is no percentile")
    reference_quantiles: Quantiles = Field(default=None, description=QUANTILES)
    coverage: float = Field(ge=0, le=1, description="fraction of the axis's genes measured in the sample")
    threshold: float = Field(
        description="detected: the whole interval is beyond it; borderline: only the score"
    )
    call: Call | None = Field(description="None for axes that describe the tumour and are not called")
    call_reason: NoteRecord
    weakest_gene: str | None = None
    links: tuple[LinkRecord, ...] = Field(
        default=(), description="every link with its limit of detection, for axes that look for one lost link"
    )
    evidence: tuple[GeneEvidence, ...]
    opposing: tuple[GeneEvidence, ...]
    denominator: tuple[GeneEvidence, ...] = Field(
        default=(), description="genes that the score is relative to, the highest and lowest first"
    )
    meaning: str = Field(description="what a detected mechanism may mean; a hypothesis, never an order")
    limits: str = Field(description="what the axis cannot see")

    @property
    def is_evaluable(self) -> bool:
        """Whether it is called at all: context axes are not, nor mechanisms that are not evaluable."""
        return self.call not in (None, Call.NOT_EVALUABLE)


class PublishedRecord(Record):
    """One published score, in addition to the axes."""

    score_id: str
    title: str
    value: float | None = Field(description="None where not evaluable")
    unit: str
    coverage: float = Field(ge=0, le=1, description="fraction of its genes measured in the sample")
    reason: NoteRecord | None = Field(description="why there is no value; None where there is one")
    scope: str = Field(description="sample, or cohort where the number depends on the other samples")
    formula: str = Field(description="in words")
    matches: str = Field(description="program and version whose number it is")
    differs: str = Field(description="what the same name means elsewhere")
    doi: str


class ApproachRecord(Record):
    """A class of approach that the literature ties to a mechanism found; a hypothesis, never an order."""

    mechanism: str = Field(description="axis or archetype that it is tied to")
    approach: str = Field(description="class of approach")
    statement: str = Field(description="what was seen, and in whom")
    level: EvidenceLevel
    tumour_types: tuple[str, ...] = Field(
        default=(), description="tumour types of the evidence; empty for several types and laboratory work"
    )
    setting: str = Field(default="", description="line of treatment or stage, where it is known")
    is_own_type: bool | None = Field(
        default=None,
        description="whether the evidence is of the sample's tumour type; None where either is not known",
    )
    citation: str
    doi: str


class ComponentLevel(Record):
    """Level of one kind of cells, from the mean of its genes."""

    component: str
    title: str
    z: float | None = Field(description="reference SD units, larger = more; None where not evaluable")


class TargetLevel(Record):
    """Expression of one drug target. Expression is not an indication."""

    gene_symbol: str
    name: str
    z: float = Field(description="distance from the reference's location in its spreads, within ±5")
    log2_tpm: float = Field(description="log2(TPM + 1) on the reference's scale")


class IndexBlock(Record):
    """One block of the index."""

    block: str
    weight: float
    score: float | None


class IndexProfile(Record):
    """The immunoresistance index, 0-100."""

    score: float | None = Field(ge=0, le=100)
    interval: Interval | None
    interval_within: Interval | None
    reference_quantiles: Quantiles = Field(default=None, description=QUANTILES)
    blocks: tuple[IndexBlock, ...]


class ReferenceRecord(Record):
    """The reference and how the sample lies to it."""

    name: str
    description: str
    tumour_type: str
    assay: str
    n_samples: int
    distance: float | None = Field(description="scaled MAD of the anchor genes, log2")
    match: ReferenceMatch | None
    n_anchors: int
    anchor_offset_log2: float | None
    is_sample_in_reference: bool = Field(description="if so, its percentiles leave it out")
    is_cohort: bool = Field(
        default=False, description="fitted on the cohort itself: numbers of a sample depend on the others"
    )
    typical_detections: float | None = Field(
        default=None, description="mechanisms detected in a tumour of the reference, on average"
    )
    withheld: tuple[NoteRecord, ...] = Field(default=(), description="what this match forbids")
    untrusted_genes: tuple[str, ...] = Field(
        default=(), description="genes that the reference leaves out: its pipeline does not count them right"
    )
    limits: str = Field(default="", description="what the reference cannot do")
    choice: NoteRecord | None = Field(default=None, description="why this reference was taken")
    advice: tuple[NoteRecord, ...] = Field(default=(), description="what would make more evaluable")


class InputRecord(Record):
    """What was read."""

    unit: str
    unit_is_declared: bool
    unit_evidence: NoteRecord
    n_genes: int
    is_targeted_panel: bool
    input_sha256: str | None = Field(description="of the file; None for data in memory")
    matrix_sha256: str | None = Field(
        default=None, description="of names and values, for data in memory; None for a file"
    )

    @property
    def sha256(self) -> str:
        """Whichever digest there is."""
        return self.input_sha256 or self.matrix_sha256 or ""


class Provenance(Record):
    """What made the profile."""

    package_version: str
    reference_sha256: str
    genesets_sha256: str
    seed: int


class AxisChange(Record):
    """Change of one mechanism between two samples."""

    axis: str
    delta: float = Field(description="later minus earlier, reference SD units; larger = more resistance now")
    interval: Interval | None = Field(description="90 %, from both intervals within the pipeline")


class PairedChange(Record):
    """Change since an earlier sample of the same patient."""

    earlier_sample_id: str
    earlier_timepoint: str
    timepoint: str
    index: AxisChange | None = Field(description="change of the index, points of 100")
    axes: tuple[AxisChange, ...] = Field(description="mechanisms with a score in both samples")


class QuantityRecord(Record):
    """One quantity of a patient, made from all of the patient's cells. ``None`` means not evaluable."""

    quantity: str
    title: str
    group: str = Field(description="composition, presentation, malignant, t_cells or myeloid")
    axis: str = Field(description="mechanism that it is evidence for; empty if it describes")
    unit: str = Field(description="fraction, log2_ratio or log2_rate (log2 of counts in 10,000)")
    cells: str = Field(description="cells that it was made from")
    direction: int = Field(description="+1: larger values mean more resistance, -1: smaller, 0: it describes")
    threshold: float | None = Field(description="value beyond which it is detected; None if it is not called")
    value: float | None
    interval: Interval | None
    n_cells: int = Field(ge=0)
    limit_of_detection: float | None = Field(description="smallest value that would be detected here")
    call: Call | None = Field(description="None for quantities that describe")
    reason: NoteRecord = Field(description="why it is called so, or why it is not evaluable")
    meaning: str
    limits: str


class CompartmentRecord(Record):
    """One compartment of a sample."""

    compartment: str
    n_cells: int = Field(ge=0)
    share: float | None = Field(ge=0, le=1, description="of the sample's cells")
    interval: Interval | None


class SideBySide(Record):
    """One mechanism as bulk and as single cells show it."""

    axis: str
    bulk: Call | None = Field(description="call of the sample's pseudo-bulk")
    cells: Call = Field(description="the most severe call of the quantities that are evidence for it")
    quantity: str = Field(description="quantity behind the call of the cells")
    is_in_agreement: bool | None = Field(description="None if either was not evaluable or borderline")


class CellMap(Record):
    """A map of at most 5,000 cells, drawn before."""

    png: str = Field(description="picture, base64")
    n_cells: int = Field(description="cells on it")
    compartments: tuple[str, ...] = Field(description="compartments on it, most cells first")
    colours: tuple[str, ...] = Field(description="their colours")


class CellSampleRecord(Record):
    """Cells of one sample."""

    sample_id: str
    patient_id: str
    n_read: int = Field(ge=0)
    n_cells: int = Field(ge=0, description="that passed the gates")
    n_few_umi: int
    n_few_genes: int
    n_mitochondrial: int
    median_umi: float
    is_umi: bool = Field(description="whether counts are molecules, not reads")
    ambient: float | None = Field(description="share of a malignant cell's counts that is ambient RNA")
    labels_are_given: bool
    malignant: NoteRecord = Field(description="why malignant cells were found, or were not")
    unknown_labels: tuple[str, ...] = ()
    compartments: tuple[CompartmentRecord, ...]
    flags: tuple[NoteRecord, ...] = ()


class PatientRecord(Record):
    """What all cells of a patient show."""

    patient_id: str
    samples: tuple[CellSampleRecord, ...]
    quantities: tuple[QuantityRecord, ...]


class CellsRecord(Record):
    """The block ``cells`` of a profile: this sample's cells, and what all cells of its patient show."""

    patient_id: str
    patient_sample_ids: tuple[str, ...] = Field(description="samples behind the quantities")
    n_patient_cells: int
    sample: CellSampleRecord
    quantities: tuple[QuantityRecord, ...]
    side_by_side: tuple[SideBySide, ...] = ()
    map: CellMap | None = None


class EscapeProfile(Record):
    """The immunoresistance profile of one sample."""

    schema_version: str = SCHEMA_VERSION
    sample_id: str
    slug: str
    cohort: str
    status: Status
    index: IndexProfile
    phenotype: Phenotype | None
    archetype: Archetype | None
    decisive_mechanisms: tuple[str, ...] = Field(
        default=(),
        description="axes detected whose loss suffices alone",
    )
    msi_suspected: bool | None = Field(
        default=None, description="whether the RNA proxy suggests a mismatch-repair deficiency"
    )
    leukocyte_fraction: float | None
    axes: tuple[AxisProfile, ...]
    published: tuple[PublishedRecord, ...] = Field(
        default=(), description="scores by published formulas, for comparison; no axis is made of them"
    )
    approaches: tuple[ApproachRecord, ...] = Field(
        default=(), description="tied to the mechanisms detected and to the archetype"
    )
    composition: tuple[ComponentLevel, ...] = Field(
        default=(), description="levels of kinds of cells against the reference"
    )
    targets: tuple[TargetLevel, ...] = Field(
        default=(), description="expression of drug targets that are measured; not an indication"
    )
    flags: tuple[NoteRecord, ...]
    notes: tuple[NoteRecord, ...] = Field(default=(), description="what to read together with the scores")
    changes: tuple[PairedChange, ...] = Field(
        default=(), description="change since earlier samples of the same patient, the earliest first"
    )
    cells: CellsRecord | None = Field(
        default=None, description="what single cells show; None for bulk expression"
    )
    metadata: dict[str, str | float | bool] = Field(
        description="what the sample sheet says; never used in a score"
    )
    reference: ReferenceRecord
    input: InputRecord
    provenance: Provenance

    @property
    def index_interval(self) -> Interval | None:
        """The interval of the index that counts: within the pipeline where the cohort is the reference."""
        return self.index.interval_within if self.reference.is_cohort else self.index.interval

    def __repr__(self) -> str:
        index = "not evaluable" if self.index.score is None else f"{self.index.score:.0f} of 100"
        detected = [axis.axis for axis in self.axes if axis.call is Call.DETECTED]
        found = ", ".join(detected) or "none"
        return f"EscapeProfile({self.sample_id!r}: {self.status.value}, index {index}, detected: {found})"

    __str__ = __repr__


def slug_of(sample_id: str) -> str:
    """Name a sample's files: a readable part and 8 hex digits of the id's sha256.

    Matches ``[a-z0-9-]+``; differs for ids that differ, also by case alone.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", sample_id.lower()).strip("-")[:SLUG_LENGTH].strip("-") or "sample"
    return f"{readable}-{hashlib.sha256(sample_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
