"""What is written to disk, and read back: stage files, results, manifests.

Nothing half-written ever looks finished.
"""
