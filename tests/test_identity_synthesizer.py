import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reinforge import IdentitySynthesizer, ImageSet, InputError, read_images
from reinforge.data.images import write_images
from reinforge.generators.prior import load_prior, save_prior
from reinforge.recognition.frozen import load_encoder
from reinforge.recognition.recogniser import Recogniser
from reinforge.training import Interrupted
from small_identity import NAMES, RECOGNISER, SMALL, small_pictures, small_prior

PHASES = ["recogniser", "calibration", "cold start", "reinforcement"]  # of 5 steps each


def new(**settings):
    own = {"prior": small_prior(), "recogniser_settings": RECOGNISER, "seed": 3}
    return IdentitySynthesizer(**{**own, **SMALL, **settings})


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run that nothing got in the way of."""
    folder = tmp_path_factory.mktemp("runs") / "straight"
    return new().fit(small_pictures(), run_dir=folder), folder


@pytest.fixture(scope="module")
def model(straight):
    return straight[0]


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "m"
    model.save(folder)
    return folder


def weights(model):
    return model._fitted().prior.transformer.state_dict()


def is_same(one, other):
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


# fit


def test_a_fit_goes_through_recogniser_cold_start_and_reinforcement(model):
    phases = [record["phase"] for record in model.history]
    assert phases == ["recogniser"] * 5 + ["cold start"] * 5 + ["reinforcement"] * 5
    assert model.names == NAMES


def test_each_step_is_told_with_how_far_its_phase_is():
    told = []
    new().fit(small_pictures(), on_step=told.append)
    assert [(r["done"], r["of"]) for r in told] == [(k, 5) for k in range(1, 6)] * 4
    assert [r["phase"] for r in told[::5]] == PHASES


def test_a_fit_changes_the_prior_that_it_was_given_in_nothing():
    prior = small_prior()
    before = {k: v.clone() for k, v in prior.transformer.state_dict().items()}
    new(prior=prior).fit(small_pictures())
    after = prior.transformer.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_the_same_seed_gives_the_same_generator_and_another_seed_another(model):
    assert is_same(new().fit(small_pictures()), model)
    assert not is_same(new(seed=4).fit(small_pictures()), model)


def test_fit_touches_no_global_generator():
    before = torch.get_rng_state()
    new().fit(small_pictures()).sample(1)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_reinforcement_the_cold_start_draws():
    model = new(n_steps=0).fit(small_pictures())
    untrained = new(n_steps=0, cold_start_steps=0).fit(small_pictures())
    assert is_same(model, model.cold_start())
    assert not is_same(model, untrained)


def test_the_cold_start_is_the_generator_before_reinforcement(model):
    shorter = new(n_steps=0).fit(small_pictures())
    assert is_same(model.cold_start(), shorter)
    assert not is_same(model.cold_start(), model)


def test_pictures_are_brought_to_the_priors_size_and_channels_and_it_is_told(caplog):
    caplog.set_level("INFO")
    model = new().fit(small_pictures(side=16, channel=3))
    assert "9 pictures of 16 x 16 pixels, RGB, are brought to 8 x 8 pixels, grey" in caplog.text
    assert model.sample(1).pixels.shape == (3, 8, 8, 1)


def test_a_folder_is_read_as_the_prior_wants_it(tmp_path):
    write_images(small_pictures(side=16, channel=3), tmp_path / "photos")
    model = new(cold_start_steps=1, n_steps=0).fit(tmp_path / "photos")
    assert model.names == NAMES


def test_an_encoder_that_was_trained_elsewhere_rewards_and_is_not_trained(straight, saved):
    in_memory, from_disk = (
        new(recogniser=teacher, recogniser_settings=None).fit(small_pictures())
        for teacher in (straight[0].recogniser, saved / "recogniser")
    )
    assert {record["phase"] for record in from_disk.history} == {"cold start", "reinforcement"}
    assert is_same(in_memory, from_disk)
    assert is_same(in_memory.cold_start(), straight[0].cold_start())


def test_an_adapter_is_merged_into_the_weights_that_are_kept(tmp_path):
    model = new(trained="lora", lora_rank=2).fit(small_pictures())
    assert not any("lora" in name for name in weights(model))
    model.save(tmp_path)
    pictures = IdentitySynthesizer.load(tmp_path).sample(2).pixels
    assert np.array_equal(pictures, model.sample(2).pixels)
    assert not is_same(model, model.cold_start())


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((4,), "too few identities: 1, wanted 2 at least; add some"),
        ((3, 1, 1), "2 of 3 identities have a single picture"),
    ],
)
def test_pictures_that_nothing_can_be_learnt_from_are_refused_before_work(counts, said):
    told = []
    with pytest.raises(InputError, match=said):
        new().fit(small_pictures(counts, names=NAMES[: len(counts)]), on_step=told.append)
    assert not told


def test_a_few_identities_with_a_single_picture_are_told_and_learnt(caplog):
    model = new().fit(small_pictures((3, 1, 3)))
    assert "1 of 3 identities have a single picture ('ben')" in caplog.text
    assert "ben" in model.names


def test_an_identity_without_pictures_is_no_identity():
    images = small_pictures()
    absent = ImageSet(pixels=images.pixels, identity=images.identity + 1, names=("nobody", *NAMES))
    assert new().fit(absent).names == NAMES


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_stepz": 3}, "did you mean 'n_steps'"),
        ({"recogniser_settings": {"widht": 8}}, "did you mean 'width'"),
        ({"recogniser": "nowhere/net"}, "neither a preset"),
        ({"preset": "fast"}, "choose from default, paper"),
    ],
)
def test_unknown_settings_are_refused_by_name(settings, said):
    with pytest.raises(InputError, match=said):
        new(**settings)


def test_settings_of_a_recogniser_that_is_not_trained_are_refused(saved):
    with pytest.raises(InputError, match="trained already"):
        new(recogniser=saved / "recogniser")


# sample


def test_a_picture_depends_on_seed_identity_and_number_alone(model):
    whole = model.sample(20, seed=1)
    few = model.sample(3, seed=1)
    assert np.array_equal(
        few.pixels, whole.pixels.reshape(3, 20, 8, 8, 1)[:, :3].reshape(9, 8, 8, 1)
    )
    one = model.sample(20, identities=[NAMES[2]], seed=1)
    assert np.array_equal(one.pixels, whole.pixels[40:])
    assert not np.array_equal(model.sample(3, seed=2).pixels, few.pixels)


def test_pictures_of_two_identities_have_different_noise(model):
    drawn = model.sample(1, seed=1)
    assert not np.array_equal(drawn.pixels[0], drawn.pixels[1])


def test_identities_come_in_the_order_in_which_they_are_asked_for(model):
    drawn = model.sample(2, identities=["ben", "anna"])
    assert drawn.names == ("ben", "anna")
    assert drawn.identity.tolist() == [0, 0, 1, 1]
    assert np.array_equal(drawn.pixels[2:], model.sample(2, identities=["anna"]).pixels)


def test_a_number_for_each_name_gives_the_first_pictures_of_each(model):
    drawn = model.sample({"anna": 1, "ben": 3}, seed=1)
    assert drawn.names == ("anna", "ben")
    assert drawn.identity.tolist() == [0, 1, 1, 1]
    whole = model.sample(3, seed=1)
    assert np.array_equal(drawn.pixels, whole.pixels[[0, 3, 4, 5]])


def test_a_name_without_a_number_is_refused(model):
    with pytest.raises(InputError, match="got no number for 'ben'"):
        model.sample({"anna": 1}, identities=["anna", "ben"])
    with pytest.raises(InputError, match="got 0 for 'anna'"):
        model.sample({"anna": 0})


def test_it_is_told_how_many_pictures_are_drawn(model):
    told = []
    model.sample(7, on_images=told.append)
    assert told == [16, 21]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"per_identity": 0}, "at least 1 picture"),
        ({"per_identity": 1, "identities": ["bem"]}, "did you mean 'ben'"),
        ({"per_identity": 1, "identities": ["ben", "ben"]}, "asked for twice"),
        ({"per_identity": 1, "identities": []}, "no identity is asked for"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_refused(model, asked, said):
    with pytest.raises(InputError, match=said):
        model.sample(**asked)


def test_files_hold_the_pictures_of_sample_under_the_names_of_identities(model, tmp_path):
    model.sample_to(tmp_path / "out", 6, seed=1)
    read = read_images(tmp_path / "out")
    assert read.names == NAMES
    assert np.array_equal(read.pixels, model.sample(6, seed=1).pixels)
    line = json.loads((tmp_path / "out/manifest.jsonl").read_text().splitlines()[-1])
    assert line["identity"] == "o'hara, jr"
    with pytest.raises(InputError, match="holds something"):
        model.sample_to(tmp_path / "out", 1)


def test_an_unfitted_generator_neither_samples_nor_saves(tmp_path):
    for act in (lambda m: m.sample(1), lambda m: m.save(tmp_path), lambda m: m.names):
        with pytest.raises(InputError, match="nothing is learnt yet"):
            act(new())
    with pytest.raises(InputError, match="cold start is not kept"):
        new().cold_start()


# save and load


def test_a_loaded_generator_draws_the_same_pictures_without_the_prior(model, saved):
    loaded = IdentitySynthesizer.load(saved)
    assert loaded.names == model.names
    assert loaded.config == model.config
    assert (loaded.seed, loaded.preset) == (3, "default")
    assert np.array_equal(loaded.sample(3, seed=1).pixels, model.sample(3, seed=1).pixels)


def test_a_saved_generator_is_a_prior_whose_classes_are_the_identities(saved):
    assert load_prior(saved).transformer.config.num_embeds_ada_norm == len(NAMES)


def test_the_recogniser_is_saved_beside_the_generator(model, saved):
    pixels = torch.rand(2, 1, 8, 8) * 255
    again = Recogniser.load(saved / "recogniser")
    assert torch.equal(again.embed(pixels), model.recogniser.embed(pixels))
    assert again.names == NAMES


def test_several_recognisers_reward_together_and_are_saved(tmp_path):
    model = new(n_recognisers=2).fit(small_pictures(), run_dir=tmp_path)
    phases = [record["phase"] for record in model.history]
    assert phases[:10] == ["recogniser 1 of 2"] * 5 + ["recogniser 2 of 2"] * 5
    model.save(tmp_path / "model")
    pixels = torch.rand(2, 1, 8, 8) * 255
    one, other = (member.embed(pixels) for member in model.recogniser.members)
    assert not torch.equal(one, other)
    for place in (tmp_path, tmp_path / "model"):
        again = load_encoder(place / "recogniser")
        assert torch.equal(again.embed(pixels), model.recogniser.embed(pixels))


def test_several_recognisers_are_gone_on_with_where_they_stopped(tmp_path):
    def told():
        seen.append(1)
        return len(seen) == 8  # in the second recogniser

    seen = []
    with pytest.raises(Interrupted, match="recogniser 2 of 2"):
        new(n_recognisers=2).fit(small_pictures(), run_dir=tmp_path, stop=told)
    resumed = new(n_recognisers=2).fit(small_pictures(), run_dir=tmp_path, resume=True)
    assert is_same(resumed, new(n_recognisers=2).fit(small_pictures()))


def test_what_the_generator_learnt_by_heart_it_answers_with_less_noise():
    pictures, others = small_pictures(), small_pictures(seed=1)
    long = {"cold_start_steps": 300, "cold_start_learning_rate": 3e-3, "cold_start_images": 9}
    model = new(n_steps=0, **long).fit(pictures)
    answered = [model.answers()(images) for images in (pictures, others)]
    assert answered[0].shape == (9,)
    is_lower = answered[0][:, None] < answered[1][None, :]
    assert is_lower.mean() > 0.75


def test_no_picture_and_no_feature_of_one_is_stored(model, saved):
    feature = model.recogniser.embed_all(small_pictures()).numpy()
    pixels = small_pictures().pixels
    for file in saved.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not [row for row in feature if row.tobytes() in content], file
            assert not [one for one in pixels if one.tobytes() in content], file


@pytest.mark.parametrize(
    "name",
    ["transformer/diffusion_pytorch_model.safetensors", "prior.json", "recogniser/recogniser.json"],
)
def test_a_damaged_or_missing_file_of_a_model_is_named(saved, tmp_path, name):
    folder = tmp_path / "m"
    shutil.copytree(saved, folder)
    content = bytearray((folder / name).read_bytes())
    content[-2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: damaged"):
        IdentitySynthesizer.load(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: missing"):
        IdentitySynthesizer.load(folder)


def test_a_changed_name_of_an_identity_is_noticed(saved, tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(saved, folder)
    file = folder / "identity.json"
    file.write_text(file.read_text().replace('"anna"', '"anne"'))
    with pytest.raises(InputError, match="its digest is another"):
        IdentitySynthesizer.load(folder)


def test_a_model_of_a_newer_version_or_another_system_is_refused(saved, tmp_path):
    for change, said in (({"format": 99}, "newer"), ({"system": "tabular"}, "no model of ident")):
        folder = tmp_path / said.split()[0]
        shutil.copytree(saved, folder)
        content = json.loads((folder / "identity.json").read_text())
        (folder / "identity.json").write_text(json.dumps({**content, **change}))
        with pytest.raises(InputError, match=said):
            IdentitySynthesizer.load(folder)
    with pytest.raises(InputError, match="no model here"):
        IdentitySynthesizer.load(tmp_path / "nowhere")


# resume


class StopAfter:
    """Asks for a stop after so many steps."""

    def __init__(self, n):
        self.left = n

    def __call__(self):
        self.left -= 1
        return self.left == 0


@pytest.mark.parametrize("n_steps", [3, 8, 12, 15, 17])
def test_a_stopped_and_resumed_run_equals_the_straight_one(n_steps, straight, tmp_path):
    with pytest.raises(Interrupted, match="the state is saved"):
        new().fit(small_pictures(), run_dir=tmp_path, stop=StopAfter(n_steps))
    resumed = new().fit(small_pictures(), run_dir=tmp_path, resume=True)
    assert is_same(resumed, straight[0])
    assert resumed.history == straight[0].history
    for name in ("history.jsonl", "pictures.png", "recogniser/recogniser.safetensors"):
        assert (tmp_path / name).read_bytes() == (straight[1] / name).read_bytes()


def test_a_recogniser_that_is_trained_is_not_trained_again(straight, tmp_path):
    shutil.copytree(straight[1], tmp_path / "run")
    shutil.rmtree(tmp_path / "run/checkpoint")
    told = []
    new().fit(small_pictures(), run_dir=tmp_path / "run", resume=True, on_step=told.append)
    assert {record["phase"] for record in told} == {"cold start", "reinforcement"}


def test_resume_with_other_pictures_or_settings_is_refused(straight, tmp_path):
    shutil.copytree(straight[1], tmp_path / "run")
    cases = (
        (new(), small_pictures(seed=1), "other pictures"),
        (new(recogniser_settings={**RECOGNISER, "width": 16}), small_pictures(), "other settings"),
        (new(kl_weight=0.5), small_pictures(), "other settings"),
        (new(prior=small_prior(seed=5)), small_pictures(), "other settings"),
    )
    for model, images, said in cases:
        with pytest.raises(InputError, match=said):
            model.fit(images, run_dir=tmp_path / "run", resume=True)


def test_a_run_that_starts_afresh_keeps_nothing_of_an_older_one(straight, tmp_path):
    shutil.copytree(straight[1], tmp_path / "run")
    (tmp_path / "run/recogniser/trained.json").write_text("{")
    fresh = new().fit(small_pictures(), run_dir=tmp_path / "run")
    assert is_same(fresh, straight[0])


KILLED = """
import sys
from small_identity import RECOGNISER, SMALL, small_pictures
from reinforge import IdentitySynthesizer
told = lambda record: print(record["phase"], flush=True)
model = IdentitySynthesizer(prior=sys.argv[1], recogniser_settings=RECOGNISER, seed=3, **SMALL)
model.fit(small_pictures(), run_dir=sys.argv[2], on_step=told)
"""


@pytest.mark.parametrize("n_lines", [4, 18])
def test_a_killed_and_resumed_run_equals_the_straight_one(n_lines, straight, tmp_path):
    save_prior(small_prior(), tmp_path / "prior")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "prior"), str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent,
        text=True,
    )
    for _ in range(n_lines):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    resumed = new().fit(small_pictures(), run_dir=tmp_path / "run", resume=True)
    assert is_same(resumed, straight[0])
    assert resumed.history == straight[0].history


# the look at fixed pictures


def test_looks_come_at_the_end_of_the_cold_start_and_then_regularly(model):
    main = [record for record in model.history if record["phase"] != "recogniser"]
    looked = [record["step"] for record in main if "watched_semantic" in record]
    assert looked == [4, 6, 8, 9]
    assert [record["step"] for record in main if "alarms" in record] == [6, 8, 9]
    assert main[6]["ratio_brightness"] == pytest.approx(1, abs=0.5)


def test_the_sheet_shows_generated_pictures_alone(straight):
    sheet = np.asarray(Image.open(straight[1] / "pictures.png"))
    assert sheet.shape[1] > 8 * 64
    assert not (straight[1] / "photos").exists()


def test_an_alarm_is_in_the_history_and_in_the_log(caplog, monkeypatch):
    def alarmed(*args, **kwargs):
        return {"alarms": ["pictures are all black."], "ratio": {"entropy": None, "contrast": 0.5}}

    monkeypatch.setattr("reinforge.systems.identity.watching.watch", alarmed)
    model = new().fit(small_pictures())
    assert model.history[-1]["alarms"] == ["pictures are all black."]
    assert model.history[-1]["ratio_contrast"] == 0.5
    assert "ratio_entropy" not in model.history[-1]
    assert "watch after step 10: pictures are all black." in caplog.text


def test_a_fit_without_a_folder_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new().fit(small_pictures()).sample(1)
    assert not list(tmp_path.iterdir())
