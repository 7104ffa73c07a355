"""Lookahead: which candidates gain most by the step that training is about to take?

The paper's dynamic selection (arXiv:2604.07884): a virtual step w' = w - eta grad L(w; batch), then
dl(x) = l(w', x) - l(w, x) of each candidate; the lowest are kept. Weights, optimizer and the
statistics of batch norms are left as they were.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F

from reinforge.recognition.backbones import Pixels
from reinforge.recognition.losses import Loss
from reinforge.recognition.network import Network

Delta = Float64[Tensor, " candidate"]


@dataclass(frozen=True, kw_only=True)
class Views:
    """Pictures as the network sees them in one step."""

    pixels: Pixels
    label: Int[Tensor, " draw"]  # class of each
    weight: Float[Tensor, " draw"]  # in the loss

    def beside(self, other: "Views") -> "Views":
        """These and those in one batch."""
        return Views(
            pixels=torch.cat([self.pixels, other.pixels]),
            label=torch.cat([self.label, other.label]),
            weight=torch.cat([self.weight, other.weight]),
        )

    def only(self, chosen: Bool[Tensor, " draw"]) -> "Views":
        """Those marked."""
        return Views(
            pixels=self.pixels[chosen], label=self.label[chosen], weight=self.weight[chosen]
        )

    def weighing(self, weight: float) -> "Views":
        """The same, each of this weight."""
        return replace(self, weight=torch.full_like(self.weight, weight))


@dataclass(frozen=True, kw_only=True)
class Look:
    """A virtual step, and the candidates' losses before it."""

    weights: dict[str, Tensor]  # all that training moves
    move: dict[str, Tensor]  # what the virtual step adds to each
    before: Delta


class _IdentityLoss(nn.Module):
    """Identity cross-entropy of each picture: no margin, no smoothing, no dropout."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Pixels, label: Tensor) -> Delta:
        """In double precision from the logits on: the differences are small."""
        return self.of(self.network(pixels)[1], label)

    def of(self, feature: Tensor, label: Tensor) -> Delta:
        """The same from features behind the neck."""
        logits = self.network.logits(feature).double()
        return F.cross_entropy(logits, label, reduction="none")


@contextmanager
def frozen_statistics(network: Network) -> Iterator[None]:
    """Batch norms use their running statistics and leave them alone."""
    was = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was)


def virtual_step(
    network: Network, loss: Loss, real: Views, candidates: Views, *, rate: float, mixed: bool
) -> Look:
    """W' - w = -rate grad L(w; batch), plain gradient descent; one forward and one backward pass.

    The candidates' losses before the step are read off the same forward pass.

    Args:
        network: In eval mode; is not changed.
        loss: The training's own.
        real: The batch of real pictures.
        candidates: Their weights say how much they count in the virtual step.
        rate: eta.
        mixed: Whether the step is on real pictures and candidates or on real ones alone.
    """
    weights: dict[str, Tensor] = {
        name: p for name, p in network.named_parameters() if p.requires_grad
    }
    both = real.beside(candidates)
    n_real = len(real.label)
    batch = slice(None) if mixed else slice(n_real)
    before, behind = network(both.pixels)
    value = loss(before[batch], behind[batch], both.label[batch], both.weight[batch])
    slopes = torch.autograd.grad(value, list(weights.values()), materialize_grads=True)
    move = {name: -rate * slope for name, slope in zip(weights, slopes, strict=True)}
    with torch.no_grad():
        loss_before = _IdentityLoss(network).of(behind[n_real:], candidates.label)
    return Look(weights=weights, move=move, before=loss_before)


@torch.no_grad()
def exact(network: Network, candidates: Views, look: Look) -> Delta:
    """dl(x) = l(w', x) - l(w, x), by one more forward pass."""
    moved = {f"network.{k}": w + look.move[k] for k, w in look.weights.items()}
    after = torch.func.functional_call(
        _IdentityLoss(network), moved, (candidates.pixels, candidates.label)
    )
    return after - look.before


@torch.no_grad()
def first_order(network: Network, candidates: Views, look: Look) -> Delta:
    """dl(x) ~ <grad l(w, x), w' - w>, all candidates at once by one forward-mode pass."""
    inner = _IdentityLoss(network)

    def at(weights: dict[str, Tensor]) -> Delta:
        return torch.func.functional_call(inner, weights, (candidates.pixels, candidates.label))

    here = {f"network.{k}": w.detach() for k, w in look.weights.items()}
    along = {f"network.{k}": move for k, move in look.move.items()}
    return torch.func.jvp(at, (here,), (along,))[1]


def lowest(delta: Float64[Tensor, "identity candidate"], kept: int) -> Bool[Tensor, " draw"]:
    """Marks the candidates with the lowest delta of each identity, the first of equal ones."""
    rank = delta.argsort(dim=1, stable=True).argsort(dim=1)
    return (rank < kept).flatten()


def rank_correlation(
    first: Float64[Tensor, "identity candidate"], second: Float64[Tensor, "identity candidate"]
) -> float:
    """Spearman's, of two estimates less their identity's mean: candidates compete within it.

    0 where an estimate does not tell candidates apart.
    """
    centred = [(x - x.mean(dim=1, keepdim=True)).flatten().cpu().numpy() for x in (first, second)]
    ranks = [stats.rankdata(x) for x in centred]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
