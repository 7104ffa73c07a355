"""The nouns that travel between rooms: a split of real data, a score, a stretch of experience."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from reinforge.schema import Schema

Better = Literal["higher", "lower", "near 0.5", "near 1"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Real rows in two parts: what the generator may see, and what judges it."""

    train: "pd.DataFrame"  # the only part that a generator sees
    holdout: "pd.DataFrame"
    schema: "Schema"  # kinds and levels over both parts: for judging, never given to a generator
    target: str | None = None  # the column that utility classifiers predict
    sensitive: tuple[str, ...] = ()  # columns whose groups are scored apart


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number with its direction, interval and controls, or the reason why there is none."""

    name: str  # a name of the public interface, e.g. "membership_auc"
    group: str = "all"  # "all", "outliers", or "sex=F"
    value: float | None = None
    low: float | None = None  # 95 % interval
    high: float | None = None
    better: Better = "higher"
    n: int | None = None  # what the interval rests on: rows, or attacks really made
    meaning: str = ""  # one sentence for a reader who is no statistician
    baseline: dict[str, float] = field(
        default_factory=dict
    )  # control -> its value on the same score
    reason: str | None = None  # why there is no value


@runtime_checkable
class Pictures(Protocol):
    """Pictures of one size, in memory or on disk: `pictures[numbers]` decodes those asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(image, height, width, channel); channel is 1 (grey) or 3 (RGB)."""

    def __len__(self) -> int:
        """How many pictures."""

    def __getitem__(self, numbers: "np.ndarray") -> "np.ndarray":
        """The pictures of these numbers, uint8 (image, height, width, channel)."""


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Pictures of identities, all of one size."""

    pixels: Pictures  # a uint8 array (image, height, width, channel), or files decoded when asked
    identity: "np.ndarray"  # int64, one a picture: position in `names`
    names: tuple[str, ...]  # of the identities
    camera: "np.ndarray | None" = None  # int64, one a picture
    group: tuple[str, ...] | None = None  # one a picture, e.g. a demographic group
    sources: tuple[str, ...] = ()  # one a picture: where it came from, for messages
    described: "np.ndarray | None" = None  # float32 (identity, feature): whom a generator was told

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.identity)

    def subset(self, numbers: "np.ndarray") -> "ImageSet":
        """The pictures of these numbers, names of identities kept as they are."""
        return ImageSet(
            pixels=self.pixels[numbers],
            identity=self.identity[numbers],
            names=self.names,
            camera=None if self.camera is None else self.camera[numbers],
            group=None if self.group is None else tuple(self.group[i] for i in numbers),
            sources=tuple(self.sources[i] for i in numbers) if self.sources else (),
            described=self.described,
        )


@dataclass(frozen=True, kw_only=True)
class PictureSplit:
    """Real pictures in three parts: what the generator saw, and two that judge it."""

    train: ImageSet  # the only part that generator and recognisers see
    holdout: "ImageSet | None" = None  # other pictures of the same people, by the same names
    unseen: "ImageSet | None" = None  # people whom neither generator nor recogniser saw
