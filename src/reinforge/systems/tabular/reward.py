"""Rewards beyond realism, as plug-ins: the user's own, rules, privacy and usefulness.

The policy maximises E[logit D(x) + sum_k w_k r_k(x)]. At its optimum the discriminator's logit is
log p_real(x) / p_policy(x), so the maximum is the tilted distribution p_real(x) exp(sum_k w_k
r_k(x)) / Z: a row whose reward is higher by 1 becomes e^w times as likely as the data have it.
That is what a weight means.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reinforge.data.coded import to_coded
from reinforge.errors import InputError
from reinforge.measure.distances import nearest
from reinforge.measure.features import FeatureEncoder
from reinforge.schema import Schema
from reinforge.systems.tabular.rules import Rule

RowReward = Callable[[pd.DataFrame], Any]  # decoded rows -> one number a row


@dataclass(frozen=True, kw_only=True)
class TrainRows:
    """What a reward may learn from before training: the training rows, never the holdout."""

    frame: pd.DataFrame
    coded: pd.DataFrame
    schema: Schema
    target: str | None
    seed: int


@runtime_checkable
class Plugin(Protocol):
    """Anything that can become a `Reward` once the training rows are known."""

    def prepared(self, train: TrainRows) -> "Reward":
        """The reward, fitted on the training rows where it learns from them."""


@dataclass(frozen=True)
class Reward:
    """A number a row, and how much it counts.

    Args:
        fn: Takes the decoded DataFrame, returns one finite number a row; higher is better.
        weight: A row whose number is 1 higher becomes exp(weight) times as likely.
        name: Shown in the history.
    """

    fn: RowReward
    weight: float = 1.0
    name: str = ""

    def prepared(self, train: TrainRows) -> "Reward":
        """Itself: a user's function needs no fitting."""
        return self

    @property
    def label(self) -> str:
        """The name that the history shows."""
        return self.name or getattr(self.fn, "__name__", "reward")

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        """Weighted rewards, checked.

        Raises:
            InputError: The function returned another shape, or NaN or infinite numbers.
        """
        values = np.asarray(self.fn(frame), dtype=np.float64)
        if values.shape != (len(frame),):
            raise InputError(
                f"reward {self.label!r} must return one number a row, shape ({len(frame)},); it "
                f"returned shape {values.shape}."
            )
        if not np.isfinite(values).all():
            bad = int((~np.isfinite(values)).sum())
            raise InputError(
                f"reward {self.label!r} returned NaN or infinite numbers for {bad} of {len(frame)} "
                "rows; return a finite number for every row that the policy can draw."
            )
        return self.weight * values


def rule_reward(rule: Rule, *, weight: float = 5.0) -> Reward:
    """A penalty of 1 for each row that breaks a rule.

    Args:
        rule: A parsed rule.
        weight: 5 makes broken rows exp(-5), 0.7 %, as likely as the data have them.
    """
    return Reward(lambda frame: -rule.broken(frame).astype(float), weight, f"rule {rule.text}")


@dataclass(frozen=True)
class PrivacyReward:
    """A penalty for rows that come nearer to a training record than real records do.

    r(x) = -max(0, 1 - d(x, nearest training row) / d_real), with d_real the `quantile` of the
    distance of each training row to its nearest other one. 0 for rows at a real row's distance,
    -1 for a copy.
    """

    weight: float = 3.0
    quantile: float = 0.5

    def prepared(self, train: TrainRows) -> Reward:
        """Measure how far real rows stand from one another."""
        encoder = FeatureEncoder.fit(train.coded, train.schema)
        real = encoder.transform(train.coded)
        apart, _ = nearest(real, real, k=2)
        usual = max(float(np.quantile(apart[:, 1], self.quantile)), 1e-9)

        def closeness(frame: pd.DataFrame) -> np.ndarray:
            rows = encoder.transform(to_coded(frame, train.schema))
            distance, _ = nearest(rows, real, k=1)
            return -np.maximum(0.0, 1.0 - distance[:, 0] / usual)

        return Reward(closeness, self.weight, "privacy")


@dataclass(frozen=True)
class UtilityReward:
    """Rows that a classifier of the real target finds right: log p(target | the other columns).

    The classifier (logistic regression on scaled features) is fitted on the training rows alone
    and is none of those that judge.
    """

    weight: float = 0.5
    largest_loss: float = 5.0  # nats; a single hopeless row does not rule the batch

    def prepared(self, train: TrainRows) -> Reward:
        """Fit the classifier on the training rows.

        Raises:
            InputError: There is no discrete target to predict.
        """
        target = train.target
        if target is None or train.schema[target].is_numeric:
            raise InputError(
                "the utility reward needs a target with classes; name one with target= or --target."
            )
        others = Schema(columns=tuple(c for c in train.schema.columns if c.name != target))
        encoder = FeatureEncoder.fit(train.coded, others)
        known = train.coded[target].notna() & (
            train.coded[target] < len(train.schema[target].categories)
        )
        labels = train.coded.loc[known, target].astype(int)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500, C=0.3))
        model.fit(encoder.transform(train.coded.loc[known]), labels)
        place = {int(label): i for i, label in enumerate(model.classes_)}

        def plausibility(frame: pd.DataFrame) -> np.ndarray:
            coded = to_coded(frame, train.schema)
            log_share = model.predict_log_proba(encoder.transform(coded))
            column = coded[target].map(place).to_numpy()
            there = ~np.isnan(column)
            value = np.full(len(frame), -self.largest_loss)
            value[there] = log_share[np.flatnonzero(there), column[there].astype(int)]
            return np.maximum(value, -self.largest_loss)

        return Reward(plausibility, self.weight, "utility")


def total_reward(
    rewards: Sequence[Reward], frame: pd.DataFrame
) -> tuple[np.ndarray, dict[str, float]]:
    """The weighted sum of all rewards, and each one's mean for the history (unweighted)."""
    total = np.zeros(len(frame))
    means: dict[str, float] = {}
    for reward in rewards:
        value = reward(frame)
        total += value
        means[f"reward: {reward.label}"] = float(value.mean() / (reward.weight or 1.0))
    return total, means
