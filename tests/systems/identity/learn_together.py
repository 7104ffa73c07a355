"""What each of two launched processes runs; test_identity_together.py starts them and looks."""

import sys
from datetime import timedelta
from pathlib import Path

from safetensors.torch import save_file
from tiny_identity import N_IDENTITIES, blocks, config_of, real_pictures, tiny_prior

from reinforge.processes import ALONE, launched
from reinforge.recognition.config import resolve_recogniser
from reinforge.records import ImageSet
from reinforge.systems.identity.bank import memory_bank
from reinforge.systems.identity.learner import new_learner
from reinforge.systems.identity.step import step
from reinforge.systems.identity.teacher import trained_recogniser
from reinforge.training import Interrupted, Place, train

N_COLD, N_STEPS = 3, 3
TEACHER = {"n_steps": 6, "width": 8, "embedding_dim": 8, "identities_per_batch": 3}
STOPPED_AFTER = 4  # the first of reinforcement is behind it
SETTINGS = {
    "trained": "lora",
    "advantage": "value",  # so that the value net learns, too
    "branches": 2,
    "n_recent": 2,
    "cold_start_learning_rate": 1e-2,
    "cold_start_images": 5,  # no number here can be halved
    "identities_per_batch": 3,
    "micro_batch": 3,
    "cold_start_steps": N_COLD,
    "n_steps": N_STEPS,
}


def first_learner(processes=ALONE, **settings):
    """A learner at step 0."""
    pixels, label = real_pictures()
    bank = memory_bank(blocks(pixels), label, N_IDENTITIES)
    config = config_of(**{**SETTINGS, **settings})
    return new_learner(
        tiny_prior(), pixels, label, bank, config=config, seed=0, processes=processes
    )


SLOPES = {
    "estimator": "pathwise",
    "random_views": True,
    "realism_weight": 1.0,
}  # as in the default preset


def run(folder, *, processes=ALONE, resume=False, stop_after=None, **settings):
    """Both phases; the state at the end, or where one process asked to stop."""
    learner = first_learner(processes, **settings)
    done = []

    def stop():  # only the last process is told, as by a signal
        done.append(1)
        return len(done) == stop_after and processes.rank == processes.n - 1

    try:
        train(
            learner,
            lambda index: step(learner, blocks, index, seed=0),
            N_COLD + N_STEPS,
            place=Place(folder=folder, fingerprint="same", every=100),
            resume=resume,
            on_step=lambda _: told.append(processes.rank),
            stop=stop,
            processes=processes,
        )
        assert stop_after is None
    except Interrupted:
        assert len(done) == stop_after
    return {name: value.detach().contiguous() for name, value in learner.tensors().items()}


def teach(folder, *, processes=ALONE, resume=False, stop_after=None):
    """Train a recogniser that rewards, or stop where one process is asked to."""
    pixels, label = real_pictures()
    images = ImageSet(
        pixels=pixels.permute(0, 2, 3, 1).numpy().astype("uint8"),
        identity=label.numpy(),
        names=tuple(f"person {n}" for n in range(N_IDENTITIES)),
    )
    done = []

    def stop():
        done.append(1)
        return len(done) == stop_after and processes.rank == processes.n - 1

    try:
        recogniser, _ = trained_recogniser(
            images,
            config=resolve_recogniser("small", **TEACHER),
            seed=0,
            place=folder,
            resume=resume,
            on_step=lambda _: told.append(processes.rank),
            stop=stop,
            processes=processes,
        )
    except Interrupted:
        assert len(done) == stop_after
        return None
    assert stop_after is None
    return dict(recogniser.network.state_dict())


told = []  # who told of steps


def main(folder):
    processes = launched("cpu", patience=timedelta(minutes=2))
    assert processes.n == 2
    straight = run(folder / "straight", processes=processes)
    save_file(straight, folder / f"straight-{processes.rank}.safetensors")
    slopes = run(folder / "slopes", processes=processes, **SLOPES)
    save_file(slopes, folder / f"slopes-{processes.rank}.safetensors")
    run(folder / "left by two", processes=processes, stop_after=STOPPED_AFTER)
    resumed = run(folder / "left by one", processes=processes, resume=True)
    assert teach(folder / "teacher", processes=processes, stop_after=3) is None
    taught = teach(folder / "teacher", processes=processes, resume=True)
    save_file(taught, folder / f"taught-{processes.rank}.safetensors")
    if processes.is_first:
        save_file(resumed, folder / "resumed.safetensors")
    assert bool(told) == processes.is_first
    processes.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
