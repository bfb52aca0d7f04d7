rule report:
    """The pages of one slice of the samples, from their JSON alone; the part file lists what was written."""
    input:
        profiles="work/{cohort}/profiles.part.json",
    output:
        part="work/{cohort}/report-{chunk}.part.json",
    log:
        "logs/{cohort}/report-{chunk}.log",
    benchmark:
        "logs/{cohort}/report-{chunk}.benchmark.tsv"
    resources:
        **requests("report"),
    params:
        package_version=PACKAGE_VERSION,
        results="results/{cohort}",
        chunks=of_cohort("n_chunks"),
        lang=SETTINGS.report.lang,
    shell:
        "escape-score report {params.results:q} --profiles {input.profiles:q} --chunk {wildcards.chunk:q}"
        " --chunks {params.chunks:q} --part {output.part:q} --lang {params.lang:q} > {log:q} 2>&1"


rule gather:
    """The cohort's statistics, its page and, last of all, the manifest of everything in its results.

    It asks for all that the result rests on: where a change made an early stage fail, the result from before
    the change is still there, and must not pass for that of the changed config.
    """
    input:
        profiles="work/{cohort}/profiles.part.json",
        reports=report_parts,
        stages=expand("work/{{cohort}}/{stage}.h5ad", stage=["cohort", "harmonised", "scores"]),
        tables=expand(
            "results/{{cohort}}/{table}",
            table=[
                "profiles.tsv",
                "profiles.parquet",
                "scores.tsv",
                "scores.parquet",
                "scores.h5ad",
                "columns.json",
            ],
        ),
        sources=of_cohort("sources"),
    output:
        statistics="results/{cohort}/cohort.json",
        index=report("results/{cohort}/index.html", caption="../report/index.rst", category="{cohort}"),
        manifest="results/{cohort}/manifest.json",
    log:
        "logs/{cohort}/gather.log",
    benchmark:
        "logs/{cohort}/gather.benchmark.tsv"
    resources:
        **requests("gather"),
    params:
        package_version=PACKAGE_VERSION,
        settings=of_cohort("settings"),
        lang=SETTINGS.report.lang,
        options=PLAN.options("gather"),
    shell:
        "escape-score gather results/{wildcards.cohort:q} --lang {params.lang:q} --options {params.options:q}"
        " --parts {input.profiles:q} {input.reports:q} > {log:q} 2>&1"
