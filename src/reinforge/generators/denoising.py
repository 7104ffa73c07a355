"""The ordinary loss of a diffusion model: guess the noise that was put into a picture."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import predict
from reinforge.generators.precision import Precision, is_bfloat16


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
    n_draws, device = len(clean), clean.device
    n_times = len(schedule.alpha_bar)
    time = torch.randint(n_times, (n_draws,), generator=generator).to(device)
    noise = torch.randn(clean.shape, generator=generator).to(device)
    is_dropped = (torch.rand(n_draws, generator=generator) < label_drop).to(device)
    label = torch.where(is_dropped, null_label, label)
    noisy = schedule.noised(clean, noise, time)
    predicted = predict(transformer, noisy, time, label, bf16=is_bfloat16(precision, device))
    return (predicted - schedule.target(clean, noise, time)).square().mean()
