"""Frozen, typed objects that the stages hand on."""
