"""Which compartment each cell belongs to, and which cells are malignant."""
