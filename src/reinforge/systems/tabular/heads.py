"""Which head draws which column, chosen from the data, and the way between tables and actions.

A *gaussian* head draws one amount a row; the amount is a column's normal score (rank-normal
scale), or its min-max value behind a tanh as in the RLSyn paper. A *level* head draws one of a
few levels: a category, a single frequent number, a quantile bin (inside which the value is spread
by the column's quantile function), or whether a value is there at all. All level heads' levels
lie end to end on one joint axis.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from reinforge.schema import Column, Schema
from reinforge.systems.tabular.derived import Derived, derive
from reinforge.systems.tabular.quantiles import Floats, QuantileFunction
from reinforge.systems.tabular.sums import Sum, add_up

LARGEST_SCORE = 5.0  # normal scores beyond +-5 stand for probabilities below 3e-7


@dataclass(frozen=True, kw_only=True)
class Head:
    """One head of the policy and the column (or part of one) that it writes."""

    column: int  # position among the modelled columns
    role: Literal["score", "minmax", "bins", "levels", "flag", "present"]
    n_levels: int = 0  # 0 for gaussian heads
    level: int = 0  # role "flag": the category that this flag stands for
    edges: Floats | None = None  # role "bins": the probabilities between which each bin lies

    @property
    def is_gaussian(self) -> bool:
        """Whether the head draws an amount (and not a level)."""
        return self.n_levels == 0


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What the policy chose for each row; for a real row, what it would have had to choose."""

    amount: NDArray[np.float32]  # (row, gaussian head), before any tanh
    level: NDArray[np.int64]  # (row, level head), as positions on the joint level axis


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All heads of a policy, with what is needed to write a table from their draws."""

    schema: Schema
    heads: tuple[Head, ...]
    quantiles: tuple[QuantileFunction | None, ...]  # of a column with numeric heads, else None
    shares: tuple[Floats, ...]  # a discrete column's level shares; empty for numeric ones
    derived: tuple[Derived, ...] = ()  # columns without a head: others decide them
    sums: tuple[Sum, ...] = ()  # columns without a head: others add up to them
    drawn_last: int | None = None  # number of the level head that sees what all others drew

    @property
    def gaussian(self) -> tuple[Head, ...]:
        """Heads that draw amounts, in order."""
        return tuple(head for head in self.heads if head.is_gaussian)

    @property
    def discrete(self) -> tuple[Head, ...]:
        """Heads that draw levels, in order."""
        return tuple(head for head in self.heads if not head.is_gaussian)

    def heads_of(self, column: str) -> tuple[int, ...]:
        """Where a column's heads stand among amounts and levels.

        Of a derived column its source's, of a sum those of its parts.
        """
        place = [described.name for described in self.schema.modelled].index(column)
        parts = next((each.parts for each in self.sums if each.column == place), (place,))
        source = {each.column: each.source for each in self.derived}
        places = {source.get(part, part) for part in parts}
        heads = (*self.gaussian, *self.discrete)
        return tuple(i for i, head in enumerate(heads) if head.column in places)

    @property
    def level_start(self) -> NDArray[np.int64]:
        """The first joint level of each level head, and the end of the axis."""
        return np.cumsum([0, *(head.n_levels for head in self.discrete)])

    @property
    def is_squashed(self) -> bool:
        """Whether amounts pass through a tanh (min-max heads)."""
        return any(head.role == "minmax" for head in self.heads)

    def level_score(self) -> NDArray[np.float32]:
        """Each joint level's place on its column's normal scale; 0 where levels have no order."""
        scores = [np.zeros(0)]
        for head in self.discrete:
            score = np.zeros(head.n_levels)
            if head.role == "bins" and head.edges is not None:
                n_bins = len(head.edges) - 1
                score[:n_bins] = ndtri((head.edges[1:] + head.edges[:-1]) / 2)
            elif head.role == "levels" and self._column(head).kind == "ordinal":
                n_levels = len(self._column(head).categories)
                score[:n_levels] = np.linspace(-1.5, 1.5, n_levels)
            scores.append(score)
        return np.concatenate(scores).astype(np.float32)

    def amount_is_there(self) -> NDArray[np.int64]:
        """For each gaussian head the joint level that says "present"; -1 if never missing."""
        start = {
            h.column: s
            for h, s in zip(self.discrete, self.level_start, strict=False)
            if h.role == "present"
        }
        return np.array([start.get(head.column, -1) for head in self.gaussian], dtype=np.int64)

    def _column(self, head: Head) -> Column:
        return self.schema.modelled[head.column]

    def encode(self, coded: pd.DataFrame, generator: np.random.Generator) -> Actions:
        """The actions that would have written these rows.

        Values that the schema does not know (rare levels) are drawn afresh by the known levels'
        shares; numbers inside an atom get a random place in it.
        """
        columns = [coded.iloc[:, i].to_numpy(np.float64) for i in range(coded.shape[1])]
        amounts = [self._encode_amount(h, columns[h.column], generator) for h in self.gaussian]
        codes = {
            i: _known(columns[i], share, generator)
            for i, share in enumerate(self.shares)
            if len(share)
        }
        levels = [
            start + self._encode_level(h, codes.get(h.column, columns[h.column]))
            for h, start in zip(self.discrete, self.level_start, strict=False)
        ]
        empty = np.zeros((len(coded), 0))
        return Actions(
            amount=np.stack([*amounts], axis=1).astype(np.float32)
            if amounts
            else empty.astype(np.float32),
            level=np.stack([*levels], axis=1).astype(np.int64)
            if levels
            else empty.astype(np.int64),
        )

    def _encode_amount(self, head: Head, value: Floats, generator: np.random.Generator) -> Floats:
        quantiles = self.quantiles[head.column]
        assert quantiles is not None  # numeric columns have one by construction
        filled = np.where(np.isnan(value), quantiles.value(np.array([0.5]))[0], value)
        if head.role == "minmax":
            low, high = quantiles.low[0], quantiles.high[-1]
            unit = (filled - low) / max(high - low, np.finfo(float).tiny)
            return np.arctanh(2 * np.clip(unit, 1e-6, 1 - 1e-6) - 1)
        return _normal_score(quantiles.probability_of(filled, generator))

    def _encode_level(self, head: Head, value: Floats) -> NDArray[np.int64]:
        missing = np.isnan(value)
        if head.role == "present":
            return missing.astype(np.int64)
        if head.role == "flag":
            return (value == head.level).astype(np.int64)
        if head.role == "levels":
            return np.where(missing, head.n_levels - 1, np.nan_to_num(value)).astype(np.int64)
        quantiles = self.quantiles[head.column]
        assert quantiles is not None
        assert head.edges is not None
        middle = quantiles.probability[:-1] + quantiles.mass / 2
        bin_of_cell = np.searchsorted(head.edges[1:-1], middle)
        filled = np.where(missing, quantiles.low[0], value)
        return np.where(missing, head.n_levels - 1, bin_of_cell[quantiles.cell_of_value(filled)])

    def decode(
        self,
        actions: Actions,
        generator: np.random.Generator,
        *,
        inside: dict[int, Floats] | None = None,
    ) -> pd.DataFrame:
        """The coded table that these actions write.

        Args:
            actions: What the heads drew.
            generator: Draws the places inside bins.
            inside: For a level head, the stretch of each bin that may be used, (bin, 2) in 0 to 1.
        """
        n_rows = len(actions.level) if len(self.discrete) else len(actions.amount)
        place = generator.random((len(self.heads), n_rows))
        for i, stretch in (inside or {}).items():
            low, high = stretch[
                np.minimum(actions.level[:, i] - self.level_start[i], len(stretch) - 1)
            ].T
            place[i] = low + place[i] * (high - low)
        levels = actions.level - self.level_start[:-1]
        table = np.full((len(self.schema.modelled), n_rows), np.nan)
        flags: dict[int, list[Floats]] = {}
        missing: dict[int, NDArray[np.bool_]] = {}
        for i, head in enumerate(self.gaussian):
            table[head.column] = self._decode_amount(head, actions.amount[:, i])
        for i, head in enumerate(self.discrete):
            if head.role == "present":
                missing[head.column] = levels[:, i] == 1
            elif head.role == "flag":  # among flags that are on, one is picked at random
                share = self.shares[head.column][head.level]
                pick = levels[:, i] + np.maximum(share, 1e-9) * place[i]
                flags.setdefault(head.column, []).append(pick)
            else:
                table[head.column] = self._decode_level(head, levels[:, i], place[i])
        for column, picks in flags.items():
            table[column] = np.argmax(np.stack(picks), axis=0)
        for column, gone in missing.items():
            table[column, gone] = np.nan
        names = [column.name for column in self.schema.modelled]
        written = pd.DataFrame(table.T, columns=names)
        self.complete(written)
        return written

    def complete(self, table: pd.DataFrame) -> None:
        """Fill the columns without a head from the others, in place."""
        derive(table, self.derived)
        add_up(table, self.sums, self.schema.modelled)

    def _decode_amount(self, head: Head, amount: NDArray[np.float32]) -> Floats:
        quantiles = self.quantiles[head.column]
        assert quantiles is not None
        if head.role == "minmax":
            unit = np.clip((np.tanh(amount.astype(np.float64)) + 1) / 2, 1e-6, 1 - 1e-6)
            return quantiles.low[0] + unit * (quantiles.high[-1] - quantiles.low[0])
        return quantiles.value(ndtr(amount.astype(np.float64)))

    def _decode_level(self, head: Head, level: NDArray[np.int64], inside: Floats) -> Floats:
        if head.role == "levels":
            n_known = len(self._column(head).categories)
            return np.where(level < n_known, level, np.nan).astype(np.float64)
        quantiles = self.quantiles[head.column]
        assert quantiles is not None
        assert head.edges is not None
        n_bins = len(head.edges) - 1
        known = np.minimum(level, n_bins - 1)
        width = np.diff(head.edges)
        value = quantiles.value(head.edges[known] + inside * width[known])
        return np.where(level < n_bins, value, np.nan)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: no row, no rare value (see `quantiles`)."""
        return {
            "heads": [_plain(head) for head in self.heads],
            "quantiles": [
                None if q is None else {k: v.tolist() for k, v in vars(q).items()}
                for q in self.quantiles
            ],
            "shares": [share.tolist() for share in self.shares],
            "derived": [_plain(each) for each in self.derived],
            "sums": [_plain(each) for each in self.sums],
            "drawn_last": self.drawn_last,
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any], schema: Schema) -> "Layout":
        """The inverse of `to_dict`."""
        return cls(
            schema=schema,
            heads=tuple(Head(**_arrays(head)) for head in content["heads"]),
            quantiles=tuple(
                None if q is None else QuantileFunction(**_arrays(q)) for q in content["quantiles"]
            ),
            shares=tuple(np.array(share) for share in content["shares"]),
            derived=tuple(Derived(**_arrays(each)) for each in content.get("derived", [])),
            sums=tuple(
                Sum(**{**each, "parts": tuple(each["parts"])}) for each in content.get("sums", [])
            ),
            drawn_last=content.get("drawn_last"),
        )


def _plain(fields: Head | Derived | Sum) -> dict[str, Any]:
    return {k: _numbers(v) if isinstance(v, np.ndarray) else v for k, v in vars(fields).items()}


def _numbers(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def _arrays(fields: dict[str, Any]) -> dict[str, Any]:
    return {k: np.array(v, np.float64) if isinstance(v, list) else v for k, v in fields.items()}


def _normal_score(probability: Floats) -> Floats:
    return np.clip(ndtri(probability), -LARGEST_SCORE, LARGEST_SCORE)


def _known(value: Floats, share: Floats, generator: np.random.Generator) -> Floats:
    """Replace codes past the known levels by draws from the known levels' shares."""
    unknown = value >= len(share)
    if not unknown.any():
        return value
    drawn = generator.choice(len(share), size=int(unknown.sum()), p=share)
    value = value.copy()
    value[unknown] = drawn
    return value
