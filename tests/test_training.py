import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save

from reinforge.errors import InputError, ReinforgeError, ResourceError
from reinforge.files import sha256_file, write_json
from reinforge.randomness import torch_generator
from reinforge.training import PATIENCE, Interrupted, Place, memory_errors, train

KEPT = ["step-00000020", "step-00000023"]  # of 23 steps, with a checkpoint every five
NEWEST = KEPT[-1]


class Toy:
    """A weight and Adam's state: enough to see whether a resumed run is the straight one."""

    def __init__(self):
        self.weight = torch.nn.Parameter(torch.zeros(3))
        self.optimizer = torch.optim.Adam([self.weight], lr=0.1)

    def tensors(self):
        slots = self.optimizer.state_dict()["state"].get(0, {})
        return {"weight": self.weight.detach(), **{f"adam.{k}": v for k, v in slots.items()}}

    def load_tensors(self, state):
        with torch.no_grad():
            self.weight.copy_(state["weight"])
        slots = {k.removeprefix("adam."): v.clone() for k, v in state.items() if k != "weight"}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": {0: slots}, "param_groups": groups})

    def step(self, index):
        noise = torch.randn(3, generator=torch_generator(0, "test", index))
        self.optimizer.zero_grad()
        loss = (self.weight - noise).square().sum()
        loss.backward()
        self.optimizer.step()
        return {"loss": float(loss.detach())}


def place_in(folder, every=5, fingerprint="mine"):
    return Place(folder=folder, fingerprint=fingerprint, every=every)


def run(folder, n_steps=23, *, resume=False, stop_after=None, every=5, **more):
    """A toy trained in a folder, with its history."""
    toy, done = Toy(), []

    def stop():
        done.append(1)
        return stop_after is not None and len(done) >= stop_after

    history = train(
        toy, toy.step, n_steps, place=place_in(folder, every), resume=resume, stop=stop, **more
    )
    return toy, history


def interrupted(folder, after, **more):
    with pytest.raises(Interrupted):
        run(folder, stop_after=after, **more)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    toy, history = run(folder)
    return toy, history, (folder / "history.jsonl").read_bytes()


def is_straight(straight, folder, toy, history):
    told = straight[0].tensors()
    return (
        all(torch.equal(value, toy.tensors()[name]) for name, value in told.items())
        and history == straight[1]
        and (folder / "history.jsonl").read_bytes() == straight[2]
    )


def checkpoints(folder):
    return sorted(path.name for path in (folder / "checkpoint").iterdir())


def test_a_record_a_step_goes_to_the_file_the_caller_and_the_result(tmp_path):
    seen = []
    _, history = run(tmp_path, 7, on_step=seen.append)
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert seen == history == lines
    assert [record["step"] for record in history] == list(range(7))


def test_without_a_place_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    toy = Toy()
    assert len(train(toy, toy.step, 7)) == 7
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("after", [1, 4, 5, 6, 10, 22])
def test_a_stopped_and_resumed_run_is_the_straight_one_bit_for_bit(straight, tmp_path, after):
    interrupted(tmp_path, after)
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == after
    assert is_straight(straight, tmp_path, *run(tmp_path, resume=True))


def test_a_run_stopped_many_times_is_still_the_straight_one(straight, tmp_path):
    interrupted(tmp_path, 3)
    for _ in range(4):
        interrupted(tmp_path, 4, resume=True)
    assert is_straight(straight, tmp_path, *run(tmp_path, resume=True))


def test_a_checkpoints_history_is_on_the_disk_when_it_is(tmp_path):
    toy, seen = Toy(), []

    def step(index):
        seen.append(len((tmp_path / "history.jsonl").read_text().splitlines()))
        return toy.step(index)

    train(toy, step, 12, place=place_in(tmp_path))
    assert seen[5:10] == [5] * 5
    assert seen[10:] == [10] * 2


def test_a_stop_after_the_last_step_is_no_interruption(tmp_path):
    _, history = run(tmp_path, 5, stop_after=5)
    assert len(history) == 5


def test_an_interruption_says_where_it_stopped(tmp_path):
    with pytest.raises(Interrupted, match=r"stopped after step 4 of 23; the state is saved\."):
        run(tmp_path, stop_after=4)
    assert Interrupted.exit_code == 130


def test_resume_in_an_empty_folder_starts_at_the_beginning(straight, tmp_path):
    assert is_straight(straight, tmp_path / "new", *run(tmp_path / "new", resume=True))


def test_resume_of_a_finished_run_repeats_nothing(straight, tmp_path):
    run(tmp_path)
    seen = []
    assert is_straight(straight, tmp_path, *run(tmp_path, resume=True, on_step=seen.append))
    assert seen == []


def test_two_checkpoints_are_kept(tmp_path):
    run(tmp_path)
    assert checkpoints(tmp_path) == KEPT
    for folder in (tmp_path / "checkpoint").iterdir():
        assert sorted(p.name for p in folder.iterdir()) == ["manifest.json", "state.safetensors"]


def test_a_checkpoint_holds_the_state_and_its_digest(tmp_path):
    toy, _ = run(tmp_path, 10)
    folder = tmp_path / "checkpoint" / "step-00000010"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["sha256"] == sha256_file(folder / "state.safetensors")
    assert (manifest["steps_done"], manifest["fingerprint"]) == (10, "mine")
    saved = load_file(folder / "state.safetensors")
    assert set(saved) == set(toy.tensors())
    assert all(torch.equal(value, toy.tensors()[name]) for name, value in saved.items())


def test_a_fresh_run_drops_the_checkpoints_of_an_earlier_one(tmp_path):
    run(tmp_path)
    _, history = run(tmp_path, 12)
    assert len(history) == 12
    assert checkpoints(tmp_path) == ["step-00000010", "step-00000012"]


def truncate(folder):
    path = folder / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-7])


def flip_a_byte(folder):
    path = folder / "state.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))


def other_manifest(text):
    def write(folder):
        (folder / "manifest.json").write_text(text)

    return write


DAMAGE = {
    "truncated state": truncate,
    "flipped byte": flip_a_byte,
    "missing state": lambda folder: (folder / "state.safetensors").unlink(),
    "empty state": lambda folder: (folder / "state.safetensors").write_bytes(b""),
    "missing manifest": lambda folder: (folder / "manifest.json").unlink(),
    "empty manifest": other_manifest(""),
    "half a manifest": other_manifest('{"format": 1, "steps'),
    "another manifest": other_manifest("[1, 2]"),
    "manifest without digest": other_manifest('{"format": 1, "steps_done": 23}'),
    "manifest of nonsense": other_manifest('{"format": "x", "steps_done": "y", "sha256": 1}'),
    "nothing in it": lambda folder: [path.unlink() for path in folder.iterdir()],
}
damage = pytest.mark.parametrize("harm", DAMAGE.values(), ids=DAMAGE.keys())


@damage
def test_a_damaged_newest_checkpoint_is_told_and_the_one_before_is_used(straight, tmp_path, harm):
    run(tmp_path)
    harm(tmp_path / "checkpoint" / NEWEST)
    with pytest.warns(UserWarning, match="step-00000023: the checkpoint is damaged"):
        toy, history = run(tmp_path, resume=True)
    assert is_straight(straight, tmp_path, toy, history)


@damage
def test_without_any_whole_checkpoint_a_run_starts_over(straight, tmp_path, harm):
    run(tmp_path)
    for folder in (tmp_path / "checkpoint").iterdir():
        harm(folder)
    with pytest.warns(UserWarning, match="going back"):
        toy, history = run(tmp_path, resume=True)
    assert is_straight(straight, tmp_path, toy, history)


def test_a_kill_while_a_checkpoint_is_written_goes_unnoticed(straight, tmp_path, monkeypatch):
    """Nothing is damaged then: the checkpoint before is the newest, and no warning is due."""
    written = []

    def killed_at_the_fourth(path, content):
        written.append(path)
        if len(written) == 4:
            raise KeyboardInterrupt
        write_json(path, content)

    monkeypatch.setattr("reinforge.training.write_json", killed_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    monkeypatch.undo()
    assert checkpoints(tmp_path) == ["step-00000010", "step-00000015", "unfinished"]
    assert is_straight(straight, tmp_path, *run(tmp_path, resume=True))
    assert checkpoints(tmp_path) == KEPT


def cut_history(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:21]))


def garble_history(path):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:21], '{"step": 2', *lines[22:]]))


@pytest.mark.parametrize("harm", [cut_history, garble_history])
def test_a_checkpoint_whose_history_is_lost_is_left_for_the_one_before(straight, tmp_path, harm):
    run(tmp_path)
    harm(tmp_path / "history.jsonl")
    with pytest.warns(UserWarning, match=NEWEST):
        toy, history = run(tmp_path, resume=True)
    assert is_straight(straight, tmp_path, toy, history)


def test_lines_after_the_last_checkpoint_and_half_a_line_are_written_anew(straight, tmp_path):
    run(tmp_path)
    shutil.rmtree(tmp_path / "checkpoint" / NEWEST)
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"step": 23, "lo')
    assert is_straight(straight, tmp_path, *run(tmp_path, resume=True))


def edit_manifest(folder, **fields):
    path = folder / "checkpoint" / NEWEST / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_checkpoint_of_a_newer_format_is_refused_and_kept(tmp_path):
    run(tmp_path)
    edit_manifest(tmp_path, format=2)
    with pytest.raises(InputError, match=r"written by a newer reinforge \(format 2\); upgrade"):
        run(tmp_path, resume=True)
    assert checkpoints(tmp_path) == KEPT


def test_a_newer_format_is_told_even_where_its_files_are_others(tmp_path):
    run(tmp_path)
    folder = tmp_path / "checkpoint" / NEWEST
    (folder / "manifest.json").write_text('{"format": 7, "parts": []}')
    with pytest.raises(InputError, match="newer reinforge"):
        run(tmp_path, resume=True)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    run(tmp_path)
    toy = Toy()
    with pytest.raises(InputError, match="belongs to other settings or other data; use the same"):
        train(toy, toy.step, 23, place=place_in(tmp_path, fingerprint="yours"), resume=True)
    assert torch.equal(toy.weight, torch.zeros(3))


def test_a_state_that_does_not_fit_is_refused_in_one_line(tmp_path):
    run(tmp_path)
    state = tmp_path / "checkpoint" / NEWEST / "state.safetensors"
    state.write_bytes(save({"weight": torch.zeros(7)}))
    edit_manifest(tmp_path, sha256=sha256_file(state))
    with pytest.raises(InputError, match="the state does not fit this run") as refusal:
        run(tmp_path, resume=True)
    assert "\n" not in str(refusal.value)


def not_finite_from(first, last=10**9):
    toy = Toy()

    def step(index):
        return {**toy.step(index), "update_taken": 0.0 if first <= index <= last else 1.0}

    return toy, step


def test_updates_that_stay_not_finite_stop_the_run_with_its_checkpoints(tmp_path):
    toy, step = not_finite_from(12)
    with pytest.raises(ReinforgeError, match=f"{PATIENCE} updates in a row were not finite") as e:
        train(toy, step, 100, place=place_in(tmp_path))
    assert f"(step {12 + PATIENCE - 1})" in str(e.value)
    assert e.value.exit_code == 1
    assert "step-00000035" in checkpoints(tmp_path)
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 12 + PATIENCE - 1


def test_a_shorter_spell_of_updates_that_are_not_finite_is_passed_over():
    toy, step = not_finite_from(3, 3 + PATIENCE - 2)
    history = train(toy, step, 60)
    assert len(history) == 60
    assert all("update_taken" not in record for record in history)


def test_a_step_that_fails_leaves_the_history_up_to_it(tmp_path):
    toy = Toy()

    def step(index):
        if index == 8:
            raise ValueError("broken step")
        return toy.step(index)

    with pytest.raises(ValueError, match="broken step"):
        train(toy, step, 20, place=place_in(tmp_path))
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) == 8
    assert checkpoints(tmp_path) == ["step-00000005"]


@pytest.mark.parametrize("failing", ["state", "manifest"])
def test_a_disk_that_fills_up_in_a_save_leaves_the_checkpoint_before(
    straight, tmp_path, monkeypatch, failing
):
    real, calls = os.fsync, []

    def fsync(descriptor):
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        if "unfinished" in name and failing in name:
            calls.append(name)
            if len(calls) == 2:  # of step 10
                raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(ResourceError, match="the disk is full"):
            run(tmp_path)
    assert checkpoints(tmp_path) == ["step-00000005", "unfinished"]
    assert is_straight(straight, tmp_path, *run(tmp_path, resume=True))


KILLED = """
import sys, pathlib
sys.path.insert(0, sys.argv[1])
from test_training import Toy, place_in
from reinforge.training import train
toy = Toy()
print("ready", flush=True)
train(toy, toy.step, 400, place=place_in(pathlib.Path(sys.argv[2]), every=1), resume=True)
"""


def test_a_run_killed_at_any_moment_resumes_to_the_straight_one(tmp_path):
    here = os.path.dirname(__file__)
    straight = tmp_path / "straight"
    expected, history = run(straight, 400, every=100)
    folder = tmp_path / "killed"
    for attempt in range(2):
        child = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", KILLED, here, str(folder)],
            stdout=subprocess.PIPE,
        )
        child.stdout.readline()
        time.sleep(0.1 + 0.05 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    toy, told = run(folder, 400, resume=True, every=100)
    assert told == history
    for name, value in expected.tensors().items():
        assert torch.equal(value, toy.tensors()[name])
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "text",
    ["[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried", "CUDA out of memory."],
)
def test_memory_that_ran_out_is_one_line_with_the_remedy(text):
    told = memory_errors(RuntimeError(text + "\nstack"), "lower batch_rows.")
    assert isinstance(told, ResourceError)
    assert "\n" not in str(told)
    assert str(told).endswith("lower batch_rows.")


def test_other_runtime_errors_are_none_of_memory():
    assert memory_errors(RuntimeError("shapes differ"), "x") is None
