"""The people whom an attack is really made on: a seeded draw, with each group's members marked."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from reinforge.evaluation.groups import Targets
from reinforge.evaluation.judged import Judged
from reinforge.evaluation.residual import Outcome
from reinforge.evaluation.scoring import too_small


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Attacked train and holdout people, and which of them belong to each group."""

    train: pd.DataFrame
    holdout: pd.DataFrame
    masks: dict[str, tuple[np.ndarray, np.ndarray]]  # group -> over train, over holdout

    def too_small(self, group: str) -> str | None:
        """The reason why a group is not scored, or None."""
        members, others = self.masks[group]
        return too_small(min(int(members.sum()), int(others.sum())), "attacked people")

    def among(self, group: str, outcome: Outcome) -> Outcome:
        """The attacks on one group's people."""
        members, others = self.masks[group]
        return replace(outcome, main=outcome.main[members], control=outcome.control[others])


def draw(judged: Judged, targets: list[Targets], n_attacks: int, stream: str) -> Drawn:
    """At most `n_attacks` train and as many holdout people, drawn by seed."""
    rows = [
        np.sort(judged.rng(f"{stream}/{name}").permutation(len(table))[:n_attacks])
        for name, table in (("train", judged.train), ("holdout", judged.holdout))
    ]
    return Drawn(
        train=judged.train.iloc[rows[0]],
        holdout=judged.holdout.iloc[rows[1]],
        masks={t.name: (t.train[rows[0]], t.holdout[rows[1]]) for t in targets},
    )
