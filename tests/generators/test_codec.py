import pytest
import torch
from diffusers import AutoencoderKL

from reinforge.generators.codec import Codec, PixelCodec, VaeCodec, quantised


def small_vae(**changed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return AutoencoderKL(
            block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4,
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
            **changed,
        )  # fmt: skip


def pictures(n=3, size=16):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, 3, size, size), generator=generator, dtype=torch.uint8)


def test_black_white_and_grey_lie_where_the_scale_puts_them():
    codec = PixelCodec(scale=0.5, channels=1)
    grey = torch.tensor([0.0, 127.5, 255.0]).view(1, 1, 1, 3)
    torch.testing.assert_close(codec.encode(grey).flatten(), torch.tensor([-2.0, 0.0, 2.0]))
    torch.testing.assert_close(codec.decode(codec.encode(grey)), grey)


def test_every_grey_level_survives_the_way_there_and_back():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    codec = PixelCodec(scale=0.44715795, channels=1)
    assert torch.equal(quantised(codec.decode(codec.encode(levels))), levels)


def test_quantised_pictures_are_whole_and_in_range():
    wild = torch.tensor([-3.0, 0.4, 1.5, 254.6, 400.0]).view(1, 1, 1, 5)
    assert quantised(wild).flatten().tolist() == [0, 0, 2, 255, 255]


@torch.no_grad()
def test_latents_are_the_scaled_mean_and_decode_as_the_autoencoder_does():
    vae = small_vae(scaling_factor=0.25).eval()
    codec = VaeCodec(vae=vae)
    unit = pictures() / 127.5 - 1
    latents = codec.encode(pictures())
    torch.testing.assert_close(latents, vae.encode(unit).latent_dist.mean * 0.25)
    expected = (vae.decode(latents / 0.25).sample + 1) * 127.5
    torch.testing.assert_close(codec.decode(latents), expected)
    assert (codec.channels, codec.shrinks) == (3, 2)


@torch.no_grad()
def test_a_few_pictures_at_a_time_give_what_all_at_once_give():
    vae = small_vae()
    few, all_of_them = VaeCodec(vae=vae, at_once=2), VaeCodec(vae=vae, at_once=9)
    latents = all_of_them.encode(pictures(5))
    torch.testing.assert_close(few.encode(pictures(5)), latents)
    torch.testing.assert_close(
        few.decode(latents), all_of_them.decode(latents), rtol=0, atol=1e-2
    )  # grey levels


@torch.no_grad()
def test_a_posterior_is_drawn_from_only_with_a_generator_and_the_same_twice():
    codec = VaeCodec(vae=small_vae())
    mean = codec.encode(pictures())
    first, again = (
        codec.encode(pictures(), generator=torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(first, again)
    assert (first - mean).std() > 0.01
    assert torch.equal(codec.encode(pictures()), mean)


def test_the_autoencoder_is_frozen_and_lets_gradients_through():
    codec = VaeCodec(vae=small_vae().train())
    assert not codec.vae.training
    latents = codec.encode(pictures()).requires_grad_(True)
    codec.decode(latents).sum().backward()
    assert latents.grad.abs().sum() > 0
    assert all(p.grad is None for p in codec.vae.parameters())


@pytest.mark.parametrize("codec", [PixelCodec(scale=1.0), VaeCodec(vae=small_vae())])
def test_both_are_codecs(codec):
    assert isinstance(codec.to("cpu"), Codec)
