"""Print ``published-scores.md``, the page of the published scores, from their table: ``make published``."""

from __future__ import annotations

from collections.abc import Sequence

from escape_score.score.published.model import MIN_GENES, MIN_SAMPLES, PublishedScore, load_published

_INTRODUCTION = f"""\
# Published scores

Use this page to compare a published score with the same score of another program. Each score uses the
formula of one program or publication. One name never means two formulas here: if programs give one name to
several formulas, each formula has its own id. Published scores do not enter the axes. Research use only; no
score here is a clinical assay.

The scores are columns `published:score` of `scores.tsv`. This page is made from
`resources/genesets/published.tsv` and `published_genes.tsv`.

## Common rules

- A score is empty if too few of its genes are measured (a fraction below 0.7 by default). There is no
  replacement value. For IPS the rule applies to every factor. IMPRES needs all 15 pairs.
- Scope `sample`: a sample has the same number alone and in a cohort. Scope `cohort`: the number depends
  on all samples scored together, at least {MIN_SAMPLES} with enough genes. With fewer, one sample would be
  more than a ninth of the scale.
- IPS compares genes with all genes of the sample and needs {MIN_GENES:,} measured genes. Genes of a panel
  were chosen because they are expressed, so their mean and spread are not a background.
- Expression must be as `needs` describes: `tpm` TPM, else the number is on another scale · `log_scale` any
  log scale, the same for all samples · `gene_order` comparable between genes of a sample · `sample_order`
  comparable between samples.
- Not offered: ESTIMATE (gene lists GPL), TIDE, xCell, and the NanoString TIS weights (proprietary).
"""
_IDENTITY = ("score", "matches", "elsewhere the name means")
_FORMULA = ("score", "formula", "unit", "range", "scope", "needs")
_SOURCE = ("score", "version", "source", "genes", "terms")


def published_markdown() -> str:
    """Describe every published score in Markdown: whose number it is, and what the name means elsewhere."""
    scores = load_published().scores
    parts = [
        _INTRODUCTION,
        "## Which program each score agrees with",
        "",
        *_markdown_table(_IDENTITY, [_identity(score) for score in scores]),
        "",
        "## Formulas",
        "",
        *_markdown_table(_FORMULA, [_formula(score) for score in scores]),
        "",
        "## Sources, genes and terms",
        "",
        *_markdown_table(_SOURCE, [_source(score) for score in scores]),
        "",
    ]
    return "\n".join(parts)


def _identity(score: PublishedScore) -> tuple[str, ...]:
    """Id, title, program and caveats."""
    program = f"{score.program} {score.program_version}".strip()
    return f"`{score.score_id}` {score.title}", program, score.differs


def _formula(score: PublishedScore) -> tuple[str, ...]:
    """Formula in words, with unit, range, scope and needs."""
    value_range = f"{_number(score.low)} to {_number(score.high)}"
    return f"`{score.score_id}`", score.words, score.unit, value_range, score.scope.value, score.needs.value


def _source(score: PublishedScore) -> tuple[str, ...]:
    """Publication, genes and terms."""
    source = f"{score.source}, PMID {score.pmid}, doi:{score.doi}"
    return f"`{score.score_id}`", score.version, source, str(len(score.genes)), score.terms


def _number(bound: float) -> str:
    """A bound of a range in words."""
    return {float("inf"): "∞", float("-inf"): "−∞"}.get(bound, f"{bound:g}".replace("-", "−"))


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; a bar inside a cell is escaped."""
    cells = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


if __name__ == "__main__":
    print(published_markdown(), end="")
