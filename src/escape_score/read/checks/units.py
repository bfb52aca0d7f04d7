"""Decide the unit of a matrix, or say why the numbers do not decide it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from escape_score.errors import UnitAmbiguousError, UnitContradictedError, listed
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import LARGEST_PANEL, ExpressionUnit, UnitDecision
from escape_score.read.checks.low_end import LIFTED_SHARE
from escape_score.read.checks.unit_evidence import (
    LENGTH_BIASED,
    LENGTH_FREE,
    MAX_FPKM_SUM,
    MAX_NEAR_LOG_SPREAD,
    MAX_NEAR_SPREAD,
    MIN_GENES_ALONE,
    MIN_GENES_WHOLE,
    MIN_SAMPLES_NEAR_LOG,
    TEN_THOUSAND,
    WHOLE_SHARE,
    are_whole_numbers,
    counts_among_others,
    counts_behind_log,
    has_many_negatives,
    have_rsem_quartile,
    largest_value,
    length_slope,
    linear_sums,
    logs_among_linear,
    look_centred,
    look_ranked,
    lowest_value,
    median_share,
    negative_fraction,
    sums_behind_log,
    tpm_among_others,
)
from escape_score.read.checks.values import LOG2_FLOOR, LOG_MAXIMUM, MILLION, BoolArray, MatrixFacts, names_of

_LINEAR = tuple(unit for unit in ExpressionUnit if not (unit.is_log or unit.is_platform))
_PLUS_1 = (ExpressionUnit.LOG2_PLUS_1, ExpressionUnit.LN_PLUS_1)
_FLOOR_MARGIN = 0.01

SMALLEST_PANEL = 100
"""Genes from which whole numbers without a 0 are no accident; panels of NanoString have 180 to 1,800."""

_WITHOUT_LENGTH = {
    ExpressionUnit.CPM: "tpm",
    ExpressionUnit.LOG2_CPM_PLUS_1: "log2(x+1)",
    ExpressionUnit.LOG2_TCGA_RSEM_PLUS_1: "log2(x+1)",
}
"""What fits instead of a unit that grows with gene length; tpm or fpkm for the others."""


@dataclass(frozen=True)
class UnitVerdict:
    """A unit, and the flags units_guessed, units_suspect and mixed_units where they apply."""

    decision: UnitDecision
    notes: tuple[Note, ...] = ()


def decide_unit(
    facts: MatrixFacts, declared: ExpressionUnit, *, stated: ExpressionUnit | None = None
) -> UnitVerdict:
    """Decide the unit of a matrix by its numbers, or check the one declared, or else stated by the layout.

    Never ``AUTO``. Raises UnitAmbiguousError: ``AUTO``, and the numbers fit no unit or several. Raises
    UnitContradictedError: the numbers cannot be of the unit declared.

    A transcriptome in linear units has values above 50, logarithms do not. TPM of one sample add up to 1e6,
    so the base of a logarithm is the one whose inverse gives sums of 1e6 (or of 1e4, as single cells are
    normalised); counts are whole numbers; a lowest value of -9.97 is log2(0.001).
    """
    is_declared = declared is not ExpressionUnit.AUTO
    unit = declared if is_declared else stated
    if unit is None:
        return _decide_by_numbers(facts)
    _check_declared(facts, unit)
    kind = "declared" if is_declared else "layout"
    evidence = note(Code.UNIT, kind, unit=unit.value, figures=_figures_note(facts))
    notes = (*_negative_notes(facts, unit), *_declared_notes(facts, unit))
    return UnitVerdict(UnitDecision(unit, is_declared=is_declared, evidence=evidence), notes)


def _figures(facts: MatrixFacts) -> str:
    """Figures that every verdict rests on."""
    return (
        f"values {lowest_value(facts):.6g} to {largest_value(facts):.6g}, "
        f"{100 * negative_fraction(facts):.3g} % below 0, "
        f"sums of samples {linear_sums(facts)}"
    )


def _figures_note(facts: MatrixFacts) -> Note:
    """The same figures, for the record."""
    return note(
        Code.UNIT,
        "figures",
        lowest=lowest_value(facts),
        highest=largest_value(facts),
        share=negative_fraction(facts),
        sums=linear_sums(facts).range,
    )


# --- no unit declared ---------------------------------------------------------------------------------------


def _decide_by_numbers(facts: MatrixFacts) -> UnitVerdict:
    if not facts.is_usable.any():
        _refuse_guess(facts, "no sample holds two different values", "the unit it was made in")
    if look_centred(facts):
        why = f"values look z-scored or centred ({_figures(facts)}), so absolute levels are lost"
        _refuse_guess(facts, why, None)
    _refuse_mixture(facts)
    if largest_value(facts) > LOG_MAXIMUM:
        return _decide_linear(facts)
    return _decide_log(facts)


def _refuse_guess(facts: MatrixFacts, why: str, fitting: str | None) -> NoReturn:
    before = "give the matrix before that step, in TPM, FPKM or counts"
    advice = f"declare it with --units: {fitting}" if fitting else before
    raise UnitAmbiguousError.at(facts.label, f"unit not decided: {why}; {advice}")


def _refuse_mixture(facts: MatrixFacts) -> None:
    logs = logs_among_linear(facts)
    if logs.any():
        why = f"mixed units: {listed(names_of(facts, logs))} look like logarithms, the other samples linear"
        _refuse_guess(facts, why, None)
    tpm = tpm_among_others(facts)
    if tpm.any():
        why = f"mixed units: {listed(names_of(facts, tpm))} add up to 1e6 like TPM, the other samples do not"
        _refuse_guess(facts, why, None)
    counts = counts_among_others(facts)
    if counts.any():
        names = listed(names_of(facts, counts))
        _refuse_guess(facts, f"mixed units: {names} hold whole numbers like counts, the others do not", None)


@dataclass(frozen=True)
class _Guess:
    """A unit, the kind of evidence for it, and whether another would fit too."""

    unit: ExpressionUnit
    kind: str
    is_open: bool = False


def _decide_linear(facts: MatrixFacts) -> UnitVerdict:
    if has_many_negatives(facts):
        why = f"too many negative values for linear data, as a correction leaves them ({_figures(facts)})"
        _refuse_guess(facts, why, None)
    if look_ranked(facts):
        _refuse_guess(facts, f"values are spread like ranks ({_figures(facts)})", None)
    return _verdict(facts, _linear_guess(facts))


def _verdict(facts: MatrixFacts, guess: _Guess) -> UnitVerdict:
    """The unit inferred, with its evidence and flags."""
    unit, slope = guess.unit, length_slope(facts, guess.unit)
    figures = {} if np.isnan(slope) else {"slope": slope}
    behind = sums_behind_log(facts).get(unit.form.value)
    evidence = note(
        Code.UNIT,
        guess.kind,
        figures=_figures_note(facts),
        unit=unit.value,
        **figures,
        **({} if behind is None else {"behind": behind.range}),
    )
    guessed = (note(Code.UNITS_GUESSED, guess.kind, **dict(evidence.params[1:])),) if guess.is_open else ()
    notes = (*_negative_notes(facts, unit), *guessed, *_length_notes(facts, unit))
    return UnitVerdict(UnitDecision(unit, is_declared=False, evidence=evidence), notes)


def _linear_guess(facts: MatrixFacts) -> _Guess:
    """Unit of linear values."""
    sums, slope = linear_sums(facts), length_slope(facts)
    if are_whole_numbers(facts) and not sums.are_all(MILLION):
        _refuse_signals(facts)
        return _Guess(ExpressionUnit.COUNTS, "counts")
    by_sums = _guess_by_sums(facts)
    if by_sums is not None:
        return by_sums
    is_free, is_biased = slope < LENGTH_FREE, slope >= LENGTH_BIASED
    if median_share(facts, facts.known.whole_share) >= WHOLE_SHARE:
        return _Guess(ExpressionUnit.ESTIMATED_COUNTS, "estimated_counts", is_open=not is_biased)
    if have_rsem_quartile(facts) and not is_free:
        return _Guess(ExpressionUnit.TCGA_RSEM, "tcga_rsem")
    if sums.median > MAX_FPKM_SUM and not (is_free or is_biased):
        why = f"linear, not whole numbers, sums far above 1e6, length bias not clear ({_figures(facts)})"
        _refuse_guess(facts, why, "normalised_counts, estimated_counts or fpkm")
    unit = ExpressionUnit.NORMALISED_COUNTS if is_biased else ExpressionUnit.FPKM
    return _Guess(unit, unit.value, is_open=True)


def _refuse_signals(facts: MatrixFacts) -> None:
    """Refuse to take whole numbers of few genes for reads, where none is 0: NanoString counts every gene."""
    is_panel = SMALLEST_PANEL <= facts.n_genes <= LARGEST_PANEL
    if is_panel and (facts.minimum[facts.is_usable] > 0).all():
        why = f"whole numbers of {facts.n_genes} genes, none of them 0, as of a panel of NanoString"
        _refuse_guess(facts, f"{why} or of sequencing ({_figures(facts)})", "nanostring or counts")


def _guess_by_sums(facts: MatrixFacts) -> _Guess | None:
    """TPM or CPM, where samples add up to a round number; None where they do not."""
    sums, slope = linear_sums(facts), length_slope(facts)
    unit = ExpressionUnit.CPM if slope >= LENGTH_BIASED else ExpressionUnit.TPM
    if sums.are_all(TEN_THOUSAND):
        return _Guess(unit, "ten_thousand", is_open=True)
    is_exact = sums.are_all(MILLION)
    if not is_exact and not sums.are_near_million(max_spread=MAX_NEAR_SPREAD):
        return None
    if unit is ExpressionUnit.CPM:
        return _Guess(unit, "cpm", is_open=True)
    if is_exact:
        is_open = slope >= LENGTH_FREE
        return _Guess(unit, "tpm_or_cpm" if is_open else "tpm", is_open=is_open)
    return _Guess(unit, "near_tpm", is_open=True)


def _decide_log(facts: MatrixFacts) -> UnitVerdict:
    if has_many_negatives(facts):
        return _decide_log_with_negatives(facts)
    undo = counts_behind_log(facts)
    if undo:
        why = f"values are logarithms of counts: {undo} gives whole numbers"
        _refuse_guess(facts, why, f"counts after undoing it as {undo}")
    behind = sums_behind_log(facts)
    exact = [name for name, sums in behind.items() if sums.are_all(MILLION)]
    small = [name for name in _PLUS_1 if behind[name].are_all(TEN_THOUSAND)]
    near = [
        name
        for name, sums in behind.items()
        if sums.are_near_million(max_spread=MAX_NEAR_LOG_SPREAD, min_samples=MIN_SAMPLES_NEAR_LOG)
    ]
    fitting = [name for name in exact or small or near if name != ExpressionUnit.LOG2_PLUS_0001]
    if fitting == ["log10(x+1)"]:
        why = "values look like log10(x+1), which is not read"
        _refuse_guess(facts, why, "tpm after undoing it as 10^x - 1")
    if not fitting and have_rsem_quartile(facts) and not length_slope(facts) < LENGTH_FREE:
        return _verdict(facts, _Guess(ExpressionUnit.LOG2_TCGA_RSEM_PLUS_1, "tcga_rsem"))
    if len(fitting) != 1:
        _refuse_log(facts)
    is_exact = bool(exact or small)
    return _verdict(facts, _log_guess(facts, ExpressionUnit(fitting[0]), is_exact=is_exact))


def _log_guess(facts: MatrixFacts, unit: ExpressionUnit, *, is_exact: bool) -> _Guess:
    """Whether logarithms are of TPM or of CPM."""
    slope = length_slope(facts, unit)
    if slope >= LENGTH_BIASED and unit is ExpressionUnit.LOG2_PLUS_1:
        return _Guess(ExpressionUnit.LOG2_CPM_PLUS_1, "cpm", is_open=True)
    if is_exact and slope >= LENGTH_FREE:
        return _Guess(unit, "tpm_or_cpm", is_open=True)
    return _Guess(unit, "log", is_open=not is_exact)


def _refuse_log(facts: MatrixFacts) -> NoReturn:
    """Name the logarithms that are possible."""
    behind_log = "; ".join(f"{name} would add up to {sums}" for name, sums in sums_behind_log(facts).items())
    why = f"no value above {LOG_MAXIMUM:g}, so logarithms or few genes ({_figures(facts)}; {behind_log}: "
    possible = "log2(x+1), ln(x+1) or array"
    if are_whole_numbers(facts):
        possible = "counts or log2(x+1)"
    elif length_slope(facts) >= LENGTH_FREE:
        possible = "log2(cpm+1), log2(tcga_rsem+1), log2(x+1), ln(x+1) or array"
    _refuse_guess(facts, f"{why}no single one fits 1e6)", possible)


def _decide_log_with_negatives(facts: MatrixFacts) -> UnitVerdict:
    """Read log2(x + 0.001) off its lowest value."""
    unit = ExpressionUnit.LOG2_PLUS_0001
    if not _has_floor(facts):
        why = f"no value above {LOG_MAXIMUM:g}, many below 0, the lowest not log2(0.001) = -9.97"
        msg = f"unit not decided: {why} ({_figures(facts)}); {_pseudocount_hint(facts)}"
        raise UnitAmbiguousError.at(facts.label, msg)
    evidence = note(Code.UNIT, "floor", figures=_figures_note(facts), n=int(facts.n_floor.sum()))
    decision = UnitDecision(unit, is_declared=False, evidence=evidence)
    return UnitVerdict(decision, _length_notes(facts, unit))


def _has_floor(facts: MatrixFacts) -> bool:
    """Whether the lowest value is log2(0.001)."""
    return bool(facts.n_floor.sum()) and lowest_value(facts) >= LOG2_FLOOR - _FLOOR_MARGIN


def _pseudocount_hint(facts: MatrixFacts) -> str:
    """How a logarithm with values below 0 can be given: by its own pseudocount where that is seen."""
    lowest, share = lowest_value(facts), median_share(facts, facts.known.low_end_share)
    is_shared = share >= LIFTED_SHARE and np.ptp(facts.minimum[facts.is_usable]) < _FLOOR_MARGIN
    if is_shared and lowest < 0:
        count = f"{2.0**lowest:.3g}"
        return (
            f"{share:.0%} of the genes are at {lowest:.4g} = log2({count}): undo it as 2^x - {count} and "
            "declare the result with --units, such as tpm, cpm or counts"
        )
    return (
        "give the matrix before the logarithm, in TPM, CPM or counts, or declare --units array if it is one"
    )


# --- a unit declared ----------------------------------------------------------------------------------------


def _check_declared(facts: MatrixFacts, declared: ExpressionUnit) -> None:
    why, hint = next(_contradictions(facts, declared), ("", ""))
    if why:
        msg = f"declared unit {declared.value} contradicts the numbers: {why} ({_figures(facts)}); "
        raise UnitContradictedError.at(facts.label, msg + (hint or "give the matrix before that step"))


def _contradictions(facts: MatrixFacts, declared: ExpressionUnit) -> Iterator[tuple[str, str]]:
    """Why the numbers cannot be of a unit, most severe first, and what to do where that is known."""
    if not facts.is_usable.any():
        return
    if look_centred(facts):
        yield "values look z-scored or centred, absolute levels are lost", ""
    logs = logs_among_linear(facts)
    if logs.any():
        names = listed(names_of(facts, logs))
        yield f"mixed units: {names} look like logarithms, the others linear", ""
    if declared is not ExpressionUnit.LOG2_PLUS_0001 and has_many_negatives(facts):
        yield "too many negative values", _log_hint(facts)
    if not declared.is_platform and look_ranked(facts):
        yield "values are spread like ranks", ""
    is_low = facts.maximum[facts.is_usable] <= LOG_MAXIMUM
    if declared.is_platform and is_low.any() and not is_low.all():
        yield f"samples with and without values above {LOG_MAXIMUM:g}, logarithms and signals mixed", ""
    if declared in _LINEAR:
        yield from _against_linear(facts, declared)
    elif declared.is_log:
        yield from _against_log(facts, declared)


def _log_hint(facts: MatrixFacts) -> str:
    """Name the logarithm that fits, if one does."""
    if _has_floor(facts):
        return "the lowest value fits --units log2(x+0.001)"
    if has_many_negatives(facts):
        is_log = largest_value(facts) <= LOG_MAXIMUM
        return _pseudocount_hint(facts) if is_log else "give the matrix before the correction that left them"
    fitting = [
        name
        for name, sums in sums_behind_log(facts).items()
        if sums.are_all(MILLION) or sums.are_all(TEN_THOUSAND)
    ]
    return f"the numbers fit {fitting[0]}" if fitting else "check --units"


def _against_linear(facts: MatrixFacts, declared: ExpressionUnit) -> Iterator[tuple[str, str]]:
    sums, is_whole = linear_sums(facts), are_whole_numbers(facts)
    is_low = largest_value(facts) <= LOG_MAXIMUM and not is_whole
    fits_log = any(behind.are_all(MILLION) for behind in sums_behind_log(facts).values())
    if is_low and (facts.n_genes >= MIN_GENES_WHOLE or fits_log):
        yield f"no value above {LOG_MAXIMUM:g}, as in logarithms", _log_hint(facts)
    are_reads = declared.are_reads or declared is ExpressionUnit.UMI
    if are_reads and not is_whole and sums.are_all(MILLION):
        fitting = "cpm" if length_slope(facts) >= LENGTH_BIASED else "tpm"
        yield "no whole numbers, every sample adds up to 1e6", f"the numbers fit --units {fitting}"
    if declared is ExpressionUnit.UMI and not is_whole:
        yield "UMI and 3' counts are whole numbers", "say estimated_counts, normalised_counts or cpm"
    if declared in (ExpressionUnit.TPM, ExpressionUnit.CPM) and sums.median > 2 * MILLION:
        if is_whole:
            yield "whole numbers, sums far above 1e6", "the numbers fit --units counts"
        elif declared is ExpressionUnit.CPM:
            yield "sums far above 1e6", "say normalised_counts or estimated_counts"
    if declared is ExpressionUnit.FPKM and is_whole and facts.n_genes >= MIN_GENES_ALONE:
        yield "whole numbers", "the numbers fit --units counts"


def _against_log(facts: MatrixFacts, declared: ExpressionUnit) -> Iterator[tuple[str, str]]:
    if largest_value(facts) > LOG_MAXIMUM:
        yield f"values above {LOG_MAXIMUM:g} are not logarithms", "declare tpm, fpkm or counts"
    if declared is ExpressionUnit.LOG2_PLUS_0001:
        # log2(x + 0.001) gives nothing below log2(0.001), and 0 only by chance
        if lowest_value(facts) < LOG2_FLOOR - _FLOOR_MARGIN:
            yield f"values below log2(0.001) = {LOG2_FLOOR:.4g}", "check --units"
        if (facts.minimum[facts.is_usable] == 0).all():
            yield "the lowest value of every sample is 0", "the numbers fit log2(x+1) or ln(x+1)"
    undo = counts_behind_log(facts)
    if undo:
        yield f"{undo} gives whole numbers, as in logarithms of counts", "undo it and declare --units counts"
    behind, form = sums_behind_log(facts), declared.form
    if declared is ExpressionUnit.LOG2_CPM_PLUS_1 and behind[form].median > 2 * MILLION:
        yield (
            f"undone as 2^x - 1, samples add up to {behind[form]}, far above 1e6",
            "undo it and declare --units normalised_counts",
        )
    declared_fits = behind[form].are_all(MILLION) or behind[form].are_all(TEN_THOUSAND)
    others = [name for name, sums in behind.items() if sums.are_all(MILLION) and name != form]
    is_pseudocount_only = all(name.startswith("log2") == declared.startswith("log2") for name in others)
    if others and not declared_fits and not is_pseudocount_only:
        yield f"only undone as {others[0]} do samples add up to 1e6", f"the numbers fit {others[0]}"


def _declared_notes(facts: MatrixFacts, declared: ExpressionUnit) -> tuple[Note, ...]:
    """Flag what is odd in a declared unit and yet possible."""
    notes: list[Note] = []
    tpm: BoolArray = tpm_among_others(facts)
    if declared in _LINEAR and tpm.any():
        notes.append(note(Code.MIXED_UNITS, n=int(tpm.sum()), n_all=len(tpm)))
    if declared in _LINEAR and largest_value(facts) <= LOG_MAXIMUM:
        notes.append(note(Code.UNITS_SUSPECT, "low", limit=LOG_MAXIMUM, unit=declared.value))
    if declared is ExpressionUnit.COUNTS and not are_whole_numbers(facts):
        notes.append(note(Code.UNITS_SUSPECT, "not_whole"))
    sums = sums_behind_log(facts).get(declared.value, linear_sums(facts))
    is_tpm = declared in (ExpressionUnit.TPM, *_PLUS_1)
    if is_tpm and sums.median > 2 * MILLION and not length_slope(facts, declared) >= LENGTH_BIASED:
        notes.append(note(Code.UNITS_SUSPECT, "sums", sums=sums.range))
    return (*notes, *_length_notes(facts, declared))


def _length_notes(facts: MatrixFacts, unit: ExpressionUnit) -> tuple[Note, ...]:
    """Flag values that grow with gene length where those of the unit do not, and the other way round."""
    slope = length_slope(facts, unit)
    if unit.is_platform or np.isnan(slope):
        return ()
    if unit.is_per_gene and slope < LENGTH_FREE:
        is_whole = are_whole_numbers(facts)
        kind = "umi" if is_whole else "no_length_bias"
        fitting = {} if is_whole else {"fitting": _WITHOUT_LENGTH.get(unit, "tpm, fpkm")}
        return (note(Code.UNITS_SUSPECT, kind, unit=unit.value, slope=slope, **fitting),)
    if not unit.is_per_gene and slope >= LENGTH_BIASED:
        fits = _fitting_with_length(facts, unit)
        return (note(Code.UNITS_SUSPECT, "length_bias", unit=unit.value, slope=slope, fitting=fits),)
    return ()


def _fitting_with_length(facts: MatrixFacts, unit: ExpressionUnit) -> str:
    """Units that grow with gene length and fit the numbers."""
    if unit.is_log:
        return "log2(cpm+1), log2(tcga_rsem+1)"
    if are_whole_numbers(facts):
        return "counts"
    is_million = linear_sums(facts).are_all(MILLION)
    return "cpm" if is_million else "estimated_counts, normalised_counts, tcga_rsem"


def _negative_notes(facts: MatrixFacts, unit: ExpressionUnit) -> tuple[Note, ...]:
    """Count values below 0 where the unit has none."""
    n_negative = int(facts.n_negative.sum())
    if unit is ExpressionUnit.LOG2_PLUS_0001 or not n_negative:
        return ()
    return (note(Code.UNITS_SUSPECT, "below_zero", n=n_negative, lowest=lowest_value(facts)),)
