"""The memory bank: what the real training pictures look like to the recogniser."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from reinforge.errors import InputError

FEWEST_OWN = 3  # pictures of an identity from which its own bandwidth is measured


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Features of the real pictures, and what follows from them for each identity."""

    feature: Float[Tensor, "real feature"]  # L2-normalised
    label: Int[Tensor, " real"]
    prototype: Float[Tensor, "identity feature"]  # mean of an identity's features, normalised
    bandwidth: Float[Tensor, " identity"]  # of the coverage kernel: median distance of its pictures
    spread: Float[Tensor, " identity"]  # tr Cov of its features

    def to(self, device: torch.device) -> "Bank":
        """The same bank on another device."""
        return Bank(**{name: value.to(device) for name, value in vars(self).items()})


def with_strangers(bank: Bank, feature: Float[Tensor, "stranger feature"]) -> Bank:
    """The bank with people who do not exist behind the real ones.

    A stranger's prototype, and the one thing to be near to, is the feature that describes them; as
    to spread and bandwidth they are like the real people on average.

    Args:
        bank: Of real people.
        feature: Of each stranger, L2-normalised.
    """
    n, n_known = len(feature), len(bank.prototype)
    feature = feature.to(bank.feature)
    number = n_known + torch.arange(n, device=bank.label.device)
    return Bank(
        feature=torch.cat([bank.feature, feature]),
        label=torch.cat([bank.label, number]),
        prototype=torch.cat([bank.prototype, feature]),
        bandwidth=torch.cat([bank.bandwidth, bank.bandwidth.mean().expand(n)]),
        spread=torch.cat([bank.spread, bank.spread.mean().expand(n)]),
    )


def as_various(bank: Bank, strangers: Int[Tensor, " stranger"], spread: Tensor) -> Bank:
    """The bank with strangers who vary as much as the cold start draws them.

    Real people vary as their pictures were taken: those of a studio little. Nothing says that of
    strangers, and a recogniser learns from what their pictures vary by.

    Args:
        bank: Of real people, and of strangers behind them.
        strangers: Their numbers.
        spread: tr Cov of theirs; two pictures are about the root of twice that apart.
    """
    own, width = bank.spread.clone(), bank.bandwidth.clone()
    own[strangers] = spread.to(own)
    width[strangers] = (2 * spread.to(own)) ** 0.5
    return replace(bank, spread=own, bandwidth=width)


def memory_bank(
    feature: Float[Tensor, "real feature"],
    label: Int[Tensor, " real"],
    n_identities: int,
    *,
    looseness: float = 1.0,
) -> Bank:
    """Prototypes, bandwidths and spreads (arXiv:2604.07884, sec. 3; median heuristic for sigma).

    An identity of fewer than three pictures borrows bandwidth and spread from all the others:
    one distance says little, none says nothing.

    Args:
        feature: L2-normalised features of all real training pictures.
        label: Identity of each, 0..n_identities - 1.
        n_identities: Every identity has at least one picture.
        looseness: How many times as widely pictures lie that the recogniser has never seen, as
            squared distances: see `calibration.looseness`. Spreads grow by it and bandwidths by
            its root, because what is drawn is new to the recogniser, too.

    Raises:
        InputError: No identity has two pictures, so that nothing says how much one varies.
    """
    feature = normalize(feature, dim=1)
    groups = [feature[label == identity] for identity in range(n_identities)]
    prototype = normalize(torch.stack([group.mean(0) for group in groups]), dim=1)
    distances = [torch.pdist(group) for group in groups]
    pooled = torch.cat(distances)
    if pooled.numel() == 0:
        raise InputError(
            "every identity has a single picture, so nothing says how much one varies; give at "
            "least two pictures of some identities."
        )
    spreads = [group.var(dim=0).sum() for group in groups if len(group) >= 2]
    shared_bandwidth, shared_spread = pooled.median(), torch.stack(spreads).mean()
    bandwidth, spread = [], []
    for group, distance in zip(groups, distances, strict=True):
        is_enough = len(group) >= FEWEST_OWN
        bandwidth.append(distance.median() if is_enough else shared_bandwidth)
        spread.append(group.var(dim=0).sum() if is_enough else shared_spread)
    least = 1e-3  # identical pictures have no spread, and a kernel of width 0 divides by it
    return Bank(
        feature=feature,
        label=label,
        prototype=prototype,
        bandwidth=torch.stack(bandwidth).clamp(min=least) * looseness**0.5,
        spread=torch.stack(spread).clamp(min=least**2) * looseness,
    )
