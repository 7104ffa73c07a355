"""What a lookahead costs a step, what its estimate is worth, and whether it finds wrong labels.

    python benchmarks/lookahead.py --seeds 0 1 2

Drawn identities stand for both kinds of pictures: some are the real ones, further ones of the same
people the synthetic ones, a quarter of these under a wrong name. One process, one thread, CPU
seconds; the ways to choose take turns in blocks, so that they meet the same machine. Measurements
go to `results/lookahead.csv`; `lookahead.md` is written from that file.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float

import measurements
from reinforge.data.drawn import draw_identities
from reinforge.randomness import generator, torch_generator
from reinforge.recognition import lookahead
from reinforge.recognition.augment import augment
from reinforge.recognition.config import RecogniserConfig, resolve_recogniser
from reinforge.recognition.lookahead import Views
from reinforge.recognition.losses import Loss, loss_of
from reinforge.recognition.mixed_batch import Mixture, new_mixture
from reinforge.recognition.mixing import MixingConfig, draw_candidates
from reinforge.recognition.recogniser import as_pixels
from reinforge.recognition.sampler import pk_batch
from reinforge.recognition.start import start_network
from reinforge.recognition.train import Learner, learning_rate_factor, new_learner, train_step
from reinforge.records import ImageSet

N_PEOPLE, N_REAL, N_MADE = 40, 3, 10
WRONG = 0.25  # share of synthetic pictures under somebody else's name
BLOCK = 5  # steps in turn
PROBED = 8  # candidates of each identity that are told apart
PROBE_EVERY = 20
RANDOM = "random"
ARMS: dict[str, MixingConfig | None] = {
    "real pictures alone": None,
    RANDOM: MixingConfig(selection="random"),
    "lowest loss": MixingConfig(selection="lowest_loss"),
    "lookahead, exact": MixingConfig(selection="lookahead"),
    "lookahead, first order": MixingConfig(selection="lookahead", estimate="first_order"),
    "lookahead, head alone": MixingConfig(selection="lookahead", look_at="head"),
    "lookahead, head alone, first order": MixingConfig(
        selection="lookahead", look_at="head", estimate="first_order"
    ),
    "lookahead, exact, every 4th step": MixingConfig(selection="lookahead", look_every=4),
}
SCORES = {
    "exact": "change of loss (`selection=lookahead`)",
    "first_order": "the same, first order",
    "head": "the same, head alone",
    "relative": "change over the loss before (`rank_by=relative`)",
    "loss": "loss (`selection=lowest_loss`)",
}
PAIRS = {
    "first_order": "first order, all weights",
    "head": "exact, head alone",
    "head_first_order": "first order, head alone",
}
HALVES = ("first half", "second half")


@dataclass(frozen=True)
class World:
    """Real pictures, synthetic ones, and which of these bear a wrong name."""

    real: ImageSet
    made: ImageSet
    is_wrong: Bool[np.ndarray, " image"]


def world_of(seed: int) -> World:
    """Drawn people; a quarter of the synthetic pictures of each are called somebody else."""
    whole = draw_identities(N_PEOPLE, N_REAL + N_MADE, seed=seed)
    number = np.tile(np.arange(N_REAL + N_MADE), N_PEOPLE)
    real, made = (
        whole.subset(np.flatnonzero(part)) for part in (number < N_REAL, number >= N_REAL)
    )
    draws = generator(seed, "benchmark lookahead/wrong names")
    is_wrong = np.zeros(len(made), dtype=bool)
    is_wrong[draws.permutation(len(made))[: round(WRONG * len(made))]] = True
    shift = draws.integers(1, N_PEOPLE, size=len(made))
    called = np.where(is_wrong, (made.identity + shift) % N_PEOPLE, made.identity)
    return World(real=real, made=replace(made, identity=called), is_wrong=is_wrong)


class Training:
    """A training of one arm, step by step."""

    def __init__(self, world: World, arm: str, *, n_steps: int, seed: int) -> None:
        mixing = ARMS[arm]
        n_pictures = 2 if mixing is None else 1  # in place of a synthetic one
        config = resolve_recogniser("small", n_steps=n_steps, pictures_per_identity=n_pictures)
        self.config: RecogniserConfig = config.for_pictures(world.real.pixels.shape)
        self.world, self.seed, self.done = world, seed, 0
        network, _ = start_network(self.config, N_PEOPLE, seed=seed)
        self.learner: Learner = new_learner(network, self.config)
        self.loss: Loss = loss_of(self.config, network)
        self.mixture: Mixture | None = None
        if mixing is not None:
            made = world.made
            self.mixture = new_mixture(world.real, made, mixing, config=self.config, seed=seed)

    def step(self) -> None:
        """One more update."""
        train_step(
            self.learner,
            self.loss,
            self.world.real,
            self.world.real.identity,
            self.done,
            config=self.config,
            seed=self.seed,
            mixture=self.mixture,
        )
        self.done += 1


def costs(world: World, *, n_steps: int, seed: int) -> dict[str, dict[str, float]]:
    """CPU seconds a step of each arm: the median over blocks, the first of which is thrown away."""
    length = 4 * (n_steps + BLOCK)  # as many as the longest takes: past its end a training rests
    trainings = {arm: Training(world, arm, n_steps=length, seed=seed) for arm in ARMS}
    seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for _ in range(1 + n_steps // BLOCK):
        for arm, training in trainings.items():
            n_block = 4 * BLOCK if "4th" in arm else BLOCK
            start = time.process_time()
            for _ in range(n_block):
                training.step()
            seconds[arm].append((time.process_time() - start) / n_block)
    return {arm: {"seconds": median(told[1:])} for arm, told in seconds.items()}


def probes(world: World, *, n_steps: int, seed: int) -> Iterator[dict[str, dict[str, float]]]:
    """Looks at candidates in the course of a training that takes them by chance."""
    training = Training(world, RANDOM, n_steps=n_steps, seed=seed)
    while training.done < n_steps:
        training.step()
        if training.done % PROBE_EVERY == 0 and training.done < n_steps:
            yield probe(training)


def probe(training: Training) -> dict[str, dict[str, float]]:
    """AUC of wrong names by each score, and how estimates agree with the exact change."""
    real, candidates, is_wrong = _views(training)
    network, loss, config = training.learner.network, training.loss, training.config
    factor = max(learning_rate_factor(training.done, config), lookahead.LEAST_FACTOR)
    step: dict[str, Any] = {"rate": factor * config.learning_rate}
    whole = lookahead.virtual_step(network, loss, real, candidates, **step)
    head = lookahead.virtual_step(network, loss, real, candidates, of_head=True, **step)
    told = {
        "exact": lookahead.exact(whole),
        "first_order": lookahead.first_order(whole),
        "head": lookahead.exact(head),
        "head_first_order": lookahead.first_order(head),
        "loss": whole.before,
    }
    told["relative"] = told["exact"] / whole.before
    rows = {name: score.view(is_wrong.shape).double() for name, score in told.items()}
    return {
        "auc": {name: auc_within(rows[name].numpy(), is_wrong) for name in SCORES},
        "agreement": {
            name: lookahead.rank_correlation(rows[name], rows["exact"]) for name in PAIRS
        },
    }


def _views(training: Training) -> tuple[Views, Views, Bool[np.ndarray, "identity candidate"]]:
    """A batch of real pictures, candidates of its people, and which of these have wrong names."""
    world, config, seed, index = training.world, training.config, training.seed, training.done
    chosen = pk_batch(
        world.real.identity,
        index,
        n_identities=config.identities_per_batch,
        n_pictures=config.pictures_per_identity,
        seed=seed,
    )
    people = np.unique(world.real.identity[chosen])
    drawn = draw_candidates(world.made.identity, people, index, n_pictures=PROBED, seed=seed)
    views = []
    for images, numbers, weight in (
        (world.real, chosen, 1.0),
        (world.made, drawn.flatten(), 1 / PROBED),
    ):
        draws = torch_generator(seed, f"benchmark lookahead/views {weight}", index)
        label = torch.from_numpy(images.identity[numbers])
        pixels = augment(as_pixels(images.pixels[numbers]), config, generator=draws)
        views.append(Views(pixels=pixels, label=label, weight=torch.full(label.shape, weight)))
    return views[0], views[1], world.is_wrong[drawn]


def auc_within(
    score: Float[np.ndarray, "identity candidate"], is_wrong: Bool[np.ndarray, "identity candidate"]
) -> float:
    """Share of pairs of one identity in which the wrong picture has the higher score; ties half."""
    right = wrong = 0.0
    for own, bad in zip(score, is_wrong, strict=True):
        apart = own[bad][:, None] - own[~bad]
        right += float((apart > 0).sum() + 0.5 * (apart == 0).sum())
        wrong += apart.size
    return right / wrong if wrong else float("nan")


def measured(*, n_steps: int, n_timed: int, seed: int) -> Iterator[tuple[str, str, float]]:
    """Arm, score, value of everything."""
    world = world_of(seed)
    for arm, told in costs(world, n_steps=n_timed, seed=seed).items():
        yield from ((arm, name, value) for name, value in told.items())
    looks = list(probes(world, n_steps=n_steps, seed=seed))
    middle = len(looks) // 2
    for half, part in zip(HALVES, (looks[:middle], looks[middle:]), strict=True):
        for kind in ("auc", "agreement"):
            for name in part[0][kind]:
                yield half, f"{kind} {name}", float(np.nanmean([look[kind][name] for look in part]))


def write_page(path: Path) -> None:
    """The tables; numbers come from the CSV alone."""
    rows = measurements.read(path)
    parts = [NOTES.strip(), measurements.circumstances(path)]
    for setting, part in rows.groupby("setting"):
        wide = part.pivot_table(index=["arm", "seed"], columns="score", values="value")
        seeds = ", ".join(map(str, sorted(part["seed"].unique())))
        parts += [f"## {setting}; seeds {seeds}", _cost_table(wide)]
        parts += [
            "### Do the estimates agree with the exact change?",
            _half_table(wide, "agreement", PAIRS),
        ]
        parts += ["### Is the higher score the wrong name?", _half_table(wide, "auc", SCORES)]
    page = path.parents[1] / "lookahead.md"
    page.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")


def _cost_table(wide: pd.DataFrame) -> str:
    base = wide.loc[RANDOM]["seconds"]
    rows = []
    for arm in ARMS:
        own = wide.loc[arm]["seconds"]
        ratio = measurements.cell((own / base).tolist(), digits=2)
        rows.append([arm, measurements.cell((1000 * own).tolist(), digits=0), ratio])
    return measurements.markdown_table(["choice", "CPU ms a step", f"over `{RANDOM}`"], rows)


def _half_table(wide: pd.DataFrame, kind: str, names: dict[str, str]) -> str:
    rows = [
        [text, *(measurements.cell(wide.loc[half][f"{kind} {name}"].tolist()) for half in HALVES)]
        for name, text in names.items()
    ]
    return measurements.markdown_table(["score", *(f"{half} of training" for half in HALVES)], rows)


NOTES = f"""
# Lookahead: cost, agreement, wrong names

The small recogniser on {N_PEOPLE} drawn people with {N_REAL} real pictures each; of the {N_MADE}
synthetic ones of each a quarter show somebody else. A step has 32 real pictures and as many
synthetic ones, chosen from two candidates each (in `real pictures alone` further views of real ones
stand in their place). One thread, CPU time, median over blocks in turn.

Agreement is Spearman's rank correlation within identities, over {PROBED} candidates each. AUC: of a
right and a wrong picture under one name, how often the wrong one has the higher score and would be
dropped; .5 is chance. Both are of looks in the course of a training that takes synthetic pictures
by chance, wrong ones too. Means with 95 % intervals over seeds (Student's t).

What is seen. The exact change of loss of every candidate makes a step 2.8 times as long as a choice
by chance, a look every fourth step 1.4 times, at the head alone 1.6 times; the first-order estimate
ranks as the exact change does (.998), but takes more time still, so that nothing speaks for it on a
network of this size. The head alone ranks differently (.66, later .51).

No lookahead finds wrong names: a step along a candidate's own gradient lowers its own loss, and
most where loss and gradient are large, as they are of a picture under a wrong name. The change of
loss is near chance in the first half of training (.56) and below it in the second (.45: it keeps
wrong names rather), the head's further below. Over the loss before (`rank_by=relative`) it is .68
and .63. The plain loss, for 1.4 times the step, tells .90 and .97 of the pairs right: for that,
`lowest_loss` is the default. Drawn people are easy to tell apart; on faces wrong names are harder
to see.
"""


def main() -> None:
    """Measure the seeds that are missing, then write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=400, help="of the training that is looked at")
    parser.add_argument("--timed", type=int, default=40, help="steps of each arm that are timed")
    parser.add_argument("--results", type=Path, default=measurements.csv_of("lookahead"))
    parser.add_argument("--write-only", action="store_true", help="only write the page again")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    setting = f"{N_PEOPLE} drawn people, {chosen.steps} steps"
    known = {(key[1], key[3]) for key in measurements.done(chosen.results)}
    for seed in () if chosen.write_only else chosen.seeds:
        if (setting, seed) in known:
            continue
        told = list(measured(n_steps=chosen.steps, n_timed=chosen.timed, seed=seed))
        rows = [("drawn", setting, arm, seed, score, round(value, 5)) for arm, score, value in told]
        named = [dict(zip(measurements.FIELDS, row, strict=True)) for row in rows]
        measurements.append(chosen.results, named)
        measurements.note_circumstances(chosen.results, load=f"{os.getloadavg()[0]:.1f}")
        print(f"seed {seed}: done", file=sys.stderr, flush=True)
    write_page(chosen.results)


if __name__ == "__main__":
    main()
