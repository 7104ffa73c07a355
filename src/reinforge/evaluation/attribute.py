"""Attribute inference: how much of a person's record do the nearest synthetic rows give away?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from reinforge.evaluation.drawn import draw
from reinforge.evaluation.groups import Targets
from reinforge.evaluation.inference import constant_guess
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.levels import Level
from reinforge.evaluation.scoring import scored, unscored
from reinforge.measure.dissimilarity import as_levels, bin_edges, train_width
from reinforge.measure.distances import blocks, squared_distances
from reinforge.measure.intervals import LOOKED_AT, Estimate, from_influence
from reinforge.records import Score
from reinforge.schema import Column

NAME = "attribute_risk"
WITHIN = 0.1  # of the train range: an amount guessed so near is given away


@dataclass(frozen=True, kw_only=True)
class _Secret:
    """One unknown attribute: its weight, and the level that F1 asks for if there are two."""

    column: Column
    weight: float
    rarer: float | None
    reach: float


def attribute_scores(judged: Judged, targets: list[Targets], *, level: Level) -> list[Score]:
    """`attribute_risk` (Yan et al. 2022, Nat. Commun. 13:7609).

    The attacker knows the sensitive columns and a random half of the others, and guesses each
    unknown
    attribute from the nearest synthetic rows (ties included): the most frequent level or the mean
    amount.
    Score of an attribute: F1 of the rarer level where there are two, else the share of right
    levels, or of
    amounts within 10 % of the train range. The value is their mean, weighted with the entropy in
    train.

    It is the whole success and not the part beyond the controls: `control` is the same on people
    not used, `naive` guesses one constant, `copy` is the attack on the train rows themselves.
    """
    known, secrets = _knowledge(judged)
    if not known or not secrets:
        reason = "needs a known and an unknown column that varies"
        return [unscored(NAME, reason, group=t.name) for t in targets]
    drawn = draw(judged, targets, level.n_attacks, "attribute")
    truths = (drawn.train, drawn.holdout)
    guesses = [_guesses(judged, people, judged.synthetic, known, secrets) for people in truths]
    copied = _guesses(judged, drawn.train, judged.train, known, secrets)
    constant = pd.DataFrame(
        {
            s.column.name: constant_guess(s.column, judged.synthetic[s.column.name].to_numpy())
            for s in secrets
        },
        index=drawn.train.index,
    )
    scores = []
    for group in targets:
        if hidden := drawn.too_small(group.name):
            scores.append(unscored(NAME, hidden, group=group.name))
            continue
        members, others = drawn.masks[group.name]
        main = weighted_success(truths[0][members], guesses[0][members], secrets)
        control = weighted_success(truths[1][others], guesses[1][others], secrets)
        baseline = {
            "control": control.value,
            "limit": _luck(main, control),
            "naive": weighted_success(truths[0][members], constant[members], secrets).value,
            "copy": weighted_success(truths[0][members], copied[members], secrets).value,
        }
        note = _told(main, baseline, known, secrets)
        scores.append(scored(NAME, main, group=group.name, baseline=baseline, note=note))
    return scores


def _luck(main: Estimate, control: Estimate) -> float:
    """What the attack reaches on train people if they are as exposed as the control (Student)."""
    halves = [e.value - e.low for e in (main, control) if e.low is not None and e.n]
    fewest = min(e.n or 1 for e in (main, control))
    wider = float(stats.t.ppf(LOOKED_AT, max(fewest - 1, 1)) / stats.norm.ppf(0.975))
    return min(1.0, control.value + wider * float(np.hypot.reduce(halves)))


def _told(
    main: Estimate, baseline: dict[str, float], known: tuple[str, ...], secrets: list[_Secret]
) -> str:
    text = f"The attacker knows {len(known)} columns and guesses {len(secrets)}."
    if main.low is not None and main.low <= baseline["naive"]:
        text += (
            " The attack was not stronger than naive guessing, so it measured nothing here; "
            "a stronger one may still succeed."
        )
    return text


def _knowledge(judged: Judged) -> tuple[tuple[str, ...], list[_Secret]]:
    """Which columns are known, and the unknown ones that vary."""
    names = [column.name for column in judged.schema.modelled]
    known = {name for name in names if name in judged.sensitive and name != judged.target}
    others = [name for name in names if name not in known and name != judged.target]
    rng = judged.rng("attribute/known")
    known |= {others[i] for i in rng.permutation(len(others))[: (len(others) + 1) // 2]}
    secrets = [_secret(c, judged) for c in judged.schema.modelled if c.name not in known]
    return tuple(n for n in names if n in known), [s for s in secrets if s.weight > 0]


def _secret(column: Column, judged: Judged) -> _Secret:
    values = judged.train[column.name].to_numpy()
    counts = np.bincount(as_levels(values, column, bin_edges(values)))
    share = counts[counts > 0] / counts.sum()
    levels, n_each = np.unique(values[~np.isnan(values)], return_counts=True)
    two = not column.is_numeric and len(levels) == 2
    return _Secret(
        column=column,
        weight=float(-(share * np.log(share)).sum()),
        rarer=float(levels[n_each.argmin()]) if two else None,
        reach=WITHIN * train_width(values) if column.is_numeric else 0.0,
    )


def _guesses(
    judged: Judged,
    people: pd.DataFrame,
    rows: pd.DataFrame,
    known: tuple[str, ...],
    secrets: list[_Secret],
) -> pd.DataFrame:
    """The attacker's guess of every secret: the vote of the nearest rows on the known columns."""
    encoder = judged.encoder(known)
    points, references = encoder.transform(people), encoder.transform(rows)
    votes = {s.column.name: _ballots(s.column, rows[s.column.name].to_numpy()) for s in secrets}
    guessed = {name: np.empty(len(people)) for name in votes}
    for part in blocks(len(points), len(references)):
        squared = squared_distances(points[part], references)
        tied = (squared <= squared.min(axis=1, keepdims=True) + 1e-9).astype(float)
        for secret in secrets:
            name = secret.column.name
            guessed[name][part] = _counted(tied @ votes[name], secret.column)
    return pd.DataFrame(guessed, index=people.index)


def _ballots(column: Column, values: np.ndarray) -> np.ndarray:
    """[row, choice]: a flag a level, or amount and presence; last: missing."""
    missing = np.isnan(values)
    if column.is_numeric:
        return np.column_stack([np.where(missing, 0.0, values), ~missing, missing]).astype(float)
    levels = np.arange(len(column.categories) + 1)
    return np.column_stack([values[:, None] == levels, missing]).astype(float)


def _counted(tally: np.ndarray, column: Column) -> np.ndarray:
    if column.is_numeric:
        mean = tally[:, 0] / np.maximum(tally[:, 1], 1)
        return np.where(tally[:, 2] > tally[:, 1], np.nan, mean)
    choice = tally.argmax(axis=1).astype(float)
    return np.where(choice == tally.shape[1] - 1, np.nan, choice)


def weighted_success(truth: pd.DataFrame, guess: pd.DataFrame, secrets: list[_Secret]) -> Estimate:
    """Entropy-weighted mean of the attributes' scores, with its interval."""
    total = sum(secret.weight for secret in secrets)
    value, influence = 0.0, np.zeros(len(truth))
    for secret in secrets:
        name = secret.column.name
        score, each = _success(truth[name].to_numpy(), guess[name].to_numpy(), secret)
        value += secret.weight / total * score
        influence += secret.weight / total * each
    return from_influence(value, influence, bounds=(0.0, 1.0))


def _success(truth: np.ndarray, guess: np.ndarray, secret: _Secret) -> tuple[float, np.ndarray]:
    """A ratio sum(gain)/sum(weight) over people, and each one's influence on it."""
    if secret.rarer is not None:
        is_rarer, said_rarer = truth == secret.rarer, guess == secret.rarer
        gain = 2.0 * (is_rarer & said_rarer)  # F1 = 2 TP / (2 TP + FP + FN)
        weight = 1.0 * is_rarer + 1.0 * said_rarer
    else:
        hit = np.abs(truth - guess) <= secret.reach
        gain = 1.0 * (hit | (np.isnan(truth) & np.isnan(guess)))
        weight = np.ones(len(truth))
    if not weight.sum():
        return 0.0, np.zeros(len(truth))
    value = float(gain.sum() / weight.sum())
    return value, (gain - value * weight) / weight.sum()
