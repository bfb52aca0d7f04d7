from __future__ import annotations

import csv
import importlib.util
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.errors import (
    FileMissingError,
    FileUnreadableError,
    GeneSetInvalidError,
    InputFaultsError,
)
from escape_score.library.files import resource_path
from escape_score.library.gene_sets import load_signatures, read_gmt
from escape_score.model.notes import Code
from escape_score.model.signature import GeneRole, Signature, SignatureLibrary
from escape_score.pipeline.gene_sets import is_certain_gene, open_gene_sets
from escape_score.pipeline.profiles import in_english

ROOT = Path(__file__).resolve().parents[2]
GENESETS = ROOT / "resources" / "genesets"


@pytest.fixture(scope="module")
def library() -> SignatureLibrary:
    return load_signatures()


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_genesets", GENESETS / "build_genesets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "sets.gmt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def approved_symbols() -> set[str]:
    import pandas as pd

    return set(pd.read_csv(resource_path("genes", "genes.tsv.gz"), sep="\t", dtype=str)["gene_symbol"])


# --- Signature


@pytest.mark.parametrize(
    ("signature_id", "genes"),
    [("", ("CD8A",)), ("  ", ("CD8A",)), ("CYT", ()), ("CYT", ("CD8A", "CD8A")), ("CYT", ("CD8A", ""))],
)
def test_signature_rejects_what_is_no_set(signature_id: str, genes: tuple[str, ...]) -> None:
    with pytest.raises(GeneSetInvalidError):
        Signature(signature_id, genes)


# --- read_gmt


def test_read_gmt_keeps_order_genes_and_description(tmp_path: Path) -> None:
    path = write(tmp_path, "CYT\tcytolytic\tPRF1\tGZMA\nAPM\tpresentation\tB2M\n")

    content = read_gmt(path)

    assert content.signatures == (
        Signature("CYT", ("PRF1", "GZMA"), "cytolytic", "sets.gmt"),
        Signature("APM", ("B2M",), "presentation", "sets.gmt"),
    )
    assert content.notes == ()


@pytest.mark.parametrize(
    "content",
    [
        "CYT\tna\tGZMA\tPRF1\t\t\n",
        "\nCYT\tna\tGZMA\tPRF1\n\n",
        "CYT\tna\tGZMA\tPRF1",
        "CYT\tna\tGZMA\tPRF1\r\n",
        "CYT\tna\tGZMA\tPRF1\r",
        " CYT \tna\t GZMA\tPRF1 \n",
        "CYT\tna\tGZMA\t\tPRF1\n",
        b"\xef\xbb\xbfCYT\tna\tGZMA\tPRF1\n",
    ],
)
def test_read_gmt_ignores_spelling_of_the_file(tmp_path: Path, content: str | bytes) -> None:
    (signature,) = read_gmt(write(tmp_path, content)).signatures
    assert (signature.signature_id, signature.gene_symbols) == ("CYT", ("GZMA", "PRF1"))


def test_read_gmt_counts_a_repeated_gene_once_and_says_so(tmp_path: Path) -> None:
    content = read_gmt(write(tmp_path, "CYT\tna\tGZMA\tPRF1\tGZMA\tGZMA\n"))

    assert content.signatures[0].gene_symbols == ("GZMA", "PRF1")
    (note,) = content.notes
    assert note.code is Code.DUPLICATE_GENE_IN_SET
    assert "CYT" in in_english(note)
    assert "GZMA" in in_english(note)


def test_read_gmt_notes_a_missing_description(tmp_path: Path) -> None:
    (note,) = read_gmt(write(tmp_path, "CYT\t\tGZMA\n")).notes
    assert note.code is Code.GMT_NO_DESCRIPTION


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("NOTHING\tna", ("NOTHING", "no gene", "line 2", "tabs")),
        ("NOTHING GZMA PRF1", ("tabs", "line 2")),
        ("NOTHING\tna\t\t", ("NOTHING", "no gene", "line 2")),
        ("\tna\tGZMA", ("empty name", "line 2")),
        ("CYT\tna\tGZMA", ("CYT", "twice", "line 1", "line 2")),
        ("A2M\t3624.1\t2880.7", ("A2M", "numbers", "line 2")),
    ],
)
def test_read_gmt_names_place_and_remedy_of_a_bad_line(
    tmp_path: Path, line: str, words: tuple[str, ...]
) -> None:
    path = write(tmp_path, f"CYT\tna\tGZMA\n{line}\n")

    with pytest.raises(GeneSetInvalidError) as caught:
        read_gmt(path)

    (message,) = caught.value.lines
    assert message.startswith(f"{path}: ")
    assert "; " in message
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"CYT\tna\tGZ\0MA\n", "binary"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "text"),
        (b"gene\tPat02\tPat19\nA2M\t3624.1\t2880.7\nAAR2\t38.3\t43.1\n", "matrix"),
    ],
)
def test_read_gmt_rejects_what_is_no_gmt(tmp_path: Path, content: bytes, word: str) -> None:
    with pytest.raises(GeneSetInvalidError, match=word):
        read_gmt(write(tmp_path, content))


def test_read_gmt_collects_all_faults_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, "CYT\tna\tGZMA\n\tna\tB2M\nCYT\tna\tPRF1\nNOTHING\tna\t\n")

    with pytest.raises(InputFaultsError) as caught:
        read_gmt(path)

    assert [message.partition("(line ")[2][0] for message in caught.value.lines] == ["2", "3", "4"]
    assert all(isinstance(fault, GeneSetInvalidError) for fault in caught.value.faults)


def test_read_gmt_says_that_a_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="absent"):
        read_gmt(tmp_path / "absent.gmt")


def test_read_gmt_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="cannot be read"):
        read_gmt(tmp_path)


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
_GENE = _TEXT.map("G{}".format)
_SETS = st.dictionaries(
    _TEXT, st.tuples(_TEXT, st.lists(_GENE, min_size=1, max_size=6, unique=True)), min_size=1, max_size=6
)


@given(sets=_SETS)
def test_read_gmt_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, sets: dict[str, tuple[str, list[str]]]
) -> None:
    path = tmp_path_factory.mktemp("round") / "sets.gmt"
    lines = ("\t".join((name, description, *genes)) for name, (description, genes) in sets.items())
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    content = read_gmt(path)

    assert {s.signature_id: (s.description, list(s.gene_symbols)) for s in content.signatures} == sets
    assert content.notes == ()


def read(path: Path) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Sets of a file, and the notes on it, with the gene names of the package."""
    content = read_gmt(path, is_gene=is_certain_gene)
    sets = {signature.signature_id: signature.gene_symbols for signature in content.signatures}
    return sets, [f"{one.code}.{one.kind}" for one in content.notes]


NO_DESCRIPTION = f"{Code.GMT_NO_DESCRIPTION}.column"


@pytest.mark.parametrize(
    "content",
    [
        "CYT\tGZMA\tPRF1\n",
        "CYT\tGZMA\tPRF1\t\t\n",
        "CYT\t3001\t5551\tPRF1\n",
        "CYT\tENSG00000145649\tENSG00000180644\n",
        "CYT\tGZMA\tPRF1\nT\tCD3D\tCD3E\nX\tna\tCD4\n",
        "ONE\tGZMA\n",
    ],
)
def test_read_gmt_keeps_the_first_gene_where_descriptions_are_missing(tmp_path: Path, content: str) -> None:
    sets, notes = read(write(tmp_path, content))
    for line in content.splitlines():
        name, *genes = line.strip().split("\t")
        assert sets[name] == tuple(genes)
    assert notes == [NO_DESCRIPTION]


@pytest.mark.parametrize(
    "content",
    [
        "CYT\tna\tGZMA\tPRF1\n",
        "CYT\thttps://a.org\tGZMA\tPRF1\n",
        "CYT\t2\tGZMA\tPRF1\n",  # the size of the set
        "STAT1\tSTAT1\tGBP1\tIRF1\nMYC_TARGETS\tMYC\tNCL\tNPM1\n",
        "CYT\tna\t3001\t5551\n",
        "A\tna\tCD4\nB\tGZMA\tPRF1\nC\tna\tCD8A\n",  # one set of three may be described by a gene
    ],
)
def test_read_gmt_keeps_descriptions(tmp_path: Path, content: str) -> None:
    sets, notes = read(write(tmp_path, content))
    for line in content.splitlines():
        name, _, *genes = line.strip().split("\t")
        assert sets[name] == tuple(genes)
    assert notes == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "lines",
    [
        ["CYT\tT", "na\tof T cells", "GZMA\tCD3D", "PRF1\tCD3E", "\tCD3G"],
        ["CYT\tT\t", "na\tna\t", "GZMA\tCD3D\t", "PRF1\tCD3E\t", "\tCD3G\t"],
        ["CYT\tT", "GZMA\tCD3D", "PRF1\tCD3E", "\tCD3G"],
    ],
)
def test_read_gmt_reads_sets_in_columns(tmp_path: Path, lines: list[str], mark: str, end: str) -> None:
    sets, _ = read(write(tmp_path, mark + end.join(lines) + end))
    assert sets == {"CYT": ("GZMA", "PRF1"), "T": ("CD3D", "CD3E", "CD3G")}


def test_read_gmt_names_the_column_of_a_fault(tmp_path: Path) -> None:
    path = write(tmp_path, "CYT\tCYT\nna\tna\nGZMA\tCD3D\nPRF1\tCD3E\nIFNG\tCD3G\n")
    with pytest.raises(GeneSetInvalidError, match=r"CYT is named twice, first in column 1 \(column 2\)"):
        read(path)


def test_open_gene_sets_names_genes_that_nobody_knows(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "NONE\tna\tFOO1\tFOO2\nPART\tna\tCD2\tFOO1\tFOO3\nWELL\tna\tCD3D\tCD3E\tCd3g\tFOO4\n",
    )
    sets = open_gene_sets(path)
    said = [in_english(one) for one in sets.flags.cohort]
    assert [one.signature_id for one in sets.signatures] == ["PART", "WELL"]
    assert "No gene of gene set NONE is known; it is not scored: FOO1, FOO2." in said
    assert "Genes of gene set PART that are not known (2 of 3): FOO1, FOO3." in said
    assert "Genes of the gene sets that are not known (4 of 8): FOO1, FOO2, FOO3, FOO4." in said
    assert "Names of the gene sets matched in another case (1): Cd3g." in said
    assert not any("WELL" in one for one in said)


# --- the shipped library


def test_load_signatures_reads_once() -> None:
    assert load_signatures() is load_signatures()


def test_library_tables_describe_the_same_sets(library: SignatureLibrary) -> None:
    assert [record.signature_id for record in library.records] == [
        signature.signature_id for signature in library.signatures
    ]
    for signature in library.signatures:
        assert library.record(signature.signature_id).n_genes == len(signature.gene_symbols)


def test_library_components_hold_the_genes_of_the_axis_table(library: SignatureLibrary) -> None:
    genes_of: dict[str, set[str]] = defaultdict(set)
    for gene in library.axis_genes:
        genes_of[gene.component].add(gene.gene_symbol)

    assert {part.signature_id: set(part.gene_symbols) for part in library.components} == genes_of
    for name in genes_of:
        record = library.record(name)
        assert {(gene.mechanism, gene.direction) for gene in library.genes_of(name)} == {
            (record.axis, record.direction)
        }


def test_library_sets_are_sorted_and_have_no_note(library: SignatureLibrary) -> None:
    assert read_gmt(GENESETS / "escape.gmt").notes == ()
    for signature in library.signatures:
        assert list(signature.gene_symbols) == sorted(set(signature.gene_symbols))


def test_library_symbols_are_approved(library: SignatureLibrary) -> None:
    symbols = {symbol for signature in library.signatures for symbol in signature.gene_symbols}
    assert symbols - approved_symbols() == set()


def test_library_names_a_source_for_every_gene(library: SignatureLibrary) -> None:
    for gene in library.axis_genes:
        assert gene.source, gene
        kind, _, evidence = gene.verified_by.partition(":")
        assert kind in {"signature", "list", "text", "location"}, gene
        assert evidence, gene
        identifiers = gene.pmid_or_doi.split(";")
        assert gene.pmid_or_doi == "" if kind == "location" else all(map(is_identifier, identifiers)), gene


def is_identifier(text: str) -> bool:
    """A PMID, or a DOI."""
    return text.isdigit() or text.startswith("10.")


def test_library_membership_claims_hold(library: SignatureLibrary) -> None:
    """``verified_by`` = ``signature:ID`` can be looked up in the shipped set itself."""
    published: dict[str, set[str]] = defaultdict(set)
    for signature in library.published:
        whole = signature.signature_id.removesuffix(".up").removesuffix(".down")
        published[whole] |= set(signature.gene_symbols)

    claims = [gene for gene in library.axis_genes if gene.verified_by.startswith("signature:")]

    assert len(claims) > 100
    for gene in claims:
        assert gene.gene_symbol in published[gene.verified_by.removeprefix("signature:")], gene


def test_library_published_sets_name_terms_and_publication(library: SignatureLibrary) -> None:
    open_terms = ("MIT ", "BSD-3-Clause ", "CC BY 4.0 ")
    for signature in library.published:
        record = library.record(signature.signature_id)
        assert record.terms.startswith(open_terms), record
        assert "KEGG" not in record.signature_id.upper(), record
        has_publication = bool(record.pmid or record.doi or "PMC" in record.source)
        assert has_publication or record.source.endswith("(no publication named by the carrier)"), record


def test_library_published_direction_follows_the_name(library: SignatureLibrary) -> None:
    for record in library.records:
        if record.kind == "published":
            assert (record.direction == -1) == record.signature_id.endswith(".down")


@pytest.mark.parametrize(
    ("component", "role", "n_genes"),
    [
        ("mhc1", GeneRole.COMPONENT, 10),
        ("weakest_link_mhc1", GeneRole.CHAIN, 7),
        ("mhc1_fallback", GeneRole.CHAIN, 7),
        ("mhc_region_genes", GeneRole.CONTROL, 22),
        ("mhc_region_controls", GeneRole.CONTROL, 22),
        ("ifng_machinery", GeneRole.CHAIN, 6),
        ("leukocyte", GeneRole.DENOMINATOR, 12),
        ("ifng_response", GeneRole.EXPECTATION, 10),
        ("autophagy", GeneRole.REPORT_ONLY, 21),
    ],
)
def test_library_component_has_its_role(
    library: SignatureLibrary, component: str, role: GeneRole, n_genes: int
) -> None:
    assert len(library.component(component).gene_symbols) == n_genes
    assert {gene.role for gene in library.genes_of(component)} == {role}


def test_library_region_genes_lie_on_6p21(library: SignatureLibrary) -> None:
    """MHC genes and their controls share a locus; no control is an MHC gene."""
    import pandas as pd

    genes = set(library.component("mhc_region_genes").gene_symbols)
    controls = set(library.component("mhc_region_controls").gene_symbols)
    table = pd.read_csv(resource_path("genes", "genes.tsv.gz"), sep="\t", dtype=str).set_index("gene_symbol")

    assert genes & controls == set()
    assert set(table.loc[sorted(genes | controls), "chromosome"]) == {"6"}


@pytest.mark.parametrize(
    "ask", [SignatureLibrary.component, SignatureLibrary.signature, SignatureLibrary.record]
)
def test_library_says_that_a_name_is_unknown(library: SignatureLibrary, ask: object) -> None:
    assert callable(ask)
    with pytest.raises(GeneSetInvalidError, match="NOSUCHSET"):
        ask(library, "NOSUCHSET")


# --- the builder of the resource


def test_builder_check_accepts_the_committed_files(builder: ModuleType) -> None:
    assert builder.check_committed(GENESETS) == []


def test_builder_check_finds_a_component_that_differs(builder: ModuleType, tmp_path: Path) -> None:
    for name in ("axis_genes.tsv", "escape.gmt", "signatures.tsv"):
        text = (GENESETS / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("\tMAGEC1\t", "\tMAGEC11\t", 1), encoding="utf-8")
    (tmp_path / "axis_genes.tsv").write_bytes((GENESETS / "axis_genes.tsv").read_bytes())

    (fault,) = builder.check_committed(tmp_path)

    assert fault.startswith("escape.gmt: ")


def test_builder_splits_drops_and_sorts(builder: ModuleType, tmp_path: Path) -> None:
    write_table(
        tmp_path / "sources.tsv",
        "signature_id publication pmid doi terms terms_basis",
        [
            ("B.two_ways", "Both; more", "12345678", "", "ship", "some licence"),
            ("A.one gene", "One", "", "10.1/x", "ship", "some licence"),
            ("A.closed", "Closed", "", "10.1/x", "no (KEGG)", "KEGG"),
            ("A.a set", "", "", "", "ship (twin)", "identical membership in B.two_ways"),
        ],
    )
    write_table(
        tmp_path / "signatures.tsv",
        "signature_id gene_current weight",
        [
            ("B.two_ways", "PRF1", "1.0"),
            ("B.two_ways", "GZMA", "1.0"),
            ("B.two_ways", "", "1.0"),
            ("B.two_ways", "CD19", "-1.0"),
            ("B.two_ways", "CD22", "-1.0"),
            ("A.one gene", "CD8A", "1.0"),
            ("A.closed", "CD8A", "1.0"),
            ("A.closed", "CD8B", "1.0"),
            ("A.a set", "CD4", "1.0"),
            ("A.a set", "CD2", "1.0"),
        ],
    )

    sets = builder.published_sets(tmp_path)

    assert [(part.row.signature_id, part.row.direction, part.genes) for part in sets] == [
        ("A.a_set", "1", ("CD2", "CD4")),
        ("B.two_ways.up", "1", ("GZMA", "PRF1")),
        ("B.two_ways.down", "-1", ("CD19", "CD22")),
    ]
    assert sets[0].row.pmid == "12345678"
    assert sets[0].row.terms == "some licence; same genes as B.two_ways"
    assert sets[1].row.n_unmapped == "1"


def write_table(path: Path, columns: str, rows: list[tuple[str, ...]]) -> None:
    """A tab-separated table."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t")
        writer.writerow(columns.split())
        writer.writerows(rows)
