"""Cohorts of one file a sample: folders as pipelines write them, and sheets that list files."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from tests.read.cells import make_cells, write_zarr
from tests.read.formats import tables

import escape_score as es
from escape_score.errors import (
    FileMissingError,
    FileUnreadableError,
    InputError,
    InputFaultsError,
    MatrixInvalidError,
)
from escape_score.model.cohort import Cohort, FloatArray
from escape_score.model.notes import Code
from escape_score.read import ReadLimits, ReadRequest, count_samples, list_parts

SEEDS = {"A": 1, "B": 2, "C": 3}
GENES = tables.ensembl_genes()


def fill(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def values_of(cohort: Cohort) -> FloatArray:
    return cohort.source.block(0, len(cohort.sample_ids))


def tpm_of(*samples: str) -> FloatArray:
    return np.array([tables.tpm_of(seed=SEEDS[sample]) for sample in samples])


def rsem_folder(folder: Path) -> Path:
    return fill(folder, {f"{name}.genes.results": tables.rsem(seed) for name, seed in SEEDS.items()})


def lines_of(error: InputError) -> tuple[str, ...]:
    return error.lines


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("star_rsem/{}.genes.results", tables.rsem),
        ("salmon/{}/quant.genes.sf", tables.salmon),
        ("{}/0f1e.rna_seq.augmented_star_gene_counts.tsv", tables.gdc),
    ],
)
def test_read_takes_a_folder_as_one_cohort(tmp_path: Path, name: str, make: Callable[[int], str]) -> None:
    own_name = "0f1e" in name
    files = {name.format(sample).replace("0f1e", sample): make(seed) for sample, seed in SEEDS.items()}
    fill(tmp_path, files)
    folder = tmp_path if own_name else tmp_path / name.split("/", maxsplit=1)[0]
    cohort = es.read(folder)
    assert cohort.sample_ids == ("A", "B", "C")
    assert cohort.unit.unit == "tpm"
    assert cohort.name == folder.name
    assert values_of(cohort) == pytest.approx(tpm_of("A", "B", "C"), abs=1e-4)
    assert count_samples(folder) == 3
    assert sorted(map(str, list_parts(folder))) == sorted(str(tmp_path / file) for file in files)


def test_read_takes_a_folder_in_the_declared_unit(tmp_path: Path) -> None:
    cohort = es.read(rsem_folder(tmp_path), units="fpkm")
    assert values_of(cohort) == pytest.approx(tpm_of("A", "B", "C") / 2)
    with pytest.raises(MatrixInvalidError, match="no column in the declared unit") as caught:
        es.read(tmp_path, units="ln(x+1)")
    assert len(lines_of(caught.value)) == 1


def test_read_gives_a_sample_of_a_folder_the_numbers_it_has_alone(tmp_path: Path) -> None:
    shares = {"A": 0.98, "B": 0.02, "C": 0.5}
    files = {f"{name}ReadsPerGene.out.tab": tables.star(share, SEEDS[name]) for name, share in shares.items()}
    folder = fill(tmp_path, files)
    cohort = es.read(folder)
    for at, name in enumerate(cohort.sample_ids):
        alone = es.read(folder / f"{name}ReadsPerGene.out.tab")
        assert alone.sample_ids == (name,)
        assert np.array_equal(values_of(alone)[0], values_of(cohort)[at])
    strands = [str(dict(note.params)["column"]) for note in cohort.flags.cohort if note.kind == "strand"]
    assert sorted(strands) == ["stranded_first", "stranded_second", "unstranded"]


def test_read_passes_over_what_pipelines_leave_in_a_folder(tmp_path: Path) -> None:
    folder = rsem_folder(tmp_path)
    merged = tables.table(["gene_id", "A", "B", "C"], [[gene, 1, 2, 3] for gene in GENES])
    others = {
        "A.isoforms.results": tables.rsem_isoforms(),
        "rsem.merged.gene_tpm.tsv": merged,
        "one.tsv": tables.table(["gene_id", "A"], [[gene, 1] for gene in GENES]),
        "A.stat/A.cnt": "0 10 2 12\n10 0 5\n9 3\n",
        "README.txt": "Made by us.\n",
        "multiqc_data/multiqc.json": "{}",
        ".DS_Store": "\0\1",
        "deep/er/D.genes.results": "not looked at",
    }
    fill(folder, others)
    (folder / "A.bam").write_bytes(gzip.compress(b"BAM\1" + bytes(range(256)) * 40))
    assert es.read(folder).sample_ids == ("A", "B", "C")


def test_read_takes_packed_files_and_links(tmp_path: Path) -> None:
    folder = rsem_folder(tmp_path / "run")
    path = folder / "A.genes.results"
    (folder / "A.genes.results.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.rename(tmp_path / "elsewhere")
    (folder / "D.genes.results").symlink_to(tmp_path / "elsewhere")
    assert es.read(folder).sample_ids == ("A", "B", "C", "D")


def test_read_takes_two_columns_without_header_as_files_of_samples(tmp_path: Path) -> None:
    genes = ["no_such_gene", *GENES[1:]]
    folder = fill(
        tmp_path,
        {"A.counts.txt": tables.htseq(1), "B.counts.txt": tables.htseq(2, genes), "README.txt": "Ours.\n"},
    )
    cohort = es.read(folder)
    assert (cohort.sample_ids, cohort.unit.unit) == (("A", "B"), "counts")
    assert np.isnan(values_of(cohort)).sum(axis=1).tolist() == [1, 1]


# --- genes --------------------------------------------------------------------------------------------------


def test_read_takes_genes_that_a_file_does_not_have_as_missing(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        {
            "A.genes.results": tables.rsem(1, GENES[:280]),
            "B.genes.results": tables.rsem(2, GENES[:20:-1]),
            "C.genes.results": tables.rsem(3, [*GENES[:279], GENES[299]]),
        },
    )
    cohort = es.read(folder)
    assert sorted(cohort.source.gene_ids) == GENES
    values = dict(zip(cohort.sample_ids, values_of(cohort), strict=True))
    at = {gene: column for column, gene in enumerate(cohort.source.gene_ids)}
    assert np.isnan(values["A"][[at[gene] for gene in GENES[280:]]]).all()
    assert np.isnan(values["B"][[at[gene] for gene in GENES[:21]]]).all()
    own = dict(zip(GENES[:20:-1], tables.tpm_of(279, 2), strict=True))
    assert {gene: values["B"][at[gene]] for gene in own} == pytest.approx(own)
    assert not np.isnan(values["C"][at[GENES[299]]])


def test_read_aligns_versions_and_repeated_genes(tmp_path: Path) -> None:
    names = [f"{gene}.{7}" for gene in GENES]
    again = [f"{gene}.{8}" for gene in GENES]
    folder = fill(
        tmp_path,
        {
            "A.genes.results": tables.rsem(1, [*names, "Y_RNA", "Y_RNA"]),
            "B.genes.results": tables.rsem(2, ["Y_RNA", *again, "Y_RNA"]),
        },
    )
    cohort = es.read(folder)
    assert cohort.source.gene_ids == (*names, "Y_RNA", "Y_RNA")
    own = tables.tpm_of(302, 2)
    assert values_of(cohort)[1].tolist() == pytest.approx([*own[1:-1], own[0], own[-1]])


def test_read_refuses_files_of_other_identifiers(tmp_path: Path) -> None:
    folder = rsem_folder(tmp_path)
    symbols = [f"SYMBOL{at}" for at in range(300)]
    fill(folder, {"D.genes.results": tables.rsem(1, symbols), "E.genes.results": tables.rsem(1, symbols)})
    with pytest.raises(InputFaultsError) as caught:
        es.read(folder)
    assert [line.split(": ")[0].split("/")[-1] for line in caught.value.lines] == [
        "D.genes.results",
        "E.genes.results",
    ]
    assert "300 genes, of which 0 are among the 300 of the first file" in caught.value.lines[0]


# --- what is refused ----------------------------------------------------------------------------------------


def test_read_refuses_mixed_layouts_in_one_line(tmp_path: Path) -> None:
    folder = fill(rsem_folder(tmp_path), {"AReadsPerGene.out.tab": tables.star()})
    with pytest.raises(MatrixInvalidError, match=r"different layouts .*RSEM such as A.*STAR such as AReads"):
        es.read(folder)


def test_read_names_all_damaged_files_of_samples(tmp_path: Path) -> None:
    folder = rsem_folder(tmp_path)
    text = (folder / "A.genes.results").read_text()
    fill(
        folder,
        {
            "D.genes.results": "",
            "E.genes.results": "disk quota exceeded\n",
            "F.genes.results": text[: len(text) // 2],
        },
    )
    (folder / "G.genes.results.gz").write_bytes(gzip.compress(text.encode())[:2000])
    with pytest.raises(InputFaultsError) as caught:
        es.read(folder)
    assert sorted(line.split(": ")[0].split("/")[-1][0] for line in caught.value.lines) == list("DEFG")
    with pytest.raises(InputFaultsError):
        count_samples(folder)


def test_read_names_both_files_of_a_sample(tmp_path: Path) -> None:
    folder = fill(rsem_folder(tmp_path), {"again/A.genes.results": tables.rsem(2)})
    with pytest.raises(MatrixInvalidError, match=r"sample 'A' is in several files \(.*A.genes.*, .*again"):
        es.read(folder)


def test_read_refuses_folders_of_transcripts(tmp_path: Path) -> None:
    quant = tables.salmon(names=tables.transcripts())
    folder = fill(tmp_path, {"A/quant.sf": quant, "B/quant.sf": quant})
    with pytest.raises(
        MatrixInvalidError, match=r"transcripts of salmon.*quant.genes.sf.*A.quant.sf"
    ) as caught:
        es.read(folder)
    assert len(caught.value.lines) == 1
    fill(folder, {"A/quant.genes.sf": tables.salmon()})
    with pytest.raises(MatrixInvalidError, match="samples 'B' have a table of transcripts and none of genes"):
        es.read(folder)
    fill(folder, {"B/quant.genes.sf": tables.salmon(2)})
    assert es.read(folder).sample_ids == ("A", "B")


@pytest.mark.parametrize("files", [{}, {"notes.txt": "none"}, {"a/b/c.genes.results": tables.rsem()}])
def test_read_refuses_folders_without_tables(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(FileUnreadableError, match=r"a folder .* without tables of one sample"):
        es.read(fill(tmp_path, files))


def test_read_keeps_the_limits(tmp_path: Path) -> None:
    folder = rsem_folder(tmp_path)
    with pytest.raises(MatrixInvalidError, match=r"too large .*3 samples"):
        es.read(folder, limits=ReadLimits(max_samples=2))
    with pytest.raises(FileUnreadableError, match="too many files"):
        es.read(fill(folder, {f"{at}.log": "x" for at in range(20)}), limits=ReadLimits(max_samples=1))
    with pytest.raises(MatrixInvalidError, match="need 7200 bytes"):
        es.read(folder, limits=ReadLimits(max_expanded_bytes=7000))


# --- matrices among files of one sample -------------------------------------------------------------------


def matrix_of(*samples: str) -> str:
    values = zip(*(tables.tpm_of(seed=1 + at) for at in range(len(samples))), strict=True)
    return tables.table(
        ["gene_id", *samples], [[gene, *row] for gene, row in zip(GENES, values, strict=True)]
    )


def one_sample(name: str) -> str:
    return matrix_of(name)


def turned_of(*samples: str) -> str:
    return tables.table(["sample", *GENES[:50]], [[name, *range(50)] for name in samples])


def gct_of(*samples: str) -> str:
    rows = [[gene, "na", *range(len(samples))] for gene in GENES]
    body = tables.table(["Name", "Description", *samples], rows)
    return f"#1.2\n{len(GENES)}\t{len(samples)}\n{body}"


@pytest.mark.parametrize(
    ("content", "held"),
    [
        (matrix_of("A", "D", "E"), "3 samples"),
        (turned_of("A", "D", "E"), "samples in rows"),
        (gct_of("A", "D", "E"), "3 samples"),
        (gct_of("D"), "1 sample"),
    ],
)
def test_read_refuses_a_folder_whose_matrix_has_samples_without_a_file(
    tmp_path: Path, content: str, held: str
) -> None:
    folder = fill(tmp_path, {"A.tsv": one_sample("A"), "m.tsv": content, "a.txt": "Ours.\n"})
    with pytest.raises(MatrixInvalidError, match=rf"m\.tsv: holds {held}; give it alone") as caught:
        es.read(folder)
    assert len(caught.value.lines) == 1
    assert "move it away" in str(caught.value)
    assert "'D'" in str(caught.value)
    for looks in (count_samples, list_parts):
        with pytest.raises(MatrixInvalidError):
            looks(folder)


def test_read_refuses_a_folder_whose_matrix_is_no_text(tmp_path: Path) -> None:
    folder = fill(tmp_path / "run", {"A.tsv": one_sample("A")})
    frame = pd.DataFrame({"gene": GENES, "A": 1.5, "D": 2.5})
    frame.to_parquet(folder / "m.parquet")
    with pytest.raises(MatrixInvalidError, match=r"m\.parquet: holds 2 samples; .*: 'D'\)"):
        es.read(folder)
    pd.DataFrame({"sample_id": ["A", "D"], "age": [50, 60]}).to_parquet(folder / "m.parquet")
    assert es.read(folder).sample_ids == ("A",)


def test_read_refuses_a_folder_with_a_store_of_other_samples(tmp_path: Path) -> None:
    folder = fill(tmp_path / "run", {"A.tsv": one_sample("A")})
    values = np.ones((2, len(GENES)))
    obs, var = (pd.DataFrame(index=pd.Index(names)) for names in (["D", "E"], GENES))
    write_zarr(folder / "m.zarr", AnnData(values, obs=obs, var=var))
    with pytest.raises(MatrixInvalidError, match=r"m\.zarr: holds 2 samples; .*: 'D', 'E'\)"):
        es.read(folder)


def test_read_passes_over_single_cells_in_a_folder(tmp_path: Path) -> None:
    folder = fill(tmp_path / "run", {"A.tsv": one_sample("A")})
    cells = make_cells()
    obs, var = (pd.DataFrame(index=names.astype(object)) for names in (cells.index, cells.columns))
    AnnData(cells.to_numpy(), obs=obs, var=var).write_h5ad(folder / "cells.h5ad")
    assert es.read(folder).sample_ids == ("A",)


def test_read_refuses_a_sample_of_another_layout(tmp_path: Path) -> None:
    folder = fill(rsem_folder(tmp_path), {"D.tsv": one_sample("D")})
    with pytest.raises(MatrixInvalidError, match=r"D\.tsv: holds sample 'D' in another layout .*RSEM"):
        es.read(folder)


@pytest.mark.parametrize(
    "names",
    [("A-1", "B-1"), ("A.1", "B.1"), ("run/A-1.genes.results", "run/B-1.genes.results"), ("A-1.bam", "B-1")],
)
def test_read_passes_over_merged_tables_of_the_same_samples(
    tmp_path: Path, names: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    files = {f"{name}.genes.results": tables.rsem() for name in ("A-1", "B-1")}
    fill(tmp_path, {**files, "all.tsv": matrix_of(*names), "turned.tsv": turned_of("B-1", "A-1")})
    fill(tmp_path, {"notes.txt": "Ours.\n"})
    assert es.read(tmp_path).sample_ids == ("A-1", "B-1")
    assert [record.getMessage().removeprefix(f"{tmp_path}: ") for record in caplog.records][:2] == [
        "other files are not read: 'notes.txt'",
        "tables whose samples have files of their own are not read: 'all.tsv', 'turned.tsv'",
    ]


def test_read_names_matrices_of_a_folder_without_files_of_one_sample(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"a.tsv": matrix_of("A", "B"), "sub/b.tsv": matrix_of("C", "D")})
    with pytest.raises(FileUnreadableError, match=r"name one of the matrices in it \('a.tsv', 'sub/b.tsv'\)"):
        es.read(folder)


RESULT_FILES = [
    {"profiles.tsv": "sample_id\tcohort\timmunoresistance_index\tx\nA\tmine\t1\t2\n"},
    {"manifest.json": '{\n "manifest_version": "1.0",\n "header": {}\n}\n'},
]


@pytest.mark.parametrize("own", RESULT_FILES)
def test_read_never_searches_a_result_in_a_folder(tmp_path: Path, own: Mapping[str, str]) -> None:
    folder = fill(tmp_path, {"A.tsv": one_sample("A")})
    fill(folder / "x", {**own, "scores.tsv": matrix_of("D", "E"), "D.tsv": one_sample("D")})
    assert es.read(folder).sample_ids == ("A",)
    with pytest.raises(FileUnreadableError, match="x: a result of this program"):
        es.read(folder / "x")


def test_read_searches_a_folder_with_a_manifest_of_another_program(tmp_path: Path) -> None:
    fill(tmp_path / "x", {"manifest.json": "{}", "A.tsv": one_sample("A")})
    assert es.read(tmp_path).sample_ids == ("A",)


# --- digests ------------------------------------------------------------------------------------------------


def test_digest_covers_all_files_and_which_sample_each_is(tmp_path: Path) -> None:
    folder = fill(
        tmp_path / "one", {"A/quant.genes.sf": tables.salmon(1), "B/quant.genes.sf": tables.salmon(2)}
    )
    swapped = fill(
        tmp_path / "two", {"A/quant.genes.sf": tables.salmon(2), "B/quant.genes.sf": tables.salmon(1)}
    )
    moved = fill(
        tmp_path / "three", {"A/quant.genes.sf": tables.salmon(1), "B/quant.genes.sf": tables.salmon(2)}
    )
    digests = [es.read(place).input_sha256 for place in (folder, swapped, moved)]
    assert digests[0] == digests[2] != digests[1]


# --- sheets -------------------------------------------------------------------------------------------------


SHEET = "sample_id\tpath\tresponse\nP3\trun/C.genes.results\tNR\nP1\trun/A.genes.results\tR\n"


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_read_takes_a_sheet_of_files_as_cohort_and_sample_sheet(tmp_path: Path, delimiter: str) -> None:
    rsem_folder(tmp_path / "run")
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text(SHEET.replace("\t", delimiter))
    cohort = es.read(sheet)
    assert cohort.sample_ids == ("P3", "P1")
    assert values_of(cohort) == pytest.approx(tpm_of("C", "A"))
    assert [sample.response for sample in cohort.samples] == ["NR", "R"]
    assert count_samples(sheet) == 2
    assert [path.name for path in list_parts(sheet)] == ["sheet.tsv", "C.genes.results", "A.genes.results"]


def test_read_prefers_the_sample_sheet_that_is_given(tmp_path: Path) -> None:
    rsem_folder(tmp_path / "run")
    sheet, own = tmp_path / "sheet.tsv", tmp_path / "own.tsv"
    sheet.write_text(SHEET)
    own.write_text("sample_id\tresponse\nP1\tNR\nP3\tR\n")
    assert [sample.response for sample in es.read(sheet, samples=own).samples] == ["R", "NR"]


def test_digest_of_a_sheet_covers_its_names(tmp_path: Path) -> None:
    rsem_folder(tmp_path / "run")
    sheet = tmp_path / "sheet.tsv"
    digests = set()
    for text in (SHEET, SHEET.replace("P3", "P4"), SHEET.replace("A.g", "B.g")):
        sheet.write_text(text)
        digests.add(es.read(sheet).input_sha256)
    assert len(digests) == 3


def test_read_names_all_faults_of_a_sheet_and_its_files(tmp_path: Path) -> None:
    fill(rsem_folder(tmp_path / "run"), {"note.txt": "not a table\n", "quant.sf": tables.rsem_isoforms()})
    sheet = tmp_path / "sheet.tsv"
    rows = [
        ("P1", "run/A.genes.results", "0.5"),
        ("P2", "run/A.genes.results", "much"),
        ("P3", "run/none.genes.results", ""),
        ("P4", "", ""),
        ("P5", "run/note.txt", ""),
        ("P6", "run/quant.sf", ""),
        ("P7", "run", ""),
    ]
    sheet.write_text(tables.table(["sample_id", "path", "purity"], rows))
    with pytest.raises(InputFaultsError) as caught:
        es.read(sheet)
    said = "\n".join(caught.value.lines)
    for part in (
        "purity 'much' is no number",
        "A.genes.results is the file of several samples ('P1', 'P2')",
        "none.genes.results: file not found (sample P3, line 4 of",
        "path is empty (sample P4, line 5)",
        "note.txt: ",
        "quant.sf: rows are transcripts of RSEM",
        "run: not a table of one sample (sample P7, line 8",
    ):
        assert part in said


def test_read_names_at_most_twenty_faulty_files(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text(tables.table(["sample_id", "path"], [[f"P{at}", f"f{at}"] for at in range(50)]))
    with pytest.raises(InputFaultsError) as caught:
        es.read(sheet)
    assert len(caught.value.faults) == 20
    assert all(isinstance(fault, FileMissingError) for fault in caught.value.faults)


def test_read_takes_any_usual_name_of_the_column_of_ids_in_a_sheet_of_files(tmp_path: Path) -> None:
    rsem_folder(tmp_path / "run")
    sheet = tmp_path / "sheet.tsv"
    sheet.write_text(SHEET)
    expected = es.read(sheet).sample_ids
    sheet.write_text(SHEET.replace("sample_id", "sample"))
    assert es.read(sheet).sample_ids == expected


def test_read_takes_a_matrix_with_a_column_of_paths_for_a_matrix(tmp_path: Path) -> None:
    matrix = tmp_path / "m.tsv"
    rows = [[gene, 1 + value, value] for gene, value in zip(GENES, tables.tpm_of(), strict=True)]
    matrix.write_text(tables.table(["sample", "path", "B"], rows))
    assert es.read(matrix).sample_ids == ("path", "B")


def test_featurecounts_of_a_folder_keep_their_lengths_where_all_agree(tmp_path: Path) -> None:
    from escape_score.read.files.probe import probe_path
    from escape_score.read.formats import choose_format

    request = ReadRequest()
    one, two = tables.featurecounts(["a.bam"]), tables.featurecounts(["b.bam"])
    folder = fill(tmp_path, {"A.featureCounts.txt": one, "B.featureCounts.txt": two})
    reader = choose_format(probe_path(folder, request.limits))
    lengths = reader.open_matrix(folder, request).gene_lengths
    assert lengths is not None
    assert lengths[GENES[1]] == 1001.0
    fill(folder, {"B.featureCounts.txt": two.replace("\t1001\t", "\t1002\t")})
    # dropping all lengths would change the numbers of the other samples
    with pytest.raises(MatrixInvalidError, match=r"has length 1002 here and 1001.*one annotation"):
        reader.open_matrix(folder, request)


def test_notes_of_a_folder_are_made_once(tmp_path: Path) -> None:
    flags = es.read(rsem_folder(tmp_path)).flags.cohort
    assert [note.code for note in flags].count(Code.QUANTITY_CHOSEN) == 1


def test_read_keeps_gene_lengths_of_files_whose_genes_differ(tmp_path: Path) -> None:
    whole = tables.featurecounts(["a.bam"])
    fill(tmp_path, {"A.featureCounts.txt": whole, "B.featureCounts.txt": whole[: whole.rindex("ENSG")]})
    lengths = es.read(tmp_path, units="counts").gene_lengths
    assert lengths is not None
    assert len(lengths) == len(whole.splitlines()) - 2


def test_read_names_a_file_of_several_samples_among_others(tmp_path: Path) -> None:
    files = {"A.txt": tables.featurecounts(["a.bam"]), "B.txt": tables.featurecounts(["b.bam", "c.bam"])}
    with pytest.raises(MatrixInvalidError, match=r"B\.txt: holds 2 samples; give it alone"):
        es.read(fill(tmp_path, files), units="counts")


@pytest.mark.parametrize("what", ["folder", "sheet"])
def test_read_refuses_to_transpose_tables_of_one_sample(tmp_path: Path, what: str) -> None:
    folder = rsem_folder(tmp_path / "run")
    sheet = fill(tmp_path, {"sheet.tsv": SHEET}) / "sheet.tsv"
    with pytest.raises(MatrixInvalidError, match=f"{what} of tables of one sample.*leave --transpose out"):
        es.read(folder if what == "folder" else sheet, transpose=True)


def test_read_applies_names_of_columns_to_the_sheet_that_has_them(tmp_path: Path) -> None:
    rsem_folder(tmp_path / "run")
    fill(tmp_path, {"clinic.tsv": "sample_id\tBenefit\n" + "".join(f"P{at}\tDCB\n" for at in range(1, 4))})
    fill(tmp_path, {"s.tsv": SHEET})
    cohort = es.read(tmp_path / "s.tsv", samples=tmp_path / "clinic.tsv", columns={"response": "Benefit"})
    assert {sample.response for sample in cohort.samples} == {"R"}


def test_read_takes_a_sheet_of_files_by_another_name_of_its_ids(tmp_path: Path) -> None:
    rsem_folder(tmp_path / "run")
    fill(tmp_path, {"s.tsv": SHEET.replace("sample_id", "Barcode")})
    cohort = es.read(tmp_path / "s.tsv", columns={"sample_id": "Barcode"})
    fill(tmp_path, {"t.tsv": SHEET})
    assert cohort.sample_ids == es.read(tmp_path / "t.tsv").sample_ids
