"""Priors that draw by likeness: their training, and what a fit makes of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from reinforge import IdentitySynthesizer, InputError
from reinforge.generators.dit import class_tables
from reinforge.generators.pretrain import PretrainConfig
from reinforge.generators.prior import load_prior, save_prior
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.recogniser import as_pixels
from reinforge.settings import validated
from reinforge.systems.identity.config import resolve_config
from reinforge.systems.identity.described import FEWEST_PEOPLE, People, train_described_prior
from reinforge.systems.identity.learner import new_learner
from reinforge.systems.identity.learning import taught
from reinforge.systems.identity.newcomers import LIKENESS_GUIDANCE, newcomers
from reinforge.systems.identity.step import begin_reinforcement
from reinforge.systems.identity.teacher import encoder_of, is_encoder_of
from reinforge.training import Interrupted
from small_identity import RECOGNISER, SMALL, small_pictures, small_prior

PRIOR = {
    "size": 8,
    "channels": 1,
    "n_layers": 1,
    "n_heads": 1,
    "head_dim": 16,
    "n_steps": 6,
    "batch_images": 8,
    "checkpoint_every": 2,
    "likeness": True,
    "precision": "float32",
}


def crowd(n_several=FEWEST_PEOPLE, n_single=4):
    """People with three pictures each, and some with one."""
    counts = (3,) * n_several + (1,) * n_single
    return small_pictures(counts, names=[f"p{at:02}" for at in range(len(counts))])


def prior_in(place, **options):
    return train_described_prior(
        options.pop("images", None) or crowd(),
        config=validated(PretrainConfig, PRIOR),
        recogniser=resolve_recogniser(**RECOGNISER),
        seed=0,
        place=place,
        **options,
    )


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    place = tmp_path_factory.mktemp("prior")
    made = prior_in(place)
    with torch.no_grad():  # six steps leave the maps at nearly nothing
        for at, one in enumerate(made.likeness.maps):
            one.copy_(torch.randn(one.shape, generator=torch.Generator().manual_seed(at)))
    save_prior(made, place)
    return load_prior(place)


def fitted(prior, **settings):
    model = IdentitySynthesizer(prior=prior, seed=3, **{**SMALL, "strangers": 5, **settings})
    return model.fit(small_pictures())


@pytest.fixture(scope="module")
def model(prior):
    return fitted(prior)


def test_a_picture_is_described_by_the_others_of_its_person_and_singles_by_themselves_or_not():
    images = crowd(n_single=8)
    people = People(images)
    feature = torch.eye(len(images))  # a feature says which picture it is of

    def sevens(pixels):
        return torch.full((len(pixels), len(images)), 7.0)

    views = resolve_recogniser()
    n_others, n_nobody = [], 0
    for index in range(20):
        pixels, described = people.batch(sevens, feature, index, n=64, views=views, seed=1)
        known, single = described[:48], described[48:]
        for picture, told in zip(pixels[:48], known, strict=True):
            shown = told.nonzero()[:, 0]
            who = {int(images.identity[at]) for at in shown}
            is_own = (images.pixels[:, :, :, 0] == picture[0].numpy()).all((1, 2))
            own = int(is_own.argmax())
            assert who == {int(images.identity[own])}
            assert own not in shown.tolist()
            n_others.append(len(shown))
        assert {float(v) for v in single.unique()} <= {0.0, 7.0}
        n_nobody += int((single.sum(1) == 0).sum())
    assert set(n_others) == {1, 2}
    assert 0.4 < np.mean(np.array(n_others) == 1) < 0.6
    assert 0.4 < n_nobody / (20 * 16) < 0.6


def test_too_few_people_with_two_pictures_are_refused(tmp_path):
    few = crowd(n_several=FEWEST_PEOPLE - 1, n_single=30)
    with pytest.raises(InputError, match="19 people have two pictures or more"):
        prior_in(tmp_path, images=few)


def test_a_training_that_was_stopped_ends_as_one_that_was_not(tmp_path, prior):
    for at in (7, 9):  # of 5 steps of the encoder and 6 of the prior
        told = []

        def stop(told=told, at=at):
            told.append(1)
            return len(told) == at

        with pytest.raises(Interrupted):
            prior_in(tmp_path / str(at), stop=stop)
        after = prior_in(tmp_path / str(at), resume=True)
        whole = prior_in(tmp_path / f"whole {at}")
        assert all(
            torch.equal(v, whole.likeness.tensors()[k]) for k, v in after.likeness.tensors().items()
        )
        for one, other in zip(
            after.transformer.parameters(), whole.transformer.parameters(), strict=True
        ):
            assert torch.equal(one, other)


def test_people_begin_as_they_are_described_with_strangers_behind_them(prior):
    images, encoder = small_pictures(), encoder_of(prior)
    config = resolve_config("default", {**SMALL, "strangers": 5})
    bank, described = taught(prior, images, encoder, config=config, seed=3)
    assert (len(bank.prototype), len(described)) == (8, 8)
    feature = encoder.embed_all(images)
    own = torch.stack([feature[images.identity == at].mean(0) for at in range(3)])
    torch.testing.assert_close(described[:3], own)
    torch.testing.assert_close(bank.prototype[3:], described[3:])
    torch.testing.assert_close(bank.spread[3:], bank.spread[:3].mean().expand(5))
    rows = prior.likeness.rows(described)[0]
    assert not torch.allclose(rows[0], rows[1])


@pytest.mark.parametrize("settings", [{"strangers": 0}, {"n_steps": 0}, {"recogniser": "small"}])
def test_without_reinforcement_or_with_another_recogniser_there_are_no_strangers(prior, settings):
    config = resolve_config("default", {**SMALL, **settings})
    recogniser = encoder_of(prior)
    if "recogniser" in settings:
        recogniser.network.prototypes.data += 1.0  # another one than the prior's
    bank, described = taught(prior, small_pictures(), recogniser, config=config, seed=3)
    assert (len(bank.prototype), len(described)) == (3, 3)


def beginning(prior, **settings):
    """A learner of three people and five strangers, and what its recogniser sees."""
    config = resolve_config("default", {**SMALL, "strangers": 5, **settings})
    images, recogniser = small_pictures(), encoder_of(prior)
    bank, described = taught(prior, images, recogniser, config=config, seed=3)
    pixels, label = as_pixels(images.pixels[:]), torch.from_numpy(images.identity)
    made = new_learner(prior, pixels, label, bank, config=config, seed=3, described=described)
    return made, recogniser.embed


def test_strangers_are_to_vary_as_the_cold_start_draws_them_and_the_learnt_as_they_do(prior):
    learner, embed = beginning(prior)
    before = learner.bank
    begin_reinforcement(learner, embed, seed=3)
    spread = torch.stack([drawn.T.cov().trace() for drawn in learner.recent[3:]]).mean()
    torch.testing.assert_close(learner.bank.spread[3:], spread.expand(5))
    torch.testing.assert_close(learner.bank.bandwidth[3:], (2 * spread).sqrt().expand(5))
    assert not torch.isclose(before.spread[3], spread)
    assert torch.equal(learner.bank.spread[:3], before.spread[:3])
    resumed, _ = beginning(prior)
    resumed.load_tensors(learner.tensors())
    assert torch.equal(resumed.bank.spread, learner.bank.spread)
    assert torch.equal(resumed.bank.bandwidth, learner.bank.bandwidth)


def test_strangers_vary_as_the_learnt_people_where_that_is_asked_for(prior):
    learner, embed = beginning(prior, stranger_spread="learnt")
    before = learner.bank.spread.clone()
    begin_reinforcement(learner, embed, seed=3)
    assert torch.equal(learner.bank.spread, before)
    torch.testing.assert_close(before[3:], before[:3].mean().expand(5))


def test_the_priors_encoder_rewards_unless_another_is_asked_for(prior, model):
    assert is_encoder_of(prior, model.recogniser)
    assert {record["phase"] for record in model.history} == {"cold start", "reinforcement"}
    other = fitted(prior, recogniser="small", n_steps=0)
    assert not is_encoder_of(prior, other.recogniser)


def test_a_fitted_model_draws_the_learnt_people_alone(model):
    assert model.sample(2).names == small_pictures().names
    assert len(class_tables(model._generator.prior.transformer)[0]) == 4


def test_newcomers_are_described_strangers_and_stay_the_same_on_disk(model, tmp_path):
    generator = model._generator
    made = newcomers(generator, 6, seed=4, parents="prior")
    likeness = generator.nobody.likeness
    rows = likeness.rows(likeness.strangers(6, seed=4))
    for table, wanted in zip(class_tables(made.prior.transformer), rows, strict=True):
        torch.testing.assert_close(table[:-1].detach(), wanted)
    assert made.config.chain.guidance == LIKENESS_GUIDANCE
    model.save(tmp_path / "model")
    again = IdentitySynthesizer.load(tmp_path / "model")
    drawn, kept = (m.newcomers(3, seed=4, parents="prior").sample(2) for m in (model, again))
    assert (drawn.pixels[:] == kept.pixels[:]).all()
    assert drawn.names == ("new-00000", "new-00001", "new-00002")


def test_pictures_of_newcomers_go_with_what_described_them(model):
    likeness, strangers = model._generator.nobody.likeness, model.newcomers(6, seed=4)
    told = likeness.strangers(6, seed=4).numpy()
    assert (strangers.sample(2).described == told).all()
    some = strangers.sample(1, identities=["new-00003", "new-00001"])
    assert (some.described == told[[3, 1]]).all()
    assert (some.subset(np.array([1])).described == some.described).all()
    apart = likeness.strangers_apart(3, seed=4).numpy()
    assert (model.newcomers(3, seed=4, apart=True).sample(1).described == apart).all()
    assert model.newcomers(3, parents="learnt").sample(1).described is None
    assert model.sample(1).described is None  # whom pictures belong to is nobody's to describe


def test_newcomers_apart_are_the_strangers_who_look_least_alike(model):
    generator = model._generator
    made = newcomers(generator, 5, seed=4, apart=True)
    likeness = generator.nobody.likeness
    rows = likeness.rows(likeness.strangers_apart(5, seed=4))
    for table, wanted in zip(class_tables(made.prior.transformer), rows, strict=True):
        torch.testing.assert_close(table[:-1].detach(), wanted)
    with pytest.raises(InputError, match="mixed from parents; leave it out"):
        newcomers(generator, 5, seed=4, parents="learnt", apart=True)


def test_newcomers_are_drawn_as_before_the_cold_start_which_saw_the_learnt_people(prior, model):
    cold = model.cold_start()._generator
    learnt = model._generator.prior.transformer.state_dict()
    before = prior.transformer.state_dict()
    assert any((learnt[name] != value).any() for name, value in before.items())
    ones = newcomers(cold, 4, seed=1).prior.transformer.state_dict()
    for name, value in before.items():
        if "embedding_table" not in name:
            assert torch.equal(ones[name], value), name
        else:
            assert torch.equal(ones[name][-1], value[-1]), name
    longer = fitted(prior, n_steps=0, cold_start_steps=9)
    drawn = (m.newcomers(3, seed=1).sample(2).pixels[:] for m in (longer, model.cold_start()))
    assert np.array_equal(*drawn)


@pytest.mark.parametrize("trained", ["all", "lora"])
def test_newcomers_have_what_reinforcement_taught_and_nothing_that_the_cold_start_did(
    prior, trained
):
    model = fitted(prior, trained=trained)
    last, cold, made = (
        dict(of.transformer.named_parameters())
        for of in (
            model._generator.prior,
            model._cold.prior,
            newcomers(model._generator, 4, seed=1).prior,
        )
    )
    n_moved = 0
    for name, value in prior.transformer.named_parameters():
        some = slice(-1, None) if "embedding_table" in name else slice(None)
        taught = last[name][some] - cold[name][some]
        torch.testing.assert_close(made[name][some], value[some] + taught)
        n_moved += int(taught.abs().max() > 0)
    assert n_moved > 2


def test_a_model_of_one_network_still_draws_newcomers(prior, model):
    """Models that were saved before had the likeness beside the network of the learnt people."""
    generator = model._generator
    older = replace(generator, nobody=None, prior=replace(generator.prior, likeness=prior.likeness))
    made = newcomers(older, 3, seed=1)
    assert torch.equal(made.described, prior.likeness.strangers(3, seed=1))  # and not mixed
    assert torch.equal(
        made.prior.transformer.state_dict()["proj_out_2.weight"],
        generator.prior.transformer.state_dict()["proj_out_2.weight"],
    )


def test_a_model_saved_over_one_by_likeness_keeps_nothing_of_it(model, tmp_path):
    model.save(tmp_path / "model")
    assert (tmp_path / "model" / "nobody").is_dir()
    small = IdentitySynthesizer(
        prior=small_prior(), recogniser_settings=RECOGNISER, **{**SMALL, "n_steps": 0}
    )
    small.fit(small_pictures()).save(tmp_path / "model")
    assert IdentitySynthesizer.load(tmp_path / "model")._generator.nobody is None


def test_newcomers_can_be_saved_without_the_people_who_were_learnt(model, tmp_path):
    model.newcomers(3, seed=4).save(tmp_path / "nobody")
    again = IdentitySynthesizer.load(tmp_path / "nobody")
    assert again.names == ("new-00000", "new-00001", "new-00002")
    drawn = (m.sample(2).pixels[:] for m in (again, model.newcomers(3, seed=4)))
    assert np.array_equal(*drawn)
    assert not (tmp_path / "nobody" / "nobody").exists()


def test_a_prior_whose_encoder_is_gone_says_so(prior):
    with pytest.raises(InputError, match="the encoder that sees it is gone"):
        fitted(replace(prior, encoder=None), recogniser="small")
