"""What a recogniser is trained by: CosFace, or identity and triplet loss."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from reinforge.recognition.backbones import Features
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.network import Network

Loss = Callable[[Features, Features, Int[Tensor, " draw"]], Float[Tensor, ""]]


def loss_of(config: RecogniserConfig, network: Network) -> Loss:
    """The loss of (feature before the neck, behind it, class), as the settings say."""
    return _cosface(config, network) if config.kind == "face" else _reid(config, network)


def _cosface(config: RecogniserConfig, network: Network) -> Loss:
    """-log softmax_y(s (cos_j - m [j = y]))  (arXiv:1801.09414, eq. 4), on our prototypes."""
    from pytorch_metric_learning.losses import CosFaceLoss

    n_features, n_classes = network.prototypes.shape
    with torch.random.fork_rng(devices=[]):  # its own first prototypes are thrown away
        loss = CosFaceLoss(n_classes, n_features, margin=config.margin, scale=config.scale)
    loss.W = network.prototypes

    def value(before: Features, behind: Features, label: Tensor) -> Tensor:
        return loss(behind, label)

    return value


def _reid(config: RecogniserConfig, network: Network) -> Loss:
    """Identity loss behind the neck, hard-mined triplets before it (arXiv:1903.07071, sec. 3)."""
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import TripletMarginLoss
    from pytorch_metric_learning.miners import BatchHardMiner

    distance = LpDistance(normalize_embeddings=False)
    triplet = TripletMarginLoss(margin=config.triplet_margin, distance=distance)
    miner = BatchHardMiner(distance=distance)

    def value(before: Features, behind: Features, label: Tensor) -> Tensor:
        identity = F.cross_entropy(
            network.logits(behind), label, label_smoothing=config.label_smoothing
        )
        if not config.triplet_weight:
            return identity
        return identity + config.triplet_weight * triplet(before, label, miner(before, label))

    return value
