"""Settings of the tabular system, and the presets that follow the paper."""

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from reinforge.errors import InputError

FEW_ROWS, ENOUGH_ROWS = 200, 500  # between them settings go from private to useful
MANY_ROWS = 2000  # learn next to nothing of one row, also where the encoder sees it whole
WIDE_ROWS, MOST_ROWS = 5000, 20_000  # between them the policy widens; then nothing grows


class TabularConfig(BaseModel):
    """How a table is learnt; every field is a flag (`--set n_steps=500`), saved with the run."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # representation
    heads: Literal["auto", "gaussian", "bins", "minmax"] = Field(
        "auto", description="head of numeric columns: by their shape, or one kind for all"
    )
    n_bins: int = Field(20, ge=2, le=1000, description="quantile bins of a binned column")
    max_levels: int = Field(12, ge=2, le=1000, description="most frequent numbers kept as levels")
    min_rows: int = Field(5, ge=1, description="least rows behind any number or level stored")

    look_up: bool = Field(
        True,
        description="columns that another column decides are looked up, and sums and multiples of "
        "others are worked out, not drawn",
    )

    target_last: bool = Field(
        True, description="a target with levels is drawn last and sees the other columns"
    )

    # policy
    noise_dim: int = Field(16, ge=1, description="length of the latent z")
    hidden: int | None = Field(
        None,
        ge=1,
        description="width of the policy's layers; None: 192, and from 5,000 to 20,000 rows more "
        "with their square root",
    )
    n_layers: int = Field(2, ge=1, le=8, description="hidden layers of the policy")
    deviation: Literal["shared", "state", "fixed"] = Field(
        "shared", description="log sigma: one free number a column, a function of z, or fixed"
    )
    initial_log_std: float = Field(-1.0, description="where log sigma starts (or stays)")
    correlated: bool = Field(
        True, description="amounts deviate from their means together, by one matrix for all rows"
    )

    # cold start
    cold_start_steps: int | None = Field(
        None,
        ge=0,
        description="steps of imitation before the first reward; None: 1,000 for 500 rows, fewer "
        "with the rows to the power of 1.5 (at least 100), more with their square root",
    )
    cold_start_kl: float = Field(0.5, gt=0, description="weight of the latent's divergence")
    hidden_from_encoder: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="share of a row's columns that the cold start's encoder is not shown; None: "
        "0.75 up to 200 rows, 0.5 for 500, 0 for 2,000 and more, on straight lines between them",
    )
    cold_start_learning_rate: float = Field(
        2e-3, gt=0, lt=1, description="Adam, encoder and policy"
    )
    direct_learning_rate: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Adam, cold start: weights that tie a column to others directly; None: 0.01, "
        "and more where fewer than 1,000 steps must bring them as far",
    )

    discriminator_warmup: int = Field(
        200, ge=0, description="steps in which the discriminator alone learns after a cold start"
    )

    # reward
    realism: Literal["discriminator", "mmd", "sliced_wasserstein"] = Field(
        "discriminator", description="what rewards rows for looking real"
    )
    reward_scale: Literal["logit", "probability"] = Field(
        "logit", description="the discriminator's logit (log odds of real) or its sigmoid"
    )
    discriminator_hidden: int | None = Field(
        None,
        ge=1,
        description="width of its layers; None: 128 up to 500 rows, 192 for 2,000 and more, on a "
        "straight line between them, as are the next three",
    )
    discriminator_steps: int | None = Field(
        None, ge=1, description="its updates an iteration; None: 2 and 3"
    )
    discriminator_learning_rate: float | None = Field(
        None, gt=0, lt=1, description="Adam; None: 0.0004 and 0.001"
    )
    r1_weight: float | None = Field(
        None, ge=0, description="gamma of the R1 gradient penalty; None: 0.1 and 0.5"
    )
    r1_every: int = Field(
        8, ge=1, description="penalise every so many updates, so many times as hard"
    )

    # update
    estimator: Literal["ppo", "reinforce", "reparameterised"] = Field(
        "ppo", description="the gradient; reparameterised is the GAN that RLSyn is compared with"
    )
    clip_range: float | None = Field(0.2, gt=0, lt=1, description="None: no clipping")
    n_epochs: int = Field(2, ge=1, le=100, description="passes over one rollout")
    draws_per_latent: int = Field(1, ge=1, description="2 or more: group-relative advantages")
    value_baseline: bool = Field(True, description="a value head forecasts the reward")
    value_weight: float = Field(0.5, ge=0, description="of the value head's squared error")
    entropy_weight: float = Field(1e-3, ge=0, description="of the entropy bonus, per nat")
    closed_form_entropy: bool = Field(True, description="False: -log p of the draws, as released")
    mean_matching: float = Field(0.0, ge=0, description="weight of the penalty on column means")
    mean_matching_gradient: bool = Field(True, description="False: inert, as released")
    learning_rate: float = Field(3e-4, gt=0, lt=1, description="Adam, policy and value head")
    final_learning_rate: float = Field(1.0, gt=0, le=1, description="last rate over first (cosine)")
    max_grad_norm: float | None = Field(None, gt=0, description="None: not clipped")
    average_from: float | None = Field(
        0.0, ge=0, lt=1, description="average weights from this share of training on; None: last"
    )

    # length
    n_steps: int | None = Field(
        None,
        ge=1,
        description="iterations of reinforcement; None: 400, and from 500 to 20,000 rows more with "
        "their square root",
    )
    batch_rows: int = Field(256, ge=2, description="rows drawn an iteration")
    checkpoint_every: int = Field(200, ge=1, description="iterations between checkpoints")

    def for_rows(self, n_rows: int) -> "FilledConfig":
        """The settings with what depends on the table's height filled in.

        Of few rows less is learnt by heart; many rows teach a larger discriminator, which then has
        more to tell, and a policy that is reinforced for longer.
        """
        ratio = n_rows / ENOUGH_ROWS
        grown = min(max(ratio, 1.0), MOST_ROWS / ENOUGH_ROWS)
        wider = min(max(n_rows / WIDE_ROWS, 1.0), MOST_ROWS / WIDE_ROWS)
        by_height: dict[str, Any] = {
            "cold_start_steps": max(100, round(1000 * ratio ** (1.5 if ratio < 1 else 0.5))),
            "hidden_from_encoder": _between(n_rows, 0.75, 0.5, 0.0),
            "hidden": round(192 * wider**0.5),
            "discriminator_hidden": round(_between(n_rows, 128.0, 128.0, 192.0)),
            "discriminator_steps": round(_between(n_rows, 2.0, 2.0, 3.0)),
            "discriminator_learning_rate": _between(n_rows, 4e-4, 4e-4, 1e-3),
            "r1_weight": _between(n_rows, 0.1, 0.1, 0.5),
            "n_steps": round(400 * grown**0.5),
        }
        settings = {**self.model_dump(), **by_height, **self.model_dump(exclude_none=True)}
        if self.direct_learning_rate is None:
            n_steps = settings["cold_start_steps"]
            settings["direct_learning_rate"] = min(max(0.01, 10 / max(n_steps, 1)), 0.1)
        return FilledConfig(**settings)

    @property
    def draws_target_last(self) -> bool:
        """Whether a target's head sees the other columns; no gradient flows through their draws."""
        return self.target_last and self.estimator != "reparameterised"


class FilledConfig(TabularConfig):
    """The settings for a table of known height: no number is left open."""

    hidden: int
    cold_start_steps: int
    hidden_from_encoder: float
    direct_learning_rate: float
    discriminator_hidden: int
    discriminator_steps: int
    discriminator_learning_rate: float
    r1_weight: float
    n_steps: int

    @property
    def steps_before(self) -> int:
        """Steps before reinforcement: imitation, then the discriminator alone."""
        if not self.cold_start_steps:
            return 0
        return self.cold_start_steps + self.discriminator_warmup

    @property
    def total_steps(self) -> int:
        """Steps of all phases."""
        return self.steps_before + self.n_steps


def _between(n_rows: int, few: float, enough: float, many: float) -> float:
    """On straight lines between what holds for few, for enough and for many rows."""
    return float(np.interp(n_rows, (FEW_ROWS, ENOUGH_ROWS, MANY_ROWS), (few, enough, many)))


# RLSyn's published settings (arXiv:2512.21395 and its public code), each with what is said of it.
_RLSYN_SHARED: dict[str, Any] = {
    "heads": "minmax",  # "continuous columns min-max", tanh policy, independent Bernoulli flags
    "look_up": False,  # every column is drawn
    "target_last": False,  # and all of them at once
    "cold_start_steps": 0,  # the policy starts from random weights
    "n_layers": 2,  # trunk: Linear-ReLU-Linear-ReLU
    "deviation": "shared",  # log sigma is a free vector, not a function of z
    "initial_log_std": 0.0,  # "init 0"
    "correlated": False,  # columns are independent given z
    "reward_scale": "probability",  # r = sigmoid(D(row))
    "r1_weight": 5.0,  # gamma 5 on both data sets
    "r1_every": 1,  # the penalty is part of every discriminator update
    "estimator": "ppo",
    "clip_range": 0.1,  # clip eps 0.1 on both
    "draws_per_latent": 1,  # one row a latent
    "value_baseline": True,  # A = r - v, standardised
    "value_weight": 0.5,  # value coefficient 0.5
    "entropy_weight": 1e-3,  # entropy beta 1e-3
    "closed_form_entropy": False,  # entropy estimate = -mean log p of the stored rows
    "mean_matching_gradient": False,  # rows are detached in the released loop: a constant
    "final_learning_rate": 1.0,  # constant rates, Adam for both nets
    "average_from": None,  # the last weights sample
    "n_steps": 30_000,  # 30,000 iterations on both
}
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "rlsyn-mimic": {
        **_RLSYN_SHARED,
        "batch_rows": 3840,  # batch 3840
        "noise_dim": 128,  # z ~ N(0, I) of length 128
        "hidden": 128,  # G hidden 128
        "discriminator_hidden": 256,  # D hidden 256
        "learning_rate": 5e-4,  # G lr
        "discriminator_learning_rate": 1e-4,  # D lr
        "discriminator_steps": 3,  # K = 3 discriminator updates an iteration
        "n_epochs": 2,  # PPO epochs
        "mean_matching": 0.0,  # lambda_m 0: no mean penalty
    },
    "rlsyn-aireadi": {
        **_RLSYN_SHARED,
        "batch_rows": 384,  # batch 384
        "noise_dim": 112,  # z ~ N(0, I) of length 112
        "hidden": 128,  # G hidden 128
        "discriminator_hidden": 128,  # D hidden 128
        "learning_rate": 2e-4,  # G lr
        "discriminator_learning_rate": 5e-5,  # D lr
        "discriminator_steps": 5,  # K = 5 discriminator updates an iteration
        "n_epochs": 3,  # PPO epochs
        "mean_matching": 0.2,  # lambda_m 0.2, without effect in the released loop
    },
}


def resolve_config(preset: str, settings: dict[str, Any]) -> TabularConfig:
    """A preset with the user's settings laid over it.

    Raises:
        InputError: Unknown preset or setting (with the nearest known name), or a value out of
            range.
    """
    from reinforge.settings import validated

    if preset not in PRESETS:
        raise InputError(f"preset {preset!r} is not known; choose from {', '.join(PRESETS)}.")
    config = validated(TabularConfig, {**PRESETS[preset], **settings})
    if config.estimator == "reparameterised" and config.realism != "discriminator":
        raise InputError(
            "estimator 'reparameterised' goes through a discriminator; set realism to "
            "'discriminator' or estimator to 'ppo'."
        )
    return config
