"""The published record of one sample, taken from the columns of its cohort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan

import numpy as np

from escape_score.model.axes import Axis, Target
from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.model.profiles import INDEX, AxisScores, Bounds, CohortProfiles, LinkScores
from escape_score.model.record import (
    ApproachRecord,
    Archetype,
    AxisChange,
    AxisProfile,
    Call,
    ComponentLevel,
    EscapeProfile,
    IndexBlock,
    IndexProfile,
    InputRecord,
    Interval,
    LinkRecord,
    NoteRecord,
    PairedChange,
    Phenotype,
    Provenance,
    PublishedRecord,
    Quantiles,
    ReferenceMatch,
    ReferenceRecord,
    Status,
    TargetLevel,
    slug_of,
)
from escape_score.model.reference import Distributions
from escape_score.profile.archetype import withheld_by
from escape_score.profile.calls import call_reason
from escape_score.profile.context import ProfileContext
from escape_score.profile.evidence import AxisGenes, SampleGenes, axis_genes, denominator_genes, gene_evidence
from escape_score.profile.percentiles import percentile_interval, percentile_reason
from escape_score.profile.quality import profile_flags
from escape_score.profile.sheet import Pairing, change_interval, msi_notes, pair_samples
from escape_score.profile.stage import axis_models
from escape_score.profile.tumour_type import own_first, own_type

REFERENCE_INDEX = "index"
"""Column of the index among the reference's distributions."""

QUANTILE_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class RecordMaker:
    """Makes records of a cohort's samples, one at a time, so that memory stays flat.

    Parameters
    ----------
    context, profiles
        From :func:`escape_score.profile.build_context` and :func:`escape_score.profile.profile_cohort`.
    provenance
        What made the profiles.
    published
        The published scores of the cohort, without their values.
    """

    context: ProfileContext
    profiles: CohortProfiles
    provenance: Provenance = field(repr=False)
    published: tuple[PublishedRecord, ...] = field(default=(), repr=False)

    @cached_property
    def flags(self) -> NoteLog:
        """Flags of all stages."""
        return self.context.scores.flags.joined(profile_flags(self.context, self.profiles))

    @cached_property
    def genes_of_axis(self) -> tuple[AxisGenes, ...]:
        """Genes measured that carry each axis."""
        design, scores = self.context.design, self.context.scores
        models = axis_models(design.catalogue)
        return tuple(axis_genes(model.evidence(self.context), design.components, scores) for model in models)

    @cached_property
    def _measured_targets(self) -> tuple[tuple[Target, int], ...]:
        """Drug targets that are measured, with their columns."""
        column_of = {symbol: i for i, symbol in enumerate(self.context.scores.genes.gene_symbols)}
        targets = self.context.design.catalogue.targets
        return tuple((one, column_of[one.gene_symbol]) for one in targets if one.gene_symbol in column_of)

    @cached_property
    def _pairing(self) -> Pairing:
        return pair_samples(self.context.scores.facts.samples)

    @cached_property
    def _quantiles(self) -> Mapping[str, Quantiles]:
        return reference_quantiles(self.context.reference.distributions)

    def records(self) -> Iterator[EscapeProfile]:
        """Records of all samples, in order."""
        for row in range(len(self.context.scores.facts.samples)):
            yield self.record(row)

    def record(self, row: int) -> EscapeProfile:
        """Record of the sample in one row."""
        scores, profiles = self.context.scores, self.profiles
        sample = scores.facts.samples[row]
        axes = self._axes(row)
        return EscapeProfile(
            sample_id=sample.sample_id,
            slug=slug_of(sample.sample_id),
            cohort=scores.facts.name,
            status=Status(profiles.status[row]),
            index=self._index(row),
            phenotype=Phenotype(profiles.phenotype[row]) if profiles.phenotype[row] else None,
            archetype=Archetype(profiles.archetype[row]) if profiles.archetype[row] else None,
            decisive_mechanisms=tuple(name for name in profiles.decisive[row].split(",") if name),
            msi_suspected={"yes": True, "no": False}.get(profiles.msi_suspected[row]),
            leukocyte_fraction=known(profiles.leukocyte_fraction[row]),
            axes=axes,
            published=self._published(row),
            approaches=self._approaches(row),
            composition=self._composition(row),
            targets=self._targets(row),
            flags=tuple(map(NoteRecord.of, self.flags.of_sample(sample.sample_id))),
            notes=tuple(map(NoteRecord.of, self._notes(row, axes))),
            changes=tuple(self._change(earlier, row) for earlier in self._pairing.earlier.get(row, ())),
            metadata=sample.known,
            reference=self._reference(row),
            input=self._input,
            provenance=self.provenance,
        )

    def _axes(self, row: int) -> tuple[AxisProfile, ...]:
        axes, sample = self.context.design.catalogue.axes, SampleGenes.of(self.context.scores.genes, row)
        return tuple(
            self._axis(axis, scores, genes, sample)
            for axis, scores, genes in zip(axes, self.profiles.axes, self.genes_of_axis, strict=True)
        )

    def _notes(self, row: int, axes: tuple[AxisProfile, ...]) -> Iterator[Note]:
        suspected = self.profiles.msi_suspected[row]
        yield from msi_notes(self.context.scores.facts.samples[row], suspected)
        if row in self._pairing.notes:
            yield self._pairing.notes[row]

    def _change(self, earlier: int, later: int) -> PairedChange:
        """Change of everything that both samples have."""
        samples, profiles = self.context.scores.facts.samples, self.profiles
        index = change_of(INDEX, profiles.index.index, profiles.index.bounds, earlier, later)
        changes = (change_of(a.axis, a.score, a.bounds, earlier, later) for a in profiles.axes)
        return PairedChange(
            earlier_sample_id=samples[earlier].sample_id,
            earlier_timepoint=samples[earlier].timepoint,
            timepoint=samples[later].timepoint,
            index=index,
            axes=tuple(change for change in changes if change is not None),
        )

    def _axis(self, axis: Axis, scores: AxisScores, genes: AxisGenes, sample: SampleGenes) -> AxisProfile:
        row = sample.row
        score, interval = known(scores.score[row]), absolute_of(scores.bounds, row)
        percentile, n = known(scores.percentile[row]), int(scores.percentile_n[row])
        limits, match = self.context.thresholds, self.profiles.match[row]
        evidence, opposing = gene_evidence(genes, sample, limits.evidence)
        return AxisProfile(
            axis=axis.axis,
            title=axis.title,
            group=axis.group,
            mechanism=axis.mechanism,
            adjusted_for=axis.adjusted_for,
            score=score,
            has_raw=scores.raw is not None,
            raw_score=None if scores.raw is None else known(scores.raw[row]),
            interval=interval,
            interval_within=within_of(scores.bounds, row),
            percentile=percentile,
            percentile_n=n,
            percentile_interval=None
            if percentile is None
            else percentile_interval(percentile, n, limits.intervals.interval_level),
            percentile_reason=_recorded(percentile_reason(score, n, match, limits.match)),
            reference_quantiles=self._quantiles.get(axis.axis),
            coverage=float(scores.coverage[row]),
            threshold=axis.threshold,
            call=Call(scores.call[row]) if scores.call[row] else None,
            call_reason=NoteRecord.of(self._call_reason(axis, scores, row)),
            weakest_gene=scores.weakest_gene[row] or None,
            links=_links(scores.links, row),
            evidence=evidence,
            opposing=opposing,
            denominator=denominator_genes(genes, sample, limits.evidence),
            meaning=axis.meaning,
            limits=axis.limits,
        )

    def _call_reason(self, axis: Axis, scores: AxisScores, row: int) -> Note:
        """Why an axis was called as it was; context axes are not called."""
        kind = scores.reason[row]
        if axis.is_context and scores.found[row] != Call.NOT_EVALUABLE:
            kind = "context"
        is_relative = self.context.is_relative
        interval = (within_of if is_relative else absolute_of)(scores.bounds, row)
        return call_reason(axis, kind, known(scores.score[row]), interval, is_relative=is_relative)

    def _published(self, row: int) -> tuple[PublishedRecord, ...]:
        table = self.context.scores.published
        if table is None or not self.published:
            return ()
        values, coverage = table.values[row], table.coverage[row]
        return tuple(map(_with_value, self.published, values, coverage))

    def _approaches(self, row: int) -> tuple[ApproachRecord, ...]:
        catalogue = self.context.design.catalogue
        pairs = zip(catalogue.axes, self.profiles.axes, strict=True)
        detected = {axis.axis for axis, scores in pairs if scores.call[row] == Call.DETECTED}
        found = {*detected, self.profiles.archetype[row]}
        approaches = (item for item in catalogue.approaches if item.mechanism in found)
        sample = self.context.scores.facts.samples[row]
        # a sample far from the reference may be of any type
        is_like = self.profiles.match[row] == ReferenceMatch.GOOD
        return own_first(approaches, own_type(sample, self.context.reference.tumour_type if is_like else ""))

    def _composition(self, row: int) -> tuple[ComponentLevel, ...]:
        """Kinds of cells in reference SD, without any adjustment."""
        reference, scores = self.context.reference, self.context.scores
        levels = []
        for shown in self.context.design.catalogue.composition:
            location, spread = reference.term_stats.get(shown.component, (np.nan, np.nan))
            z = known((scores.of(shown.component)[row] - location) / spread)
            levels.append(ComponentLevel(component=shown.component, title=shown.title, z=z))
        return tuple(levels)

    def _targets(self, row: int) -> tuple[TargetLevel, ...]:
        """Drug targets that are measured in the sample and that the reference has."""
        values = self.context.scores.genes
        return tuple(
            TargetLevel(
                gene_symbol=target.gene_symbol,
                name=target.name,
                z=float(values.z[row, column]),
                log2_tpm=float(np.maximum(values.log2_tpm[row, column], 0.0)),
            )
            for target, column in self._measured_targets
            if not isnan(values.z[row, column])
        )

    def _index(self, row: int) -> IndexProfile:
        index = self.profiles.index
        return IndexProfile(
            score=known(index.index[row]),
            interval=absolute_of(index.bounds, row),
            interval_within=within_of(index.bounds, row),
            reference_quantiles=self._quantiles.get(REFERENCE_INDEX),
            blocks=tuple(
                IndexBlock(block=block.axis, weight=block.weight, score=known(index.blocks[row, i]))
                for i, block in enumerate(self.context.design.catalogue.index)
            ),
        )

    def _reference(self, row: int) -> ReferenceRecord:
        reference, placement = self.context.reference, self.context.scores.placement
        match = ReferenceMatch(self.profiles.match[row]) if self.profiles.match[row] else None
        choice = self.context.scores.reference_choice
        return ReferenceRecord(
            name=reference.name,
            description=reference.description,
            tumour_type=reference.tumour_type,
            assay=reference.assay,
            n_samples=reference.n_samples,
            distance=known(placement.distance[row]),
            match=match,
            n_anchors=int(placement.n_anchors[row]),
            anchor_offset_log2=known(placement.offset_log2[row]),
            is_sample_in_reference=bool(self.profiles.is_own[row]),
            is_cohort=self.context.is_relative,
            typical_detections=known(reference.typical_detections),
            withheld=tuple(map(NoteRecord.of, withheld_by(match, is_relative=self.context.is_relative))),
            untrusted_genes=tuple(reference.untrusted_genes),
            limits=reference.limits,
            choice=None if choice is None else NoteRecord.of(choice.reason),
            advice=() if choice is None else tuple(map(NoteRecord.of, choice.advice)),
        )

    @cached_property
    def _input(self) -> InputRecord:
        facts = self.context.scores.facts
        return InputRecord(
            unit=facts.unit.unit.value,
            unit_is_declared=facts.unit.is_declared,
            unit_evidence=NoteRecord.of(facts.unit.evidence),
            n_genes=facts.n_genes,
            is_targeted_panel=facts.is_targeted_panel,
            input_sha256=facts.input_sha256,
            matrix_sha256=facts.matrix_sha256,
        )


def _recorded(found: Note | None) -> NoteRecord | None:
    return None if found is None else NoteRecord.of(found)


def _with_value(record: PublishedRecord, value: float, coverage: float) -> PublishedRecord:
    """A published score in one sample, or why there is none."""
    update: dict[str, float | NoteRecord | None] = {"value": None, "coverage": float(coverage)}
    if not isnan(value):
        update |= {"value": float(value), "reason": None}
    elif record.reason is None:
        # with its genes measured, what the sample lacks is the rest of the transcriptome
        is_enough = coverage >= DEFAULT_MIN_COVERAGE
        found = note(Code.NOT_SCORED, "needs_tpm") if is_enough else _share(coverage)
        update["reason"] = NoteRecord.of(found)
    return record.model_copy(update=update)


def _share(coverage: float) -> Note:
    return note(Code.NOT_SCORED, "share", share=float(coverage))


def change_of(name: str, values: FloatArray, bounds: Bounds, earlier: int, later: int) -> AxisChange | None:
    """Change of one score from one row to another; None where either has none."""
    before, after = known(values[earlier]), known(values[later])
    if before is None or after is None:
        return None
    interval = change_interval(before, within_of(bounds, earlier), after, within_of(bounds, later))
    return AxisChange(axis=name, delta=after - before, interval=interval)


def _links(links: LinkScores | None, row: int) -> tuple[LinkRecord, ...]:
    """Links of an axis in one sample."""
    if links is None:
        return ()
    return tuple(
        LinkRecord(
            link=name,
            z=known(links.z[row, i]),
            detectable_sd=known(links.detectable_sd[row, i]),
            is_evaluable=bool(links.is_evaluable[row, i]),
        )
        for i, name in enumerate(links.names)
    )


def reference_quantiles(distributions: Distributions) -> dict[str, Quantiles]:
    """Quantiles of the reference's own tumours at ``QUANTILE_LEVELS``, for each column with a score."""
    found: dict[str, Quantiles] = {}
    for column, scores in distributions.columns.items():
        known_scores = scores[~np.isnan(scores)]
        if len(known_scores):
            low, lower, middle, upper, high = np.quantile(known_scores, QUANTILE_LEVELS).tolist()
            found[column] = (low, lower, middle, upper, high)
    return found


def known(value: float) -> float | None:
    """A number, or None where there is none."""
    return None if isnan(value) else float(value)


def absolute_of(bounds: Bounds, row: int) -> Interval | None:
    """Absolute interval of one sample."""
    return _interval(bounds.low[row], bounds.high[row])


def within_of(bounds: Bounds, row: int) -> Interval | None:
    """Interval for comparisons inside one pipeline, of one sample."""
    return _interval(bounds.low_within[row], bounds.high_within[row])


def _interval(low: float, high: float) -> Interval | None:
    return None if isnan(low) or isnan(high) else Interval(low=float(low), high=float(high))
