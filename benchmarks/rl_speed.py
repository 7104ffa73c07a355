"""How fast reinforcement learns: our settings beside those of known trainers, on one small DiT.

    python benchmarks/rl_speed.py                     what results/rl_speed.csv does not hold
    python benchmarks/rl_speed.py --only loop --redo  measure the loop again
    python benchmarks/rl_speed.py --tune              print learning rates on tuning seeds

Both arms run our own code (settings in rl_world.py). `peers` does what DDPO, TRL and DPOK do: every
step is trained, guidance 3 with gradient through both halves, float32, one step a pass, PPO's
minimum, log-ratios averaged. `reinforge`: a window of steps, no guidance, bfloat16 where the
processor has it, steps stacked into a pass. Same network, start, reward, seeds and CPU budget; each
arm with the better learning rate of one list, chosen on two seeds that are not reported.

Every measurement runs in a process of its own on one thread; seconds are CPU seconds of that
process after the build. `rl_speed.md` is written from the CSV alone.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

import measurements
import rl_world
from peers.environment import one_thread
from reinforge.generators.dit import predict
from reinforge.systems.identity.learner import Learner
from reinforge.systems.identity.step import reinforce

LEVEL = 0.95  # mean semantic consistency of the last SMOOTH iterations; the start is near 0.7
BUDGET = 45.0  # CPU seconds of a run
TUNING_BUDGET = 24.0
SMOOTH = 3
SEEDS = (0, 1, 2)
TUNING_SEEDS = (98, 99)
RATES = (1e-4, 3e-4, 1e-3)
CHOSEN = {"peers": 1e-3, "reinforge": 1e-3}  # soonest at the level, mean of the tuning seeds
LOOP_REPEATS = 5
MEMORY_WINDOWS = (1, 3, 9)
AIMS = {  # (setting, score) -> what we want
    ("loop", "loop_over_bare"): "≤ 1.05",
    ("memory", "peak_memory_over_build_mb"): "at most the bare loop's",
}


def train(
    arm: str, *, seed: int, rate: float | None = None, budget: float = BUDGET
) -> dict[str, float]:
    """Train for a budget of CPU seconds; when the level is reached, and where it ends."""
    torch.set_num_threads(1)
    config = rl_world.config_of(arm, learning_rate=rate or CHOSEN[arm])
    learner = rl_world.learner_of(config, seed=seed)
    rewards: list[float] = []
    reached = n_reached = float("nan")
    start = time.process_time()
    while time.process_time() - start < budget:
        told = reinforce(learner, rl_world.mean_colour, len(rewards), seed=seed)
        rewards.append(told["semantic"])
        recent = sum(rewards[-SMOOTH:]) / SMOOTH
        if len(rewards) >= SMOOTH and recent >= LEVEL and reached != reached:
            reached, n_reached = time.process_time() - start, float(len(rewards))
    return {
        "cpu_seconds_to_reward": reached,
        "iterations_to_reward": n_reached,
        "first_reward": rewards[0],
        "final_reward": recent,
        "iterations": float(len(rewards)),
        "cpu_seconds_per_iteration": (time.process_time() - start) / len(rewards),
    }


def loop(*, seed: int) -> dict[str, float]:
    """Our iterations beside bare passes of the same shapes, turn about."""
    torch.set_num_threads(1)
    config = rl_world.config_of(
        "reinforge", kl_weight=0.01, learning_rate=1e-5, draws_per_identity=16
    )
    learner = rl_world.learner_of(config, seed=seed)
    ours = bare = updates = 0.0
    for index in range(LOOP_REPEATS + 1):
        start = time.process_time()
        reinforce(learner, rl_world.mean_colour, index, seed=seed)
        middle = time.process_time()
        bare_passes(learner)
        passed = time.process_time()
        learner.policy_optimizer.step()
        if index:  # the first is to warm up
            ours, bare = ours + middle - start, bare + passed - middle
            updates += time.process_time() - passed
        learner.policy_optimizer.zero_grad()
    return {
        "loop_over_bare": ours / bare,
        "loop_over_bare_and_optimizer": ours / (bare + updates),
        "loop_cpu_seconds": ours / LOOP_REPEATS,
        "bare_cpu_seconds": bare / LOOP_REPEATS,
    }


def bare_passes(learner: Learner) -> None:
    """The passes of one iteration and nothing else: inputs are fixed, there is no loss to speak of.

    A pass for each step of the chain, and for the trained steps one with its backward pass and one
    for the reference where there is a KL.
    """
    config, policy = learner.config, learner.policy
    n_draws = config.identities_per_batch * config.draws_per_identity
    random = torch.Generator().manual_seed(0)

    def passed(n: int) -> torch.Tensor:
        state = torch.randn((n, *policy.shape), generator=random)
        place = torch.zeros(n, dtype=torch.long)
        bf16 = policy.precision_is_bfloat16
        return predict(policy.transformer, state, place, place, bf16=bf16)

    with torch.no_grad():
        for _ in range(config.n_denoising):
            passed(n_draws)
    n_actions = n_draws * min(config.window_steps, config.n_denoising - 1)
    at_once = max(config.micro_batch // n_draws, 1) * n_draws
    for first in range(0, n_actions, at_once):
        n = min(at_once, n_actions - first)
        passed(n).square().mean().backward()
        if config.kl_weight:
            with torch.no_grad():
                passed(n)


def memory(what: str, *, seed: int) -> dict[str, float]:
    """Peak memory of two iterations, or of as many bare passes, above that after the build."""
    torch.set_num_threads(1)
    name, _, window = what.partition(" ")
    settings = {"window_steps": int(window)} if window else {}
    if name != "peers":
        settings |= {"kl_weight": 0.01, "micro_batch": 8}
    config = rl_world.config_of("reinforge" if name == "bare" else name, **settings)
    learner = rl_world.learner_of(config, seed=seed)
    learner.policy_optimizer.zero_grad()
    before = _start_of_peak()
    for index in range(2):
        if name == "bare":
            bare_passes(learner)
            learner.policy_optimizer.step()
            learner.policy_optimizer.zero_grad()
        else:
            reinforce(learner, rl_world.mean_colour, index, seed=seed)
    return {"peak_memory_over_build_mb": _status("VmHWM") - before}


def _start_of_peak() -> float:
    """Forget the peak of the build; the memory that is held now, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(name))


CELLS: dict[str, list[tuple[str, str, Callable[..., dict[str, float]]]]] = {
    "train": [
        ("train", arm, lambda seed, arm=arm: train(arm, seed=seed))
        for arm in ("peers", "reinforge")
    ],
    "loop": [("loop", "reinforge", loop)],
    "memory": [
        ("memory", what, lambda seed, what=what: memory(what, seed=seed))
        for what in ("bare 3", "peers", *(f"reinforge {n}" for n in MEMORY_WINDOWS))
    ],
}


def tune() -> None:
    """Print what each learning rate does on the tuning seeds."""
    for seed in TUNING_SEEDS:
        for arm in ("peers", "reinforge"):
            for rate in RATES:
                told = _in_a_process(["--tuned", arm, str(rate), str(seed)])
                print(arm, rate, seed, told, flush=True)


def write_page(path: Path, page: Path) -> None:
    """Write `rl_speed.md` anew from the CSV alone."""
    measured = measurements.read(path)
    rows = []
    for (setting, arm, score), part in measured.groupby(["setting", "arm", "score"], sort=False):
        n_lost = int(part["value"].isna().sum())
        value = measurements.cell(part["value"], digits=3 if part["value"].max() < 10 else 1)
        lost = f" ({n_lost} of {len(part)} never)" if n_lost else ""
        rows.append([setting, arm, score, value + lost, AIMS.get((setting, score), "")])
    page.write_text(
        "# Speed of reinforcement\n\n"
        "Written by `benchmarks/rl_speed.py` from `results/rl_speed.csv`; do not edit. "
        f"{measurements.circumstances(path)}\n\n"
        f"{_verdict(measured)}\n\n"
        "A DiT of 4.6 million weights (32 px, 64 tokens), 8 draws an iteration (32 for `loop`), 10 "
        "denoising steps. Mean ± half a 95 % interval over seeds, one thread, a process each. "
        f"`cpu_seconds_to_reward`: until the mean semantic consistency of {SMOOTH} iterations is "
        f"{LEVEL}; `final_reward`: the same mean after {BUDGET:.0f} CPU seconds; learning rates "
        f"(of {', '.join(f'{rate:g}' for rate in RATES)}, by the time to the level on two other "
        "seeds): "
        f"{', '.join(f'{arm} {rate:g}' for arm, rate in CHOSEN.items())}. `loop_over_bare`: an "
        "iteration over the bare forward and backward passes of the same shapes, run turn about "
        "(KL to the cold start on). Memory: two iterations above what the build holds, passes of 8 "
        "draws; the number behind an arm is its window; `peers` passes both halves of the guidance "
        "at once.\n\n" + measurements.markdown_table(["what", "arm", "score", "value", "aim"], rows)
    )


def _verdict(measured: "measurements.pd.DataFrame") -> str:
    """The ratio of the two arms' seconds, seed by seed."""
    seconds = measured[measured["score"] == "cpu_seconds_to_reward"]
    if seconds.empty:
        return ""
    table = seconds.pivot(index="seed", columns="arm", values="value").dropna()
    if not {"peers", "reinforge"} <= set(table):
        return ""
    share = (table["reinforge"] / table["peers"]).to_list()
    return (
        "CPU seconds to the same reward, `reinforge` over `peers`, seed by seed: "
        f"{measurements.cell(share)} (aim: ≤ 0.333)."
    )


def _in_a_process(arguments: list[str]) -> dict[str, float]:
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, env=one_thread(), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _work(arguments: list[str]) -> None:
    """What a process of a measurement does."""
    if arguments[0] == "--tuned":
        told = train(
            arguments[1],
            seed=int(arguments[3]),
            rate=float(arguments[2]),
            budget=TUNING_BUDGET,
        )
    else:
        kind, number, seed = arguments[1:]
        told = CELLS[kind][int(number)][2](seed=int(seed))
    print(json.dumps(told))


def main() -> int:
    """Measure what is missing, then write the page."""
    if sys.argv[1:2] in (["--worker"], ["--tuned"]):
        _work(sys.argv[1:])
        return 0
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[*CELLS], choices=[*CELLS])
    parser.add_argument("--redo", action="store_true", help="measure again what is there")
    parser.add_argument("--tune", action="store_true", help="print the tuning of learning rates")
    parser.add_argument("--write-only", action="store_true", help="only write rl_speed.md again")
    chosen, path = parser.parse_args(), measurements.csv_of("rl_speed")
    if chosen.tune:
        tune()
        return 0
    for kind in () if chosen.write_only else chosen.only:
        for number, (setting, arm, _) in enumerate(CELLS[kind]):
            for seed in SEEDS[:2] if kind == "memory" else SEEDS:
                cell = ("plain colours", setting, arm, seed)
                if cell in measurements.done(path) and not chosen.redo:
                    continue
                told = _in_a_process(["--worker", kind, str(number), str(seed)])
                measurements.forget(path, {cell})
                rows = [(*cell, score, round(value, 4)) for score, value in told.items()]
                measurements.append(
                    path, [dict(zip(measurements.FIELDS, row, strict=True)) for row in rows]
                )
                print(*cell, told, file=sys.stderr, flush=True)
                measurements.note_circumstances(path, load=f"{os.getloadavg()[0]:.1f}")
    write_page(path, path.parents[1] / "rl_speed.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
