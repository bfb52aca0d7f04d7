"""Profiles of made-up samples with the real catalogue's titles and texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from escape_score.library.axes import load_axis_catalogue
from escape_score.model.axes import Axis
from escape_score.model.notes import Code, Severity, note
from escape_score.model.profiles import AxisValues, Bounds
from escape_score.model.record import (
    Archetype,
    AxisProfile,
    Call,
    EscapeProfile,
    GeneEvidence,
    IndexBlock,
    IndexProfile,
    InputRecord,
    Interval,
    NoteRecord,
    Phenotype,
    Provenance,
    ReferenceMatch,
    ReferenceRecord,
    Status,
    slug_of,
)
from escape_score.profile.calls import Circumstances, call_axis, call_reason

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ProfileFactory = Callable[..., EscapeProfile]

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Scores of a tumour with few T cells and several mechanisms detected; axes not named here are not evaluable.
SCORES = {
    "antigen_loss": 0.41,
    "coinhibition": -0.62,
    "stroma": 1.38,
    "exclusion": 1.81,
    "angiogenesis": 0.22,
    "exhaustion": 0.10,
    "treg": 0.55,
    "mdsc": 1.22,
    "tam": -0.35,
    "suppressive": 0.47,
    "mhc1_loss": 0.96,
    "mhc1_weakest_link": 4.62,
    "mhc2_loss": 0.88,
    "ifng_machinery": 0.73,
    "hypoxia_glycolysis": 1.07,
    "adenosine": -0.004,
    "kynurenine": -1.12,
    "lipid": 0.31,
    "effector_absence": 1.64,
}
FEW = {axis: min(score, 0.3) for axis, score in SCORES.items()} | {"stroma": 1.9, "effector_absence": -0.9}
"""Scores of a tumour with many T cells and one mechanism detected."""

GENES = {
    "mhc1_weakest_link": ("B2M", "HLA-A", "TAP1", "TAP2", "HLA-C", "NLRC5"),
    "effector_absence": ("CD8A", "GZMB", "PRF1", "IFNG", "CXCL9"),
    "stroma": ("FAP", "COL11A1", "POSTN", "TAGLN", "COL1A1"),
}
WIDTH, WIDTH_WITHIN = 0.5, 0.4
"""Half the width of every interval."""


@pytest.fixture(scope="session")
def axis_definitions() -> tuple[Axis, ...]:
    return load_axis_catalogue().axes


@pytest.fixture(scope="session")
def make_profile(axis_definitions: tuple[Axis, ...]) -> ProfileFactory:
    """Factory: a provisional profile unless fields are given."""
    axes = tuple(make_axis(definition, match=ReferenceMatch.MODERATE) for definition in axis_definitions)

    def make(sample_id: str = "TUM-0042-A", **changes: object) -> EscapeProfile:
        fields: dict[str, object] = {
            "sample_id": sample_id,
            "slug": slug_of(sample_id),
            "cohort": "urothelial_baseline",
            "status": Status.PROVISIONAL,
            "index": make_index(73.4),
            "phenotype": None,
            "archetype": None,
            "decisive_mechanisms": ("mhc1_weakest_link",),
            "leukocyte_fraction": 0.087,
            "axes": axes,
            "flags": make_flags(),
            "metadata": {"cancer_type": "urothelial carcinoma", "timepoint": "baseline", "tmb": 7.25},
            "reference": make_reference(),
            "input": make_input(),
            "provenance": make_provenance(),
        }
        return EscapeProfile.model_validate(fields | changes)

    return make


@pytest.fixture(scope="session")
def matched_profile(make_profile: ProfileFactory, axis_definitions: tuple[Axis, ...]) -> EscapeProfile:
    """An inflamed tumour with one mechanism detected."""
    reference = make_reference().model_copy(
        update={"distance": 0.42, "match": ReferenceMatch.GOOD, "is_sample_in_reference": True}
    )
    return make_profile(
        "CRC-17",
        status=Status.REFERENCE_MATCHED,
        phenotype=Phenotype.INFLAMED,
        archetype=Archetype.INFLAMED,
        decisive_mechanisms=(),
        axes=tuple(make_axis(definition, FEW) for definition in axis_definitions),
        index=make_index(22.6),
        flags=(),
        reference=reference,
    )


@pytest.fixture(scope="session")
def empty_profile(make_profile: ProfileFactory, axis_definitions: tuple[Axis, ...]) -> EscapeProfile:
    """Nothing is evaluable."""
    return make_profile(
        "TUM-0099-F",
        status=Status.NOT_EVALUABLE,
        index=make_index(None),
        phenotype=None,
        archetype=None,
        decisive_mechanisms=(),
        leukocyte_fraction=None,
        axes=tuple(make_axis(definition, {}) for definition in axis_definitions),
        flags=(made(Code.SAMPLE_EMPTY, "zero"),),
        metadata={},
        reference=make_reference().model_copy(
            update={"distance": None, "match": None, "anchor_offset_log2": None, "n_anchors": 0}
        ),
    )


@pytest.fixture(scope="session")
def hostile_profile(make_profile: ProfileFactory) -> EscapeProfile:
    return make_profile(
        '<script>alert(1)</script>"\u202egnp.exe',
        cohort="{{7*7}}",
        metadata={
            "=1+1": "'; DROP--",
            "note": "<img src=x onerror=alert(2)>\x00\n",
            "cancer_type": "{% raw %}50% x",
        },
        flags=(
            NoteRecord(
                code="</style><script>",
                severity=Severity.CAUTION,
                params={"x": "%(sample)s %s {0} </title>\u2066"},
            ),
        ),
    )


@pytest.fixture(scope="session")
def sample_profiles(
    make_profile: ProfileFactory,
    matched_profile: EscapeProfile,
    empty_profile: EscapeProfile,
    hostile_profile: EscapeProfile,
) -> tuple[EscapeProfile, ...]:
    return make_profile(), matched_profile, empty_profile, hostile_profile


def make_axis(
    definition: Axis, scores: Mapping[str, float] = SCORES, *, match: ReferenceMatch = ReferenceMatch.GOOD
) -> AxisProfile:
    """One mechanism, called by its score as the profile stage calls it."""
    axis, score = definition.axis, scores.get(definition.axis)
    has_raw = bool(definition.raw_terms)
    call, reason = make_call(definition, score, match)
    return AxisProfile(
        axis=axis,
        title=definition.title,
        group=definition.group,
        mechanism=definition.mechanism,
        adjusted_for=definition.adjusted_for,
        score=score,
        has_raw=has_raw,
        raw_score=score + 0.5 if score is not None and has_raw else None,
        interval=None if score is None else Interval(low=score - WIDTH, high=score + WIDTH),
        interval_within=None
        if score is None
        else Interval(low=score - WIDTH_WITHIN, high=score + WIDTH_WITHIN),
        percentile=None if score is None else 87.3,
        percentile_n=592,
        coverage=0.12 if score is None else 0.9,
        threshold=definition.threshold,
        call=call,
        call_reason=reason,
        weakest_gene="B2M" if axis == "mhc1_weakest_link" and score is not None else None,
        evidence=() if score is None else make_genes(axis),
        opposing=() if score is None else make_genes("opposing")[:1],
        meaning=definition.meaning,
        limits=definition.limits,
    )


def make_call(
    definition: Axis, score: float | None, match: ReferenceMatch = ReferenceMatch.GOOD
) -> tuple[Call | None, NoteRecord]:
    """Call and reason of one score, by the rules of the profile stage."""
    values = np.array([np.nan if score is None else score])
    empty = np.array([""], dtype=object)
    low, high = values - WIDTH, values + WIDTH
    given = Circumstances(
        bounds=Bounds(low, high, values - WIDTH_WITHIN, values + WIDTH_WITHIN),
        match=np.array([match], dtype=object),
        raw_high=high,
        outside=empty,
        is_lifted=np.zeros(1, dtype=bool),
        is_absent=np.zeros(1, dtype=bool),
    )
    (call,), (kind,) = call_axis(definition, AxisValues(values, np.ones(1), empty), given)
    is_context = definition.is_context and call != Call.NOT_EVALUABLE
    interval = None if score is None else Interval(low=float(low[0]), high=float(high[0]))
    reason = call_reason(definition, "context" if is_context else kind, score, interval)
    return None if definition.is_context else Call(call), NoteRecord.of(reason)


def make_genes(axis: str) -> tuple[GeneEvidence, ...]:
    genes = GENES.get(axis, ("SLC2A1", "CA9", "VEGFA"))
    return tuple(
        GeneEvidence(gene_symbol=gene, component=axis, z=2.75 - rank, log2_tpm=6.5 - rank, direction=-1)
        for rank, gene in enumerate(genes)
    )


def make_index(score: float | None) -> IndexProfile:
    blocks = (("effector_absence", 0.5), ("mhc1_loss", 1 / 6), ("stroma", 1 / 6), ("suppressive", 1 / 6))
    return IndexProfile(
        score=score,
        interval=None if score is None else Interval(low=max(0.0, score - 31), high=min(100.0, score + 24)),
        interval_within=None if score is None else Interval(low=score - 9, high=score + 8),
        blocks=tuple(
            IndexBlock(block=block, weight=weight, score=None if score is None else SCORES[block])
            for block, weight in blocks
        ),
    )


def made(code: Code, kind: str = "", **params: Any) -> NoteRecord:  # noqa: ANN401
    """A note as a record holds it."""
    return NoteRecord.of(note(code, kind, **params))


def make_flags() -> tuple[NoteRecord, ...]:
    return (
        made(Code.REFERENCE_DISTANT, name="tcga-crc-v1"),
        made(Code.RENAMED_SYMBOLS, n=312, names=["MARCH1"]),
        made(Code.UNITS_GUESSED, "fpkm", unit="fpkm"),
    )


def make_reference() -> ReferenceRecord:
    return ReferenceRecord(
        name="tcga-crc-v1",
        description="TCGA colorectal tumours, RSEM with length factors",
        tumour_type="colorectal adenocarcinoma",
        assay="bulk RNA-seq",
        n_samples=592,
        distance=0.84,
        match=ReferenceMatch.MODERATE,
        n_anchors=4318,
        anchor_offset_log2=-0.37,
        is_sample_in_reference=False,
    )


def make_input() -> InputRecord:
    return InputRecord(
        unit="log2(x+1)",
        unit_is_declared=False,
        unit_evidence=made(Code.UNIT, "tpm", figures=note(Code.SUMS, "one", value=1e6)),
        n_genes=18234,
        is_targeted_panel=False,
        input_sha256="1f" * 32,
    )


def make_provenance() -> Provenance:
    return Provenance(package_version="0.1.0", reference_sha256="2e" * 32, genesets_sha256="3d" * 32, seed=0)


@dataclass
class ParsedPage:
    """Tags with their attributes and the texts between them, as a browser's parser finds them."""

    tags: list[tuple[str, dict[str, str]]]
    texts: list[str]

    def values(self, tag: str, attribute: str) -> list[str]:
        return [found[attribute] for name, found in self.tags if name == tag and attribute in found]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


class PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = ParsedPage([], [])
        self.is_in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.is_in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self.is_in_style = False

    def handle_data(self, data: str) -> None:
        if not self.is_in_style:
            self.page.texts.append(data)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program; tests that ask for it, or for a browser, are skipped where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    return CHROMIUM


@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    """One browser for all tests of pages, started when the first of them asks."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def parse_page() -> Callable[[str], ParsedPage]:
    def parse(html: str) -> ParsedPage:
        parser = PageParser()
        parser.feed(html)
        return parser.page

    return parse
