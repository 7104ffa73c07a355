"""Pictures on a page: small PNG files written into it, as many as a page can carry."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from math import ceil
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from reinforge.errors import InputError
from reinforge.report.numbers import decimals, shorten, visible

View = dict[str, Any]
Picture = UInt8[np.ndarray, "height width channel"]
Pair = tuple[np.ndarray, np.ndarray, float, str]  # synthetic, nearest real, distance, identity

N_IDENTITIES, N_EACH, N_PAIRS = 24, 10, 24  # shown at most
LARGEST = 128  # pixels a side; larger pictures are shrunk
ROOM = {  # characters of the page
    "samples": 2_000_000,
    "pairs": 1_000_000,
    "newcomers": 1_000_000,
    "newcomer_pairs": 500_000,
}
SHOWN_SIDE = 64  # screen pixels a side, at least
ALL_BUT_THE_SAME = 4.0  # grey levels of mean difference: a synthetic picture so near is withheld


def refuse_bad_samples(samples: Mapping[str, np.ndarray]) -> None:
    """Refuse what cannot be drawn.

    Raises:
        InputError: The pictures of an identity are not uint8, grey or RGB.
    """
    for name, pictures in samples.items():
        is_fit = pictures.dtype == np.uint8 and pictures.ndim == 4 and pictures.shape[3] in (1, 3)
        if not is_fit or min(pictures.shape[1:3]) < 1:
            raise InputError(
                f"report: samples of {visible(name)!r} must hold uint8 pictures (image, height, "
                f"width, channel) with 1 or 3 channels, got {pictures.dtype} {pictures.shape}."
            )


def samples_view(
    samples: Mapping[str, np.ndarray], labels: Mapping[str, str], *, kind: str = "samples"
) -> View | None:
    """Some synthetic pictures of some identities, spread evenly over all of them.

    Args:
        samples: Identity -> its synthetic pictures.
        labels: What each identity is called on this page.
        kind: A key of `ROOM`.
    """
    named = [name for name in samples if len(samples[name])]
    if not named:
        return None
    n_shown = min(len(named), N_IDENTITIES)
    chosen = [named[k * len(named) // n_shown] for k in range(n_shown)]
    drawn = {name: [picture_view(p) for p in samples[name][:N_EACH]] for name in chosen}
    n_each = max(map(len, drawn.values()))
    while n_each > 1 and _weight(drawn, n_each) > ROOM[kind]:
        n_each -= 1
    while len(chosen) > 1 and _weight({name: drawn[name] for name in chosen}, n_each) > ROOM[kind]:
        chosen = chosen[:-1]
    return {
        "rows": [
            {"label": labels.get(n, visible(n)), "pictures": drawn[n][:n_each]} for n in chosen
        ],
        "n_identities": len(named),
        "n_pictures": sum(len(samples[name]) for name in named),
        "n_each": n_each,
        "is_shrunk": any(max(samples[name].shape[1:3]) > LARGEST for name in chosen),
    }


def _weight(drawn: Mapping[str, Sequence[View]], n_each: int) -> int:
    return sum(len(view["uri"]) for views in drawn.values() for view in views[:n_each])


def pairs_view(
    pairs: Sequence[Pair], labels: Mapping[str, str], *, kind: str = "pairs"
) -> View | None:
    """The synthetic pictures that lie nearest to a real one, nearest first.

    Args:
        pairs: Of all pictures.
        labels: What each identity is called on this page.
        kind: A key of `ROOM`.
    """
    rows: list[View] = []
    room = ROOM[kind]
    for synthetic, real, distance, identity in sorted(pairs, key=lambda pair: pair[2])[:N_PAIRS]:
        made, nearest = picture_view(synthetic), picture_view(real)
        room -= len(made["uri"]) + len(nearest["uri"])
        if room < 0 and rows:
            break
        label = shorten(labels.get(identity, identity), 40)
        rows.append(
            {
                "synthetic": made,
                "real": nearest,
                "distance": decimals(float(distance)),
                "label": label,
            }
        )
    return {"rows": rows, "n_pairs": len(pairs)} if rows else None


def picture_view(picture: Picture) -> View:
    """A picture as a PNG inside of the page, and how large it is shown: whole pixels of its own."""
    image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
    if max(image.size) > LARGEST:
        width, height = (max(1, round(side * LARGEST / max(image.size))) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    file = BytesIO()
    image.save(file, format="PNG", optimize=True)
    times = max(1, ceil(SHOWN_SIDE / max(image.size)))
    return {
        "uri": f"data:image/png;base64,{b64encode(file.getvalue()).decode('ascii')}",
        "width": image.width * times,
        "height": image.height * times,
    }


def without_copies(
    samples: Mapping[str, np.ndarray], pairs: Sequence[Pair]
) -> tuple[dict[str, np.ndarray], int]:
    """The samples that are not all but a real picture of the pairs, and how many are."""
    kept = {
        name: pictures[[not _is_copy(picture, pairs) for picture in pictures]]
        for name, pictures in samples.items()
    }
    return kept, sum(len(samples[name]) - len(kept[name]) for name in samples)


def _is_copy(picture: np.ndarray, pairs: Sequence[Pair]) -> bool:
    own = picture.astype(np.int16)
    return any(
        real.shape == picture.shape and np.abs(real - own).mean() < ALL_BUT_THE_SAME
        for _, real, _, _ in pairs
    )


def numbered(samples: Mapping[str, np.ndarray], others: Sequence[str]) -> dict[str, str]:
    """Numbers in the place of names, in an order that no name has a part in: that of a digest.

    Args:
        samples: Identity -> its synthetic pictures, whose digest makes the order.
        others: Identities without samples, numbered after them in their order.
    """
    order = sorted(samples, key=lambda name: sha256(samples[name].tobytes()).digest())
    order += [name for name in dict.fromkeys(others) if name not in samples]
    return {name: f"person {k + 1}" for k, name in enumerate(order)}
