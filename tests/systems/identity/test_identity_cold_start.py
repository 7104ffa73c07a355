import pytest
import torch
from tiny_identity import blocks, is_same, tiny_learner

from reinforge.systems.identity.cold_start import balanced_pictures, start_cold
from reinforge.systems.identity.step import step


def test_every_identity_is_drawn_equally_often_however_many_pictures_it_has():
    label = torch.tensor([0] * 10 + [1] + [2] * 5)
    told = balanced_pictures(label, 6000, torch.Generator().manual_seed(0))
    share = torch.bincount(label[told]) / 6000
    assert share.tolist() == pytest.approx([1 / 3] * 3, abs=0.03)
    assert set(told.tolist()) == set(range(16))


def test_the_denoising_loss_falls():
    learner = tiny_learner(cold_start_steps=60, cold_start_learning_rate=5e-3, cold_start_images=32)
    loss = [start_cold(learner, index, seed=0)["denoising_loss"] for index in range(60)]
    assert sum(loss[-10:]) < 0.8 * sum(loss[:10])


def test_identities_come_to_be_told_apart_by_their_rows():
    learner = tiny_learner(is_apart=False, cold_start_steps=5, label_drop=0.0)
    for index in range(5):
        step(learner, blocks, index, seed=0)
    tables = [w.detach() for n, w in learner.policy.trained().items() if "embedding_table" in n]
    assert all(float(torch.pdist(table[:4]).min()) > 1e-4 for table in tables)


def test_where_the_head_alone_is_trained_the_backbone_stays():
    learner = tiny_learner(trained="head", cold_start_steps=3)
    frozen = {
        n: p.clone()
        for n, p in learner.policy.transformer.named_parameters()
        if not p.requires_grad
    }
    before = learner.policy.copy_of_trained()
    for index in range(3):
        step(learner, blocks, index, seed=0)
    after = dict(learner.policy.transformer.named_parameters())
    assert frozen
    assert is_same(frozen, {name: after[name].detach() for name in frozen})
    assert not is_same(before, learner.policy.copy_of_trained())


def test_rates_rise_then_fall_and_the_table_has_its_own():
    learner = tiny_learner(
        cold_start_steps=100, cold_start_learning_rate=0.01, table_learning_rate=0.1
    )

    def rates(index):
        start_cold(learner, index, seed=0)
        return [group["lr"] for group in learner.cold_start_optimizer.param_groups]

    assert rates(0) == pytest.approx([0.01 / 20, 0.1 / 20])
    assert rates(50) == pytest.approx([0.01 * 0.525, 0.1 * 0.525])
    assert rates(99)[0] == pytest.approx(0.01 * 0.05, rel=0.01)


def test_the_value_net_and_the_reference_have_no_part_in_it():
    learner = tiny_learner(cold_start_steps=3, advantage="value")
    value = {name: p.clone() for name, p in learner.value.state_dict().items()}
    reference = {name: p.clone() for name, p in learner.reference.items()}
    start_cold(learner, 0, seed=0)
    assert is_same(value, learner.value.state_dict())
    assert is_same(reference, learner.reference)


@pytest.mark.parametrize("mirror", [True, False])
def test_mirrored_pictures_are_seen_where_it_is_asked_for(mirror, monkeypatch):
    learner = tiny_learner(cold_start_steps=3, mirror=mirror)
    learner.mirrored = learner.mirrored + float("nan")  # whoever sees one, knows
    told = start_cold(learner, 0, seed=0)["denoising_loss"]
    assert (told != told) is mirror
