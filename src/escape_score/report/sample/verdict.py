"""The answer of a page in plain sentences, drawn from the record's own words and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import (
    Archetype,
    AxisProfile,
    Call,
    EscapeProfile,
    Phenotype,
    ReferenceMatch,
    Status,
)
from escape_score.report.messages import N_, note_markup
from escape_score.report.sample.cells_said import headline_of_cells
from escape_score.report.sample.ranking import strongest_first
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import (
    format_count,
    format_index,
    format_interval,
    format_score,
)
from escape_score.report.text.wording import enumerate_words, match_word, matters, unit_warning, unit_word

N_NAMED = 3
"""Detected mechanisms that the sentence names; the table has all."""

_NORMALISED_UNITS = ("array", "nanostring")

_OF_PHENOTYPE = {
    Phenotype.DESERT: N_("This tumour has few T cells (immune desert)"),
    Phenotype.EXCLUDED: N_(
        "This tumour has an intermediate level of T cells, which pathologists most often classify as excluded"
    ),
    Phenotype.INFLAMED: N_(
        "T cells and effector T cells together are higher than in most tumours of the reference (inflamed)"
    ),
}
_INFLAMED_IN_COHORT = N_(
    "T cells and effector T cells together are higher than in most tumours of this cohort (inflamed)"
)
LOW_INDEX = 50.0
"""Below it, the middle of its scale, a page says that a decisive defect counts more than the index."""
STROMA_AXES = ("stroma", "exclusion")
"""Axes of which one has to be detected before a page says that the stroma programme is high."""
LACK_AXIS = "effector_absence"
"""Where it is detected, a page does not say that T cells are at an intermediate level."""

# empty where the archetype only repeats the phenotype
_OF_ARCHETYPE = {
    None: "",
    Archetype.ANTIGEN_PRESENTATION_DEFICIENT: N_("main finding: reduced antigen presentation"),
    Archetype.DESERT: "",
    Archetype.EXCLUDED: "",
    Archetype.SUPPRESSIVE: N_("main finding: excess of suppressive cells"),
    Archetype.EXHAUSTED: N_("main finding: T-cell dysfunction"),
    Archetype.INFLAMED: "",
}


@dataclass(frozen=True)
class Verdict:
    """What a reader should take away.

    ``headline`` says how T cells reach the tumour and which way of escape leads, ``findings`` names what was
    detected, ``caution`` says how far the levels can be trusted; ``reason_flag`` is the flag whose sentence
    the caution is, empty where it is none; ``cells`` is what single cells add, empty where they add nothing.
    ``counts`` is ``findings`` without names, for a page that lists the mechanisms. ``unit`` says that the
    unit is probably wrong, ``outweighed`` that a decisive defect counts more than a low index; both are
    mostly empty.
    """

    headline: str
    findings: str
    index: str
    caution: str | Markup
    reason_flag: str = ""
    cells: str = ""
    counts: str = ""
    unit: str = ""
    outweighed: str = ""

    @property
    def text(self) -> str:
        """What was found, in one paragraph."""
        return " ".join(filter(None, (self.headline, self.unit, self.findings, self.cells, self.index)))


def verdict_of(profile: EscapeProfile, words: Language) -> Verdict:
    """Say in plain sentences what a profile shows, and only what its record holds."""
    return Verdict(
        headline=_headline(profile, words),
        findings=_findings(profile, words),
        index=_index(profile, words),
        caution=_caution(profile, words),
        reason_flag=_reason_flag(profile),
        cells=headline_of_cells(profile, words),
        counts=_counts(profile, words),
        unit=unit_warning(profile, words),
        outweighed=_outweighed(profile, words),
    )


def called_first(axes: tuple[AxisProfile, ...], call: Call = Call.DETECTED) -> tuple[AxisProfile, ...]:
    """Mechanisms of one call, the highest score first; ties keep the order given."""
    called = (axis for axis in axes if axis.call is call)
    return tuple(sorted(called, key=lambda axis: -(axis.score or 0.0)))


def _headline(profile: EscapeProfile, words: Language) -> str:
    _ = words.gettext
    if profile.status is Status.NOT_EVALUABLE:
        return _("This sample could not be evaluated.")
    decisive = _decisive(profile, words)
    if profile.status is Status.PROVISIONAL:
        return decisive or _(
            "Phenotype and main mechanism are not given: levels of this sample are provisional."
        )
    if profile.phenotype is None:
        return decisive or _("The phenotype of this tumour could not be determined.")
    sentence = _phenotype_clause(profile.phenotype, profile, words)
    known = _OF_ARCHETYPE[profile.archetype]
    leading = _(known) if known and not decisive else ""
    if leading:
        return _("{phenotype}; {archetype}.").format(phenotype=sentence, archetype=leading)
    closed = _("{clause}.").format(clause=sentence)
    return f"{decisive} {closed}" if decisive else closed


def _decisive(profile: EscapeProfile, words: Language) -> str:
    """Losses detected that can suffice alone, in the order of the ranked list; empty where there are none."""
    decisive = profile.decisive_mechanisms
    found = [axis for axis in strongest_first(profile.axes, decisive) if axis.axis in decisive]
    if not found:
        return ""
    named = tuple(_title_with_gene(axis, words) for axis in found)
    sentence = words.ngettext(
        "Defect detected that can cause immune escape on its own: {names}.",
        "Defects detected that can each cause immune escape on their own: {names}.",
        len(found),
    )
    return sentence.format(names=enumerate_words(named, 0, words))


def _phenotype_clause(phenotype: Phenotype, profile: EscapeProfile, words: Language) -> str:
    """What the phenotype means, in the words that the calls permit."""
    _ = words.gettext
    if phenotype is not Phenotype.EXCLUDED:
        is_of_cohort = phenotype is Phenotype.INFLAMED and profile.reference.is_cohort
        return _(_INFLAMED_IN_COHORT if is_of_cohort else _OF_PHENOTYPE[phenotype])
    calls = {axis.axis: axis.call for axis in profile.axes}
    stroma, lack = {calls.get(name) for name in STROMA_AXES}, calls.get(LACK_AXIS)
    if Call.DETECTED in stroma:
        return _("The stroma programme of this tumour is high relative to its T cells (excluded)")
    if Call.BORDERLINE in stroma:
        return _("The stroma programme of this tumour may be high relative to its T cells (excluded)")
    if lack is Call.DETECTED:
        return _("This tumour has few effector T cells, but is not an immune desert (excluded)")
    if lack is Call.BORDERLINE:
        return _("This tumour may have few effector T cells, but is not an immune desert (excluded)")
    return _(_OF_PHENOTYPE[Phenotype.EXCLUDED])


def _counts(profile: EscapeProfile, words: Language) -> str:
    """How many mechanisms were detected, and how many are usual."""
    n_evaluable = sum(axis.is_evaluable for axis in profile.axes)
    if not n_evaluable:
        return words.gettext("No mechanism is evaluable.")
    n_detected = len(called_first(profile.axes))
    if n_detected:
        sentence = words.gettext("{n} of {n_evaluable} evaluable mechanisms detected.")
        said = sentence.format(n=n_detected, n_evaluable=n_evaluable)
    else:
        said = _none_detected(n_evaluable, words)
    return " ".join(filter(None, (said, _typical(profile, words))))


def _none_detected(n_evaluable: int, words: Language) -> str:
    none = words.ngettext(
        "The one evaluable mechanism was not detected.",
        "None of the {n} evaluable mechanisms was detected.",
        n_evaluable,
    )
    return none.format(n=n_evaluable)


def _findings(profile: EscapeProfile, words: Language) -> str:
    axes = profile.axes
    n_evaluable = sum(axis.is_evaluable for axis in axes)
    detected, borderline = called_first(axes), called_first(axes, Call.BORDERLINE)
    if not n_evaluable:
        return words.gettext("No mechanism is evaluable.")
    said = []
    if detected:
        sentence = words.gettext("{n} of {n_evaluable} evaluable mechanisms detected: {names}.")
        said.append(sentence.format(n=len(detected), n_evaluable=n_evaluable, names=_names(detected, words)))
    else:
        said.append(_none_detected(n_evaluable, words))
    said.append(_typical(profile, words))
    if borderline:
        said.append(words.gettext("Borderline: {names}.").format(names=_names(borderline, words)))
    return " ".join(filter(None, said))


def _typical(profile: EscapeProfile, words: Language) -> str:
    """How many mechanisms are detected in a tumour of the reference; empty where it is not known."""
    typical = profile.reference.typical_detections
    if typical is None or profile.status not in {Status.REFERENCE_MATCHED, Status.COHORT_RELATIVE}:
        return ""
    number = words.number(f"{typical:.1f}")
    if profile.reference.is_cohort:
        return words.gettext("On average, {n} mechanisms are detected in a tumour of this cohort.").format(
            n=number
        )
    return words.gettext("On average, {n} mechanisms are detected in a tumour of the reference.").format(
        n=number
    )


def _names(axes: tuple[AxisProfile, ...], words: Language) -> str:
    named = tuple(_named(axis, words) for axis in axes[:N_NAMED])
    return enumerate_words(named, len(axes) - len(named), words)


def _title_with_gene(axis: AxisProfile, words: Language) -> str:
    title = translate_record_text(axis.title, words)
    return title if axis.weakest_gene is None else f"{title} ({axis.weakest_gene})"


def _named(axis: AxisProfile, words: Language) -> str:
    title = translate_record_text(axis.title, words)
    score = format_score(axis.score, words)
    if axis.weakest_gene is None:
        return f"{title} ({score})"
    return f"{title} ({axis.weakest_gene}, {score})"


def _index(profile: EscapeProfile, words: Language) -> str:
    _ = words.gettext
    index = profile.index
    if index.score is None and _is_lifted(profile):
        return _(
            "The immunoresistance index is not given: the low values of the sample are not those of its unit."
        )
    if index.score is None and profile.reference.match is ReferenceMatch.POOR:
        return _("The immunoresistance index is not given: the sample is too far from the reference.")
    if index.score is None:
        return _("The immunoresistance index is not evaluable.")
    score = format_index(index.score, words)
    if profile.index_interval is None:
        return _("Immunoresistance index {score} of 100, exploratory.").format(score=score)
    sentence = _("Immunoresistance index {score} of 100 (90 % interval {interval}), exploratory.")
    return sentence.format(score=score, interval=format_interval(profile.index_interval, words, decimals=0))


def _outweighed(profile: EscapeProfile, words: Language) -> str:
    score = profile.index.score
    if not profile.decisive_mechanisms or score is None or score >= LOW_INDEX:
        return ""
    return words.gettext("A decisive defect was detected. It counts more than the index.")


def _is_lifted(profile: EscapeProfile) -> bool:
    return any(flag.code == "floor_suspect" for flag in profile.flags)


def _caution(profile: EscapeProfile, words: Language) -> str | Markup:
    _ = words.gettext
    if profile.status is Status.NOT_EVALUABLE:
        return _not_evaluable_reason(profile, words)
    if profile.status is Status.PROVISIONAL:
        return _("Provisional: levels cannot be read in absolute terms because {reasons}.").format(
            reasons=_("; ").join(_provisional_reasons(profile, words))
        )
    if profile.status is Status.COHORT_RELATIVE:
        return _(
            "Cohort-relative: high and low are those of the {n} tumours of this cohort. Detected means high "
            "for this cohort, about its highest tenth."
        ).format(n=format_count(profile.reference.n_samples, words))
    return _("Reference-matched: levels can be read against the reference {reference} ({match}).").format(
        reference=profile.reference.name, match=match_word(profile.reference.match, words)
    )


def _reason_flag(profile: EscapeProfile) -> str:
    if profile.status is not Status.NOT_EVALUABLE:
        return ""
    return next((flag.code for flag in profile.flags if matters(flag)), "")


def _not_evaluable_reason(profile: EscapeProfile, words: Language) -> str | Markup:
    """The first flag that matters says why; without one, the first mechanism's own reason does."""
    reasons = [flag for flag in profile.flags if matters(flag)]
    reasons += [axis.call_reason for axis in profile.axes]
    if not reasons:
        return words.gettext("The record gives no reason.")
    reason = Markup.escape(words.gettext("Reason: {sentence}"))
    return reason.format(sentence=note_markup(reasons[0], words))


def _provisional_reasons(profile: EscapeProfile, words: Language) -> tuple[str, ...]:
    _ = words.gettext
    reference, source = profile.reference, profile.input
    reasons = []
    if reference.match is None:
        reasons.append(_("the distance to the reference {name} is not known").format(name=reference.name))
    elif _is_lifted(profile):
        reasons.append(_("its low values are not those of its unit"))
    elif reference.match is not ReferenceMatch.GOOD:
        reasons.append(
            _("the sample differs from the reference {name} ({match})").format(
                name=reference.name,
                match=match_word(reference.match, words),
            )
        )
    if source.is_targeted_panel:
        reasons.append(_("only a targeted panel of genes was measured"))
    if source.unit in _NORMALISED_UNITS:
        unit = unit_word(source.unit, words)
        reasons.append(_("{unit} values have another scale than the reference").format(unit=unit))
    return tuple(reasons) or (_("the flags below advise against it"),)
