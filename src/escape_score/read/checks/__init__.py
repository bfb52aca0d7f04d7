"""Checks of names, values and units."""
