"""Synthetic tables (RLSyn, arXiv:2512.21395)."""
