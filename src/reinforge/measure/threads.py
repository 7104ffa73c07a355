"""How many threads a measurement may use."""

import contextlib
from collections.abc import Iterator

from threadpoolctl import threadpool_limits

MANY_ROWS = 10_000


@contextlib.contextmanager
def threads_for(n_rows: int) -> Iterator[None]:
    """One thread for classifiers of few rows, all there are for many.

    Threads of OpenMP wait for each other by spinning. With few rows they wait longer than they
    work, and where another process holds a core, a hundred times longer.
    """
    with threadpool_limits(limits=1 if n_rows < MANY_ROWS else None):
        yield
