"""Cold start: the policy first learns by imitation, as the decoder of a variational autoencoder.

From random weights most of a policy's early draws are absurd and teach it little. So it first
maximises a lower bound on the likelihood of the real rows; reinforcement then mends what
imitation blurs. (The identity system starts cold in the same way: arXiv:2604.07884, sec. 3.)
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from reinforge.policy_gradient.update import ascend
from reinforge.systems.tabular.features import Draw
from reinforge.systems.tabular.layers import Linear, initialise
from reinforge.systems.tabular.policy import Policy


class Encoder(nn.Module):
    """q(z | row): mean and log standard deviation of the latent, from a row's features."""

    def __init__(
        self, n_features: int, *, noise_dim: int, hidden: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Linear(n_features, hidden), nn.ReLU(), Linear(hidden, 2 * noise_dim)
        )
        initialise(self, generator)

    def forward(
        self, features: Float[Tensor, "row feature"]
    ) -> tuple[Float[Tensor, "row noise"], Float[Tensor, "row noise"]]:
        """Mean and log standard deviation."""
        mean, log_std = self.layers(features).chunk(2, dim=1)
        return mean, log_std.clamp(-6.0, 2.0)


def evidence_lower_bound(
    policy: Policy,
    encoder: Encoder,
    rows: Draw,
    features: Float[Tensor, "row feature"],
    seen: Float[Tensor, "row feature"],
    *,
    kl_weight: float,
    generator: torch.Generator,
) -> Float[Tensor, " row"]:
    """A lower bound on the log-likelihood of each row (VAE, arXiv:1312.6114, eq. 10).

    log p(row | z) - weight KL(q(z | row) || N(0, I)), z drawn from q.

    Args:
        policy: The decoder.
        encoder: q.
        rows: Encoded real rows.
        features: Their features.
        seen: What the encoder is shown of these: one that must guess the rest of a row keeps what
            rows have in common and not the single row.
        kl_weight: 1 is the bound; less keeps more of each row in its latent.
        generator: Draws z.

    Returns:
        Nats, one a row.
    """
    mean, log_std = encoder(seen)
    noise = mean + log_std.exp() * torch.randn(mean.shape, generator=generator)
    divergence = 0.5 * (mean.square() + (2 * log_std).exp() - 2 * log_std - 1).sum(1)
    distribution = policy.given(policy(noise), features)
    return policy.log_prob(distribution, rows) - kl_weight * divergence


def imitate(
    policy: Policy,
    encoder: Encoder,
    optimizer: torch.optim.Optimizer,
    rows: Draw,
    features: Tensor,
    seen: Tensor,
    *,
    kl_weight: float,
    generator: torch.Generator,
) -> dict[str, float]:
    """One step uphill on the bound; what the history keeps of it."""
    bound = evidence_lower_bound(
        policy, encoder, rows, features, seen, kl_weight=kl_weight, generator=generator
    ).mean()
    value, taken = ascend(optimizer, bound)
    return {"evidence_lower_bound": value, "update_taken": float(taken)}
