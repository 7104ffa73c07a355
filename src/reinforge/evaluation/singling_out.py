"""Singling out: does a description read off the synthetic rows fit exactly one person?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reinforge.evaluation.groups import Targets
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.levels import Level
from reinforge.evaluation.residual import Outcome, risk_score
from reinforge.evaluation.scoring import too_small, unscored
from reinforge.records import Score
from reinforge.schema import Column

NAME = "singling_out_risk"
_N_COLUMNS = 3  # columns of a description with several
_TRIES = 3  # descriptions tried for each one wanted


@dataclass(frozen=True)
class Condition:
    """One column's part of a description: `==`, `>=`, `<=`, or `missing`."""

    column: str
    relation: str
    value: float

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which of the column's values fit."""
        if self.relation == "==":
            return values == self.value
        if self.relation == ">=":
            return values >= self.value
        if self.relation == "<=":
            return values <= self.value
        return np.isnan(values)


Description = tuple[Condition, ...]


def singling_out_scores(judged: Judged, targets: list[Targets], *, level: Level) -> list[Score]:
    """`singling_out_risk`: the worse of descriptions by one column and by three.

    Success is a description that fits exactly one person of the group. See `_outcome` for the
    control.
    """
    told, copies = {}, {}
    for what, (make, n_columns) in _VARIANTS.items():
        if found := make(judged, judged.synthetic, level.n_attacks):
            naive = guesses(judged, n_columns, level.n_attacks)
            told[what] = _fits(found, judged), _fits(naive, judged)
        if level.slow_controls and (found := make(judged, judged.train, level.n_attacks)):
            copies[what] = _fits(found, judged)
    scores = []
    for group in targets:
        n = min(int(group.train.sum()), int(group.holdout.sum()))
        if reason := too_small(n, "train or holdout records"):
            scores.append(unscored(NAME, reason, group=group.name))
        elif not told:
            reason = "no description fits exactly one synthetic row, so there is no attack to make"
            scores.append(unscored(NAME, reason, group=group.name))
        else:
            outcomes = [_outcome(fit, group, what, naive) for what, (fit, naive) in told.items()]
            copy = [_outcome(fit, group, what, None) for what, fit in copies.items()] or None
            scores.append(risk_score(NAME, outcomes, group=group.name, copy=copy))
    return scores


def one_column(judged: Judged, table: pd.DataFrame, n_wanted: int) -> list[Description]:
    """Values that one row alone has, and the largest and smallest amounts."""
    found: list[Description] = []
    for column in judged.schema.modelled:
        values = table[column.name].to_numpy()
        present = values[~np.isnan(values)]
        levels, counts = np.unique(present, return_counts=True)
        found += [(Condition(column.name, "==", float(v)),) for v in levels[counts == 1]]
        if column.is_numeric and len(present):
            found.append((Condition(column.name, ">=", float(levels[-1])),))
            found.append((Condition(column.name, "<=", float(levels[0])),))
        if len(values) - len(present) == 1:
            found.append((Condition(column.name, "missing", 0.0),))
    rng = judged.rng("singling out/one")
    return [found[i] for i in rng.permutation(len(found))[:n_wanted]]


def several_columns(judged: Judged, table: pd.DataFrame, n_wanted: int) -> list[Description]:
    """Descriptions of random rows by three random columns that fit that row alone."""
    rng = judged.rng("singling out/several")
    columns = judged.schema.modelled
    values = {column.name: table[column.name].to_numpy() for column in columns}
    medians = table.median()
    n_columns = min(_N_COLUMNS, len(columns))
    found: dict[Description, None] = {}
    for _ in range(_TRIES * n_wanted):
        row = int(rng.integers(len(table)))
        chosen = np.sort(rng.permutation(len(columns))[:n_columns])
        description = tuple(
            _condition(columns[i], values[columns[i].name][row], medians[columns[i].name])
            for i in chosen
        )
        if description in found:
            continue
        if np.logical_and.reduce([c.holds(values[c.column]) for c in description]).sum() == 1:
            found[description] = None
        if len(found) == n_wanted:
            break
    return list(found)


def _condition(column: Column, value: float, median: float) -> Condition:
    if np.isnan(value):
        return Condition(column.name, "missing", 0.0)
    if not column.is_numeric:
        return Condition(column.name, "==", float(value))
    return Condition(column.name, ">=" if value >= median else "<=", float(value))


def _fits(descriptions: list[Description], judged: Judged) -> list[np.ndarray]:
    """[description, row] of train and of holdout: which rows fit which description."""
    return [
        np.array(
            [
                np.logical_and.reduce([c.holds(table[c.column].to_numpy()) for c in d])
                for d in descriptions
            ]
        ).reshape(len(descriptions), len(table))
        for table in (judged.train, judged.holdout)
    ]


def guesses(judged: Judged, n_columns: int, n_wanted: int) -> list[Description]:
    """Descriptions made without synthetic rows: random columns, levels and amounts."""
    rng = judged.rng("singling out/naive", n_columns)
    columns = judged.schema.modelled
    found = []
    for _ in range(n_wanted):
        chosen = np.sort(rng.choice(len(columns), min(n_columns, len(columns)), replace=False))
        found.append(tuple(_guess(columns[i], judged.train, rng) for i in chosen))
    return found


def _guess(column: Column, train: pd.DataFrame, rng: np.random.Generator) -> Condition:
    if not column.is_numeric:
        return Condition(column.name, "==", float(rng.integers(max(len(column.categories), 1))))
    values = train[column.name].to_numpy()
    present = values[~np.isnan(values)]
    if not len(present):
        return Condition(column.name, "missing", 0.0)
    relation = (">=", "<=")[int(rng.integers(2))]
    return Condition(column.name, relation, float(rng.uniform(present.min(), present.max())))


def _outcome(
    fit: list[np.ndarray], group: Targets, what: str, naive: list[np.ndarray] | None
) -> Outcome:
    """Descriptions that fit one person only among train and holdout people of the group together.

    Without a leak that person is a train person as often as train people are among them, so the
    control's
    rate times n_train / n_holdout is the rate to expect. Descriptions of one person hang together:
    with w_i
    the share of the fitting ones that fit person i, 1 / sum w_i^2 of them count as independent.
    """
    main, control, owner = single_fits(fit, group)
    share = np.bincount(owner) / max(len(owner), 1)
    independent = 1 / float((share**2).sum()) / len(owner) if len(owner) else 1.0
    guess = float(single_fits(naive, group)[0].mean()) if naive is not None else 0.0
    scale = float(group.train.sum() / group.holdout.sum())
    return Outcome(
        main=main,
        control=control,
        naive=guess,
        what=what,
        control_scale=scale,
        independent=independent,
    )


def single_fits(fit: list[np.ndarray], group: Targets) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each description fits one train or one holdout person alone, and those persons."""
    both = np.concatenate([fit[0][:, group.train], fit[1][:, group.holdout]], axis=1)
    owner = both[both.sum(axis=1) == 1].argmax(axis=1)
    main = np.zeros(len(both))
    main[both.sum(axis=1) == 1] = owner < group.train.sum()
    control = np.zeros(len(both))
    control[both.sum(axis=1) == 1] = owner >= group.train.sum()
    return main, control, owner


_VARIANTS: dict[str, tuple[Callable[[Judged, pd.DataFrame, int], list[Description]], int]] = {
    "one column": (one_column, 1),
    "three columns": (several_columns, _N_COLUMNS),
}
