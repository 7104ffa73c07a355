import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reinforge.randomness import generator, torch_generator

NUMPY_DRAWS = [809, 97, 840, 424]
TORCH_DRAWS = [745, 324, 690, 93]
KEYS = st.tuples(st.integers(-(2**70), 2**70), st.text(max_size=20), st.integers(0, 10**9))


def test_draws_are_those_of_every_earlier_version_and_every_machine():
    assert generator(0, "test").integers(0, 1000, 4).tolist() == NUMPY_DRAWS
    drawn = torch.randint(1000, (4,), generator=torch_generator(0, "test"))
    assert drawn.tolist() == TORCH_DRAWS


@given(KEYS)
def test_the_same_keys_give_the_same_draws(keys):
    assert (generator(*keys).random(4) == generator(*keys).random(4)).all()
    first, again = (torch.rand(4, generator=torch_generator(*keys)) for _ in range(2))
    assert torch.equal(first, again)


@given(KEYS, KEYS)
def test_other_keys_give_other_draws(first, second):
    if first != second:
        assert (generator(*first).random(4) != generator(*second).random(4)).any()
        a, b = (torch.rand(4, generator=torch_generator(*keys)) for keys in (first, second))
        assert not torch.equal(a, b)


@pytest.mark.parametrize("other", [(1, "a", 0), (0, "b", 0), (0, "a", 1)])
def test_streams_of_neighbouring_keys_are_not_correlated(other):
    first, second = generator(0, "a", 0).normal(size=5000), generator(*other).normal(size=5000)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06


def test_a_number_that_moves_from_seed_to_step_changes_the_draws():
    assert generator(1, "a", 11).random() != generator(11, "a", 1).random()


def test_numpy_draws_need_no_torch():
    code = (
        "import sys, reinforge.randomness as r; r.generator(0, 'a'); print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_global_generators_are_left_alone():
    states = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    generator(0, "a").random(10)
    torch.rand(10, generator=torch_generator(0, "a"))
    assert (np.random.get_state()[1] == states[0]).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[1])
