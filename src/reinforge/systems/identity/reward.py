"""The triple reward: semantic consistency, coverage, expression diversity (arXiv:2604.07884).

Coverage and diversity are numbers of a set. One number a batch would vanish when the batch is
standardised, so every draw gets the part that it answers for.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from reinforge.errors import ReinforgeError
from reinforge.systems.identity.bank import Bank

Credit = Literal["leave_one_out", "group", "sample"]
PARTS = ("semantic", "coverage", "diversity", "privacy", "realism")  # in this order
Yardstick = Mapping[str, tuple[Tensor, Tensor]]  # mean and deviation of each part of a batch


def semantic_consistency(
    feature: Float[Tensor, "draw feature"], label: Int[Tensor, " draw"], bank: Bank
) -> Float[Tensor, " draw"]:
    """R_sem = (f . p_y + 1) / 2, in 0..1: how near a draw lies to its identity's prototype."""
    return ((feature * bank.prototype[label]).sum(1) + 1) / 2


def coverage(
    feature: Float[Tensor, "draw feature"],
    label: Int[Tensor, " draw"],
    bank: Bank,
    *,
    alpha: float,
    recent: Float[Tensor, "identity slot feature"] | None = None,
) -> Float[Tensor, " draw"]:
    """R_cov[g] = mean_r k(f_g, f_r) - alpha mean_g' k(f_g, f_g'), all of g's own identity.

    k(u, v) = exp(-|u - v|^2 / (2 s^2)). The mean over draws is the paper's set-level reward: near
    to the real pictures, apart from one another.

    Args:
        feature: L2-normalised.
        label: Identity of each draw.
        bank: Real pictures.
        alpha: Weight of the repulsion; below 1, or draws are driven away from what is real.
        recent: Features of earlier draws of every identity, which a draw is kept apart from; None
            takes the other draws of the batch.
    """
    width = bank.bandwidth[label][:, None]

    def kernel(distance: Tensor) -> Tensor:
        return torch.exp(-distance.square() / (2 * width.square()))

    is_own = label[:, None] == bank.label[None, :]
    to_real = _mean_where(kernel(torch.cdist(feature, bank.feature)), is_own)
    if recent is None:
        to_draws = _mean_where(kernel(torch.cdist(feature, feature)), companions(label))
    else:
        to_draws = kernel(torch.cdist(feature[:, None], recent[label])[:, 0]).mean(1)
    return to_real - alpha * to_draws


def companions(label: Int[Tensor, " draw"]) -> Bool[Tensor, "draw draw"]:
    """Which other draws are of the same identity."""
    same = label[:, None] == label[None, :]
    return same & ~torch.eye(len(label), dtype=torch.bool, device=label.device)


def _mean_where(
    value: Float[Tensor, "draw other"], chosen: Bool[Tensor, "draw other"]
) -> Float[Tensor, " draw"]:
    count = chosen.sum(1).clamp(min=1)
    return torch.where(chosen, value, torch.zeros_like(value)).sum(1) / count


def expression_diversity(
    feature: Float[Tensor, "draw feature"],
    label: Int[Tensor, " draw"],
    bank: Bank,
    *,
    expansion: float,
    credit: Credit,
) -> Float[Tensor, " draw"]:
    """R_exp = -((S_g - (1 + eps) S_r) / tau)^2 with tau = S_r: spread a little beyond the real one.

    Args:
        feature: L2-normalised.
        label: Identity of each draw; an identity's draws are a group.
        bank: Real pictures; S_r is an identity's tr Cov.
        expansion: eps, the wanted growth of the spread.
        credit: "group": every member earns the group's value (the paper's words). "sample":
            n / (n - 1) |f - mean|^2 stands for S_g, whose mean over the group it is.
            "leave_one_out": what the group's value loses without the member (difference rewards).

    Returns:
        One value a draw; 0 where an identity has a single draw (or two, under "leave_one_out").
    """
    reward = torch.zeros_like(feature[:, 0])
    for identity in label.unique().tolist():
        members = (label == identity).nonzero()[:, 0]
        real = bank.spread[identity]
        value = _diversity_of_group(feature[members], real, expansion, credit)
        reward = reward.index_put((members,), value)
    return reward


def _diversity_of_group(
    group: Float[Tensor, "draw feature"], real: Float[Tensor, ""], expansion: float, credit: Credit
) -> Float[Tensor, " draw"]:
    n = len(group)
    if n < 2 or (n < 3 and credit == "leave_one_out"):
        return group.new_zeros(n)
    squared = (group - group.mean(dim=0)).square().sum(1)  # |f - mean|^2
    whole = squared.sum() / (n - 1)
    if credit == "group":
        return diversity_score(whole, real, expansion).expand(n)
    if credit == "sample":
        return diversity_score(n / (n - 1) * squared, real, expansion)
    without = (squared.sum() - n / (n - 1) * squared) / (n - 2)  # tr Cov of the others
    return diversity_score(whole, real, expansion) - diversity_score(without, real, expansion)


def added_diversity(
    feature: Float[Tensor, "draw feature"],
    label: Int[Tensor, " draw"],
    bank: Bank,
    recent: Float[Tensor, "identity slot feature"],
    *,
    expansion: float,
) -> Float[Tensor, " draw"]:
    """What R_exp of an identity's recent draws gains by one more draw.

    Args:
        feature: L2-normalised.
        label: Identity of each draw.
        bank: Real pictures.
        recent: Features of earlier draws of every identity, two or more of each.
        expansion: As in `expression_diversity`.
    """
    others = recent[label]
    n = others.shape[1]
    real = bank.spread[label]
    mean = others.mean(1)
    squared = (others - mean[:, None]).square().sum((1, 2))
    more = squared + n / (n + 1) * (feature - mean).square().sum(1)  # Welford's update
    return diversity_score(more / n, real, expansion) - diversity_score(
        squared / (n - 1), real, expansion
    )


def diversity_score(
    spread: Float[Tensor, "*group"], real: Float[Tensor, "*#group"], expansion: float
) -> Float[Tensor, "*group"]:
    """R_exp = -((S_g - (1 + eps) S_r) / S_r)^2 of a group whose spread is S_g."""
    return -((spread - (1 + expansion) * real) / real).square()


def nearness(
    feature: Float[Tensor, "draw feature"], label: Int[Tensor, " draw"], bank: Bank
) -> Float[Tensor, " draw"]:
    """Privacy: minus how much nearer a draw lies to a real picture than real pictures to another.

    -max(0, max_r cos(f, f_r) - c_y), where c_y is the cosine at an identity's bandwidth: the
    median nearness of two real pictures of one person. A copy earns c_y - 1, the least.
    """
    nearest = (feature @ bank.feature.T).max(dim=1).values
    usual = 1 - bank.bandwidth[label].square() / 2  # |u - v|^2 = 2 - 2 cos
    return -(nearest - usual).clamp(min=0)


def yardstick(
    parts: Mapping[str, Float[Tensor, " draw"]],
) -> Yardstick:
    """Mean and deviation of each part over a batch, by which it is standardised.

    Raises:
        ReinforgeError: A part holds a value that is not finite; it is named.
    """
    for name, part in parts.items():
        if not torch.isfinite(part).all():
            n_bad = int((~torch.isfinite(part)).sum())
            raise ReinforgeError(
                f"reward {name!r}: {n_bad} of {len(part)} values are not finite, and one of them "
                "would spoil every advantage; look at the recogniser's features."
            )
    return {name: (part.mean(), part.std()) for name, part in parts.items()}


def combined(
    parts: Mapping[str, Float[Tensor, " draw"]],
    weights: Mapping[str, float],
    measured: Yardstick,
    *,
    eps: float = 1e-6,
) -> Float[Tensor, " draw"]:
    """sum_i l_i (R_i - mean_i) / (std_i + eps); the paper's reward is its tanh.

    Args:
        parts: Name -> reward of each draw.
        weights: Name -> weight l_i; a part without a weight is watched and not rewarded.
        measured: `yardstick` of the batch.
        eps: Added to the deviations.
    """
    total = torch.zeros_like(next(iter(parts.values())))
    for name, weight in weights.items():
        mean, deviation = measured[name]
        total = total + weight * (parts[name] - mean) / (deviation + eps)
    return total
