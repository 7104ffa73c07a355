"""Lookahead: which candidates gain most by the step that training is about to take?

The paper's dynamic selection (arXiv:2604.07884): a virtual step w' = w - eta grad L(w; batch), then
dl(x) = l(w', x) - l(w, x) of each candidate; the lowest are kept. Weights, optimizer and the
statistics of batch norms are left as they were.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float64
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from reinforge.recognition.backbones import Features, Pixels
from reinforge.recognition.losses import Label, Loss, Weight
from reinforge.recognition.network import Network

Delta = Float64[Tensor, " candidate"]
LEAST_FACTOR = 0.01  # of the rate: below it a change of loss drowns in float32's rounding


@dataclass(frozen=True, kw_only=True)
class Views:
    """Pictures as the network sees them in one step."""

    pixels: Pixels
    label: Label  # class of each
    weight: Weight  # in the loss

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


class _IdentityLoss(nn.Module):
    """Identity cross-entropy of each picture: no margin, no smoothing, no dropout."""

    def __init__(self, network: Network, *, of_head: bool) -> None:
        super().__init__()
        self.network = network
        self.of_head = of_head

    def forward(self, seen: Tensor, label: Label) -> Delta:
        """From pixels, or from the backbone's features where the head alone moves."""
        features = self.network.head(seen) if self.of_head else self.network(seen)
        return self.of(features[1], label)

    def of(self, behind: Features, label: Label) -> Delta:
        """In double precision from the logits on: the differences are small."""
        logits = self.network.logits(behind).double()
        return F.cross_entropy(logits, label, reduction="none")


@dataclass(frozen=True, kw_only=True)
class Look:
    """A virtual step, and the candidates before it."""

    loss: _IdentityLoss
    weights: dict[str, Tensor]  # all that the step moves
    move: dict[str, Tensor]  # what it adds to each
    seen: Tensor  # of each candidate: its view, or the backbone's feature of it
    label: Label
    before: Delta

    def losses(self, weights: dict[str, Tensor]) -> Delta:
        """The candidates' losses at other weights."""
        with frozen_statistics(self.loss.network):
            return torch.func.functional_call(self.loss, weights, (self.seen, self.label))


@contextmanager
def frozen_statistics(network: Network) -> Iterator[None]:
    """Eval mode for a while: batch norms use their running statistics and leave them alone."""
    was = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was)


def virtual_step(
    network: Network,
    loss: Loss,
    real: Views,
    candidates: Views,
    *,
    rate: float,
    on_mixed: bool = True,
    of_head: bool = False,
) -> Look:
    """Plain gradient descent, w' - w = -rate grad L(w; batch): one forward and one backward pass.

    The candidates' losses before the step are read off the same forward pass.

    Args:
        network: Is not changed.
        loss: The training's own.
        real: The batch of real pictures.
        candidates: Their weights say how much they count in the virtual step.
        rate: eta.
        on_mixed: Whether the step is on real pictures and candidates or on real ones alone.
        of_head: Whether the head alone moves: the backbone is passed once, without gradient.
    """
    inner = _IdentityLoss(network, of_head=of_head)
    weights: dict[str, Tensor] = {
        name: weight
        for name, weight in inner.named_parameters()
        if weight.requires_grad and not (of_head and name.startswith("network.backbone."))
    }
    batch = real.beside(candidates) if on_mixed else real
    n_real = len(real.label)
    with frozen_statistics(network):
        with torch.set_grad_enabled(not of_head):
            seen = network.pooled(batch.pixels)
        before, behind = network.head(seen)
        value = loss(before, behind, batch.label, batch.weight)
        slopes = torch.autograd.grad(value, list(weights.values()), materialize_grads=True)
        with torch.no_grad():
            seen = seen[n_real:].detach() if on_mixed else network.pooled(candidates.pixels)
            behind = behind[n_real:] if on_mixed else network.head(seen)[1]
            loss_before = inner.of(behind, candidates.label)
    return Look(
        loss=inner,
        weights=weights,
        move={name: -rate * slope for name, slope in zip(weights, slopes, strict=True)},
        seen=seen if of_head else candidates.pixels,
        label=candidates.label,
        before=loss_before,
    )


@torch.no_grad()
def identity_loss(network: Network, candidates: Views) -> Delta:
    """l(w, x) of each candidate, by one forward pass."""
    with frozen_statistics(network):
        return _IdentityLoss(network, of_head=False)(candidates.pixels, candidates.label)


@torch.no_grad()
def exact(look: Look) -> Delta:
    """dl(x) = l(w', x) - l(w, x), by one more forward pass."""
    moved = {name: weight + look.move[name] for name, weight in look.weights.items()}
    return look.losses(moved) - look.before


@torch.no_grad()
def first_order(look: Look) -> Delta:
    """dl(x) ~ <grad l(w, x), w' - w>, all candidates at once by one forward-mode pass."""
    here = {name: weight.detach() for name, weight in look.weights.items()}
    # the fused attention of a ViT has no forward mode; its plain form has
    with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
        # torch scripts some of its rules when they are first asked for
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
        return torch.func.jvp(look.losses, (here,), (look.move,))[1]


def lowest(score: Float64[Tensor, "identity candidate"], kept: int) -> Bool[Tensor, " draw"]:
    """Marks the candidates with the lowest score of each identity, the first of equal ones."""
    rank = score.argsort(dim=1, stable=True).argsort(dim=1)
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
