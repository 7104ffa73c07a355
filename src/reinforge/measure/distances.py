"""Distances between points, in blocks of rows so that memory stays bounded."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

_BLOCK_CELLS = 4_000_000  # distances held at once (32 MB)
SAME = (
    1e-6  # points nearer than this are one point: the rounding of a dot product, not a difference
)


def blocks(n_rows: int, n_references: int) -> Iterator[slice]:
    """Stretches of rows whose distances to all references fit into one block."""
    step = max(1, _BLOCK_CELLS // max(1, n_references))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def squared_distances(
    points: Float[np.ndarray, "row feature"], references: Float[np.ndarray, "reference feature"]
) -> Float[np.ndarray, "row reference"]:
    """|a - b|^2 for every pair, with the rounding of equal points set to exactly 0."""
    squared = points @ references.T
    squared *= -2.0
    squared += np.einsum("rf,rf->r", points, points)[:, None]
    squared += np.einsum("rf,rf->r", references, references)[None, :]
    squared[squared < SAME**2] = 0.0
    return squared


def nearest(
    points: Float[np.ndarray, "row feature"],
    references: Float[np.ndarray, "reference feature"],
    *,
    k: int = 1,
    leave_out_self: bool = False,
) -> tuple[Float[np.ndarray, "row k"], Int[np.ndarray, "row k"]]:
    """Each point's k nearest references.

    Args:
        points: The points that look for neighbours.
        references: The points that may be neighbours; of equally near ones the first come first.
        k: Number of neighbours, at most the number of references.
        leave_out_self: Whether `points` are `references`, and row i is no neighbour of itself.

    Returns:
        Distances in rising order, and the references' row numbers.

    Raises:
        ValueError: There are fewer than k references.
    """
    n_available = len(references) - leave_out_self
    if n_available < k:
        raise ValueError(f"{k} nearest rows were asked for, but there are only {n_available}.")
    distance = np.empty((len(points), k))
    index = np.empty((len(points), k), dtype=np.int64)
    for rows in blocks(len(points), len(references)):
        squared = squared_distances(points[rows], references)
        if leave_out_self:
            squared[np.arange(len(squared)), np.arange(rows.start, rows.stop)] = np.inf
        chosen = _smallest(squared, k)
        index[rows] = chosen
        distance[rows] = np.sqrt(np.take_along_axis(squared, chosen, axis=1))
    return distance, index


def _smallest(squared: np.ndarray, k: int) -> np.ndarray:
    """Column numbers of the k smallest entries a row, in rising order."""
    if k == 1:
        return squared.argmin(axis=1)[:, None]
    chosen = np.sort(np.argpartition(squared, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(np.take_along_axis(squared, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)
