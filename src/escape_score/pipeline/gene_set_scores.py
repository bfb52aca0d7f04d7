"""Scores of any gene sets by the methods users know, without an axis."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from enum import StrEnum
from numbers import Integral, Real
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_type_hints

import numpy as np
import pandas as pd

from escape_score.config import RunConfig
from escape_score.errors import (
    MatrixInvalidError,
    UsageError,
    counted,
    did_you_mean,
    listed,
    unknown_name,
)
from escape_score.genes import GeneMatch, load_gene_table
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.model.arguments import require_type
from escape_score.model.cohort import Cohort, HarmonisedCohort, iter_blocks
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.model.notes import Code, Note, note
from escape_score.pipeline.gene_sets import GIVE_SETS, UserGeneSets, open_gene_sets
from escape_score.pipeline.profiles import in_english
from escape_score.read.memory import anndata_values
from escape_score.score.methods import METHODS, Method, MethodScores, SetIndex, Values

if TYPE_CHECKING:
    from anndata import AnnData


_logger = logging.getLogger(__name__)

_PLAIN: Mapping[type, tuple[tuple[type, ...], str]] = MappingProxyType(
    {
        bool: ((bool, np.bool_), "True or False"),
        int: ((Integral,), "a whole number"),
        float: ((Real,), "a number"),
    }
)
"""What an option of a method may be by its kind, and what to give."""


def score_gene_sets(
    data: Cohort | AnnData,
    sets: str | Path | Mapping[str, Sequence[str]],
    *,
    method: str = "ssgsea",
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
    gene_lengths: str | Path | None = None,
    layer: str | None = None,
    **options: object,
) -> pd.DataFrame:
    """Score gene sets in every sample or cell by one method.

    Parameters
    ----------
    data
        A cohort, which is brought to log2(TPM + 1) first; or an AnnData object of samples or cells, whose
        values are taken as they are. A sparse matrix stays sparse for ``ucell`` and ``aucell``.
    sets
        GMT file, or names of sets with a list of their genes each; symbols of any age, Ensembl or Entrez ids.
    method
        ``ssgsea``, ``gsva``, ``singscore``, ``zscore``, ``ucell``, ``aucell`` or ``mean_rank``.
    min_coverage
        Least fraction, in (0, 1], of a set's genes that must be measured.
    threads
        Threads, 1 to 256; they change no number.
    gene_lengths
        TSV of genes and their lengths in bp, for a cohort of counts; the shipped lengths where None.
    layer
        Layer of an AnnData object; ``X`` where None.
    **options
        What the method itself takes, such as ``alpha`` and ``ties`` (ssgsea), ``kcdf`` and ``tau`` (gsva),
        ``max_rank`` (ucell), ``top_fraction`` (aucell); see :doc:`/methods`.

    Returns
    -------
    pandas.DataFrame
        Samples × sets, float64, one column for every set, in the order given; NaN where too few genes of a
        set are measured. ``frame.attrs["skipped"]`` has the sets without a score in any sample and the reason
        of each; a warning of the logger names them too. What a value means is said by the method; scores of
        ``gsva`` and ``zscore`` depend on all samples, those of the others on the sample alone.

    Raises
    ------
    UsageError
        The method or an option is not known, an argument is of a wrong type, or no set is given.
    GeneSetInvalidError, InputFaultsError
        Faults of the sets.
    MatrixInvalidError
        A value is missing, or a gene of a set has two columns.

    Examples
    --------
    >>> import escape_score as es
    >>> cohort = es.read("matrix.tsv", units="tpm")  # doctest: +SKIP
    >>> es.score_gene_sets(cohort, {"killing": ["GZMA", "PRF1"]}, method="singscore")  # doctest: +SKIP
    """
    chosen, own = _method(method, options)
    config = RunConfig.of_arguments(threads=threads, min_coverage=min_coverage)
    threads, min_coverage = config.threads, config.score.min_coverage
    if sets is None or (isinstance(sets, Mapping) and not sets):
        msg = f"gene_sets: there is none; give {GIVE_SETS}"
        raise UsageError(msg)
    opened = open_gene_sets(sets, is_shipped_allowed=True)
    signatures = opened.signatures
    genes = {symbol for signature in signatures for symbol in signature.gene_symbols}
    sample_ids, symbols, values = _values_of(data, genes, gene_lengths=gene_lengths, layer=layer)
    index = SetIndex.of(signatures, symbols)
    found = chosen.score(values, index, min_coverage=min_coverage, threads=threads, **own)
    names = [signature.signature_id for signature in signatures]
    scores = pd.DataFrame(found.values, index=pd.Index(sample_ids, name="sample_id"), columns=names)
    frame = scores.reindex(columns=list(opened.names))
    # plain texts, so that attrs stay what pandas can copy, compare and write
    frame.attrs["skipped"] = skipped = _skipped(opened, found, index, min_coverage)
    if skipped:
        n, where = counted(len(opened.names), "gene set"), 'frame.attrs["skipped"]'
        _logger.warning("%d of %s not scored (%s); see %s", len(skipped), n, listed([*skipped]), where)
    return frame


def _values_of(
    data: Cohort | AnnData, genes: set[str], *, gene_lengths: str | Path | None, layer: str | None
) -> tuple[tuple[str, ...], tuple[str, ...], Values]:
    """Samples, symbols and values of a cohort or an AnnData object, where columns of ``genes`` are found.

    Raises UsageError: an option is of the other kind of data.
    """
    if isinstance(data, Cohort):
        if layer is not None:
            msg = "layer: a cohort has no layers; name the layer in es.read or es.from_anndata"
            raise UsageError(msg)
        return _of_cohort(harmonise(data, gene_lengths=open_gene_lengths(gene_lengths)))
    values = _floats(anndata_values(data, layer))
    if gene_lengths is not None:
        msg = "gene_lengths: values of an AnnData object are taken as they are; use es.from_anndata first"
        raise UsageError(msg)
    given = tuple(map(str, data.var_names))
    return tuple(map(str, data.obs_names)), _own_symbols(given, genes), values


def _skipped(
    opened: UserGeneSets, found: MethodScores, index: SetIndex, min_coverage: float
) -> dict[str, str]:
    """Sets without a score in any sample, in the order given, with the reason in English."""
    reasons = dict(opened.unknown)
    for at in np.flatnonzero(np.isnan(found.values).all(axis=0)):
        n_all, measured, used = int(index.n_genes[at]), float(index.coverage[at]), float(found.coverage[at])
        reason = _why_not(n_all, measured, used, min_coverage, index.n_columns)
        name = opened.signatures[at].signature_id
        reasons[name] = note(Code.GENE_SET_LOW_COVERAGE, name=name, reason=reason)
    return {name: in_english(reasons[name]) for name in opened.names if name in reasons}


def _why_not(n_all: int, measured: float, used: float, least: float, n_columns: int) -> Note:
    """Why a set of ``n_all`` genes has no score, by its shares that are measured and that the method uses."""
    if measured < least:
        n_needed = next(n for n in range(1, n_all + 1) if n / n_all >= least)
        return note(Code.NOT_SCORED, "genes", n=round(measured * n_all), n_all=n_all, n_needed=n_needed)
    if used < least:  # methods that compare samples leave genes out that do not vary
        return note(Code.NOT_SCORED, "varying", n=round(used * n_all), n_all=n_all)
    return note(Code.NOT_SCORED, "too_large", n=round(measured * n_all), n_all=n_columns)


def _method(name: str, options: Mapping[str, object]) -> tuple[Method, dict[str, Any]]:
    """Look a method up, and its own options, words among them as the enums they name."""
    if name not in METHODS:
        msg = f"method: {unknown_name('method', name, tuple(METHODS))}"
        raise UsageError(msg)
    method = METHODS[name]
    unknown = sorted(set(options) - set(method.options))
    if unknown:
        asked = did_you_mean(unknown[0], method.options) or ";"
        msg = f"{unknown[0]}: {name} has no such option{asked} it takes {', '.join(method.options) or 'none'}"
        raise UsageError(msg)
    kinds = get_type_hints(method.score)
    return method, {option: _chosen(option, value, kinds[option]) for option, value in options.items()}


def _chosen(option: str, value: object, kind: Any) -> object:  # noqa: ANN401
    """A value of an option; a word becomes the member of the enum it names.

    Raises UsageError: the word is not known, or the method takes a number and the value is not one.
    """
    if not (isinstance(kind, type) and issubclass(kind, StrEnum)):
        kinds, needed = _PLAIN[kind]
        is_number = kind is not bool and isinstance(value, bool)  # which Python counts as a whole number
        require_type(option, value, () if is_number else kinds, needed)
        return value
    if value not in list(kind):
        raise UsageError.at(option, unknown_name("word", str(value), tuple(kind)))
    return kind(str(value))


def _of_cohort(cohort: HarmonisedCohort) -> tuple[tuple[str, ...], tuple[str, ...], Values]:
    """Samples, symbols and values of a cohort, without the genes that a sample lacks."""
    values = np.concatenate([block for _, block in iter_blocks(cohort.source)])
    is_measured = ~np.isnan(values).any(axis=0)
    symbols = tuple(s for s, yes in zip(cohort.gene_symbols, is_measured, strict=True) if yes)
    return cohort.sample_ids, symbols, values[:, is_measured]


def _floats(values: Values) -> Values:
    """Values as a kernel takes them: float32 or float64, sparse by rows."""
    held: Any = values.tocsr() if hasattr(values, "tocsr") else np.asarray(values[:])
    floats: Values = held if held.dtype in (np.float32, np.float64) else held.astype(np.float64)
    return floats


def _own_symbols(given: Sequence[str], wanted: set[str]) -> tuple[str, ...]:
    """Approved symbol of every column; a name of its own where another column is the gene.

    Raises MatrixInvalidError: two columns are one gene of a set, and neither has its approved name.
    """
    mappings = load_gene_table().map_genes(given)
    columns: dict[str, list[int]] = {}
    for column, mapping in enumerate(mappings):
        if mapping.gene_symbol in wanted:
            columns.setdefault(mapping.gene_symbol, []).append(column)
    symbols = [f"column {column}: {name}" for column, name in enumerate(given)]
    twice = []
    for symbol, found in columns.items():
        approved = [column for column in found if mappings[column].match is GeneMatch.CURRENT]
        if len(found) > 1 and len(approved) != 1:
            twice.append(symbol)
        symbols[(approved or found)[0]] = symbol
    if twice:
        msg = f"adata: several columns are one gene ({listed(twice)}); add them up or keep one of them"
        raise MatrixInvalidError(msg)
    return tuple(symbols)
