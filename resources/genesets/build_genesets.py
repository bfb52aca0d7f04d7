"""Build ``escape.gmt`` and ``signatures.tsv`` of this folder.

Run ``python resources/genesets/build_genesets.py`` after a change of ``axis_genes.tsv``: components are
written again, published signatures stay as committed. With ``TABLES`` those are made again too; with
``--check`` the committed files are only compared with ``axis_genes.tsv``. The same input gives the same
bytes; only the standard library is needed.

Components come from ``axis_genes.tsv`` in this folder, which is edited by hand. Published signatures come
from two tab-separated tables in ``TABLES``:

``signatures.tsv``
    One row for a gene of a signature: ``signature_id``; ``gene_current``, the approved symbol, empty where
    the published name has none; ``weight``, negative where the gene is expected to be low.
``sources.tsv``
    One row for a signature: ``signature_id``; ``publication``, free text; ``pmid`` and ``doi``, may be empty;
    ``terms``, a signature is shipped only if it starts with "ship"; ``terms_basis``, the reason.

``README.md`` in this folder says what the files hold and which sets are left out.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

HERE = Path(__file__).resolve().parent
MIN_GENES = 2
"""A published "set" of one gene is that gene; it adds nothing that the gene itself does not say."""

NOT_SHIPPED = ("CC.TGFb_CCR",)
"""Titled like a KEGG pathway, whose sets may not be passed on."""

COMPONENT_TERMS = "facts compiled for escape_score; the source of each gene is in axis_genes.tsv"
TERMS_SHORT = {
    "carrier MIT (COMPASS, also in PyPI immuno-compass wheel)": "MIT (COMPASS, package immuno-compass)",
    "carrier MIT (bhklab/SignatureSets)": "MIT (bhklab SignatureSets)",
    "carrier BSD-3 (icbi-lab); Charoentong 2017": "BSD-3-Clause (icbi-lab Immunophenogram)",
    "MSigDB v7.0 Hallmark, CC BY 4.0 (v6.0-7.5.1 and 2022.1+)": "CC BY 4.0 (MSigDB Hallmark v7.0)",
    "GO, CC BY 4.0": "CC BY 4.0 (Gene Ontology)",
}
TWIN = "identical membership in "


@dataclass(frozen=True)
class SetRow:
    """One row of ``signatures.tsv``; the fields are its columns, in order."""

    signature_id: str
    kind: str
    axis: str
    component: str
    direction: str
    n_genes: str
    n_unmapped: str
    source: str
    pmid: str
    doi: str
    terms: str


@dataclass(frozen=True)
class GeneSet:
    """One line of the GMT with its row."""

    row: SetRow
    genes: tuple[str, ...]

    @property
    def gmt_line(self) -> str:
        """Name, short source, genes; tab-separated."""
        identifiers = [f"PMID:{pmid}" for pmid in self.row.pmid.split(";") if pmid]
        identifiers += [f"doi:{doi}" for doi in self.row.doi.split(";") if doi]
        description = self.row.source if self.row.kind == "published" else f"axis {self.row.axis}"
        return "\t".join((self.row.signature_id, "; ".join((description, *identifiers)), *self.genes))


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated table."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def joined(values: Iterable[str]) -> str:
    """Distinct non-empty values in their first order, separated by semicolons."""
    return ";".join(dict.fromkeys(value for value in values if value))


def split_identifiers(values: Iterable[str]) -> tuple[str, str]:
    """PMIDs and DOIs among identifiers that may hold several, separated by semicolons."""
    parts = [part for value in values for part in value.split(";")]
    return joined(part for part in parts if part.isdigit()), joined(part for part in parts if "/" in part)


def component_sets(rows: Sequence[dict[str, str]]) -> list[GeneSet]:
    """One set for each component of ``axis_genes.tsv``, in the order of the table."""
    by_component: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_component[row["component"]].append(row)
    return [component_set(name, members) for name, members in by_component.items()]


def component_set(name: str, members: Sequence[dict[str, str]]) -> GeneSet:
    """Return the set of one component; its genes share one direction, or the table is wrong."""
    directions = {row["direction"] for row in members}
    genes = tuple(sorted(row["gene_symbol"] for row in members))
    if len(directions) != 1 or len(set(genes)) != len(genes):
        msg = f"axis_genes.tsv: component {name} has two directions or a gene twice"
        raise SystemExit(msg)
    pmid, doi = split_identifiers(row["pmid_or_doi"] for row in members)
    source = "; ".join(dict.fromkeys(row["source"] for row in members))
    row = SetRow(
        signature_id=name,
        kind="component",
        axis=members[0]["mechanism"],
        component=name,
        direction=directions.pop(),
        n_genes=str(len(genes)),
        n_unmapped="0",
        source=source,
        pmid=pmid,
        doi=doi,
        terms=COMPONENT_TERMS,
    )
    return GeneSet(row, genes)


def published_sets(tables: Path) -> list[GeneSet]:
    """Shipped published signatures, sorted by id; those with negative weights as ``.up`` and ``.down``."""
    sources = {row["signature_id"]: row for row in read_rows(tables / "sources.tsv")}
    members: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read_rows(tables / "signatures.tsv"):
        members[row["signature_id"]].append(row)
    sets = [
        part
        for signature_id, source in sorted(sources.items())
        if source["terms"].startswith("ship") and signature_id not in NOT_SHIPPED
        for part in signature_parts(source, members[signature_id], sources)
    ]
    return [part for part in sets if len(part.genes) >= MIN_GENES]


def signature_parts(
    source: dict[str, str], members: Sequence[dict[str, str]], sources: dict[str, dict[str, str]]
) -> list[GeneSet]:
    """Return the one set, or the up and the down set, of a published signature."""
    down = [row for row in members if float(row["weight"]) < 0]
    up = [row for row in members if float(row["weight"]) >= 0]
    name = source["signature_id"].replace(" ", "_")
    if not down:
        return [published_set(name, "1", up, source, sources)]
    parts = ((f"{name}.up", "1", up), (f"{name}.down", "-1", down))
    return [published_set(part, sign, rows, source, sources) for part, sign, rows in parts if rows]


def published_set(
    name: str,
    direction: str,
    members: Sequence[dict[str, str]],
    source: dict[str, str],
    sources: dict[str, dict[str, str]],
) -> GeneSet:
    """One published set with its row."""
    genes = tuple(sorted({row["gene_current"] for row in members} - {""}))
    basis = source["terms_basis"]
    twin = sources.get(basis.removeprefix(TWIN)) if basis.startswith(TWIN) else None
    row = SetRow(
        signature_id=name,
        kind="published",
        axis="",
        component="",
        direction=direction,
        n_genes=str(len(genes)),
        n_unmapped=str(sum(not row["gene_current"] for row in members)),
        source=short_source(source),
        pmid=joined(pmids(source["pmid"]) or pmids(twin["pmid"] if twin else "")),
        doi=source["doi"],
        terms=twin_terms(twin) if twin else short_terms(basis),
    )
    return GeneSet(row, genes)


def pmids(text: str) -> list[str]:
    """PMIDs in a cell; a PMC id is none."""
    return [] if text.startswith("PMC") else re.findall(r"\b\d{7,8}\b", text)


def twin_terms(twin: dict[str, str]) -> str:
    """Terms of a set whose genes another set, with an open carrier, holds too."""
    return f"{short_terms(twin['terms_basis'])}; same genes as {twin['signature_id']}"


def short_terms(basis: str) -> str:
    """Licence and carrier of a list, in few words."""
    return TERMS_SHORT.get(basis, basis)


def short_source(source: dict[str, str]) -> str:
    """First clause of the publication's text, or the words of the id; says where no publication is named."""
    clause = re.split(r"[;:(]| from http| https?", source["publication"])[0].strip(" -;")
    label = clause or source["signature_id"].partition(".")[2].replace("_", " ")
    if source["pmid"].startswith("PMC"):
        return f"{label} ({source['pmid'].replace(': ', '')})"
    is_published = source["pmid"] or source["doi"] or source["terms_basis"].startswith(TWIN)
    return label if is_published else f"{label} (no publication named by the carrier)"


def committed_published(folder: Path) -> list[GeneSet]:
    """Published sets as they are committed, for a change of components alone."""
    lines = (folder / "escape.gmt").read_text(encoding="utf-8").splitlines()
    genes = {name: tuple(symbols) for name, _, *symbols in (line.split("\t") for line in lines)}
    rows = (SetRow(**row) for row in read_rows(folder / "signatures.tsv"))
    return [GeneSet(row, genes[row.signature_id]) for row in rows if row.kind == "published"]


def gmt_text(sets: Sequence[GeneSet]) -> str:
    """Text of the GMT."""
    return "".join(f"{part.gmt_line}\n" for part in sets)


def table_text(sets: Sequence[GeneSet]) -> str:
    """Text of ``signatures.tsv``."""
    header = "\t".join(field.name for field in fields(SetRow))
    return "".join(f"{line}\n" for line in (header, *("\t".join(astuple(part.row)) for part in sets)))


def check_committed(folder: Path) -> list[str]:
    """Faults of the committed files, judged without the tables of published signatures."""
    components = component_sets(read_rows(folder / "axis_genes.tsv"))
    gmt = (folder / "escape.gmt").read_text(encoding="utf-8")
    table = (folder / "signatures.tsv").read_text(encoding="utf-8")
    faults = []
    if not gmt.startswith(gmt_text(components)):
        faults.append("escape.gmt: the components differ from axis_genes.tsv; build again")
    if not table.startswith(table_text(components)):
        faults.append("signatures.tsv: the components differ from axis_genes.tsv; build again")
    return faults + check_published(gmt, read_rows(folder / "signatures.tsv"))


def check_published(gmt: str, rows: Sequence[dict[str, str]]) -> list[str]:
    """Whether both files list the same sets, in the same order, with sorted distinct genes."""
    lines = [line.split("\t") for line in gmt.splitlines()]
    if [line[0] for line in lines] != [row["signature_id"] for row in rows]:
        return ["escape.gmt and signatures.tsv list different sets; build again"]
    return [
        f"escape.gmt: set {name} is not sorted, has a gene twice or not {row['n_genes']} genes; build again"
        for (name, _, *genes), row in zip(lines, rows, strict=True)
        if genes != sorted(set(genes)) or len(genes) != int(row["n_genes"])
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or check; 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="?", type=Path, help="folder with signatures.tsv and sources.tsv")
    parser.add_argument("--check", action="store_true", help="only compare the committed files")
    options = parser.parse_args(arguments)
    if options.check:
        faults = check_committed(HERE)
        print("\n".join(faults) or "genesets: files agree", file=sys.stderr)
        return int(bool(faults))
    published = committed_published(HERE) if options.tables is None else published_sets(options.tables)
    sets = component_sets(read_rows(HERE / "axis_genes.tsv")) + published
    (HERE / "escape.gmt").write_text(gmt_text(sets), encoding="utf-8", newline="\n")
    (HERE / "signatures.tsv").write_text(table_text(sets), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
