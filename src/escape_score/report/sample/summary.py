"""One A4 page of a sample for a tumour board: what was found, how sure it is, and what made it.

All texts are cut here, so that the page is one page whatever a sample sheet or a reference is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import (
    Archetype,
    AxisProfile,
    Call,
    EscapeProfile,
    IndexProfile,
    NoteRecord,
    Phenotype,
    QuantityRecord,
    Status,
)
from escape_score.report.drawing import index_gauge, score_bar
from escape_score.report.facts import Fact, assay_facts, header_facts
from escape_score.report.messages import sentence
from escape_score.report.sample.ranking import strongest_first
from escape_score.report.sample.verdict import Verdict, verdict_of
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import (
    format_index,
    format_interval,
    format_percentile,
    format_score,
)
from escape_score.report.text.quantities import format_quantity, format_quantity_interval
from escape_score.report.text.visible import checked_slug, visible_profile
from escape_score.report.text.wording import Badge, badge, is_wrong_unit, matters, word_of

N_CAUTIONS = 3
N_ROWS = 17
"""Called mechanisms in the table; more of them are counted."""
N_LOOSE = 13
"""Rows of both tables up to which lines have their full height."""
N_DIGEST = 12
"""Digits of a sha256 that are shown; the JSON has all."""
NAME, LINE, LINES, PARAGRAPH = 48, 150, 280, 300
"""Most characters of a name from outside, of one line, of two, and of the sentence on top."""
QUANTITIES = (
    "b2m_lost_share",
    "hla_abc_lost_share",
    "mhc1_chain_lost_share",
    "cd8_exhausted_share",
    "treg_share_of_t",
)
"""Quantities of single cells on the page: lost shares of malignant cells, shares of T cells."""


@dataclass(frozen=True)
class MechanismLine:
    """One called mechanism."""

    title: str
    call: Badge
    score: str
    interval: str
    percentile: str
    bar: Markup


@dataclass(frozen=True)
class CellLine:
    """One quantity of single cells; ``reason`` where it is not evaluable."""

    title: str
    call: Badge
    value: str
    interval: str
    reason: str


@dataclass(frozen=True)
class IndexLine:
    """The index; ``reason`` where there is none."""

    score: str
    interval: str
    gauge: Markup
    reason: str


@dataclass(frozen=True)
class SummaryView:
    """Everything on the page; every text is finished and cut."""

    sample: str
    status: Badge
    facts: tuple[Fact, ...]
    msi: str
    headline: str
    unit: str
    findings: str
    caution: str
    mechanisms: tuple[MechanismLine, ...]
    more: str
    not_evaluable: str
    has_cells: bool
    cells: tuple[CellLine, ...]
    cautions: tuple[str, ...]
    index: IndexLine
    outweighed: str
    phenotype: str
    archetype: str
    provenance: str

    @property
    def is_dense(self) -> bool:
        """Whether there are so many rows that lines are set closer."""
        return len(self.mechanisms) + len(self.cells) > N_LOOSE


def summary_view(profile: EscapeProfile, words: Language) -> SummaryView:
    """Prepare the summary of one sample; every text from outside has its invisible characters escaped."""
    checked_slug(profile)
    shown = visible_profile(profile)
    verdict = verdict_of(shown, words)
    called = strongest_first(shown.axes, shown.decisive_mechanisms)
    return SummaryView(
        sample=cut(shown.sample_id, NAME),
        status=badge(shown.status, words),
        facts=_facts(shown, words),
        msi=_msi(shown, words),
        headline=cut(" ".join(filter(None, (verdict.headline, verdict.cells))), PARAGRAPH),
        unit=cut(verdict.unit, LINE),
        findings="" if called else cut(verdict.findings, LINE),
        caution=cut(str(Markup(verdict.caution).striptags()), LINES),
        mechanisms=tuple(_mechanism(axis, shown, words) for axis in called[:N_ROWS]),
        more=_more(len(called) - N_ROWS, words),
        not_evaluable=_not_evaluable(shown.axes, words),
        has_cells=shown.cells is not None,
        cells=_cells(shown, words),
        cautions=_cautions(shown, verdict, words),
        index=_index(shown.index, shown, verdict, words),
        outweighed=verdict.outweighed,
        phenotype=_class_word(shown.phenotype, shown, words),
        archetype=_class_word(shown.archetype, shown, words),
        provenance=_provenance(shown, words),
    )


def cut(text: str, most: int) -> str:
    """Cut a text to so many characters, the ellipsis among them; wide ones count twice, as they are drawn."""
    room = most
    for place, character in enumerate(text):
        room -= 1 if character < "\u1100" else 2
        if room < 0:
            return text[: max(place - 1, 0)].rstrip() + "…"
    return text


def _facts(profile: EscapeProfile, words: Language) -> tuple[Fact, ...]:
    """What identifies the sample, and what assays say of it."""
    *named, _input, reference = header_facts(profile, words)
    facts = (*named, *assay_facts(profile, words))
    short = tuple(Fact(one.label, cut(str(one.value), NAME)) for one in facts)
    return (*short, Fact(words.gettext("Reference"), cut(str(reference.value), LINE)))


def _msi(profile: EscapeProfile, words: Language) -> str:
    """What comes before everything where a mismatch-repair deficiency is possible or reported."""
    said = [sentence(one, words) for one in profile.notes if one.code == "msi"]
    if profile.msi_suspected:
        said.append(
            words.gettext(
                "MLH1 and EPM2AIP1 are low: possible mismatch-repair deficiency. The result of an assay "
                "outweighs this profile."
            )
        )
    return cut(" ".join(said), LINES)


def _mechanism(axis: AxisProfile, profile: EscapeProfile, words: Language) -> MechanismLine:
    interval = axis.interval_within if profile.reference.is_cohort else axis.interval
    title = translate_record_text(axis.title, words)
    score, between = format_score(axis.score, words), format_interval(interval, words)
    said = words.gettext("score {score}, 90 % interval {interval}").format(score=score, interval=between)
    return MechanismLine(
        title=cut(title if axis.weakest_gene is None else f"{title} ({axis.weakest_gene})", 2 * NAME),
        call=badge(axis.call, words),
        score=score,
        interval=between,
        percentile=format_percentile(axis.percentile, axis.percentile_n, words),
        bar=score_bar(axis, interval, alternative=said),
    )


def _more(n: int, words: Language) -> str:
    return words.ngettext("and {n} more", "and {n} more", n).format(n=n) if n > 0 else ""


def _not_evaluable(axes: Iterable[AxisProfile], words: Language) -> str:
    """Mechanisms that are not evaluable in one line: how many, and as many names as there is room for."""
    titles = [translate_record_text(axis.title, words) for axis in axes if axis.call is Call.NOT_EVALUABLE]
    if not titles:
        return ""
    text = words.ngettext(
        "{n} mechanism not evaluable: {names}.", "{n} mechanisms not evaluable: {names}.", len(titles)
    )
    return cut(text.format(n=len(titles), names=words.gettext("; ").join(titles)), LINE)


def _cells(profile: EscapeProfile, words: Language) -> tuple[CellLine, ...]:
    if profile.cells is None:
        return ()
    known = {one.quantity: one for one in profile.cells.quantities}
    return tuple(_cell_line(known[name], words) for name in QUANTITIES if name in known)


def _cell_line(one: QuantityRecord, words: Language) -> CellLine:
    is_evaluable = one.value is not None and one.call is not Call.NOT_EVALUABLE
    interval = format_quantity_interval(one.interval, one.unit, words)
    return CellLine(
        title=cut(translate_record_text(one.title, words), 2 * NAME),
        call=badge(one.call if is_evaluable else Call.NOT_EVALUABLE, words),
        value=format_quantity(one.value, one.unit, words) if is_evaluable else "",
        interval=interval if is_evaluable else "",
        reason="" if is_evaluable else cut(sentence(one.reason, words), 2 * NAME),
    )


def _cautions(profile: EscapeProfile, verdict: Verdict, words: Language) -> tuple[str, ...]:
    """The most severe notes that change how the numbers can be read, errors first, one line each.

    A unit that is probably wrong has its line below the headline, and takes the room of one of these.
    """
    own = () if profile.cells is None else profile.cells.sample.flags
    notes = (*profile.flags, *own, *profile.reference.withheld, *profile.notes)
    said = ("msi", verdict.reason_flag)
    chosen = [one for one in notes if matters(one) and one.code not in said and not is_wrong_unit(one)]
    ordered = sorted(chosen, key=lambda one: one.severity != "error")
    lines = dict.fromkeys(_first_sentence(one, words) for one in ordered)
    return tuple(lines)[: N_CAUTIONS - bool(verdict.unit)]


def _first_sentence(note: NoteRecord, words: Language) -> str:
    """The first sentence of a note; it says what the matter is, the others what to do."""
    said, end, _ = sentence(note, words).partition(". ")
    return cut(f"{said}." if end else said, LINE)


def _class_word(found: Phenotype | Archetype | None, profile: EscapeProfile, words: Language) -> str:
    """Name of a class; a provisional profile has none, whether it could be evaluated or not."""
    is_withheld = found is None and profile.status is Status.PROVISIONAL
    return words.gettext("not given") if is_withheld else word_of(found, words)


def _index(index: IndexProfile, profile: EscapeProfile, verdict: Verdict, words: Language) -> IndexLine:
    if index.score is None:
        return IndexLine("", "", Markup(""), cut(verdict.index, LINE))
    score = format_index(index.score, words)
    interval = format_interval(profile.index_interval, words, decimals=0)
    said = words.gettext("index {score} on a scale from 0 to 100, 90 % interval {interval}")
    gauge = index_gauge(
        index, profile.index_interval, alternative=said.format(score=score, interval=interval)
    )
    return IndexLine(score, interval, gauge, "")


def _provenance(profile: EscapeProfile, words: Language) -> str:
    """What made the page, with digests by which the input and the reference can be found again."""
    made = profile.provenance
    text = words.gettext(
        "escape_score {version} · sha256: input {input}, reference {reference}, gene sets {sets}"
    )
    return text.format(
        version=cut(made.package_version, NAME),
        input=profile.input.sha256[:N_DIGEST],
        reference=made.reference_sha256[:N_DIGEST],
        sets=made.genesets_sha256[:N_DIGEST],
    )
