"""How TabDDPM sees a table: quantile-normal scores of numbers, levels of text as one-hot."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import QuantileTransformer
from torch import Tensor

FEW = 32  # values of a whole number that is put back onto them


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Rows as numbers for the net, scores first and then one-hot levels; and back."""

    fill: pd.Series  # the median of each number
    few: dict[str, np.ndarray]  # the values of numbers that have few and whole ones
    scores: QuantileTransformer | None  # None: there are no numbers
    levels: dict[str, np.ndarray]  # of each text column

    @classmethod
    def of(cls, frame: pd.DataFrame, *, seed: int) -> "Columns":
        """What the train rows say; numbers may hold gaps, text must not."""
        numbers = [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
        fill = frame[numbers].median().fillna(0.0)
        filled = frame[numbers].fillna(fill)
        values = {name: np.unique(filled[name]) for name in numbers}
        n_quantiles = max(min(len(frame) // 30, 1000), 10)
        scores = QuantileTransformer(
            n_quantiles=min(n_quantiles, len(frame)),
            output_distribution="normal",
            subsample=None,
            random_state=seed,
        )
        return cls(
            fill=fill,
            few={k: v for k, v in values.items() if len(v) <= FEW and (v == v.round()).all()},
            scores=scores.fit(filled.to_numpy()) if numbers else None,
            levels={name: np.unique(frame[name]) for name in frame if name not in numbers},
        )

    @property
    def sizes(self) -> list[int]:
        """How many levels each text column has."""
        return [len(levels) for levels in self.levels.values()]

    @property
    def width(self) -> int:
        """Inputs and outputs of the net."""
        return len(self.fill) + sum(self.sizes)

    def encode(self, frame: pd.DataFrame) -> Tensor:
        """Rows of the net; a gap is the median."""
        numbers = frame[list(self.fill.index)].fillna(self.fill).to_numpy()
        blocks = [self.scores.transform(numbers)] if self.scores else []
        for name, levels in self.levels.items():
            blocks.append(frame[name].to_numpy()[:, None] == levels)
        return torch.as_tensor(np.hstack(blocks), dtype=torch.float32)

    def decode(self, rows: Tensor) -> pd.DataFrame:
        """Numbers and levels again, without gaps."""
        scores, one_hot = rows.split([len(self.fill), sum(self.sizes)], dim=1)
        columns: dict[str, np.ndarray] = {}
        if self.scores:
            numbers = self.scores.inverse_transform(scores.double().numpy())
            columns = dict(zip(self.fill.index, numbers.T, strict=True))
        for name, seen in self.few.items():
            columns[name] = seen[np.abs(columns[name][:, None] - seen).argmin(axis=1)]
        for (name, levels), block in zip(
            self.levels.items(), one_hot.split(self.sizes, dim=1), strict=True
        ):
            columns[name] = levels[block.argmax(dim=1).numpy()]
        return pd.DataFrame(columns)
