"""Gene-set scoring methods beside the default one: rank, walk and z methods over a matrix and many sets."""

from escape_score.score.methods.model import MethodScores, SetIndex
from escape_score.score.methods.registry import METHODS, Method, Needs, Scope

__all__ = ["METHODS", "Method", "MethodScores", "Needs", "Scope", "SetIndex"]
