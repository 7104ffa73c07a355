import numpy as np
import pytest
import torch

from reinforge.errors import InputError
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.train import learning_rate_factor, train_recogniser
from reinforge.records import ImageSet
from reinforge.training import Interrupted

TINY = {"width": 8, "embedding_dim": 16, "identities_per_batch": 4, "pictures_per_identity": 2}


def tiny(**settings):
    return resolve_recogniser("small", **{**TINY, "n_steps": 6, **settings})


def test_a_small_recogniser_knows_new_pictures_of_the_same_identities(draw_set):
    images = draw_set(n_pictures=5)
    train = images.subset(np.flatnonzero(np.arange(30) % 5 < 3))
    rest = images.subset(np.flatnonzero(np.arange(30) % 5 >= 3))
    mild = {"mirror": 0.0, "augmentation": 0.3, "random_erasing": 0.0, "shift": 0.02}
    found = train_recogniser(train, config=tiny(n_steps=60, **mild), seed=0)
    pixels = torch.from_numpy(rest.pixels).permute(0, 3, 1, 2).float()
    assert (found.classify(pixels).numpy() == rest.identity).mean() > 0.9
    feature = found.embed_all(rest)
    same = torch.from_numpy(rest.identity[:, None] == rest.identity[None, :])
    likeness = feature @ feature.T
    assert likeness[same].mean() > likeness[~same].mean() + 0.3


@pytest.mark.parametrize(
    "settings",
    [
        {"dropout": 0.3},
        {"optimizer": "sgd", "average_decay": None, "norm": "batch"},
        {"kind": "reid", "optimizer": "adam", "schedule": "step", "scaling": "imagenet"},
    ],
)
def test_a_run_that_was_stopped_and_resumed_equals_the_straight_run_bit_for_bit(
    images, tmp_path, settings
):
    config = tiny(**settings)
    straight = train_recogniser(images, config=config, seed=3)
    done = []
    with pytest.raises(Interrupted):
        train_recogniser(
            images,
            config=config,
            seed=3,
            run_dir=tmp_path,
            on_step=done.append,
            stop=lambda: len(done) == 4,
        )
    resumed = train_recogniser(
        images, config=config, seed=3, run_dir=tmp_path, resume=True, on_step=done.append
    )
    assert [record["step"] for record in done] == list(range(6))
    for name, weight in straight.network.state_dict().items():
        assert torch.equal(weight, resumed.network.state_dict()[name]), name


def test_training_neither_reads_nor_moves_the_global_generator(images):
    torch.random.default_generator.manual_seed(1)
    before = torch.get_rng_state()
    first = train_recogniser(images, config=tiny(n_steps=2, dropout=0.2), seed=0)
    assert torch.equal(before, torch.get_rng_state())
    torch.random.default_generator.manual_seed(2)
    second = train_recogniser(images, config=tiny(n_steps=2, dropout=0.2), seed=0)
    assert torch.equal(first.embed_all(images), second.embed_all(images))


def test_every_step_and_every_seed_draws_other_views(images, monkeypatch):
    drawn = []

    def spy(pixels, config, *, generator):
        drawn.append(float(torch.rand((), generator=generator)))
        return pixels

    monkeypatch.setattr("reinforge.recognition.train.augment", spy)
    for seed in (0, 1):
        train_recogniser(images, config=tiny(n_steps=3), seed=seed)
    assert len(set(drawn)) == 6


def test_another_seed_gives_another_recogniser(images):
    first, second = (train_recogniser(images, config=tiny(n_steps=1), seed=s) for s in (0, 1))
    assert not torch.equal(first.embed_all(images), second.embed_all(images))


def test_a_checkpoint_of_other_pictures_is_refused(images, draw_set, tmp_path):
    config = tiny(checkpoint_every=2)
    train_recogniser(images, config=config, seed=0, run_dir=tmp_path)
    with pytest.raises(InputError, match="other settings or other data"):
        train_recogniser(draw_set(seed=1), config=config, seed=0, run_dir=tmp_path, resume=True)


def test_the_mean_of_the_weights_recognises_and_not_the_last_ones(images):
    averaged = train_recogniser(images, config=tiny(average_decay=0.999), seed=0)
    last = train_recogniser(images, config=tiny(average_decay=None), seed=0)
    a, b = (r.network.state_dict()["prototypes"] for r in (averaged, last))
    assert not torch.equal(a, b)


def test_identities_without_pictures_keep_their_place_and_are_never_named(images):
    numbers = np.flatnonzero(images.identity != 2)
    found = train_recogniser(images.subset(numbers), config=tiny(n_steps=2), seed=0)
    pixels = torch.from_numpy(images.pixels).permute(0, 3, 1, 2).float()
    logits = found.logits(pixels)
    assert logits.shape == (24, 6)
    assert torch.isneginf(logits[:, 2]).all()
    assert torch.isfinite(logits[:, [0, 1, 3, 4, 5]]).all()
    assert 2 not in found.classify(pixels)


def test_one_identity_is_refused_before_work_starts(images):
    alone = images.subset(np.flatnonzero(images.identity == 0))
    with pytest.raises(InputError, match="at least 2 identities"):
        train_recogniser(alone, config=tiny(), seed=0)


def test_triplets_need_two_pictures_of_each_identity_and_cosface_does_not(images):
    few = images.subset(np.arange(1, 24)[np.arange(1, 24) // 4 != 1])
    few = few.subset(np.flatnonzero((few.identity != 0) | (np.arange(len(few)) == 0)))
    with pytest.raises(InputError, match="'person 0' has 1 picture"):
        train_recogniser(few, config=tiny(kind="reid"), seed=0)
    train_recogniser(few, config=tiny(kind="face", n_steps=1), seed=0)


def test_colour_pictures_and_oblong_ones_are_taken(draw_set):
    images = draw_set(channel=3)
    oblong = ImageSet(pixels=images.pixels[:, :, :16], identity=images.identity, names=images.names)
    found = train_recogniser(oblong, config=tiny(n_steps=1), seed=0)
    assert found.config.resolved == ((24, 16), 3)
    assert found.embed_all(oblong).shape == (24, 16)


def test_the_rate_warms_up_linearly_and_falls_as_the_schedule_says():
    cosine = tiny(n_steps=100, warmup=0.1, warmup_factor=0.01)
    assert learning_rate_factor(0, cosine) == pytest.approx(0.01)
    assert learning_rate_factor(5, cosine) == pytest.approx(0.505)
    assert learning_rate_factor(10, cosine) == pytest.approx(1.0)
    assert learning_rate_factor(55, cosine) == pytest.approx(0.5)
    steps = tiny(n_steps=120, warmup=0.0, schedule="step", milestones=(40 / 120, 70 / 120))
    found = [learning_rate_factor(i, steps) for i in (39, 40, 69, 70)]
    assert found == pytest.approx([1.0, 0.1, 0.1, 0.01])
