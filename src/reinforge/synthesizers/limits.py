"""What a training may take of the machine: threads, and memory until it runs out."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from reinforge.training import memory_errors

if TYPE_CHECKING:  # tables need no recogniser
    from reinforge.recognition.config import RecogniserConfig


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: small nets gain nothing from more, and sums keep their order."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def threads_of(config: "RecogniserConfig | None") -> contextlib.AbstractContextManager[None]:
    """One thread for a small recogniser, which several would slow down; None: no recogniser."""
    is_small = config is not None and config.backbone == "small"
    return one_thread() if is_small else contextlib.nullcontext()


@contextlib.contextmanager
def memory_limit(remedy: str) -> Iterator[None]:
    """Say in one line when memory runs out.

    Args:
        remedy: What to do then.

    Raises:
        ResourceError: Memory ran out.
    """
    try:
        yield
    except RuntimeError as error:
        told = memory_errors(error, remedy)
        if told is None:
            raise
        raise told from error
