"""Start the Snakemake workflow: everything that knows Snakemake."""
