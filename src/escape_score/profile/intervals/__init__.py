"""Intervals of scores."""
