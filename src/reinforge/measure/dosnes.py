"""Doubly stochastic neighbour embedding on spheres (DOSNES): a map of points for the eye.

Lu, Corander and Yang, Pattern Recognition Letters 2019, arXiv:1609.01977. On a sphere no point lies
at the rim of the map, and a doubly stochastic neighbourhood gives every point the same weight, so
that crowded points do not gather in the middle. It is visualisation only: no score is read off it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reinforge.measure.distances import squared_distances

N_BALANCED = 100  # alternate normalisations of columns and rows
LEARNING_RATE = 500.0  # for many points
RATE_A_POINT = 2.0  # a slope is a sum over points, and at 500 the steps of few never settle
MOMENTUM, LATE_MOMENTUM, LATE = 0.5, 0.8, 250  # the second one after so many steps
GAIN_RISE, GAIN_FALL, LEAST_GAIN = 0.2, 0.8, 0.01
START = 1e-4  # standard deviation of the first places


def dosnes(
    points: Float[np.ndarray, "row feature"],
    *,
    generator: np.random.Generator,
    bandwidth: float = 1.0,
    n_steps: int = 1000,
) -> Float[np.ndarray, "row 3"]:
    """Place points on the unit sphere so that neighbours stay neighbours.

    t-SNE with three output dimensions on a doubly stochastic P; after every step the places are
    centred and each is moved to the mean radius.

    Args:
        points: One vector a row.
        generator: Draws the first places.
        bandwidth: Distance over which a neighbour counts, in the unit of the points; 1 is the
            paper's and suits vectors of length 1.
        n_steps: Steps of gradient descent.

    Returns:
        A unit vector a row; equal arguments give equal places.

    Raises:
        ValueError: There are fewer than 2 points, one is not finite, or none has a neighbour within
            reach of the bandwidth.
    """
    similarity = joint_similarity(doubly_stochastic(points, bandwidth=bandwidth))
    place = START * generator.standard_normal((len(points), 3))
    change, gain = np.zeros_like(place), np.ones_like(place)
    rate = min(LEARNING_RATE, RATE_A_POINT * len(points))
    for step in range(n_steps):
        gradient = divergence_gradient(similarity, place)
        turned = np.sign(gradient) != np.sign(change)
        gain = np.maximum(np.where(turned, gain + GAIN_RISE, gain * GAIN_FALL), LEAST_GAIN)
        momentum = MOMENTUM if step < LATE else LATE_MOMENTUM
        change = momentum * change - rate * gain * gradient
        place = _on_a_sphere(place + change)
    return place / np.linalg.norm(place, axis=1, keepdims=True)


def doubly_stochastic(
    points: Float[np.ndarray, "row feature"], *, bandwidth: float = 1.0
) -> Float[np.ndarray, "row row"]:
    """exp(-|x_i - x_j|^2 / bandwidth^2), its columns and rows scaled in turn to sum to 1.

    Sinkhorn and Knopp, Pacific J. Math. 1967; 100 rounds, rows last.

    Raises:
        ValueError: There are fewer than 2 points, one is not finite, or bandwidth is not above 0.
    """
    if len(points) < 2 or not np.isfinite(points).all() or not bandwidth > 0:
        raise ValueError(
            f"a map needs at least 2 points, all finite, and a bandwidth above 0; got "
            f"{len(points)} points, {int((~np.isfinite(points)).any(axis=1).sum())} of them not "
            f"finite, and bandwidth {bandwidth}."
        )
    wide = points.astype(np.float64)
    kernel = np.exp(-squared_distances(wide, wide) / bandwidth**2)
    for _ in range(N_BALANCED):
        kernel /= kernel.sum(axis=0)
        kernel /= kernel.sum(axis=1, keepdims=True)
    return kernel


def joint_similarity(kernel: Float[np.ndarray, "row row"]) -> Float[np.ndarray, "row row"]:
    """P of t-SNE: no diagonal, symmetric, summing to 1.

    Raises:
        ValueError: Nothing is left beside the diagonal.
    """
    similarity = kernel - np.diag(np.diag(kernel))
    similarity = (similarity + similarity.T) / 2
    total = similarity.sum()
    if not total > 0:
        raise ValueError("no point has a neighbour within reach; raise the bandwidth of the map.")
    return similarity / total


def divergence(
    similarity: Float[np.ndarray, "row row"], place: Float[np.ndarray, "row 3"]
) -> float:
    """KL(P || Q) of neighbourhoods in the points and in the map, Q by Student's t with 1 degree."""
    nearness = _nearness(place)
    known = similarity > 0
    q = nearness / nearness.sum()
    return float(np.sum(similarity[known] * np.log(similarity[known] / q[known])))


def divergence_gradient(
    similarity: Float[np.ndarray, "row row"], place: Float[np.ndarray, "row 3"]
) -> Float[np.ndarray, "row 3"]:
    """Slope of `divergence` at the places: 4 (diag(L 1) - L) Y with L = (P - Q) * nearness."""
    nearness = _nearness(place)
    pull = (similarity - nearness / nearness.sum()) * nearness
    return 4.0 * (pull.sum(axis=1, keepdims=True) * place - pull @ place)


def sphere_figure(
    feature: Float[np.ndarray, "picture feature"],
    *,
    kind: Sequence[str],
    identity: Int[np.ndarray, " picture"],
    names: Sequence[str],
    generator: np.random.Generator,
    n_identities: int = 10,
    n_each: int = 16,
) -> dict[str, Any]:
    """A map of some identities' pictures as plain JSON, for `figures["sphere"]` of a scorecard.

    Args:
        feature: One vector a picture, scaled to length 1 here, from an encoder that gave no reward.
        kind: "real", "reinforced" or "erased", one a picture.
        identity: Whose picture, a position in `names`.
        names: Of the identities; the releasable edition of the report replaces them by numbers.
        generator: Draws the identities, the pictures and the first places.
        n_identities: Identities at most, drawn among those that have every kind.
        n_each: Pictures at most, of each kind and identity.

    Raises:
        ValueError: No identity has a picture of every kind.
    """
    kinds = np.asarray(kind)
    wanted = set(kinds.tolist())
    whole = [i for i in np.unique(identity) if set(kinds[identity == i].tolist()) == wanted]
    if not whole:
        raise ValueError(f"no identity has pictures of every kind: {', '.join(sorted(wanted))}.")
    chosen = np.sort(generator.permutation(np.array(whole))[:n_identities])
    parts = [
        np.sort(generator.permutation(np.flatnonzero((identity == i) & (kinds == one)))[:n_each])
        for i in chosen
        for one in sorted(wanted)
    ]
    kept = np.concatenate(parts)
    shown = feature[kept].astype(np.float64)
    length = np.linalg.norm(shown, axis=1, keepdims=True)
    place = dosnes(shown / np.where(length > 0, length, 1.0), generator=generator)
    return {
        "points": place.round(4).tolist(),
        "kind": kinds[kept].tolist(),
        "identity": [names[i] for i in identity[kept]],
    }


def _nearness(place: Float[np.ndarray, "row 3"]) -> Float[np.ndarray, "row row"]:
    """1 / (1 + |y_i - y_j|^2), 0 on the diagonal."""
    squared = np.einsum("rd,rd->r", place, place)
    nearness = 1.0 / (1.0 + squared[:, None] + squared[None, :] - 2.0 * (place @ place.T))
    np.fill_diagonal(nearness, 0.0)
    return nearness


def _on_a_sphere(place: Float[np.ndarray, "row 3"]) -> Float[np.ndarray, "row 3"]:
    """Centred, and every place at the mean distance from the centre."""
    place = place - place.mean(axis=0)
    radius = np.linalg.norm(place, axis=1, keepdims=True)
    return place * (radius.mean() / np.maximum(radius, np.finfo(np.float64).tiny))
