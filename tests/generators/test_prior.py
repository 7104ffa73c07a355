import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel
from safetensors.torch import load_file, save_file

from reinforge.errors import InputError
from reinforge.generators.codec import PixelCodec, VaeCodec
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import new_dit, predict
from reinforge.generators.prior import Prior, load_prior, save_prior

FACES = Path(__file__).parents[3] / "shared" / "data" / "priors" / "face_dit_48"
LINEAR = {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}
WEIGHTS = "diffusion_pytorch_model.safetensors"


def transformer(channels=3, learn_sigma=False):
    small = new_dit(
        size=8, channels=channels, patch=2, n_layers=2, n_heads=2, head_dim=8, n_classes=3,
        learn_sigma=learn_sigma, seed=0,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    for parameter in small.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return small.eval()


def pixel_prior():
    return Prior(
        transformer=transformer(),
        codec=PixelCodec(scale=0.4, channels=3),
        schedule=NoiseSchedule.from_config({**LINEAR, "prediction_type": "v_prediction"}),
        trained_on="noise",
    )


@pytest.fixture
def pixel_folder(tmp_path):
    save_prior(pixel_prior(), tmp_path / "prior")
    return tmp_path / "prior"


@pytest.fixture
def latent_folder(tmp_path):
    """A folder as diffusers itself writes it for DiT-XL/2, only smaller."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = AutoencoderKL(
            block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4, scaling_factor=0.18215,
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        )  # fmt: skip
    folder = tmp_path / "latent"
    transformer(channels=4, learn_sigma=True).save_pretrained(folder / "transformer")
    vae.save_pretrained(folder / "vae")
    DDIMScheduler(**LINEAR, clip_sample=False).save_pretrained(folder / "scheduler")
    return folder


def changed(path, **new):
    content = json.loads(path.read_text()) | new
    path.write_text(json.dumps(content))


def same_weights(one, other):
    return all(
        name == other_name and torch.equal(a, b)
        for (name, a), (other_name, b) in zip(
            one.state_dict().items(), other.state_dict().items(), strict=True
        )
    )


def test_a_pixel_prior_comes_back_as_it_was(pixel_folder):
    before, after = pixel_prior(), load_prior(pixel_folder)
    assert same_weights(before.transformer, after.transformer)
    assert after.codec == before.codec
    assert torch.equal(after.schedule.alpha_bar, before.schedule.alpha_bar)
    assert after.schedule.prediction == "v_prediction"
    assert after.trained_on == "noise"
    assert after.picture_size == 8
    assert not after.transformer.training
    note = json.loads((pixel_folder / "prior.json").read_text())
    assert note["format"] == 1
    assert (note["space"], note["channels"], note["size"], note["scale"]) == ("pixel", 3, 8, 0.4)


@torch.no_grad()
def test_a_folder_of_diffusers_loads_with_its_autoencoder_and_schedule(latent_folder):
    prior = load_prior(latent_folder)
    there = DiTTransformer2DModel.from_pretrained(latent_folder / "transformer")
    assert same_weights(prior.transformer, there.eval())
    assert isinstance(prior.codec, VaeCodec)
    assert same_weights(prior.codec.vae, AutoencoderKL.from_pretrained(latent_folder / "vae"))
    expected = DDIMScheduler(**LINEAR).alphas_cumprod
    torch.testing.assert_close(prior.schedule.alpha_bar, expected)
    assert prior.picture_size == 16
    noisy, time = torch.ones(2, 4, 8, 8), torch.tensor([3, 900])
    label = torch.tensor([0, 3])
    expected = there(noisy, timestep=time, class_labels=label).sample[:, :4]
    torch.testing.assert_close(predict(prior.transformer, noisy, time, label), expected)


def test_a_saved_latent_prior_comes_back_and_diffusers_reads_it_too(latent_folder, tmp_path):
    prior = load_prior(latent_folder)
    save_prior(prior, tmp_path / "again")
    again = load_prior(tmp_path / "again")
    assert same_weights(again.transformer, prior.transformer)
    assert same_weights(again.codec.vae, prior.codec.vae)
    assert torch.equal(again.schedule.alpha_bar, prior.schedule.alpha_bar)
    pipeline = DiTPipeline.from_pretrained(tmp_path / "again", local_files_only=True)
    assert same_weights(pipeline.transformer, prior.transformer)
    torch.testing.assert_close(pipeline.scheduler.alphas_cumprod, prior.schedule.alpha_bar)


def test_a_schedule_without_a_config_is_saved_beta_by_beta(tmp_path):
    schedule = NoiseSchedule(torch.linspace(0.999, 0.001, 50).square())
    save_prior(dataclasses.replace(pixel_prior(), schedule=schedule), tmp_path / "prior")
    assert torch.equal(load_prior(tmp_path / "prior").schedule.alpha_bar, schedule.alpha_bar)


def test_half_precision_halves_the_file_and_loads_as_float32(pixel_folder, tmp_path):
    save_prior(load_prior(pixel_folder), tmp_path / "half", dtype=torch.float16)
    stored = load_file(tmp_path / "half" / "transformer" / WEIGHTS)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    prior = load_prior(tmp_path / "half")
    assert {p.dtype for p in prior.transformer.parameters()} == {torch.float32}
    whole = pixel_prior().transformer.proj_out_2.weight
    torch.testing.assert_close(prior.transformer.proj_out_2.weight, whole, rtol=1e-3, atol=1e-6)


def test_weights_in_shards_load_as_those_in_one_file(pixel_folder):
    whole = load_prior(pixel_folder)
    (pixel_folder / "transformer" / WEIGHTS).unlink()
    whole.transformer.save_pretrained(pixel_folder / "transformer", max_shard_size="10KB")
    assert len(list((pixel_folder / "transformer").glob("*.safetensors"))) > 1
    assert same_weights(load_prior(pixel_folder).transformer, whole.transformer)


def test_configs_and_attention_names_of_old_versions_load(latent_folder):
    expected = load_prior(latent_folder)
    old = {"_class_name": "Transformer2DModel", "attention_type": "default"}
    changed(latent_folder / "transformer" / "config.json", **old)
    path = latent_folder / "vae" / WEIGHTS
    names = {"to_q.": "query.", "to_k.": "key.", "to_v.": "value.", "to_out.0.": "proj_attn."}
    state = load_file(path)
    for new, old in names.items():
        state = {name.replace(new, old): tensor for name, tensor in state.items()}
    assert any("proj_attn" in name for name in state)
    save_file(state, path)
    prior = load_prior(latent_folder)
    assert same_weights(prior.codec.vae, expected.codec.vae)
    assert same_weights(prior.transformer, expected.transformer)


def test_the_scale_of_pixels_comes_from_the_note_or_the_caller_and_not_from_both(pixel_folder):
    with pytest.raises(InputError, match=r"pixel_scale is 0\.4 in prior\.json, but 0\.5 was given"):
        load_prior(pixel_folder, pixel_scale=0.5)
    assert load_prior(pixel_folder, pixel_scale=0.4).codec.scale == 0.4
    (pixel_folder / "prior.json").unlink()
    assert load_prior(pixel_folder, pixel_scale=0.5).codec.scale == 0.5
    with pytest.raises(InputError, match=r"neither vae/ nor prior\.json says what"):
        load_prior(pixel_folder)
    for scale in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="pixel_scale must be a number above 0"):
            load_prior(pixel_folder, pixel_scale=scale)


def test_a_scale_for_latents_is_refused(latent_folder):
    with pytest.raises(InputError, match="this prior works on latents"):
        load_prior(latent_folder, pixel_scale=0.5)
    shutil.rmtree(latent_folder / "vae")
    with pytest.raises(InputError, match="this network has 4; a prior on latents needs its vae/"):
        load_prior(latent_folder, pixel_scale=0.5)


def test_no_hub_is_asked(tmp_path):
    with pytest.raises(InputError, match=r"download it first .*hf download facebook/DiT-XL-2-256"):
        load_prior("facebook/DiT-XL-2-256")
    with pytest.raises(InputError, match=r"nothing: no such folder\.$"):
        load_prior(tmp_path / "nothing")
    (tmp_path / "DiT.pt").write_bytes(b"x")
    with pytest.raises(InputError, match="got a file; a checkpoint of the DiT authors"):
        load_prior(tmp_path / "DiT.pt")
    with pytest.raises(InputError, match="no folder transformer/ in it"):
        load_prior(tmp_path)


def cut(path):
    path.write_bytes(path.read_bytes()[:200])


def pickled(path):
    path.rename(path.with_suffix(".bin"))


def poisoned(path):
    state = load_file(path)
    state["proj_out_2.bias"][0] = float("nan")
    save_file(state, path)


def incomplete(path):
    state = load_file(path)
    del state["proj_out_2.bias"]
    save_file(state, path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, "damaged"),
        (pickled, r"only pickled weights \(\.bin\).*convert\.to_safetensors"),
        (poisoned, r"'proj_out_2\.bias' are not all finite"),
        (incomplete, r"weights do not fit config\.json.*Missing key.*proj_out_2\.bias"),
        (Path.unlink, "no weights; wanted diffusion_pytorch_model.safetensors"),
    ],
)
def test_weights_that_are_not_whole_are_refused_in_a_line(pixel_folder, damage, said):
    damage(pixel_folder / "transformer" / WEIGHTS)
    with pytest.raises(InputError, match=said) as caught:
        load_prior(pixel_folder)
    assert "\n" not in str(caught.value)
    assert "transformer" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "new", "said"),
    [
        ("transformer/config.json", {"_class_name": "PixArtTransformer2DModel"}, "got a PixArt"),
        ("transformer/config.json", {"out_channels": 5}, "weights do not fit"),
        ("transformer/config.json", {"norm_type": "ada_norm"}, "no DiTTransformer2DModel comes of"),
        ("transformer/config.json", {"num_layers": "two"}, "no DiTTransformer2DModel comes of"),
        ("scheduler/scheduler_config.json", {"prediction_type": "flow"}, "'flow' is not known"),
        ("scheduler/scheduler_config.json", {"trained_betas": ["x"]}, "scheduler_config.json: "),
        ("prior.json", {"format": 2}, "written by a newer reinforge"),
        ("prior.json", {"format": None}, "no format number"),
        ("prior.json", {"scale": "wide"}, "pixel_scale must be a number above 0, got 'wide'"),
        ("prior.json", {"size": 9}, "size is 9, the transformer's is 8"),
    ],
)
def test_a_folder_that_does_not_fit_together_is_refused_in_a_line(pixel_folder, file, new, said):
    changed(pixel_folder / file, **new)
    with pytest.raises(InputError, match=said) as caught:
        load_prior(pixel_folder)
    assert "\n" not in str(caught.value)
    assert (
        Path(file).name in str(caught.value)
        or "transformer" in str(caught.value)
        or "scale" in said
    )


@pytest.mark.parametrize(
    "file", ["transformer/config.json", "scheduler/scheduler_config.json", "prior.json"]
)
def test_missing_and_broken_json_is_refused(pixel_folder, file):
    for content, said in (("{", "no readable JSON"), ("[]", "wanted a JSON object")):
        (pixel_folder / file).write_text(content)
        with pytest.raises(InputError, match=said):
            load_prior(pixel_folder)
    (pixel_folder / file).unlink()
    with pytest.raises(InputError, match=r"the file is missing|neither vae/ nor"):
        load_prior(pixel_folder)


def test_an_autoencoder_of_other_latents_is_refused(latent_folder):
    shutil.rmtree(latent_folder / "transformer")
    transformer(channels=3).save_pretrained(latent_folder / "transformer")
    with pytest.raises(InputError, match="latents have 4 channels, the transformer takes 3"):
        load_prior(latent_folder)


@pytest.mark.skipif(not FACES.exists(), reason="the trial prior is not here")
@torch.no_grad()
def test_the_trial_prior_of_faces_loads_with_the_scale_of_its_readme():
    with pytest.raises(InputError, match="give pixel_scale"):
        load_prior(FACES)
    prior = load_prior(FACES, pixel_scale=0.44715795)
    assert prior.codec.channels == 1
    assert prior.picture_size == 48
    noise = torch.randn(2, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    time, label = torch.tensor([999, 999]), torch.zeros(2, dtype=torch.long)
    # v at pure noise is nearly -x_0 blurred to the mean: small beside the noise, and not zero
    assert 0.1 < predict(prior.transformer, noise, time, label).std() < 1.0
