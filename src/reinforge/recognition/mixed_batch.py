"""What the synthetic pictures add to one step of training."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int

from reinforge.errors import InputError
from reinforge.randomness import number_from, torch_generator
from reinforge.recognition import lookahead
from reinforge.recognition.augment import augment
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.further import TURNS, Further
from reinforge.recognition.lookahead import Delta, Views
from reinforge.recognition.losses import Loss
from reinforge.recognition.mixing import MixingConfig, draw_candidates, require_mixable
from reinforge.recognition.network import Network
from reinforge.recognition.recogniser import as_pixels
from reinforge.recognition.sampler import pk_batch
from reinforge.records import ImageSet
from reinforge.settings import validated


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Synthetic pictures, numbered by the classes of the network that they help to train."""

    synthetic: ImageSet
    label: Int[np.ndarray, " image"]  # class of each; -1: of an identity without real pictures
    mixing: MixingConfig
    config: RecogniserConfig  # of the training
    seed: int
    n_newcomers: int | None = None  # that a step takes, by turns; None: pictures of its real people

    def wanted(self, real: Views, index: int) -> Int[np.ndarray, " class"]:
        """The classes of whom a step takes synthetic pictures."""
        if self.n_newcomers is None:
            return np.unique(real.label.cpu().numpy())
        turns = number_from(self.seed, TURNS)
        chosen = pk_batch(
            self.label, index, n_identities=self.n_newcomers, n_pictures=1, seed=turns
        )
        return self.label[chosen]


def new_mixture(
    images: ImageSet,
    synthetic: ImageSet | None,
    mixing: MixingConfig | None,
    *,
    config: RecogniserConfig,
    seed: int,
    further: Further | None = None,
) -> Mixture | None:
    """The synthetic pictures of a training, or None where there are none.

    Args:
        images: The real ones.
        synthetic: Of the same people.
        mixing: How they are chosen and weighed.
        config: Of the training.
        seed: Of the training.
        further: Newcomers; those who stand in place of `synthetic` if the settings say so.

    Raises:
        InputError: They do not fit the real ones, or there are settings without pictures.
    """
    if synthetic is None and mixing is None:
        return None
    mixing = mixing or validated(MixingConfig, {})
    if mixing.of == "newcomers" and further is not None:
        n_newcomers = min(config.identities_per_batch, further.n_beside)
        made, label = further.images, further.label
    elif synthetic is None:
        raise InputError(
            "mixing settings without synthetic pictures; give synthetic, or leave mixing out."
        )
    else:
        require_mixable(images, synthetic)
        n_newcomers = None
        made, label = synthetic, classes_of(synthetic.identity, np.unique(images.identity))
    return Mixture(
        synthetic=made,
        label=label,
        mixing=mixing,
        config=config,
        seed=seed,
        n_newcomers=n_newcomers,
    )


def classes_of(
    identity: Int[np.ndarray, " image"], present: Int[np.ndarray, " identity"]
) -> Int[np.ndarray, " image"]:
    """Position of each picture's identity among those present (rising), -1 where it is not."""
    place = np.searchsorted(present, identity).clip(max=len(present) - 1)
    return np.where(present[place] == identity, place, -1).astype(np.int64)


def added_views(
    real: Views,
    mixture: Mixture,
    network: Network,
    loss: Loss,
    index: int,
    *,
    rate_factor: float,
) -> tuple[Views, dict[str, float]]:
    """Synthetic views beside those of a batch, and what the history keeps of their choice.

    Args:
        real: The batch, its views drawn.
        mixture: Where synthetic pictures come from.
        network: Is not changed.
        loss: The training's own.
        index: Number of the step; all draws are functions of it and the seed.
        rate_factor: Rate of the step over the base rate.
    """
    mixing = mixture.mixing
    wanted = mixture.wanted(real, index)
    n_drawn = mixing.kept * mixing.candidates
    drawn = draw_candidates(mixture.label, wanted, index, n_pictures=n_drawn, seed=mixture.seed)
    if not len(drawn):
        return real.only(torch.zeros_like(real.label, dtype=torch.bool)), {}
    if not mixing.is_look(index):
        return _views(mixture, drawn[:, : mixing.kept], index, real, mixing.weight), {}
    # candidates weigh as much in the virtual step as those of them that are kept in the true one
    candidates = _views(mixture, drawn, index, real, mixing.weight / mixing.candidates)
    rate_factor = max(rate_factor, lookahead.LEAST_FACTOR)
    rate = rate_factor * (mixing.look_rate or mixture.config.learning_rate)
    name = "loss" if mixing.selection == "lowest_loss" else "delta"
    record: dict[str, float] = {}
    if mixing.selection == "lowest_loss":
        told = score = lookahead.identity_loss(network, candidates)
    else:
        told, score, record = _looked_at(real, candidates, mixing, network, loss, rate=rate)
    chosen = lookahead.lowest(score.view(drawn.shape), mixing.kept)
    record[f"{name}_kept"] = float(told[chosen].mean())
    record[f"{name}_dropped"] = float(told[~chosen].mean())
    return candidates.only(chosen).weighing(mixing.weight), record


def _looked_at(
    real: Views,
    candidates: Views,
    mixing: MixingConfig,
    network: Network,
    loss: Loss,
    *,
    rate: float,
) -> tuple[Delta, Delta, dict[str, float]]:
    """Change of loss of each candidate, what they are ranked by, and how two estimates agree."""
    look = lookahead.virtual_step(
        network,
        loss,
        real,
        candidates,
        rate=rate,
        on_mixed=mixing.look_on == "mixed",
        of_head=mixing.look_at == "head",
    )
    ways = {"exact": lookahead.exact, "first_order": lookahead.first_order}
    delta = ways.pop(mixing.estimate)(look)
    record: dict[str, float] = {}
    if mixing.check_estimate:
        (other,) = ways.values()
        pair = (x.view(-1, mixing.kept * mixing.candidates) for x in (delta, other(look)))
        record["rank_correlation"] = lookahead.rank_correlation(*pair)
    score = delta if mixing.rank_by == "change" else delta / look.before
    return delta, score, record


def _views(
    mixture: Mixture,
    numbers: Int[np.ndarray, "known draw"],
    index: int,
    real: Views,
    weight: float,
) -> Views:
    """Views of synthetic pictures, on the device of the real ones."""
    device = real.pixels.device
    label = torch.from_numpy(mixture.label[numbers.flatten()]).to(device)
    pixels = as_pixels(mixture.synthetic.pixels[numbers.flatten()])
    generator = torch_generator(mixture.seed, "identity/recogniser synthetic views", index)
    views = augment(pixels, mixture.config, generator=generator).to(device)
    return Views(
        pixels=views, label=label, weight=torch.full_like(label, weight, dtype=torch.float32)
    )
