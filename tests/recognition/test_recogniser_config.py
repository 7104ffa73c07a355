import pytest

from reinforge.errors import InputError
from reinforge.recognition.config import PRESETS, RecogniserConfig, resolve_recogniser


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid_and_holds_only_what_it_states(preset):
    config = resolve_recogniser(preset)
    for name, value in PRESETS[preset].items():
        assert getattr(config, name) == value


def test_the_reid_preset_follows_the_paper():
    config = resolve_recogniser("reid-resnet50")
    assert (config.backbone, config.optimizer, config.weight_decay) == ("resnet50", "adam", 5e-4)
    assert config.identities_per_batch * config.pictures_per_identity == 64


def test_a_setting_with_a_typo_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="did you mean 'margin'"):
        resolve_recogniser("small", margn=0.3)


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="choose from small, reid-resnet50"):
        resolve_recogniser("large")


def test_size_and_channels_come_from_the_pictures_unless_stated():
    assert RecogniserConfig().for_pictures((9, 48, 32, 1)).resolved == ((48, 32), 1)
    stated = RecogniserConfig(size=(64, 64), channels=3).for_pictures((9, 48, 32, 1))
    assert stated.resolved == ((64, 64), 3)


def test_every_field_says_what_it_is():
    assert all(field.description for field in RecogniserConfig.model_fields.values())
