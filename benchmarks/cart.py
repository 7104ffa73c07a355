"""Sequential CART as R's synthpop does it by default (Nowok, Raab and Dibben, JSS 74(11), 2016).

Columns are synthesised one after the other, the target first: a tree predicts a column from those
before it, a synthetic row falls down the tree, and a real value is drawn from its leaf. Leaves hold
at least five rows (synthpop's `minbucket`) and nothing is pruned (its `cp` of 1e-8). Whether a
number is missing is a column of its own that comes before the amounts; for text, missing is one
more level.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from peers.worker import Sampler
from reinforge.randomness import generator

MIN_LEAF = 5
GONE = "(missing)"


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """The tree of one column, with the real values that each leaf holds."""

    name: str
    tree: DecisionTreeClassifier | DecisionTreeRegressor
    donors: dict[int, np.ndarray]  # leaf -> values
    levels: list[str] | None  # None: a number
    fill: float = 0.0  # what later trees see in place of a missing number

    def encode(self, values: np.ndarray) -> np.ndarray:
        """What later trees see of this column: the amount, or 0/1 for each level."""
        if self.levels is None:
            amount = values.astype(float)
            return np.where(np.isnan(amount), self.fill, amount)[:, None]
        return (values[:, None] == np.array(self.levels, dtype=object)).astype(float)


def fit_cart(train: pd.DataFrame, *, target: str, seed: int) -> Sampler:
    """Grow a tree a column; a sample draws from the donors in its leaves."""
    frame = plain(train[[target, *(name for name in train.columns if name != target)]])
    seen, stages = np.zeros((len(train), 1)), []
    for name in frame:
        stages.append(_grow(name, frame[name], seen, seed=seed))
        seen = np.hstack([seen, stages[-1].encode(frame[name].to_numpy())])

    def sample(n: int) -> pd.DataFrame:
        random = generator(seed, "benchmark cart")
        seen, columns = np.zeros((n, 1)), {}
        for stage in stages:
            values = _draw(stage, seen, random)
            if stage.name + GONE in columns:
                values = np.where(columns[stage.name + GONE] == "yes", np.nan, values)
            columns[stage.name] = values
            seen = np.hstack([seen, stage.encode(values)])
        return unplain(pd.DataFrame(columns), like=train)

    return sample


def _grow(name: str, column: pd.Series, seen: np.ndarray, *, seed: int) -> _Stage:
    is_number = pd.api.types.is_numeric_dtype(column)
    tree_class = DecisionTreeRegressor if is_number else DecisionTreeClassifier
    held = column.notna().to_numpy()
    values, seen = column[held].to_numpy(), seen[held]
    tree = tree_class(min_samples_leaf=MIN_LEAF, random_state=seed).fit(seen, values)
    leaves = tree.apply(seen)
    return _Stage(
        name=name,
        tree=tree,
        donors={int(leaf): values[leaves == leaf] for leaf in np.unique(leaves)},
        levels=None if is_number else sorted(set(values)),
        fill=float(column.median()) if is_number else 0.0,
    )


def _draw(stage: _Stage, seen: np.ndarray, random: np.random.Generator) -> np.ndarray:
    leaves = stage.tree.apply(seen)
    drawn = np.empty(len(seen), dtype=float if stage.levels is None else object)
    for leaf in np.unique(leaves):
        here = leaves == leaf
        drawn[here] = random.choice(stage.donors[int(leaf)], size=int(here.sum()))
    return drawn


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as floats with a text column before those that may be missing; the rest as text."""
    columns: dict[str, pd.Series] = {}
    for name in frame:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column):
            columns[name] = column.astype(object).where(column.notna(), GONE).astype(str)
            columns[name] = columns[name].astype(object)
            continue
        if column.isna().any():
            flag = column.isna().map({True: "yes", False: "no"})
            columns[name + GONE] = flag.astype(object)
        columns[name] = column.astype(float)
    return pd.DataFrame(columns)


def unplain(drawn: pd.DataFrame, *, like: pd.DataFrame) -> pd.DataFrame:
    """The columns of `like`, in its order; text that says it is missing is."""
    kept = drawn[list(like.columns)]
    text = [name for name in kept if not pd.api.types.is_numeric_dtype(like[name])]
    return kept.assign(**{name: kept[name].where(kept[name] != GONE, None) for name in text})
