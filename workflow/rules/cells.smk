rule cells_read:
    """The cells of one sample that pass the gates, out of the files of the cohort."""
    input:
        expression=of_cohort("parts"),
    output:
        cells="work/{cohort}/cells/sample-{sample}.h5",
    log:
        "logs/{cohort}/cells-read-{sample}.log",
    benchmark:
        "logs/{cohort}/cells-read-{sample}.benchmark.tsv"
    # It finds the faults of an input, which a second try would find again.
    retries: 0
    resources:
        **requests("cells_read"),
    params:
        package_version=PACKAGE_VERSION,
        inputs=of_cohort("entry.expression"),
        options=PLAN.options("cells_read"),
    shell:
        "escape-score cells-read {params.inputs:q} --slug {wildcards.sample:q} --out {output.cells:q}"
        " --options {params.options:q} > {log:q} 2>&1"


rule cells_seeds:
    """Cells that are certain of their compartment, in all samples, and what tells compartments apart in them."""
    input:
        cells=cells_of("sample"),
    output:
        seeds="work/{cohort}/cells/seeds.npz",
    log:
        "logs/{cohort}/cells-seeds.log",
    benchmark:
        "logs/{cohort}/cells-seeds.benchmark.tsv"
    resources:
        **requests("cells_seeds"),
    params:
        package_version=PACKAGE_VERSION,
        seed=SETTINGS.seed,
    shell:
        "escape-score cells-seeds {input.cells:q} --out {output.seeds:q} --seed {params.seed:q} > {log:q} 2>&1"


rule cells_patient:
    """Labels, sums and quantities of the cells of one patient."""
    input:
        cells=cells_of("sample"),
        seeds="work/{cohort}/cells/seeds.npz",
        cell_types=of_cohort("config.cells.cell_types"),
    output:
        result="work/{cohort}/cells/patient-{patient}.h5",
    log:
        "logs/{cohort}/cells-patient-{patient}.log",
    benchmark:
        "logs/{cohort}/cells-patient-{patient}.benchmark.tsv"
    resources:
        **requests("cells_patient"),
    params:
        package_version=PACKAGE_VERSION,
        options=PLAN.options("cells_patient"),
        cell_types=option("--cell-types", "cell_types"),
        seed=SETTINGS.seed,
    shell:
        "escape-score cells-patient {input.cells:q} --seeds {input.seeds:q} --out {output.result:q}"
        " {params.cell_types:q} --options {params.options:q} --seed {params.seed:q} > {log:q} 2>&1"


rule cells_bulk:
    """The cells of each sample together as a cohort of bulk expression, on which the stages of bulk go on."""
    input:
        expression=of_cohort("parts"),
        samples=of_cohort("entry.samples"),
        patients=cells_of("patient"),
    output:
        cohort="work/{cohort}/cohort.h5ad",
    log:
        "logs/{cohort}/cells-bulk.log",
    benchmark:
        "logs/{cohort}/cells-bulk.benchmark.tsv"
    wildcard_constraints:
        cohort=PLAN.pattern("cells"),
    retries: 0
    resources:
        **requests("cells_bulk"),
    params:
        package_version=PACKAGE_VERSION,
        inputs=of_cohort("entry.expression"),
        samples=option("--samples", "samples"),
        columns=of_cohort("column_flags"),
        options=PLAN.options("cells_bulk"),
    shell:
        "escape-score cells-bulk {input.patients:q} --source {params.inputs:q} --out {output.cohort:q}"
        " --cohort {wildcards.cohort:q} {params.samples:q} {params.columns:q}"
        " --options {params.options:q} > {log:q} 2>&1"
