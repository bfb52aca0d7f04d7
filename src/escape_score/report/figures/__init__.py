"""Figures of a cohort's page: static SVG from ``cohort.json``, with the numbers behind them as TSV."""
