"""NanoString counts: RCC files and tables, what is scaled, and what is refused."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from escape_score.errors import InputError, MatrixInvalidError, UnitContradictedError
from escape_score.genes import load_gene_table
from escape_score.model.cohort import Cohort
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.read import ReadLimits, count_samples, read_cohort

GENES = sorted(load_gene_table().current)[:30]
HOUSEKEEPING = ["GAPDH", "TBP", "SDHA"]
CODES = (
    *(("Endogenous", gene) for gene in GENES),
    *(("Housekeeping", gene) for gene in HOUSEKEEPING),
    *(("Positive", f"POS_{name}") for name in ("A(128)", "B(32)", "F(0.125)")),
    *(("Negative", f"NEG_{name}(0)") for name in "AB"),
)


def counts_of(seed: int) -> list[int]:
    """Counts of all codes; housekeeping genes have the geometric mean 200, positive controls 400."""
    endogenous = np.random.default_rng(seed).integers(0, 5000, len(GENES)).tolist()
    return [*endogenous, 100, 200, 400, 1600, 100, 9, 4, 6]


def rcc(counts: Sequence[object], *, lane: Mapping[str, object] | None = None) -> str:
    about = {"ID": 3, "FovCount": 280, "FovCounted": 270, "BindingDensity": 0.8} | dict(lane or {})
    codes = [f"{kind},{name},NM_1.1,{count}" for (kind, name), count in zip(CODES, counts, strict=True)]
    lines = [
        *("<Header>", "FileVersion,1.7", "</Header>", "", "<Sample_Attributes>", "ID,x"),
        *("GeneRLF,p", "</Sample_Attributes>", "", "<Lane_Attributes>"),
        *(f"{key},{value}" for key, value in about.items()),
        *("</Lane_Attributes>", "", "<Code_Summary>", "CodeClass,Name,Accession,Count", *codes),
        *("</Code_Summary>", "", "<Messages>", "</Messages>", ""),
    ]
    return "\r\n".join(lines)


def write_folder(folder: Path, samples: Mapping[str, Sequence[object]]) -> Path:
    folder.mkdir()
    for name, counts in samples.items():
        (folder / name).write_text(rcc(counts), newline="")
    return folder


def write_table(
    path: Path, samples: Mapping[str, Sequence[object]], codes: Sequence[int] | None = None
) -> Path:
    rows = [["CodeClass", "Name", "Accession", *samples]]
    for at in codes if codes is not None else range(len(CODES)):
        rows.append([*CODES[at], "NM_1.1", *(str(counts[at]) for counts in samples.values())])
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    return path


def values_of(cohort: Cohort) -> np.ndarray:
    return cohort.source.block(0, len(cohort.sample_ids))


def expected(seed: int) -> list[float]:
    return [5.0 * count for count in counts_of(seed)[: len(GENES)]] + [500.0, 1000.0, 2000.0]


def test_read_cohort_names_what_it_does_not_read_next_to_rcc_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_folder(tmp_path / "rcc", {"a.RCC": counts_of(1)})
    (folder / "m.tsv").write_text("gene\tb\n")
    (folder / ".hidden").write_text("x")
    read_cohort(folder)
    assert [one.getMessage() for one in caplog.records] == [f"{folder}: other files are not read: 'm.tsv'"]


def test_read_cohort_reads_folder_of_rcc_files(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "rcc", {"GSM1_x.RCC": counts_of(1), "b.rcc": counts_of(2)})
    (folder / "c.RCC.gz").write_bytes(gzip.compress(rcc(counts_of(3)).encode()))
    (folder / "readme.txt").write_text("by us")
    cohort = read_cohort(folder)
    assert cohort.sample_ids == ("GSM1_x", "b", "c")
    assert cohort.source.gene_ids == (*GENES, *HOUSEKEEPING)
    assert np.allclose(values_of(cohort), [expected(1), expected(2), expected(3)], rtol=1e-12, atol=0)
    assert cohort.unit.unit is ExpressionUnit.NANOSTRING
    assert not cohort.unit.is_declared
    assert count_samples(folder) == 3


def test_a_sample_has_the_same_numbers_alone_and_in_a_table(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "rcc", {"a.RCC": counts_of(1), "b.RCC": counts_of(2)})
    both = values_of(read_cohort(folder))
    assert count_samples(folder / "b.RCC") == 1
    assert values_of(read_cohort(folder / "b.RCC")).tolist() == both[1:].tolist()
    table = write_table(tmp_path / "t.csv", {"b.RCC": counts_of(2), "a.RCC": counts_of(1)})
    cohort = read_cohort(table)
    assert cohort.sample_ids == ("b", "a")
    assert values_of(cohort).tolist() == both[::-1].tolist()
    assert count_samples(table) == 2


@pytest.mark.parametrize("header", ["Code Class", "Class Name"])
def test_read_cohort_reads_export_of_nsolver(tmp_path: Path, header: str) -> None:
    lines = [f"Gene Name\tAccession #\t{header}\t% Samples above Threshold\tS1"]
    lines += [
        f"{name}\tNM_1\t{kind}\t99\t{count}" for (kind, name), count in zip(CODES, counts_of(4), strict=True)
    ]
    (tmp_path / "t.txt").write_text("\n".join(lines))
    cohort = read_cohort(tmp_path / "t.txt")
    assert cohort.sample_ids == ("S1",)
    assert np.allclose(values_of(cohort), [expected(4)], rtol=1e-12, atol=0)


def kinds_of(cohort: Cohort) -> list[tuple[Code, object]]:
    ours = (Code.NANOSTRING_SCALED, Code.NANOSTRING_WEAK)
    return [(one.code, one.kind) for one in cohort.flags.cohort if one.code in ours]


def test_scaling_falls_back_to_positive_controls_and_to_none(tmp_path: Path) -> None:
    samples = {"a": counts_of(1)}
    n = len(GENES)
    few = read_cohort(write_table(tmp_path / "few", samples, [*range(n + 2), *range(n + 3, len(CODES))]))
    wanted = [2.5 * count for count in counts_of(1)[: n + 2]]
    assert np.allclose(values_of(few), [wanted], rtol=1e-12, atol=0)
    assert kinds_of(few) == [(Code.NANOSTRING_SCALED, "positive")]
    none = read_cohort(write_table(tmp_path / "none", samples, range(n)))
    assert values_of(none).tolist() == [counts_of(1)[:n]]
    assert kinds_of(none) == [(Code.NANOSTRING_WEAK, "no_controls")]


def test_values_scaled_before_are_left_as_they_are(tmp_path: Path) -> None:
    before = [count + 0.25 for count in counts_of(1)]
    cohort = read_cohort(write_table(tmp_path / "t", {"a": before, "b": counts_of(2)}))
    assert np.allclose(values_of(cohort), [before[:33], expected(2)], rtol=1e-12, atol=0)
    assert kinds_of(cohort) == [
        (Code.NANOSTRING_SCALED, "housekeeping"),
        (Code.NANOSTRING_SCALED, "before"),
    ]


@pytest.mark.parametrize(
    "lane",
    [
        {"FovCounted": 200},
        {"BindingDensity": 2.3},
        {"BindingDensity": 0.04},
        {"FovCount": "", "FovCounted": 0},
    ],
)
def test_lane_is_flagged_where_it_was_not_read_well(tmp_path: Path, lane: dict[str, object]) -> None:
    (tmp_path / "a.RCC").write_text(rcc(counts_of(1), lane=lane))
    is_flagged = (Code.NANOSTRING_WEAK, "lane") in kinds_of(read_cohort(tmp_path / "a.RCC"))
    assert is_flagged == bool(lane.get("FovCount", "x"))


def test_sample_within_background_is_flagged(tmp_path: Path) -> None:
    weak = [*counts_of(1)[: len(GENES)], 5, 6, 7, 1600, 100, 9, 4, 6]
    cohort = read_cohort(write_table(tmp_path / "t", {"weak": weak, "good": counts_of(2)}))
    (found,) = [one for one in cohort.flags.cohort if one.code is Code.NANOSTRING_WEAK]
    assert dict(found.params)["names"] == ("weak",)


def test_zero_of_a_control_counts_as_one(tmp_path: Path) -> None:
    counts = [*counts_of(1)[: len(GENES)], 0, 100, 100, 1600, 100, 9, 4, 6]
    cohort = read_cohort(write_table(tmp_path / "t", {"a": counts}))
    factor = 1000 / 10_000 ** (1 / 3)
    assert np.allclose(values_of(cohort)[0, 1], factor * counts[1], rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (rcc(counts_of(1))[:900], "the file may be truncated"),
        (rcc(counts_of(1)).replace("</Code_Summary>", ""), "without a complete Code_Summary"),
        (rcc(["x", *counts_of(1)[1:]]), r"line 19 is no code with a count"),
        (rcc([-4, *counts_of(1)[1:]]), r"line 19 is no code with a count"),
        (rcc(counts_of(1)).replace("CodeClass,Name", "Name,Name"), "should name CodeClass"),
    ],
)
def test_read_cohort_refuses_damaged_rcc(tmp_path: Path, text: str, said: str) -> None:
    folder = write_folder(tmp_path / "rcc", {"a.RCC": counts_of(1)})
    (folder / "b.RCC").write_text(text)
    with pytest.raises(InputError, match=rf"b\.RCC: .*{said}"):
        read_cohort(folder)


def test_read_cohort_refuses_files_of_two_panels(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "rcc", {"a.RCC": counts_of(1), "b.RCC": counts_of(2)})
    text = (folder / "b.RCC").read_text().replace(GENES[0], GENES[0] + "X")
    (folder / "b.RCC").write_text(text)
    with pytest.raises(MatrixInvalidError, match=r"other codes \('a\.RCC', 'b\.RCC'\)"):
        read_cohort(folder)


def test_read_cohort_refuses_one_sample_twice(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "rcc", {"a.RCC": counts_of(1), "a.rcc": counts_of(2)})
    with pytest.raises(MatrixInvalidError, match="duplicate sample names"):
        read_cohort(folder)


@pytest.mark.parametrize("units", ["counts", "tpm"])
def test_read_cohort_refuses_another_unit(tmp_path: Path, units: str) -> None:
    folder = write_folder(tmp_path / "rcc", {"a.RCC": counts_of(1)})
    with pytest.raises(UnitContradictedError, match="code classes"):
        read_cohort(folder, units=units)
    assert read_cohort(folder, units="nanostring").unit.is_declared


def test_read_cohort_names_place_of_bad_cell_of_a_table(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t", {"a": ["low", *counts_of(1)[1:]], "b": counts_of(2)})
    with pytest.raises(
        MatrixInvalidError, match=rf"'low' is not numeric \(gene {GENES[0]}, sample a, line 2\)"
    ):
        read_cohort(path)


def test_read_cohort_keeps_to_limits(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "rcc", {"a.RCC": counts_of(1), "b.RCC": counts_of(2)})
    for limits in (ReadLimits(max_samples=1), ReadLimits(max_genes=20)):
        with pytest.raises(MatrixInvalidError, match="too large"):
            read_cohort(folder, limits=limits)
