"""Immunoresistance profiles of tumours from bulk expression."""

__version__ = "0.1.0"
