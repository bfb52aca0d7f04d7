"""The harmonise stage: any unit and any gene names to log2(TPM + 1) over approved symbols."""

from escape_score.harmonise.stage import harmonise, harmonise_cohort

__all__ = ["harmonise", "harmonise_cohort"]
