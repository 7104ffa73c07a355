"""Two processes learn what one learns; micro-batches and checkpointing change memory alone."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from learn_together import SLOPES, STOPPED_AFTER, first_learner, run, teach
from safetensors.torch import load_file
from tiny_identity import blocks

from reinforge.errors import InputError
from reinforge.processes import Processes
from reinforge.systems.identity.cold_start import start_cold
from reinforge.systems.identity.step import reinforce

HERE = Path(__file__).parent
ROUNDING = 1e-5


def launch(folder):
    """Run the script in two processes, as its user would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    launcher = [sys.executable, "-m", "accelerate.commands.launch"]
    how = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    how += ["--dynamo_backend", "no", "--main_process_port", port]
    done = subprocess.run(
        [*launcher, *how, str(HERE / "learn_together.py"), str(folder)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """What one process learns, and a folder of what two learned and left."""
    folder = tmp_path_factory.mktemp("together")
    run(folder / "left by one", stop_after=STOPPED_AFTER)
    launch(folder)
    return run(folder / "alone"), folder


def assert_near(state, other):
    assert state.keys() == other.keys()
    for name, value in state.items():
        torch.testing.assert_close(value, other[name], rtol=0, atol=ROUNDING, msg=name)


def test_two_processes_learn_what_one_learns_but_for_rounding(learned):
    alone, folder = learned
    assert_near(load_file(folder / "straight-0.safetensors"), alone)


def test_two_processes_look_at_the_random_views_of_one(learned, tmp_path):
    _, folder = learned
    assert_near(load_file(folder / "slopes-1.safetensors"), run(tmp_path, **SLOPES))


def test_a_recogniser_that_one_process_was_asked_to_leave_is_gone_on_with_by_both(learned):
    _, folder = learned
    alone = teach(folder / "teacher alone")
    for rank in (0, 1):
        taught = load_file(folder / f"taught-{rank}.safetensors")
        assert all(torch.equal(taught[name], value) for name, value in alone.items())


def test_all_processes_end_with_the_same_bits(learned):
    _, folder = learned
    first, second = (load_file(folder / f"straight-{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_what_each_phase_learns_is_far_more_than_the_rounding(learned):
    alone, _ = learned
    adapters = [name for name in alone if name.startswith("policy.") and "lora_B" in name]
    assert adapters
    for name in adapters:  # they start at 0
        cold = alone[name.replace("policy", "reference", 1)]
        assert cold.abs().max() > 100 * ROUNDING
        assert (alone[name] - cold).abs().max() > 100 * ROUNDING


def history_in(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def test_the_history_of_two_is_that_of_one_and_is_written_once(learned):
    _, folder = learned
    together, alone = history_in(folder / "straight"), history_in(folder / "alone")
    assert [list(record) for record in together] == [list(record) for record in alone]
    for told, expected in zip(together, alone, strict=True):
        assert told == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_one_process_goes_on_from_what_two_left_when_one_of_them_was_stopped(learned):
    alone, folder = learned
    assert len(history_in(folder / "left by two")) == STOPPED_AFTER
    assert_near(run(folder / "left by two", resume=True), alone)


def test_two_processes_go_on_from_what_one_left(learned):
    alone, folder = learned
    assert_near(load_file(folder / "resumed.safetensors"), alone)


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"identities_per_batch": 2}, "identities_per_batch"), ({"cold_start_images": 2}, "cold")],
)
def test_more_processes_than_shares_are_refused_before_anything_is_learned(settings, name):
    with pytest.raises(InputError, match=rf"{name}.* 2 cannot be shared by 3 processes"):
        first_learner(Processes(rank=0, n=3), **settings)


# memory


def gradients(learner):
    return {name: p.grad.clone() for name, p in learner.policy.trained().items()}


@pytest.mark.parametrize("micro_batch", [1, 3, 5])
def test_a_cold_start_cut_into_micro_batches_has_the_gradient_of_the_batch(micro_batch):
    told = []
    for size in (64, micro_batch):
        learner = first_learner(micro_batch=size, cold_start_images=8, max_grad_norm=1e9)
        start_cold(learner, 0, seed=0)
        told.append(gradients(learner))
    whole, cut = told
    for name, value in whole.items():
        torch.testing.assert_close(cut[name], value, rtol=1e-4, atol=1e-7, msg=name)
    assert max(float(value.abs().max()) for value in whole.values()) > 1e-3


@pytest.mark.parametrize("trained", ["all", "lora"])
def test_gradient_checkpointing_runs_every_block_twice_and_gives_the_same_bits(trained):
    passes, told = {}, {}
    for is_on in (False, True):
        learner = first_learner(trained=trained, gradient_checkpointing=is_on, kl_weight=0.0)
        calls = []
        block = learner.policy.transformer.transformer_blocks[0]
        block.register_forward_pre_hook(lambda *_, c=calls: c.append(torch.is_grad_enabled()))
        start_cold(learner, 0, seed=0)
        reinforce(learner, blocks, 1, seed=0)
        passes[is_on], told[is_on] = sum(calls), gradients(learner)
    assert passes[True] == 2 * passes[False] > 0
    assert all(torch.equal(told[True][name], value) for name, value in told[False].items())
    assert max(float(value.abs().max()) for value in told[True].values()) > 0
