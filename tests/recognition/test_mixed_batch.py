import numpy as np
import pytest
import torch
from drawn_pictures import drawn_set

from reinforge.errors import InputError
from reinforge.recognition import lookahead, mixed_batch
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.lookahead import Views
from reinforge.recognition.losses import loss_of
from reinforge.recognition.mixed_batch import added_views, classes_of, new_mixture
from reinforge.recognition.mixing import MixingConfig
from reinforge.recognition.network import Network
from reinforge.recognition.recogniser import as_pixels

CONFIG = resolve_recogniser("small", width=8, embedding_dim=16, size=(24, 24), channels=1)
REAL = drawn_set(4, 2)
MADE = drawn_set(4, 6, seed=1).subset(np.flatnonzero(np.arange(24) >= 6))  # none of identity 0


@pytest.fixture(scope="module")
def network():
    return Network(CONFIG, 4, generator=torch.Generator().manual_seed(0))


def added(network, *, factor=1.0, index=0, known=None, made=MADE, **settings):
    mixing = MixingConfig(**{"selection": "lookahead", **settings})
    mixture = new_mixture(REAL, made, mixing, config=CONFIG, seed=0)
    chosen = np.flatnonzero(np.isin(REAL.identity, [0, 2, 3] if known is None else known))
    real = Views(
        pixels=as_pixels(REAL.pixels[chosen]),
        label=torch.from_numpy(REAL.identity[chosen]),
        weight=torch.ones(len(chosen)),
    )
    loss = loss_of(CONFIG, network)
    return added_views(real, mixture, network, loss, index, rate_factor=factor)


@pytest.mark.parametrize("selection", ["random", "lookahead", "lowest_loss"])
@pytest.mark.parametrize("kept", [1, 3])
def test_as_many_are_kept_of_each_identity_as_asked_and_none_of_those_without(
    network, selection, kept
):
    views, _ = added(network, selection=selection, kept=kept, candidates=3, weight=0.5)
    assert views.label.tolist() == [2] * kept + [3] * kept
    assert views.weight.tolist() == [0.5] * 2 * kept
    assert views.pixels.shape == (2 * kept, 1, 24, 24)


@pytest.mark.parametrize("selection", ["random", "lookahead"])
def test_a_batch_of_identities_without_synthetic_pictures_gets_none(network, selection):
    views, record = added(network, known=[0], selection=selection)
    assert len(views.label) == 0
    assert record == {}


def test_the_kept_ones_are_those_whose_loss_falls_most(network, monkeypatch):
    seen = []

    def spy(look):
        seen.append((look, exact(look)))
        return seen[-1][1]

    exact = lookahead.exact
    monkeypatch.setattr(lookahead, "exact", spy)
    views, record = added(network, kept=2, candidates=2)
    ((look, delta),) = seen
    best = [i + 4 * row for row in range(2) for i in sorted(delta.view(2, 4)[row].argsort()[:2])]
    torch.testing.assert_close(views.pixels, look.seen[torch.tensor(best)])
    rest = sorted(set(range(8)) - {int(i) for i in best})
    assert record["delta_kept"] == pytest.approx(float(delta[torch.tensor(best)].mean()))
    assert record["delta_dropped"] == pytest.approx(float(delta[torch.tensor(rest)].mean()))
    relative, _ = added(network, kept=2, candidates=2, rank_by="relative")
    by_share = (delta / look.before).view(2, 4).argsort(dim=1)[:, :2].sort(dim=1).values
    torch.testing.assert_close(
        relative.pixels, look.seen[(by_share + torch.tensor([[0], [4]])).flatten()]
    )


def test_candidates_share_in_the_virtual_step_what_the_kept_ones_weigh(network, monkeypatch):
    told = []
    step = lookahead.virtual_step

    def spy(network, loss, real, candidates, **settings):
        told.append((candidates.weight.sum(), settings))
        return step(network, loss, real, candidates, **settings)

    monkeypatch.setattr(lookahead, "virtual_step", spy)
    views, _ = added(network, kept=2, candidates=3, weight=0.5, factor=0.5, look_on="real")
    assert told[0][0] == pytest.approx(float(views.weight.sum()))
    assert told[0][1]["rate"] == pytest.approx(0.5 * CONFIG.learning_rate)
    assert not told[0][1]["on_mixed"]
    added(network, look_rate=0.3, look_at="head")
    assert told[1][1]["rate"] == pytest.approx(0.3)
    assert told[1][1]["of_head"]
    added(network, factor=0.0)
    assert told[2][1]["rate"] == pytest.approx(0.01 * CONFIG.learning_rate)


def test_lowest_loss_keeps_what_the_network_takes_for_its_identity(network):
    _, record = added(network, selection="lowest_loss", kept=2, candidates=3)
    assert record["loss_kept"] < record["loss_dropped"]


def test_without_a_look_the_choice_does_not_ask_the_network(network, monkeypatch):
    monkeypatch.setattr(mixed_batch, "_looked_at", None)
    between, record = added(network, index=1, look_every=2, kept=2)
    by_chance, _ = added(network, index=1, selection="random", kept=2)
    torch.testing.assert_close(between.pixels, by_chance.pixels, rtol=0, atol=0)
    assert record == {}


@pytest.mark.parametrize("estimate", ["exact", "first_order"])
def test_the_agreement_of_the_estimates_is_recorded_where_it_is_asked_for(network, estimate):
    asked = {"estimate": estimate, "check_estimate": True, "look_rate": 1e-5}
    _, record = added(network, kept=2, candidates=3, **asked)
    assert 0.9 < record["rank_correlation"] <= 1
    assert "rank_correlation" not in added(network, estimate=estimate)[1]


def test_synthetic_pictures_are_numbered_by_the_classes_that_there_are():
    found = classes_of(np.array([5, 0, 2, 9, 3]), np.array([0, 3, 5]))
    assert found.tolist() == [2, 0, -1, -1, 1]


def test_settings_without_synthetic_pictures_are_refused():
    with pytest.raises(InputError, match="mixing settings without synthetic pictures"):
        new_mixture(REAL, None, MixingConfig(), config=CONFIG, seed=0)
    assert new_mixture(REAL, None, None, config=CONFIG, seed=0) is None
