"""Pairs of pictures: of one person, of two, and how near each picture's nearest is of either."""

import numpy as np
from jaxtyping import Bool, Float, Int

from reinforge.measure.distances import blocks, squared_distances

Labels = Int[np.ndarray, " image"]
Pairs = Int[np.ndarray, "pair 2"]


def genuine_pairs(identity: Labels, *, most: int, generator: np.random.Generator) -> Pairs:
    """Pairs of two pictures of one person: all of them, or `most` drawn without replacement.

    Args:
        identity: Whose each picture is.
        most: Largest number of pairs.
        generator: Source of the draw and of the order.
    """
    found = [own[np.stack(np.triu_indices(len(own), k=1), axis=1)] for own in _members(identity)]
    every = np.concatenate([np.empty((0, 2), dtype=np.int64), *found])
    return every[generator.permutation(len(every))[:most]]


def impostor_pairs(identity: Labels, *, most: int, generator: np.random.Generator) -> Pairs:
    """Pairs of pictures of two people: all of them, or about `most` different ones drawn evenly.

    Args:
        identity: Whose each picture is.
        most: Largest number of pairs.
        generator: Source of the draw and of the order.
    """
    n = len(identity)
    if n * (n - 1) // 2 <= 4 * most:
        left, right = np.triu_indices(n, k=1)
    else:  # enough draws that chance of too few is slight; doubles are dropped
        drawn = np.sort(generator.integers(n, size=(3 * most, 2)), axis=1)
        left, right = np.unique(drawn[drawn[:, 0] < drawn[:, 1]], axis=0).T
    apart = identity[left] != identity[right]
    every = np.stack([left[apart], right[apart]], axis=1).astype(np.int64)
    return every[generator.permutation(len(every))[:most]]


def cross_distances(
    feature: Float[np.ndarray, "row feature"],
    identity: Int[np.ndarray, " row"],
    other: Float[np.ndarray, "other feature"],
    other_identity: Int[np.ndarray, " other"],
    *,
    same: bool,
) -> Float[np.ndarray, " pair"]:
    """Distances of all pairs across two sets that show one person, or two people.

    Args:
        feature: One vector a picture.
        identity: Whose it is.
        other: Vectors of the other set.
        other_identity: Whose they are.
        same: Whether pairs of one person are wanted, or of two.
    """
    found = [np.empty(0)]
    for rows in blocks(len(feature), len(other)):
        wanted = (identity[rows, None] == other_identity) == same
        found.append(np.sqrt(squared_distances(feature[rows], other)[wanted]))
    return np.concatenate(found)


def nearest_own_and_other(
    feature: Float[np.ndarray, "row feature"],
    identity: Int[np.ndarray, " row"],
    reference: Float[np.ndarray, "reference feature"],
    reference_identity: Int[np.ndarray, " reference"],
    *,
    leave_out_self: bool = False,
) -> tuple[Float[np.ndarray, " row"], Float[np.ndarray, " row"]]:
    """Distance to the nearest reference of the same person, and to the nearest of anybody else.

    Args:
        feature: One vector a picture.
        identity: Whom it shows, or should show.
        reference: Vectors of the references.
        reference_identity: Whose they are.
        leave_out_self: Whether both sets are one, and a picture is no reference to itself.

    Returns:
        Both distances; infinite where there is no such reference.
    """
    own, other = np.full(len(feature), np.inf), np.full(len(feature), np.inf)
    for rows in blocks(len(feature), len(reference)):
        squared = squared_distances(feature[rows], reference)
        same = identity[rows, None] == reference_identity
        if leave_out_self:
            squared[np.arange(len(squared)), np.arange(rows.start, rows.stop)] = np.inf
        own[rows] = _least(squared, same)
        other[rows] = _least(squared, ~same)
    return own, other


def _least(
    squared: Float[np.ndarray, "row reference"], allowed: Bool[np.ndarray, "row reference"]
) -> Float[np.ndarray, " row"]:
    return np.sqrt(np.where(allowed, squared, np.inf).min(axis=1, initial=np.inf))


def _members(identity: Labels) -> list[Int[np.ndarray, " own"]]:
    order = np.argsort(identity, kind="stable")
    _, start = np.unique(identity[order], return_index=True)
    return np.split(order, start[1:]) if len(order) else []
