"""Two tables learnt once for all tests that look at samples."""

import pytest
from small_tables import LEARNT, known_table, mixed_table, quick

from reinforge.synthesizers import TabularSynthesizer


@pytest.fixture(scope="session")
def learnt():
    """The known table, learnt in seconds."""
    return TabularSynthesizer(seed=0, **quick(**LEARNT)).fit(known_table())


@pytest.fixture(scope="session")
def sketched():
    """A table of every column shape, hardly learnt: enough for what must hold for any weights."""
    return TabularSynthesizer(seed=0, **quick(n_steps=60)).fit(mixed_table())
