"""How much a generator would give away, told by halves of its own training rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from reinforge.data.coded import to_coded
from reinforge.errors import InputError
from reinforge.measure.distances import nearest
from reinforge.measure.features import FeatureEncoder
from reinforge.measure.intervals import Estimate
from reinforge.measure.ranking import paired_auc
from reinforge.randomness import generator
from reinforge.schema import Schema
from reinforge.systems.tabular.config import TabularConfig

N_SAMPLES = 3  # of each half's generator; distances are averaged over them
FEWEST_ROWS = 100  # below, halves say nothing of the whole
# from useful to private: share hidden from the encoder at least, share of the cold start's steps
RUNGS = ((0.0, 1.0), (0.5, 1.0), (0.75, 1.0), (0.75, 0.5), (0.9, 0.5), (0.9, 0.25))


@runtime_checkable
class Sampler(Protocol):
    """Whatever draws rows."""

    def sample(self, n: int, *, seed: int) -> pd.DataFrame:
        """Draw `n` rows."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Settings that were tried on halves, and the membership AUC that they reached there."""

    settings: dict[str, Any]
    auc: Estimate

    def described(self) -> dict[str, Any]:
        """As plain JSON."""
        auc = {"value": self.auc.value, "low": self.auc.low, "high": self.auc.high}
        return {"settings": self.settings, "membership_auc": auc}


def leakage_on_halves(
    fit: Callable[[pd.DataFrame], Sampler], frame: pd.DataFrame, schema: Schema, *, seed: int
) -> Estimate:
    """Membership AUC of generators that learn half of the rows each.

    Every row is once among those that were learnt and once not, so what makes some rows easy to
    come near stands on both sides, and a few hundred rows are enough for an interval of about
    +-.015 (`paired_auc`). Half of the rows are learnt by heart more easily than all of them: the
    figure is above that of a generator that learns all.

    Args:
        fit: Trains a generator on rows.
        frame: The training rows.
        schema: What their columns are.
        seed: Of the halves and of the samples.
    """
    coded = to_coded(frame, schema)
    encoder = FeatureEncoder.fit(coded, schema)
    points = encoder.transform(coded)
    first = _first_half(frame, schema, seed=seed)
    distance = np.zeros((2, len(frame)))
    for half, own in enumerate((first, ~first)):
        model = fit(frame[own].reset_index(drop=True))
        for k in range(N_SAMPLES):
            made = to_coded(model.sample(int(own.sum()), seed=seed + k), schema)
            distance[half] += nearest(points, encoder.transform(made))[0][:, 0] / N_SAMPLES
    learnt = np.where(first, distance[0], distance[1])
    return paired_auc(-learnt, -np.where(first, distance[1], distance[0]))


def _first_half(frame: pd.DataFrame, schema: Schema, *, seed: int) -> np.ndarray:
    """Which rows are in the first half; nobody has rows in both."""
    named = (column.name for column in schema.columns if column.kind == "identifier")
    shared = next((name for name in named if frame[name].dropna().duplicated().any()), None)
    person = np.arange(len(frame))
    if shared is not None:
        known = frame[shared].notna().to_numpy()
        person[known] = len(frame) + pd.factorize(frame[shared][known])[0]
    everybody, person = np.unique(person, return_inverse=True)
    place = generator(seed, "leakage/halves").permutation(len(everybody))
    n_rows = np.bincount(person)[np.argsort(place)].cumsum()  # in the order of places
    return (n_rows <= len(frame) // 2)[place][person]


def at_rung(config: TabularConfig, rung: tuple[float, float], n_rows: int) -> dict[str, Any]:
    """What a rung sets differently for that many rows; nothing where it is less private.

    Args:
        config: The settings asked for.
        rung: Share hidden from the encoder at least, and share of the cold start's steps.
        n_rows: Rows to be learnt.
    """
    hidden, share = rung
    filled = config.for_rows(n_rows)
    changed: dict[str, Any] = {}
    if hidden > filled.hidden_from_encoder:
        changed["hidden_from_encoder"] = hidden
    if share < 1 and filled.cold_start_steps:
        changed["cold_start_steps"] = max(1, round(share * filled.cold_start_steps))
    return changed


def within(
    max_leakage: float,
    config: TabularConfig,
    frame: pd.DataFrame,
    fit: Callable[[TabularConfig, pd.DataFrame], Sampler],
    schema: Schema,
    *,
    seed: int,
) -> list[Tried]:
    """Climb from useful to private until the membership AUC on halves is low enough.

    Args:
        max_leakage: The largest membership AUC that is accepted.
        config: The settings asked for.
        frame: The training rows.
        fit: Trains a generator with some settings on rows.
        schema: What the columns are.
        seed: Of the halves and of the samples.

    Returns:
        What was tried; the last one holds.

    Raises:
        InputError: Too few rows, or no settings reach it; the least that was reached is named.
    """
    if len(frame) < FEWEST_ROWS:
        raise InputError(
            f"max_leakage needs at least {FEWEST_ROWS} training rows, and there are {len(frame)}: "
            "leakage is measured on halves of them."
        )
    tried: list[Tried] = []
    for rung in RUNGS:
        changed = at_rung(config, rung, len(frame))
        if tried and not changed:
            continue

        def fit_half(half: pd.DataFrame, rung: tuple[float, float] = rung) -> Sampler:
            own = at_rung(config, rung, len(half))
            return fit(config.model_copy(update=own), half)

        auc = leakage_on_halves(fit_half, frame, schema, seed=seed)
        tried.append(Tried(settings=changed, auc=auc))
        if auc.value <= max_leakage:
            return tried
    least = min(tried, key=lambda one: one.auc.value)
    raise InputError(
        f"max_leakage {max_leakage:g} is not reached: the least membership AUC on halves of the "
        f"{len(frame)} training rows was {least.auc.value:.3f} ({least.auc.low:.3f} to "
        f"{least.auc.high:.3f}); raise max_leakage, or learn from more rows."
    )
