rule score:
    """Harmonised cohort (samples x genes) to signature scores (samples x signatures)."""
    input:
        cohort="work/{cohort}/harmonised.h5ad",
        gene_sets=GENE_SETS,
        reference=REFERENCE_FILES,
    output:
        scores="work/{cohort}/scores.h5ad",
        reference=directory(USED_REFERENCE),
    log:
        "logs/{cohort}/score.log",
    benchmark:
        "logs/{cohort}/score.benchmark.tsv"
    threads: SETTINGS.threads
    resources:
        mem_mb=memory_mb("score"),
        runtime=minutes("score"),
    params:
        package_version=PACKAGE_VERSION,
        gene_sets=option("--gene-sets", "gene_sets"),
        reference=REFERENCE,
        options=SCORE_OPTIONS,
    shell:
        "escape-score score {input.cohort:q} --out {output.scores:q} {params.gene_sets:q}"
        " {params.reference:q} --options {params.options:q} --threads {threads:q} > {log:q} 2>&1"
