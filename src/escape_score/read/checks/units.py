"""Decide the unit of a matrix, or say why the numbers do not decide it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from escape_score.errors import UnitAmbiguousError, UnitContradictedError, listed
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.read.checks.unit_evidence import (
    MAX_NEAR_LOG_SPREAD,
    MAX_NEAR_SPREAD,
    MIN_GENES_WHOLE,
    MIN_SAMPLES_NEAR_LOG,
    TEN_THOUSAND,
    are_whole_numbers,
    has_many_negatives,
    largest_value,
    linear_sums,
    logs_among_linear,
    look_centred,
    lowest_value,
    negative_fraction,
    sums_behind_log,
    tpm_among_others,
)
from escape_score.read.checks.values import LOG2_FLOOR, LOG_MAXIMUM, MILLION, BoolArray, MatrixFacts, names_of

_LINEAR = (ExpressionUnit.COUNTS, ExpressionUnit.TPM, ExpressionUnit.FPKM)
_PLUS_1 = (ExpressionUnit.LOG2_PLUS_1, ExpressionUnit.LN_PLUS_1)
_FLOOR_MARGIN = 0.01


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
    advice = f"say --units with {fitting}" if fitting else before
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


def _decide_linear(facts: MatrixFacts) -> UnitVerdict:
    if has_many_negatives(facts):
        _refuse_guess(facts, f"too many negative values for linear data ({_figures(facts)})", None)
    unit, kind, is_guess = _linear_unit(facts)
    guessed = (note(Code.UNITS_GUESSED, kind, unit=unit.value),) if is_guess else ()
    evidence = note(Code.UNIT, kind, figures=_figures_note(facts))
    notes = (*_negative_notes(facts, unit), *guessed)
    return UnitVerdict(UnitDecision(unit, is_declared=False, evidence=evidence), notes)


def _linear_unit(facts: MatrixFacts) -> tuple[ExpressionUnit, str, bool]:
    """Unit of linear values, the kind of evidence, and whether another would fit too."""
    sums = linear_sums(facts)
    if sums.are_all(MILLION):
        return ExpressionUnit.TPM, "tpm", False
    if are_whole_numbers(facts):
        return ExpressionUnit.COUNTS, "counts", False
    if sums.are_near_million(max_spread=MAX_NEAR_SPREAD):
        return ExpressionUnit.TPM, "near_tpm", True
    return ExpressionUnit.FPKM, "fpkm", True


def _decide_log(facts: MatrixFacts) -> UnitVerdict:
    if has_many_negatives(facts):
        return _decide_log_with_negatives(facts)
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
    if len(fitting) != 1:
        behind_log = "; ".join(f"{name} would add up to {sums}" for name, sums in behind.items())
        why = f"no value above {LOG_MAXIMUM:g}, so logarithms or few genes ({_figures(facts)}; {behind_log}: "
        possible = "counts or log2(x+1)" if are_whole_numbers(facts) else "log2(x+1), ln(x+1) or array"
        _refuse_guess(facts, f"{why}no single one fits 1e6)", f"{possible}, whichever it is")
    unit = ExpressionUnit(fitting[0])
    params = {"unit": unit.value, "behind": behind[unit].range}
    evidence = note(Code.UNIT, "log", figures=_figures_note(facts), **params)
    guessed = () if exact or small else (note(Code.UNITS_GUESSED, "log", **params),)
    decision = UnitDecision(unit, is_declared=False, evidence=evidence)
    return UnitVerdict(decision, (*_negative_notes(facts, unit), *guessed))


def _decide_log_with_negatives(facts: MatrixFacts) -> UnitVerdict:
    """Read log2(x + 0.001) off its lowest value."""
    unit = ExpressionUnit.LOG2_PLUS_0001
    if facts.n_floor.sum() == 0 or lowest_value(facts) < LOG2_FLOOR - _FLOOR_MARGIN:
        why = f"no value above {LOG_MAXIMUM:g}, many below 0, the lowest not log2(0.001) = -9.97"
        _refuse_guess(facts, f"{why} ({_figures(facts)})", "log2(x+0.001) or array, if it is one of them")
    evidence = note(Code.UNIT, "floor", figures=_figures_note(facts), n=int(facts.n_floor.sum()))
    return UnitVerdict(UnitDecision(unit, is_declared=False, evidence=evidence))


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
    if declared in _LINEAR:
        yield from _against_linear(facts, declared)
    elif declared.is_log:
        yield from _against_log(facts, declared)


def _log_hint(facts: MatrixFacts) -> str:
    """Name the logarithm that fits, if one does."""
    if facts.n_floor.sum() > 0:
        return "the lowest value fits --units log2(x+0.001)"
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
    if declared is ExpressionUnit.COUNTS and not is_whole and sums.are_all(MILLION):
        yield "no whole numbers, every sample adds up to 1e6", "the numbers fit --units tpm"
    if declared is ExpressionUnit.TPM and is_whole and sums.median > 2 * MILLION:
        yield "whole numbers, sums far above 1e6", "the numbers fit --units counts"


def _against_log(facts: MatrixFacts, declared: ExpressionUnit) -> Iterator[tuple[str, str]]:
    if largest_value(facts) > LOG_MAXIMUM:
        yield f"values above {LOG_MAXIMUM:g} are no logarithms", "say tpm, fpkm or counts"
    if declared is ExpressionUnit.LOG2_PLUS_0001:
        # log2(x + 0.001) gives nothing below log2(0.001), and 0 only by chance
        if lowest_value(facts) < LOG2_FLOOR - _FLOOR_MARGIN:
            yield f"values below log2(0.001) = {LOG2_FLOOR:.4g}", "check --units"
        if (facts.minimum[facts.is_usable] == 0).all():
            yield "the lowest value of every sample is 0", "the numbers fit log2(x+1) or ln(x+1)"
    behind = sums_behind_log(facts)
    declared_fits = behind[declared].are_all(MILLION) or behind[declared].are_all(TEN_THOUSAND)
    others = [name for name, sums in behind.items() if sums.are_all(MILLION) and name != declared]
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
    if declared is ExpressionUnit.TPM and linear_sums(facts).median > 2 * MILLION:
        notes.append(note(Code.UNITS_SUSPECT, "sums", sums=linear_sums(facts).range))
    return tuple(notes)


def _negative_notes(facts: MatrixFacts, unit: ExpressionUnit) -> tuple[Note, ...]:
    """Count values below 0 where the unit has none."""
    n_negative = int(facts.n_negative.sum())
    if unit is ExpressionUnit.LOG2_PLUS_0001 or not n_negative:
        return ()
    return (note(Code.UNITS_SUSPECT, "below_zero", n=n_negative, lowest=lowest_value(facts)),)
