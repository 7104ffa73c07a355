"""Gaussian diffusion: the noise schedule, and the one transition kernel that samples and scores.

A denoising chain is a decision process (DDPO, arXiv:2305.13301, sec. 4): the state is (x_t, t, c),
the action x_prev ~ N(mean_theta(x_t, t, c), std_t^2), and the density of an action that was taken
must be the very one that drew it. That is why drawing and scoring share one function.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reinforge.errors import InputError
from reinforge.policy_gradient.log_prob import LOG_SQRT_TAU

PREDICTIONS = ("epsilon", "v_prediction", "sample")
CLEAN = -1  # the time of a finished picture: no noise is left


@dataclass(frozen=True)
class NoiseSchedule:
    """How much of a picture is left at each time (DDPM, arXiv:2006.11239, eq. 4)."""

    alpha_bar: Float[Tensor, " time"]  # share of the signal's variance, falling with time
    prediction: str = "epsilon"  # what the network predicts

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "NoiseSchedule":
        """Read a scheduler_config.json as diffusers writes it.

        Raises:
            InputError: Another kind of process, or a kind of betas or prediction not known here.
        """
        prediction = config.get("prediction_type", "epsilon")
        if prediction not in PREDICTIONS:
            raise InputError(
                f"scheduler: prediction_type {prediction!r} is not known; "
                f"wanted one of {', '.join(PREDICTIONS)}."
            )
        if "beta_schedule" not in config and not config.get("trained_betas"):
            raise InputError(
                "scheduler: no beta_schedule, so this is no noise schedule of a diffusion model; "
                "wanted the scheduler_config.json of DDIM, DDPM or DPM-Solver."
            )
        if config.get("rescale_betas_zero_snr"):
            raise InputError(
                "scheduler: rescale_betas_zero_snr is not supported: at its first time nothing of "
                "the picture is left, so a transition has no density there."
            )
        return cls(torch.cumprod(1.0 - _betas(config), 0).float(), prediction)

    def grid(self, n_steps: int) -> Int[Tensor, " step"]:
        """Times visited by a chain of n_steps, falling, from the noisiest time on.

        "Trailing" spacing: the first time is the last one that was trained, so that pure noise is
        what the network expects there (arXiv:2305.08891, sec. 3.3). After the last one comes CLEAN.
        """
        n_train = len(self.alpha_bar)
        if not 1 <= n_steps <= n_train:
            raise InputError(f"n_denoising must lie in 1..{n_train}, got {n_steps}.")
        places = torch.arange(n_train, 0, -n_train / n_steps, dtype=torch.float64)[:n_steps]
        return places.round().long() - 1

    def signal(self, time: Int[Tensor, " draw"]) -> Float[Tensor, "draw 1 1 1"]:
        """alpha_bar at each draw's time; 1 at CLEAN."""
        table = torch.cat([self.alpha_bar, self.alpha_bar.new_ones(1)]).to(time.device)
        return table[time][:, None, None, None]

    def noised(
        self,
        clean: Float[Tensor, "draw channel height width"],
        noise: Float[Tensor, "draw channel height width"],
        time: Int[Tensor, " draw"],
    ) -> Float[Tensor, "draw channel height width"]:
        """x_t = sqrt(a) x_0 + sqrt(1 - a) noise (arXiv:2006.11239, eq. 4)."""
        signal = self.signal(time)
        return signal.sqrt() * clean + (1 - signal).sqrt() * noise

    def target(
        self,
        clean: Float[Tensor, "draw channel height width"],
        noise: Float[Tensor, "draw channel height width"],
        time: Int[Tensor, " draw"],
    ) -> Float[Tensor, "draw channel height width"]:
        """What the network should predict; v = sqrt(a) noise - sqrt(1 - a) x_0 (2202.00512)."""
        if self.prediction == "epsilon":
            return noise
        if self.prediction == "sample":
            return clean
        signal = self.signal(time)
        return signal.sqrt() * noise - (1 - signal).sqrt() * clean

    def clean_and_noise(
        self,
        noisy: Float[Tensor, "draw channel height width"],
        predicted: Float[Tensor, "draw channel height width"],
        time: Int[Tensor, " draw"],
    ) -> tuple[
        Float[Tensor, "draw channel height width"], Float[Tensor, "draw channel height width"]
    ]:
        """The picture and the noise that a prediction amounts to."""
        signal = self.signal(time)
        keep, spread = signal.sqrt(), (1 - signal).sqrt()
        if self.prediction == "epsilon":
            return (noisy - spread * predicted) / keep, predicted
        if self.prediction == "sample":
            return predicted, (noisy - keep * predicted) / spread
        return keep * noisy - spread * predicted, keep * predicted + spread * noisy


def _betas(config: dict[str, Any]) -> Float[Tensor, " time"]:
    if config.get("trained_betas"):
        return torch.tensor(config["trained_betas"], dtype=torch.float64)
    n = int(config.get("num_train_timesteps", 1000))
    first, last = float(config.get("beta_start", 1e-4)), float(config.get("beta_end", 0.02))
    kind = config["beta_schedule"]
    if kind == "linear":
        return torch.linspace(first, last, n, dtype=torch.float64)
    if kind == "scaled_linear":
        return torch.linspace(first**0.5, last**0.5, n, dtype=torch.float64).square()
    if kind == "squaredcos_cap_v2":
        share = torch.arange(n + 1, dtype=torch.float64) / n
        kept = torch.cos((share + 0.008) / 1.008 * math.pi / 2).square()
        return (1 - kept[1:] / kept[:-1]).clamp(max=0.999)
    raise InputError(
        f"scheduler: beta_schedule {kind!r} is not known; wanted linear, scaled_linear or "
        "squaredcos_cap_v2."
    )


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One step of the chain for every draw."""

    to: Float[Tensor, "draw channel height width"]  # the state that follows
    mean: Float[Tensor, "draw channel height width"]
    std: Float[Tensor, "draw 1 1 1"]  # 0 where the step is deterministic
    log_prob: Float[Tensor, " draw"]  # of `to`, summed over entries, nats; 0 where std is 0


def transition(
    schedule: NoiseSchedule,
    noisy: Float[Tensor, "draw channel height width"],
    predicted: Float[Tensor, "draw channel height width"],
    time: Int[Tensor, " draw"],
    time_after: Int[Tensor, " draw"],
    *,
    eta: float = 1.0,
    noise: Float[Tensor, "draw channel height width"] | None = None,
    to: Float[Tensor, "draw channel height width"] | None = None,
) -> Transition:
    """Draw the next state, or score one that was drawn.

    With a, b = alpha_bar at `time` and `time_after`:
    std = eta sqrt((1 - b) / (1 - a) (1 - a / b)),
    mean = sqrt(b) x0_hat + sqrt(1 - b - std^2) eps_hat   (DDIM, arXiv:2010.02502, eq. 12 and 16).

    All of it runs in float32, whatever the network ran in, and the sum of log-densities in float64:
    the ratio of two of them is the whole signal of the update.

    Args:
        schedule: Of the prior.
        noisy: The state x_t.
        predicted: The network's prediction for it.
        time: t of each draw.
        time_after: The time that the step leads to; CLEAN is deterministic whatever eta says.
        eta: 0 deterministic, 1 the ancestral step.
        noise: Standard normal, to draw with; None means the mean itself.
        to: A state that was drawn: score it and draw nothing.

    Returns:
        The step; gradients flow into `mean` and `log_prob`, never into a drawn `to`.
    """
    noisy, predicted = noisy.float(), predicted.float()
    signal, signal_after = schedule.signal(time), schedule.signal(time_after)
    clean, direction = schedule.clean_and_noise(noisy, predicted, time)
    kept = (1 - signal_after) / (1 - signal) * (1 - signal / signal_after)
    std = eta * kept.clamp(min=0).sqrt()
    mean = signal_after.sqrt() * clean
    mean = mean + (1 - signal_after - std.square()).clamp(min=0).sqrt() * direction
    if to is None:
        to = mean.detach() if noise is None else mean.detach() + std * noise
    return Transition(to=to, mean=mean, std=std, log_prob=_log_prob(to, mean, std))


def _log_prob(
    to: Float[Tensor, "draw channel height width"],
    mean: Float[Tensor, "draw channel height width"],
    std: Float[Tensor, "draw 1 1 1"],
) -> Float[Tensor, " draw"]:
    safe = torch.where(std > 0, std, torch.ones_like(std))
    standard = ((to - mean) / safe).flatten(1).double()
    n_entries = standard.shape[1]
    constant = n_entries * (safe.flatten().double().log() + LOG_SQRT_TAU)
    log_prob = -0.5 * standard.square().sum(1) - constant
    return torch.where(std.flatten() > 0, log_prob, torch.zeros_like(log_prob))


def kl_between(
    mean: Float[Tensor, "draw channel height width"],
    other: Float[Tensor, "draw channel height width"],
    std: Float[Tensor, "draw 1 1 1"],
) -> Float[Tensor, " draw"]:
    """KL of two steps of equal deviation: |mean - other|^2 / (2 std^2), nats (DPOK, 2305.16381)."""
    safe = torch.where(std > 0, std, torch.ones_like(std))
    gap = ((mean - other) / safe).flatten(1).square().sum(1) / 2
    return torch.where(std.flatten() > 0, gap, torch.zeros_like(gap))
