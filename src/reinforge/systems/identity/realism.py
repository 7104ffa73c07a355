"""How the critic learns beside the policy: from real pictures and from the latest drawn ones."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from reinforge.learner_state import load_named_tensors, named_tensors
from reinforge.policy_gradient.update import ascend
from reinforge.recognition.augment import augment
from reinforge.recognition.config import RecogniserConfig
from reinforge.systems.identity.critic import Critic, Pixels, hinge_loss

POOL = 640  # latest drawn pictures that are kept
BATCH = 32  # real pictures an update, and as many drawn ones
BETAS = (0.5, 0.99)  # a short memory: what is drawn changes


@dataclass(kw_only=True)
class Realism:
    """The critic, its optimizer, and the pictures drawn lately."""

    critic: Critic
    optimizer: torch.optim.Optimizer
    drawn: UInt8[Tensor, "slot channel height width"]
    n_drawn: Int[Tensor, ""]  # so many so far: the next one's slot

    def see(self, pictures: UInt8[Tensor, "draw channel height width"]) -> None:
        """Keep drawn pictures, in place of the oldest ones."""
        for picture in pictures[-len(self.drawn) :]:
            self.drawn[self.n_drawn % len(self.drawn)] = picture.to(self.drawn)
            self.n_drawn += 1

    def learn(
        self,
        real: Callable[[Int[Tensor, " real"]], Pixels],
        n_real: int,
        *,
        n_updates: int,
        views: RecogniserConfig,
        generator: torch.Generator,
    ) -> float:
        """Tell real from drawn a little better.

        Args:
            real: Pictures by their numbers, in 0..255.
            n_real: How many there are.
            n_updates: Updates.
            views: Strengths of the views that both are seen through.
            generator: Draws pictures and views.

        Returns:
            The mean loss: 2 where the critic knows nothing.
        """
        self.critic.train().requires_grad_(True)
        n_kept, device = min(int(self.n_drawn), len(self.drawn)), self.drawn.device
        whole = 0.0
        for _ in range(n_updates):
            chosen = torch.randint(n_real, (BATCH,), generator=generator)
            kept = torch.randint(n_kept, (BATCH,), generator=generator).to(device)
            seen = [
                self.critic(augment(pixels, views, generator=generator))
                for pixels in (real(chosen), self.drawn[kept].float())
            ]
            value, _ = ascend(self.optimizer, -hinge_loss(*seen))
            whole -= value
        return whole / n_updates

    def tensors(self) -> dict[str, Tensor]:
        """All state by name, for a checkpoint."""
        state = named_tensors({"critic": self.critic}, {"critic_optimizer": self.optimizer})
        return state | {"drawn_pictures": self.drawn, "n_drawn_pictures": self.n_drawn}

    def load_tensors(self, state: dict[str, Tensor]) -> None:
        """Put saved state back (the inverse of `tensors`)."""
        load_named_tensors(state, {"critic": self.critic}, {"critic_optimizer": self.optimizer})
        self.drawn.copy_(state["drawn_pictures"])
        self.n_drawn.copy_(state["n_drawn_pictures"])


def new_realism(
    channels: int,
    side: int,
    *,
    learning_rate: float,
    generator: torch.Generator,
    device: torch.device,
) -> Realism:
    """A critic that knows nothing yet.

    Args:
        channels: Of a picture.
        side: Of a picture, in pixels.
        learning_rate: Of Adam.
        generator: Draws the first weights.
        device: Where it learns.
    """
    critic = Critic(channels, side, generator=generator).to(device)
    return Realism(
        critic=critic,
        optimizer=torch.optim.Adam(critic.parameters(), lr=learning_rate, betas=BETAS),
        drawn=torch.zeros((POOL, channels, side, side), dtype=torch.uint8, device=device),
        n_drawn=torch.zeros((), dtype=torch.long, device=device),
    )
