import errno
import hashlib
import json
import os
import shutil
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from reinforge import InputError, read_images
from reinforge.cli import main
from reinforge.cli.interrupts import Stop
from reinforge.cli.screen import Screen
from reinforge.cli.settings import assignment, checked
from reinforge.cli.settings_pictures import IdentitySettings
from reinforge.cli.stages_judged import arms_trained, newcomers_of
from reinforge.data.images import write_images
from reinforge.generators.prior import load_prior, save_prior
from reinforge.run_folder import RunFolder, verify
from reinforge.run_lock import locked
from reinforge.systems.identity import arms
from small_identity import FLAGS, NAMES, RECOGNISER, small_pictures, small_prior

TINY_PRIOR = """
size=8 channels=1 n_layers=1 n_heads=1 head_dim=16
n_steps=6 batch_images=4 checkpoint_every=2 precision=float32
"""
TINY_PRIOR = [part for setting in TINY_PRIOR.split() for part in ("--set", setting)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A prior, and photographs twice its size."""
    folder = tmp_path_factory.mktemp("place")
    save_prior(small_prior(), folder / "prior")
    write_images(small_pictures(side=16), folder / "photos")
    return folder


@pytest.fixture(scope="module")
def straight(place, tmp_path_factory):
    """A run that nothing got in the way of."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "straight")
    assert main([*map(str, fit_args(place, folder.path)), "--quiet"]) == 0
    return folder


@pytest.fixture
def run(straight, tmp_path):
    """A copy of it, to be changed."""
    shutil.copytree(straight.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def fit_args(place, out, *more):
    photos, prior = place / "photos", place / "prior"
    return ["fit", "identity", photos, "--prior", prior, "--out", out, *FLAGS, *more]


def digests(folder):
    """What must not differ between a run that was stopped and one that was not."""
    files = [folder.history, folder.sheet, *sorted(folder.model.rglob("*.*"))]
    return {str(file.relative_to(folder.path)): sha256(file) for file in files}


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


# fit and run


def test_a_fit_leaves_a_whole_run_folder(straight):
    content = {entry.name for entry in straight.path.iterdir()}
    assert content == {
        *("config.json", "manifest.json", "history.jsonl", "pictures.png"),
        *("model", "checkpoint", "recogniser", "calibration"),
    }
    assert {finding.state for finding in verify(straight)} == {"ok"}
    config = json.loads(straight.config.read_text())
    assert config["system"] == "identity"
    assert (config["data"]["pictures"], config["data"]["identities"]) == (9, 3)
    assert config["prior"]["trained_on"] == "nothing"


def test_no_name_of_a_person_stands_in_what_is_no_model(straight):
    for file in (straight.config, straight.history, straight.manifest):
        assert "anna" not in file.read_text()


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(cli, place, tmp_path):
    shown = cli(*fit_args(place, tmp_path / "run", "--dry-run"))
    assert shown.code == 0
    assert "9 of 3 identities, brought to 8 x 8 pixels, grey" in shown.out
    assert "5 steps of the recogniser, 5 of cold start, 5 of reinforcement" in shown.out
    assert not list(tmp_path.iterdir())


def test_json_tells_rewards_before_and_after(cli, place, tmp_path):
    done = cli(*fit_args(place, tmp_path / "run", "--json"))
    told = json.loads(done.out)
    assert told["ok"]
    assert set(told["rewards"]) == {"semantic", "coverage", "diversity"}
    assert set(told["rewards"]["semantic"]) == {"cold_start", "end"}


def test_progress_names_each_phase_with_its_own_end(cli, place, tmp_path):
    told = cli(*fit_args(place, tmp_path / "run")).err
    places = [told.index(f"{phase} 5/5 (100%)") for phase in
              ("recogniser", "calibration", "cold start", "reinforcement")]  # fmt: skip
    assert places == sorted(places)


def test_a_lone_key_is_the_generators_and_a_section_reaches_the_recogniser():
    assert assignment("n_steps=3", IdentitySettings) == {"model": {"n_steps": 3}}
    assert assignment("margin=0.1", IdentitySettings) == {"recogniser": {"margin": 0.1}}
    settings = checked({"recogniser": {"n_steps": 7}}, IdentitySettings)
    assert settings.recogniser.given == {"n_steps": 7}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("model.n_stepz", "did you mean 'model.n_steps'"),
        ("recogniser.widht", "did you mean 'recogniser.width'"),
        ("data.layuot", "did you mean 'data.layout'"),
        ("split.target", "is not known"),
    ],
)
def test_an_unknown_setting_is_refused_by_name(key, said):
    with pytest.raises(InputError, match=said):
        checked(assignment(f"{key}=1", IdentitySettings), IdentitySettings)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere", "--prior", "{prior}"], "nowhere does not exist"),
        ([], "Give PHOTOS"),
        (["{photos}", "--prior", "some/model"], "hf download"),
        (["{photos}", "--prior", "{photos}"], "no folder transformer/"),
        (["{photos}", "--set", "recogniser=nothing.pt2"], "setting 'recogniser'"),
        (["{photos}", "--set", "model.recogniser=nothing.pt2"], "neither a preset"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing_behind(cli, place, tmp_path, args, said):
    args = [arg.format(photos=place / "photos", prior=place / "prior") for arg in args]
    done = cli("fit", "identity", *args, "--out", tmp_path / "run")
    assert done.code == 2
    assert said in done.err
    assert done.err.count("error:") == 1
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_one_line_with_what_to_install(cli, place, tmp_path, monkeypatch):
    monkeypatch.setattr("reinforge.cli.verbs_identity.stages.new_model", _without_diffusers)
    done = cli(*fit_args(place, tmp_path / "run"))
    assert done.code == 2
    assert "diffusers is not installed; run: pip install 'reinforge[images]'" in done.err


def _without_diffusers(settings):
    raise ModuleNotFoundError("No module named 'diffusers.models'", name="diffusers.models")


# sample


def test_sample_draws_into_a_folder_the_same_pictures_for_the_same_seed(cli, straight, tmp_path):
    for name in ("a", "b"):
        done = cli("sample", straight.path, "-n", 2, "--seed", 5, "--out", tmp_path / name)
        assert (done.code, "6 synthetic pictures" in done.out) == (0, True)
    first, again = read_images(tmp_path / "a"), read_images(tmp_path / "b")
    assert np.array_equal(first.pixels, again.pixels)
    assert first.names == NAMES


def test_sample_of_some_identities_gives_their_pictures_alone(cli, straight, tmp_path):
    args = ["sample", straight.path, "-n", 2, "--seed", 5]
    cli(*args, "--out", tmp_path / "all")
    cli(*args, "--out", tmp_path / "some", "--identities", "ben,anna")
    every, some = read_images(tmp_path / "all"), read_images(tmp_path / "some")
    assert some.names == ("anna", "ben")
    assert np.array_equal(some.pixels, every.pixels[[2, 3, 0, 1]])  # in the order of asking


def test_sample_draws_people_who_do_not_exist_into_a_folder_of_their_own(cli, straight, tmp_path):
    done = cli("sample", straight.path, "--newcomers", 4, "-n", 2, "--out", tmp_path / "new")
    assert done.code == 0, done.err
    assert read_images(tmp_path / "new").names == tuple(f"new-0000{n}" for n in range(4))
    done = cli("sample", straight.path, "--newcomers", 4)
    assert (done.code, "--out alone" in done.err) == (2, True)
    args = ["--newcomers", 4, "--parents", "prior", "--out", tmp_path / "other"]
    done = cli("sample", straight.path, *args)
    assert (done.code, "people of the prior, whose classes are none" in done.err) == (2, True)
    done = cli("sample", straight.path, "--parents", "prior", "--out", tmp_path / "nobody")
    assert (done.code, "say how many with newcomers" in done.err) == (2, True)


def test_sample_levels_groups_where_they_are_known(cli, place, straight, tmp_path):
    counts = {"anna": 3, "ben": 3, "o'hara, jr": 2}
    for at, (name, count) in enumerate(counts.items()):
        own = tmp_path / "photos" / ("old" if at == 2 else "young") / name
        own.mkdir(parents=True)
        for number, file in enumerate(sorted((place / "photos").rglob("*.png"))[:count]):
            with Image.open(file) as picture:
                picture.transpose(Image.Transpose(at)).rotate(90 * number).save(own / file.name)
    args = ["fit", "identity", tmp_path / "photos", "--prior", place / "prior", *FLAGS]
    done = cli(*args, "--layout", "groups", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    done = cli("sample", tmp_path / "run", "-n", 2, "--balance", "group", "--out", tmp_path / "new")
    assert done.code == 0, done.err
    assert "6 synthetic pictures, 2 an identity on average" in done.out
    drawn = read_images(tmp_path / "new")  # 6 and 2 real ones: 8 and 6 at the most
    assert np.bincount(drawn.identity).tolist() == [1, 1, 4]
    done = cli("sample", straight.path, "--balance", "group")
    assert (done.code, "groups are not known" in done.err) == (2, True)
    args = ["run", "identity", place / "photos", "--prior", place / "prior", "--dry-run"]
    done = cli(*args, "--balance", "group", "--out", tmp_path / "whole")
    assert (done.code, "groups are not known" in done.err) == (2, True)
    done = cli("sample", straight.path, "--balance", "group", "--identities", "anna")
    assert (done.code, "sample.balance levels groups over all" in done.err) == (2, True)


def test_sample_without_out_fills_the_runs_own_folder(cli, run):
    assert cli("sample", run.path).code == 0
    assert len(read_images(run.pictures)) == 9
    assert {finding.state for finding in verify(run)} == {"ok"}
    assert "--overwrite" in cli("sample", run.path).err
    assert cli("sample", run.path, "-n", 1, "--overwrite").code == 0
    assert len(read_images(run.pictures)) == 3


def test_sample_deletes_nothing_that_it_did_not_draw(cli, straight, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    done = cli("sample", straight.path, "--out", tmp_path / "mine", "--overwrite")
    assert (done.code, "nothing is deleted" in done.err) == (2, True)
    assert (tmp_path / "mine/notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--identities", "bem", "--out", "x"], "did you mean 'ben'"),
        (["--identities", "ben"], "a folder of their own"),
        (["--where", "sex=F", "--out", "x"], "setting 'sample.where' is not known"),
        (["-n", "0", "--out", "x"], "setting 'sample.n'"),
        (["--set", "n_denoising=4", "--out", "x"], "was fitted with model.n_denoising 3, not 4"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_refused(cli, straight, args, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("sample", straight.path, *args)
    assert (done.code, said in done.err) == (2, True), done.err


def test_a_fit_leaves_nothing_to_judge_by_and_a_report_is_made_by_evaluate(cli, straight):
    done = cli("evaluate", straight.path)
    assert (done.code, "was fitted to all of its pictures" in done.err) == (2, True)
    done = cli("report", straight.path)
    assert (done.code, "written by `reinforge evaluate`" in done.err) == (2, True)


def test_a_run_of_tables_is_no_run_of_identities(cli, run, place):
    content = json.loads(run.config.read_text())
    run.config.write_text(json.dumps({**content, "system": "tabular"}))
    done = cli("fit", "identity", "--out", run.path, "--resume")
    assert (done.code, "is a run of tables" in done.err) == (2, True)


# faults


@pytest.fixture
def at_step(monkeypatch):
    """Does something at one step of cold start or reinforcement."""

    def do(index, action):
        import reinforge.systems.identity.learning as home

        step = home.step

        def meddled(learner, embed, number, **options):
            result = step(learner, embed, number, **options)
            return (action() or result) if number == index else result

        monkeypatch.setattr(home, "step", meddled)

    return do


@pytest.fixture
def stopped(cli, place, tmp_path, at_step, monkeypatch):
    """A run that was stopped after step 8: checkpoints 8 and 9 are there."""
    out = tmp_path / "run"
    with monkeypatch.context():
        at_step(8, lambda: os.kill(os.getpid(), signal.SIGTERM))
        done = cli(*fit_args(place, out))
    monkeypatch.undo()
    assert done.code == 143
    assert "stopped after step 9 of 10; the state is saved. Go on with --resume." in done.err
    return RunFolder(out)


def resume(cli, folder):
    done = cli("fit", "identity", "--out", folder.path, "--resume")
    assert done.code == 0, done.err
    return done


def test_a_stopped_run_goes_on_where_it_was_and_equals_the_straight_one(cli, stopped, straight):
    assert "holds no trained generator" in cli("sample", stopped.path).err
    told = resume(cli, stopped).err
    assert "recogniser 5/5" not in told
    assert digests(stopped) == digests(straight)


def test_sigint_ends_the_training_of_the_recogniser_with_130(
    cli, place, tmp_path, straight, monkeypatch
):
    import reinforge.recognition.train as home

    step, out = home.train_step, tmp_path / "run"

    def interrupted(learner, loss, images, label, index, **options):
        if index == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return step(learner, loss, images, label, index, **options)

    with monkeypatch.context() as patch:
        patch.setattr(home, "train_step", interrupted)
        done = cli(*fit_args(place, out))
    assert done.code == 130
    assert "recogniser: stopped after step 3 of 5" in done.err
    resume(cli, RunFolder(out))
    assert digests(RunFolder(out)) == digests(straight)


@pytest.mark.filterwarnings("default")
def test_a_truncated_checkpoint_is_left_for_the_one_before(cli, stopped, straight):
    state = stopped.path / "checkpoint/step-00000009/state.safetensors"
    state.write_bytes(state.read_bytes()[:-7])
    assert "going back to the one before" in resume(cli, stopped).err
    assert digests(stopped) == digests(straight)


def test_resume_of_a_finished_run_changes_nothing(cli, run, straight):
    resume(cli, run)
    assert digests(run) == digests(straight)


def test_resume_finds_moved_pictures_and_refuses_changed_ones(cli, run, place, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(place / "photos", moved)
    assert cli("fit", "identity", moved, "--out", run.path, "--resume").code == 0
    picture = next(moved.glob("anna/*.png"))
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(picture)
    (moved / "manifest.jsonl").unlink()
    done = cli("fit", "identity", moved, "--out", run.path, "--resume")
    assert (done.code, "their digest differs" in done.err) == (2, True)


def test_resume_with_other_settings_is_refused(cli, run):
    for flags, said in (
        (["--set", "kl_weight=0.5"], "model.kl_weight None, not 0.5"),
        (["--set", "recogniser.n_steps=9"], "recogniser.n_steps 5, not 9"),
        (["--seed", "1"], "seed 0, not 1"),
    ):
        done = cli("fit", "identity", "--out", run.path, "--resume", *flags)
        assert (done.code, said in done.err) == (2, True), done.err


def test_a_folder_in_use_and_a_run_that_lies_there_are_refused(cli, run, place):
    assert "--overwrite" in cli(*fit_args(place, run.path)).err
    with locked(run.path, note=print):
        done = cli("fit", "identity", "--out", run.path, "--resume")
    assert (done.code, "in use by process" in done.err) == (2, True)
    assert cli(*fit_args(place, run.path, "--overwrite")).code == 0


def test_photographs_that_lie_in_the_run_are_not_deleted(cli, place, run):
    shutil.copytree(place / "photos", run.pictures)
    args = ["fit", "identity", run.pictures, "--prior", place / "prior", "--out", run.path]
    done = cli(*args, "--overwrite")
    assert (done.code, "would be lost" in done.err) == (2, True)
    assert len(read_images(run.pictures)) == 9


@pytest.mark.filterwarnings("default")  # of the checkpoint that is no checkpoint
@pytest.mark.parametrize(
    "name", [".state.safetensors", ".recogniser.safetensors", ".identity.json", ".pictures.png"]
)
def test_a_full_disk_is_exit_code_4_and_the_run_can_go_on(
    cli, place, tmp_path, straight, name, monkeypatch
):
    fsync, folder = os.fsync, RunFolder(tmp_path / "run")

    def refuse(descriptor):
        if name in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        done = cli(*fit_args(place, folder.path))
    assert (done.code, "the disk is full" in done.err) == (4, True)
    assert not list(folder.path.rglob("*.tmp"))
    resume(cli, folder)
    assert digests(folder) == digests(straight)


def test_a_disk_that_is_full_when_the_weights_are_saved_is_exit_code_4(
    cli, place, tmp_path, straight, monkeypatch
):
    import reinforge.systems.identity.saved as home

    def full(prior, folder, **options):
        raise home.SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        )

    folder = RunFolder(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(home, "save_prior", full)
        done = cli(*fit_args(place, folder.path))
    assert (done.code, "the disk is full" in done.err) == (4, True)
    resume(cli, folder)
    assert digests(folder) == digests(straight)


def test_memory_that_runs_out_is_exit_code_4_with_the_remedy(cli, place, tmp_path, at_step):
    def explode():
        raise RuntimeError("CUDA out of memory. Tried to allocate 9 GiB")

    at_step(6, explode)
    done = cli(*fit_args(place, tmp_path / "run"))
    assert (done.code, "lower micro_batch (now 64)" in done.err) == (4, True)


def test_an_alarm_is_shown_as_it_comes_and_at_the_end(cli, place, tmp_path, monkeypatch):
    alarm = {"alarms": ["contrast fell by 80 %."], "ratio": {}}
    monkeypatch.setattr("reinforge.systems.identity.watching.watch", lambda *_, **__: alarm)
    done = cli(*fit_args(place, tmp_path / "run"))
    assert "watch after step 7: contrast fell by 80 %." in done.err
    assert "Warning: contrast fell by 80 %." in done.out


# prior


def test_a_prior_is_trained_on_pictures_and_taken_by_fit(cli, place, tmp_path):
    out = tmp_path / "prior"
    done = cli("prior", "train", place / "photos", "--out", out, *TINY_PRIOR)
    assert done.code == 0
    assert "9 pictures of 3 identities" in done.err
    prior = load_prior(out)
    assert (prior.picture_size, prior.transformer.config.num_embeds_ada_norm) == (8, 3)
    assert {finding.state for finding in verify(RunFolder(out))} == {"ok"}
    photos = place / "photos"
    args = ["fit", "identity", photos, "--prior", out, "--out", tmp_path / "run", *FLAGS]
    assert cli(*args, "--set", "n_steps=0").code == 0


def test_where_an_identity_has_one_picture_the_prior_tells_nobody_apart(cli, tmp_path):
    write_images(small_pictures((4, 4, 1)), tmp_path / "photos")
    out = tmp_path / "prior"
    done = cli("prior", "train", tmp_path / "photos", "--out", out, *TINY_PRIOR)
    assert (done.code, "9 pictures, unconditional" in done.err) == (0, True)
    assert load_prior(out).transformer.config.num_embeds_ada_norm == 1


def test_a_prior_of_drawn_faces_needs_no_pictures_and_resumes(cli, tmp_path, monkeypatch):
    import reinforge.generators.pretrain as home

    faces = [*TINY_PRIOR, "--set", "size=16", "--set", "channels=3", "--set", "patch=8"]
    assert cli("prior", "train", "--drawn", "--out", tmp_path / "a", *faces).code == 0
    ascend, seen = home.ascend, []

    def stopped(*args, **options):
        seen.append(1)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return ascend(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(home, "ascend", stopped)
        assert cli("prior", "train", "--drawn", "--out", tmp_path / "b", *faces).code == 130
    assert cli("prior", "train", "--out", tmp_path / "b", "--resume").code == 0
    weights = "transformer/diffusion_pytorch_model.safetensors"
    assert sha256(tmp_path / "a" / weights) == sha256(tmp_path / "b" / weights)


def test_prior_train_wants_pictures_or_drawn_faces(cli, place, tmp_path):
    for args in ([], [place / "photos", "--drawn"]):
        done = cli("prior", "train", *args, "--out", tmp_path / "p")
        assert (done.code, "one of them" in done.err) == (2, True)
    write_images(small_pictures((2, 2, 2)), tmp_path / "few")
    done = cli("prior", "train", tmp_path / "few", "--out", tmp_path / "p", *TINY_PRIOR)
    assert (done.code, "6 pictures are too few" in done.err) == (2, True)


# prior by likeness


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A prior that draws by likeness, of twenty people."""
    folder = tmp_path_factory.mktemp("told")
    crowd = small_pictures((2,) * 20 + (1,), names=[f"p{at:02}" for at in range(21)])
    write_images(crowd, folder / "crowd")
    args = [folder / "crowd", "--out", folder / "prior", *TINY_PRIOR, "--set", "likeness=true"]
    for key, value in RECOGNISER.items():
        args += ["--set", f"recogniser.{key}={value}"]
    assert main([*map(str, ["prior", "train", *args]), "--quiet"]) == 0
    return folder / "prior"


def test_a_prior_by_likeness_brings_the_encoder_that_rewards_and_draws_newcomers(
    cli, place, told, tmp_path
):
    assert load_prior(told).encoder == told / "encoder"
    assert "p01" not in (told / "encoder/recogniser.json").read_text()
    assert {finding.state for finding in verify(RunFolder(told))} == {"ok"}
    out, model = tmp_path / "run", [f for f in FLAGS if "model." in f]
    model = [part for flag in model for part in ("--set", flag)] + ["--set", "strangers=4"]
    args = ["fit", "identity", place / "photos", "--prior", told, "--out", out, *model]
    done = cli(*args)
    assert (done.code, (out / "recogniser").exists()) == (0, False)
    assert (out / "model/recogniser").is_dir()
    plan = cli("fit", "identity", place / "photos", "--prior", told, "--out", "x", "--dry-run")
    assert "0 steps of the recogniser" in plan.out
    assert "the prior's own encoder rewards" in done.err
    lines = (out / "history.jsonl").read_text().splitlines()
    phases = {json.loads(line)["phase"] for line in lines}
    assert phases == {"cold start", "reinforcement"}
    for parents in ([], ["--parents", "prior"], ["--parents", "learnt"], ["--apart"]):
        where = tmp_path / "new" / "".join(parents)
        assert cli("sample", out, "-n", 2, "--newcomers", 3, *parents, "--out", where).code == 0
    alone = cli("sample", out, "-n", 2, "--apart", "--out", tmp_path / "alone")
    assert (alone.code, "say how many with newcomers" in alone.err) == (2, True)


@pytest.mark.parametrize(
    ("final", "wanted"),
    [
        ({}, {"reinforced": False, "selected": True}),
        ({"arms": "real,selected"}, {"selected": True}),
        ({"apart": False}, {"reinforced": False}),
        ({"parents": "learnt"}, {"reinforced": False}),
        ({"newcomers": 0}, {}),
    ],
)
def test_the_selected_arm_has_newcomers_who_look_least_alike(told, final, wanted):
    class Generator:
        """Draws nothing but what it was asked for."""

        def load_prior(self):
            return load_prior(told)

        def newcomers(self, n, *, seed, parents, apart):
            return SimpleNamespace(sample=lambda n, seed, on_images: apart)

    given = {"newcomers": 3, "arms": "reinforced,selected", **final}
    settings = IdentitySettings.model_validate({"final": given})
    drawn = newcomers_of({"reinforced": Generator()}, settings, screen=Screen(quiet=True))
    assert drawn == wanted


@pytest.mark.parametrize("is_described", [True, False])
def test_newcomers_go_by_names_alone_where_that_is_asked_for(is_described):
    made = replace(small_pictures(), described=np.ones((3, 8), np.float32))
    strangers = SimpleNamespace(sample=lambda n, seed, on_images: made)
    model = SimpleNamespace(newcomers=lambda n, **_: strangers)
    final = {"arms": "reinforced", "newcomers": 3, "described": is_described}
    settings = IdentitySettings.model_validate({"final": final})
    drawn = newcomers_of({"reinforced": model}, settings, screen=Screen(quiet=True))
    assert (drawn["reinforced"].described is not None) == is_described


@pytest.mark.parametrize(
    ("drawn", "asked", "wanted"),
    [
        ("selected", {}, ("random", 1)),
        ("selected", {"selection": "lookahead"}, ("lookahead", 2)),
        ("selected", {"weight": 0.5}, ("random", 1)),
        ("reinforced", {}, ("lowest_loss", 2)),
    ],
)
def test_steps_choose_where_nobody_was_chosen_or_they_are_asked_to(
    monkeypatch, tmp_path, drawn, asked, wanted
):
    seen = []
    monkeypatch.setattr(arms, "train_arms", lambda *_, mixing, **__: seen.append(mixing) or {})
    model = SimpleNamespace(processes=SimpleNamespace(device="cpu"))
    parts = SimpleNamespace(train=None)
    settings = IdentitySettings.model_validate({"mixing": asked})
    about = {"screen": Screen(quiet=True), "stop": Stop(print), "resume": False}
    arms_trained(model, parts, {}, {drawn: None}, RunFolder(tmp_path), settings, **about)
    assert (seen[0].selection, seen[0].candidates) == wanted


def test_what_a_prior_by_likeness_cannot_do_is_refused_by_name(cli, place, told, tmp_path):
    for args, message in (
        (["--drawn", "--set", "likeness=true"], "model.likeness wants pictures of people"),
        (["--drawn", "--start", told], "start wants pictures of people"),
        ([place / "photos", "--set", "recogniser.n_steps=5"], "set model.likeness=true"),
        ([place / "photos", "--set", "likeness=true", *TINY_PRIOR], "3 people have two pictures"),
        ([place / "photos", "--start", tmp_path / "gone", *TINY_PRIOR], "no such folder"),
        ([place / "photos", "--start", told, "--set", "size=16"], "size is 16, that of the prior"),
    ):
        done = cli("prior", "train", *args, "--out", tmp_path / "p")
        assert (done.code, message in done.err) == (2, True), done.err
    short = ["--set", "final.embedding_dim=4", "--out", tmp_path / "run"]
    done = cli("run", "identity", place / "photos", "--prior", told, *FLAGS, *short)
    assert (done.code, "described by 8 numbers and the recogniser's" in done.err) == (2, True)
    assert not (tmp_path / "run/history.jsonl").exists()


def test_a_refused_training_leaves_the_older_prior_where_it_was(cli, place, told, tmp_path):
    shutil.copytree(told, tmp_path / "p")
    args = [place / "photos", "--out", tmp_path / "p", "--overwrite", *TINY_PRIOR]
    for more in (["--set", "likeness=true"], ["--start", told, "--set", "size=16"]):
        assert cli("prior", "train", *args, *more).code == 2
        assert load_prior(tmp_path / "p").likeness is not None


# demo


def test_the_demo_shows_rewards_and_what_a_judge_recognises(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("reinforge.synthesizers.identity.shipped_prior", small_prior)
    demo = "reinforge.cli.demo_identity"
    small = {"N_IDENTITIES": 3, "N_REAL": 3, "N_DRAWN": 2, "N_JUDGE": 2, "JUDGE_STEPS": 2}
    for name, value in small.items():
        monkeypatch.setattr(f"{demo}.{name}", value)
    done = cli("demo", "identity", "--out", tmp_path / "demo", "--json", *FLAGS)
    told = json.loads(done.out)
    assert set(told["identity_accuracy"]) == {
        "cold start",
        "reinforced",
        "fresh pictures drawn by code",
    }
    assert len(read_images(tmp_path / "demo/synthetic")) == 6
    assert {finding.state for finding in verify(RunFolder(tmp_path / "demo"))} == {"ok"}
    assert cli("demo", "identity", "--out", tmp_path / "demo", *FLAGS).code == 0


def test_the_demo_of_an_unknown_system_is_refused(cli):
    done = cli("demo", "support")
    assert (done.code, "there are tabular, identity" in done.err) == (2, True)
