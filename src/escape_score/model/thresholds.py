"""Every fixed number of the method, in groups: the typed form of ``resources/axes/thresholds.tsv``.

Each row of the table says unit, meaning and source of one number.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """Base of the groups."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlacementLimits(Group):
    """Samples and genes on the scale of the reference."""

    min_anchors: int
    z_clip: float


class CoverageLimits(Group):
    """Genes that a component needs."""

    min_fraction: float
    min_genes_per_component: int
    partial_coverage: float


class LocusLimits(Group):
    """Whether 6p21 was quantified."""

    mhc_control_log2: float
    min_mhc_controls: int
    mhc_panel_gap_log2: float
    mhc_cohort_fraction: float


class UntrustedLimits(Group):
    """Genes that a pipeline did not count right."""

    zero_reference_log2: float
    min_cohort_checks: int
    near_zero_log2_tpm: float
    near_zero_fraction: float
    sibling_shift_log2: float
    min_siblings: int


class MatchLimits(Group):
    """What the distance to the reference permits."""

    reference_good: float
    reference_good_ratio: float
    reference_moderate: float
    reference_moderate_excess: float
    min_percentile_samples: int


class AutoLimits(Group):
    """Which reference a cohort is measured against."""

    matched_fraction: float
    judged_samples: int
    own_samples: int
    batch_gap: float
    batch_fraction: float
    batch_samples: int
    batch_anchors: int
    composition_sd: float


class FitLimits(Group):
    """References fitted on a laboratory's own tumours."""

    min_fit_samples: int
    advised_fit_samples: int
    fit_prior_samples: float


class IndexLimits(Group):
    """The immunoresistance index."""

    winsor_sd: float
    min_index_blocks: int


class PhenotypeLimits(Group):
    """Desert, excluded or inflamed."""

    phenotype_t: float
    phenotype_stroma: float
    phenotype_stroma_over_t: float


class IntervalLimits(Group):
    """Errors of scores."""

    interval_level: float
    interval_prior_df: float
    technical_sd: float
    panel_inflation: float
    assumed_reads_per_tpm: float
    within_term_independence: float
    between_block_independence: float
    distance_factor: float


class PresentationLimits(Group):
    """Antigen presentation of the tumour cells."""

    min_leukocyte_genes: int
    min_tumour_mhc_genes: int
    leukocyte_fraction_max: float
    leukocyte_fraction_suspect: float
    mhc_residual_min: float
    zero_log2_tpm: float
    loss_fraction: float
    leukocyte_mhc_factor: float
    leukocyte_mhc_sd_log2: float
    leukocyte_b2m_sd_log2: float
    link_noise_sd_log2: float
    link_distance_factor: float
    leukocyte_prior_sd_log2: float
    presentation_prior_samples: float


class DomainLimits(Group):
    """Where an adjusted score exists."""

    detected_log2: float
    detected_fraction: float
    most_below_sd: float
    most_interferon_z: float


class LinkLimits(Group):
    """Single genes of a chain."""

    min_links: int
    link_shift_weight: float
    link_min_shift_sd: float
    link_max_excess_log2: float


class EvidenceLimits(Group):
    """Genes shown for and against a mechanism."""

    evidence_z: float
    evidence_genes: int


class CellReadLimits(Group):
    """What a file of single cells may hold."""

    min_genes_recognised: int
    empty_barcode_genes: int
    full_length_reads: float
    estimated_whole_fraction: float
    constant_total_fraction: float
    most_gated_fraction: float


class CellAssignLimits(Group):
    """Compartments of single cells."""

    on_quantile: float
    on_floor: float
    seed_level: float
    seed_margin: float
    seed_score: float
    seed_markers: int
    min_seeds: int
    train_cells: int
    features: int
    feature_sd: float
    regularisation: float
    posterior: float
    sure_posterior: float
    contradiction: float
    least_own: float
    min_umi: int
    min_voters: int
    vote_share: float
    vote_posterior: float
    vote_own: float
    cells_per_cluster: int
    most_clusters: int
    cells_per_small_cluster: int
    small_clusters: int
    variable_genes: int
    components: int
    batches_from: int


class CopyNumberLimits(Group):
    """Malignant cells by copy number."""

    window_genes: int
    window_step: int
    gene_level: float
    offset: float
    clip_log2: float
    density_bp: float
    min_genes: int
    min_cells: int
    min_reference: int
    min_type: int
    min_held_out: int
    min_group: int
    signal_log2: float
    agreement: float
    over_held_out: float
    same_profile: float
    strength: float
    doubtful: float
    null_spreads: float
    rounds: int


class CellPresentationLimits(Group):
    """Antigen presentation of malignant cells, from single cells."""

    cell_interval_level: float
    level_mean_log2: float
    level_sd_log2: float
    dispersion_mean_log: float
    dispersion_sd_log: float
    residual: float
    stroma_like_share: float
    stroma_size: float
    ambient_size: float
    ambient_sd_log: float
    min_ambient_cells: int
    min_marker_counts: float
    outlier_sd: float
    marker_sd: float
    max_ambient: float
    max_ambient_to_signal: float
    min_expected_count: float
    min_stroma_cells: int
    min_stroma_sd: float
    min_level_gene_share: float
    detection_power: float


class CellStateLimits(Group):
    """States of single cells."""

    least_probability: float
    least_markers: float
    widest_interval: float
    reference_draws: int
    definition_sd_log_odds: float


class Thresholds(Group):
    """All groups."""

    placement: PlacementLimits
    coverage: CoverageLimits
    locus: LocusLimits
    untrusted: UntrustedLimits
    match: MatchLimits
    auto: AutoLimits
    fit: FitLimits
    index: IndexLimits
    phenotype: PhenotypeLimits
    intervals: IntervalLimits
    presentation: PresentationLimits
    domain: DomainLimits
    links: LinkLimits
    evidence: EvidenceLimits
    cell_read: CellReadLimits
    cell_assign: CellAssignLimits
    copy_number: CopyNumberLimits
    cell_presentation: CellPresentationLimits
    cell_state: CellStateLimits
