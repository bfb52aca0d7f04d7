"""Terms that pages explain; ``docs/glossary.md`` has the same sentences, which a test checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import Status
from escape_score.report.messages import N_
from escape_score.report.text.i18n import Language

TERMS: dict[str, tuple[str, str]] = {
    "reference": (N_("Reference"), N_("Tumours that every sample is compared with.")),
    "reference-matched": (
        N_("reference-matched"),
        N_("Status of a sample that matches a reference of other tumours well."),
    ),
    "cohort-relative": (
        N_("cohort-relative"),
        N_(
            "Status of a sample whose cohort is its own reference. High means high for this cohort, about "
            "its highest tenth."
        ),
    ),
    "provisional": (
        N_("provisional"),
        N_(
            "Status of a sample that does not match the reference well. Compare it only with samples of the "
            "same pipeline."
        ),
    ),
    "interval": (
        N_("90 % interval"),
        N_(
            "Range that contains the true value with a probability of 90 %, if the assumptions of the "
            "method hold."
        ),
    ),
    "percentile": (
        N_("Percentile"),
        N_("Share of the tumours of the reference that have a lower score, in %."),
    ),
    "threshold": (
        N_("Threshold"),
        N_("The score from which a mechanism can be called. It does not change the score."),
    ),
    "z": (
        N_("z"),
        N_(
            "Distance of a gene or component from its location in the reference, in units of its spread "
            "there."
        ),
    ),
    "coverage": (
        N_("Genes measured"),
        N_("Fraction of the genes of an axis or signature that are measured in a sample."),
    ),
    "index": (
        N_("Immunoresistance index"),
        N_(
            "One number from 0 to 100: half lack of effector T cells, half loss of MHC class I, stroma and "
            "suppressive cells. Exploratory; not trained to predict response."
        ),
    ),
    "phenotype": (
        N_("Phenotype"),
        N_(
            "Distribution of T cells as RNA suggests it: desert, excluded or inflamed. RNA does not show "
            "where cells are."
        ),
    ),
    "archetype": (
        N_("Archetype"),
        N_(
            "The main type of a tumour: antigen-presentation-deficient, desert, excluded, suppressive, "
            "exhausted or inflamed (no dominant mechanism detected)."
        ),
    ),
    "auroc": (
        N_("AUROC"),
        N_(
            "Area under the ROC curve. Measures that are expected to be higher in resistance: how often a "
            "non-responder has a larger value than a responder. All others: how often a responder has the "
            "larger value. 0.5 is chance. Below 0.5, the other group has the larger values. The column "
            "Direction names the group with the larger values."
        ),
    ),
    "fdr": (
        N_("FDR, false discovery rate"),
        N_(
            "Expected share of chance findings among all rows at or below this value, "
            "over all tests of a cohort's page (Benjamini-Hochberg)."
        ),
    ),
    "hazard-ratio": (
        N_("Hazard ratio"),
        N_(
            "How many times higher the rate of events is if a score is one SD larger. Above 1: shorter "
            "survival."
        ),
    ),
    "odds-ratio": (
        N_("Adjusted odds ratio"),
        N_(
            "How many times higher the odds of response are if a score is one SD larger, at equal purity, "
            "site and tumour type."
        ),
    ),
    "concordance": (
        N_("Concordance"),
        N_(
            "How often, of two patients, the one whose score suggests more resistance has the earlier event. "
            "0.5 is chance."
        ),
    ),
    "rank-biserial": (
        N_("Rank-biserial correlation"),
        N_(
            "Effect size of the comparison of two groups, from −1 to 1: the share of pairs in which the "
            "second group is larger minus the share in which it is smaller."
        ),
    ),
    "epsilon-squared": (
        N_("Epsilon squared"),
        N_("Effect size of the comparison of three or more groups, from 0 (no difference) to 1."),
    ),
}
"""By name: the term as pages write it, and its meaning."""

_OF_STATUS = ("reference-matched", "cohort-relative", "provisional")
_OF_SAMPLE = ("reference", "interval", "percentile", "threshold", "z", "coverage", "index")
_OF_CLASSES = ("phenotype", "archetype")
_OF_STATISTICS = (
    "auroc",
    "fdr",
    "hazard-ratio",
    "odds-ratio",
    "concordance",
    "rank-biserial",
    "epsilon-squared",
)

_LABELS = {
    "Phenotype": "phenotype",
    "Archetype": "archetype",
    "AUROC": "auroc",
    "FDR": "fdr",
    "Hazard ratio per SD": "hazard-ratio",
    "Adjusted odds ratio per SD": "odds-ratio",
    "Concordance": "concordance",
    "Effect (rank-biserial)": "rank-biserial",
    "Effect (epsilon squared)": "epsilon-squared",
}
"""Headings of a cohort's page that are explained, in English."""


@dataclass(frozen=True)
class Term:
    """A term in the language of a page, and the name of its explanation."""

    name: str
    term: str
    meaning: str


def terms_of(names: Iterable[str], words: Language) -> tuple[Term, ...]:
    """Translate terms and their meanings, which a page holds once."""
    return tuple(Term(name, *map(words.gettext, TERMS[name])) for name in names)


def of_sample(status: Status) -> tuple[str, ...]:
    """Names of the terms of a sample's page, its status among them where it is explained."""
    return (*_OF_SAMPLE, *_OF_CLASSES, *(name for name in _OF_STATUS if name == status.value))


def of_cohort(*, has_tables: bool) -> tuple[str, ...]:
    """Names of the terms of a cohort's page; those of statistics where it has any."""
    return (*_OF_CLASSES, *_OF_STATUS, "reference", "index", *(_OF_STATISTICS if has_tables else ()))


def term_markup(name: str, words: Language, label: str = "", *, is_inside: bool = False) -> Markup:
    """Write a term that opens its explanation by keyboard, touch or mouse, without a script."""
    written = label or words.gettext(TERMS[name][0])
    if is_inside:
        written = written[0].lower() + written[1:]
    button = Markup('<button class="term" popovertarget="term-{}">{}</button>')
    return button.format(name, written)


def explained(heading: str, words: Language) -> str | Markup:
    """Let a heading open its explanation, where pages have one."""
    names = {words.gettext(label): name for label, name in _LABELS.items()}
    return term_markup(names[heading], words, heading) if heading in names else heading
