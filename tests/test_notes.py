"""Real inputs raise every note that the program can make, and every language has a whole sentence for it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel
from tests.cells.raised import cell_notes
from tests.read.transformations import cpm, degraded, estimated, filtered, lifted_combat, normalised
from tests.statistics.gathered import every_note

import escape_score as es
from escape_score.config import DEFAULT_STATISTICS, StatisticsConfig
from escape_score.genes import load_gene_table
from escape_score.genes.lengths import GeneLengths
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.model.cohort import Cohort
from escape_score.model.notes import FLAGS, Code, Note, NoteLog, Severity, note
from escape_score.model.record import EscapeProfile, NoteRecord
from escape_score.pipeline import gene_set_scores
from escape_score.pipeline.inspection import findings_of
from escape_score.pipeline.profiles import in_english
from escape_score.reference.known import DATA_VARIABLE, Origin, kept_folder
from escape_score.reference.read import forget_references, read_length_factors
from escape_score.report.messages import MESSAGES, english, sentence, template_of
from escape_score.report.text.i18n import languages, translations
from escape_score.report.text.wording import matters
from escape_score.score.published import load_published
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.comparison import compare_cohorts
from escape_score.statistics.compute import compute_statistics

pytestmark = pytest.mark.slow
KEY_OF = {template: key for key, template in MESSAGES.items()}
CHEMOKINES = [gene.gene_symbol for gene in load_published().score("chemokine12_messina").genes]
EMPTY = re.compile(r"[{}]|\(\)|\(, | [.,)]|  |: *\.|: *$|''")
"""What is left of a sentence whose field was not filled; French has a space before ; and :."""


def notes_in(value: object) -> Iterator[NoteRecord]:
    """All notes of a record, also those inside notes."""
    if isinstance(value, NoteRecord):
        yield value
        yield from notes_in(tuple(value.params.values()))
    elif isinstance(value, BaseModel):
        yield from notes_in(tuple(dict(value).values()))
    elif isinstance(value, tuple):
        for one in value:
            yield from notes_in(one)


class Found:
    """Notes of the inputs so far."""

    def __init__(self) -> None:
        self.notes: list[NoteRecord] = []
        self.flags: list[NoteLog] = []

    def _log(self, log: NoteLog) -> None:
        self.flags.append(log)
        both = (*log.cohort, *(one for _, one in log.by_sample))
        self.notes += notes_in(tuple(NoteRecord.of(one) for one in both))

    def read(self, frame: pd.DataFrame, units: str = "tpm") -> None:
        self._cohort(es.from_dataframe(frame, units=units))

    def file(self, path: Path) -> None:
        self._cohort(es.read(path))

    def _cohort(self, cohort: Cohort) -> Cohort:
        self._log(cohort.flags)
        self.notes += notes_in(NoteRecord.of(cohort.unit.evidence))
        return cohort

    def profile(
        self,
        data: pd.DataFrame | Cohort,
        units: str = "tpm",
        **options: Any,  # noqa: ANN401
    ) -> list[EscapeProfile]:
        cohort = es.from_dataframe(data, units=units) if isinstance(data, pd.DataFrame) else data
        result = es.profile(self._cohort(cohort), **options)
        self._log(result.maker.flags)
        profiles = list(result)
        self.notes += notes_in(tuple(profiles))
        return profiles

    def harmonise(self, cohort: Cohort, lengths: GeneLengths | None = None) -> None:
        self._log(harmonise(cohort, gene_lengths=lengths).flags)

    def compare(
        self,
        profiles: Sequence[EscapeProfile],
        sheet: Sequence[Mapping[str, Any]],
        config: StatisticsConfig = DEFAULT_STATISTICS,
    ) -> None:
        pairs = zip(profiles, sheet, strict=True)
        columns = CohortColumns.of(one.model_copy(update={"metadata": dict(row)}) for one, row in pairs)
        self.notes += notes_in(compute_statistics(columns, config, seed=1))


def genes_of(component: str, tpm: pd.DataFrame) -> list[str]:
    return [gene for gene in load_design().components[component] if gene in tpm]


def tumours(tpm: pd.DataFrame, n: int) -> pd.DataFrame:
    """So many tumours, no two alike, in TPM."""
    rows = tpm.iloc[np.arange(n) % len(tpm)].set_axis([f"S{at:02d}" for at in range(n)])
    rows = rows * np.exp2(np.random.default_rng(0).normal(0, 0.05, rows.shape))
    return rows.div(rows.sum(axis=1), axis=0) * 1e6


def logarithms(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log2(frame.to_numpy()), frame.index, frame.columns)


def read_units(found: Found, tpm: pd.DataFrame) -> None:
    """Every unit inferred, and units declared that hardly fit."""
    rows = tumours(tpm, 4)
    part = rows.iloc[:, ::2]
    near = part.div(part.sum(axis=1), axis=0).mul([7.0e5, 7.2e5, 7.1e5, 7.0e5], axis=0)
    fpkm = rows.mul([0.4, 1.7, 3.1, 0.9], axis=0)
    for frame in (
        rows,
        (20 * fpkm).round(),
        near,
        fpkm,
        *map(logarithms, (rows + 1, near + 1, rows + 0.001)),
    ):
        found.read(frame, "auto")
    found.read(20 * fpkm, "counts")
    negative = np.where(np.arange(rows.shape[1]) < 9, -0.01, rows)
    for frame in (rows.mul([1, 1, 3, 3], axis=0), rows * 3.3, rows.iloc[:, :300].clip(upper=40), rows * 0):
        found.read(frame)
    found.read(pd.DataFrame(negative, rows.index, rows.columns))
    order = rows.to_numpy().argsort().argsort()
    found.read(pd.DataFrame(np.sort(rows.to_numpy()[0])[order], rows.index, rows.columns))


def read_units_by_length(found: Found, tpm: pd.DataFrame, counts: pd.DataFrame) -> None:
    """Units that differ by gene length, inferred and declared, and values that a transformation bent."""
    rows, lengths = tumours(tpm, 4), pd.Series(read_length_factors()).reindex(tpm.columns).fillna(1000.0)
    between = rows * np.sqrt(lengths)
    between = between.div(between.sum(axis=1), axis=0) * 1e6
    for frame in (counts, estimated(counts), normalised(counts), cpm(counts), between, rows / 100):
        found.read(frame, "auto")
    found.read(rows * np.linspace(0.8, 2.1, 4)[:, None], "cpm")
    found.read((rows * 2).round(), "counts")
    found.read(cpm(counts), "tpm")
    found.read(estimated(rows * np.sqrt(lengths) / 50), "auto")
    found.read(logarithms(filtered(rows) + 8), "log2(x+1)")
    found.read(lifted_combat(rows), "log2(x+1)")
    found.profile(logarithms(rows + 8), "log2(x+1)")
    found.profile(counts, "tcga_rsem")
    found.read(degraded(counts), "counts")
    found.read(rows * lengths**2)


def profile_files(found: Found, tpm: pd.DataFrame, folder: Path) -> None:
    """A matrix, a sheet and gene sets with every fault of names and labels."""
    table, genes = tumours(tpm, 8).T, load_gene_table()
    ensembl, entrez, hgnc = (
        {name: key for key, (name, *_) in ids.items()} for ids in (genes.ensembl, genes.entrez, genes.hgnc)
    )
    names = {symbol: ensembl.get(symbol, symbol) for symbol in table.index[::9]}
    names |= {symbol: entrez.get(symbol, symbol) for symbol in table.index[1::9]}
    names |= {symbol: hgnc.get(symbol, symbol) for symbol in table.index[2::9]}
    names |= {"CD8A": "cd8a", "SEPTIN1": "1-Sep", "MRE11": "MRE11A", "HLA-E": "HLA.E"}
    rows = [
        "NOTAGENE",
        "ENSG00000141510_CD8A",
        "ERCC-00002",
        "?",
        *(f"ENSMUSG{at:011d}" for at in range(400)),
        "EPCAM",
        "EPCAM",
        "MRE11",
    ]
    text = pd.concat([table.rename(index=names), pd.DataFrame(1.0, rows, table.columns)]).to_csv(sep="\t")
    (folder / "matrix.tsv.gz").write_bytes(gzip.compress(text.encode()) + bytes(64))
    sheet = """sample_id,patient_id,timepoint,response,os_days,os_event,purity,msi,Timepiont
S00,p,baseline,fine,soon,maybe,7,MSI-H,
S01,p,,R,1,1,0.5,MSS,
S02,q,baseline,NR,2,0,0.5,,
S02,q,baseline,NR,2,0,0.5,,
S03.bam,q,6,,,,,,
S04,r,baseline,,,,,,
S05,r,baseline,,,,,,
other,,,,,,,,
"""
    (folder / "sheet.csv").write_text(sheet)
    unmeasured = [symbol for symbol in genes.current if symbol not in tpm][:4]
    sets = {
        "msi": ["one gene twice", "CD8A", "CD8A", "GZMB", "PRF1"],
        "Index": ["", "CD4", "CD3E", "CD3D"],
        "none": ["no gene is known", "NOTAGENE"],
        "symbols": ["large", *tpm.columns[:600]],
        "few": ["not measured", *unmeasured],
        "part": ["half is known", "CD2", "NOTAGENE", "Cd5", "NOTHING", "NEITHER"],
    }
    gmt = folder / "Response.gmt"
    gmt.write_text("".join("\t".join([name, *fields]) + "\n" for name, fields in sets.items()))
    cohort = es.read(folder / "matrix.tsv.gz", units="tpm", samples=folder / "sheet.csv")
    found.profile(cohort, gene_sets=gmt)
    gmt.write_text("CYT\tGZMA\tPRF1\nT\tCD3D\tCD3E\n")
    found.profile(cohort, gene_sets=gmt)


def score_sets(found: Found, tpm: pd.DataFrame, patch: pytest.MonkeyPatch) -> None:
    """Sets that a method cannot score; the table has the reasons as text, so they are taken on the way."""

    def taken(reason: Note) -> str:
        found.notes += notes_in(NoteRecord.of(reason))
        return in_english(reason)

    patch.setattr(gene_set_scores, "in_english", taken)
    cohort = es.from_dataframe(tumours(tpm, 2), units="tpm")
    es.score_gene_sets(cohort, {"all": list(tpm.columns)}, method="ucell", max_rank=100)


def read_quantities(found: Found, tpm: pd.DataFrame, folder: Path) -> None:
    """Files with several quantities of a sample, and counts by strand."""
    values = tumours(tpm, 1).iloc[0]
    counts = values.round()
    of_one = pd.DataFrame({"TPM": values, "FPKM": values / 2})
    of_several = pd.DataFrame({"A": counts, "A_CPM": values, "A_conf_lo": values / 2})
    by_strand = pd.DataFrame({"all": counts, "first": counts, "second": 0.0})
    for name, frame, has_header in (
        ("one.tsv", of_one, True),
        ("several.tsv", of_several, True),
        ("strand.tab", by_strand, False),
    ):
        text = frame.to_csv(sep="\t", header=has_header, float_format="%.6f")
        (folder / name).write_text(text if has_header else "N_unmapped\t0\t0\t0\n" + text)
        found.file(folder / name)


def read_nanostring(found: Found, folder: Path) -> None:
    """Counts with all controls, with few, with none, scaled before, and lanes that failed."""
    genes = [*load_gene_table().current][:300]
    codes = [f"Endogenous,{gene}" for gene in genes] + [f"Housekeeping,H{at}" for at in range(3)]
    codes += [f"Positive,POS_{letter}" for letter in "ABCDE"] + [f"Negative,NEG_{letter}" for letter in "AB"]
    counts = {"good": 900, "weak": 3}
    for name, count in counts.items():
        of_class = {"E": 60, "H": count, "P": 500, "N": 20}
        lines = [f"{code},x,{of_class[code[0]] + at % 9}" for at, code in enumerate(codes)]
        head = "<Header>\n</Header>\n<Sample_Attributes>\n</Sample_Attributes>\n<Lane_Attributes>\n"
        head += "FovCount,100\nFovCounted,20\n</Lane_Attributes>\n"
        head += "<Code_Summary>\nCodeClass,Name,Accession,Count\n"
        (folder / f"{name}.RCC").write_text(head + "\n".join(lines) + "\n</Code_Summary>\n")
    found.file(folder)
    for name, n, value in (("positive", 300, "7"), ("none", 300, "7"), ("scaled", 303, "7.5")):
        kept = codes[:n] + (codes[303:308] if name == "positive" else [])
        lines = [f"{code},{value},{50 + at}" for at, code in enumerate(kept)]
        (folder / f"{name}.csv").write_text("\n".join(["CodeClass,Name,A,B", *lines]))
        found.file(folder / f"{name}.csv")


def profile_damaged_samples(found: Found, tpm: pd.DataFrame) -> None:
    """Samples that are empty, constant, copied or of few genes, and sheets that contradict RNA."""
    rows = tumours(tpm, 12)
    rows.iloc[0], rows.iloc[1], rows.iloc[2], rows.iloc[6] = 0.0, 5.0, np.nan, rows.iloc[7]
    rows.iloc[3, 0] = 3e6
    rows.iloc[4, 5000:] = 0.0
    rows.loc["S08", "B2M"] = 0.0
    rows.loc["S09", genes_of("leukocyte", rows)] = 4000.0
    rows.loc["S10", genes_of("lipid", rows)[:5]] = np.nan
    rows.loc["S11", "GZMA"] = np.nan
    rows.loc["S05", genes_of("antigen_mmr", rows)] = 0.0
    kynurenine = genes_of("kynurenine", rows)
    rows.loc["S08", kynurenine[3:]] *= 60.0
    rows.loc["S08", kynurenine[:3]] = 0.0
    sheet = pd.DataFrame(
        {"msi": ["MSS", "response"], "cancer_type": ["melanoma", "response"]}, ["S05", "S07"]
    )
    found.profile(es.from_dataframe(rows, units="tpm", samples=sheet))


def profile_pipelines(found: Found, tpm: pd.DataFrame, folder: Path) -> None:
    """Genes that a pipeline does not quantify, references of few tumours, and pipelines at two distances."""
    rows, design = tumours(tpm, 12), load_design()
    locus = [gene for gene in (*design.locus_genes, *design.control_genes) if gene in rows]
    rows.loc[rows.index[:4], locus] *= 0.02
    rows[["COL1A1", "CD74"]] = 0.0
    rows[["COL3A1", "HLA-DRA"]] *= 1e-9
    rows["HLA-B"] *= 0.02
    rows.loc[rows.index[:4], genes_of("lipid", rows)] = np.nan
    cohort = es.from_dataframe(rows, units="tpm")
    found.profile(cohort)
    found.profile(cohort, reference=es.fit_reference([cohort], name="lab", out=folder / "lab"))
    edited = folder / "lab" / "terms.tsv"
    edited.write_text(edited.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    found.profile(cohort, reference=folder / "lab")
    for sd in (0.7, 1.5):
        far = tumours(tpm, 8)
        far.loc[far.index[1:4], genes_of("leukocyte", far)] = 500.0
        far.loc[far.index[1:4], genes_of("mhc1", far)] *= np.array([[2.0], [3.0], [4.5]])
        found.profile(far * np.exp2(np.random.default_rng(1).normal(0, sd, far.shape[1])))
    # a panel with three genes of class I, which are high, of infiltrated tumours of another pipeline
    hidden = tumours(tpm, 8)
    hidden[[*genes_of("leukocyte", hidden), *genes_of("ifng_response", hidden)]] *= 4
    kept = ["B2M", "HLA-A", "HLA-C"]
    hidden[kept] *= 60
    hidden = hidden.drop(columns=[gene for gene in genes_of("mhc1", hidden) if gene not in kept])
    found.profile(hidden * np.exp2(np.random.default_rng(1).normal(0, 2.2, hidden.shape[1])))


def profile_what_is_not_measured(
    found: Found, tpm: pd.DataFrame, counts: pd.DataFrame, lengths: Path
) -> None:
    """Panels, platforms and matrices without the genes that a score needs."""
    rows = tumours(tpm, 12)
    unknown = pd.DataFrame(1.0, rows.index, [f"NOTAGENE{at}" for at in range(900)])
    found.profile(rows.iloc[:7, :700].join(unknown.iloc[:7]), "counts")
    found.profile(counts.iloc[:1, :10_000], "counts", gene_lengths=lengths)
    own = es.from_dataframe(counts.iloc[:1], units="counts")
    found.harmonise(replace(own, gene_lengths=dict.fromkeys(counts.columns, 1000.0)))
    found.harmonise(own, replace(GeneLengths.of({"B2M": 900.0}), origin="positions"))
    gone = {*genes_of("antigen_cta", rows), "ICOS", "CD27", "TAP1", "TAP2"}
    found.profile(rows.assign(**dict.fromkeys(CHEMOKINES[:6], 0.0)).drop(columns=list(gone)))
    found.profile(rows.drop(columns=["HLA-A", "HLA-B", "HLA-C"]))
    # half of the chemokines rise as the others fall
    step = np.random.default_rng(3).normal(0, 1, len(rows))
    opposed = {gene: 8.0 + (step if at % 2 else -step) for at, gene in enumerate(CHEMOKINES)}
    found.profile(logarithms(rows + 1).assign(**opposed), "array")


def distinct_tumours(tpm: pd.DataFrame, n: int) -> pd.DataFrame:
    """So many tumours that are not copies of each other: mixes of two, with noise of each gene."""
    rng, logs = np.random.default_rng(5), np.log2(tpm.to_numpy() + 1)
    pair, share = rng.integers(0, len(tpm), (2, n)), rng.uniform(0.2, 0.8, (n, 1))
    mixed = share * logs[pair[0]] + (1 - share) * logs[pair[1]]
    values = np.maximum(np.exp2(mixed + rng.normal(0, 0.35, mixed.shape)) - 1, 0)
    rows = pd.DataFrame(values, [f"S{at:02d}" for at in range(n)], tpm.columns)
    return rows.div(rows.sum(axis=1), axis=0) * 1e6


def other_pipeline(rows: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """The same tumours as another pipeline would count them: every gene has its own factor."""
    return rows * np.exp2(np.random.default_rng(seed).normal(0, 1.5, rows.shape[1]))


def choose_references(found: Found, tpm: pd.DataFrame) -> None:
    """Cohorts for which every rule of the choice applies, with all that is said of their own reference."""
    near = distinct_tumours(tpm, 24)
    far = other_pipeline(near)
    infiltrate = [*genes_of("tcell", tpm), *genes_of("leukocyte", tpm)]

    def labelled(frame: pd.DataFrame, **columns: object) -> Cohort:
        return es.from_dataframe(frame, units="tpm", samples=pd.DataFrame(columns, frame.index))

    types = ["normal", "cell line", *["tumour"] * 22]
    patients = ["a", "b", "c", "c", *map(str, range(20))]
    found.profile(labelled(far, sample_type=types, patient_id=patients))
    found.profile(far, reference="cohort")
    many = other_pipeline(distinct_tumours(tpm, 201))  # one more than enter a reference
    found.profile(many)
    found.profile(many, reference="cohort")
    longer = pd.DataFrame({"cancer_type": "colon"}, [*near.index, "other", "another"])
    found.profile(es.from_dataframe(near, units="tpm", samples=longer))
    found.profile(near)
    found.profile(labelled(near, cancer_type="colon"))
    found.profile(far.iloc[:8])
    found.profile(labelled(far.iloc[:8], cancer_type="melanoma"))
    mixed = pd.concat([near.iloc[:12], far.iloc[12:]])
    found.profile(mixed)
    found.profile(labelled(mixed, site=["one"] * 12 + ["two"] * 12))
    for factor in (40.0, 0.001):
        unusual = other_pipeline(near.assign(**{gene: near[gene] * factor for gene in infiltrate}))
        found.profile(unusual)
        found.profile(labelled(unusual, cancer_type="colon"))
    es.fit_reference([es.from_dataframe(near, units="tpm")], name="kept")
    found.profile(near)
    (kept_folder("kept", Origin.FITTED) / "terms.tsv").unlink()
    forget_references()
    found.profile(near)


def compare_labels(found: Found, tpm: pd.DataFrame) -> None:
    """Sheets with every label: enough of each, and too few. What orders survival has no Cox model."""
    n, at = 32, np.arange(32)
    sheet = pd.DataFrame(
        {
            "patient_id": [f"p{i % 22}" if i > 1 else "" for i in at],
            "timepoint": np.select([at < 23, at < 30], ["baseline", "on treatment"], "whenever"),
            "response": np.array(["R", "NR", ""])[at % 3],
            "msi": np.array(["MSI-H", "MSS"])[at % 2],
            "pdl1_ihc": np.where(at < 2, "other", np.array(["low", "high"])[at % 2]),
            "site": np.where(at > 0, "liver", "lung"),
            "cancer_type": "response",
            "arm": np.array(["A", "B"])[at % 2],
        },
        [f"S{i:02d}" for i in at],
    )
    profiles = found.profile(es.from_dataframe(tumours(tpm, n), units="tpm", samples=sheet))
    axis = pd.Series([profile.axes[8].score for profile in profiles]).rank()
    cyt = pd.Series([profile.published[1].value for profile in profiles]).rank()
    rows = [dict(profile.metadata) for profile in profiles]
    for i, row in enumerate(rows[2:], 2):
        row |= {"os_days": axis[i], "os_event": True, "pfs_days": cyt[i], "pfs_event": True}
    found.compare(profiles, rows)
    few: dict[str, Any] = {
        "timepoint": "baseline",
        "os_days": 9.0,
        "pfs_days": 9.0,
        "pdl1_ihc": "low",
        "msi": "MSS",
    }
    rows = [row | few | {"os_event": i < 3, "pfs_event": i < 3} for i, row in enumerate(rows)]
    found.compare(profiles, [row | {"response": "R" if i < 9 else "NR"} for i, row in enumerate(rows)])
    found.compare(profiles, [row | {"response": "R"} for row in rows])
    compare_models(found, profiles)


def compare_models(found: Found, profiles: Sequence[EscapeProfile]) -> None:
    """Models with covariates and interactions, and every reason why there is none."""
    many = [*profiles] * 8
    n, random = len(many), np.random.default_rng(5)
    score = np.array([profile.axes[8].score or 0.0 for profile in many])
    arm = random.integers(0, 2, n)
    follows = np.where(arm, 1, -1) * (score - np.median(score)) + random.normal(0, 0.3, n) > 0
    by_chance = random.random(n) < 0.5
    rows = [
        {"patient_id": f"q{at}", "arm": "AB"[of], "purity": 0.1 + at % 7 / 10} for at, of in enumerate(arm)
    ]

    def compare(is_response: np.ndarray, rows: Sequence[Mapping[str, Any]], **config: Any) -> None:  # noqa: ANN401
        labelled = [
            {**row, "response": "R" if yes else "NR"} for row, yes in zip(rows, is_response, strict=False)
        ]
        found.compare(many[: len(labelled)], labelled, StatisticsConfig(**config))

    compare(follows, rows, interaction="arm", groups=["arm"])
    compare(by_chance, rows, interaction="arm", groups=["arm"])
    compare(by_chance, [{**row, "purity": 0.5} for row in rows], adjust=["purity"], groups=["arm"])
    batches = [{**row, "batch": "abcdefgh"[at % 8]} for at, row in enumerate(rows[:40])]
    compare(by_chance, batches, adjust=["batch"], groups=["arm"])
    compare(by_chance, [{**row, "ward": row["arm"]} for row in rows], adjust=["ward"], groups=["arm"])
    compare(
        by_chance,
        [{**row, "known": str(yes)} for row, yes in zip(rows, by_chance, strict=True)],
        adjust=["known"],
    )
    unknown = [row if at < 4 or row["arm"] == "A" else {**row, "purity": None} for at, row in enumerate(rows)]
    without = [{name: value for name, value in row.items() if value is not None} for row in unknown]
    compare(by_chance, without, adjust=["purity"], groups=["arm"])
    compare(by_chance, [{**row, "arm": "A" if at else "B"} for at, row in enumerate(rows)], interaction="arm")
    compare(by_chance | (arm == 1), rows, interaction="arm")


@pytest.fixture(scope="module")
def found(
    demo_tpm: pd.DataFrame,
    demo_counts: pd.DataFrame,
    demo_lengths: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Found:
    """Notes of all inputs above."""
    found = Found()
    read_units(found, demo_tpm)
    read_units_by_length(found, demo_tpm, demo_counts)
    profile_files(found, demo_tpm, tmp_path_factory.mktemp("files"))
    read_quantities(found, demo_tpm, tmp_path_factory.mktemp("quantities"))
    read_nanostring(found, tmp_path_factory.mktemp("nanostring"))
    profile_damaged_samples(found, demo_tpm)
    profile_pipelines(found, demo_tpm, tmp_path_factory.mktemp("references"))
    profile_what_is_not_measured(found, demo_tpm, demo_counts, demo_lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATA_VARIABLE, str(tmp_path_factory.mktemp("kept")))
        choose_references(found, demo_tpm)
        score_sets(found, demo_tpm, patch)
    compare_labels(found, demo_tpm)
    found.notes += notes_in(tuple(map(NoteRecord.of, cell_notes())))
    found.notes += notes_in(tuple(map(compare_cohorts, every_note())))
    return found


def test_real_inputs_raise_every_key_and_no_other(found: Found) -> None:
    templates = {template_of(one) for one in found.notes}
    assert None not in templates
    assert sorted(set(MESSAGES) - {KEY_OF[one] for one in templates if one}) == []
    assert sorted(set(FLAGS) - {Code(one.code) for one in found.notes}) == []
    assert len(KEY_OF) == len(MESSAGES)


@pytest.mark.parametrize("lang", languages())
def test_sentences_have_no_empty_field(lang: str, found: Found) -> None:
    said = {sentence(one, translations(lang)) for one in found.notes}
    assert [text for text in said if not text.strip() or EMPTY.search(text)] == []


def test_french_keeps_names_that_are_words_of_the_catalogue(found: Found) -> None:
    words = translations("fr")
    french = {sentence(one, words) for one in found.notes}
    assert any("Le jeu de gènes msi " in text for text in french)
    assert any("Le jeu de gènes Index " in text for text in french)
    assert any(" symbols " in text for text in french)
    one = NoteRecord.of(note(Code.NO_METADATA, sample="response"))
    assert sentence(one, words).endswith(" response.")
    two = NoteRecord.of(note(Code.IDENTICAL_SAMPLES, names=["none", "symbols", "detected"]))
    assert sentence(two, words).endswith(" none, symbols, detected.")
    group = NoteRecord.of(note(Code.GROUP, group="response", n=5))
    assert sentence(group, words) == "response (n = 5)"


def test_check_and_page_agree_on_severity(found: Found) -> None:
    by_code: dict[str, set[Severity]] = {}
    for one in found.notes:
        by_code.setdefault(one.code, set()).add(one.severity)
    assert {code: kinds for code, kinds in by_code.items() if len(kinds) != 1} == {}
    for finding in (finding for log in found.flags for finding in findings_of(log)):
        assert {finding.severity} == by_code[finding.kind]
    for one in found.notes:
        assert matters(one) is (one.severity is not Severity.NOTE)
        assert english(one)
