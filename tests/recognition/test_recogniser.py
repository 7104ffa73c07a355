import json

import numpy as np
import pytest
import torch
from drawn_pictures import drawn_set

from reinforge.errors import InputError
from reinforge.recognition.backbones import new_backbone
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.losses import loss_of
from reinforge.recognition.network import Network, fitted, locally_normalised, scaled
from reinforge.recognition.recogniser import Recogniser
from reinforge.recognition.train import train_recogniser

TINY = {"width": 8, "embedding_dim": 16, "n_steps": 2, "identities_per_batch": 4}
TINY_RESNET = {
    "model_type": "resnet",
    "embedding_size": 8,
    "hidden_sizes": [8, 12, 16, 20],
    "depths": [1, 1, 1, 1],
    "layer_type": "basic",
}
TINY_VIT = {
    "model_type": "vit",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "patch_size": 8,
}


def network_of(preset="small", *, size=(24, 16), n_classes=5, architecture=None, **settings):
    config = resolve_recogniser(preset, size=size, channels=3, **settings)
    draws = torch.Generator().manual_seed(0)
    return Network(config, n_classes, architecture=architecture, generator=draws), config


@pytest.fixture(scope="module")
def trained():
    images = drawn_set()
    return train_recogniser(images, config=resolve_recogniser("small", **TINY), seed=0), images


def test_features_have_length_one_and_gradients_reach_the_pixels_alone(trained):
    recogniser, images = trained
    pixels = torch.from_numpy(images.pixels).permute(0, 3, 1, 2).float().requires_grad_()
    feature = recogniser.embed(pixels)
    torch.testing.assert_close(feature.norm(dim=1), torch.ones(24))
    feature[:, 0].sum().backward()
    assert pixels.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in recogniser.network.parameters())


def test_a_feature_does_not_depend_on_the_batch_that_it_is_drawn_in(trained):
    recogniser, images = trained
    torch.testing.assert_close(
        recogniser.embed_all(images, batch=5),
        recogniser.embed_all(images.pixels),
        atol=1e-5,
        rtol=0,
    )


def test_what_is_saved_loads_to_the_same_features(trained, tmp_path):
    recogniser, images = trained
    recogniser.save(tmp_path / "r")
    loaded = Recogniser.load(tmp_path / "r")
    assert torch.equal(loaded.embed_all(images), recogniser.embed_all(images))
    assert loaded.names == recogniser.names
    assert {p.name for p in (tmp_path / "r").iterdir()} == {
        "recogniser.json",
        "recogniser.safetensors",
    }


def test_a_flipped_byte_in_the_weights_is_refused(trained, tmp_path):
    trained[0].save(tmp_path)
    path = tmp_path / "recogniser.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        Recogniser.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "newer reinforge"),
        ({"config": {"width": 16}}, "cannot be read"),
        ({"config": {"kidn": "face"}}, "'kidn' is not known"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(trained, tmp_path, change, message):
    trained[0].save(tmp_path)
    path = tmp_path / "recogniser.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=message):
        Recogniser.load(tmp_path)


def test_a_folder_without_a_recogniser_is_refused(tmp_path):
    with pytest.raises(InputError, match="no recogniser here"):
        Recogniser.load(tmp_path)


def test_grey_is_repeated_and_colour_weighted_to_luma():
    red = torch.zeros((1, 3, 4, 4))
    red[:, 0] = 100.0
    torch.testing.assert_close(fitted(red, (4, 4), 1), torch.full((1, 1, 4, 4), 29.9))
    grey = torch.rand((2, 1, 4, 4))
    assert torch.equal(fitted(grey, (4, 4), 3), grey.repeat(1, 3, 1, 1))


def test_pictures_are_resized_with_antialiasing():
    stripes = (torch.arange(32) % 2 * 200.0).expand(1, 1, 32, 32)
    assert float((fitted(stripes, (8, 8), 1) - 100).abs()[..., 1:-1].max()) < 10


def test_scaling_by_picture_takes_out_light_and_contrast():
    pixels = torch.rand((3, 1, 24, 24), generator=torch.Generator().manual_seed(0)) * 200
    brighter = 0.5 * pixels + 60
    torch.testing.assert_close(
        scaled(pixels, "picture"), scaled(brighter, "picture"), atol=0.02, rtol=0
    )


def test_scaling_by_neighbourhood_takes_out_a_shade_that_falls_over_one_side():
    pixels = torch.rand((1, 1, 48, 48), generator=torch.Generator().manual_seed(0)) * 100
    shade = torch.linspace(0, 100, 48).expand(1, 1, 48, 48)
    inside = (..., slice(4, -4), slice(4, -4))
    change = locally_normalised(pixels + shade) - locally_normalised(pixels)
    assert float(change[inside].abs().mean()) < 0.06
    assert float(locally_normalised(torch.full((1, 1, 48, 48), 90.0)).abs().max()) < 1e-4


def test_imagenet_scaling_gives_nought_at_its_mean():
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 255
    torch.testing.assert_close(scaled(mean.expand(1, 3, 2, 2), "imagenet"), torch.zeros(1, 3, 2, 2))


@pytest.mark.parametrize(
    ("preset", "architecture", "n_features"),
    [("reid-resnet50", TINY_RESNET, 20), ("reid-vit", TINY_VIT, 16)],
)
def test_a_backbone_of_transformers_trains_and_loads_again(
    preset, architecture, n_features, draw_set, tmp_path
):
    from transformers import ResNetConfig, ResNetModel, ViTConfig, ViTModel

    with torch.random.fork_rng(devices=[]):
        if preset == "reid-vit":
            model = ViTModel(ViTConfig(**{**architecture, "image_size": 24}))
        else:
            model = ResNetModel(ResNetConfig(**architecture))
    model.save_pretrained(tmp_path / "weights")
    config = resolve_recogniser(
        preset, size=(32, 16), weights=str(tmp_path / "weights"), n_steps=1, identities_per_batch=3
    )
    images = draw_set(channel=3)
    found = train_recogniser(images, config=config, seed=0)
    assert found.feature_dim == n_features
    found.save(tmp_path / "saved")
    (tmp_path / "weights" / "model.safetensors").unlink()
    again = Recogniser.load(tmp_path / "saved")
    assert torch.equal(again.embed_all(images), found.embed_all(images))


def test_the_named_networks_have_the_sizes_of_their_papers():
    for preset, low, high, n_features in (
        ("reid-resnet50", 23.4e6, 23.6e6, 2048),  # 25.6 M less its 2.05 M classifier
        ("reid-vit", 85.5e6, 86.0e6, 768),  # 86.6 M at 224 px less classifier and positions
    ):
        with torch.device("meta"):
            backbone = new_backbone(resolve_recogniser(preset))
        assert low < sum(p.numel() for p in backbone.parameters()) < high
        assert backbone.feature_dim == n_features


def test_a_last_stride_of_one_doubles_the_last_map():
    pixels = torch.zeros((1, 3, 64, 32))
    for stride, shape in ((1, (4, 2)), (2, (2, 1))):
        network, _ = network_of(
            "reid-resnet50", size=(64, 32), architecture=TINY_RESNET, last_stride=stride
        )
        last = network.eval().backbone.model(pixels).last_hidden_state
        assert tuple(last.shape[2:]) == shape


def test_weights_of_another_kind_and_pickled_ones_are_refused(draw_set, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(TINY_VIT))
    config = resolve_recogniser("reid-resnet50", size=(32, 16), weights=str(tmp_path))
    with pytest.raises(InputError, match="wants weights of model_type 'resnet'"):
        train_recogniser(draw_set(channel=3), config=config, seed=0)
    (tmp_path / "config.json").write_text(json.dumps(TINY_RESNET))
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InputError, match="convert them to safetensors"):
        train_recogniser(draw_set(channel=3), config=config, seed=0)


def test_training_starts_from_a_saved_recogniser_of_other_identities(trained, draw_set, tmp_path):
    recogniser, _ = trained
    recogniser.save(tmp_path)
    config = resolve_recogniser(
        "small", **{**TINY, "n_steps": 1, "learning_rate": 1e-9}, weights=str(tmp_path)
    )
    other = draw_set(n_identities=9, seed=5)
    found = train_recogniser(other, config=config, seed=1)
    assert found.network.prototypes.shape == (16, 9)
    name = "backbone.stages.0.body.1.weight"
    torch.testing.assert_close(
        found.network.state_dict()[name], recogniser.network.state_dict()[name]
    )


def test_cosface_takes_the_margin_from_the_right_class_alone():
    network, config = network_of(embedding_dim=4, scale=10.0, margin=0.3, n_classes=2)
    with torch.no_grad():
        network.prototypes.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0]]).T)
    feature = torch.tensor([[0.6, 0.8, 0.0, 0.0]])  # cosines 0.6 and 0.8
    value = loss_of(config, network)(feature, feature, torch.tensor([0]))
    expected = -np.log(np.exp(10 * 0.3) / (np.exp(10 * 0.3) + np.exp(10 * 0.8)))
    assert float(value.detach()) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_cosface_moves_the_prototypes_that_recognise():
    network, config = network_of(embedding_dim=4)
    feature = torch.eye(4)
    loss_of(config, network)(feature, feature, torch.arange(4)).backward()
    assert network.prototypes.grad.abs().sum() > 0


def test_the_reid_loss_is_identity_and_hardest_triplet():
    network, config = network_of(
        kind="reid", embedding_dim=2, label_smoothing=0.0, triplet_margin=0.3, n_classes=2
    )
    before = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [5.0, 0.0]])
    label = torch.tensor([0, 0, 1, 1])
    # hardest positive less hardest negative: 1-2, 1-1, 3-1, 3-4, plus 0.3, none below 0
    triplets = [0.0, 0.3, 2.3, 0.0]
    behind = torch.zeros((4, 2))  # logits 0: identity loss log 2
    mean_of_active = sum(triplets) / 2
    value = loss_of(config, network)(before, behind, label)
    assert float(value.detach()) == pytest.approx(np.log(2) + mean_of_active, rel=1e-4)
