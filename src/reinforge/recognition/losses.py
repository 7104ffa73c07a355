"""What a recogniser is trained by: CosFace, or identity and triplet loss."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from reinforge.recognition.backbones import Features
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.network import Network

Label = Int[Tensor, " draw"]
Weight = Float[Tensor, " draw"]
# (features before the neck, features behind it, classes, weight of each picture or None)
Loss = Callable[..., Float[Tensor, ""]]


def loss_of(config: RecogniserConfig, network: Network) -> Loss:
    """The loss as the settings say: a weighted mean over pictures where weights are given."""
    return _cosface(config, network) if config.kind == "face" else _reid(config, network)


def _cosface(config: RecogniserConfig, network: Network) -> Loss:
    """-log softmax_y(s (cos_j - m [j = y]))  (arXiv:1801.09414, eq. 4), on our prototypes."""
    from pytorch_metric_learning.losses import CosFaceLoss
    from pytorch_metric_learning.reducers import DoNothingReducer

    n_features, n_classes = network.prototypes.shape
    own = {"margin": config.margin, "scale": config.scale}
    with torch.random.fork_rng(devices=[]):  # their own first prototypes are thrown away
        loss = CosFaceLoss(n_classes, n_features, **own)
        each = CosFaceLoss(n_classes, n_features, reducer=DoNothingReducer(), **own)
    loss.W = each.W = network.prototypes

    def value(
        before: Features, behind: Features, label: Label, weight: Weight | None = None
    ) -> Tensor:
        if weight is None:
            return loss(behind, label)
        return _mean(each(behind, label)["loss"]["losses"], weight)

    return value


def _reid(config: RecogniserConfig, network: Network) -> Loss:
    """Identity loss behind the neck, hard-mined triplets before it (arXiv:1903.07071, sec. 3)."""
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import TripletMarginLoss
    from pytorch_metric_learning.miners import BatchHardMiner
    from pytorch_metric_learning.reducers import DoNothingReducer

    distance = LpDistance(normalize_embeddings=False)
    own = {"margin": config.triplet_margin, "distance": distance}
    triplet = TripletMarginLoss(**own)
    each = TripletMarginLoss(reducer=DoNothingReducer(), **own)
    miner = BatchHardMiner(distance=distance)
    cross_entropy = partial(F.cross_entropy, label_smoothing=config.label_smoothing)

    def value(
        before: Features, behind: Features, label: Label, weight: Weight | None = None
    ) -> Tensor:
        logits = network.logits(behind)
        if weight is None:
            identity = cross_entropy(logits, label)
        else:
            identity = _mean(cross_entropy(logits, label, reduction="none"), weight)
        if not config.triplet_weight:
            return identity
        mined = miner(before, label)
        if weight is None:
            return identity + config.triplet_weight * triplet(before, label, mined)
        found = each(before, label, mined)["loss"]
        return identity + config.triplet_weight * _violated(found, weight, before)

    return value


def _mean(value: Float[Tensor, " draw"], weight: Weight) -> Float[Tensor, ""]:
    return (weight * value).sum() / weight.sum()


def _violated(found: dict[str, Any], weight: Weight, like: Tensor) -> Float[Tensor, ""]:
    """Mean over the triplets that cost anything, each with the weight of its anchor; 0 of none."""
    if found["indices"] is None:
        return like.new_zeros(())
    value = found["losses"]
    share = weight[found["indices"][0]] * (value > 0)
    return (share * value).sum() / share.sum().clamp(min=1e-12)
