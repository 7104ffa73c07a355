"""Newcomers beside real people: further classes, in batches of their own, and refusals."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from drawn_pictures import drawn_set

from reinforge.errors import InputError
from reinforge.recognition import train
from reinforge.recognition.config import resolve_recogniser
from reinforge.recognition.further import further_views, new_classes
from reinforge.recognition.mixed_batch import added_views
from reinforge.recognition.mixing import MixingConfig
from reinforge.recognition.train import train_recogniser
from reinforge.training import Interrupted

TINY = {"width": 8, "embedding_dim": 16, "identities_per_batch": 4, "pictures_per_identity": 2}
REAL = drawn_set(n_identities=6, n_pictures=3)
OTHERS = replace(
    drawn_set(n_identities=9, n_pictures=4, seed=1), names=tuple(f"new {n}" for n in range(9))
)
MADE = drawn_set(n_identities=6, n_pictures=2, seed=3)


def tiny(**settings):
    return resolve_recogniser("small", **{**TINY, "n_steps": 6, **settings})


def same(one, other):
    state = other.network.state_dict()
    return all(torch.equal(value, state[k]) for k, value in one.network.state_dict().items())


def test_newcomers_are_classes_behind_the_real_people():
    found = train_recogniser(REAL, config=tiny(), seed=0, newcomers=OTHERS)
    assert found.names == (*REAL.names, *OTHERS.names)
    assert found.network.prototypes.shape[1] == 15
    assert not same(found, train_recogniser(REAL, config=tiny(), seed=0))


def test_a_batch_holds_as_many_newcomers_as_real_people():
    config = tiny(size=(24, 24), channels=1)
    few = drawn_set(n_identities=2, n_pictures=3)
    for images, n_beside in ((REAL, 4), (few, 2)):
        further = new_classes(OTHERS, images, n_known=len(images.names))
        batch = further_views(further, 0, config, torch.device("cpu"), seed=0)
        assert len(batch.label.unique()) == n_beside
        assert len(batch.label) == n_beside * 2
        assert int(batch.label.min()) >= len(images.names)


def test_newcomers_are_learnt_as_themselves():
    mild = {"mirror": 0.0, "augmentation": 0.3, "random_erasing": 0.0, "shift": 0.02}
    found = train_recogniser(REAL, config=tiny(n_steps=80, **mild), seed=0, newcomers=OTHERS)
    pixels = torch.from_numpy(OTHERS.pixels).permute(0, 3, 1, 2).float()
    assert (found.classify(pixels).numpy() == 6 + OTHERS.identity).mean() > 0.9


def mixed(synthetic=MADE, newcomers=OTHERS, n_steps=3, **mixing):
    records = []
    found = train_recogniser(
        REAL,
        config=tiny(n_steps=n_steps),
        seed=0,
        synthetic=synthetic,
        mixing=MixingConfig(**mixing) if mixing else None,
        newcomers=newcomers,
        on_step=records.append,
    )
    return found, records


@pytest.mark.parametrize(("kept", "selection"), [(1, "random"), (2, "lookahead")])
def test_newcomers_stand_in_place_of_pictures_of_the_real_people(monkeypatch, kept, selection):
    batches = []

    def spy(*args, **named):
        views, record = added_views(*args, **named)
        batches.append(views)
        return views, record

    monkeypatch.setattr(train, "added_views", spy)
    found, records = mixed(kept=kept, selection=selection)
    assert [len(views.label) for views in batches] == [4 * kept] * 3
    assert all(len(views.label.unique()) == 4 for views in batches)
    assert all(int(views.label.min()) >= 6 for views in batches)
    assert len(torch.cat([views.label for views in batches[:2]]).unique()) == 8  # by turns
    assert "accuracy_newcomers" not in records[0]
    assert "accuracy_synthetic" in records[0]
    assert same(found, mixed(synthetic=None, kept=kept, selection=selection)[0])
    assert found.names == (*REAL.names, *OTHERS.names)


def test_both_is_newcomers_besides_and_the_default_is_newcomers_alone():
    both, records = mixed(of="both")
    assert {"accuracy_newcomers", "accuracy_synthetic"} <= set(records[0])
    alone = mixed(of="newcomers")[0]
    assert same(alone, mixed()[0])
    assert not same(alone, both)


def test_where_nobody_is_new_pictures_of_the_real_people_are_taken():
    alone = mixed(newcomers=None, of="newcomers")[0]
    assert same(alone, mixed(newcomers=None, of="both")[0])
    assert alone.names == REAL.names


@pytest.mark.parametrize("of", ["newcomers", "both"])
def test_with_synthetic_pictures_and_newcomers_a_stopped_training_goes_on(tmp_path, of):
    seen = []

    def stop():
        seen.append(1)
        return len(seen) == 3

    common = {
        "config": tiny(checkpoint_every=2),
        "seed": 0,
        "synthetic": MADE,
        "mixing": MixingConfig(of=of),
        "newcomers": OTHERS,
    }
    with pytest.raises(Interrupted):
        train_recogniser(REAL, **common, run_dir=tmp_path, stop=stop)
    records = []
    resumed = train_recogniser(
        REAL, **common, run_dir=tmp_path, resume=True, on_step=records.append
    )
    assert same(resumed, train_recogniser(REAL, **common))
    assert {"accuracy", "accuracy_synthetic"} <= set(records[-1])


def test_a_training_does_not_go_on_with_other_newcomers(tmp_path):
    config = tiny(checkpoint_every=2)
    train_recogniser(REAL, config=config, seed=0, newcomers=OTHERS, run_dir=tmp_path)
    others = replace(OTHERS, pixels=OTHERS.pixels[::-1].copy())
    with pytest.raises(InputError):
        train_recogniser(
            REAL, config=config, seed=0, newcomers=others, run_dir=tmp_path, resume=True
        )


@pytest.mark.parametrize(
    ("newcomers", "said"),
    [
        (replace(OTHERS, pixels=np.zeros((36, 8, 8, 1), np.uint8)), "bring both to one size"),
        (drawn_set(n_identities=2, n_pictures=2, seed=1), "'person 0' has real pictures"),
    ],
)
def test_newcomers_that_do_not_fit_are_refused(newcomers, said):
    with pytest.raises(InputError, match=said):
        train_recogniser(REAL, config=tiny(), seed=0, newcomers=newcomers)


# newcomers who were described


def described(n=9, n_features=12, seed=0):
    """Descriptions of length 1, in pairs that are alike."""
    draws = np.random.default_rng(seed).normal(size=(n, n_features))
    draws[1::2] = draws[:-1:2] + 0.7 * draws[1::2]
    return (draws / np.linalg.norm(draws, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("mixing", [None, MixingConfig(selection="lookahead", look_at="head")])
def test_a_description_is_the_prototype_of_its_newcomer_and_stays_it(mixing):
    told = replace(OTHERS, described=described())
    found = train_recogniser(
        REAL, config=tiny(), seed=0, synthetic=MADE, mixing=mixing, newcomers=told
    )
    prototypes = found.network.prototypes.numpy()
    assert (prototypes[:12, 6:].T == told.described).all()
    assert (prototypes[12:, 6:] == 0).all()
    assert (prototypes[12:, :6] != 0).all()  # those of real people are learnt as ever


def test_a_recogniser_sees_in_newcomers_what_described_them():
    mild = {"mirror": 0.0, "augmentation": 0.3, "random_erasing": 0.0, "shift": 0.02}
    told = replace(OTHERS, described=described())
    found = train_recogniser(REAL, config=tiny(n_steps=80, **mild), seed=0, newcomers=told)
    feature = torch.nn.functional.normalize(found.embed_all(OTHERS), dim=1).numpy()
    near = feature[:, :12] @ told.described.T  # every picture beside every description
    assert near[np.arange(len(near)), OTHERS.identity].mean() > 0.5
    alike = (told.described @ told.described.T)[OTHERS.identity]
    assert np.corrcoef(near.ravel(), alike.ravel())[0, 1] > 0.6


def test_a_training_does_not_go_on_with_other_descriptions(tmp_path):
    common = {"config": tiny(checkpoint_every=2), "seed": 0, "run_dir": tmp_path}
    train_recogniser(REAL, **common, newcomers=replace(OTHERS, described=described()))
    others = replace(OTHERS, described=described(seed=1))
    with pytest.raises(InputError):
        train_recogniser(REAL, **common, newcomers=others, resume=True)


def test_descriptions_that_do_not_fit_are_refused_and_a_linear_classifier_takes_none():
    told = replace(OTHERS, described=described(n_features=17))
    with pytest.raises(
        InputError, match="described by 17 numbers and the recogniser's feature has 16"
    ):
        train_recogniser(REAL, config=tiny(), seed=0, newcomers=told)
    reid = tiny(kind="reid", triplet_weight=0.0)
    with_it, without = (
        train_recogniser(REAL, config=reid, seed=0, newcomers=images) for images in (told, OTHERS)
    )
    assert same(with_it, without)
