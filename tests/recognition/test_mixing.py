import dataclasses

import numpy as np
import pytest
from drawn_pictures import drawn_set
from hypothesis import given
from hypothesis import strategies as st

from reinforge.errors import InputError
from reinforge.recognition.mixing import MixingConfig, draw_candidates, require_mixable
from reinforge.settings import validated

IDENTITY = np.repeat(np.arange(5), [4, 2, 7, 0, 4])  # identity 3 has none


@given(step=st.integers(0, 99), n=st.integers(1, 9), seed=st.integers(0, 9))
def test_each_identity_gives_all_its_pictures_before_it_repeats_one(step, n, seed):
    wanted = np.array([1, 2, 3])
    drawn = draw_candidates(IDENTITY, wanted, step, n_pictures=n, seed=seed)
    assert drawn.shape == (2, n)
    for who, row in zip((1, 2), drawn, strict=True):
        assert (IDENTITY[row] == who).all()
        counts = np.unique(row, return_counts=True)[1]
        n_own = int((IDENTITY == who).sum())
        assert len(counts) == min(n, n_own)
        assert np.ptp(counts) <= 1


def test_the_first_of_a_row_are_any_of_its_pictures():
    wanted = np.array([2])
    first = [draw_candidates(IDENTITY, wanted, s, n_pictures=4, seed=0)[0, 0] for s in range(80)]
    assert set(first) == set(np.flatnonzero(IDENTITY == 2))


def test_draws_are_a_function_of_seed_and_step():
    wanted = np.arange(5)
    one, same, later, other = (
        draw_candidates(IDENTITY, wanted, step, n_pictures=3, seed=seed)
        for step, seed in ((4, 0), (4, 0), (5, 0), (4, 1))
    )
    np.testing.assert_array_equal(one, same)
    assert (one != later).any()
    assert (one != other).any()


def test_nobody_with_synthetic_pictures_gives_an_empty_table():
    assert draw_candidates(IDENTITY, np.array([3]), 0, n_pictures=2, seed=0).shape == (0, 2)


def test_synthetic_pictures_end_after_their_share_of_the_steps():
    half = MixingConfig(until=0.5)
    assert [half.is_used(step, 10) for step in (0, 4, 5, 9)] == [True, True, False, False]
    assert MixingConfig().is_used(9, 10)
    assert not MixingConfig(until=0.0).is_used(0, 10)


def test_looks_are_taken_where_there_is_something_to_choose():
    third = MixingConfig(look_every=3)
    assert [third.is_look(step) for step in range(5)] == [True, False, False, True, False]
    assert not MixingConfig(selection="random").is_look(0)
    assert not MixingConfig(candidates=1).is_look(0)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("candidates", 0, "greater than or equal to 1"),
        ("kept", 0, "greater than or equal to 1"),
        ("look_every", 0, "greater than or equal to 1"),
        ("weight", 0.0, "greater than 0"),
        ("until", 1.5, "less than or equal to 1"),
        ("selection", "nearest", "'random', 'lookahead'"),
    ],
)
def test_a_setting_out_of_range_is_refused(setting, value, words):
    with pytest.raises(InputError, match=words):
        validated(MixingConfig, {setting: value})


def test_every_setting_says_what_it_is():
    assert all(field.description for field in MixingConfig.model_fields.values())


def test_sets_of_other_names_sizes_or_identities_are_refused():
    real = drawn_set()
    require_mixable(real, drawn_set(seed=1))
    with pytest.raises(InputError, match="5 names against 6"):
        require_mixable(real, drawn_set(5))
    with pytest.raises(InputError, match=r"20 x 20 x 1 .* and the real ones 24 x 24 x 1"):
        require_mixable(real, drawn_set(side=20))
    with pytest.raises(InputError, match="24 x 24 x 3"):
        require_mixable(real, drawn_set(channel=3))
    few = real.subset(np.flatnonzero(real.identity < 3))
    others = real.subset(np.flatnonzero(real.identity >= 3))
    with pytest.raises(InputError, match="none of the 12 synthetic pictures"):
        require_mixable(few, others)
    renamed = dataclasses.replace(real, names=tuple(reversed(real.names)))
    with pytest.raises(InputError, match="other identities"):
        require_mixable(real, renamed)
