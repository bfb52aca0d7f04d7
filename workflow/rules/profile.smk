rule profile:
    """Signature scores to one profile per sample: tables, and one JSON file a sample, which the part file lists."""
    input:
        scores="work/{cohort}/scores.h5ad",
        reference="work/{cohort}/reference",
        cells=cells_of("patient"),
        samples=of_cohort("counts"),
    output:
        profiles_tsv=report(
            "results/{cohort}/profiles.tsv", caption="../report/profiles.rst", category="{cohort}"
        ),
        profiles_parquet="results/{cohort}/profiles.parquet",
        scores_tsv="results/{cohort}/scores.tsv",
        scores_parquet="results/{cohort}/scores.parquet",
        scores_h5ad="results/{cohort}/scores.h5ad",
        columns="results/{cohort}/columns.json",
        qc=report("results/{cohort}/qc.tsv", caption="../report/qc.rst", category="{cohort}"),
        part="work/{cohort}/profiles.part.json",
    log:
        "logs/{cohort}/profile.log",
    benchmark:
        "logs/{cohort}/profile.benchmark.tsv"
    resources:
        **requests("profile"),
    params:
        package_version=PACKAGE_VERSION,
        results="results/{cohort}",
        seed=SETTINGS.seed,
        cells=option("--cells", "cells"),
        h5ad=of_cohort("counts_flag"),
    shell:
        "escape-score profile {input.scores:q} --out {params.results:q} --part {output.part:q}"
        " --seed {params.seed:q} {params.cells:q} {params.h5ad:q} > {log:q} 2>&1"
