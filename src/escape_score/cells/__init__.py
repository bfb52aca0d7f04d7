"""Single cells: compartments of a sample's cells, and what only cells show of its resistance."""
