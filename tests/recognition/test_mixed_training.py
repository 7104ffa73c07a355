import dataclasses

import numpy as np
import pytest
import torch
from drawn_pictures import drawn_set

from reinforge.errors import InputError
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.mixing import MixingConfig
from reinforge.recognition.train import pk_batch, train_recogniser
from reinforge.training import Interrupted

TINY = {"width": 8, "embedding_dim": 16, "identities_per_batch": 4, "pictures_per_identity": 2}
REAL = drawn_set(5, 3)
MADE = drawn_set(5, 4, seed=1)


def tiny(**settings):
    return resolve_recogniser("small", **{**TINY, "n_steps": 5, **settings})


def trained(config, *, synthetic=MADE, seed=3, **settings):
    records = []
    told = {"on_step": records.append, **settings}
    found = train_recogniser(REAL, config=config, seed=seed, synthetic=synthetic, **told)
    return found.network.state_dict(), records


def same(first, second):
    return all(torch.equal(weight, second[name]) for name, weight in first.items())


@pytest.mark.parametrize(
    ("settings", "mixing"),
    [
        ({"dropout": 0.3}, {"selection": "lookahead", "look_every": 2, "kept": 2}),
        ({}, {"selection": "lowest_loss"}),
        (
            {"kind": "reid", "norm": "batch"},
            {"selection": "lookahead", "estimate": "first_order", "until": 0.8},
        ),
        ({"optimizer": "sgd"}, {"selection": "random", "weight": 0.5}),
    ],
)
def test_a_mixed_run_that_was_stopped_and_resumed_equals_the_straight_run(
    tmp_path, settings, mixing
):
    config, mixing = tiny(**settings), MixingConfig(**mixing)
    straight, records = trained(config, mixing=mixing)
    done = []
    own = {"mixing": mixing, "run_dir": tmp_path, "on_step": done.append}
    with pytest.raises(Interrupted):
        trained(config, stop=lambda: len(done) == 3, **own)
    resumed, _ = trained(config, resume=True, **own)
    assert done == records
    assert same(straight, resumed)


def test_other_synthetic_pictures_or_other_mixing_are_another_run(tmp_path):
    config = tiny(n_steps=1, checkpoint_every=1)
    trained(config, run_dir=tmp_path)
    own = {"run_dir": tmp_path, "resume": True}
    trained(config, **own)
    others = (
        {"synthetic": drawn_set(5, 4, seed=2)},
        {"synthetic": None},
        {"mixing": MixingConfig(kept=2)},
    )
    for other in others:
        with pytest.raises(InputError, match="other settings or other data"):
            trained(config, **own, **other)


def test_synthetic_pictures_that_are_never_used_change_nothing():
    config = tiny(dropout=0.2)
    plain, records = trained(config, synthetic=None)
    unused, other = trained(config, mixing=MixingConfig(until=0.0))
    assert same(plain, unused)
    assert records == other
    assert not same(plain, trained(config)[0])


def test_the_history_tells_what_was_kept_and_when_it_was_looked():
    mixing = MixingConfig(selection="lookahead", look_every=2, until=0.6)
    _, records = trained(tiny(), mixing=mixing)
    looked = [record["step"] for record in records if "delta_kept" in record]
    mixed = [record["step"] for record in records if "accuracy_synthetic" in record]
    assert (looked, mixed) == ([0, 2], [0, 1, 2])
    assert all(r["delta_kept"] <= r["delta_dropped"] for r in records if "delta_kept" in r)
    assert all({"loss", "accuracy"} <= set(record) for record in records)


def test_the_real_pictures_of_a_step_are_those_of_a_run_without_synthetic_ones(monkeypatch):
    drawn = []

    def spy(identity, step, **settings):
        drawn.append(pk_batch(identity, step, **settings).tolist())
        return np.array(drawn[-1])

    monkeypatch.setattr("reinforge.recognition.train.pk_batch", spy)
    for synthetic in (None, MADE):
        trained(tiny(n_steps=2), synthetic=synthetic)
    assert drawn[:2] == drawn[2:]


def test_good_synthetic_pictures_teach_more_than_one_real_picture_alone():
    """One noisy picture of each identity; seven fresh ones of the same identities help."""
    rng = np.random.default_rng(0)
    whole = drawn_set(6, 14)
    noise = rng.normal(0, 45, whole.pixels.shape)
    noisy = dataclasses.replace(
        whole, pixels=np.clip(whole.pixels + noise, 0, 255).astype(np.uint8)
    )
    place = np.arange(len(noisy)) % 14
    real, made, test = (
        noisy.subset(np.flatnonzero(chosen)) for chosen in (place < 1, place // 7 == 1, place == 1)
    )
    config = tiny(n_steps=20, identities_per_batch=6, pictures_per_identity=1, mirror=0.0)
    pixels = torch.from_numpy(test.pixels).permute(0, 3, 1, 2).float()
    losses = []
    for synthetic in (None, made):
        found = train_recogniser(real, config=config, seed=0, synthetic=synthetic)
        label = torch.from_numpy(test.identity)
        losses.append(torch.nn.functional.cross_entropy(found.logits(pixels), label))
    assert losses[1] < losses[0]


def test_bad_mixtures_are_refused_before_work_starts():
    with pytest.raises(InputError, match="6 names against 5"):
        trained(tiny(), synthetic=drawn_set(6))
    with pytest.raises(InputError, match="without synthetic pictures"):
        trained(tiny(), synthetic=None, mixing=MixingConfig())
