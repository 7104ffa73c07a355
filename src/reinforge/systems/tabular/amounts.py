"""How the amounts of a row deviate from their means: together, in the same way in every row."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Deviations(nn.Module):
    """Standard deviates u = W u + e with e ~ N(0, I) and W strictly lower triangular.

    If every amount deviated from its mean by itself, rows of columns that belong together, such as
    radius and area, would scatter off the surface on which real rows lie. W is one matrix for all
    rows: what columns have in common, and nothing of a single row. It starts from 0, deviates by
    themselves; the determinant of I - W is always 1.

    Args:
        n_gaussian: Amounts in a row.
    """

    def __init__(self, n_gaussian: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_gaussian, n_gaussian))

    def draw(self, n_draws: int, generator: torch.Generator) -> Float[Tensor, "draw gaussian"]:
        """Deviates u = (I - W)^-1 e."""
        apart = torch.randn((n_draws, len(self.weight)), generator=generator)
        unit = torch.eye(len(self.weight)) - self.weight.tril(-1)
        return torch.linalg.solve_triangular(unit, apart.T, upper=False, unitriangular=True).T

    def centre(self, deviates: Float[Tensor, "draw gaussian"]) -> Float[Tensor, "draw gaussian"]:
        """W u: what is expected of each deviate given those before it."""
        return deviates @ self.weight.tril(-1).T
