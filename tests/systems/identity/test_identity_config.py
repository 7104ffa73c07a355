import pytest

from reinforge.errors import InputError
from reinforge.systems.identity.config import PRESETS, IdentityConfig, resolve_config


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_holds_together(preset):
    config = resolve_config(preset, {})
    assert config.draws_per_identity % config.branches == 0
    assert config.total_steps == config.cold_start_steps + config.n_steps


def test_the_papers_settings_are_the_papers():
    config = resolve_config("paper", {})
    assert (config.learning_rate, config.cold_start_learning_rate) == (1e-5, 1e-5)
    assert (config.trained, config.table_start, config.objective) == ("head", "zero", "dpok")
    assert config.reward_weights == {"semantic": 1.0, "coverage": 0.75, "diversity": 0.25}


def test_a_setting_of_the_user_goes_before_the_presets():
    assert resolve_config("paper", {"n_denoising": 7}).n_denoising == 7


def test_the_chain_is_read_off_the_settings():
    chain = resolve_config("default", {"n_denoising": 7, "eta": 0.5, "guidance": 2.0}).chain
    assert (chain.n_denoising, chain.eta, chain.guidance) == (7, 0.5, 2.0)


def test_rewards_without_a_weight_are_left_out():
    config = resolve_config("default", {"coverage_weight": 0, "privacy_weight": 0.5})
    assert set(config.reward_weights) == {"semantic", "diversity", "realism", "privacy"}


NO_REWARD = dict.fromkeys(
    ("semantic_weight", "coverage_weight", "diversity_weight", "realism_weight", "privacy_weight"),
    0.0,
)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 3}, "steps"),
        ({"n_denoising": 1}, "n_denoising"),
        ({"repulsion": 1.0}, "repulsion"),
        ({"clip_range": 1.5}, "clip_range"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        (NO_REWARD, "every reward has weight 0"),
        ({"draws_per_identity": 6, "branches": 4}, "branches 4 does not divide"),
        ({"n_recent": 1}, "n_recent 1 has no spread"),
        ({"estimator": "pathwise", "n_recent": 0}, "set n_recent"),
        (
            {"estimator": "score", "n_recent": 0, "branches": 8, "draws_per_identity": 8},
            "set n_recent",
        ),
        (
            {
                "estimator": "score",
                "advantage": "group",
                "n_recent": 0,
                "branches": 1,
                "diversity_credit": "group",
            },
            "diversity would earn nothing",
        ),
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused_by_name(settings, words):
    with pytest.raises(InputError, match=words):
        resolve_config("default", settings)


def test_an_unknown_preset_is_refused_with_those_that_exist():
    with pytest.raises(InputError, match="preset 'fast' is not known; choose from default, paper"):
        resolve_config("fast", {})


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        IdentityConfig().n_steps = 3
