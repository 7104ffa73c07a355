"""The learned reward: how real a row looks, by a network trained apart from the policy."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from reinforge.systems.tabular.layers import Linear, initialise


class Discriminator(nn.Module):
    """Linear-LeakyReLU(0.2) twice, then one logit: log odds that a row is real."""

    def __init__(self, n_features: int, *, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Linear(n_features, hidden),
            nn.LeakyReLU(0.2),
            Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            Linear(hidden, 1),
        )
        initialise(self, generator)

    def forward(self, features: Float[Tensor, "draw feature"]) -> Float[Tensor, " draw"]:
        """Logits, one a row."""
        return self.layers(features).squeeze(1)


def discriminator_loss(
    discriminator: Discriminator,
    real: Float[Tensor, "draw feature"],
    fake: Float[Tensor, "draw feature"],
    *,
    r1_weight: float,
) -> Float[Tensor, ""]:
    """Binary cross-entropy of real against drawn rows, with the R1 gradient penalty.

    mean softplus(-D(real)) + mean softplus(D(fake)) + gamma/2 mean ||grad_x D(real)||^2
    (Mescheder et al., arXiv:1801.04406, eq. 9; RLSyn's public code, gamma 5)

    Args:
        discriminator: Gives logits.
        real: Features of real rows.
        fake: Features of drawn rows, without gradient.
        r1_weight: gamma; 0 leaves the penalty out.
    """
    if r1_weight > 0:
        real = real.detach().requires_grad_(True)
    real_logit = discriminator(real)
    loss = softplus(-real_logit).mean() + softplus(discriminator(fake)).mean()
    if r1_weight > 0:
        (gradient,) = torch.autograd.grad(real_logit.sum(), real, create_graph=True)
        loss = loss + 0.5 * r1_weight * gradient.square().sum(1).mean()
    return loss
