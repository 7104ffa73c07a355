"""Which steps of a chain are trained: all of them, or a few at a time, which costs less.

The last step of a chain is never among them: it leads to the finished picture, has no noise, and
so no density.
"""

from typing import Literal

import torch

from reinforge.randomness import torch_generator

Window = Literal["all", "random", "fraction", "progressive"]


def trained_steps(
    window: Window, n_denoising: int, n_trained: int, index: int, n_steps: int, *, seed: int
) -> tuple[int, ...]:
    """Positions in the chain (0 = noisiest) whose actions earn gradient at one iteration.

    Args:
        window: "all" steps but the last; "random": n_trained neighbours, anew each iteration
            (Flow-GRPO-Fast); "fraction": n_trained single steps (DDPO's timestep fraction);
            "progressive": a window that moves from noise to picture as training goes on (MixGRPO,
            arXiv:2507.21802).
        n_denoising: Steps of the chain.
        n_trained: Length of the window; the noisy steps number n_denoising - 1.
        index: The iteration.
        n_steps: Iterations of the whole training.
        seed: Of the run.

    Returns:
        Positions, rising.
    """
    n_noisy = n_denoising - 1
    n_trained = min(n_trained, n_noisy)
    if window == "all":
        return tuple(range(n_noisy))
    generator = torch_generator(seed, "identity/window", index)
    n_starts = n_noisy - n_trained + 1
    if window == "fraction":
        chosen = torch.randperm(n_noisy, generator=generator)[:n_trained]
        return tuple(sorted(chosen.tolist()))
    if window == "random":
        first = int(torch.randint(n_starts, (), generator=generator))
    else:
        first = min(n_starts * index // n_steps, n_starts - 1)
    return tuple(range(first, first + n_trained))
