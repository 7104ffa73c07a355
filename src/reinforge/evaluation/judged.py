"""The three tables that are judged together: train, holdout and synthetic rows, coded."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from reinforge.data.coded import to_coded
from reinforge.data.codes import codes_like
from reinforge.errors import InputError
from reinforge.evaluation.matching import check_columns
from reinforge.measure.features import FeatureEncoder
from reinforge.randomness import generator
from reinforge.records import Split
from reinforge.schema import Column, Schema

MIN_GROUP = 10  # smaller groups are not scored: their numbers would speak of single people
FEW = 50  # groups below this size carry a warning


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Coded train, holdout and synthetic rows with what every score needs to know about them."""

    train: pd.DataFrame
    holdout: pd.DataFrame
    synthetic: pd.DataFrame
    schema: Schema  # modelled columns; `missing` is set where any of the three tables has a gap
    target: str | None
    sensitive: tuple[str, ...]
    seed: int

    def encoder(self, columns: tuple[str, ...] | None = None) -> FeatureEncoder:
        """Features on the train part's ranges, for all columns or the named ones."""
        train = self.train if columns is None else self.train[list(columns)]
        return FeatureEncoder.fit(train, self.schema)

    def where(self, *, train: np.ndarray, holdout: np.ndarray, synthetic: np.ndarray) -> "Judged":
        """The rows that three masks mark, numbered anew."""
        return replace(
            self,
            train=self.train[train].reset_index(drop=True),
            holdout=self.holdout[holdout].reset_index(drop=True),
            synthetic=self.synthetic[synthetic].reset_index(drop=True),
        )

    def rng(self, stream: str, step: int = 0) -> np.random.Generator:
        """The generator of one score's draws: no score depends on which others were computed."""
        return generator(self.seed, f"evaluate/{stream}", step)

    def seed_for(self, stream: str) -> int:
        """A number for a library's `random_state`."""
        return int(self.rng(stream).integers(2**31))

    def capped(self, *, real: int, synthetic: int) -> "Judged":
        """The same with at most so many rows a table, drawn by seed; small tables stay."""
        return replace(
            self,
            train=thinned(self.train, real, self.rng("cap train")),
            holdout=thinned(self.holdout, real, self.rng("cap holdout")),
            synthetic=thinned(self.synthetic, synthetic, self.rng("cap synthetic")),
        )


def thinned(table: pd.DataFrame, n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """At most `n_rows` rows, drawn without replacement, in their order."""
    if len(table) <= n_rows:
        return table
    chosen = np.sort(rng.choice(len(table), size=n_rows, replace=False))
    return table.iloc[chosen].reset_index(drop=True)


def judged_tables(split: Split, synthetic: pd.DataFrame, *, seed: int) -> Judged:
    """Check the three tables against each other and code them.

    Raises:
        InputError: A table is empty, columns or dtypes differ, or a number is infinite.
    """
    if split.holdout is None or len(split.holdout) == 0:
        raise InputError(
            "holdout needed: the split has no holdout rows, and without rows that the generator "
            "never saw no score has a control; split with holdout=0.2."
        )
    if len(split.train) == 0:
        raise InputError("the split has no train rows; there is nothing to compare with.")
    if len(synthetic) == 0:
        raise InputError("the synthetic table has no rows; sample at least as many as train rows.")
    synthetic = codes_like(synthetic, split.train)
    check_columns(split.train, synthetic, split.schema)
    coded = {
        name: _coded(table, split.schema, name)
        for name, table in (
            ("train", split.train),
            ("holdout", split.holdout),
            ("synthetic", synthetic),
        )
    }
    return Judged(
        **coded,
        schema=_with_gaps(split.schema, list(coded.values())),
        target=split.target,
        sensitive=tuple(split.sensitive),
        seed=seed,
    )


def _coded(table: pd.DataFrame, schema: Schema, name: str) -> pd.DataFrame:
    """Coded rows, numbered from 0; infinite amounts are refused by column and count."""
    coded = to_coded(table, schema).reset_index(drop=True)
    for column in coded.columns:
        n_infinite = int(np.isinf(coded[column].to_numpy()).sum())
        if n_infinite:
            raise InputError(
                f"{name} column {column!r} holds {n_infinite} infinite values; "
                "replace them by numbers or mark them missing."
            )
    return coded


def _with_gaps(schema: Schema, tables: list[pd.DataFrame]) -> Schema:
    def marked(column: Column) -> Column:
        has_gap = any(table[column.name].isna().any() for table in tables)
        return column.model_copy(update={"missing": column.missing or bool(has_gap)})

    return Schema(columns=tuple(marked(column) for column in schema.modelled))
