"""Small files in the layouts that common pipelines write, made from the tumours of the bundled cohort."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl import Workbook

from escape_score.genes import GeneTable, load_gene_table
from escape_score.model.cohort import FloatArray

Lines = Sequence[Sequence[object]]
Maker = Callable[[Path, pd.DataFrame], None]
"""Writes a file of one layout from TPM, genes (approved symbols) × samples."""

READS = 3e7
"""Reads of a sample where a layout has counts."""

RSEM_TOTAL = 1.9e7
"""Sum of a sample of TCGA's upper-quartile RSEM, as its files have it."""


def _write(path: Path, lines: Lines, separator: str = "\t") -> None:
    path.write_text("".join(separator.join(map(str, line)) + "\n" for line in lines), encoding="utf-8")


def _table(frame: pd.DataFrame, corner: Sequence[object], before: Mapping[str, Sequence[object]]) -> Lines:
    """Header and rows: the columns of ``before``, then the samples."""
    columns = [*before.values(), *(frame[name] for name in frame.columns)]
    return [[*corner, *frame.columns], *zip(*columns, strict=True)]


def _lengths(genes: pd.DataFrame) -> FloatArray:
    return load_gene_table().length_bp(list(genes.index))


def _log2(values: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log2(values.to_numpy()), values.index, values.columns)


def _with_lengths(tpm: pd.DataFrame) -> pd.DataFrame:
    return tpm[np.isfinite(_lengths(tpm))]


def _reads(tpm: pd.DataFrame) -> pd.DataFrame:
    """Expected reads, in proportion to TPM × length."""
    weighed = tpm.mul(_lengths(tpm), axis=0)
    return weighed / weighed.sum() * READS


def _ensembl_ids(symbols: Sequence[str]) -> list[str]:
    table: GeneTable = load_gene_table()
    of_symbol = {found[0]: name for name, found in table.ensembl.items() if len(found) == 1}
    return [of_symbol.get(symbol, symbol) for symbol in symbols]


def _entrez_ids(symbols: Sequence[str]) -> list[str]:
    of_symbol = {found[0]: name for name, found in load_gene_table().entrez.items() if len(found) == 1}
    return [of_symbol.get(symbol, symbol) for symbol in symbols]


def _tcga_names(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([f"TCGA-AA-{1000 + at}-01" for at in range(frame.shape[1])], axis=1)


def _tcga_rsem(tpm: pd.DataFrame) -> pd.DataFrame:
    """Upper-quartile RSEM: reads with the 75th percentile of the genes that are detected at 1,000."""
    reads = _tcga_names(_reads(tpm))
    return reads / reads.where(reads > 0).quantile(0.75) * 1000.0


def rsem_genes(path: Path, tpm: pd.DataFrame) -> None:
    genes = _with_lengths(tpm).iloc[:, :1]
    reads, length = _reads(genes).iloc[:, 0], _lengths(genes)
    fpkm = reads / length / reads.sum() * 1e9
    header = ["gene_id", "transcript_id(s)", "length", "effective_length", "expected_count", "TPM", "FPKM"]
    columns = (
        *(genes.index, [f"NM_{at}" for at in range(len(genes))], length.round(2), (length - 70).round(2)),
        *(reads.round(2), genes.iloc[:, 0].round(2), fpkm.round(2)),
    )
    _write(path, [header, *zip(*columns, strict=True)])


def salmon_transcripts(path: Path, tpm: pd.DataFrame) -> None:
    values = tpm.iloc[:, 0].round(6)
    rows = [[f"ENST{at:011d}.2", 1657, 1459.4, value, value * 3] for at, value in enumerate(values)]
    text = "".join(
        "\t".join(map(str, row)) + "\n"
        for row in [["Name", "Length", "EffectiveLength", "TPM", "NumReads"], *rows]
    )
    path.write_bytes(gzip.compress(text.encode()))


def nfcore_salmon_counts(path: Path, tpm: pd.DataFrame) -> None:
    reads = _reads(_with_lengths(tpm)).iloc[:, :6]
    # salmon shares reads among transcripts: about one in six of its counts is not whole
    is_shared = np.add.outer(*map(np.arange, reads.shape)) % 6 == 0
    shared = np.where(is_shared, reads.round(3), reads.round())
    before = {"gene_id": _ensembl_ids(list(reads.index)), "gene_name": list(reads.index)}
    _write(path, _table(pd.DataFrame(shared, reads.index, reads.columns), list(before), before))


def feature_counts(path: Path, tpm: pd.DataFrame) -> None:
    reads = _reads(_with_lengths(tpm)).round().astype(int)
    _write(path, _table(reads, [""], {"": _ensembl_ids(list(reads.index))}))


def htseq_of_mouse(path: Path, tpm: pd.DataFrame) -> None:
    names = [f"ENSMUSG{at:011d}" for at in range(len(tpm))]
    values = tpm.iloc[:, 0].round().astype(int)
    _write(path, [["feature", "count"], *zip(names, values, strict=True), ["__no_feature", 9000]])


def star_reads_per_gene(path: Path, tpm: pd.DataFrame) -> None:
    reads = _reads(_with_lengths(tpm)).iloc[:, 0].round().astype(int)
    summary: list[list[object]] = [[name, 5304, 5304, 9304] for name in ("N_unmapped", "N_multimapping")]
    summary += [["N_noFeature", 28390, 29769, 84738], ["N_ambiguous", 2848, 1331, 56]]
    ids = _ensembl_ids(list(reads.index))
    rows = [[name, n, n // 2, n - n // 2] for name, n in zip(ids, reads, strict=True)]
    _write(path, [*summary, *rows])


def _panel(tpm: pd.DataFrame) -> pd.DataFrame:
    """Counts of a panel of some 600 genes, none of them 0."""
    genes = tpm[(tpm > 5).all(axis=1)].iloc[::15][:600]
    return pd.concat([genes] * 6, axis=1).iloc[:, :42].round().astype(int) + 20


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([f"GSM{3308226 + at}" for at in range(frame.shape[1])], axis=1)


def series_matrix(path: Path, tpm: pd.DataFrame) -> None:
    panel = _numbered(_panel(tpm))
    names = [f'"{name}"' for name in panel.columns]
    head = [
        ["!Series_title", '"NanoString panel of immune genes"'],
        ["!Series_platform_id", '"GPL25389"'],
        ["!Sample_title", *names],
        ["!Sample_geo_accession", *names],
        ["!Sample_characteristics_ch1", *(['"tissue: tumour"'] * len(names))],
        ["!series_matrix_table_begin"],
        ['"ID_REF"', *names],
    ]
    rows = [[f'"{gene}"', *values] for gene, values in zip(panel.index, panel.to_numpy(), strict=True)]
    _write(path, [*head, *rows, ["!series_matrix_table_end"]])


def nsolver_raw(path: Path, tpm: pd.DataFrame) -> None:
    panel = _numbered(_panel(tpm))
    kinds = ["Housekeeping" if at % 40 == 0 else "Endogenous" for at in range(len(panel))]
    before = {"CodeClass": kinds, "Name": list(panel.index), "Accession": ["NM_000927.3"] * len(panel)}
    lines = list(_table(panel, list(before), before))
    for at, level in enumerate((128, 32, 8, 2, 0.5, 0.125)):
        controls = [f"POS_{'ABCDEF'[at]}({level:g})"]
        lines.append(["Positive", *controls, "ERCC_00117.1", *([int(level * 100) + 5] * panel.shape[1])])
    lines += [
        ["Negative", f"NEG_{letter}(0)", "ERCC_00096.1", *([7] * panel.shape[1])] for letter in "ABCDEFGH"
    ]
    _write(path, lines, ",")


def ncbi_entrez_counts(path: Path, tpm: pd.DataFrame) -> None:
    reads = _reads(_with_lengths(tpm)).round().astype(int)
    twice = _numbered(pd.concat([reads, reads + (reads > 9)], axis=1))
    _write(path, _table(twice, ["GeneID"], {"GeneID": _entrez_ids(list(twice.index))}))


def deseq2_normalised(path: Path, tpm: pd.DataFrame) -> None:
    reads = _reads(_with_lengths(tpm)).round()
    detected = reads[(reads > 0).all(axis=1)]
    logs = _log2(detected)
    size_factors = 2.0 ** logs.sub(logs.mean(axis=1), axis=0).median()
    ids = [f'"{name}"' for name in _ensembl_ids(list(reads.index))]
    quoted = (reads / size_factors).rename(columns=lambda name: f'"{name}"')
    _write(path, _table(quoted, ['""'], {"": ids}), ",")


def gsea_txt(path: Path, tpm: pd.DataFrame) -> None:
    fpkm = (tpm * 0.6).round(4)
    many = pd.concat([fpkm, fpkm * 1.1, fpkm * 0.9], axis=1)
    many.columns = pd.Index([f"SK_MEL_{at}" for at in range(many.shape[1])])
    before = {"NAME": list(many.index), "DESCRIPTION": list(many.index)}
    _write(path, _table(many, list(before), before))


def samples_in_rows(path: Path, tpm: pd.DataFrame) -> None:
    logs = _log2(_tcga_rsem(_with_lengths(tpm)) + 1).round(2).iloc[:8000]
    logs.index = pd.Index(_entrez_ids(list(logs.index)))
    logs.T.rename_axis("sample_id").to_csv(path, sep="\t")


def excel_dates(path: Path, tpm: pd.DataFrame) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["gene", *tpm.columns])
    for gene, values in zip(tpm.index[:300], tpm.to_numpy().round(), strict=False):
        sheet.append([gene, *map(float, values)])
    sheet.cell(9, 2, date(1907, 9, 3))
    book.save(path)


def cbioportal_rsem(path: Path, tpm: pd.DataFrame) -> None:
    rsem = _tcga_rsem(_with_lengths(tpm))
    many = pd.concat([rsem, rsem, rsem], axis=1).iloc[:, :20]
    many.columns = pd.Index([f"TCGA-AA-{1000 + at}-01" for at in range(20)])
    entrez = _entrez_ids(list(many.index))
    symbols = ["" if at % 2000 == 0 else gene for at, gene in enumerate(many.index)]
    before = {"Hugo_Symbol": symbols, "Entrez_Gene_Id": entrez}
    _write(path, _table(many.round(4), list(before), before))


def xena_rsem(path: Path, tpm: pd.DataFrame) -> None:
    logs = _log2(_tcga_rsem(_with_lengths(tpm)) + 1).round(4)
    many = pd.concat([logs, logs], axis=1).iloc[:, :12]
    many.columns = pd.Index([f"TCGA-3X-{1000 + at}-01" for at in range(12)])
    _write(path, _table(many, ["sample"], {"sample": list(many.index)}))


def depmap(path: Path, tpm: pd.DataFrame) -> None:
    logs = _log2(tpm / tpm.sum() * 1e6 + 1).round(6)
    logs.index = pd.Index(
        [f"{gene} ({entrez})" for gene, entrez in zip(logs.index, _entrez_ids(list(logs.index)), strict=True)]
    )
    logs.columns = pd.Index([f"ACH-{at:06d}" for at in range(1, logs.shape[1] + 1)])
    logs.T.to_csv(path)


def gdc_augmented_star(path: Path, tpm: pd.DataFrame) -> None:
    genes = _with_lengths(tpm).iloc[:, :1]
    reads, length = _reads(genes).iloc[:, 0].round().astype(int), _lengths(genes)
    fpkm = (reads / length / reads.sum() * 1e9).round(4)
    quantities = ["unstranded", "stranded_first", "stranded_second"]
    quantities += ["tpm_unstranded", "fpkm_unstranded", "fpkm_uq_unstranded"]
    head: list[list[object]] = [
        ["# gene-model: GENCODE v36"],
        ["gene_id", "gene_name", "gene_type", *quantities],
    ]
    head += [[name, "", "", 1234567, 1234567, 1234567, "", "", ""] for name in ("N_unmapped", "N_noFeature")]
    columns = (
        *([f"{name}.15" for name in _ensembl_ids(list(genes.index))], genes.index),
        *(["protein_coding"] * len(genes), reads, reads // 2, reads - reads // 2),
        *(genes.iloc[:, 0].round(4), fpkm, fpkm * 1.2),
    )
    _write(path, [*head, *zip(*columns, strict=True)])


MAKERS: Mapping[str, Maker] = {
    maker.__name__: maker
    for maker in (
        *(rsem_genes, salmon_transcripts, nfcore_salmon_counts, feature_counts, htseq_of_mouse),
        *(star_reads_per_gene, series_matrix, nsolver_raw, ncbi_entrez_counts, deseq2_normalised, gsea_txt),
        *(samples_in_rows, excel_dates, cbioportal_rsem, xena_rsem, depmap, gdc_augmented_star),
    )
}
