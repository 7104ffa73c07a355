import pytest

from reinforge.errors import InputError
from reinforge.systems.tabular.config import PRESETS, TabularConfig, resolve_config

# the paper's table of hyper-parameters: MIMIC-IV, AI-READI
PUBLISHED = {
    "n_steps": (30_000, 30_000),
    "batch_rows": (3840, 384),
    "noise_dim": (128, 112),
    "hidden": (128, 128),
    "discriminator_hidden": (256, 128),
    "learning_rate": (5e-4, 2e-4),
    "discriminator_learning_rate": (1e-4, 5e-5),
    "discriminator_steps": (3, 5),
    "r1_weight": (5.0, 5.0),
    "n_epochs": (2, 3),
    "clip_range": (0.1, 0.1),
    "value_weight": (0.5, 0.5),
    "entropy_weight": (1e-3, 1e-3),
    "mean_matching": (0.0, 0.2),
}
# what the paper and its code say in words
DESCRIBED = {
    "heads": "minmax",
    "n_layers": 2,
    "deviation": "shared",
    "initial_log_std": 0.0,
    "realism": "discriminator",
    "reward_scale": "probability",
    "r1_every": 1,
    "estimator": "ppo",
    "draws_per_latent": 1,
    "cold_start_steps": 0,
    "value_baseline": True,
    "closed_form_entropy": False,
    "mean_matching_gradient": False,
    "final_learning_rate": 1.0,
    "max_grad_norm": None,
    "average_from": None,
}
BOTH = pytest.mark.parametrize(("place", "preset"), [(0, "rlsyn-mimic"), (1, "rlsyn-aireadi")])


@BOTH
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_presets_hold_the_published_numbers(place, preset, name):
    assert getattr(resolve_config(preset, {}), name) == PUBLISHED[name][place]


@BOTH
@pytest.mark.parametrize("name", sorted(set(DESCRIBED) & set(TabularConfig.model_fields)))
def test_the_presets_build_what_the_paper_describes(place, preset, name):
    assert getattr(resolve_config(preset, {}), name) == DESCRIBED[name]


def test_the_users_settings_lie_over_the_preset():
    config = resolve_config("rlsyn-mimic", {"batch_rows": 64})
    assert (config.batch_rows, config.noise_dim) == (64, 128)


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="'rlsyn' is not known; choose from default, rlsyn-mimic"):
        resolve_config("rlsyn", {})


def test_a_misspelt_setting_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"'n_step' is not known; did you mean 'n_steps'\?"):
        resolve_config("default", {"n_step": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_steps", -1),
        ("n_steps", 0),
        ("n_steps", "many"),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("clip_range", 0.0),
        ("clip_range", 1.0),
        ("batch_rows", 1),
        ("estimator", "a2c"),
        ("entropy_weight", -0.1),
        ("value_weight", float("inf")),
        ("initial_log_std", float("nan")),
        ("average_from", 1.0),
        ("min_rows", 0),
        ("heads", None),
    ],
)
def test_a_value_that_no_run_can_use_is_refused_by_name_in_one_line(name, value):
    with pytest.raises(InputError, match=name) as refusal:
        resolve_config("default", {name: value})
    assert "\n" not in str(refusal.value)


def test_settings_cannot_be_changed_after_the_check():
    with pytest.raises(ValueError, match="frozen"):
        TabularConfig().n_steps = 3


@pytest.mark.parametrize("preset", PRESETS)
def test_a_saved_config_resolves_to_itself(preset):
    config = resolve_config(preset, {})
    assert resolve_config("default", config.model_dump(mode="json")) == config


def test_a_gradient_through_a_discriminator_needs_one():
    with pytest.raises(InputError, match="goes through a discriminator"):
        resolve_config("default", {"estimator": "reparameterised", "realism": "mmd"})


@pytest.mark.parametrize(
    ("n_rows", "hidden"),
    [(50, 0.75), (200, 0.75), (350, 0.625), (500, 0.5), (1250, 0.25), (2000, 0.0), (9000, 0.0)],
)
def test_less_of_each_row_is_hidden_the_more_rows_there_are(n_rows, hidden):
    assert TabularConfig().for_rows(n_rows).hidden_from_encoder == pytest.approx(hidden)
    assert TabularConfig(hidden_from_encoder=0.9).for_rows(n_rows).hidden_from_encoder == 0.9


FIELDS = ["n_steps", "hidden", "discriminator_hidden", "discriminator_steps", "r1_weight"]


@pytest.mark.parametrize(
    ("n_rows", "filled"),
    [
        (50, (400, 192, 128, 2, 0.1)),
        (500, (400, 192, 128, 2, 0.1)),
        (1500, (693, 192, 171, 3, 0.3666667)),
        (2000, (800, 192, 192, 3, 0.5)),
        (5000, (1265, 192, 192, 3, 0.5)),
        (16_000, (2263, 343, 192, 3, 0.5)),
        (20_000, (2530, 384, 192, 3, 0.5)),
        (10**7, (2530, 384, 192, 3, 0.5)),
    ],
)
def test_many_rows_are_reinforced_for_longer_under_a_stricter_judge(n_rows, filled):
    found = TabularConfig().for_rows(n_rows)
    assert [getattr(found, name) for name in FIELDS] == pytest.approx(filled)


def test_what_is_set_does_not_follow_the_number_of_rows():
    given = dict.fromkeys(FIELDS, 3) | {"cold_start_steps": 0, "hidden_from_encoder": 0.0}
    found = TabularConfig(**given).for_rows(5000)
    assert {name: getattr(found, name) for name in given} == given
    assert found.discriminator_learning_rate == pytest.approx(1e-3)
    assert found.clip_range == TabularConfig().clip_range


def test_settings_that_mean_none_stay_none():
    assert TabularConfig(clip_range=None, average_from=None).for_rows(100).clip_range is None
