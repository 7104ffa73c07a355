"""Class rows that follow from what an encoder sees in somebody.

A class table knows the people whom it has rows for, and a row learns from its own few pictures
alone. Where rows follow from features instead,

    row_l(f) = base_l + A_l sqrt(d) f / |f|        (block l, d features),

every picture of everybody teaches the same maps A_l, and whoever has features can be drawn: people
whom the prior never saw, and people who do not exist (embedding-conditional face diffusion:
IDiff-Face, arXiv:2308.04995; Arc2Face, arXiv:2403.11641). The transformer stays a plain DiT: its
one class is base, its null row nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiTTransformer2DModel
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import normalize

from reinforge.generators.dit import class_tables
from reinforge.randomness import torch_generator

STRANGERS = "identity/strangers"  # what their features are drawn for
POOL = 4096  # of whom those who look least alike are chosen
LEAST_VARIANCE = 1e-6  # added to the covariance of features, so that it has a factor

Feature = Float[Tensor, "person feature"]
Rows = list[Float[Tensor, "person width"]]  # by block


@dataclass(frozen=True, kw_only=True, eq=False)
class Likeness:
    """How class rows follow from features, and how features are spread over people.

    Nobody's own features are among them: newcomers are drawn from mean and covariance.
    """

    base: tuple[Float[Tensor, " width"], ...]  # of each block
    maps: tuple[Float[Tensor, "width feature"], ...]  # A of each block
    mean: Float[Tensor, " feature"]  # over people, of L2-normalised features
    factor: Float[Tensor, "feature feature"]  # lower triangle L, covariance L L'

    @property
    def n_features(self) -> int:
        """Length of a feature."""
        return len(self.mean)

    def rows(self, feature: Feature) -> Rows:
        """The class rows of people with these features, of any length above 0."""
        return _rows(self.base, self.maps, feature.to(self.mean))

    def strangers(self, n: int, *, seed: int) -> Feature:
        """Features of people who do not exist, L2-normalised; the first ones whatever n is.

        f = (m + L z) / |m + L z|, z standard normal.
        """
        drawn = torch.stack(
            [
                torch.randn(self.n_features, generator=torch_generator(seed, STRANGERS, at))
                for at in range(n)
            ]
        )
        return normalize(self.mean + drawn @ self.factor.T, dim=1)

    def strangers_apart(self, n: int, *, seed: int) -> Feature:
        """Those of many strangers who look least like one another, L2-normalised.

        A recogniser learns more from people far apart on the sphere of features (HyperFace,
        arXiv:2411.08470). Farthest first (Gonzalez 1985, Theor. Comput. Sci. 38) among the first
        `POOL` strangers of the seed: each next one is whom the likest of those before is least
        like, by cosine. The first ones are the same whatever n is; beyond the pool strangers follow
        as they come.
        """
        pool = self.strangers(max(n, POOL), seed=seed)
        among = pool[:POOL]
        chosen, likest = [0], among @ among[0]
        while len(chosen) < min(n, POOL):
            chosen.append(int(likest.argmin()))
            likest = torch.maximum(likest, among @ among[chosen[-1]])
            likest[chosen] = torch.inf
        return torch.cat([among[chosen], pool[POOL:]])

    def tensors(self) -> dict[str, Tensor]:
        """All numbers by name, for a file."""
        parts = {"base": self.base, "map": self.maps}
        named = {f"{k}.{at:03}": v for k, values in parts.items() for at, v in enumerate(values)}
        named |= {"mean": self.mean, "factor": self.factor}
        return {name: value.contiguous() for name, value in named.items()}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> "Likeness":
        """What `tensors` gave.

        Raises:
            KeyError: A part is missing.
        """
        base, maps = (
            tuple(value.float() for name, value in sorted(tensors.items()) if name.startswith(k))
            for k in ("base.", "map.")
        )
        return cls(
            base=base, maps=maps, mean=tensors["mean"].float(), factor=tensors["factor"].float()
        )


def likeness_of(network: "DescribedDiT", people: Feature) -> Likeness:
    """What a training ended with, and how the features of many people are spread.

    Args:
        network: That was trained.
        people: One feature of each person; two people or more.
    """
    feature = normalize(people.double(), dim=1)
    covariance = feature.T.cov() + LEAST_VARIANCE * torch.eye(feature.shape[1], dtype=torch.float64)
    tables = class_tables(network.transformer)
    return Likeness(
        base=tuple(table[0].detach().float().cpu().clone() for table in tables),
        maps=tuple(one.detach().float().cpu().clone() for one in network.maps),
        mean=feature.mean(0).float(),
        factor=torch.linalg.cholesky(covariance).float(),
    )


class DescribedDiT(nn.Module):
    """A DiT in training with the maps that describe people to it.

    Args:
        transformer: Of one class, and the null row.
        n_features: Length of a feature.
    """

    def __init__(self, transformer: DiTTransformer2DModel, n_features: int) -> None:
        super().__init__()
        self.transformer = transformer
        widths = [table.shape[1] for table in class_tables(transformer)]
        self.maps = nn.ParameterList(torch.zeros(width, n_features) for width in widths)

    def of(self, feature: Feature) -> "ShownPeople":
        """A network whose class i is the person of feature i, and whose last class is nobody."""
        return ShownPeople(self, feature)


class ShownPeople(nn.Module):
    """A described DiT for the people of one batch; its weights are that one's own."""

    def __init__(self, described: DescribedDiT, feature: Feature) -> None:
        super().__init__()
        transformer = described.transformer
        tables = class_tables(transformer)
        rows = _rows([table[0] for table in tables], tuple(described.maps), feature)
        whole = [torch.cat([row, table[-1:]]) for row, table in zip(rows, tables, strict=True)]
        is_table = {id(table) for table in tables}
        names = [name for name, p in transformer.named_parameters() if id(p) in is_table]
        self.call = (transformer, dict(zip(names, whole, strict=True)))

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        """As the transformer."""
        transformer, tables = self.call
        return functional_call(transformer, tables, args, kwargs)


def _rows(base: Sequence[Tensor], maps: Sequence[Tensor], feature: Feature) -> Rows:
    scaled = normalize(feature, dim=1) * feature.shape[1] ** 0.5
    return [row + scaled @ one.T.to(row) for row, one in zip(base, maps, strict=True)]
