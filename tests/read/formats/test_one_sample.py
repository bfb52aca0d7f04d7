"""Files of one sample in several quantities: one is read, and the file names the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.read.formats import tables

import escape_score as es
from escape_score.errors import FileUnreadableError, MatrixInvalidError, UnitContradictedError
from escape_score.model.cohort import Cohort, FloatArray
from escape_score.model.notes import Code
from escape_score.read import count_samples
from escape_score.read.files.probe import probe_path
from escape_score.read.formats import choose_format
from escape_score.read.formats.one_sample import sample_of
from escape_score.read.formats.reader import MatrixReading
from escape_score.read.request import ReadRequest

TPM = tables.tpm_of()
COUNTS = [round(value) for value in TPM]


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def values_of(cohort: Cohort) -> FloatArray:
    return cohort.source.block(0, len(cohort.sample_ids))


def open_matrix(path: Path) -> MatrixReading:
    request = ReadRequest()
    return choose_format(probe_path(path, request.limits)).open_matrix(path, request)


@pytest.mark.parametrize(
    ("layout", "unit", "expected"),
    [
        ("rsem", "tpm", TPM),
        ("salmon", "tpm", TPM),
        ("kallisto", "tpm", TPM),
        ("gdc", "tpm", [round(value, 4) for value in TPM]),
        ("stringtie", "tpm", TPM),
        ("cufflinks", "fpkm", [value / 2 for value in TPM]),
        ("star", "counts", [round(count * 0.98) for count in COUNTS]),
        ("htseq", "counts", COUNTS),
        ("featurecounts", "counts", COUNTS),
    ],
)
def test_read_takes_one_quantity_of_one_sample(
    tmp_path: Path, layout: str, unit: str, expected: list[float]
) -> None:
    path = write(tmp_path, *tables.LAYOUTS[layout])
    cohort = es.read(path)
    assert cohort.sample_ids == ("X",)
    assert cohort.unit.unit == unit
    assert not cohort.unit.is_declared
    assert cohort.unit.evidence.kind == "layout"
    assert [name.split(".")[0] for name in cohort.source.gene_ids] == tables.ensembl_genes()
    assert values_of(cohort)[0].tolist() == pytest.approx(expected)
    assert count_samples(path) == 1


@pytest.mark.parametrize(
    ("layout", "unit", "expected"),
    [
        ("rsem", "counts", [round(20 * value, 2) for value in TPM]),
        ("rsem", "fpkm", [value / 2 for value in TPM]),
        ("salmon", "counts", [20 * value for value in TPM]),
        ("kallisto", "counts", [20 * value for value in TPM]),
        ("gdc", "counts", [2 * count for count in COUNTS]),
        ("gdc", "fpkm", [value / 2 for value in TPM]),
    ],
)
def test_read_takes_the_quantity_of_the_declared_unit(
    tmp_path: Path, layout: str, unit: str, expected: list[float]
) -> None:
    cohort = es.read(write(tmp_path, *tables.LAYOUTS[layout]), units=unit)
    assert cohort.unit.is_declared
    assert values_of(cohort)[0].tolist() == pytest.approx(expected)


def test_read_names_the_quantities_where_none_is_in_the_declared_unit(tmp_path: Path) -> None:
    path = write(tmp_path, *tables.LAYOUTS["rsem"])
    with pytest.raises(MatrixInvalidError, match=r"no column in the declared unit log2\(x\+1\); .*TPM"):
        es.read(path, units="log2(x+1)")
    with pytest.raises(MatrixInvalidError, match="no column in the declared unit fpkm"):
        es.read(write(tmp_path, *tables.LAYOUTS["kallisto"]), units="fpkm")


def test_read_says_which_quantity_was_chosen(tmp_path: Path) -> None:
    flags = es.read(write(tmp_path, *tables.LAYOUTS["rsem"])).flags.cohort
    (note,) = [note for note in flags if note.code is Code.QUANTITY_CHOSEN]
    assert dict(note.params) == {"chosen": "TPM", "names": ("expected_count", "FPKM")}


def test_read_takes_the_unit_of_the_numbers_where_columns_state_none(tmp_path: Path) -> None:
    cohort = es.read(write(tmp_path, "X.tsv", tables.htseq().replace("__", "N_")))
    assert (cohort.sample_ids, cohort.unit.unit) == (("X",), "counts")


def test_read_refuses_a_unit_of_the_columns_that_the_numbers_contradict(tmp_path: Path) -> None:
    genes = tables.ensembl_genes()
    rows = [[name, np.log2(value + 1) - 3] for name, value in zip(genes, TPM, strict=True)]
    path = write(tmp_path, "X.tsv", tables.table(["gene_id", "TPM"], rows))
    with pytest.raises(UnitContradictedError, match=r"negative.*the columns of the file state this unit"):
        es.read(path)


# --- strand -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "column"), [(0.5, 0), (0.41, 0), (0.59, 0), (0.81, 1), (0.99, 1), (0.19, 2), (0.01, 2)]
)
def test_read_finds_the_strand_by_the_counts(tmp_path: Path, first: float, column: int) -> None:
    path = write(tmp_path, "XReadsPerGene.out.tab", tables.star(first))
    lines = [line.split("\t") for line in path.read_text().splitlines()[4:]]
    assert values_of(es.read(path))[0].tolist() == [float(line[1 + column]) for line in lines]


def test_read_takes_the_declared_strand(tmp_path: Path) -> None:
    path = write(tmp_path, "XReadsPerGene.out.tab", tables.star(0.7))
    with pytest.raises(MatrixInvalidError, match=r"strandedness not clear \(70% .*--strand"):
        es.read(path)
    sums = [values_of(es.read(path, strand=strand)).sum() for strand in ("unstranded", "forward", "reverse")]
    assert sums[0] == sums[1] + sums[2]
    assert sums[1] / sums[0] == pytest.approx(0.7, abs=0.001)


def test_read_counts_no_summary_row_as_evidence_of_the_strand(tmp_path: Path) -> None:
    content = tables.star(0.97).replace("N_noFeature\t10000\t10000\t90000", "N_noFeature\t9\t9\t99000000")
    flags = es.read(write(tmp_path, "XReadsPerGene.out.tab", content)).flags.cohort
    (note,) = [note for note in flags if note.code is Code.QUANTITY_CHOSEN]
    assert (note.kind, dict(note.params)) == ("strand", {"column": "stranded_first"})


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("X.genes.results", "X"),
        ("01_rsem.genes.results.gz", "01_rsem"),
        ("XReadsPerGene.out.tab", "X"),
        ("X_ReadsPerGene.out.tab.gz", "X"),
        ("X.ReadsPerGene.out.tab", "X"),
        ("P1/quant.genes.sf", "P1"),
        ("P1/genes.results", "P1"),
        ("P1/gene_abund.tab", "P1"),
        ("P1/abundance.tsv", "P1"),
        ("a1b2.rna_seq.augmented_star_gene_counts.tsv", "a1b2"),
        ("uuid.htseq.counts.gz", "uuid"),
        ("uuid.FPKM-UQ.txt.gz", "uuid"),
        ("GSM123_tumour_1.counts.txt.gz", "GSM123_tumour_1"),
        ("P1.v2.tsv", "P1.v2"),
        ("P1_S1_L001.featureCounts.txt", "P1_S1_L001"),
        ("Patient.star", "Patient"),
        ("generation", "generation"),
    ],
)
def test_sample_of_leaves_out_what_pipelines_append(name: str, sample: str) -> None:
    assert sample_of(Path("/data/run") / name) == sample


def test_read_names_one_column_of_a_quantity_by_its_file(tmp_path: Path) -> None:
    rows = [[name, round(value)] for name, value in zip(tables.ensembl_genes(), TPM, strict=True)]
    for column, sample in (("count", "X"), ("Expression", "X"), ("P7", "P7")):
        path = write(tmp_path, "X.tsv", tables.table(["feature", column], rows))
        assert es.read(path).sample_ids == (sample,)


def test_read_finds_a_missing_header_by_summary_rows_below(tmp_path: Path) -> None:
    genes = ["no_such_gene", *tables.ensembl_genes()]
    cohort = es.read(write(tmp_path, "X.counts", tables.htseq(genes=genes)))
    assert cohort.sample_ids == ("X",)
    assert cohort.source.gene_ids[0] == "no_such_gene"


# --- several samples ----------------------------------------------------------------------------------------


def several(header: list[str], factors: list[float]) -> str:
    rows = [
        [name, *(value * factor for factor in factors)]
        for name, value in zip(tables.ensembl_genes(), TPM, strict=True)
    ]
    return tables.table(["gene_id", *header], rows)


@pytest.mark.parametrize(
    "header",
    [
        ["A_TPM", "A_FPKM", "A_counts", "B_TPM", "B_FPKM", "B_counts"],
        ["TPM.A", "FPKM.A", "count.A", "TPM.B", "FPKM.B", "count.B"],
        ["A.tpm", "A.fpkm", "A.raw_counts", "B.tpm", "B.fpkm", "B.raw_counts"],
        ["A (TPM)", "A (FPKM)", "A (expected count)", "B (TPM)", "B (FPKM)", "B (expected count)"],
    ],
)
@pytest.mark.parametrize(("units", "factors"), [("auto", (1, 1)), ("fpkm", (0.5, 0.4)), ("counts", (9, 8))])
def test_read_takes_one_quantity_of_several_samples(
    tmp_path: Path, header: list[str], units: str, factors: tuple[float, float]
) -> None:
    cohort = es.read(write(tmp_path, "m.tsv", several(header, [1, 0.5, 9, 1, 0.4, 8])), units=units)
    assert cohort.sample_ids == ("A", "B")
    assert values_of(cohort).sum(axis=1) == pytest.approx([1e6 * factor for factor in factors])
    assert any(note.code is Code.QUANTITY_CHOSEN for note in cohort.flags.cohort)


def test_read_takes_columns_without_a_quantity_as_another_one(tmp_path: Path) -> None:
    path = write(tmp_path, "m.tsv", several(["A", "B", "A_fpkm", "B_fpkm"], [9, 8, 0.5, 0.4]))
    assert values_of(es.read(path)).sum(axis=1) == pytest.approx([5e5, 4e5])
    bare = es.read(path, units="counts")
    assert bare.sample_ids == ("A", "B")
    assert values_of(bare).sum(axis=1) == pytest.approx([9e6, 8e6])


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["A_TPM", "A_counts", "C"], "mix quantities of one sample with columns 'C'"),
        (["A_TPM", "A_counts", "B_counts"], "samples 'B' have no column of tpm"),
        (["A_TPM", "A.TPM", "A_counts"], "'A_TPM' and 'A.TPM' are both tpm of sample A"),
    ],
)
def test_read_refuses_quantities_that_do_not_fit(tmp_path: Path, header: list[str], said: str) -> None:
    with pytest.raises(MatrixInvalidError, match=said):
        es.read(write(tmp_path, "m.tsv", several(header, [1, 9, 9])))


def test_read_leaves_names_with_one_quantity_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "m.tsv", several(["A_TPM", "B_TPM"], [1, 1]))
    assert es.read(path).sample_ids == ("A_TPM", "B_TPM")


# --- featureCounts ------------------------------------------------------------------------------------------


def test_read_keeps_alignments_and_lengths_of_featurecounts(tmp_path: Path) -> None:
    path = write(tmp_path, "counts.txt", tables.featurecounts(["/data/A.bam", "/data/B.bam"]))
    reading = open_matrix(path)
    assert reading.source.sample_ids == ("/data/A.bam", "/data/B.bam")
    assert reading.gene_lengths is not None
    assert list(reading.gene_lengths.items())[:2] == [
        (name, 1000.0 + at) for at, name in enumerate(tables.ensembl_genes(2))
    ]
    assert reading.source.block(0, 2).tolist() == [COUNTS, COUNTS]


def test_read_names_one_alignment_by_file_or_alignment(tmp_path: Path) -> None:
    content = tables.featurecounts(["/data/A.bam"])
    assert open_matrix(write(tmp_path, "P1.featureCounts.txt", content)).source.sample_ids == ("P1",)
    assert open_matrix(write(tmp_path, "counts.txt", content)).source.sample_ids == ("A",)


def test_only_featurecounts_gives_gene_lengths(tmp_path: Path) -> None:
    for layout, (name, content) in tables.LAYOUTS.items():
        found = open_matrix(write(tmp_path, name, content)).gene_lengths
        assert (found is not None) == (layout == "featurecounts")


# --- other kinds of tables ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("quant.sf", tables.salmon(names=tables.transcripts()), "transcripts of salmon, .*quant.genes.sf"),
        ("abundance.tsv", tables.kallisto(tables.transcripts()), "transcripts of kallisto, .*tximport"),
        ("X.isoforms.results", tables.rsem_isoforms(), "transcripts of RSEM, .*genes.results"),
        (
            "long.csv",
            tables.table(["sample", "gene", "value"], [[s, g, 1] for s in "AB" for g in ("CD8A", "B2M")]),
            "long format .*'sample'.*pivot",
        ),
        (
            "long.tsv",
            tables.table(["gene", "value", "patient"], [[g, 1, s] for g in ("CD8A", "B2M") for s in "AB"]),
            "long format .*'patient'",
        ),
        (
            "unnamed.tsv",
            tables.table(
                ["gene_id", "who", "value"], [[g, s, 1] for s in "AB" for g in tables.ensembl_genes()]
            ),
            "long format .*'who'",
        ),
        (
            "deseq2.csv",
            tables.table(
                ["", "baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj"],
                [[g, 10, 1, 0.1, 3, 0.01, 0.1] for g in tables.ensembl_genes()],
            ),
            "results of a differential expression test, not expression",
        ),
        (
            "limma.tsv",
            tables.table(
                ["gene", "logFC", "AveExpr", "t", "P.Value", "adj.P.Val", "B"],
                [[g, 1, 5, 3, 0.01, 0.1, 2] for g in tables.ensembl_genes()],
            ),
            "results of a differential expression test",
        ),
        (
            "edger.tsv",
            tables.table(
                ["gene", "logFC", "logCPM", "F", "PValue", "FDR"],
                [[g, 1, 5, 3, 0.01, 0.1] for g in tables.ensembl_genes()],
            ),
            "results of a differential expression test",
        ),
    ],
)
def test_read_refuses_other_tables_by_name(tmp_path: Path, name: str, content: str, said: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(MatrixInvalidError, match=said):
        es.read(path)


def test_read_refuses_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    with pytest.raises(FileUnreadableError, match=r"pointer of Git LFS.*git lfs pull"):
        es.read(write(tmp_path, "m.tsv", pointer))


STATISTICS = """
baseMean mean Length EffectiveLength log2FoldChange lfcSE stat pvalue padj logFC AveExpr adj.P.Val
Total sum max variance A_vs_B_logFC padj.treated gene_biotype t B
"""


def test_read_takes_no_statistic_of_a_gene_for_a_sample(tmp_path: Path) -> None:
    rows = [
        [name, *(1 + at for at, _ in enumerate(STATISTICS.split())), value, value]
        for name, value in zip(tables.ensembl_genes(), TPM, strict=True)
    ]
    path = write(tmp_path, "m.tsv", tables.table(["gene", *STATISTICS.split(), "P1", "P2"], rows))
    assert es.read(path).sample_ids == ("P1", "P2")


def test_read_takes_the_only_column_of_means(tmp_path: Path) -> None:
    rows = list(zip(tables.ensembl_genes(), TPM, strict=True))
    path = write(tmp_path, "m.tsv", tables.table(["gene", "mean"], rows))
    assert es.read(path).sample_ids == ("mean",)


def test_read_takes_samples_with_short_names_where_nothing_is_tested(tmp_path: Path) -> None:
    path = write(tmp_path, "m.tsv", several(["t", "B", "F"], [1, 1, 1]))
    assert es.read(path).sample_ids == ("t", "B", "F")


def test_read_takes_a_corner_named_sample_for_what_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "m.tsv", several(["A", "B"], [1, 1]).replace("gene_id", "sample"))
    assert es.read(path).sample_ids == ("A", "B")


# --- other formats ------------------------------------------------------------------------------------------


def quantities() -> pd.DataFrame:
    genes = pd.Index(tables.ensembl_genes(), name="gene")
    columns = {"length": 900.0, "expected_count": 9.0, "TPM": TPM, "FPKM": np.array(TPM) / 2, "mean": 1.0}
    return pd.DataFrame(columns, genes)


@pytest.mark.parametrize("name", ["X.parquet", "X.feather", "X.xlsx"])
def test_read_takes_one_quantity_of_other_formats(tmp_path: Path, name: str) -> None:
    path, table = tmp_path / name, quantities()
    if name.endswith("xlsx"):
        table.to_excel(path)
    elif name.endswith("parquet"):
        table.to_parquet(path)
    else:
        table.reset_index().to_feather(path)
    cohort = es.read(path)
    assert (cohort.sample_ids, cohort.unit.unit, count_samples(path)) == (("X",), "tpm", 1)
    assert values_of(cohort)[0].tolist() == pytest.approx(TPM)
    assert values_of(es.read(path, units="fpkm"))[0].tolist() == pytest.approx([value / 2 for value in TPM])


def test_from_dataframe_takes_one_quantity() -> None:
    table = quantities()[["expected_count", "TPM", "FPKM"]]
    cohort = es.from_dataframe(table, cohort="X")
    assert (cohort.sample_ids, cohort.unit.unit) == (("X",), "tpm")
    assert values_of(cohort)[0].tolist() == pytest.approx(TPM)
    several = pd.DataFrame({"A_TPM": TPM, "A_FPKM": 1.0, "B_TPM": TPM, "B_FPKM": 2.0}, table.index)
    assert es.from_dataframe(several).sample_ids == ("A", "B")
    strands = pd.DataFrame(
        dict.fromkeys(("unstranded", "stranded_first", "stranded_second"), COUNTS), table.index
    )
    with pytest.raises(MatrixInvalidError, match="frame: counts by strand"):
        es.from_dataframe(strands)


@pytest.mark.parametrize("columns", [["Sample"], ["Patient", "Normal"]])
def test_read_takes_columns_of_numbers_named_sample_for_samples(tmp_path: Path, columns: list[str]) -> None:
    genes = tables.ensembl_genes(60)
    rows = [[gene, *([7 * (at % 3)] * len(columns))] for at, gene in enumerate(genes)]
    path = tmp_path / "m.tsv"
    path.write_text(tables.table(["gene_id", *columns], rows))
    assert es.read(path, units="counts").sample_ids == tuple(columns)
