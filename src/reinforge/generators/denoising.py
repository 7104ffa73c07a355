"""The ordinary loss of a diffusion model: guess the noise that was put into a picture."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import predict
from reinforge.generators.precision import Precision, is_bfloat16


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the network is asked, and what it should say."""

    noisy: Float[Tensor, "draw channel height width"]
    time: Int[Tensor, " draw"]
    label: Int[Tensor, " draw"]
    target: Float[Tensor, "draw channel height width"]

    def part(self, draws: slice) -> "Asked":
        """Some of the draws."""
        return Asked(**{name: value[draws] for name, value in vars(self).items()})


def denoising_loss(
    transformer: torch.nn.Module,
    schedule: NoiseSchedule,
    clean: Float[Tensor, "draw channel height width"],
    label: Int[Tensor, " draw"],
    *,
    null_label: int,
    label_drop: float,
    generator: torch.Generator,
    precision: Precision = "float32",
) -> Float[Tensor, ""]:
    """Mean squared error of the prediction at random times (DDPM, arXiv:2006.11239, eq. 14).

    A label is dropped once for the whole network, not anew in every block, so that the null row
    learns to draw pictures of nobody in particular (classifier-free guidance, arXiv:2207.12598).

    Args:
        transformer: A DiT; its own label dropout is off (eval mode).
        schedule: Of the prior.
        clean: Encoded pictures.
        label: Identity of each.
        null_label: The row that stands for no identity.
        label_drop: Share of labels replaced by it.
        generator: Draws times, noise and drops, on the CPU.
        precision: Of the network's pass.

    Returns:
        The loss, mean over entries and draws.
    """
    asked = asked_of(
        schedule,
        clean,
        label,
        null_label=null_label,
        label_drop=label_drop,
        generator=generator,
    )
    return squared_error(transformer, asked, precision=precision)


def asked_of(
    schedule: NoiseSchedule,
    clean: Float[Tensor, "draw channel height width"],
    label: Int[Tensor, " draw"],
    *,
    null_label: int,
    label_drop: float,
    generator: torch.Generator,
) -> Asked:
    """Draw times, noise and drops for a batch; parts of it may then go their own ways."""
    n_draws, device = len(clean), clean.device
    n_times = len(schedule.alpha_bar)
    time = torch.randint(n_times, (n_draws,), generator=generator).to(device)
    noise = torch.randn(clean.shape, generator=generator).to(device)
    is_dropped = (torch.rand(n_draws, generator=generator) < label_drop).to(device)
    label = torch.where(is_dropped, null_label, label)
    noisy = schedule.noised(clean, noise, time)
    target = schedule.target(clean, noise, time)
    return Asked(noisy=noisy, time=time, label=label, target=target)


def squared_error(
    transformer: torch.nn.Module, asked: Asked, *, precision: Precision = "float32"
) -> Float[Tensor, ""]:
    """Mean squared error of the prediction, over entries and draws."""
    bf16 = is_bfloat16(precision, asked.noisy.device)
    predicted = predict(transformer, asked.noisy, asked.time, asked.label, bf16=bf16)
    return (predicted - asked.target).square().mean()
