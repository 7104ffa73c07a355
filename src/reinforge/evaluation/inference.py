"""Inference: do synthetic rows give away a secret value of somebody otherwise known?"""

import numpy as np
import pandas as pd

from reinforge.evaluation.drawn import Drawn, draw
from reinforge.evaluation.groups import Targets
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.levels import Level
from reinforge.evaluation.residual import Outcome, risk_score
from reinforge.evaluation.scoring import unscored
from reinforge.measure.distances import nearest
from reinforge.records import Score
from reinforge.schema import Column

NAME = "inference_risk"
TOLERANCE = 0.05  # of the middle 90 % of train amounts: a guess so near gives a number away


def inference_scores(judged: Judged, targets: list[Targets], *, level: Level) -> list[Score]:
    """`inference_risk`: the worst secret column.

    For each column in turn, the attacker knows all others and guesses the value of the nearest
    synthetic
    row. A guess succeeds on the same level (or both missing), or on an amount within 5 % of the
    middle 90 %
    of train amounts. Naive is the best constant guess: the most frequent level or the median of the
    synthetic column.
    """
    columns = judged.schema.modelled
    if len(columns) < 2:
        return [unscored(NAME, "needs at least 2 modelled columns", group=t.name) for t in targets]
    drawn = draw(judged, targets, level.n_attacks, "inference")
    order = judged.rng("inference/order").permutation(len(judged.synthetic))
    synthetic = judged.synthetic.iloc[order]
    outcomes = _attacks(judged, drawn, synthetic)
    copies = _attacks(judged, drawn, judged.train) if level.slow_controls else []
    return [_score(group, drawn, outcomes, copies, synthetic, judged) for group in targets]


def _attacks(judged: Judged, drawn: Drawn, synthetic: pd.DataFrame) -> list[Outcome]:
    """One outcome a secret column; the naive rate is filled in a group at a time."""
    encoder = judged.encoder()
    tables = (drawn.train, drawn.holdout, synthetic)
    members, others, rows = (encoder.transform(table) for table in tables)
    outcomes = []
    for column in judged.schema.modelled:
        hidden = encoder.blocks[column.name]
        kept = np.r_[0 : hidden.start, hidden.stop : rows.shape[1]]
        hits = []
        for people, points in ((drawn.train, members), (drawn.holdout, others)):
            found = nearest(points[:, kept], rows[:, kept])[1][:, 0]
            guess = synthetic[column.name].to_numpy()[found]
            hits.append(is_hit(guess, people[column.name].to_numpy(), _reach(column, judged)))
        what = f"secret {column.name!r}"
        outcomes.append(Outcome(main=hits[0], control=hits[1], naive=0.0, what=what))
    return outcomes


def _reach(column: Column, judged: Judged) -> float:
    """How far off a guess may be: 0 for levels."""
    if not column.is_numeric:
        return 0.0
    present = judged.train[column.name].dropna().to_numpy()
    if not len(present):
        return 0.0
    low, high = np.quantile(present, [0.05, 0.95])
    return float(TOLERANCE * (high - low))


def is_hit(guess: np.ndarray, truth: np.ndarray, reach: float) -> np.ndarray:
    """1 where the guess is within reach of the truth, or both are missing."""
    near = np.abs(guess - truth) <= reach
    return (near | (np.isnan(guess) & np.isnan(truth))).astype(float)


def constant_guess(column: Column, values: np.ndarray) -> float:
    """The most frequent level, or the median; missing where that is more frequent still."""
    present = values[~np.isnan(values)]
    if 2 * len(present) < len(values):
        return float("nan")
    if column.is_numeric:
        return float(np.median(present))
    levels, counts = np.unique(present, return_counts=True)
    return float(levels[counts.argmax()])


def _score(
    group: Targets,
    drawn: Drawn,
    outcomes: list[Outcome],
    copies: list[Outcome],
    synthetic: pd.DataFrame,
    judged: Judged,
) -> Score:
    if reason := drawn.too_small(group.name):
        return unscored(NAME, reason, group=group.name)
    members = drawn.train[drawn.masks[group.name][0]]
    told = []
    for column, outcome in zip(judged.schema.modelled, outcomes, strict=True):
        guess = np.full(len(members), constant_guess(column, synthetic[column.name].to_numpy()))
        naive = is_hit(guess, members[column.name].to_numpy(), _reach(column, judged))
        part = drawn.among(group.name, outcome)
        told.append(
            Outcome(main=part.main, control=part.control, naive=float(naive.mean()), what=part.what)
        )
    copy = [drawn.among(group.name, outcome) for outcome in copies] or None
    return risk_score(NAME, told, group=group.name, copy=copy)
