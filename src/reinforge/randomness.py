"""Randomness without hidden state: draw number `step` of a stream is a function of three keys.

A run that is killed and resumed needs no generator state, only its step number, and no result
depends on the order in which others drew. Global generators are never touched.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def _key(seed: int, stream: str, step: int) -> bytes:
    return hashlib.sha256(f"{seed}/{stream}/{step}".encode()).digest()


def number_from(seed: int, stream: str, step: int = 0) -> int:
    """A seed of its own for one purpose at one step, for what takes a seed (same keys)."""
    return int.from_bytes(_key(seed, stream, step)[:4], "little")


def generator(seed: int, stream: str, step: int = 0) -> np.random.Generator:
    """The numpy generator of one purpose at one step.

    Args:
        seed: The user's seed, any integer.
        stream: What the draws are for, e.g. ``"split"``; two purposes never share a stream.
        step: The step or block number inside the stream.
    """
    return np.random.Generator(
        np.random.Philox(key=int.from_bytes(_key(seed, stream, step)[:16], "little"))
    )


def torch_generator(seed: int, stream: str, step: int = 0) -> "torch.Generator":
    """The torch CPU generator of one purpose at one step (same keys as `generator`)."""
    import torch

    return torch.Generator().manual_seed(
        int.from_bytes(_key(seed, stream, step)[:8], "little") >> 1
    )
