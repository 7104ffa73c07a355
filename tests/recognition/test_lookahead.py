import contextlib
import copy
import math

import pytest
import torch
from test_recogniser import TINY_VIT, network_of
from torch import nn
from torch.nn import functional as F

from reinforge.policy_gradient.update import ascend
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.lookahead import (
    Views,
    exact,
    first_order,
    frozen_statistics,
    identity_loss,
    lowest,
    rank_correlation,
    virtual_step,
)
from reinforge.recognition.losses import loss_of
from reinforge.recognition.network import Network


class Line(Network):
    """A picture is one number x; logits are x times two prototypes, at first (0, 0)."""

    def __init__(self):
        nn.Module.__init__(self)
        self.backbone = nn.Flatten()
        self.prototypes = nn.Parameter(torch.zeros(1, 2))
        self.kind, self.dropout = "reid", 0.0

    def pooled(self, pixels):
        return self.backbone(pixels)

    def head(self, feature):
        return feature, feature


def views_of(x, label, weight=1.0):
    label = torch.tensor(label)
    pixels = torch.tensor(x, dtype=torch.float32).view(-1, 1, 1, 1)
    return Views(pixels=pixels, label=label, weight=torch.full(label.shape, weight))


def line_loss(network):
    return loss_of(
        resolve_recogniser("small", kind="reid", triplet_weight=0.0, label_smoothing=0.0), network
    )


# one real picture x = 1 of class 0: the slope is (-1/2, 1/2), so that a step of rate log 3 makes
# the logits (log 3 / 2, -log 3 / 2) and the probability of class 0 rise from 1/2 to 3/4
REAL = ([1.0], [0])
CANDIDATES = ([1.0, 1.0, 0.0, -1.0], [0, 1, 0, 0])
ON_REAL = [math.log(2 / 3), math.log(2), 0.0, math.log(2)]


@pytest.mark.parametrize("of_head", [False, True])
def test_delta_is_the_loss_after_a_virtual_step_less_the_loss_before_it(of_head):
    network = Line()
    real, candidates = views_of(*REAL), views_of(*CANDIDATES)
    look = virtual_step(
        network,
        line_loss(network),
        real,
        candidates,
        rate=math.log(3),
        on_mixed=False,
        of_head=of_head,
    )
    torch.testing.assert_close(look.before, torch.full((4,), math.log(2)).double())
    torch.testing.assert_close(exact(look), torch.tensor(ON_REAL).double(), rtol=0, atol=1e-6)
    slope = math.log(3) / 2  # <slope, slope> = 1/2
    expected = torch.tensor([-slope, slope, 0.0, slope]).double()
    torch.testing.assert_close(first_order(look), expected, rtol=0, atol=1e-6)


def test_candidates_take_part_in_the_mixed_step_by_their_weight():
    network = Line()
    real, wrong = views_of(*REAL), ([1.0], [1])
    for weight, share in ((1.0, 0.0), (1 / 3, 0.5)):  # (1 - w) / (1 + w) of the real slope is left
        look = virtual_step(
            network, line_loss(network), real, views_of(*wrong, weight), rate=math.log(3)
        )
        expected = share * math.log(3) / 2 * torch.tensor([[1.0, -1.0]])
        torch.testing.assert_close(look.move["network.prototypes"], expected)


def random_views(n, n_classes=5, *, seed=0, noise_seed=None):
    """Pictures of patterns in noise; another noise seed gives others of the same patterns."""
    draws = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % n_classes
    pattern = torch.rand((n_classes, 3, 24, 16), generator=draws)
    if noise_seed is not None:
        draws = torch.Generator().manual_seed(noise_seed)
    noise = torch.rand((n, 3, 24, 16), generator=draws)
    pixels = 255 * (0.5 * pattern[label] + 0.5 * noise)
    return Views(pixels=pixels, label=label, weight=torch.ones(n))


KINDS = pytest.mark.parametrize("kind", ["face", "reid"])


def moving(kind, **settings):
    """A network with batch norms that has seen a few pictures, and its loss."""
    network, config = network_of(kind=kind, norm="batch", width=8, embedding_dim=16, **settings)
    with torch.no_grad():
        network.train()(random_views(20, seed=5).pixels)
    return network, loss_of(config, network)


@KINDS
def test_a_look_leaves_weights_statistics_gradients_and_optimizer_alone(kind):
    network, loss = moving(kind)
    real, candidates = random_views(10), random_views(10, seed=1)
    optimizer = torch.optim.AdamW(network.parameters())
    loss(*network(real.pixels), real.label).backward()
    optimizer.step()
    gradients = [None if p.grad is None else p.grad.clone() for p in network.parameters()]
    before = copy.deepcopy((network.state_dict(), optimizer.state_dict()["state"]))
    look = virtual_step(network, loss, real, candidates, rate=0.1)
    assert exact(look).abs().max() > 1e-3  # it did look
    first_order(look)
    identity_loss(network, candidates)
    assert network.training
    assert all(module.training for module in network.modules())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[0][name]), name
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert (parameter.grad is None) == (gradient is None)
        assert gradient is None or torch.equal(parameter.grad, gradient)
    for index, slots in optimizer.state_dict()["state"].items():
        assert all(torch.equal(v, before[1][index][k]) for k, v in slots.items())


def test_statistics_thaw_when_a_look_fails():
    network, _ = moving("face")
    with contextlib.suppress(ZeroDivisionError), frozen_statistics(network):
        assert not network.training
        raise ZeroDivisionError
    assert network.training


@KINDS
@pytest.mark.parametrize("of_head", [False, True])
def test_delta_is_that_of_a_copy_that_really_takes_a_plain_step(kind, of_head):
    network, loss = moving(kind)
    real, candidates = random_views(10), random_views(10, seed=1)
    both = real.beside(candidates)
    other = copy.deepcopy(network).eval()
    part = [
        p
        for name, p in other.named_parameters()
        if p.requires_grad and not (of_head and name.startswith("backbone."))
    ]
    config = network_of(kind=kind, norm="batch", width=8, embedding_dim=16)[1]

    def losses():
        logits = other.logits(other(candidates.pixels)[1]).detach()
        return F.cross_entropy(logits.double(), candidates.label, reduction="none")

    first = losses()
    loss_of(config, other)(*other(both.pixels), both.label, both.weight).backward()
    torch.optim.SGD(part, lr=0.05).step()
    look = virtual_step(network, loss, real, candidates, rate=0.05, of_head=of_head)
    torch.testing.assert_close(look.before, first, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(exact(look), losses() - first, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("small", {"kind": "face", "width": 8, "norm": "group"}),
        ("small", {"kind": "reid", "width": 8, "norm": "batch"}),
        ("reid-vit", {"architecture": {**TINY_VIT, "image_size": 16}, "size": (16, 16)}),
    ],
)
def test_at_a_small_rate_the_first_order_estimate_ranks_as_the_exact_one(preset, settings):
    settings = {"size": (24, 16), **settings}
    network, config = network_of(preset, **settings)
    loss = loss_of(config, network)
    real, candidates = random_views(10), random_views(40, seed=1)
    look = virtual_step(network, loss, real, candidates, rate=1e-4)
    pair = [x.view(8, 5).T for x in (exact(look), first_order(look))]
    assert rank_correlation(*pair) > 0.9


def test_the_lowest_of_each_identity_are_marked_and_the_first_of_equal_ones():
    score = torch.tensor([[3.0, 1.0, 2.0], [5.0, 5.0, 5.0], [-1.0, 0.0, -2.0]]).double()
    assert lowest(score, 1).tolist() == [0, 1, 0, 1, 0, 0, 0, 0, 1]
    assert lowest(score, 2).view(3, 3).sum(dim=1).tolist() == [2, 2, 2]


def test_rank_correlation_looks_within_identities():
    first = torch.tensor([[1.0, 2.0], [10.0, 20.0]]).double()
    far = first + torch.tensor([[100.0], [-100.0]])
    assert rank_correlation(first, far) == pytest.approx(1.0)
    assert rank_correlation(first, -far) == pytest.approx(-1.0)
    assert rank_correlation(first, torch.ones(2, 2).double()) == 0.0


def test_after_some_training_a_wrong_label_gains_less_by_a_step_on_real_pictures():
    network, config = network_of(kind="face", width=8, embedding_dim=16)
    loss = loss_of(config, network)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    real, candidates = random_views(10), random_views(40, noise_seed=1)
    for _ in range(8):
        ascend(optimizer, -loss(*network.train()(real.pixels), real.label))
    is_wrong = torch.arange(40) // 5 % 2 == 1
    label = torch.where(is_wrong, (candidates.label + 1) % 5, candidates.label)
    mixed = Views(pixels=candidates.pixels, label=label, weight=candidates.weight)
    look = virtual_step(network, loss, real, mixed, rate=0.01, on_mixed=False)
    delta = exact(look)
    torch.testing.assert_close(look.before, identity_loss(network, mixed), rtol=1e-5, atol=1e-5)
    assert delta[is_wrong].mean() > delta[~is_wrong].mean()
    assert delta[~is_wrong].mean() < 0
