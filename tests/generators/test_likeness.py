"""Class rows that follow from features: by hand, on disk, and a tiny prior that learns by them."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from reinforge.errors import InputError
from reinforge.generators import likeness
from reinforge.generators.dit import (
    class_tables,
    first_classes,
    predict,
    put_rows,
    with_class_table,
)
from reinforge.generators.likeness import DescribedDiT, Likeness, likeness_of
from reinforge.generators.pretrain import PretrainConfig, asked_network, pretrain
from reinforge.generators.prior import load_prior, save_prior
from reinforge.settings import validated
from small_identity import small_prior

BY_HAND = Likeness(
    base=(torch.tensor([1.0, 2.0]),),
    maps=(torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0]]),),
    mean=torch.zeros(4),
    factor=torch.eye(4),
)


def test_a_row_is_the_base_and_the_map_of_the_feature_at_length_root_d():
    feature = torch.tensor([[0.0, 5.0, 0.0, 0.0], [3.0, 4.0, 0.0, 0.0]])  # lengths 5, root d is 2
    (rows,) = BY_HAND.rows(feature)
    torch.testing.assert_close(rows, torch.tensor([[1.0, 8.0], [2.2, 6.8]]))


def test_strangers_are_of_length_1_and_the_first_ones_whatever_their_number():
    few, many = BY_HAND.strangers(3, seed=1), BY_HAND.strangers(7, seed=1)
    assert torch.equal(few, many[:3])
    torch.testing.assert_close(many.norm(dim=1), torch.ones(7))
    assert not torch.allclose(few, BY_HAND.strangers(3, seed=2))


def test_strangers_are_spread_as_people_are():
    generator = torch.Generator().manual_seed(0)
    people = normalize(
        torch.tensor([1.0, 0.5, 0.0, 0.0])
        + torch.randn(4000, 4, generator=generator) * torch.tensor([0.1, 0.3, 0.05, 0.2]),
        dim=1,
    )
    network = DescribedDiT(small_prior().transformer, 4)
    drawn = likeness_of(network, people).strangers(4000, seed=0)
    torch.testing.assert_close(drawn.mean(0), people.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), people.T.cov(), atol=0.01, rtol=0)


def test_strangers_apart_are_each_the_least_like_those_before(monkeypatch):
    monkeypatch.setattr(likeness, "POOL", 6)
    pool, apart = BY_HAND.strangers(6, seed=1), BY_HAND.strangers_apart(4, seed=1)
    assert torch.equal(apart[0], pool[0])
    for at in range(1, 4):
        likest = (pool @ apart[:at].T).max(1).values
        assert torch.equal(apart[at], pool[likest.argmin()])
    assert torch.equal(BY_HAND.strangers_apart(2, seed=1), apart[:2])
    all_of_them = BY_HAND.strangers_apart(9, seed=1)  # three more than the pool
    assert torch.equal(all_of_them[6:], BY_HAND.strangers(9, seed=1)[6:])
    assert len(torch.unique(all_of_them, dim=0)) == 9


def test_strangers_apart_are_less_alike_than_strangers_by_chance():
    apart, chance = (
        (drawn @ drawn.T).fill_diagonal_(-1).max(1).values.mean()
        for drawn in (BY_HAND.strangers_apart(12, seed=0), BY_HAND.strangers(12, seed=0))
    )
    assert apart < chance - 0.2


def described(n_features=4, seed=0):
    """A network whose maps are not zero any more."""
    network = DescribedDiT(small_prior().transformer, n_features)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for one in network.maps:
            one.copy_(torch.randn(one.shape, generator=generator))
    return network


def test_shown_people_are_classes_with_the_rows_that_the_likeness_gives():
    network = described()
    feature = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    rows = likeness_of(network, torch.randn(9, 4)).rows(feature)
    classes = with_class_table(network.transformer, 3)
    put_rows(classes, rows, nobody_of=network.transformer)
    noisy, time = torch.randn(4, 1, 8, 8), torch.tensor([3, 50, 99, 10])
    label = torch.tensor([0, 1, 2, 3])  # the last is nobody
    with torch.no_grad():
        shown = predict(network.of(feature), noisy, time, label)
        torch.testing.assert_close(shown, predict(classes, noisy, time, label))
    assert not torch.allclose(shown[0], shown[1])


def test_gradients_reach_the_maps_the_base_and_the_null_row():
    network = described()
    table = class_tables(network.transformer)[0]
    feature = torch.eye(4)[:2]
    predicted = predict(
        network.of(feature), torch.ones(2, 1, 8, 8), torch.tensor([5, 5]), torch.tensor([0, 2])
    )
    predicted.square().sum().backward()
    assert network.maps[0].grad[:, 0].abs().sum() > 0
    assert network.maps[0].grad[:, 1].abs().sum() == 0  # the second person was not asked for
    assert table.grad[0].abs().sum() > 0
    assert table.grad[1].abs().sum() > 0


def test_pictures_without_a_feature_are_nobodys():
    feature = torch.tensor([[0.0, 1.0], [0.0, 0.0], [2.0, 0.0]])
    network = described(2)
    _, label, nobody = asked_network(network, feature)
    assert (label.tolist(), nobody) == ([0, 3, 2], 3)
    transformer = network.transformer
    assert asked_network(transformer, torch.tensor([0]))[0] is transformer
    assert asked_network(transformer, torch.tensor([0]))[2] == 1


def test_the_first_classes_of_a_network_are_kept_with_its_null_row():
    transformer = small_prior(n_classes=5).transformer
    table = class_tables(transformer)[0].detach().clone()
    kept = first_classes(transformer, 2)
    assert torch.equal(class_tables(kept)[0], table[[0, 1, 5]])
    assert kept.config.num_embeds_ada_norm == 2


# on disk


def with_likeness():
    network = described()
    people = torch.randn(30, 4, generator=torch.Generator().manual_seed(3))
    return replace(small_prior(), likeness=likeness_of(network, people))


def test_a_prior_keeps_its_likeness_and_names_its_encoder(tmp_path):
    prior = with_likeness()
    (tmp_path / "encoder").mkdir()
    save_prior(prior, tmp_path)
    known = load_prior(tmp_path)
    assert known.encoder == tmp_path / "encoder"
    for name, value in prior.likeness.tensors().items():
        assert torch.equal(known.likeness.tensors()[name], value), name
    save_prior(small_prior(), tmp_path)  # another one takes its place
    assert load_prior(tmp_path).likeness is None


def test_a_damaged_or_foreign_likeness_is_refused_by_name(tmp_path):
    prior = with_likeness()
    save_prior(prior, tmp_path)
    file = tmp_path / "likeness.safetensors"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(InputError, match=r"likeness.safetensors: damaged"):
        load_prior(tmp_path)
    other = replace(prior.likeness, base=(torch.zeros(3),), maps=(torch.zeros(3, 4),))
    save_prior(replace(prior, likeness=other), tmp_path)
    with pytest.raises(InputError, match="do not fit the transformer's class rows"):
        load_prior(tmp_path)


# learning

TINY = {
    "size": 8,
    "channels": 1,
    "patch": 4,
    "n_layers": 1,
    "n_heads": 2,
    "head_dim": 16,
    "n_steps": 1000,
    "batch_images": 16,
    "learning_rate": 1e-2,
    "likeness_learning_rate": 3e-2,
    "average_decay": 0.9,
    "likeness": True,
    "mirror": False,
    "precision": "float32",
}
FEATURES = normalize(torch.randn(4, 6, generator=torch.Generator().manual_seed(2)), dim=1)
BRIGHT = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [-1, -1, 1, 1], [-1, 1, -1, 1]])


def faces(index, n=16):
    """Four people, of whom two quarters are bright, more or less; and the feature of each."""
    identity = torch.arange(n) % 4
    light = 60 * BRIGHT[identity]
    light = light + 15 * torch.randn(n, 4, generator=torch.Generator().manual_seed(index))
    pixels = 127.5 + light.view(n, 1, 2, 2).repeat_interleave(4, 2).repeat_interleave(4, 3)
    return pixels.clamp(0, 255), FEATURES[identity]


def trained(**settings):
    start = settings.pop("start", None)
    return pretrain(
        faces,
        1,
        config=validated(PretrainConfig, {**TINY, **settings}),
        seed=0,
        trained_on="drawn",
        data_digest="drawn",
        people=FEATURES,
        start=start,
    )


def test_a_prior_learns_to_draw_whom_it_is_told():
    prior = trained()
    pixels, _ = faces(10_000, 64)
    clean = prior.codec.encode(pixels)
    generator = torch.Generator().manual_seed(5)
    time = torch.full((64,), 600)
    noise = torch.randn(clean.shape, generator=generator)
    classes = with_class_table(prior.transformer, 4).eval()
    put_rows(classes, prior.likeness.rows(FEATURES), nobody_of=prior.transformer)
    noisy, target = (
        prior.schedule.noised(clean, noise, time),
        prior.schedule.target(clean, noise, time),
    )

    def error(label):
        with torch.no_grad():
            squared = (predict(classes, noisy, time, label) - target).square()
        return squared.flatten(1).mean(1)

    own = torch.arange(64) % 4
    others = torch.stack([error((own + shift) % 4) for shift in (1, 2, 3)])
    assert float(error(own).mean()) < 0.2 * float(others.mean())
    assert prior.transformer.config.num_embeds_ada_norm == 1


def test_a_prior_goes_on_from_another_one_and_refuses_one_of_other_pictures():
    before = trained(n_steps=3)
    after = trained(n_steps=1, start=before, learning_rate=1e-6, table_learning_rate=1e-6)
    weights = dict(before.transformer.named_parameters())
    for name, value in after.transformer.named_parameters():
        if "embedding_table" in name:
            continue
        torch.testing.assert_close(value, weights[name], atol=1e-4, rtol=0)
    with pytest.raises(InputError, match="size is 16, that of the prior to start from 8"):
        trained(start=before, size=16)
    with pytest.raises(InputError, match="channels is 3, that of the prior to start from 1"):
        trained(start=before, channels=3)
