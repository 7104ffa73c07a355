import pytest
import torch
from test_recogniser import network_of

from reinforge.recognition.losses import loss_of

LABEL = torch.tensor([0, 0, 1, 1, 2, 2])


def loss_and_features(kind, **settings):
    network, config = network_of(kind=kind, width=8, embedding_dim=16, **settings)
    features = torch.randn((6, 16), generator=torch.Generator().manual_seed(3))
    return loss_of(config, network), features


@pytest.mark.parametrize("kind", ["face", "reid"])
def test_equal_weights_are_no_weights(kind):
    loss, features = loss_and_features(kind)
    plain = loss(features, features, LABEL)
    for weight in (1.0, 0.25):
        torch.testing.assert_close(loss(features, features, LABEL, torch.full((6,), weight)), plain)


@pytest.mark.parametrize("settings", [{"kind": "face"}, {"kind": "reid", "triplet_weight": 0.0}])
def test_a_picture_of_weight_two_counts_as_two_pictures(settings):
    loss, features = loss_and_features(**settings)
    weighted = loss(features, features, LABEL, torch.tensor([2.0, 1, 1, 1, 1, 0]))
    numbers = [0, 0, 1, 2, 3, 4]
    twice = loss(features[numbers], features[numbers], LABEL[numbers])
    torch.testing.assert_close(weighted, twice)


def test_a_triplet_has_the_weight_of_its_anchor():
    """On a line: 0, 1 of one identity and 1.2, 2.2 of another; triplets of margin 0.3 by hand."""
    loss, _ = loss_and_features("reid", triplet_weight=1.0, label_smoothing=0.0)
    alone, _ = loss_and_features("reid", triplet_weight=0.0, label_smoothing=0.0)
    before = torch.nn.functional.pad(torch.tensor([[0.0], [1.0], [1.2], [2.2]]), (0, 15))
    label = torch.tensor([0, 0, 1, 1])
    behind = torch.zeros((4, 16))

    def triplets(weight):
        weight = torch.tensor(weight)
        values = (x(before, behind, label, weight).detach() for x in (loss, alone))
        return float(next(values) - next(values))

    # anchors 0, 1, 1.2, 2.2: 1 - 1.2 + 0.3, 1 - 0.2 + 0.3, the same two mirrored
    assert triplets([1.0, 1, 1, 1]) == pytest.approx((0.1 + 1.1 + 1.1 + 0.1) / 4, abs=1e-5)
    assert triplets([3.0, 1, 0, 0]) == pytest.approx((3 * 0.1 + 1.1) / 4, abs=1e-5)
    assert triplets([3.0, 0, 0, 0]) == pytest.approx(0.1, abs=1e-5)


def test_a_batch_without_a_pair_of_one_identity_has_no_triplets():
    loss, features = loss_and_features("reid")
    alone, _ = loss_and_features("reid", triplet_weight=0.0)
    label = torch.arange(4)
    batch = features[:4], features[:4], label, torch.ones(4)
    torch.testing.assert_close(loss(*batch), alone(*batch))
