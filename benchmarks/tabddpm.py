"""TabDDPM (arXiv:2209.15421), written anew after the paper and its authors' code.

Numbers become quantile-normal scores and take Gaussian noise, which the net predicts; levels of
text take multinomial noise in log space (Hoogeboom et al., arXiv:2102.05379), where the net
predicts the clean level. One MLP sees both, the time as sinusoids, and the row's class, which is
drawn in the train rows' proportions. A target that is a number is one more number. As in the
authors' pipeline: cosine schedule, AdamW with a rate that falls to 0, weights as they are at the
end (the pipeline keeps an average and does not use it), and numbers of few whole values go to the
nearest one that was seen. One thing differs: the net sees levels as one-hot, as the paper has it;
the authors' code shows it the log of that (0 and -69), which learns far slower on small tables (on
heart, 2,000 steps: column distance .16 with logs, .03 without).

Missing values, which the authors leave to the user: a number gets its median and a text column
beside it that says so; for text, missing is one more level.
"""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from cart import GONE, plain, unplain
from peers.worker import Sampler
from reinforge.randomness import generator, number_from, torch_generator
from tabddpm_columns import Columns

N_STEPS = 5_000  # the authors: up to 30,000, chosen for each table
BATCH = 4_096  # or all rows, where there are fewer
N_TIMES = 200  # theirs: 100 or 1,000
WIDTH = 256  # of each of three layers
TIME_WIDTH = 128
LEARNING_RATE = 1e-3
ZERO = 1e-30  # in place of a probability of 0, whose log is wanted
STREAM = "benchmark tabddpm"


def fit_tabddpm(train: pd.DataFrame, *, target: str, seed: int, n_steps: int = N_STEPS) -> Sampler:
    """Train the net on all rows; a sample is a walk from noise through every time."""
    frame = plain(train)
    is_class = not pd.api.types.is_numeric_dtype(frame[target])
    row_class = frame.pop(target) if is_class else pd.Series(0, index=frame.index)
    classes, positions = np.unique(row_class, return_inverse=True)
    columns = Columns.of(frame, seed=seed)
    with torch.random.fork_rng(devices=[]):  # layers draw weights from the global generator
        torch.manual_seed(number_from(seed, f"{STREAM}/weights"))
        net = _Denoiser(columns.width, n_classes=len(classes))
    diffusion = Diffusion(columns)
    _train(
        net,
        diffusion,
        columns.encode(frame),
        torch.as_tensor(positions),
        n_steps=n_steps,
        seed=seed,
    )

    def sample(n: int) -> pd.DataFrame:
        drawn = generator(seed, f"{STREAM}/classes").choice(positions, size=n)
        walk = torch_generator(seed, f"{STREAM}/walk")
        made = columns.decode(diffusion.sample(net, torch.as_tensor(drawn), generator=walk))
        made = made.assign(**{target: classes[drawn]}) if is_class else made
        return unplain(_with_gaps(made), like=train)

    return sample


def _with_gaps(made: pd.DataFrame) -> pd.DataFrame:
    gaps = {
        name: made[name].mask(made[name + GONE] == "yes") for name in made if name + GONE in made
    }
    return made.assign(**gaps)


def _log(levels: Tensor) -> Tensor:
    return levels.clamp(min=ZERO).log()


class _Denoiser(nn.Module):
    """The authors' MLP: what is noisy, the time and the class added up, then three layers."""

    def __init__(self, width: int, *, n_classes: int) -> None:
        super().__init__()
        self.enter = nn.Linear(width, TIME_WIDTH)
        self.time = nn.Sequential(
            nn.Linear(TIME_WIDTH, TIME_WIDTH), nn.SiLU(), nn.Linear(TIME_WIDTH, TIME_WIDTH)
        )
        self.kind = nn.Embedding(n_classes, TIME_WIDTH)
        sizes = [TIME_WIDTH, WIDTH, WIDTH, WIDTH]
        hidden = [nn.Linear(sizes[i], sizes[i + 1]) for i in range(3)]
        self.body = nn.Sequential(*(part for layer in hidden for part in (layer, nn.ReLU())))
        self.leave = nn.Linear(WIDTH, width)

    def forward(self, noisy: Tensor, time: Tensor, kind: Tensor) -> Tensor:
        speeds = torch.exp(torch.arange(TIME_WIDTH // 2) * (-math.log(10_000) / (TIME_WIDTH // 2)))
        angles = time[:, None] * speeds
        told = self.time(torch.cat([angles.cos(), angles.sin()], dim=1))
        told = told + functional.silu(self.kind(kind))
        return self.leave(self.body(self.enter(noisy) + told))


class Diffusion:
    """Noise on scores and on levels, and the way back; times count from 0, the least noisy."""

    def __init__(self, columns: Columns) -> None:
        self.sizes = columns.sizes
        self.parts = [len(columns.fill), sum(columns.sizes)]
        self.log_levels = torch.tensor([float(k) for k in self.sizes for _ in range(k)]).log()
        curve = torch.cos(
            (torch.linspace(0, 1, N_TIMES + 1).double() + 0.008) / 1.008 * math.pi / 2
        )
        kept = (curve[1:] / curve[:-1]).square().clamp(min=0.001)
        self.kept, self.all_kept = kept.float(), kept.cumprod(0).float()
        self.kept_before = torch.cat([torch.ones(1), self.all_kept[:-1]])

    def loss(
        self, net: nn.Module, clean: Tensor, kind: Tensor, *, draws: torch.Generator
    ) -> Tensor:
        """Squared error of the noise + bound of the levels, as large as over all times."""
        time = torch.randint(N_TIMES, (len(clean),), generator=draws)
        scores, levels = clean.split(self.parts, dim=1)
        noise = torch.randn(scores.shape, generator=draws)
        share = self.all_kept[time, None]
        noisy_scores = share.sqrt() * scores + (1 - share).sqrt() * noise
        noisy_levels = self._draw(self.blurred(_log(levels), share), generator=draws)
        told = net(torch.cat([noisy_scores, noisy_levels], dim=1), time, kind)
        told_noise, told_levels = told.split(self.parts, dim=1)
        loss = torch.zeros(())
        if self.parts[0]:
            loss = (noise - told_noise).square().mean()
        if self.parts[1]:
            bound = self._bound(self._normal(told_levels), levels, noisy_levels, time=time)
            loss = loss + N_TIMES * bound.mean() / len(self.sizes)
        return loss

    @torch.no_grad()
    def sample(self, net: nn.Module, kind: Tensor, *, generator: torch.Generator) -> Tensor:
        """From Gaussian noise and even levels back to time 0."""
        n = len(kind)
        scores = torch.randn((n, self.parts[0]), generator=generator)
        levels = self._draw(torch.zeros(n, self.parts[1]), generator=generator)
        for now in reversed(range(N_TIMES)):
            time = torch.full((n,), now)
            told = net(torch.cat([scores, levels], dim=1), time, kind)
            told_noise, told_levels = told.split(self.parts, dim=1)
            noise = torch.randn(scores.shape, generator=generator)
            scores = self._step(scores, told_noise, now) + self._deviation(now) * noise
            before = self.before(self._normal(told_levels), levels, time=time)
            levels = self._draw(before, generator=generator)
        return torch.cat([scores, levels], dim=1)

    def _step(self, scores: Tensor, told_noise: Tensor, now: int) -> Tensor:
        kept, share = self.kept[now], self.all_kept[now]
        return (scores - (1 - kept) / (1 - share).sqrt() * told_noise) / kept.sqrt()

    def _deviation(self, now: int) -> Tensor:
        return (1 - self.kept[now]).sqrt() if now else torch.zeros(())

    def _bound(self, told: Tensor, levels: Tensor, noisy: Tensor, *, time: Tensor) -> Tensor:
        """KL of the step before, true from told; at time 0 the log-likelihood of the level."""
        true, model = (self.before(start, noisy, time=time) for start in (_log(levels), told))
        divergence = (true.exp() * (true - model)).sum(dim=1)
        return torch.where(time == 0, -(levels * model).sum(dim=1), divergence)

    def before(self, start: Tensor, noisy: Tensor, *, time: Tensor) -> Tensor:
        """q(x[t-1] | x[t], x[0]) in logs (arXiv:2102.05379, eq. 14-15)."""
        earlier = torch.where(
            time[:, None] == 0, start, self.blurred(start, self.kept_before[time, None])
        )
        return self._normal(earlier + self.blurred(_log(noisy), self.kept[time, None]))

    def blurred(self, logs: Tensor, share: Tensor) -> Tensor:
        """log(share p + (1 - share) / K)."""
        return torch.logaddexp(
            logs + share.log(), (1 - share).clamp(min=ZERO).log() - self.log_levels
        )

    def _normal(self, logs: Tensor) -> Tensor:
        return self._by_column(lambda block: block.log_softmax(dim=1), logs)

    def _draw(self, logs: Tensor, *, generator: torch.Generator) -> Tensor:
        """A level of each column by the Gumbel trick, one-hot."""
        uniform = torch.rand(logs.shape, generator=generator)
        loud = logs - torch.log(-torch.log(uniform + ZERO) + ZERO)

        def chosen(block: Tensor) -> Tensor:
            return functional.one_hot(block.argmax(dim=1), block.shape[1]).float()

        return self._by_column(chosen, loud)

    def _by_column(self, change: Callable[[Tensor], Tensor], logs: Tensor) -> Tensor:
        if not self.sizes:
            return logs
        return torch.cat([change(block) for block in logs.split(self.sizes, dim=1)], dim=1)


def _train(
    net: nn.Module,
    diffusion: Diffusion,
    rows: Tensor,
    kind: Tensor,
    *,
    n_steps: int,
    seed: int,
) -> None:
    optimizer = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / n_steps)
    draws = torch_generator(seed, f"{STREAM}/train")
    size = min(BATCH, len(rows))
    order, start = torch.empty(0), 0
    for _ in range(n_steps):
        if start + size > len(order):
            order, start = torch.randperm(len(rows), generator=draws), 0
        batch, start = order[start : start + size], start + size
        optimizer.zero_grad()
        diffusion.loss(net, rows[batch], kind[batch], draws=draws).backward()
        optimizer.step()
        falling.step()
