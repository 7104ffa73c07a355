import numpy as np
import pytest
import torch

from reinforge.data.drawn import draw_pictures
from reinforge.errors import InputError
from reinforge.generators import shipped
from reinforge.generators.denoising import denoising_loss
from reinforge.generators.pretrain import (
    PretrainConfig,
    new_learner,
    pixel_scale,
    pretrain,
    set_learning_rate,
    update_average,
)
from reinforge.generators.prior import load_prior, save_prior
from reinforge.settings import validated
from reinforge.training import Interrupted

TINY = {
    "size": 16,
    "channels": 3,
    "patch": 4,
    "n_layers": 2,
    "n_heads": 2,
    "head_dim": 8,
    "n_steps": 6,
    "batch_images": 16,
    "learning_rate": 3e-3,
    "table_learning_rate": 4e-3,
    "label_drop": 0.1,
    "average_decay": 0.9,
    "mirror": True,
    "precision": "float32",
    "checkpoint_every": 2,
}


def config_of(**settings):
    return validated(PretrainConfig, {**TINY, **settings})


def drawn(index, *, n_images=16, size=16):
    """Pictures of four drawn faces; another lot each step."""
    identity = np.arange(n_images) % 4
    picture = np.arange(n_images) + 1000 * index
    pixels = draw_pictures(identity, picture, size=size, seed=1)
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32)), torch.from_numpy(
        identity
    )


def trained(batch=drawn, **settings):
    keys = ("run_dir", "resume", "on_step", "stop")
    rest = {key: settings.pop(key) for key in keys if key in settings}
    seed = settings.pop("seed", 0)
    return pretrain(
        batch,
        4,
        config=config_of(**settings),
        seed=seed,
        trained_on="drawn faces",
        data_digest="drawn",
        **rest,
    )


def weights_of(prior):
    return prior.transformer.state_dict()


def is_same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_loss_falls_on_drawn_pictures():
    history = []
    trained(n_steps=100, learning_rate=0.01, on_step=history.append)
    loss = [record["loss"] for record in history]
    assert np.mean(loss[:5]) == pytest.approx(1.0, abs=0.1)  # it says nothing yet
    assert np.mean(loss[-20:]) < 0.88


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    one, same, other = trained(), trained(), trained(seed=1)
    assert is_same(weights_of(one), weights_of(same))
    assert not is_same(weights_of(one), weights_of(other))


def test_a_stopped_run_that_is_resumed_equals_the_straight_one_bit_for_bit(tmp_path):
    straight, seen = [], []
    whole = trained(on_step=straight.append)
    with pytest.raises(Interrupted, match="stopped after step 3"):
        trained(run_dir=tmp_path, on_step=seen.append, stop=lambda: len(seen) == 3)
    resumed = trained(run_dir=tmp_path, resume=True, on_step=seen.append)
    assert is_same(weights_of(whole), weights_of(resumed))
    assert seen == straight


def test_a_checkpoint_of_other_pictures_or_settings_is_refused(tmp_path):
    trained(run_dir=tmp_path)
    with pytest.raises(InputError, match="other settings or other data"):
        trained(run_dir=tmp_path, resume=True, learning_rate=1e-3)


def test_a_trained_prior_is_read_back_as_it_was(tmp_path):
    prior = trained()
    save_prior(prior, tmp_path / "prior")
    again = load_prior(tmp_path / "prior")
    assert is_same(weights_of(prior), weights_of(again))
    assert again.codec == prior.codec
    assert torch.equal(again.schedule.alpha_bar, prior.schedule.alpha_bar)
    assert again.trained_on == "drawn faces"


def test_global_generators_are_left_alone():
    before = torch.get_rng_state()
    trained(n_steps=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_unit_of_a_pixel_prior_is_the_deviation_of_its_pictures():
    half_black = torch.cat([torch.zeros(8, 1, 2, 2), torch.full((8, 1, 2, 2), 255.0)])
    told = pixel_scale(lambda _: (half_black, torch.zeros(16)))
    assert told == pytest.approx(1.0, abs=0.01)  # half at -1, half at 1


def test_pictures_that_are_all_one_grey_are_refused():
    flat = torch.full((4, 3, 16, 16), 7.0), torch.zeros(4, dtype=torch.long)
    with pytest.raises(InputError, match="one and the same grey level"):
        trained(batch=lambda _: flat)


def test_a_patch_that_does_not_divide_the_size_is_refused():
    with pytest.raises(InputError, match="patch 3 does not divide size 16"):
        trained(patch=3)


def test_rates_rise_over_fifty_steps_and_fall_to_a_fiftieth():
    config = config_of(n_steps=1000, learning_rate=0.01, table_learning_rate=0.1)
    optimizer = new_learner(config, 4, seed=0).optimizer

    def rates(index):
        set_learning_rate(optimizer, index, config)
        return [group["lr"] for group in optimizer.param_groups]

    assert rates(0) == pytest.approx([0.01 / 50, 0.1 / 50])
    assert rates(500) == pytest.approx([0.01 * 0.51, 0.1 * 0.51])
    assert rates(1000) == pytest.approx([0.01 * 0.02, 0.1 * 0.02])


def test_label_rows_and_no_other_weights_have_the_rate_of_the_table():
    learner = new_learner(config_of(), 4, seed=0)
    shapes = {tuple(p.shape) for p in learner.optimizer.param_groups[1]["params"]}
    assert shapes == {(5, 16)}  # four labels and nobody
    count = sum(len(group["params"]) for group in learner.optimizer.param_groups)
    assert count == sum(p.requires_grad for p in learner.transformer.parameters())


def test_a_young_mean_forgets_faster_than_an_old_one():
    learner = new_learner(config_of(), 4, seed=0)
    weight = next(p for p in learner.transformer.parameters() if p.requires_grad)
    mean = next(p for p in learner.averaged.parameters())
    with torch.no_grad():
        weight.fill_(1.0)
        mean.fill_(0.0)
    update_average(learner, 0, 0.998)  # decay 1 / 10
    assert float(mean.flatten()[0]) == pytest.approx(0.9)
    with torch.no_grad():
        mean.fill_(0.0)
    update_average(learner, 100_000, 0.998)
    assert float(mean.flatten()[0]) == pytest.approx(0.002)


@pytest.mark.parametrize(("mirror", "share"), [(True, 0.5), (False, 0.0)])
def test_half_of_the_pictures_are_mirrored_where_it_is_asked_for(monkeypatch, mirror, share):
    seen = []

    def spied(transformer, schedule, clean, *rest, **settings):
        seen.append(clean)
        return denoising_loss(transformer, schedule, clean, *rest, **settings)

    monkeypatch.setattr("reinforge.generators.pretrain.denoising_loss", spied)
    ramp = torch.arange(16.0).expand(400, 3, 16, 16).contiguous()  # brighter to the right
    trained(lambda _: (ramp, torch.arange(400) % 4), n_steps=1, mirror=mirror)
    is_mirrored = seen[0][:, 0, 0, 0] > seen[0][:, 0, 0, -1]
    assert float(is_mirrored.float().mean()) == pytest.approx(share, abs=0.1)


def test_the_recipe_of_the_shipped_prior_runs_and_says_what_it_was_trained_on():
    config = config_of(mirror=False, n_steps=2)
    history = []
    prior = shipped.train_shipped(config=config, on_step=history.append)
    assert "of no real person" in prior.trained_on
    assert len(history) == 2
    assert prior.transformer.config.num_embeds_ada_norm == shipped.N_IDENTITIES
