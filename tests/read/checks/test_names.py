"""Sample names that no table can hold, and those that look odd and are fine."""

from __future__ import annotations

import pytest

from escape_score.read.checks.names import sample_name_faults


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "no sample column"),
        (("A", ""), r"sample name is empty \(sample column 2\)"),
        (("A", " \u00a0"), "sample name is empty"),
        (("A", "B", "A "), "duplicate sample names"),
        (("A\tB",), "control character"),
        (("A\nB",), "control character"),
        (("A\0",), "control character"),
        (("A\x1b[31m",), "control character"),
        (("=1+1",), "formula .*rename it"),
        (("+1+1",), "formula"),
        ((" @SUM(1)",), "formula"),
        (("-2+3|cmd",), "formula"),
    ],
)
def test_sample_name_faults_finds(names: tuple[str, ...], said: str) -> None:
    (fault,) = sample_name_faults("m.tsv", names)
    with pytest.raises(type(fault), match=rf"^m\.tsv: .*{said}"):
        raise fault


@pytest.mark.parametrize(
    "name", ["-5", "+1.5", "-1e5", "a=b", "y" * 5_000, "🧬", "\u202egnp", "NA", "../x", "<b>"]
)
def test_sample_name_faults_leaves_alone(name: str) -> None:
    assert sample_name_faults("m.tsv", (name, "B")) == ()


def test_sample_name_faults_tells_every_kind() -> None:
    assert len(sample_name_faults("m.tsv", ("", "A", "A", "B\n", "=1"))) == 4
