"""Subsets of the columns: a leak can hide behind one column that was changed."""

from reinforge.evaluation.judged import Judged

WORST = "worst columns"  # the group under which the worst subset is reported
_N_HALVES = 4  # random halves among the subsets


def column_subsets(judged: Judged, stream: str) -> list[tuple[str, ...]]:
    """All columns but one, for each column, and some random halves."""
    names = tuple(column.name for column in judged.schema.modelled)
    if len(names) < 4:
        return []
    subsets = [tuple(n for n in names if n != left_out) for left_out in names]
    rng = judged.rng(f"{stream}/subsets")
    for _ in range(_N_HALVES):
        half = set(rng.permutation(len(names))[: (len(names) + 1) // 2].tolist())
        subsets.append(tuple(name for i, name in enumerate(names) if i in half))
    return subsets


def described(subset: tuple[str, ...], judged: Judged) -> str:
    """Which columns a subset has, in words."""
    left_out = [c.name for c in judged.schema.modelled if c.name not in subset]
    if len(left_out) == 1:
        return f"all columns but {left_out[0]!r}"
    return f"{len(subset)} of {len(subset) + len(left_out)} columns"
