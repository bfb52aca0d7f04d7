"""Changes and remarks on the page of a sample."""

from __future__ import annotations

from collections.abc import Callable

from tests.report.conftest import made

from escape_score.model.notes import Code
from escape_score.model.record import AxisChange, EscapeProfile, Interval, PairedChange
from escape_score.report import render_sample
from escape_score.report.sample.changes import change_views
from escape_score.report.text.i18n import translations

CHANGE = PairedChange(
    earlier_sample_id="<b>S1</b>",
    earlier_timepoint="baseline",
    timepoint="week 6",
    index=AxisChange(axis="immunoresistance_index", delta=-12.0, interval=Interval(low=-20, high=-4)),
    axes=(
        AxisChange(axis="stroma", delta=0.5, interval=Interval(low=-0.1, high=1.1)),
        AxisChange(axis="mhc1_weakest_link", delta=1.0, interval=None),
    ),
)


def test_change_views_say_what_is_clear(make_profile: Callable[..., EscapeProfile]) -> None:
    (view,) = change_views(make_profile(changes=(CHANGE,)), translations("en"))
    assert view.caption == "Since <b>S1</b> (baseline to week 6)"
    assert [(row.delta, row.interval, row.is_clear) for row in view.rows] == [
        ("-12.00", "[-20.0, -4.0]", True),
        ("+0.50", "[-0.1, 1.1]", False),
        ("+1.00", "no interval", False),
    ]
    assert view.rows[1].title == "TGF-beta and matrix programme"


def test_page_shows_changes_remarks_and_percentile_intervals(
    make_profile: Callable[..., EscapeProfile],
) -> None:
    plain = make_profile()
    axis = plain.axes[3].model_copy(update={"percentile_interval": Interval(low=38, high=55)})
    reference = plain.reference.model_copy(
        update={"withheld": (made(Code.WITHHELD, "percentiles"),), "untrusted_genes": ("HLA-A",)}
    )
    said = make_profile(
        changes=(CHANGE,),
        notes=(made(Code.MSI, "high", given="<MSS>"),),
        axes=(*plain.axes[:3], axis, *plain.axes[4:]),
        reference=reference,
    )
    page = render_sample(said)
    for text in (
        "Change since earlier samples of this patient",
        "Since &lt;b&gt;S1&lt;/b&gt; (baseline to week 6)",
        "Microsatellite status in the sample sheet: &lt;MSS&gt;.",
        "Percentiles and archetype are not given.",
        "Left out by the reference",
        "90 % interval [38, 55]",
    ):
        assert text in page
    assert "Change since earlier samples" not in render_sample(plain)
