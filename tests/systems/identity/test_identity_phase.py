import numpy as np
import pytest

from reinforge.recognition.config import resolve_recogniser
from reinforge.records import ImageSet
from reinforge.systems.identity.phase import train_phase
from reinforge.training import Interrupted


@pytest.fixture
def pictures():
    pixels = np.random.default_rng(0).integers(256, size=(6, 16, 16, 1), dtype=np.uint8)
    return ImageSet(pixels=pixels, identity=np.repeat(np.arange(3), 2), names=("a", "b", "c"))


CONFIG = resolve_recogniser("small", n_steps=3, width=8, embedding_dim=8)


def test_records_bear_the_name_of_the_phase_and_how_far_it_is(pictures):
    told = []
    train_phase("arm real", pictures, config=CONFIG, on_step=told.append, seed=0)
    assert [record["phase"] for record in told] == ["arm real"] * 3
    assert [(record["done"], record["of"]) for record in told] == [(1, 3), (2, 3), (3, 3)]


def test_an_interruption_names_the_phase(pictures):
    with pytest.raises(Interrupted, match=r"^arm real: "):
        train_phase("arm real", pictures, config=CONFIG, on_step=None, seed=0, stop=lambda: True)
