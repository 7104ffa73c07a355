"""What is said of a set that was read: pictures left out, cut to a frame, or there twice."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from reinforge.records import ImageSet

SHOWN = 3  # pictures or people that a message names


def shown(rejected: Mapping[str, str]) -> str:
    """The first pictures that were left out, each with its reason."""
    return "; ".join(f"{name!r} ({why})" for name, why in list(rejected.items())[:SHOWN])


def warn_of_rejected(
    rejected: Mapping[str, str],
    identities: set[str],
    n_candidates: int,
    images: ImageSet,
    where: Path,
) -> None:
    """Say in one line what was left out, and of whom no picture is left.

    Args:
        rejected: Picture -> reason.
        identities: Of all candidates.
        n_candidates: Good and bad.
        images: The good ones.
        where: The folder or file that they come from.
    """
    if not rejected:
        return
    gone = sorted(identities - set(images.names) - {""})
    without = f"; no picture is left of {', '.join(map(repr, gone[:SHOWN]))}" if gone else ""
    warnings.warn(
        f"{where}: {len(rejected)} of {n_candidates} pictures are left out: {shown(rejected)}"
        f"{without}",
        UserWarning,
        stacklevel=4,
    )


def warn_of_animated(animated: Sequence[str], where: Path) -> None:
    """Say in one line of how many pictures later frames are dropped."""
    if animated:
        message = (
            f"{where}: {len(animated)} pictures have several frames and only the first is used, "
            f"e.g. {animated[0]!r}"
        )
        warnings.warn(message, UserWarning, stacklevel=4)


def warn_of_copies(hashes: Sequence[bytes], images: ImageSet, where: Path) -> None:
    """Say in one line when pictures are exact copies, first of all across identities."""
    counts = Counter(hashes)
    if len(counts) == len(hashes):
        return
    first: dict[bytes, int] = {}
    pairs = []
    for at, hashed in enumerate(hashes):
        if counts[hashed] > 1 and first.setdefault(hashed, at) != at:
            pairs.append((first[hashed], at))
    across = [pair for pair in pairs if images.identity[pair[0]] != images.identity[pair[1]]]
    left, right = (across or pairs)[0]
    warnings.warn(
        f"{where}: {len(pairs)} pictures are exact copies of others, {len(across)} of them under "
        f"another identity, e.g. {images.sources[left]!r} and {images.sources[right]!r}",
        UserWarning,
        stacklevel=4,
    )
