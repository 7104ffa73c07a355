import pytest
import torch

from reinforge.generators.denoising import denoising_loss
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import new_dit

SCHEDULE = NoiseSchedule.from_config({"beta_schedule": "linear"})


class Spy(torch.nn.Module):
    """Stands for a transformer: keeps what it was asked and answers with zeros."""

    def __init__(self):
        super().__init__()
        self.asked = {}

    def forward(self, noisy, *, timestep, class_labels, return_dict):
        self.asked = {"noisy": noisy, "time": timestep, "label": class_labels}
        return (torch.zeros_like(noisy),)


def loss_of(transformer, clean, label, *, seed=0, label_drop=0.0, schedule=SCHEDULE, **settings):
    return denoising_loss(
        transformer,
        schedule,
        clean,
        label,
        null_label=9,
        label_drop=label_drop,
        generator=torch.Generator().manual_seed(seed),
        **settings,
    )


def pictures(n=64):
    return torch.randn(n, 1, 4, 4, generator=torch.Generator().manual_seed(5))


def test_a_network_that_says_nothing_loses_the_noises_variance():
    told = loss_of(Spy(), pictures(4000), torch.zeros(4000, dtype=torch.long))
    assert float(told) == pytest.approx(1.0, abs=0.02)


def test_a_network_that_names_the_target_loses_nothing():
    class Oracle(Spy):
        def forward(self, noisy, *, timestep, **rest):
            signal = SCHEDULE.signal(timestep)
            return ((noisy - signal.sqrt() * clean) / (1 - signal).sqrt(),)

    clean = pictures()
    told = loss_of(Oracle(), clean, torch.zeros(64, dtype=torch.long))
    assert float(told) == pytest.approx(0.0, abs=1e-5)


def test_times_cover_the_whole_schedule():
    spy = Spy()
    loss_of(spy, pictures(4000), torch.zeros(4000, dtype=torch.long))
    time = spy.asked["time"]
    assert 0 <= int(time.min()) < 5
    assert 994 < int(time.max()) <= 999
    assert float(time.float().mean()) == pytest.approx(499.5, abs=20)


@pytest.mark.parametrize(("drop", "share"), [(0.0, 0.0), (0.1, 0.1), (1.0, 1.0)])
def test_the_asked_share_of_labels_becomes_the_null_label(drop, share):
    spy, label = Spy(), torch.arange(4000) % 3
    loss_of(spy, pictures(4000), label, label_drop=drop)
    asked = spy.asked["label"]
    is_null = asked == 9
    assert float(is_null.float().mean()) == pytest.approx(share, abs=0.02)
    assert torch.equal(asked[~is_null], label[~is_null])


def test_the_same_generator_gives_the_same_loss_and_another_one_another():
    label = torch.zeros(8, dtype=torch.long)
    one, same, other = (loss_of(Spy(), pictures(8), label, seed=s) for s in (1, 1, 2))
    assert float(one) == float(same) != float(other)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_loss_is_float32_and_has_a_gradient_in_every_trained_weight(precision):
    transformer = new_dit(
        size=4, channels=1, patch=2, n_layers=1, n_heads=1, head_dim=8, n_classes=9, seed=0
    ).eval()
    for weight in transformer.parameters():  # adaLN-Zero: else most gradients start at 0
        weight.data += 0.05
    loss = loss_of(transformer, pictures(8), torch.arange(8), precision=precision)
    loss.backward()
    assert loss.dtype == torch.float32
    without = [n for n, p in transformer.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []
