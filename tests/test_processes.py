"""Shares, sums and ends of processes that train together."""

import itertools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from reinforge.errors import InputError
from reinforge.processes import ALONE, Processes, launched, take_common_step

LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Nobody launched this process, whatever the surroundings say."""
    for name in (*LAUNCHED, "ACCELERATE_USE_CPU"):
        monkeypatch.delenv(name, raising=False)


# shares


def shares(n_items, n, together=1):
    return [Processes(rank=rank, n=n).share(n_items, together=together) for rank in range(n)]


def test_eight_items_of_three_processes_are_two_three_and_three():
    assert shares(8, 3) == [slice(0, 2), slice(2, 5), slice(5, 8)]


def test_runs_are_never_parted():
    assert shares(12, 2, together=4) == [slice(0, 4), slice(4, 12)]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("n_runs", [8, 9, 13])
@pytest.mark.parametrize("together", [1, 4])
def test_shares_follow_each_other_hold_everything_and_differ_by_a_run_at_most(n, n_runs, together):
    cut = shares(n_runs * together, n, together)
    assert cut[0].start == 0
    assert cut[-1].stop == n_runs * together
    assert all(one.stop == other.start for one, other in itertools.pairwise(cut))
    sizes = {part.stop - part.start for part in cut}
    assert max(sizes) - min(sizes) <= together
    assert min(sizes) > 0


@pytest.mark.parametrize(("n_items", "together"), [(2, 1), (8, 4), (7, 2)])
def test_a_process_without_work_or_a_run_that_is_cut_is_refused(n_items, together):
    with pytest.raises(InputError, match="for 3 processes; launch fewer"):
        Processes(rank=0, n=3).share(n_items, together=together)


# alone


def test_alone_everything_is_as_if_there_were_no_processes(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)  # an import of it would fail
    monkeypatch.setattr(torch.distributed, "all_reduce", None)
    processes = launched("cpu")
    assert processes == ALONE == Processes(rank=0, n=1)
    assert processes.is_first
    part = torch.arange(3.0)
    assert processes.gather(part) is part
    assert processes.share(7) == slice(0, 7)
    assert processes.sum(0.1) == 0.1
    assert processes.any(True)
    assert not processes.any(False)
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    processes.sum_gradients([weight])
    assert weight.grad.tolist() == [1.0, 2.0]
    processes.copy_first([part])
    processes.barrier()
    processes.close()


@pytest.mark.parametrize(("loss", "taken"), [(3.0, True), (float("nan"), False)])
def test_a_common_step_goes_downhill_and_is_not_taken_where_the_loss_is_not_finite(loss, taken):
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([3.0, 4.0])
    optimizer = torch.optim.SGD([weight], lr=0.5)
    told = take_common_step(ALONE, optimizer, loss, max_grad_norm=1.0)
    assert told == pytest.approx((loss, 5.0, taken), nan_ok=True)
    expected = [0.7, 0.6] if taken else [1.0, 1.0]  # 1 - 0.5 * (3, 4) / 5
    assert weight.tolist() == pytest.approx(expected)


# devices


def has_gpu(monkeypatch, n_gpus, *, said=None):
    def is_available():
        if said:
            import warnings

            warnings.warn(said, stacklevel=2)
        return n_gpus > 0

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_gpus)


def test_a_gpu_that_is_not_there_is_refused_with_what_to_do(monkeypatch):
    has_gpu(monkeypatch, 0)
    with pytest.raises(InputError, match=r"^device=cuda: this torch sees no GPU .* set device=cpu"):
        launched("cuda")


def test_a_driver_that_is_too_old_is_named(monkeypatch):
    has_gpu(monkeypatch, 0, said="The NVIDIA driver on your system\n is too old")
    with pytest.raises(InputError, match=r"sees no GPU \(The NVIDIA driver on your system is too"):
        launched("cuda")
    with pytest.warns(UserWarning, match="auto takes the CPU: The NVIDIA driver"):
        assert launched("auto").device.type == "cpu"


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    has_gpu(monkeypatch, 1)
    assert launched("auto").device.type == "cuda"
    assert launched("cpu").device.type == "cpu"
    has_gpu(monkeypatch, 0)
    assert launched("auto").device.type == "cpu"


def test_two_processes_do_not_share_a_gpu(monkeypatch):
    has_gpu(monkeypatch, 1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(InputError, match="2 processes on a machine with 1 GPUs"):
        launched("auto")


def test_a_launch_of_several_that_starts_one_is_told(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")  # what accelerate launch --cpu sets
    monkeypatch.setenv("MASTER_PORT", "29500")
    with pytest.warns(UserWarning, match="starts one process, whatever --num_processes says"):
        assert launched("cpu").n == 1


# together: processes of their own, each running this file


def start(role, folder, n=2):
    """The processes, started as a launcher would, but without anybody who ends them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    surroundings = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(n)}
    return [
        subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "told_together.py"), role, str(folder)],
            env={
                **os.environ,
                **surroundings,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "OMP_NUM_THREADS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(n)
    ]


@pytest.fixture(scope="module")
def teams(tmp_path_factory):
    """Three teams at once, for an interpreter's start is what costs: role -> what each one said."""
    folder = tmp_path_factory.mktemp("teams")
    running = {role: start(role, folder) for role in ("talk", "die", "hang", "miss")}
    said = {}
    try:
        for role, team in running.items():
            first = team[0].communicate(timeout=300)[0]
            if role == "hang":
                team[1].kill()
            said[role] = [(first, team[0].returncode)]
            said[role].append((team[1].communicate(timeout=300)[0], team[1].returncode))
    finally:
        for process in (process for team in running.values() for process in team):
            process.kill()
    return said


def test_what_is_gathered_stands_in_the_order_of_ranks_whatever_its_length(teams):
    for said, code in teams["talk"]:
        assert code == 0, said
        told = json.loads(said.splitlines()[-1])
        assert told["gathered"] == [[0, 0], [10, 10], [11, 11]]
        assert told["sum"] == 3.0
        assert told["any"] == [True, False]
        assert told["gradients"] == [[3.0, 3.0], [6.0, 6.0, 6.0], [9.0, 9.0]]
        assert told["untouched"] is None
        assert told["first"] == [7.0, 0.0]


@pytest.mark.parametrize("role", ["die", "hang"])
def test_a_process_that_dies_or_hangs_ends_the_others_with_a_clear_line(teams, role):
    said, code = teams[role][0]
    assert code == 1, said
    assert "process 0 of 2 lost touch with another one, which has ended or hangs" in said
    assert "--resume goes on from the last checkpoint" in said


def test_runs_that_see_other_checkpoints_are_refused_by_all(teams):
    for said, code in teams["miss"]:
        assert code == 2, said
        assert "see checkpoints of different steps (2, 0)" in said
