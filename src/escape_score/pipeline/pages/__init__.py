"""Pages of samples: written, by several processes where there are many, and printed to PDF."""
