"""What could have been seen of each link of a chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from escape_score.model.record import EscapeProfile, LinkRecord
from escape_score.report import render_sample
from escape_score.report.sample.mechanisms import mechanism_view
from escape_score.report.text.i18n import translations

WORDS = translations("en")


def link(name: str, z: float | None, detectable: float | None, *, is_evaluable: bool) -> LinkRecord:
    return LinkRecord(link=name, z=z, detectable_sd=detectable, is_evaluable=is_evaluable)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (
            link("B2M", 0.31, 2.54, is_evaluable=True),
            ("B2M", "+0.3", "+2.5", "A five-fold loss of B2M could be detected in this sample."),
        ),
        (
            link("TAP1+TAP2", -0.04, 0.61, is_evaluable=False),
            (
                "TAP1 and TAP2 together",
                "0.0",
                "+0.6",
                "A five-fold loss of TAP1 and TAP2 together could not be detected reliably in this "
                "sample. A loss is therefore not excluded.",
            ),
        ),
        (
            link("HLA-A", None, None, is_evaluable=False),
            (
                "HLA-A",
                "not known",
                "not known",
                "HLA-A was not measured, or its expected level is not known. Its loss cannot be assessed.",
            ),
        ),
    ],
)
def test_mechanism_view_says_whether_a_loss_could_be_seen(
    record: LinkRecord, shown: tuple[str, ...], make_profile: Callable[..., EscapeProfile]
) -> None:
    axis = make_profile().axes[0].model_copy(update={"links": (record,)})
    (view,) = mechanism_view(axis, 1, WORDS).links
    assert (view.link, view.z, view.detectable, view.statement) == shown


def test_page_has_the_links_only_where_there_are_any(make_profile: Callable[..., EscapeProfile]) -> None:
    profile = make_profile()
    links = (link("B2M", 0.31, 2.54, is_evaluable=True),)
    axes = tuple(
        axis.model_copy(update={"links": links if axis.axis == "mhc1_weakest_link" else ()})
        for axis in profile.axes
    )
    for lang, sentence in {
        "en": "A five-fold loss of B2M could be detected in this sample.",
        "fr": "Une perte d’un facteur cinq de B2M serait détectable dans cet échantillon.",
    }.items():
        assert render_sample(make_profile(axes=axes), lang=lang).count(sentence) == 1
    assert "five-fold loss of B2M" not in render_sample(profile)
