rule score:
    """Harmonised cohort (samples x genes) to signature scores (samples x signatures)."""
    input:
        cohort="work/{cohort}/harmonised.h5ad",
        gene_sets=of_cohort("config.score.gene_sets"),
        reference=PLAN.reference_files,
    output:
        scores="work/{cohort}/scores.h5ad",
        reference=directory("work/{cohort}/reference"),
    log:
        "logs/{cohort}/score.log",
    benchmark:
        "logs/{cohort}/score.benchmark.tsv"
    threads: SETTINGS.threads
    resources:
        **requests("score"),
    params:
        package_version=PACKAGE_VERSION,
        source=of_cohort("entry.expression"),
        gene_sets=option("--gene-sets", "gene_sets"),
        reference=PLAN.reference_flag,
        options=PLAN.options("score"),
    shell:
        "escape-score score {input.cohort:q} --out {output.scores:q} --source {params.source:q} {params.gene_sets:q}"
        " {params.reference:q} --options {params.options:q} --threads {threads:q} > {log:q} 2>&1"
