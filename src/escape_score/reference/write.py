"""References as folders of small tables, written as a whole; ``escape_score.reference.read`` reads them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from escape_score.errors import OutputUnwritableError, UsageError
from escape_score.model.reference import PresentationModel, Reference
from escape_score.reference.digest import TABLES, UNTRUSTED, digest_tables
from escape_score.reference.known import HEADER, Origin, find_reference, kept_folder, unknown_reference
from escape_score.reference.read import (
    FITTED_TABLES,
    LINK_COLUMNS,
    digest_fitted,
    forget_references,
    read_header,
)
from escape_score.store.atomic import sync, undisturbed, unwritable


def render_tables(reference: Reference) -> dict[str, bytes]:
    """Tables of a reference as they are in its folder: file name to content.

    Numbers have six decimals, so that reading the tables gives them back to the last bit.
    """
    genes, links = reference.genes, reference.weakest_links
    n_samples = (
        np.full(len(genes.symbols), reference.n_samples) if genes.n_samples is None else genes.n_samples
    )
    rows: dict[str, tuple[str, Iterable[Sequence[object]]]] = {
        "genes.tsv": (
            "gene_symbol location spread n_samples",
            (
                (symbol, f"{at:.6f}", f"{spread:.6f}", n)
                for symbol, at, spread, n in zip(
                    genes.symbols, genes.location, genes.spread, n_samples, strict=True
                )
            ),
        ),
        "terms.tsv": ("term location spread", ((t, *stats) for t, stats in reference.term_stats.items())),
        "slopes.tsv": ("contrast slope", reference.slopes.items()),
        "weakest_links.tsv": (
            " ".join(("gene_symbol", *LINK_COLUMNS)),
            ((gene, *(getattr(fit, name) for name in LINK_COLUMNS)) for gene, fit in links.items()),
        ),
        "presentation.tsv": _presentation_rows(reference.presentation),
        "distributions.tsv": (
            " ".join(("sample_id", *reference.distributions.columns)),
            _distribution_rows(reference),
        ),
    }
    if reference.untrusted_genes:
        rows[UNTRUSTED] = ("gene_symbol reason", reference.untrusted_genes.items())
    tables = {name: _table(header.split(), content) for name, (header, content) in rows.items()}
    return {HEADER: _header(reference)} | tables


def _header(reference: Reference) -> bytes:
    return (json.dumps(_header_fields(reference), indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _header_fields(reference: Reference) -> dict[str, object]:
    names = ("name", "description", "tumour_type", "assay", "n_samples", "anchor_distance")
    return {
        **{name: getattr(reference, name) for name in names},
        "index_location": reference.index_stats[0],
        "index_spread": reference.index_stats[1],
        **(
            {}
            if np.isnan(reference.typical_detections)
            else {"typical_detections": reference.typical_detections}
        ),
        **({"location_variance": reference.location_variance} if reference.location_variance else {}),
        **({"limits": reference.limits} if reference.limits else {}),
        "provenance": dict(reference.provenance),
    }


def _presentation_rows(model: PresentationModel | None) -> tuple[str, list[tuple[object, ...]]]:
    """Header and rows of the antigen-presentation model, its covariance one column a gene."""
    header = "gene_symbol location ifng_slope per_leukocyte_unit"
    if model is None:
        return header, []
    vectors = (model.location, model.ifng_slope, model.per_leukocyte_unit)
    rows = [
        (symbol, *(float(vector[i]) for vector in vectors), *(float(cell) for cell in model.covariance[i]))
        for i, symbol in enumerate(model.gene_symbols)
    ]
    return " ".join((header, *model.gene_symbols)), rows


def _distribution_rows(reference: Reference) -> Iterator[Sequence[object]]:
    columns = list(reference.distributions.columns.values())
    for row, sample_id in enumerate(reference.distributions.sample_ids):
        yield (sample_id, *("" if np.isnan(c[row]) else f"{c[row]:.6f}" for c in columns))


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    lines = ["\t".join(header), *("\t".join(str(cell) for cell in row) for row in rows)]
    return ("\n".join(lines) + "\n").encode("utf-8")


def sealed(reference: Reference) -> Reference:
    """The same reference with the digest that its folder has, or would have."""
    return replace(reference, sha256=digest_tables(render_tables(reference)))


def recorded(reference: Reference) -> Reference:
    """The same reference, sealed, with a record of what the fit wrote, by which a later change is noticed."""
    tables = render_tables(reference)
    provenance = {**reference.provenance, FITTED_TABLES: digest_fitted(tables)}
    noted = replace(reference, provenance=provenance)
    return replace(noted, sha256=digest_tables({**tables, HEADER: _header(noted)}))


def write_reference(folder: Path, reference: Reference) -> None:
    """Write a reference whole or not at all; the folder is made, or an earlier reference in it replaced.

    Raises
    ------
    OutputUnwritableError
        The folder holds something that is no reference, or cannot be written.
    """
    _require_ours(folder)
    # a link to the folder stays, and the folder behind it is replaced
    with _replacing_folder(folder.resolve()) as temporary:
        for name, content in render_tables(reference).items():
            (temporary / name).write_bytes(content)
            sync(temporary / name)


def remove_reference(name: str) -> Path:
    """Remove a kept reference; the folder that it had.

    Raises
    ------
    ReferenceInvalidError
        No reference has this name.
    UsageError
        It is shipped with the program.
    OutputUnwritableError
        Its folder cannot be removed, or holds files that are not part of a reference.
    """
    known = find_reference(name)
    if known is None:
        raise unknown_reference(name)
    if known.origin is Origin.SHIPPED:
        msg = (
            f"{name}: is shipped with the program; only references that you fitted or fetched can be removed"
        )
        raise UsageError(msg)
    _require_ours(known.folder)
    try:
        shutil.rmtree(known.folder)
    except OSError as error:
        raise unwritable(known.folder, error) from error
    forget_references()
    return known.folder


def _require_ours(folder: Path) -> None:
    """Refuse to replace what is no reference, or a reference to which the user added something."""
    try:
        if folder.exists() and not folder.is_dir():
            msg = f"{folder}: cannot be written, it is not a folder; choose another folder"
            raise OutputUnwritableError(msg)
        held = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
        foreign = [name for name, path in held.items() if not _is_table(path)]
        if held and not foreign and not (_is_kept(folder) or _is_reference(folder)):
            foreign = list(held)
    except OSError as error:
        raise unwritable(folder, error) from error
    if foreign:
        msg = f"{folder}: holds other files ({min(foreign)}); choose a folder of its own"
        raise OutputUnwritableError(msg)


def _is_table(path: Path) -> bool:
    return path.name in {*TABLES, UNTRUSTED} and path.is_file() and not path.is_symlink()


def _is_reference(folder: Path) -> bool:
    """Whether the header is one of ours: tables called ``genes.tsv`` are in many folders."""
    try:
        read_header(folder)
    except (OSError, ValueError):
        return False
    return True


def _is_kept(folder: Path) -> bool:
    """Whether the program itself chose the folder: an earlier version may have written another header."""
    return folder.parent in {kept_folder("", origin) for origin in Origin if origin is not Origin.SHIPPED}


@contextmanager
def _replacing_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder under another name beside the final one, then rename it; on an error nothing changes."""
    temporary = folder.with_name(f".{folder.name}.tmp-{os.getpid()}")
    replaced = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        with undisturbed():
            _swap(temporary, folder, replaced)
        forget_references()
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(temporary: Path, folder: Path, replaced: Path) -> None:
    """Put a folder in place of another, which is removed only then."""
    if not folder.is_dir():
        temporary.rename(folder)
        return
    folder.rename(replaced)
    try:
        temporary.rename(folder)
    except OSError:
        replaced.rename(folder)
        raise
    shutil.rmtree(replaced, ignore_errors=True)
