"""Policies small enough to be worked by hand."""

import pytest
import torch


@pytest.fixture
def two_columns():
    """A joint level axis of two columns with 3 and 2 levels: logits, columns of levels, sizes."""
    logits = torch.tensor(
        [[0.0, 1.0, -2.0, 0.5, 0.5], [3.0, 3.0, 3.0, -1.0, 4.0]], dtype=torch.float64
    )
    return logits, torch.tensor([0, 0, 0, 1, 1]), (3, 2)
