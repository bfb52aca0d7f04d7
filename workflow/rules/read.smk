rule read:
    """Expression matrix and sample sheet to one checked cohort (samples x genes), its unit decided."""
    input:
        expression=of_cohort("parts"),
        samples=of_cohort("entry.samples"),
    output:
        cohort="work/{cohort}/cohort.h5ad",
    log:
        "logs/{cohort}/read.log",
    benchmark:
        "logs/{cohort}/read.benchmark.tsv"
    wildcard_constraints:
        cohort=PLAN.pattern("bulk"),
    # It finds the faults of an input, which a second try would find again.
    retries: 0
    resources:
        **requests("read"),
    params:
        package_version=PACKAGE_VERSION,
        matrix=of_cohort("entry.expression"),
        units=of_cohort("entry.units.value"),
        samples=option("--samples", "samples"),
        options=PLAN.options("read"),
    shell:
        "escape-score read {params.matrix:q} --out {output.cohort:q} --cohort {wildcards.cohort:q}"
        " --units {params.units:q} {params.samples:q} --options {params.options:q} > {log:q} 2>&1"
