"""Names of genes: ids of every kind, old and damaged names, and rows that are no genes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from tests.battery.case import Case, Expect, Make
from tests.battery.clean import former_symbols, gene_table
from tests.battery.grid import Edit, Grid, edited

CATEGORY = "gene_ids"

KEY_GENES = ("CD8A", "GZMB", "B2M", "HLA-A", "COL1A1")
ERROR, WARN, SAME = Expect.ERROR, Expect.WARN, Expect.SAME


def _renamed(rename: Callable[[str, int], str]) -> Edit:
    def edit(grid: Grid) -> None:
        for at, row in enumerate(grid.rows):
            row[0] = rename(row[0], at)

    return edit


@cache
def _ids(column: str) -> Mapping[str, str]:
    return {str(gene): str(name) for gene, name in gene_table()[column].items()}


def _appended(names: list[str], cell: str) -> Edit:
    def edit(grid: Grid) -> None:
        grid.rows += [[name, *[cell] * (len(grid.header) - 1)] for name in names]

    return edit


def _ensembl(name: Callable[[str, str], str]) -> Make:
    return edited(_renamed(lambda gene, at: name(_ids("ensembl_gene_id")[gene], gene)))


def _mixed(gene: str, at: int) -> str:
    kinds = (gene, _ids("ensembl_gene_id")[gene], _ids("entrez_id")[gene])
    return kinds[at % 3]


def _first_former(n: int) -> Callable[[str, int], str]:
    """Give the first genes with a former symbol that symbol."""
    chosen: dict[str, str] = {}

    def rename(gene: str, at: int) -> str:
        if len(chosen) < n and gene in former_symbols():
            chosen[gene] = former_symbols()[gene]
        return chosen.get(gene, gene)

    return rename


def _split_rows(grid: Grid) -> None:
    """Write key genes as two rows, of a quarter and the rest of the value: their sum is the gene."""
    for gene in KEY_GENES:
        row = grid.row(gene)
        grid.rows.append([gene, *(repr(float(cell) * 0.25) for cell in row[1:])])
        row[1:] = [repr(float(cell) * 0.75) for cell in row[1:]]


def _copied_rows(grid: Grid) -> None:
    """Repeat every fifth row, as a join does: copies count once."""
    grid.rows += [list(row) for row in grid.rows[::5]]


def _unequal_rows(*, is_low_first: bool) -> Edit:
    def edit(grid: Grid) -> None:
        for gene in KEY_GENES:
            low = [gene, *(repr(float(cell) * 0.2) for cell in grid.row(gene)[1:])]
            grid.rows.insert(0 if is_low_first else len(grid.rows), low)

    return edit


def _dates(*names: str) -> Edit:
    def edit(grid: Grid) -> None:
        for row, name in zip(grid.rows[100:], names, strict=False):
            row[0] = name

    return edit


def _par_y(grid: Grid) -> None:
    _renamed(lambda gene, at: _ids("ensembl_gene_id")[gene])(grid)
    copies = [f"{grid.rows[at][0]}.5_PAR_Y" for at in (10, 20, 30)]
    _appended(copies, "0")(grid)


def _mouse(gene: str, at: int) -> str:
    return gene.capitalize() if gene.isalnum() else f"Gm{at}"


def _xenograft(grid: Grid) -> None:
    """Add a row of a mouse gene of the same level for every gene."""
    grid.rows += [[f"ENSMUSG{at:011d}", *row[1:]] for at, row in enumerate(list(grid.rows))]


def _unchanged() -> dict[str, Make]:
    """Other names of the same genes."""
    return {
        "ensembl": _ensembl(lambda ensembl, gene: ensembl),
        "ensembl-version": _ensembl(lambda ensembl, gene: f"{ensembl}.12"),
        "ensembl-bar-symbol": _ensembl(lambda ensembl, gene: f"{ensembl}|{gene}"),
        "ensembl-version-symbol": _ensembl(lambda ensembl, gene: f"{ensembl}.3|{gene}"),
        "ensembl-par-y": edited(_par_y),
        "entrez": edited(_renamed(lambda gene, at: _ids("entrez_id")[gene])),
        "symbol-bar-entrez": edited(_renamed(lambda gene, at: f"{gene}|{_ids('entrez_id')[gene]}")),
        "ensembl-underscore-symbol": _ensembl(lambda ensembl, gene: f"{ensembl}.3_{gene}"),
        "symbol-bracket-entrez": edited(_renamed(lambda gene, at: f"{gene} ({_ids('entrez_id')[gene]})")),
        "genome-symbol": edited(_renamed(lambda gene, at: f"GRCh38_{gene}")),
        "trailing-blanks": edited(_renamed(lambda gene, at: f"{gene}  ")),
        "quoted": edited(_renamed(lambda gene, at: f'"{gene}"')),
    }


def _flagged() -> dict[str, tuple[Edit, str, bool]]:
    """Edit, flag, and whether the numbers stay."""
    every = True
    return {
        "mixed": (_renamed(_mixed), "mixed_gene_ids", every),
        "lower-case": (_renamed(lambda gene, at: gene.lower()), "gene_case_changed", every),
        "former-symbols": (_renamed(_first_former(200)), "renamed_symbols", every),
        "twice-in-parts": (_split_rows, "duplicate_genes", every),
        "twice-copied": (_copied_rows, "duplicate_genes", every),
        "twice-unequal": (_unequal_rows(is_low_first=True), "duplicate_genes", False),
        "excel-dates": (_dates("1-Sep", "2-Sep", "10-Mar"), "excel_gene_dates", False),
        "excel-dates-month-first": (_dates("Sep-02", "Mar-05"), "excel_gene_dates", False),
        "excel-dates-iso": (_dates("2001-09-01", "2001-03-04"), "excel_gene_dates", False),
        "htseq-rows": (_appended(["__no_feature", "__ambiguous"], "9e5"), "non_gene_rows", every),
        "star-rows": (_appended(["N_unmapped", "N_multimapping"], "9e5"), "non_gene_rows", every),
        "totals": (_appended(["Total", "library_size", "TOTAL_READS"], "1e6"), "non_gene_rows", every),
        "r-names": (_renamed(lambda gene, at: gene.replace("-", ".")), "gene_names_rewritten", every),
        "xenograft": (_xenograft, "species_suspect", every),
        "spike-ins": (_appended([f"ERCC-{n:05d}" for n in (2, 3, 4)], "5e3"), "non_gene_rows", every),
        "unnamed-rows": (_appended(["", "NA", "---"], "7"), "unnamed_genes", every),
        "some-mouse-rows": (
            _appended([f"ENSMUSG{n:011d}" for n in range(1, 400)], "0"),
            "species_suspect",
            every,
        ),
    }


def _refused() -> dict[str, tuple[Edit, str]]:
    """Edit, and what the error must say."""
    gene = r"gene|identifier"
    return {
        "mouse-symbols": (_renamed(_mouse), "mouse"),
        "mouse-ensembl": (_renamed(lambda g, at: f"ENSMUSG{at:011d}"), "mouse|species"),
        "rat-ensembl": (_renamed(lambda g, at: f"ENSRNOG{at:011d}"), "species|rat"),
        "transcripts": (_renamed(lambda g, at: f"ENST{at:011d}.2"), "transcript"),
        "refseq": (_renamed(lambda g, at: f"NM_{at:06d}"), "transcript"),
        "proteins": (_renamed(lambda g, at: f"ENSP{at:011d}"), "protein"),
        "affymetrix": (_renamed(lambda g, at: f"{200000 + at}_s_at"), "probe|array"),
        "illumina": (_renamed(lambda g, at: f"ILMN_{1600000 + at}"), "probe|array"),
        "methylation": (_renamed(lambda g, at: f"cg{at:08d}"), "probe|array"),
        "row-numbers": (_renamed(lambda g, at: str(at)), "row number"),
        "row-numbers-from-one": (_renamed(lambda g, at: str(at + 1)), "row number"),
        "nonsense": (_renamed(lambda g, at: f"feature_{at}"), gene),
        "all-empty": (_renamed(lambda g, at: ""), gene),
    }


def cases() -> Iterator[Case]:
    """Names that are read, read with a flag, and refused."""
    for name, make in _unchanged().items():
        yield Case(f"gene_ids-{name}", CATEGORY, make, SAME, is_fast=name in ("entrez", "ensembl-version"))
    for name, (edit, flag, stays) in _flagged().items():
        unchanged = ("Pat02", "Pat19", "Pat37", "Pat47", "Pat86", "Pat126") if stays else ()
        fast = name in ("htseq-rows", "twice-in-parts", "twice-copied", "excel-dates")
        yield Case(
            f"gene_ids-{name}", CATEGORY, edited(edit), WARN, flag=flag, unchanged=unchanged, is_fast=fast
        )
    yield Case(
        "gene_ids-twice-unequal-reversed",
        CATEGORY,
        edited(_unequal_rows(is_low_first=False)),
        WARN,
        flag="duplicate_genes",
        unchanged=("Pat02", "Pat19", "Pat37", "Pat47", "Pat86", "Pat126"),
        reference=UNEQUAL,
    )
    for name, (edit, word) in _refused().items():
        fast = name in ("mouse-symbols", "row-numbers")
        yield Case(f"gene_ids-{name}", CATEGORY, edited(edit), ERROR, mention=(word,), is_fast=fast)


UNEQUAL = edited(_unequal_rows(is_low_first=True))
"""What the reversed order must agree with."""
