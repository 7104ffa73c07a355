"""Measurements without verdicts: distances, classifiers, intervals."""
