"""Labels and values of a sample: what was read, how it lies to the reference, what made the profile."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations

from escape_score.model.record import EscapeProfile
from escape_score.report.numbers import format_fraction, format_log2
from escape_score.report.wording import match_word, yes_or_no

# Columns of the sample sheet that a reader of the page looks for first.
_HEADER_METADATA = ("patient_id", "cancer_type", "site", "timepoint")


@dataclass(frozen=True)
class Fact:
    """A label and its value."""

    label: str
    value: str


def header_facts(profile: EscapeProfile, words: NullTranslations) -> tuple[Fact, ...]:
    """What a reader needs before the numbers.

    Parameters
    ----------
    profile
        The profile of one sample.
    words
        Translations of the page.

    Returns
    -------
    tuple of Fact
        Cohort, tumour, input and reference; columns absent from the sample sheet are left out.
    """
    _ = words.gettext
    labels = {
        "patient_id": _("Patient"),
        "cancer_type": _("Tumour type"),
        "site": _("Site"),
        "timepoint": _("Time point"),
    }
    sheet = tuple(
        Fact(labels[key], _metadata_value(profile.metadata[key], words))
        for key in _HEADER_METADATA
        if key in profile.metadata
    )
    return (
        Fact(_("Cohort"), profile.cohort),
        *sheet,
        Fact(_("Input"), _input_sentence(profile, words)),
        Fact(_("Reference"), _reference_sentence(profile, words)),
    )


def sheet_facts(metadata: dict[str, str | float | bool], words: NullTranslations) -> tuple[Fact, ...]:
    """Columns of the sample sheet.

    Parameters
    ----------
    metadata
        What the sheet says of the sample.
    words
        Translations of the page.

    Returns
    -------
    tuple of Fact
        One for each column, in the order of the record.
    """
    return tuple(
        Fact(key.replace("_", " "), _metadata_value(value, words)) for key, value in metadata.items()
    )


def _metadata_value(value: str | float | bool, words: NullTranslations) -> str:
    if isinstance(value, bool):
        return yes_or_no(value, words)
    return value if isinstance(value, str) else f"{value:.6g}"


def _input_sentence(profile: EscapeProfile, words: NullTranslations) -> str:
    _ = words.gettext
    source = profile.input
    how = _("declared") if source.unit_is_declared else _("guessed from the numbers")
    what = _("targeted panel") if source.is_targeted_panel else _("whole transcriptome")
    return _("{unit} ({how}), {n_genes} genes, {what}").format(
        unit=source.unit, how=how, n_genes=_count(source.n_genes), what=what
    )


def _reference_sentence(profile: EscapeProfile, words: NullTranslations) -> str:
    reference = profile.reference
    return words.gettext("{name}: {tumour_type}, {n_samples} samples ({match})").format(
        name=reference.name,
        tumour_type=reference.tumour_type,
        n_samples=_count(reference.n_samples),
        match=match_word(reference.match, words),
    )


def quality_facts(profile: EscapeProfile, words: NullTranslations) -> tuple[Fact, ...]:
    """What was measured and how near it lies to the reference.

    Parameters
    ----------
    profile
        The profile of one sample.
    words
        Translations of the page.

    Returns
    -------
    tuple of Fact
        In the order shown.
    """
    _ = words.gettext
    reference, source = profile.reference, profile.input
    return (
        Fact(_("Reference"), reference.description),
        Fact(_("Assay of the reference"), reference.assay),
        Fact(_("Anchor genes measured"), _count(reference.n_anchors)),
        Fact(_("Distance from the reference"), format_log2(reference.distance, words)),
        Fact(_("Anchor offset"), format_log2(reference.anchor_offset_log2, words)),
        Fact(_("Match"), match_word(reference.match, words)),
        *(
            (Fact(_("Left out by the reference"), ", ".join(reference.untrusted_genes)),)
            if reference.untrusted_genes
            else ()
        ),
        Fact(_("Sample is part of the reference"), yes_or_no(reference.is_sample_in_reference, words)),
        Fact(_("Genes measured"), _count(source.n_genes)),
        Fact(_("Unit of the input"), source.unit),
        Fact(_("Evidence for the unit"), source.unit_evidence),
        Fact(_("Leukocyte fraction of the RNA"), format_fraction(profile.leukocyte_fraction, words)),
    )


def provenance_facts(profile: EscapeProfile, words: NullTranslations) -> tuple[Fact, ...]:
    """What made the profile.

    Parameters
    ----------
    profile
        The profile of one sample.
    words
        Translations of the page.

    Returns
    -------
    tuple of Fact
        Versions, seed and sha256 sums.
    """
    _ = words.gettext
    made = profile.provenance
    return (
        Fact(_("Version of escape_score"), made.package_version),
        Fact(_("Version of the record"), profile.schema_version),
        Fact(_("Seed"), str(made.seed)),
        Fact(_("Input, sha256"), profile.input.input_sha256),
        Fact(_("Reference, sha256"), made.reference_sha256),
        Fact(_("Gene sets, sha256"), made.genesets_sha256),
    )


def _count(n: int) -> str:
    return f"{n:,}"
