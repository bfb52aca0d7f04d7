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
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_index, format_interval, format_log2, format_score
from escape_score.report.text.wording import enumerate_words, match_word, matters

N_NAMED = 3
"""Detected mechanisms that the sentence names; the table has all."""

_NORMALISED_UNITS = ("array", "nanostring")

_OF_PHENOTYPE = {
    None: N_("The phenotype of this tumour could not be determined"),
    Phenotype.DESERT: N_("Few effector T cells reach this tumour (desert)"),
    Phenotype.EXCLUDED: N_("The stroma programme outweighs the T cells of this tumour (excluded)"),
    Phenotype.INFLAMED: N_("Effector T cells are present in this tumour (inflamed)"),
}
# empty where the archetype only repeats the phenotype
_OF_ARCHETYPE = {
    None: N_("the dominant mechanism could not be determined"),
    Archetype.ANTIGEN_PRESENTATION_DEFICIENT: N_("main finding: reduced antigen presentation"),
    Archetype.DESERT: "",
    Archetype.EXCLUDED: "",
    Archetype.SUPPRESSIVE: N_("main finding: excess of suppressive cells"),
    Archetype.EXHAUSTED: N_("main finding: T-cell dysfunction"),
    Archetype.INFLAMED_RESPONSIVE: N_("no dominant mechanism"),
}


@dataclass(frozen=True)
class Verdict:
    """What a reader should take away.

    ``headline`` says how T cells reach the tumour and which way of escape leads, ``findings`` names what was
    detected, ``caution`` says how far the levels can be trusted; ``reason_flag`` is the flag whose sentence
    the caution is, empty where it is none.
    """

    headline: str
    findings: str
    index: str
    caution: str | Markup
    reason_flag: str = ""

    @property
    def text(self) -> str:
        """What was found, in one paragraph."""
        return " ".join((self.headline, self.findings, self.index))


def verdict_of(profile: EscapeProfile, words: Language) -> Verdict:
    """Say in plain sentences what a profile shows, and only what its record holds."""
    return Verdict(
        headline=_headline(profile, words),
        findings=_findings(profile.axes, words),
        index=_index(profile, words),
        caution=_caution(profile, words),
        reason_flag=_reason_flag(profile),
    )


def detected_first(axes: tuple[AxisProfile, ...]) -> tuple[AxisProfile, ...]:
    """Detected mechanisms, the highest score first; ties keep the order given."""
    detected = (axis for axis in axes if axis.call is Call.DETECTED)
    return tuple(sorted(detected, key=lambda axis: -(axis.score or 0.0)))


def _headline(profile: EscapeProfile, words: Language) -> str:
    _ = words.gettext
    if profile.status is Status.NOT_EVALUABLE:
        return _("This sample could not be evaluated.")
    if profile.phenotype is None and profile.archetype is None:
        return _("Neither the phenotype of this tumour nor a dominant mechanism could be determined.")
    sentence = _(_OF_PHENOTYPE[profile.phenotype])
    leading = _(_OF_ARCHETYPE[profile.archetype])
    if not leading:
        return _("{clause}.").format(clause=sentence)
    return _("{phenotype}; {archetype}.").format(phenotype=sentence, archetype=leading)


def _findings(axes: tuple[AxisProfile, ...], words: Language) -> str:
    n_evaluable = sum(axis.call is not Call.NOT_EVALUABLE for axis in axes)
    detected = detected_first(axes)
    if not n_evaluable:
        return words.gettext("No mechanism is evaluable.")
    if not detected:
        return words.ngettext(
            "The one evaluable mechanism was not detected.",
            "None of the {n} evaluable mechanisms was detected.",
            n_evaluable,
        ).format(n=n_evaluable)
    named = tuple(_named(axis, words) for axis in detected[:N_NAMED])
    return words.gettext("Detected, {n} of {n_evaluable} evaluable mechanisms: {names}.").format(
        n=len(detected),
        n_evaluable=n_evaluable,
        names=enumerate_words(named, len(detected) - len(named), words),
    )


def _named(axis: AxisProfile, words: Language) -> str:
    title = translate_record_text(axis.title, words)
    score = format_score(axis.score, words)
    if axis.weakest_gene is None:
        return f"{title} ({score})"
    return f"{title} ({axis.weakest_gene}, {score})"


def _index(profile: EscapeProfile, words: Language) -> str:
    _ = words.gettext
    index = profile.index
    if index.score is None:
        return _("The immunoresistance index is not evaluable.")
    score = format_index(index.score, words)
    if index.interval is None:
        return _("Immunoresistance index {score} of 100, exploratory.").format(score=score)
    sentence = _("Immunoresistance index {score} of 100 (90 % interval {interval}), exploratory.")
    return sentence.format(score=score, interval=format_interval(index.interval, words, decimals=0))


def _caution(profile: EscapeProfile, words: Language) -> str | Markup:
    _ = words.gettext
    if profile.status is Status.NOT_EVALUABLE:
        return _not_evaluable_reason(profile, words)
    if profile.status is Status.PROVISIONAL:
        return _("Provisional: levels cannot be read in absolute terms because {reasons}.").format(
            reasons=_("; ").join(_provisional_reasons(profile, words))
        )
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
    elif any(flag.code == "floor_suspect" for flag in profile.flags):
        reasons.append(_("its low values are not those of its unit"))
    elif reference.match is not ReferenceMatch.GOOD:
        reasons.append(
            _("the sample lies {distance} from the reference {name} ({match})").format(
                distance=format_log2(reference.distance, words),
                name=reference.name,
                match=match_word(reference.match, words),
            )
        )
    if source.is_targeted_panel:
        reasons.append(_("only a targeted panel of genes was measured"))
    if source.unit in _NORMALISED_UNITS:
        unit = translate_record_text(source.unit, words)
        reasons.append(_("{unit} values have another scale than the reference").format(unit=unit))
    return tuple(reasons) or (_("the flags below advise against it"),)
