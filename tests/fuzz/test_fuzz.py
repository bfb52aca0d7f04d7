from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.mutations import bounded, damaged, read_or_refuse

from escape_score.config import load_config
from escape_score.library.gene_sets import read_gmt
from escape_score.model.cohort import Cohort
from escape_score.model.units import ExpressionUnit
from escape_score.read import read_cohort
from escape_score.read.sheet import read_sample_sheet

pytestmark = pytest.mark.slow

GENES = ("CD8A", "CD8B", "GZMB", "PRF1", "B2M", "HLA-A", "HLA-B", "COL1A1", "FAP", "TP53", "KRAS", "MYC")
SAMPLES = ("Pat02", "Pat19", "Pat37")


def _rows() -> list[list[str]]:
    values = np.random.default_rng(3).gamma(0.7, 200.0, (len(GENES), len(SAMPLES))).round(3)
    return [[gene, *map(repr, row)] for gene, row in zip(GENES, values.tolist(), strict=True)]


def _lines(rows: list[list[str]], delimiter: str = "\t") -> bytes:
    return "".join(delimiter.join(row) + "\n" for row in rows).encode()


TEXT = _lines([["gene", *SAMPLES], *_rows()])
CSV = _lines([["gene", *SAMPLES], *_rows()], ",")
GZIPPED = gzip.compress(TEXT, mtime=0)
GCT = (
    f"#1.2\n{len(GENES)}\t{len(SAMPLES)}\n".encode()
    + _lines([["Name", "Description", *SAMPLES]])
    + _lines([[row[0], "na", *row[1:]] for row in _rows()])
)


RSEM = _lines(
    [
        ["gene_id", "transcript_id(s)", "length", "effective_length", "expected_count", "TPM", "FPKM"],
        *([gene, "t", "900", "800.5", *cells] for gene, *cells in _rows()),
    ]
)
STAR = _lines(
    [
        *(
            [name, "10", "10", "10"]
            for name in ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")
        ),
        *([gene, "90", "88", "2"] for gene in GENES),
    ]
)
HTSEQ = _lines([*([gene, "7"] for gene in GENES), ["__no_feature", "9"], ["__ambiguous", "0"]])
SEVERAL = _lines([["gene", "A_TPM", "A_FPKM", "A_counts"], *_rows()])
FILE_SHEET = b"sample_id\tpath\tresponse\nP1\tA.genes.results\tR\nP2\tB.genes.results\tNR\n"

SAMPLES_IN_ROWS = _lines([list(row) for row in zip(*[["s", *SAMPLES], *_rows()], strict=True)])
FIREHOSE = _lines(
    [["Hybridization REF", *SAMPLES], ["gene_id", *["normalized_count"] * len(SAMPLES)]]
) + _lines(_rows())
SERIES = (
    b'!Series_title\t"t"\n!Series_type\t"Expression profiling by high throughput sequencing"\n'
    b'!Sample_title\t"a"\t"b"\t"c"\n!Sample_geo_accession\t"Pat02"\t"Pat19"\t"Pat37"\n'
    b'!Sample_characteristics_ch1\t"response: R"\t"response: NR"\t"age: 5"\n!series_matrix_table_begin\n'
    + _lines([["ID_REF", *SAMPLES], *_rows()])
    + b"!series_matrix_table_end\n"
)
_CODES = [*(["Endogenous", gene] for gene in GENES), *(["Housekeeping", f"H{at}"] for at in range(3))]
NANOSTRING = _lines(
    [["CodeClass", "Name", *SAMPLES], *([*code, "7", str(at * 9), "30"] for at, code in enumerate(_CODES))],
    ",",
)
RCC = (
    b"<Header>\nFileVersion,1.7\n</Header>\n<Sample_Attributes>\nID,x\n</Sample_Attributes>\n<Lane_Attributes>\n"
    b"FovCount,280\nFovCounted,279\nBindingDensity,0.5\n</Lane_Attributes>\n<Code_Summary>\n"
    + _lines([["CodeClass", "Name", "Accession", "Count"], *([*code, "x", "90"] for code in _CODES)], ",")
    + b"</Code_Summary>\n"
)
GMT = b"CYT\tcytolytic\tGZMB\tPRF1\nCAF\tstroma\tCOL1A1\tFAP\tACTA2\nMHC\t\tB2M\tHLA-A\tHLA-B\tHLA-C\n"
SHEET = (
    b"sample_id\tresponse\tos_days\tos_event\tpurity\ttmb\tsite\n"
    b'Pat02\tR\t100\t1\t0.5\t3.2\tcolon\nPat19\tNR\t250\t0\t0.7\t\t"left, ""colon"""\nPat37\t\t\t\t\t11\t\n'
)
CONFIG = (
    b"# options\nexpression: m.tsv\nsamples: s.tsv\nunits: log2(x+1)\nseed: 1\nthreads: 2\nmin_genes: 200\n"
    b"outdir: out\nread:\n  max_samples: 500\nreport: {lang: en, chunk_size: 10}\n"
)


def _table() -> pd.DataFrame:
    rows = _rows()
    values = [list(map(float, row[1:])) for row in rows]
    return pd.DataFrame(values, pd.Index([row[0] for row in rows], name="gene"), list(SAMPLES))


def _parquet() -> bytes:
    stream = io.BytesIO()
    _table().to_parquet(stream)
    return stream.getvalue()


def _xlsx() -> bytes:
    stream = io.BytesIO()
    _table().to_excel(stream)
    return stream.getvalue()


PARQUET, XLSX = _parquet(), _xlsx()


def _read_matrix(path: Path) -> Cohort:
    return read_cohort(path, cohort="fuzzed", units=ExpressionUnit.TPM)


def _check_cohort(cohort: Cohort | None, content: bytes) -> None:
    """No sample and no gene that the file does not hold, and each number finite or missing."""
    if cohort is None:
        return
    source = cohort.source
    n_lines = len(content.splitlines()) + content.count(b"\r")
    assert len(source.gene_ids) <= n_lines
    assert len(source.sample_ids) <= max(map(len, content.splitlines()), default=0)
    assert len(set(source.sample_ids)) == len(source.sample_ids)
    values = source.block(0, len(source.sample_ids))
    assert values.shape == (len(source.sample_ids), len(source.gene_ids))
    assert not np.isinf(values).any()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("content", [TEXT, CSV, GCT, GZIPPED, PARQUET, XLSX])
def test_read_cohort_reads_what_is_valid(folder: Path, content: bytes) -> None:
    cohort = read_or_refuse(_read_matrix, folder / "m", content)
    assert cohort is not None
    assert cohort.source.sample_ids == SAMPLES
    assert cohort.source.gene_ids == GENES


@bounded
@given(content=damaged(TEXT) | damaged(CSV))
def test_read_cohort_reads_or_refuses_damaged_text(folder: Path, content: bytes) -> None:
    _check_cohort(read_or_refuse(_read_matrix, folder / "m.tsv", content), content)


@pytest.mark.parametrize(
    ("content", "samples"), [(RSEM, ("X",)), (STAR, ("X",)), (HTSEQ, ("X",)), (SEVERAL, ("A",))]
)
def test_read_cohort_reads_valid_quantities(folder: Path, content: bytes, samples: tuple[str, ...]) -> None:
    cohort = read_or_refuse(read_cohort, folder / "X.tsv", content)
    assert cohort is not None
    assert cohort.source.sample_ids == samples


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyarrow decodes lines
@bounded
@given(content=damaged(RSEM) | damaged(STAR) | damaged(HTSEQ) | damaged(SEVERAL))
def test_read_cohort_reads_or_refuses_damaged_quantities(folder: Path, content: bytes) -> None:
    _check_cohort(read_or_refuse(read_cohort, folder / "X.tsv", content), content)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyarrow decodes lines
@bounded
@given(content=damaged(RSEM))
def test_read_cohort_reads_or_refuses_a_folder_with_a_damaged_file(folder: Path, content: bytes) -> None:
    run = folder / "run"
    run.mkdir(exist_ok=True)
    (run / "A.genes.results").write_bytes(RSEM)
    cohort = read_or_refuse(lambda _: read_cohort(run), run / "B.genes.results", content, place=run)
    if cohort is not None:
        assert cohort.source.sample_ids == ("A", "B")
        assert cohort.source.block(0, 1)[0, : len(GENES)].tolist() == [float(row[2]) for row in _rows()]


@bounded
@given(content=damaged(FILE_SHEET))
def test_read_cohort_reads_or_refuses_a_damaged_sheet_of_files(folder: Path, content: bytes) -> None:
    for name in ("A", "B"):
        (folder / f"{name}.genes.results").write_bytes(RSEM)
    cohort = read_or_refuse(read_cohort, folder / "files.tsv", content, place=folder)
    if cohort is not None:
        assert len(cohort.source.sample_ids) <= len(content.splitlines())


@bounded
@given(content=damaged(GCT))
def test_read_cohort_reads_or_refuses_damaged_gct(folder: Path, content: bytes) -> None:
    _check_cohort(read_or_refuse(_read_matrix, folder / "m.gct", content), content)


@bounded
@given(content=damaged(FIREHOSE) | damaged(SERIES))
def test_read_cohort_reads_or_refuses_damaged_text_of_others(folder: Path, content: bytes) -> None:
    _check_cohort(read_or_refuse(_read_matrix, folder / "m.txt", content), content)
    read_or_refuse(read_sample_sheet, folder / "s.txt", content)


@bounded
@given(content=damaged(SAMPLES_IN_ROWS))
def test_read_cohort_reads_or_refuses_damaged_samples_in_rows(folder: Path, content: bytes) -> None:
    cohort = read_or_refuse(
        lambda path: read_cohort(path, units="tpm", transpose=True), folder / "m.tsv", content
    )
    if cohort is not None:
        assert len(cohort.sample_ids) <= len(content.splitlines()) + content.count(b"\r")
        assert len(set(cohort.sample_ids)) == len(cohort.sample_ids)


@bounded
@given(content=damaged(NANOSTRING) | damaged(RCC))
def test_read_cohort_reads_or_refuses_damaged_nanostring(folder: Path, content: bytes) -> None:
    cohort = read_or_refuse(read_cohort, folder / "m.RCC", content)
    if cohort is not None:
        values = cohort.source.block(0, len(cohort.sample_ids))
        assert not np.isinf(values).any()
        assert len(cohort.source.gene_ids) <= len(content.splitlines()) + content.count(b"\r")


@bounded
@given(content=damaged(GZIPPED))
def test_read_cohort_never_reads_damaged_gzip_as_other_numbers(folder: Path, content: bytes) -> None:
    cohort = read_or_refuse(_read_matrix, folder / "m.tsv.gz", content)
    if cohort is not None:
        assert cohort.source.gene_ids in (GENES, GENES * 2)
        assert cohort.source.sample_ids == SAMPLES


@bounded
@given(content=damaged(PARQUET) | damaged(XLSX))
def test_read_cohort_reads_or_refuses_damaged_binary_tables(folder: Path, content: bytes) -> None:
    cohort = read_or_refuse(_read_matrix, folder / "m", content)
    if cohort is not None:
        assert len(cohort.source.gene_ids) <= len(GENES)
        assert len(cohort.source.sample_ids) <= len(SAMPLES)


@bounded
@given(content=st.binary(max_size=2000))
def test_read_cohort_refuses_any_bytes(folder: Path, content: bytes) -> None:
    _check_cohort(read_or_refuse(_read_matrix, folder / "m.bin", content), content)


@bounded
@given(content=damaged(GMT))
def test_read_gmt_reads_or_refuses_damaged_files(folder: Path, content: bytes) -> None:
    found = read_or_refuse(read_gmt, folder / "g.gmt", content)
    if found is not None:
        names = [signature.signature_id for signature in found.signatures]
        assert len(set(names)) == len(names) <= len(content.splitlines())
        assert all(gene.strip() for signature in found.signatures for gene in signature.gene_symbols)
        n_fields = content.count(b"\t") + len(content.splitlines())
        assert sum(len(signature.gene_symbols) for signature in found.signatures) <= n_fields


@bounded
@given(content=damaged(SHEET))
def test_read_sample_sheet_reads_or_refuses_damaged_files(folder: Path, content: bytes) -> None:
    sheet = read_or_refuse(read_sample_sheet, folder / "s.tsv", content)
    if sheet is not None:
        ids = [record.sample_id.strip() for record in sheet.records]
        assert len(set(ids)) == len(ids) <= len(content.splitlines())
        assert all(ids)
        assert all(record.purity is None or 0 <= record.purity <= 1 for record in sheet.records)


@bounded
@given(content=damaged(CONFIG))
def test_load_config_reads_or_refuses_damaged_files(folder: Path, content: bytes) -> None:
    config = read_or_refuse(load_config, folder / "c.yaml", content)
    if config is not None:
        assert 1 <= config.threads <= 256
        assert 0 <= config.seed < 2**32
        assert config.min_genes >= 1
