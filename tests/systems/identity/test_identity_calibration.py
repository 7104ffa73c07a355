"""How far a recogniser flatters the pictures that it learned."""

import numpy as np
import pytest
import torch

from reinforge.records import ImageSet
from reinforge.systems.identity.bank import memory_bank
from reinforge.systems.identity.calibration import calibrate, leave_one_out


def test_looseness_is_worked_by_hand():
    seen = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.6, 0.8]])
    label = torch.tensor([0, 0, 1, 1])
    unseen, unseen_label = torch.tensor([[0.0, -1.0], [0.0, 1.0]]), torch.tensor([0, 1])
    # within: |s - s'|^2 = 0.4 for both; across: (2 + 3.2) / 2 = 2.6 and (0 + 0.4) / 2 = 0.2
    told = calibrate(seen, label, unseen, unseen_label)
    assert told.looseness == pytest.approx(1.4 / 0.4, abs=1e-5)
    assert told.n_unseen == 2
    # (0, -1) is nearer to the mean (0.949, 0.316) of 0 than to that of 1; (0, 1) is nearest to 1
    assert told.accuracy == 1.0


def test_a_recogniser_that_flatters_nothing_is_taken_as_it_is():
    seen = torch.nn.functional.normalize(torch.eye(4)[:2] + 0.5, dim=1)
    told = calibrate(seen, torch.zeros(2, dtype=torch.long), seen[:1], torch.tensor([0]))
    assert told.looseness == 1.0


def test_one_picture_is_missed_of_every_identity_that_has_three():
    identity = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    pixels = np.zeros((9, 4, 4, 1), dtype=np.uint8)
    images = ImageSet(pixels=pixels, identity=identity, names=("a", "b", "c"))
    kept, missed = leave_one_out(images, seed=0)
    assert sorted([*kept, *missed]) == list(range(9))
    assert sorted(identity[missed].tolist()) == [0, 2]
    others = [tuple(leave_one_out(images, seed=seed)[1]) for seed in range(8)]
    assert len(set(others)) > 1


def test_looseness_widens_spreads_by_itself_and_bandwidths_by_its_root():
    feature = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    label = torch.tensor([0, 0, 0, 1, 1, 1])
    tight = memory_bank(feature, label, 2)
    loose = memory_bank(feature, label, 2, looseness=4.0)
    torch.testing.assert_close(loose.spread, 4 * tight.spread)
    torch.testing.assert_close(loose.bandwidth, 2 * tight.bandwidth)
    assert torch.equal(loose.prototype, tight.prototype)
