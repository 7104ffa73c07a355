"""Draw pictures of identities: the noise of each is a function of seed, identity and number."""

import contextlib
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from reinforge.errors import InputError
from reinforge.generators.codec import quantised
from reinforge.randomness import torch_generator
from reinforge.records import ImageSet
from reinforge.systems.identity.chain import Chain, roll_out
from reinforge.systems.identity.policy import Policy

AT_ONCE = 16  # passes have one shape always, so that sums keep their order: part of the format

Amount = int | Mapping[str, int]  # pictures of each identity, or of each by its name
Drawn = UInt8[np.ndarray, "image height width channel"]


class DrawnPictures:
    """Pictures that are drawn when they are asked for (see `reinforge.records.Pictures`).

    Picture `number` of an identity has noise of its own, so that it does not depend on how many
    others are drawn, nor of whom.

    Args:
        policy: Draws.
        chain: How.
        identity: Position of each picture's identity in `names`.
        number: Of each picture among those of its identity, from 0.
        names: Of all identities that the policy knows.
        seed: Of the draw.
        on_images: Told how many pictures are drawn so far.
    """

    def __init__(
        self,
        policy: Policy,
        chain: Chain,
        *,
        identity: np.ndarray,
        number: np.ndarray,
        names: tuple[str, ...],
        seed: int,
        on_images: Callable[[int], None] | None = None,
    ) -> None:
        self.policy, self.chain = policy, chain
        self.identity, self.number = identity, number
        self.names, self.seed = names, seed
        self._on_images = on_images
        self._block: tuple[int, np.ndarray] = (-1, np.empty((0, 0, 0, 0), np.uint8))
        self._shape = (len(identity), *picture_shape(policy))

    @property
    def shape(self) -> tuple[int, ...]:
        """(image, height, width, channel)."""
        return self._shape

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.identity)

    def __getitem__(self, numbers: Any) -> Drawn:
        """The pictures of these numbers; those asked for in their order are drawn once."""
        chosen = np.arange(len(self))[numbers]
        pixels = np.empty((len(chosen), *self._shape[1:]), np.uint8)
        for place, at in enumerate(chosen):
            block, inside = divmod(int(at), AT_ONCE)
            if block != self._block[0]:
                self._block = (block, self._drawn(block))
            pixels[place] = self._block[1][inside]
        return pixels

    def _drawn(self, block: int) -> Drawn:
        """Draw a block; the last one is filled up with its last picture."""
        first = block * AT_ONCE
        wanted = np.minimum(np.arange(first, first + AT_ONCE), len(self) - 1)
        generators = [
            torch_generator(
                self.seed, f"identity/sample/{self.names[self.identity[at]]}", int(self.number[at])
            )
            for at in wanted
        ]
        label = torch.from_numpy(self.identity[wanted])
        pixels = draw(self.policy, self.chain, label, generators)
        if self._on_images is not None:
            self._on_images(min(first + AT_ONCE, len(self)))
        return pixels


def draw(
    policy: Policy,
    chain: Chain,
    label: Tensor,
    generators: Sequence[torch.Generator],
    *,
    micro_batch: int | None = None,
) -> Drawn:
    """Draw one picture a label, as a file would keep it.

    Args:
        policy: Draws.
        chain: How.
        label: Identity of each.
        generators: One a picture.
        micro_batch: Pictures that go through the network at once; None: all.
    """
    rollout = roll_out(policy, chain, label.to(policy.device), generators, micro_batch=micro_batch)
    with torch.no_grad():
        pixels = quantised(policy.codec.decode(rollout.clean))
    return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).cpu().numpy())


def drawn_set(
    policy: Policy,
    chain: Chain,
    names: tuple[str, ...],
    per_identity: Amount,
    *,
    identities: Sequence[str] | None = None,
    seed: int,
    on_images: Callable[[int], None] | None = None,
    described: Tensor | None = None,
) -> ImageSet:
    """Pictures of the chosen identities, not drawn yet.

    Args:
        policy: Draws.
        chain: How.
        names: Of all identities.
        per_identity: How many of each, 1 or more; or a number for each name.
        identities: Names of the chosen ones, in the wanted order; None: all (that have a number).
        seed: Of the draw.
        on_images: Told how many pictures are drawn so far.
        described: Feature of each of `names`, which goes with the pictures.

    Raises:
        InputError: A number below 1, a name without a number, or one that is not known or given
            twice.
    """
    if identities is None and isinstance(per_identity, Mapping):
        identities = list(per_identity)
    chosen = positions(names, identities)
    amounts = _amounts(per_identity, [names[position] for position in chosen])
    identity = np.repeat(np.arange(len(chosen)), amounts).astype(np.int64)
    number = np.concatenate([np.arange(amount) for amount in amounts])
    pictures = DrawnPictures(
        policy,
        chain,
        identity=np.asarray(chosen, np.int64)[identity],
        number=number,
        names=names,
        seed=seed,
        on_images=on_images,
    )
    return ImageSet(
        pixels=pictures,
        identity=identity,
        names=tuple(names[position] for position in chosen),
        described=None if described is None else described[list(chosen)].cpu().numpy(),
    )


def _amounts(per_identity: Amount, names: Sequence[str]) -> list[int]:
    """How many pictures of each."""
    if isinstance(per_identity, int):
        if per_identity < 1:
            raise InputError(f"sample: at least 1 picture an identity, got {per_identity}.")
        return [per_identity] * len(names)
    for name in names:
        if per_identity.get(name, 0) < 1:
            came = per_identity.get(name, "no number")
            raise InputError(f"sample: at least 1 picture an identity, got {came} for {name!r}.")
    return [per_identity[name] for name in names]


def positions(names: tuple[str, ...], identities: Sequence[str] | None) -> list[int]:
    """Where the chosen identities stand among all.

    Raises:
        InputError: A name that is not known (the nearest one is shown), given twice, or none.
    """
    if identities is None:
        return list(range(len(names)))
    known = {name: at for at, name in enumerate(names)}
    for at, name in enumerate(identities):
        if name not in known:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {_some(names)}."
            raise InputError(f"identity {name!r} is not one that was learnt; {hint}")
        if name in identities[:at]:
            raise InputError(f"identity {name!r} is asked for twice; name it once.")
    if not identities:
        raise InputError("no identity is asked for; leave identities out to draw all of them.")
    return [known[name] for name in identities]


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def picture_shape(policy: Policy) -> tuple[int, int, int]:
    """(height, width, channel) of a picture."""
    side = policy.shape[1] * getattr(policy.codec, "shrinks", 1)
    return side, side, policy.codec.channels


@contextlib.contextmanager
def weights_of(policy: Policy, weights: Mapping[str, Tensor]) -> Iterator[Policy]:
    """Inside, the policy draws with other trained weights; its own come back bit for bit."""
    own = policy.copy_of_trained()
    policy.load_trained(weights)
    try:
        yield policy
    finally:
        policy.load_trained(own)
