"""What happens to a run when the machine or the user gets in its way."""

import errno
import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reinforge.cli import main
from reinforge.run_folder import RunFolder

COMMAND = [sys.executable, "-c", "import sys; from reinforge.cli import main; sys.exit(main())"]
N_STEPS, EVERY = 60, 10  # after 20 steps of cold start and 2 of warming up
TINY = [f"n_steps={N_STEPS}", f"checkpoint_every={EVERY}", "cold_start_steps=20"]
TINY += [
    "discriminator_warmup=2",
    "batch_rows=32",
    "hidden=8",
    "discriminator_hidden=8",
    "noise_dim=4",
]
FAST = [part for setting in TINY for part in ("--set", setting)]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """60 records."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60), "sex": rng.choice(["F", "M"], 60)})
    path = tmp_path_factory.mktemp("data") / "table.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def straight(table, tmp_path_factory):
    """A run that nothing got in the way of."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "straight")
    assert main(["fit", "tabular", str(table), "--out", str(folder.path), "--quiet", *FAST]) == 0
    return folder


@pytest.fixture
def at_step(monkeypatch):
    """Does something at one step of the training."""

    def do(index, action):
        import reinforge.synthesizers.tabular as home

        step = home.step

        def meddled(learner, real, number, **options):
            result = step(learner, real, number, **options)
            return (action() or result) if number == index else result

        monkeypatch.setattr(home, "step", meddled)

    return do


@pytest.fixture
def stopped(cli, table, tmp_path, at_step, monkeypatch):
    """A run that was stopped after step 35: checkpoints 30 and 36 are there."""
    out = tmp_path / "run"
    with monkeypatch.context():
        at_step(35, lambda: os.kill(os.getpid(), signal.SIGTERM))
        assert cli("fit", "tabular", table, "--out", out, *FAST).code == 143
    monkeypatch.undo()
    return RunFolder(out)


def checkpoints(folder):
    return sorted(path.name for path in (folder.path / "checkpoint").glob("step-*"))


def digests(folder):
    """What must not differ between a run that was stopped and one that was not."""
    files = [folder.history, *sorted(folder.model.iterdir())]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def resume(cli, folder):
    result = cli("fit", "tabular", "--out", folder.path, "--resume")
    assert result.code == 0, result.err
    return result


# signals


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_ends_the_step_saves_and_resumes_bit_identically(
    cli, table, tmp_path, straight, at_step, monkeypatch, signum, code
):
    at_step(17, lambda: os.kill(os.getpid(), signum))
    result = cli("fit", "tabular", table, "--out", tmp_path / "run", *FAST)
    assert result.code == code
    assert "--resume" in result.err
    folder = RunFolder(tmp_path / "run")
    assert checkpoints(folder)[-1] == "step-00000018"
    assert not (folder.path / ".lock").exists()
    monkeypatch.undo()
    resume(cli, folder)
    assert digests(folder) == digests(straight)


def test_the_second_signal_stops_now(cli, table, tmp_path, at_step):
    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    at_step(17, twice)
    result = cli("fit", "tabular", table, "--out", tmp_path / "run", *FAST)
    assert result.code == 130
    assert checkpoints(RunFolder(tmp_path / "run")) == ["step-00000010"]
    assert not (tmp_path / "run" / ".lock").exists()


def test_an_interruption_in_json_is_one_object(cli, table, tmp_path, at_step):
    at_step(17, lambda: os.kill(os.getpid(), signal.SIGTERM))
    result = cli("fit", "tabular", table, "--out", tmp_path / "run", "--json", *FAST)
    answer = json.loads(result.out)
    assert (answer["ok"], answer["exit_code"], answer["error"]["type"]) == (
        False,
        143,
        "Interrupted",
    )


def started(folder, *args):
    """A real process, waited for until it has got one checkpoint further."""
    before = checkpoints(folder)
    process = subprocess.Popen(
        [*COMMAND, "fit", "tabular", *map(str, args), "--out", str(folder.path)],
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        now = checkpoints(folder)
        if now and now[-1] > (before[-1] if before else ""):
            break
        time.sleep(0.005)
    return process


def test_sigterm_to_a_real_process_is_exit_code_143(cli, table, tmp_path, straight):
    folder = RunFolder(tmp_path / "run")
    process = started(folder, table, *FAST)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert b"the state is saved" in said
    resume(cli, folder)
    assert digests(folder) == digests(straight)


@pytest.mark.filterwarnings("default")
def test_a_run_killed_again_and_again_ends_bit_identical_to_a_straight_one(
    cli, table, tmp_path, straight
):
    folder = RunFolder(tmp_path / "run")
    moments = random.Random(0)
    outcomes = []
    for args in ([table, *FAST], ["--resume"], ["--resume"]):
        process = started(folder, *args)
        time.sleep(moments.uniform(0.0, 0.02))
        process.kill()
        process.communicate(timeout=60)
        outcomes.append(process.returncode)
    assert outcomes[0] == -signal.SIGKILL
    resume(cli, folder)
    assert digests(folder) == digests(straight)


def test_an_unfinished_run_says_how_to_finish_it(cli, stopped, tmp_path):
    for args in (["sample", stopped.path, "--out", tmp_path / "s.csv"], ["evaluate", stopped.path]):
        result = cli(*args)
        assert result.code == 2
        assert "--resume" in result.err


def test_resume_of_a_finished_run_changes_nothing(cli, straight, tmp_path):
    shutil.copytree(straight.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    resume(cli, folder)
    assert digests(folder) == digests(straight)


def test_resume_without_a_run_starts_one(cli, table, tmp_path, straight):
    args = ["fit", "tabular", table, "--out", tmp_path / "run", "--resume", *FAST]
    assert cli(*args).code == 0
    assert digests(RunFolder(tmp_path / "run")) == digests(straight)


# damaged checkpoints


def truncate(folder):
    state = folder / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-7])


def flip(folder):
    state = folder / "state.safetensors"
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 1
    state.write_bytes(content)


def empty(folder):
    (folder / "state.safetensors").write_bytes(b"")


def lose_manifest(folder):
    (folder / "manifest.json").unlink()


def garble_manifest(folder):
    (folder / "manifest.json").write_text('{"format": 1, "steps_do')


class Trap:
    """Would leave a file behind if anybody unpickled it."""

    def __reduce__(self):
        return Path.touch, (Path("unpickled"),)


def replace_by_pickle(folder):
    (folder / "state.safetensors").write_bytes(pickle.dumps(Trap()))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "damage", [truncate, flip, empty, lose_manifest, garble_manifest, replace_by_pickle]
)
def test_a_damaged_checkpoint_is_left_for_the_one_before(
    cli, stopped, straight, damage, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert checkpoints(stopped) == ["step-00000030", "step-00000036"]
    damage(stopped.path / "checkpoint" / "step-00000036")
    assert "going back to the one before" in resume(cli, stopped).err
    assert digests(stopped) == digests(straight)
    assert not Path("unpickled").exists()


@pytest.mark.filterwarnings("default")
def test_without_any_whole_checkpoint_the_run_starts_over(cli, stopped, straight):
    for name in checkpoints(stopped):
        truncate(stopped.path / "checkpoint" / name)
    resume(cli, stopped)
    assert digests(stopped) == digests(straight)


def test_a_checkpoint_of_a_newer_version_is_refused(cli, stopped):
    path = stopped.path / "checkpoint" / "step-00000036" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    result = cli("fit", "tabular", "--out", stopped.path, "--resume")
    assert (result.code, "newer" in result.err) == (2, True)


def test_resume_with_other_settings_is_refused(cli, stopped):
    for flags, said in (
        (["--set", "hidden=9"], "model.hidden 8, not 9"),
        (["--seed", "1"], "seed 0, not 1"),
        (["--holdout", "0.5"], "split.holdout 0.2, not 0.5"),
    ):
        result = cli("fit", "tabular", "--out", stopped.path, "--resume", *flags)
        assert (result.code, said in result.err) == (2, True)


def test_resume_with_other_data_is_refused(cli, stopped, table, tmp_path):
    other = tmp_path / "other.csv"
    other.write_bytes(table.read_bytes() + b"0.5,F\n")
    result = cli("fit", "tabular", other, "--out", stopped.path, "--resume")
    assert (result.code, "digest differs" in result.err) == (2, True)


def test_a_damaged_config_is_refused_by_path(cli, stopped):
    stopped.config.write_text(stopped.config.read_text()[:-40])
    result = cli("fit", "tabular", "--out", stopped.path, "--resume")
    assert (result.code, "config.json: damaged" in result.err) == (2, True)


# full disk


@pytest.fixture
def full_disk(monkeypatch):
    """Makes the disk full for files whose name holds a text, from the n-th on."""

    def fill(text, *, n_before=0):
        fsync, seen = os.fsync, []

        def refuse(descriptor):
            if text in os.readlink(f"/proc/self/fd/{descriptor}"):
                seen.append(1)
                if len(seen) > n_before:
                    raise OSError(errno.ENOSPC, "No space left on device")
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", refuse)

    return fill


@pytest.mark.filterwarnings("default")
def test_a_full_disk_at_a_checkpoint_keeps_the_one_before(
    cli, table, tmp_path, straight, full_disk, monkeypatch
):
    full_disk(".state.safetensors", n_before=3)
    folder = RunFolder(tmp_path / "run")
    result = cli("fit", "tabular", table, "--out", folder.path, *FAST)
    assert result.code == 4
    assert "state.safetensors: the disk is full" in result.err
    assert "bytes wanted" in result.err
    monkeypatch.undo()
    resume(cli, folder)
    assert digests(folder) == digests(straight)


@pytest.mark.parametrize("name", [".config.json", ".model.safetensors", ".manifest.json"])
def test_a_full_disk_anywhere_is_exit_code_4_and_leaves_nothing_half_written(
    cli, table, tmp_path, full_disk, name
):
    full_disk(name)
    result = cli("fit", "tabular", table, "--out", tmp_path / "run", *FAST)
    assert (result.code, "the disk is full" in result.err) == (4, True)
    assert not list((tmp_path / "run").rglob("*.tmp"))


def test_a_full_disk_while_sampling_leaves_the_old_rows(cli, straight, tmp_path, full_disk):
    out = tmp_path / "rows.csv"
    out.write_text("old")
    full_disk("rows.csv")
    result = cli("sample", straight.path, "-n", 50, "--out", out, "--overwrite")
    assert (result.code, "the disk is full" in result.err) == (4, True)
    assert out.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.csv"]


# memory and numbers


def test_memory_that_runs_out_in_a_step_is_exit_code_4_with_the_remedy(
    cli, table, tmp_path, at_step
):
    def explode():
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9999 bytes")

    at_step(12, explode)
    result = cli("fit", "tabular", table, "--out", tmp_path / "run", *FAST)
    assert (result.code, "batch_rows" in result.err) == (4, True)
    assert checkpoints(RunFolder(tmp_path / "run")) == ["step-00000010"]


def test_updates_that_stay_not_finite_stop_the_run_with_the_last_checkpoint(
    cli, table, tmp_path, monkeypatch
):
    import reinforge.synthesizers.tabular as home

    step = home.step

    def broken(learner, real, number, **options):
        result = step(learner, real, number, **options)
        return {**result, "update_taken": 0.0} if number >= 15 else result

    monkeypatch.setattr(home, "step", broken)
    result = cli("fit", "tabular", table, "--out", tmp_path / "run", *FAST)
    assert result.code == 1
    assert "learning_rate" in result.err
    assert result.err.count("Traceback") == 0
    assert checkpoints(RunFolder(tmp_path / "run"))


# surroundings


def test_a_clock_that_jumps_changes_nothing(cli, table, tmp_path, straight, monkeypatch):
    jumps = iter(range(10**9, 0, -(10**6)))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    assert cli("fit", "tabular", table, "--out", tmp_path / "run", *FAST).code == 0
    monkeypatch.undo()
    assert digests(RunFolder(tmp_path / "run")) == digests(straight)
