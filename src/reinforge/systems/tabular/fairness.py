"""A reward that makes an outcome independent of a group."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reinforge.data.coded import to_coded
from reinforge.errors import InputError
from reinforge.schema import Column
from reinforge.systems.tabular.reward import Reward, TrainRows


@dataclass(frozen=True)
class FairnessReward:
    """How much rarer a row's group and outcome are together than if they were independent.

    r(row) = log p(group) p(target) / p(group, target), the logarithm of the weight by which
    reweighing makes them independent (Kamiran and Calders, Knowledge and Information Systems 33,
    2012). With weight 1 the optimum is the real distribution with the outcome independent of the
    group and both as frequent as they were; .5 goes half of the way. A row without group or target
    earns 0.

    Args:
        sensitive: The column with the groups.
        weight: A row whose reward is higher by 1 becomes exp(weight) times as likely.
        largest: No pair earns more, or loses more, than this.
    """

    sensitive: str
    weight: float = 1.0
    largest: float = 3.0

    def prepared(self, train: TrainRows) -> Reward:
        """Count groups and outcomes in the training rows.

        Raises:
            InputError: There is no discrete target, or the groups are no discrete column.
        """
        target = train.target
        if target is None or target == self.sensitive:
            raise InputError(
                "the fairness reward needs a target that is not the group itself; name one with "
                "target= or --target."
            )
        group, outcome = train.schema[self.sensitive], train.schema[target]
        for column in (group, outcome):
            if column.is_numeric or not column.is_modelled:
                raise InputError(
                    f"the fairness reward needs columns with levels; {column.name!r} is "
                    f"{column.kind}."
                )
        table = self._log_weight(train.coded, group, outcome)

        def independence(frame: pd.DataFrame) -> np.ndarray:
            return _looked_up(table, to_coded(frame, train.schema), group, outcome)

        return Reward(independence, self.weight, f"fairness {self.sensitive}")

    def _log_weight(self, coded: pd.DataFrame, group: Column, outcome: Column) -> np.ndarray:
        """For each group and outcome log p(group) p(outcome) / p(group, outcome)."""
        shape = (len(group.categories), len(outcome.categories))
        row, column, known = _levels(coded, group, outcome)
        count = np.zeros(shape)
        np.add.at(count, (row[known], column[known]), 1.0)
        share = count / max(count.sum(), 1.0)
        expected = share.sum(1, keepdims=True) * share.sum(0, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.log(expected / share)
        return np.nan_to_num(weight, posinf=self.largest).clip(-self.largest, self.largest)


def _levels(
    coded: pd.DataFrame, group: Column, outcome: Column
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level of the group, of the outcome, and whether both are known."""
    levels, known = [], np.ones(len(coded), dtype=bool)
    for column in (group, outcome):
        value = coded[column.name].to_numpy(np.float64)
        is_known = value < len(column.categories)  # False for NaN
        levels.append(np.where(is_known, value, 0.0).astype(np.int64))
        known &= is_known
    return levels[0], levels[1], known


def _looked_up(
    table: np.ndarray, coded: pd.DataFrame, group: Column, outcome: Column
) -> np.ndarray:
    row, column, known = _levels(coded, group, outcome)
    return np.where(known, table[row, column], 0.0)
