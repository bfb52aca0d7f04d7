"""Labels and values of a sample: what was read, how near it is to the reference, what made the profile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import EscapeProfile
from escape_score.report.messages import note_markup
from escape_score.report.text.i18n import Language, record_markup, translate_record_text
from escape_score.report.text.numbers import format_count, format_fraction, format_log2
from escape_score.report.text.terms import term_markup
from escape_score.report.text.wording import match_word, unit_origin, unit_word, yes_or_no

HEADER_COLUMNS = ("patient_id", "cancer_type", "site", "timepoint")
"""Columns of the sample sheet that a reader of the page looks for first."""
ASSAY_COLUMNS = ("msi", "tmb", "pdl1_ihc")
"""What assays say of the chance of immunotherapy, shown before any hypothesis drawn from RNA."""
LABEL_COLUMNS = ("response", "timepoint", "msi", "pdl1_ihc", "site", "cancer_type")
"""Columns of the sample sheet that have a name of their own on pages."""
NO_LABELS = ("patient_id", "os_event", "pfs_event")
"""Known columns that do not sort samples into groups."""


@dataclass(frozen=True)
class Fact:
    """A label and its value; a value of the record may be marked as English."""

    label: str
    value: str | Markup


def header_facts(profile: EscapeProfile, words: Language) -> tuple[Fact, ...]:
    """What a reader needs before the numbers; columns absent from the sample sheet are left out."""
    _ = words.gettext
    return (
        Fact(_("Cohort"), profile.cohort),
        *_named_facts(profile, HEADER_COLUMNS, words),
        Fact(_("Input"), _input_sentence(profile, words)),
        Fact(term_markup("reference", words), _reference_sentence(profile, words)),
    )


def assay_facts(profile: EscapeProfile, words: Language) -> tuple[Fact, ...]:
    """What the sample sheet says of MSI, TMB and PD-L1; columns absent from it are left out."""
    return _named_facts(profile, ASSAY_COLUMNS, words)


def sheet_labels(profile: EscapeProfile, words: Language) -> dict[str, str]:
    """What the sample sheet says that groups samples: value by label, empty where there is none."""
    labels = _labels(words)
    return {
        labels[key]: _named_value(key, profile.metadata.get(key, ""), words).strip() for key in LABEL_COLUMNS
    }


def all_labels(profile: EscapeProfile, words: Language) -> dict[str, str]:
    """Those of :func:`sheet_labels` and every further column of the sheet that is text or yes and no."""
    known = sheet_labels(profile, words)
    further = {
        key.replace("_", " "): _metadata_value(value, words).strip()
        for key, value in profile.metadata.items()
        if key not in {*LABEL_COLUMNS, *NO_LABELS} and isinstance(value, str | bool)
    }
    return known | further


def _labels(words: Language) -> dict[str, str]:
    """Names of known columns of the sheet."""
    _ = words.gettext
    return {
        "patient_id": _("Patient"),
        "cancer_type": _("Tumour type"),
        "site": _("Site"),
        "timepoint": _("Time point"),
        "response": _("Response"),
        "msi": _("MSI"),
        "tmb": _("TMB"),
        "pdl1_ihc": _("PD-L1 (IHC)"),
    }


def _named_facts(profile: EscapeProfile, columns: Iterable[str], words: Language) -> tuple[Fact, ...]:
    """Some columns by their label, where the sheet has them."""
    labels = _labels(words)
    return tuple(
        Fact(labels[key], _named_value(key, profile.metadata[key], words))
        for key in columns
        if key in profile.metadata
    )


def _named_value(key: str, value: str | float | bool, words: Language) -> str:
    """Value of a column; a tumour type that the catalogue knows is written in its language."""
    text = _metadata_value(value, words)
    return translate_record_text(text, words) if key == "cancer_type" else text


def sheet_facts(metadata: dict[str, str | float | bool], words: Language) -> tuple[Fact, ...]:
    """All columns of the sample sheet, in the order of the record; known ones have their label."""
    labels = _labels(words)
    return tuple(
        Fact(labels.get(key, key.replace("_", " ")), _named_value(key, value, words))
        for key, value in metadata.items()
    )


def _metadata_value(value: str | float | bool, words: Language) -> str:
    if isinstance(value, bool):
        return yes_or_no(value, words)
    return value if isinstance(value, str) else words.number(f"{value:.6g}")


def _input_sentence(profile: EscapeProfile, words: Language) -> str:
    _ = words.gettext
    source = profile.input
    what = _("targeted panel") if source.is_targeted_panel else _("whole transcriptome")
    return _("{unit} ({how}), {n_genes} genes, {what}").format(
        unit=unit_word(source.unit, words),
        how=unit_origin(source, words),
        n_genes=format_count(source.n_genes, words),
        what=what,
    )


def _reference_sentence(profile: EscapeProfile, words: Language) -> str:
    reference = profile.reference
    if reference.is_cohort:
        return words.gettext("this cohort itself, {n_samples} samples ({match})").format(
            n_samples=format_count(reference.n_samples, words), match=match_word(reference.match, words)
        )
    return words.gettext("{name}: {tumour_type}, {n_samples} samples ({match})").format(
        name=reference.name,
        tumour_type=translate_record_text(reference.tumour_type, words),
        n_samples=format_count(reference.n_samples, words),
        match=match_word(reference.match, words),
    )


def quality_facts(profile: EscapeProfile, words: Language) -> tuple[Fact, ...]:
    """What was measured and how near it lies to the reference."""
    _ = words.gettext
    reference, source = profile.reference, profile.input
    untrusted = ", ".join(reference.untrusted_genes)
    return (
        Fact(_("Reference"), record_markup(reference.description, words)),
        *((Fact(_("Why this reference"), note_markup(reference.choice, words)),) if reference.choice else ()),
        Fact(_("Assay of the reference"), record_markup(reference.assay, words)),
        *(
            (Fact(_("Limits of the reference"), record_markup(reference.limits, words)),)
            if reference.limits
            else ()
        ),
        Fact(_("Anchor genes measured"), format_count(reference.n_anchors, words)),
        Fact(_("Distance from the reference"), format_log2(reference.distance, words)),
        Fact(_("Anchor offset"), format_log2(reference.anchor_offset_log2, words)),
        Fact(_("Match"), match_word(reference.match, words)),
        *((Fact(_("Left out by the reference"), untrusted),) if untrusted else ()),
        Fact(_("Sample is part of the reference"), yes_or_no(reference.is_sample_in_reference, words)),
        Fact(_("Genes measured"), format_count(source.n_genes, words)),
        Fact(_("Unit of the input"), translate_record_text(source.unit, words)),
        Fact(_("Evidence for the unit"), note_markup(source.unit_evidence, words)),
        Fact(_("Leukocyte fraction of the RNA"), format_fraction(profile.leukocyte_fraction, words)),
    )


def provenance_facts(profile: EscapeProfile, words: Language) -> tuple[Fact, ...]:
    """What made the profile: versions, seed and sha256 sums."""
    _ = words.gettext
    made = profile.provenance
    return (
        Fact(_("Version of escape_score"), made.package_version),
        Fact(_("Version of the record"), profile.schema_version),
        Fact(_("Seed"), str(made.seed)),
        Fact(_("Input, sha256"), profile.input.sha256),
        Fact(_("Reference, sha256"), made.reference_sha256),
        Fact(_("Gene sets, sha256"), made.genesets_sha256),
    )
