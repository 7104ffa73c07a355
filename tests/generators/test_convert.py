import argparse

import pytest
import torch
from diffusers import AutoencoderKL
from original_dit import OriginalDiT

from reinforge.errors import InputError
from reinforge.generators.convert import convert_dit, dit_of, read_checkpoint, to_safetensors
from reinforge.generators.dit import predict
from reinforge.generators.prior import load_prior


def original(**changed):
    sizes = {
        "side": 8, "patch": 2, "channels": 4, "width": 24, "depth": 3, "n_heads": 2,
        "n_classes": 5, "learn_sigma": True,
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return OriginalDiT(**(sizes | changed)).eval()


def inputs(n_classes=5, channels=4):
    generator = torch.Generator().manual_seed(1)
    noisy = torch.randn(6, channels, 8, 8, generator=generator)
    label = torch.randint(n_classes + 1, (6,), generator=generator)
    return noisy, torch.tensor([0, 1, 7, 250, 500, 999]), label


@pytest.fixture
def checkpoint(tmp_path):
    torch.save(original().state_dict(), tmp_path / "DiT.pt")
    return tmp_path / "DiT.pt"


@pytest.fixture
def vae_folder(tmp_path):
    with torch.random.fork_rng(devices=[]):
        vae = AutoencoderKL(block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4,
                            down_block_types=("DownEncoderBlock2D",) * 2,
                            up_block_types=("UpDecoderBlock2D",) * 2)  # fmt: skip
    vae.save_pretrained(tmp_path / "vae")
    return tmp_path / "vae"


@torch.no_grad()
def test_a_converted_transformer_predicts_what_the_original_predicts():
    model, (noisy, time, label) = original(), inputs()
    converted = dit_of(model.state_dict(), n_heads=2)
    expected = model(noisy, time, label)
    assert expected.std() > 0.1
    whole = converted(noisy, timestep=time, class_labels=label).sample
    torch.testing.assert_close(whole, expected, rtol=0, atol=1e-5)
    noise = predict(converted, noisy, time, label)
    torch.testing.assert_close(noise, expected[:, :4], rtol=0, atol=1e-5)


@torch.no_grad()
def test_in_double_precision_the_two_agree_ten_times_closer_than_another_epsilon_would():
    model, (noisy, time, label) = original().double(), inputs()
    converted = dit_of(original().state_dict(), n_heads=2).double()
    whole = converted(noisy.double(), timestep=time, class_labels=label).sample
    torch.testing.assert_close(whole, model(noisy.double(), time, label), rtol=0, atol=2e-7)


@torch.no_grad()
def test_a_converted_folder_predicts_what_the_original_predicts(checkpoint, vae_folder, tmp_path):
    convert_dit(checkpoint, tmp_path / "prior", vae=vae_folder, n_heads=2)
    prior, (noisy, time, label) = load_prior(tmp_path / "prior"), inputs()
    expected = original()(noisy, time, label)[:, :4]
    torch.testing.assert_close(
        predict(prior.transformer, noisy, time, label), expected, rtol=0, atol=1e-5
    )
    assert prior.schedule.prediction == "epsilon"
    assert prior.picture_size == 16
    assert prior.trained_on == "converted from DiT.pt"


def test_the_spacing_of_frequencies_is_no_detail():
    model, (noisy, time, label) = original(), inputs()
    converted = dit_of(model.state_dict(), n_heads=2)
    with torch.no_grad():
        right = predict(converted, noisy, time, label)
        for block in converted.transformer_blocks:
            block.norm1.emb.time_proj.downscale_freq_shift = 1  # as diffusers has it
        other = predict(converted, noisy, time, label)
    assert (right - other).abs().max() > 1e-2


def test_the_averaged_weights_of_a_training_checkpoint_are_taken(tmp_path):
    other = {name: torch.zeros_like(t) for name, t in original().state_dict().items()}
    content = {
        "model": other,
        "ema": original().state_dict(),
        "opt": {},
        "args": argparse.Namespace(lr=1e-4),
    }
    torch.save(content, tmp_path / "0050000.pt")
    state = read_checkpoint(tmp_path / "0050000.pt")
    torch.testing.assert_close(state["pos_embed"], original().pos_embed.detach())


def test_a_model_of_pixels_takes_a_scale_instead_of_an_autoencoder(tmp_path):
    model = original(channels=3, learn_sigma=False)
    torch.save(model.state_dict(), tmp_path / "pixel.pt")
    convert_dit(tmp_path / "pixel.pt", tmp_path / "prior", pixel_scale=0.5, n_heads=2)
    prior, (noisy, time, label) = load_prior(tmp_path / "prior"), inputs(channels=3)
    with torch.no_grad():
        predicted = predict(prior.transformer, noisy, time, label)
        torch.testing.assert_close(predicted, model(noisy, time, label), rtol=0, atol=1e-5)
    assert prior.codec.scale == 0.5


def test_heads_follow_from_the_published_widths_and_are_asked_for_otherwise():
    state = original(width=384, n_heads=6, depth=1).state_dict()
    assert dit_of(state).config.num_attention_heads == 6
    with pytest.raises(InputError, match="the width is 24, and n_heads is None; give the number"):
        dit_of(original().state_dict())
    with pytest.raises(InputError, match="the width is 24, and n_heads is 5"):
        dit_of(original().state_dict(), n_heads=5)


class Trap:
    def __reduce__(self):
        return print, ("run",)


def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(tmp_path, capsys):
    torch.save({"ema": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(InputError, match=r"trap\.pt: no checkpoint of plain tensors"):
        read_checkpoint(tmp_path / "trap.pt")
    assert capsys.readouterr().out == ""


def test_damaged_missing_and_strange_checkpoints_are_refused_in_a_line(tmp_path, checkpoint):
    (tmp_path / "half.pt").write_bytes(checkpoint.read_bytes()[:3000])
    torch.save([1, 2], tmp_path / "list.pt")
    for name, said in [
        ("half.pt", "no checkpoint of plain tensors"),
        ("none.pt", "no such file"),
        ("list.pt", "wanted a dictionary of tensors by name"),
    ]:
        with pytest.raises(InputError, match=said) as caught:
            read_checkpoint(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_weights_of_another_layout_are_refused():
    state = original().state_dict()
    with pytest.raises(InputError, match=r"'t_embedder\.mlp\.2\.bias' is missing"):
        dit_of({k: v for k, v in state.items() if k != "t_embedder.mlp.2.bias"}, n_heads=2)
    with pytest.raises(InputError, match="'pos_embed' is missing"):
        dit_of({k: v for k, v in state.items() if k != "pos_embed"}, n_heads=2)
    with pytest.raises(InputError, match=r"Unexpected key.*attn\.q_norm"):
        dit_of(state | {"blocks.0.attn.q_norm.weight": torch.ones(1)}, n_heads=2)
    with pytest.raises(InputError, match="pos_embed is not the fixed sine-cosine table"):
        dit_of(state | {"pos_embed": state["pos_embed"] + 0.1}, n_heads=2)


def test_what_the_numbers_mean_must_be_said_once(checkpoint, vae_folder, tmp_path):
    for given in ({}, {"vae": vae_folder, "pixel_scale": 0.5}):
        with pytest.raises(InputError, match="either vae"):
            convert_dit(checkpoint, tmp_path / "prior", **given)


def test_pickled_weights_of_a_folder_become_safetensors_that_load(checkpoint, vae_folder, tmp_path):
    prior = tmp_path / "prior"
    convert_dit(checkpoint, prior, vae=vae_folder, n_heads=2)
    expected = load_prior(prior)
    for part, network in [("transformer", expected.transformer), ("vae", expected.codec.vae)]:
        (prior / part / "diffusion_pytorch_model.safetensors").unlink()
        torch.save(network.state_dict(), prior / part / "diffusion_pytorch_model.bin")
    with pytest.raises(InputError, match=r"only pickled weights.*convert\.to_safetensors"):
        load_prior(prior)
    for part in ("transformer", "vae"):
        to_safetensors(prior / part)
    again = load_prior(prior)
    for old, new in zip(
        expected.transformer.parameters(), again.transformer.parameters(), strict=True
    ):
        assert torch.equal(old, new)
    with pytest.raises(InputError, match=r"wanted one file of pickled weights \(.bin\), got 0"):
        to_safetensors(prior)
