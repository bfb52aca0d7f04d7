"""The score stage on the bundled cohort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escape_score.errors import AnchorsMissingError
from escape_score.library.axes import load_design
from escape_score.library.gene_sets import load_signatures
from escape_score.model.cohort import Cohort
from escape_score.model.notes import Code
from escape_score.pipeline.gene_sets import open_gene_sets
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.reference.read import load_reference

MakeCohort = Callable[..., Cohort]
RunEngine = Callable[..., Profiles]


def test_score_signatures_scores_every_shipped_set(demo: Profiles) -> None:
    expected = {s.signature_id for s in load_signatures().signatures} - {
        "mhc_region_genes",
        "mhc_region_controls",
    }
    assert set(demo.scores.signature_ids) == expected
    assert demo.scores.values.shape == demo.scores.coverage.shape == (8, len(expected))


def test_skipped_signatures_are_those_without_any_score(
    demo: Profiles, demo_tpm: pd.DataFrame, *, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    anchors = load_reference().genes
    panel = [s for s, a in zip(anchors.symbols, anchors.is_anchor, strict=True) if a and s in demo_tpm][:50]
    scores = run_engine(make_cohort(demo_tpm[[*panel, "CD8A", "CD8B"]])).scores
    empty = np.all(np.isnan(scores.values), axis=0).tolist()
    skipped = dict(scores.skipped)
    assert set(skipped) == {s for s, is_empty in zip(scores.signature_ids, empty, strict=True) if is_empty}
    assert "cd8" not in skipped
    assert in_english(skipped["mhc1"]) == "0 of 10 genes measured, 3 needed"


def test_too_few_anchors_stop_and_name_the_file(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    genes = load_reference().genes
    anchors = [s for s, a in zip(genes.symbols, genes.is_anchor, strict=True) if a and s in demo_tpm]
    run_engine(make_cohort(demo_tpm[anchors[:20]]))
    with pytest.raises(AnchorsMissingError, match=r"^matrix\.tsv: 19 of the anchor genes"):
        run_engine(replace(make_cohort(demo_tpm[anchors[:19]]), label="matrix.tsv"))


def test_under_quantified_locus_is_not_trusted(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    locus = [
        *load_design().locus_genes,
        *load_design().control_genes,
    ]
    low = demo_tpm.copy()
    low.loc[low.index[0], [g for g in locus if g in low]] /= 30
    result = run_engine(make_cohort(low))
    assert result.scores.placement.is_mhc_locus_unquantified.tolist() == [True] + [False] * 7
    flagged = [s for s, note in result.maker.flags.by_sample if note.code is Code.MHC_LOCUS_UNQUANTIFIED]
    assert flagged == [low.index[0]]
    z = dict(zip(result.scores.genes.gene_symbols, result.scores.genes.z[0], strict=True))
    assert np.isnan(z["HLA-A"])
    assert np.isfinite(z["B2M"])
    # the chain's genes on other chromosomes stand in for it
    assert np.isfinite(result.profiles.axis("mhc1_loss").score[0])
    assert np.isnan(result.profiles.axis("mhc1_loss").raw[0])  # type: ignore[index]


def test_score_names_are_unique(demo: Profiles) -> None:
    assert len(set(demo.scores.signature_ids)) == len(demo.scores.signature_ids)


def test_a_set_of_a_user_counts_genes_nobody_knows(tmp_path: Path) -> None:
    gmt = tmp_path / "u.gmt"
    gmt.write_text("MINE\td\tCD8A\tALIEN1\tALIEN2\nALIENS\td\tALIEN1\tALIEN2\n", encoding="utf-8")
    sets = open_gene_sets(gmt)
    assert [(s.signature_id, s.gene_symbols) for s in sets.signatures] == [
        ("MINE", ("CD8A", "ALIEN1", "ALIEN2"))
    ]
    assert [(note.code, note.kind) for note in sets.flags.cohort] == [
        (Code.GENE_SET_LOW_COVERAGE, "unknown"),
        (Code.GENE_SET_LOW_COVERAGE, "partly"),
        (Code.UNKNOWN_GENES, "sets"),
    ]
