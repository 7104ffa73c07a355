import numpy as np
import pytest

import lookahead


def test_auc_is_of_pairs_of_one_identity():
    score = np.array([[3.0, 1.0, 2.0], [0.0, 9.0, 9.0]])
    is_wrong = np.array([[True, False, False], [True, False, False]])
    # the first wrong picture is above both right ones, the second below both; people do not mix
    assert lookahead.auc_within(score, is_wrong) == 0.5
    assert lookahead.auc_within(score[:1], is_wrong[:1]) == 1.0


def test_equal_scores_count_half_and_nothing_to_compare_is_no_number():
    assert lookahead.auc_within(np.array([[1.0, 1.0]]), np.array([[True, False]])) == 0.5
    assert np.isnan(lookahead.auc_within(np.array([[1.0, 2.0]]), np.array([[True, True]])))


def test_a_quarter_of_the_synthetic_pictures_bears_somebody_elses_name():
    world = lookahead.world_of(0)
    shown = np.repeat(np.arange(lookahead.N_PEOPLE), lookahead.N_MADE)
    assert world.is_wrong.mean() == 0.25
    assert ((world.made.identity != shown) == world.is_wrong).all()
    assert np.bincount(world.real.identity).tolist() == [lookahead.N_REAL] * lookahead.N_PEOPLE


@pytest.mark.parametrize("name", ["real pictures alone", lookahead.RANDOM])
def test_a_step_takes_as_many_pictures_with_and_without_synthetic_ones(name):
    training = lookahead.Training(lookahead.world_of(0), name, n_steps=2, seed=0)
    n_real = training.config.identities_per_batch * training.config.pictures_per_identity
    assert n_real + (0 if training.mixture is None else 32) == 64


def test_each_way_to_choose_is_timed_over_whole_blocks_and_ends(monkeypatch):
    chosen = (lookahead.RANDOM, "lookahead, exact, every 4th step")
    monkeypatch.setattr(lookahead, "BLOCK", 1)
    monkeypatch.setattr(lookahead, "ARMS", {name: lookahead.ARMS[name] for name in chosen})
    steps = []
    monkeypatch.setattr(lookahead.Training, "step", lambda training: steps.append(training.mixture))
    told = lookahead.costs(lookahead.world_of(0), n_steps=1, seed=0)
    assert set(told) == set(chosen)
    assert len(steps) == 2 * (1 + 4)  # a block of each that is thrown away, and one that counts
