"""Newcomers: whose mixtures they are, that they depend on nobody else, and refusals."""

from dataclasses import replace

import pytest
import torch

from reinforge import IdentitySynthesizer, InputError
from reinforge.generators.dit import class_tables, with_class_table
from reinforge.systems.identity import saved
from reinforge.systems.identity.newcomers import GUIDANCE, newcomers, shares
from reinforge.systems.identity.saved import strangers_of
from small_identity import RECOGNISER, SMALL, small_pictures, small_prior


@pytest.fixture(scope="module")
def model():
    settings = {**SMALL, "n_steps": 0}
    model = IdentitySynthesizer(
        prior=small_prior(), recogniser_settings=RECOGNISER, seed=3, **settings
    )
    return model.fit(small_pictures())


def rows(generator):
    return class_tables(generator.prior.transformer)[0].detach()


def test_shares_are_of_three_people_at_most_and_of_length_1():
    share = shares(50, 7, seed=0)
    torch.testing.assert_close(share.norm(dim=1), torch.ones(50, dtype=torch.double))
    assert (share >= 0).all()
    assert set((share > 0).sum(1).tolist()) == {3}
    assert (share > 0).any(0).all()  # everybody is somebody's parent


def test_of_two_people_at_1_and_minus_1_newcomers_lie_between(model):
    generator = with_people(model._generator, "anna", "ben")
    with torch.no_grad():
        table = class_tables(generator.prior.transformer)[0]
        table.zero_()
        table[0, 0], table[1, 0] = 1.0, -1.0
    new = rows(newcomers(generator, 30, seed=0))[:-1]
    wanted = shares(30, 2, seed=0)
    torch.testing.assert_close(new[:, 0], (wanted[:, 0] - wanted[:, 1]).float())
    assert float(new[:, 1:].abs().max()) == 0.0
    assert float(new[:, 0].max()) > 0.5
    assert float(new[:, 0].min()) < -0.5


def test_no_newcomer_goes_by_the_name_of_somebody_who_was_learnt(model):
    usual = newcomers(model._generator, 2, seed=0)
    assert usual.names == ("new-00000", "new-00001")
    learnt = replace(model._generator, names=("new-00001", "new_-00003", "ben"))
    other = newcomers(learnt, 2, seed=0)
    assert not set(other.names) & set(learnt.names)
    assert torch.equal(rows(other), rows(usual))


def test_nobody_stays_nobody(model):
    new = rows(newcomers(model._generator, 4, seed=0))
    assert torch.equal(new[-1], rows(model._generator)[-1])


def test_a_newcomer_depends_on_its_number_and_the_seed_alone(model):
    few, many = (rows(newcomers(model._generator, n, seed=1)) for n in (3, 9))
    assert torch.equal(few[:3], many[:3])
    assert not torch.equal(few[0], rows(newcomers(model._generator, 1, seed=2))[0])


def test_the_generator_itself_is_left_alone(model):
    before = {k: v.clone() for k, v in model._generator.prior.transformer.state_dict().items()}
    newcomers(model._generator, 5, seed=0)
    after = model._generator.prior.transformer.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_newcomers_are_drawn_like_anybody(model):
    strangers = model.newcomers(4, seed=0)
    assert strangers.names == ("new-00000", "new-00001", "new-00002", "new-00003")
    drawn = strangers.sample(2, seed=5)
    assert drawn.pixels.shape == (8, 8, 8, 1)
    again = model.newcomers(6, seed=0).sample(2, identities=["new-00001"], seed=5)
    assert (again.pixels[:] == drawn.pixels[2:4]).all()


def test_nobody_or_a_mixture_of_one_is_refused(model):
    with pytest.raises(InputError, match="at least 1 is wanted, got 0"):
        model.newcomers(0, seed=0)
    with pytest.raises(InputError, match="there is but one"):
        newcomers(with_people(model._generator, "anna"), 3, seed=0)
    with pytest.raises(InputError, match="people of the prior, whose classes are none"):
        newcomers(model._generator, 3, seed=0, parents="prior")


def test_newcomers_of_the_prior_lie_about_the_learnt_mean_as_strangers_about_theirs(model):
    generator = with_people(model._generator, "anna", "ben")
    with torch.no_grad():
        table = class_tables(generator.prior.transformer)[0]
        table.zero_()
        table[0, 0], table[1, 0] = 3.0, 5.0  # whose mean is 4, and whose difference plays no part
    apart = torch.zeros(2, table.shape[1])
    apart[0, 1], apart[1, 1] = 1.0, -1.0
    generator = replace(generator, strangers=(apart,))
    made = newcomers(generator, 30, seed=0, parents="prior")
    new, wanted = rows(made)[:-1], shares(30, 2, seed=0)
    torch.testing.assert_close(new[:, 0], torch.full((30,), 4.0))
    torch.testing.assert_close(new[:, 1], (wanted[:, 0] - wanted[:, 1]).float())
    assert float(new[:, 2:].abs().max()) == 0.0


def test_newcomers_of_the_prior_are_drawn_with_guidance_and_those_of_the_learnt_as_they_were(model):
    generator = replace(model._generator, strangers=(torch.eye(4, 16),))
    assert newcomers(generator, 2, seed=0, parents="prior").config.chain.guidance == GUIDANCE > 1
    assert newcomers(generator, 2, seed=0).config == generator.config


def test_strangers_are_classes_at_even_steps_less_the_mean_of_all(monkeypatch):
    prior = small_prior()
    assert strangers_of(prior) == ()  # one class: nobody
    many = replace(prior, transformer=with_class_table(prior.transformer, 5))
    with torch.no_grad():
        class_tables(many.transformer)[0][:, 0] = torch.tensor([0.0, 1.0, 2.0, 3.0, 9.0, 77.0])
    assert strangers_of(many)[0][:, 0].tolist() == [-3.0, -2.0, -1.0, 0.0, 6.0]
    monkeypatch.setattr(saved, "MOST_STRANGERS", 3)
    assert strangers_of(many)[0][:, 0].tolist() == [-3.0, -1.0, 6.0]


def test_a_saved_model_has_the_newcomers_of_its_prior(tmp_path):
    settings = {**SMALL, "n_steps": 0, "cold_start_steps": 1}
    prior = small_prior(n_classes=4)
    model = IdentitySynthesizer(prior=prior, recogniser_settings=RECOGNISER, **settings)
    model.fit(small_pictures()).save(tmp_path)
    again = IdentitySynthesizer.load(tmp_path)
    drawn = [m.newcomers(2, parents="prior").sample(1).pixels[:] for m in (model, again)]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != model.newcomers(2).sample(1).pixels[:]).any()


def with_people(generator, *names):
    """The generator with other people, whose rows are all alike."""
    transformer = with_class_table(generator.prior.transformer, len(names))
    prior = replace(generator.prior, transformer=transformer)
    return replace(generator, prior=prior, names=names)
