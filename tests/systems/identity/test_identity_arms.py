"""Arms: what each sees, that they share all else, and that they are gone on with."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reinforge.errors import InputError
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.mixing import MixingConfig
from reinforge.recognition.recogniser import Recogniser
from reinforge.recognition.train import train_recogniser
from reinforge.systems.identity.arms import ARMS, train_arms
from reinforge.training import Interrupted
from small_identity import RECOGNISER, small_pictures

CONFIG = resolve_recogniser("small", **RECOGNISER)
MIXING = MixingConfig(kept=1, candidates=2)
REAL, COLD, REINFORCED = (small_pictures(seed=seed) for seed in (0, 1, 2))
SYNTHETIC = {"cold_start": COLD, "reinforced": REINFORCED}


def trained(arms=ARMS, synthetic=SYNTHETIC, **more):
    return train_arms(REAL, synthetic, config=CONFIG, mixing=MIXING, seed=3, arms=arms, **more)


@pytest.fixture(scope="module")
def arms():
    return trained()


def is_same(one, other):
    return all(
        torch.equal(value, other.network.state_dict()[name])
        for name, value in one.network.state_dict().items()
    )


def test_every_arm_ends_elsewhere(arms):
    assert list(arms) == list(ARMS)
    for one in ARMS:
        assert [other for other in ARMS if is_same(arms[one], arms[other])] == [one]


def test_an_arm_does_not_depend_on_the_others(arms):
    assert is_same(trained(("reinforced",))["reinforced"], arms["reinforced"])


def test_the_real_arm_takes_more_views_where_others_take_synthetic_pictures(arms):
    config = CONFIG.model_copy(
        update={"pictures_per_identity": CONFIG.pictures_per_identity + MIXING.kept}
    )
    assert is_same(train_recogniser(REAL, config=config, seed=3), arms["real"])


def test_cold_start_and_reinforced_differ_by_their_pictures_alone(arms):
    swapped = trained(("cold_start",), {"cold_start": REINFORCED})
    assert is_same(swapped["cold_start"], arms["reinforced"])


def test_selected_chooses_from_the_reinforced_pictures_or_from_its_own(arms):
    assert is_same(trained(("selected",), {"selected": REINFORCED})["selected"], arms["selected"])
    assert not is_same(trained(("selected",), {"selected": COLD})["selected"], arms["selected"])


def test_newcomers_are_those_of_the_arms_own_generator_in_place_of_its_other_pictures():
    others = [
        replace(small_pictures((2, 2), names=("new 0", "new 1"), seed=seed)) for seed in (5, 6)
    ]
    newcomers = {"cold_start": others[0], "reinforced": others[1]}
    found = trained(newcomers=newcomers)
    assert found["real"].names == found["random_erasing"].names == REAL.names
    for arm in ("cold_start", "reinforced", "selected"):
        assert found[arm].names == (*REAL.names, "new 0", "new 1")
    both = train_arms(
        REAL,
        SYNTHETIC,
        config=CONFIG,
        mixing=MIXING.model_copy(update={"of": "both"}),
        seed=3,
        arms=("reinforced",),
        newcomers=newcomers,
    )
    assert not is_same(both["reinforced"], found["reinforced"])
    assert is_same(
        trained(("reinforced",), {"reinforced": COLD}, newcomers=newcomers)["reinforced"],
        found["reinforced"],
    )
    swapped = trained(("selected",), newcomers={"selected": others[0], "reinforced": others[1]})
    assert not is_same(swapped["selected"], found["selected"])


def test_arms_are_kept_and_gone_on_with(arms, tmp_path):
    seen = []

    def stop():
        seen.append(1)
        return len(seen) == 7  # in the second arm

    with pytest.raises(Interrupted, match="arm random_erasing"):
        trained(folder=tmp_path, stop=stop)
    resumed = trained(folder=tmp_path, resume=True)
    for arm in ARMS:
        assert is_same(resumed[arm], arms[arm])
        assert is_same(Recogniser.load(tmp_path / arm), arms[arm])


def test_each_step_is_told_with_its_arm():
    told = []
    trained(("real", "selected"), on_step=told.append)
    assert [(r["phase"], r["done"], r["of"]) for r in told[::5]] == [
        ("arm real", 1, 5),
        ("arm selected", 1, 5),
    ]


@pytest.mark.parametrize(
    ("arms", "synthetic", "said"),
    [
        (("best",), SYNTHETIC, "'best' is not known; choose from real"),
        ((), SYNTHETIC, "no arm is given"),
        (("selected",), {}, "'selected' needs synthetic pictures"),
        (("cold_start",), {"reinforced": REINFORCED}, "'cold_start' needs synthetic"),
    ],
)
def test_arms_that_cannot_be_trained_are_refused(arms, synthetic, said):
    with pytest.raises(InputError, match=said):
        trained(arms, synthetic)


def test_settings_of_the_arms_leave_those_of_the_caller_alone():
    before = CONFIG.model_dump(), MIXING.model_dump()
    trained(("random_erasing", "cold_start"))
    assert before == (CONFIG.model_dump(), MIXING.model_dump())
    assert np.array_equal(REAL.pixels, small_pictures(seed=0).pixels)
