"""References for the measurements: the shipped one with figures of one immune source, and fitted ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from mixes import ImmuneSource, as_cohort, harmonised

from escape_score.fit import ReferenceLabel, fit_reference
from escape_score.library.axes import load_design
from escape_score.model.reference import Reference, ReferenceConstants
from escape_score.model.scores import SignatureScores
from escape_score.pipeline.profiles import Profiles
from escape_score.pipeline.profiling import profile_scores
from escape_score.pipeline.profiling import score as score_cohort
from escape_score.profile.mhc.presentation import PSEUDOCOUNT_TPM
from escape_score.profile.mhc.presentation_fit import fit_presentation

SMALLEST_TPM = 1e-3


def run(tpm: pd.DataFrame, reference: Reference) -> Profiles:
    """Bring samples × genes through the program's stages."""
    return profile_scores(score(tpm, reference), reference)


def score(tpm: pd.DataFrame, reference: Reference) -> SignatureScores:
    """The stages up to scores."""
    return score_cohort(harmonised(as_cohort(tpm)), reference)


def constants_of(source: ImmuneSource, shipped: ReferenceConstants) -> ReferenceConstants:
    """The shipped constants with levels in leukocytes from one source alone."""
    leukocytes = [g for g in load_design().components["leukocyte"] if g in source.mean.columns]
    unit = np.exp(np.log(source.mean[leukocytes] + PSEUDOCOUNT_TPM).mean(axis=1))

    def per_unit(figures: Mapping[str, float]) -> dict[str, float]:
        return {
            gene: float(np.exp(np.log((source.mean[gene] + SMALLEST_TPM) / unit).mean()))
            if gene in source.mean.columns
            else figure
            for gene, figure in figures.items()
        }

    return replace(
        shipped,
        mhc_per_leukocyte_unit=per_unit(shipped.mhc_per_leukocyte_unit),
        ifng_per_leukocyte_unit=per_unit(shipped.ifng_per_leukocyte_unit),
    )


def refit(reference: Reference, tumours: pd.DataFrame, constants: ReferenceConstants) -> Reference:
    """The shipped reference with its presentation model fitted to some tumours and with other constants."""
    bare = replace(reference, constants=constants, presentation=None)
    model = fit_presentation(score(tumours, bare), bare, load_design(), prior=None)
    return replace(bare, presentation=model)


def fit_on(tumours: pd.DataFrame, base: Reference) -> Reference:
    """A laboratory's own reference, as ``escape-score reference fit`` makes it."""
    label = ReferenceLabel("lab", "tumours that are not mixed", "tumour", "RNA-seq")
    return fit_reference(
        harmonised(as_cohort(tumours, name="lab")),
        base,
        design=load_design(),
        label=label,
        min_samples=10,
    )
