"""Compartments of cells and malignant cells, on simulated samples."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from tests.cells import copy_number
from tests.cells.copy_number import TUMOUR, kind_of, reordered, tumour

from escape_score.cells.labels.assign import assign
from escape_score.cells.labels.classifier import CellClassifier
from escape_score.cells.labels.copy_number import genome_of, held_out_signal, profile_of
from escape_score.cells.labels.expression import Expression
from escape_score.cells.labels.label import label_cells
from escape_score.cells.labels.seeds import SeedPool, clear_sets, find_seeds, train
from escape_score.errors import FileUnreadableError, UsageError
from escape_score.library.cell_types import LineageChoice, load_markers
from escape_score.model.cells import COMPARTMENTS, Compartment
from escape_score.model.notes import Note

NORMAL = {**TUMOUR, "b": 30}


@cache
def trained() -> CellClassifier:
    """A classifier of two samples."""
    return train(find_seeds([tumour(), tumour(NORMAL, malignant=(), sample_id="normal", seed=1)], seed=0))


def names(codes: npt.NDArray[np.int8]) -> npt.NDArray[np.str_]:
    return np.array([COMPARTMENTS[code].value for code in codes])


def test_label_cells_finds_compartments_and_malignant_cells() -> None:
    sample = tumour(seed=2)
    labels = label_cells(sample, classifier=trained()).labels
    expected = np.where(kind_of(sample) == "epithelial", "malignant", kind_of(sample))
    assert np.mean(names(labels.codes) == expected) > 0.97
    assert labels.malignant.kind == "shown"
    assert not labels.is_given
    assert ((labels.confidence >= 0) & (labels.confidence <= 1)).all()
    is_malignant = expected == "malignant"
    assert np.median(labels.copy_number[is_malignant]) == pytest.approx(2.0, abs=0.3)
    assert np.median(labels.copy_number[~is_malignant]) == pytest.approx(0.0, abs=0.3)


def test_label_cells_claims_nothing_in_a_diploid_sample() -> None:
    sample = tumour(NORMAL, malignant=(), seed=3)
    labels = label_cells(sample, classifier=trained()).labels
    assert labels.malignant.kind == "not_shown"
    assert Compartment.MALIGNANT not in set(names(labels.codes))
    assert np.isnan(labels.copy_number).all()
    assert set(names(labels.codes)[kind_of(sample) == "epithelial"]) <= {"epithelial", "unassigned"}


def test_label_cells_separates_normal_from_malignant_cells_of_one_lineage() -> None:
    cancer = tumour(seed=4)
    normal = tumour({"epithelial": 40}, malignant=(), seed=5)
    ids = np.concatenate([cancer.cell_ids, [f"normal-{number}" for number in range(40)]])
    both = replace(cancer, cell_ids=ids, counts=sp.csr_array(sp.vstack([cancer.counts, normal.counts])))
    found = names(label_cells(both, classifier=trained()).labels.codes)
    assert np.mean(found[kind_of(both) == "epithelial"] == "malignant") > 0.95
    assert np.mean(found[kind_of(both) == "normal"] == "malignant") == 0


def test_label_cells_finds_two_clones(monkeypatch: pytest.MonkeyPatch) -> None:
    first = tumour(seed=4)
    monkeypatch.setattr(copy_number, "CHANGES", {"2": 1.6, "3": 0.5, "6": 1.7, "11": 0.5, "12": 1.6})
    second = tumour({"epithelial": 40}, seed=5)
    ids = np.concatenate([first.cell_ids, [f"epithelial-second-{number}" for number in range(40)]])
    both = replace(first, cell_ids=ids, counts=sp.csr_array(sp.vstack([first.counts, second.counts])))
    found = names(label_cells(both, classifier=trained()).labels.codes)
    assert np.mean(found[kind_of(both) == "epithelial"] == "malignant") > 0.95


def test_label_cells_finds_mesenchymal_tumours() -> None:
    sample = tumour({**TUMOUR, "epithelial": 0, "fibroblast": 100}, malignant=("fibroblast",), seed=6)
    found = names(label_cells(sample, classifier=trained()).labels.codes)
    assert np.mean(found[kind_of(sample) == "fibroblast"] == "malignant") > 0.95


def test_label_cells_keeps_to_the_lineage_that_is_asked_for() -> None:
    cells = {**TUMOUR, "epithelial": 40, "fibroblast": 100}
    sample = tumour(cells, malignant=("fibroblast",), seed=6)
    found = label_cells(sample, classifier=trained(), lineage=LineageChoice.MESENCHYMAL).labels
    assert np.mean(names(found.codes)[kind_of(sample) == "fibroblast"] == "malignant") > 0.95
    assert not (names(found.codes)[kind_of(sample) == "epithelial"] == "malignant").any()


def test_label_cells_believes_a_user_where_copy_number_shows_nothing() -> None:
    sample = tumour(NORMAL, malignant=(), seed=3)
    labels = label_cells(sample, classifier=trained(), lineage=LineageChoice.EPITHELIAL).labels
    assert labels.malignant.kind == "asserted"
    is_epithelial = kind_of(sample) == "epithelial"
    assert np.mean(names(labels.codes)[is_epithelial] == "malignant") > 0.97
    assert "malignant" not in names(labels.codes)[~is_epithelial]


def test_label_cells_does_not_take_fibroblasts_as_malignant_on_a_users_word() -> None:
    sample = tumour(NORMAL, malignant=(), seed=3)
    labels = label_cells(sample, classifier=trained(), lineage=LineageChoice.MESENCHYMAL).labels
    assert labels.malignant.kind == "not_shown"
    assert "malignant" not in names(labels.codes)


def test_label_cells_does_not_depend_on_the_order_of_cells() -> None:
    sample = tumour(seed=2)
    moved, rows = reordered(sample)
    first, second = (label_cells(one, classifier=trained()).labels for one in (sample, moved))
    assert (first.codes[rows] == second.codes).all()
    assert (first.copy_number[rows] == second.copy_number).all()
    assert (first.confidence[rows] == second.confidence).all()


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"epithelial": 20, "t": 15, "myeloid": 10}, "few_cells"),
        ({"epithelial": 80, "fibroblast": 40, "t": 12}, "few_reference"),
        ({"epithelial": 19, "t": 60, "myeloid": 60}, "few_candidates"),
        ({"t": 60, "myeloid": 60}, "no_candidates"),
    ],
)
def test_label_cells_says_why_copy_number_is_not_evaluable(cells: dict[str, int], kind: str) -> None:
    labels = label_cells(tumour(cells, with_labels=True)).labels
    assert labels.malignant.kind == kind
    assert "malignant" not in names(labels.codes)


def test_label_cells_says_when_genes_are_too_few() -> None:
    sample = tumour(with_labels=True)
    panel = replace(sample, gene_symbols=sample.gene_symbols[:1500], counts=sample.counts[:, :1500])
    assert label_cells(panel).labels.malignant.kind == "few_genes"


def test_label_cells_judges_given_epithelial_cells_by_copy_number() -> None:
    sample = tumour(with_labels=True, seed=2)
    labels = label_cells(sample).labels
    expected = np.where(kind_of(sample) == "epithelial", "malignant", kind_of(sample))
    assert np.mean(names(labels.codes) == expected) > 0.99
    assert labels.is_given
    assert np.isnan(labels.confidence).all()


def test_label_cells_keeps_labels_that_say_malignant() -> None:
    normal = tumour(NORMAL, malignant=(), with_labels=True, seed=3)
    assert normal.given_types is not None
    said = np.where(kind_of(normal) == "epithelial", "Cancer cells", normal.given_types)
    labels = label_cells(replace(normal, given_types=said)).labels
    assert ((names(labels.codes) == "malignant") == (said == "Cancer cells")).all()
    assert labels.malignant.kind == "labelled_only"
    reason = dict(labels.malignant.params)["reason"]
    assert isinstance(reason, Note)
    assert reason.kind == "not_confirmed"


@pytest.mark.parametrize(("n_said", "kind"), [(30, "labelled"), (90, "labelled_shown")])
def test_label_cells_says_who_found_the_malignant_cells(n_said: int, kind: str) -> None:
    sample = tumour(with_labels=True, seed=2)
    assert sample.given_types is not None
    said = sample.given_types.astype("<U20")
    said[np.flatnonzero(said == "epithelial")[:n_said]] = "Cancer cells"
    reason = label_cells(replace(sample, given_types=said)).labels.malignant
    assert reason.kind == kind
    assert (dict(reason.params)["n"], dict(reason.params)["n_labelled"]) == (TUMOUR["epithelial"], n_said)


def test_label_cells_counts_the_cells_that_it_leaves_in_doubt() -> None:
    cancer = tumour(n_umi=300, with_labels=True, seed=2)
    normal = tumour({"epithelial": 40}, malignant=(), n_umi=300, seed=5)
    both = replace(
        cancer,
        cell_ids=np.concatenate([cancer.cell_ids, [f"normal-{number}" for number in range(40)]]),
        counts=sp.csr_array(sp.vstack([cancer.counts, normal.counts])),
        given_types=np.append(kind_of(cancer), ["epithelial"] * 40),
    )
    labels = label_cells(both).labels
    is_open = names(labels.codes) == "unassigned"
    assert (names(labels.codes) == "epithelial").any()
    assert dict(labels.malignant.params)["n_doubtful"] == is_open.sum() > 0
    assert (labels.copy_number[is_open] < 1).all()


def test_label_cells_leaves_cells_without_a_label_unassigned() -> None:
    sample = tumour(with_labels=True, seed=2)
    assert sample.given_types is not None
    hidden = np.where(np.arange(sample.n_cells) % 3 == 0, "doublet", sample.given_types)
    found = names(label_cells(replace(sample, given_types=hidden)).labels.codes)
    assert ((found == "unassigned") == (hidden == "doublet")).all()


@pytest.mark.parametrize("n_cells", [0, 1, 3, 25])
def test_label_cells_takes_few_cells(n_cells: int) -> None:
    sample = tumour({"t": n_cells, "epithelial": 0})
    labels = label_cells(sample, classifier=trained()).labels
    assert len(labels.codes) == n_cells
    assert "malignant" not in names(labels.codes)


def test_label_cells_needs_labels_or_a_classifier() -> None:
    with pytest.raises(UsageError, match="classifier"):
        label_cells(tumour())


def test_assign_abstains_without_evidence() -> None:
    sample = tumour({"t": 60, "myeloid": 60, "mast": 40}, malignant=(), seed=7)
    cells = Expression(sample)
    found = names(assign(cells, trained(), seed=0).codes)
    assert "mast" not in trained().names
    assert np.mean(found[kind_of(sample) == "mast"] == "unassigned") > 0.9
    assert np.mean(found[kind_of(sample) != "mast"] == kind_of(sample)[kind_of(sample) != "mast"]) > 0.97


def test_assign_lets_a_cluster_decide_about_cells_of_few_counts() -> None:
    sample = tumour({"t": 60, "myeloid": 60, "epithelial": 60}, malignant=(), n_umi=400, seed=7)
    cells, kinds = Expression(sample), kind_of(sample)
    alone = assign(cells, trained(), seed=0, clusters=np.arange(180, dtype=np.int32))
    clusters = np.unique(kinds, return_inverse=True)[1].astype(np.int32)
    together = assign(cells, trained(), seed=0, clusters=clusters)
    # three quarters of a cluster agree, but four fifths must
    divided = np.where(np.arange(180) < 80, 0, np.arange(180)).astype(np.int32)
    mixed = assign(cells, trained(), seed=0, clusters=divided)
    assert np.mean(names(alone.codes) == kinds) < 0.5
    assert np.mean(names(together.codes) == kinds) > 0.97
    assert (mixed.codes == alone.codes).all()


def test_assign_of_a_cohort_without_seeds_is_unassigned() -> None:
    sample = tumour({"t": 4, "myeloid": 3})
    classifier = train(find_seeds([sample], seed=0))
    assert classifier.names == ()
    assert set(names(assign(Expression(sample), classifier, seed=0).codes)) == {"unassigned"}


def test_find_seeds_does_not_depend_on_any_order() -> None:
    first, second = tumour(), tumour(NORMAL, malignant=(), sample_id="normal", seed=1)
    pools = [
        find_seeds(samples, seed=0)
        for samples in ([first, second], [reordered(second)[0], reordered(first)[0]])
    ]
    assert (pools[0].sets == pools[1].sets).all()
    assert (pools[0].logged.toarray() == pools[1].logged.toarray()).all()
    assert (pools[0].n_seeds == pools[1].n_seeds).all()


def test_clear_sets_are_high_and_alone() -> None:
    levels = np.full(len(load_markers()), 0.5)
    levels[3] = 0.2
    scores = np.zeros((5, len(levels)), dtype=np.float32)
    scores[0, 2], scores[1, [2, 4]], scores[2, 4] = 0.5, 0.5, 0.05
    scores[3, [2, 3]] = 0.25, 0.2  # half and all of their levels
    assert clear_sets(scores, levels).tolist() == [2, -1, -1, 3, -1]


def test_find_seeds_finds_the_sets_that_are_there() -> None:
    pool = find_seeds([tumour()], seed=0)
    found = {one.name: int(n) for one, n in zip(load_markers(), pool.n_seeds, strict=True) if n}
    assert found.keys() == TUMOUR.keys()
    assert all(0.8 * TUMOUR[name] < n <= TUMOUR[name] for name, n in found.items())


def test_train_of_two_sets_errs_as_much_in_both() -> None:
    """The intercept of a balanced logistic regression is where the mean errors of both sets are equal."""
    sample = tumour({"t": 80}, malignant=(), seed=8)
    cells, sets = Expression(sample), np.repeat([0, 1], [60, 20])
    n_sets = len(load_markers())
    pool = SeedPool(
        np.ones(n_sets), np.bincount(sets, minlength=n_sets), sample.gene_symbols, cells.logged, sets
    )
    wrong = 1.0 - train(pool).probabilities(cells)[np.arange(80), sets]
    assert np.mean(wrong[sets == 0]) == pytest.approx(np.mean(wrong[sets == 1]), rel=0.02)


def test_classifier_comes_back_from_its_file_as_the_same_bytes(tmp_path: Path) -> None:
    trained().to_file(tmp_path / "first.npz")
    read = CellClassifier.from_file(tmp_path / "first.npz")
    read.to_file(tmp_path / "second.npz")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    cells = Expression(tumour(seed=2))
    assert (read.probabilities(cells) == trained().probabilities(cells)).all()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut short"])
def test_classifier_refuses_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "classifier.npz"
    path.write_bytes(content)
    with pytest.raises(FileUnreadableError, match=r"classifier\.npz: not a classifier"):
        CellClassifier.from_file(path)


def test_profile_of_separates_copy_number_from_cell_type() -> None:
    sample = tumour(seed=2)
    kinds = kind_of(sample)
    types = [np.flatnonzero(kinds == one) for one in ("t", "myeloid", "endothelial")]
    genome = genome_of(Expression(sample), types)
    for level, rows in zip(genome.levels, types, strict=True):
        np.testing.assert_allclose(level, genome.means(rows))
    malignant, fibroblast = (
        profile_of(genome, np.flatnonzero(kinds == kind)) for kind in ("epithelial", "fibroblast")
    )
    assert malignant.signal_log2 > 3 * held_out_signal(genome, types)
    assert fibroblast.signal_log2 < malignant.signal_log2 / 3
    assert malignant.agreement > 0.8
    assert abs(fibroblast.agreement) < 0.6
