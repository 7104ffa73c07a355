"""Self-test: which scores notice leaks that were planted on purpose?

An evaluation that has never seen a leak is no evidence. Here known leaks go into the synthetic
rows, and each is reported with the scores that noticed it; nothing leaked must be noticed by none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from reinforge.errors import InputError
from reinforge.evaluation.judged import Judged, judged_tables, thinned
from reinforge.evaluation.levels import level_of
from reinforge.evaluation.privacy import privacy_scores
from reinforge.measure.distances import nearest
from reinforge.records import Score, Split

N_RAREST = 20
MIN_HOLDOUT = 40
_WIDER = 1.6  # 3.1 standard errors where a 95 % interval has 1.96
_WHOLE_LIMIT = {  # the limit holds the luck of train people and of the control
    "attribute_risk",
    "singling_out_risk",
    "linkability_risk",
    "inference_risk",
    "identical_share",
}
FRESH = "nothing leaked: fresh real rows"


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One leak and what the evaluation said about it."""

    leak: str
    is_leak: bool
    noticed_by: tuple[str, ...]  # "score (group)"
    scores: tuple[Score, ...]

    def to_dict(self) -> dict[str, Any]:
        """The row of the table, without the scores' texts."""
        return {
            "leak": self.leak,
            "is_leak": self.is_leak,
            "noticed": bool(self.noticed_by),
            "noticed_by": list(self.noticed_by),
            "values": {_label(s): s.value for s in self.scores if s.value is not None},
        }


def self_test(
    split: Split,
    synthetic: pd.DataFrame,
    *,
    seed: int = 0,
    level: str = "quick",
    progress: Callable[[str, float], None] | None = None,
) -> list[Planted]:
    """Plant leaks into synthetic rows and report which privacy scores notice.

    Every leak is judged like any synthetic table. The fresh rows are one half of the holdout, and
    there the
    other half judges. The synthetic rows as they came are the first row of the result: what
    notices *them* is worth a look.

    Args:
        split: Real rows; the holdout needs at least 40.
        synthetic: Rows of any generator.
        seed: Key of every draw.
        level: "quick" or "full".
        progress: Called with each leak's name and the share done.

    Returns:
        One row a leak: as given, all rows copied, 1 % and 10 % copied, the 20 rarest people
        copied, one column shifted on a full copy, and fresh real rows.

    Raises:
        InputError: The holdout is too small, or the tables do not match.
    """
    depth = level_of(level)
    if len(split.holdout) < MIN_HOLDOUT:
        raise InputError(
            f"the self-test needs at least {MIN_HOLDOUT} holdout rows, got {len(split.holdout)}; "
            "split with a larger holdout."
        )
    judged = judged_tables(split, synthetic, seed=seed)
    order = judged.rng("self-test/holdout").permutation(len(judged.holdout))
    halves = [judged.holdout.iloc[part].reset_index(drop=True) for part in np.array_split(order, 2)]
    tables = {leak: replace(judged, synthetic=made) for leak, made in planted(judged).items()} | {
        FRESH: replace(judged, holdout=halves[0], synthetic=halves[1])
    }
    rows: list[Planted] = []
    before: tuple[Score, ...] = ()
    for at, (leak, table) in enumerate(tables.items()):
        if progress is not None:
            progress(leak, at / len(tables))
        scores = tuple(privacy_scores(table, level=depth)[0])
        before = before or scores
        noticed = tuple(_label(score) for score in scores if notices(score, before if at else ()))
        is_leak = leak != FRESH and at > 0
        rows.append(Planted(leak=leak, is_leak=is_leak, noticed_by=noticed, scores=scores))
    return rows


def planted(judged: Judged) -> dict[str, pd.DataFrame]:
    """The tables with leaks, by name of the leak; the first one is as given."""
    train, made = judged.train, judged.synthetic
    made = thinned(made, len(train), judged.rng("self-test/size"))
    rng = judged.rng("self-test/copied")
    order = rng.permutation(len(train))
    return {
        "as given": judged.synthetic,
        "all train rows copied": train,
        "1 % copied": _replaced(made, train.iloc[order[: max(1, round(0.01 * len(made)))]], rng),
        "10 % copied": _replaced(made, train.iloc[order[: max(1, round(0.1 * len(made)))]], rng),
        f"the {N_RAREST} rarest people copied": _replaced(
            made, train.iloc[rarest(judged, N_RAREST)], rng
        ),
        "full copy, one column shifted": shifted(judged),
    }


def _replaced(made: pd.DataFrame, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The table with some of its rows replaced by others."""
    places = rng.permutation(len(made))[: len(rows)]
    values = made.to_numpy(copy=True)
    values[places] = rows.to_numpy()[: len(places)]
    return pd.DataFrame(values, columns=made.columns)


def rarest(judged: Judged, n_rows: int) -> np.ndarray:
    """The train rows farthest from their nearest other train row."""
    points = judged.encoder().transform(judged.train)
    distance = nearest(points, points, leave_out_self=True)[0][:, 0]
    return np.argsort(-distance, kind="stable")[:n_rows]


def shifted(judged: Judged) -> pd.DataFrame:
    """The train rows with one column moved: a numeric by half its range, else a level by one."""
    column = next((c for c in judged.schema.modelled if c.is_numeric), judged.schema.modelled[0])
    table = judged.train.copy()
    values = table[column.name]
    if column.is_numeric:
        middle, step = values.median(), (values.max() - values.min()) / 2
        table[column.name] = values + np.where(values > middle, -step, step)
    else:
        table[column.name] = (values + 1) % max(len(column.categories), 1)
    return table


def notices(score: Score, before: tuple[Score, ...]) -> bool:
    """Whether a score stands out from its controls and from the rows before the leak.

    It must lie above the limit of luck that its score tells, or above what an attack without
    knowledge reaches (`floor_of`) by more than three standard errors, since some forty scores are
    looked at; and, where the same score of the rows before the
    leak is known, outside that one's 95 % interval.
    """
    if score.value is None or score.low is None or not _stands_out(score):
        return False
    for other in before:
        if (other.name, other.group) == (score.name, score.group) and other.high is not None:
            return score.value > other.high
    return True


def _stands_out(score: Score) -> bool:
    assert score.value is not None
    assert score.low is not None
    if score.name in _WHOLE_LIMIT:
        return score.value > max(score.baseline["limit"], floor_of(score))
    if "limit" in score.baseline:
        return score.low > score.baseline["limit"]
    return score.value - _WIDER * (score.value - score.low) > floor_of(score)


def floor_of(score: Score) -> float:
    """The value that an attack without knowledge has on average."""
    if score.name in {"membership_auc", "domias_auc", "dcr_share"}:
        return 0.5
    if score.name == "attribute_risk":
        return score.baseline["naive"]
    return 0.0


def _label(score: Score) -> str:
    return score.name if score.group == "all" else f"{score.name} ({score.group})"
