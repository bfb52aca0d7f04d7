"""Real cells: four ovarian tumours, gliomas, and immune cells without a tumour.

What is asserted was measured first (``validation/cells_labels.py``), with some margin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from tests.pipeline.cells.conftest import REFERENCE, results_in

import escape_score as es
from escape_score.cells.labels.label import label_cells
from escape_score.cells.labels.seeds import find_seeds, train
from escape_score.library.cell_types import LineageChoice
from escape_score.model.cells import CODE_OF, CellSample, Compartment
from escape_score.model.record import Call
from escape_score.pipeline.profiles import Profiles

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*was written without encoding metadata"),  # files of an old anndata
]

TUMOURS = ("11", "12", "13", "14")
LOST = ("b2m_lost_share", "hla_abc_lost_share", "mhc1_chain_lost_share")


@pytest.fixture(scope="session")
def loaders(repo_root: Path) -> Iterator[ModuleType]:
    """The script that measures labels, which reads the data sets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repo_root / "validation")
        yield import_module("cells_labels")


@pytest.fixture(scope="session")
def ovarian(wheels: Path, loaders: ModuleType) -> ad.AnnData:
    """Four tumours; the last is mesenchymal."""
    data: ad.AnnData = loaders.from_wheel(wheels, "qian")
    data.obs["sample"] = data.obs["sample"].astype(str)
    return data


@pytest.fixture(scope="session")
def judged(ovarian: ad.AnnData, loaders: ModuleType) -> dict[str, dict[str, float]]:
    """Figures of each tumour, whose labels the program did not see."""
    samples: list[CellSample] = loaders.qian(ovarian)
    classifier = train(find_seeds(samples, seed=0))
    found = (loaders.judged(one, loaders.found_in(one, classifier, 0)) for one in samples)
    return dict(zip(TUMOURS, found, strict=True))


@pytest.mark.parametrize("tumour", TUMOURS)
def test_compartments_of_ovarian_tumours_are_found(tumour: str, judged: dict[str, dict[str, float]]) -> None:
    figures = judged[tumour]
    assert figures["right"] >= 0.97
    assert figures["called"] >= 0.95
    assert figures["recall"] >= 0.95
    assert figures["claimed"] <= 0.02


@pytest.mark.parametrize("name", ["spectra", "scirpy"])
def test_no_malignant_cells_are_claimed_among_immune_cells(
    name: str, wheels: Path, loaders: ModuleType
) -> None:
    (sample,) = getattr(loaders, name)(loaders.from_wheel(wheels, name))
    classifier = train(find_seeds([sample], seed=0))
    found = loaders.found_in(sample, classifier, 0)
    assert np.mean(found == "malignant") <= 0.02


@pytest.mark.parametrize(("lineage", "least"), [(LineageChoice.AUTO, 0.95), (LineageChoice.GLIAL, 0.75)])
def test_gliomas_are_found(lineage: LineageChoice, least: float, wheels: Path, loaders: ModuleType) -> None:
    """A lineage that is named leaves out cells whose own is not sure."""
    (sample,) = loaders.oligodendroglioma(loaders.from_wheel(wheels, "oligodendroglioma"))
    hidden = replace(sample, given_types=None)
    classifier = train(find_seeds([hidden], seed=0))
    labels = label_cells(hidden, classifier=classifier, lineage=lineage).labels
    is_called = labels.codes == CODE_OF[Compartment.MALIGNANT]
    is_malignant = loaders.truth_of(sample) == "malignant"
    assert is_called[is_malignant].mean() >= least
    assert is_called[~is_malignant].mean() <= 0.02
    assert labels.malignant.kind == "shown"


@pytest.fixture(scope="session")
def profiled(ovarian: ad.AnnData) -> Profiles:
    return profile_of(ovarian)


def profile_of(data: ad.AnnData) -> Profiles:
    return es.profile_cells(data, sample="sample", cell_type="cell_type", reference=REFERENCE)


def test_every_tumour_has_a_profile(profiled: Profiles) -> None:
    assert profiled.sample_ids == TUMOURS
    for name in TUMOURS:
        cells = profiled[name].cells
        assert cells is not None
        assert cells.sample.labels_are_given
        assert cells.sample.unknown_labels == ()


def test_no_loss_is_claimed_in_intact_tumours(profiled: Profiles) -> None:
    """What is not detected says how much could have been missed."""
    table = results_in(profiled).quantities_table()
    lost = table[table["quantity"].isin(LOST)]
    assert len(lost) == len(LOST) * len(TUMOURS)
    assert not (lost["call"] == Call.DETECTED.value).any()
    known = lost[lost["call"] != Call.NOT_EVALUABLE.value]
    assert len(known) >= len(LOST)
    assert (known[["high", "limit_of_detection"]].notna().any(axis=1)).all()
    assert lost.drop(known.index)["reason"].str.len().gt(0).all()


@pytest.mark.parametrize("tumour", ["11", "14"])
def test_a_patient_alone_is_the_same_as_among_others(
    tumour: str, ovarian: ad.AnnData, profiled: Profiles
) -> None:
    alone = profile_of(ovarian[ovarian.obs["sample"] == tumour].copy())
    assert alone[tumour].cells == profiled[tumour].cells
    tables = [results_in(one).labels_table() for one in (alone, profiled)]
    own = tables[1][tables[1]["sample_id"] == tumour].reset_index(drop=True)
    pd.testing.assert_frame_equal(tables[0], own, check_exact=True)
