rule read:
    """Expression matrix and sample sheet to one checked cohort (samples x genes), its unit decided."""
    input:
        expression=of_cohort("expression"),
        samples=of_cohort("samples"),
    output:
        cohort="work/{cohort}/cohort.h5ad",
    log:
        "logs/{cohort}/read.log",
    benchmark:
        "logs/{cohort}/read.benchmark.tsv"
    conda:
        "../envs/escape_score.yaml"
    resources:
        mem_mb=memory_mb("read"),
        runtime=minutes("read"),
    params:
        package_version=PACKAGE_VERSION,
        units=of_cohort("units"),
        samples=option("--samples", "samples"),
        limits=PLAN.read_limits,
    shell:
        "escape-score read {input.expression:q} --out {output.cohort:q} --cohort {wildcards.cohort:q}"
        " --units {params.units:q} {params.samples:q} --limits {params.limits:q} > {log:q} 2>&1"
