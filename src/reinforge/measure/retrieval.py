"""Retrieval: mean average precision and CMC, with the camera rule of re-identification."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from reinforge.errors import InputError

Labels = Int[np.ndarray, " image"]


@dataclass(frozen=True, kw_only=True)
class Marked:
    """Features of pictures with what the rule asks about them."""

    feature: Float[np.ndarray, "image feature"]  # rows of length 1
    identity: Labels
    camera: Labels | None = None  # a number of its own for each picture: only itself is junk


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """How well queries find their identity in a gallery."""

    average_precision: Float[np.ndarray, " query"]  # of each query that has a match to find
    first_hit: Int[np.ndarray, " query"]  # wrong pictures ahead of its first match
    n_left_out: int  # queries without any match to find

    @property
    def mean_average_precision(self) -> float:
        """MAP: the mean over queries."""
        return float(self.average_precision.mean())

    def rank(self, k: int) -> float:
        """CMC at k: share of queries with a match among their k nearest, k counted from 1."""
        return float((self.first_hit < k).mean())

    def cmc(self, n_ranks: int = 50) -> Float[np.ndarray, " rank"]:
        """CMC at 1 .. n_ranks."""
        return np.array([self.rank(k) for k in range(1, n_ranks + 1)])


def retrieve(query: Marked, gallery: Marked, *, block: int = 256) -> Retrieval:
    """Rank the gallery for each query by cosine.

    AP = mean over matches of (matches up to it) / (rank of it); gallery pictures of the query's
    identity under the query's camera are junk and take no rank (Zheng et al. 2015, Market-1501).
    Among equal similarities wrong pictures come first, so that features that are all alike score
    as badly as they should.

    Args:
        query: What is looked for.
        gallery: Where it is looked for; of other cameras where both sides state cameras.
        block: Queries ranked at once: memory is block x gallery numbers.

    Raises:
        InputError: No query has a match in the gallery, one side alone states cameras, or a
            feature is not finite.
    """
    _refuse(query, gallery)
    precision, first = [], []
    for start in range(0, len(query.identity), block):
        rows = slice(start, start + block)
        similarity = query.feature[rows] @ gallery.feature.T
        match = query.identity[rows, None] == gallery.identity[None, :]
        junk = np.zeros_like(match)
        if query.camera is not None and gallery.camera is not None:
            junk = match & (query.camera[rows, None] == gallery.camera[None, :])
        for row in range(len(match)):
            hits = _ranked(similarity[row], match[row], junk[row])
            if hits.any():
                precision.append(average_precision(hits))
                first.append(int(hits.argmax()))
    if not precision:
        raise InputError(
            "retrieval: no query has a picture of its identity under another camera in the "
            "gallery; check the identities and cameras of both sides."
        )
    return Retrieval(
        average_precision=np.array(precision),
        first_hit=np.array(first, dtype=np.int64),
        n_left_out=len(query.identity) - len(precision),
    )


def average_precision(hits: Bool[np.ndarray, " rank"]) -> float:
    """Mean over the hits of the share of hits up to them.

    Args:
        hits: Which ranks hold a match, the nearest first; at least one does.
    """
    ranks = np.flatnonzero(hits) + 1
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks))


def _ranked(
    similarity: Float[np.ndarray, " image"],
    match: Bool[np.ndarray, " image"],
    junk: Bool[np.ndarray, " image"],
) -> Bool[np.ndarray, " rank"]:
    """Which ranks hold a match, junk left out."""
    kept = ~junk
    order = np.lexsort((match[kept], -similarity[kept]))
    return match[kept][order]


def _refuse(query: Marked, gallery: Marked) -> None:
    if (query.camera is None) != (gallery.camera is None):
        raise InputError("retrieval: query and gallery must both state cameras, or neither.")
    for side, name in ((query, "query"), (gallery, "gallery")):
        if not np.isfinite(side.feature).all():
            raise InputError(f"retrieval: a {name} feature is NaN or infinite; check its encoder.")
