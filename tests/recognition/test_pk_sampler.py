import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reinforge.errors import InputError
from reinforge.recognition.sampler import pk_batch, require_pk

IDENTITY = np.repeat(np.arange(5), [4, 2, 7, 3, 4])


@given(step=st.integers(0, 500), p=st.integers(2, 5), k=st.integers(1, 9), seed=st.integers(0, 99))
def test_a_batch_holds_p_identities_with_k_pictures_each(step, p, k, seed):
    batch = pk_batch(IDENTITY, step, n_identities=p, n_pictures=k, seed=seed)
    _, counts = np.unique(IDENTITY[batch], return_counts=True)
    np.testing.assert_array_equal(counts, [k] * p)


def test_pictures_repeat_only_where_an_identity_has_too_few():
    batch = pk_batch(IDENTITY, 3, n_identities=5, n_pictures=4, seed=0)
    for i in range(5):
        own = batch[IDENTITY[batch] == i]
        assert len(set(own)) == min(4, int((IDENTITY == i).sum()))


def test_every_identity_comes_up_once_a_round():
    seen = np.concatenate(
        [IDENTITY[pk_batch(IDENTITY, s, n_identities=2, n_pictures=1, seed=7)] for s in range(2)]
    )
    assert len(set(seen)) == 4  # a round of 5 identities holds two batches of 2


def test_every_picture_is_shown_sooner_or_later():
    seen = {
        int(i)
        for s in range(100)
        for i in pk_batch(IDENTITY, s, n_identities=2, n_pictures=2, seed=0)
    }
    assert seen == set(range(len(IDENTITY)))


def test_a_batch_depends_on_seed_and_step_alone():
    def batch(step, seed):
        return pk_batch(IDENTITY, step, n_identities=3, n_pictures=2, seed=seed).tolist()

    later = [batch(s, 1) for s in (5, 3, 5)]
    assert later[0] == later[2] != later[1]
    assert batch(5, 2) != later[0]


def test_one_identity_is_refused():
    with pytest.raises(InputError, match="at least 2 identities with pictures, got 1"):
        require_pk(np.zeros(5, dtype=np.int64), ("anna",), least_pictures=2)


def test_an_identity_with_one_picture_is_refused_by_name_with_the_minimum():
    with pytest.raises(InputError, match=r"'bert' has 1 picture, .* at least 2 pictures of each"):
        require_pk(np.array([0, 0, 1, 2]), ("anna", "bert", "carl"), least_pictures=2)
