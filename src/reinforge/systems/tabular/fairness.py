"""A reward that makes an outcome independent of a group."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reinforge.data.coded import to_coded
from reinforge.errors import InputError
from reinforge.schema import Column
from reinforge.systems.tabular.reward import Reward, TrainRows

PSEUDO_ROWS = 10  # of independent group and outcome, counted with each batch


@dataclass(frozen=True)
class FairnessReward:
    """How much rarer a row's group and outcome are together than if they were independent.

    r(row) = log p(group) p(target) / q(group, target), with p the shares of the training rows and q
    the share among the rows drawn in the same step: the gradient of -KL(q || p(group) p(target)).
    It is nothing once the two are independent, so no weight overshoots. The shares of groups and
    outcomes stay as they were; the aim is that of reweighing (Kamiran and Calders, Knowledge and
    Information Systems 33, 2012). A row without group or target earns 0.

    Args:
        sensitive: The column with the groups.
        weight: Against a weight of 1 for realism: about 1 / (1 + weight) of the real log odds ratio
            between group and outcome is left.
    """

    sensitive: str
    weight: float = 3.0

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
        expected = _independent_shares(train.coded, group, outcome)

        def independence(frame: pd.DataFrame) -> np.ndarray:
            row, level, known = _levels(to_coded(frame, train.schema), group, outcome)
            count = PSEUDO_ROWS * expected
            np.add.at(count, (row[known], level[known]), 1.0)
            with np.errstate(divide="ignore", invalid="ignore"):
                reward = np.log(expected / (count / count.sum()))
            return np.where(known, np.nan_to_num(reward)[row, level], 0.0)

        return Reward(independence, self.weight, f"fairness {self.sensitive}")


def _independent_shares(coded: pd.DataFrame, group: Column, outcome: Column) -> np.ndarray:
    """p(group) p(outcome) of every pair."""
    row, level, known = _levels(coded, group, outcome)
    count = np.zeros((len(group.categories), len(outcome.categories)))
    np.add.at(count, (row[known], level[known]), 1.0)
    share = count / max(count.sum(), 1.0)
    return share.sum(1, keepdims=True) * share.sum(0, keepdims=True)


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
