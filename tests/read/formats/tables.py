"""Tables of one sample in the layouts of the programs that write them, with numbers of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from escape_score.genes import load_gene_table

STAR_ROWS = ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")
HTSEQ_ROWS = ("__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned", "__alignment_not_unique")


def ensembl_genes(n_genes: int = 300) -> list[str]:
    """Ensembl ids of genes that have a symbol."""
    return sorted(load_gene_table().ensembl)[:n_genes]


def tpm_of(n_genes: int = 300, seed: int = 1) -> list[float]:
    """Values that add up to 1e6, a fifth of them 0."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(2.0, 2.0, n_genes) * (rng.random(n_genes) > 0.2)
    return [float(value) for value in values * 1e6 / values.sum()]


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lines of cells with tabs; no header where there is none."""
    lines = [header, *rows] if header else rows
    return "".join("\t".join(map(str, line)) + "\n" for line in lines)


def rsem(seed: int = 1, genes: Sequence[str] = ()) -> str:
    names = list(genes) or ensembl_genes()
    rows = [
        [name, "tx", 1000, 900, round(20 * value, 2), value, value / 2]
        for name, value in zip(names, tpm_of(len(names), seed), strict=True)
    ]
    header = ["gene_id", "transcript_id(s)", "length", "effective_length", "expected_count", "TPM", "FPKM"]
    return table(header, rows)


def rsem_isoforms() -> str:
    names = [
        "transcript_id",
        "gene_id",
        "length",
        "effective_length",
        "expected_count",
        "TPM",
        "FPKM",
        "IsoPct",
    ]
    rows = [[f"ENST{at:011d}", gene, 900, 800, 5, 2, 1, 100] for at, gene in enumerate(ensembl_genes(20))]
    return table(names, rows)


def salmon(seed: int = 1, names: Sequence[str] = ()) -> str:
    rows = [
        [name, 1000, 900.5, value, 20 * value]
        for name, value in zip(list(names) or ensembl_genes(), tpm_of(seed=seed), strict=False)
    ]
    return table(["Name", "Length", "EffectiveLength", "TPM", "NumReads"], rows)


def kallisto(names: Sequence[str] = ()) -> str:
    rows = [
        [name, 1000, 900.5, 20 * value, value]
        for name, value in zip(list(names) or ensembl_genes(), tpm_of(), strict=False)
    ]
    return table(["target_id", "length", "eff_length", "est_counts", "tpm"], rows)


def transcripts(n: int = 300) -> list[str]:
    return [f"ENST{at:011d}.1" for at in range(n)]


def star(first: float = 0.98, seed: int = 1, n_genes: int = 300) -> str:
    rows: list[list[object]] = [[name, 10_000, 10_000, 90_000] for name in STAR_ROWS]
    for name, value in zip(ensembl_genes(n_genes), tpm_of(n_genes, seed), strict=True):
        count = round(value)
        on_first = round(count * first)
        rows.append([name, count, on_first, count - on_first])
    return table([], rows)


def gdc(seed: int = 1) -> str:
    header = ["gene_id", "gene_name", "gene_type", "unstranded", "stranded_first", "stranded_second"]
    header += ["tpm_unstranded", "fpkm_unstranded", "fpkm_uq_unstranded"]
    rows: list[list[object]] = [[name, "", "", 1_000, 1_000, 1_000, "", "", ""] for name in STAR_ROWS]
    for name, value in zip(ensembl_genes(), tpm_of(seed=seed), strict=True):
        count = 2 * round(value)
        half = count // 2
        rows.append(
            [f"{name}.5", "X", "protein_coding", count, half, half, f"{value:.4f}", value / 2, value / 3]
        )
    return "# gene-model: GENCODE v36\n" + table(header, rows)


def htseq(seed: int = 1, genes: Sequence[str] = ()) -> str:
    names = list(genes) or ensembl_genes()
    counts = [[name, round(value)] for name, value in zip(names, tpm_of(len(names), seed), strict=True)]
    return table([], [*counts, *([name, 10_000] for name in HTSEQ_ROWS)])


def stringtie() -> str:
    header = ["Gene ID", "Gene Name", "Reference", "Strand", "Start", "End", "Coverage", "FPKM", "TPM"]
    rows = [
        [name, "-", 1, "+", 100, 900, value / 9, value / 2, value]
        for name, value in zip(ensembl_genes(), tpm_of(), strict=True)
    ]
    return table(header, rows)


def cufflinks() -> str:
    header = ["tracking_id", "class_code", "nearest_ref_id", "gene_id", "gene_short_name", "tss_id", "locus"]
    header += ["length", "coverage", "FPKM", "FPKM_conf_lo", "FPKM_conf_hi", "FPKM_status"]
    rows = [
        [name, "-", "-", name, "X", "-", "1:1-9", "-", "-", value / 2, 0, value, "OK"]
        for name, value in zip(ensembl_genes(), tpm_of(), strict=True)
    ]
    return table(header, rows)


def featurecounts(alignments: Sequence[str], *, comment: str = "# Program:featureCounts v2.0.6\n") -> str:
    header = ["Geneid", "Chr", "Start", "End", "Strand", "Length", *alignments]
    rows = [
        [name, "1;1", "10;90", "50;99", "+;+", 1000 + at, *([round(value)] * len(alignments))]
        for at, (name, value) in enumerate(zip(ensembl_genes(), tpm_of(), strict=True))
    ]
    return comment + table(header, rows)


LAYOUTS: Mapping[str, tuple[str, str]] = {
    "rsem": ("X.genes.results", rsem()),
    "salmon": ("X/quant.genes.sf", salmon()),
    "kallisto": ("X/abundance.gene.tsv", kallisto()),
    "gdc": ("X.rna_seq.augmented_star_gene_counts.tsv", gdc()),
    "stringtie": ("X.gene.abundance.txt", stringtie()),
    "cufflinks": ("X/genes.fpkm_tracking", cufflinks()),
    "star": ("XReadsPerGene.out.tab", star()),
    "htseq": ("X.htseq.counts", htseq()),
    "featurecounts": ("X.featureCounts.txt", featurecounts(["/data/other.sorted.bam"])),
}
"""Name of a file of sample X, and its content."""
