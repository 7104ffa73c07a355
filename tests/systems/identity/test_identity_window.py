import pytest

from reinforge.systems.identity.window import trained_steps

KINDS = ("all", "random", "fraction", "progressive")


def windows(kind, *, n_denoising=10, n_trained=3, n_steps=50, seed=0):
    return [
        trained_steps(kind, n_denoising, n_trained, index, n_steps, seed=seed)
        for index in range(n_steps)
    ]


def test_all_steps_but_the_last_are_trained():
    assert windows("all")[0] == tuple(range(9))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_denoising", [2, 5, 10])
@pytest.mark.parametrize("n_trained", [1, 3, 9, 20])
def test_a_window_rises_and_never_holds_the_last_step(kind, n_denoising, n_trained):
    for window in windows(kind, n_denoising=n_denoising, n_trained=n_trained):
        assert list(window) == sorted(set(window))
        assert window[0] >= 0
        assert window[-1] <= n_denoising - 2


@pytest.mark.parametrize("kind", ["random", "fraction", "progressive"])
@pytest.mark.parametrize(("n_trained", "length"), [(1, 1), (3, 3), (9, 9), (20, 9)])
def test_a_window_is_as_long_as_asked_or_as_there_are_steps(kind, n_trained, length):
    assert {len(window) for window in windows(kind, n_trained=n_trained)} == {length}


@pytest.mark.parametrize("kind", ["random", "progressive"])
def test_steps_of_a_window_are_neighbours(kind):
    for window in windows(kind):
        assert window[-1] - window[0] == 2


def test_a_fraction_is_not_bound_to_neighbours():
    assert any(window[-1] - window[0] > 2 for window in windows("fraction"))


@pytest.mark.parametrize("kind", ["random", "fraction"])
def test_every_noisy_step_has_its_turn(kind):
    seen = {step for window in windows(kind, n_steps=200) for step in window}
    assert seen == set(range(9))


def test_a_progressive_window_moves_from_noise_to_picture():
    told = windows("progressive", n_steps=14)  # 7 places to start at, two iterations each
    assert [window[0] for window in told] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


def test_windows_depend_on_seed_and_iteration_alone():
    assert windows("random") == windows("random")
    assert windows("random") != windows("random", seed=1)
    assert len(set(windows("random"))) > 1
