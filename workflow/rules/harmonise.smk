rule harmonise:
    """Cohort to log2(TPM + 1) of approved gene symbols (samples x genes)."""
    input:
        cohort="work/{cohort}/cohort.h5ad",
        gene_lengths=of_cohort("gene_lengths"),
    output:
        cohort="work/{cohort}/harmonised.h5ad",
    log:
        "logs/{cohort}/harmonise.log",
    benchmark:
        "logs/{cohort}/harmonise.benchmark.tsv"
    # It finds the faults of an input, which a second try would find again.
    retries: 0
    resources:
        **requests("harmonise"),
    params:
        package_version=PACKAGE_VERSION,
        source=of_cohort("entry.expression"),
        min_genes=SETTINGS.min_genes,
        gene_lengths=option("--gene-lengths", "gene_lengths"),
        positions=["--lengths-from-positions"] if SETTINGS.harmonise.lengths_from_positions else [],
    shell:
        "escape-score harmonise {input.cohort:q} --out {output.cohort:q} --min-genes {params.min_genes:q}"
        " --source {params.source:q} {params.gene_lengths:q} {params.positions:q} > {log:q} 2>&1"
