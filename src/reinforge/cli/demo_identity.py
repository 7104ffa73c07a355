"""The demonstration on identities: faces drawn by code, learnt, drawn anew, and recognised."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reinforge.cli import stages_identity as stages
from reinforge.cli.asked import Asked
from reinforge.cli.interrupts import Stop
from reinforge.cli.screen import Screen
from reinforge.cli.settings import checked, merged
from reinforge.cli.settings_pictures import IdentitySettings
from reinforge.cli.stages_identity import Photos
from reinforge.cli.stages_judged import pictures_in
from reinforge.cli.tables import accuracy_table, show_next
from reinforge.cli.verbs_identity import Job, show_fitted, trained
from reinforge.files import write_atomic
from reinforge.run_folder import RunFolder, check_place, read_config, write_manifest
from reinforge.run_lock import locked

if TYPE_CHECKING:
    from reinforge.recognition.recogniser import Recogniser
    from reinforge.records import ImageSet
    from reinforge.synthesizers import IdentitySynthesizer

WORLD = 41  # of the drawn faces: none of them is in the world that the prior was trained on
N_IDENTITIES, N_REAL, N_DRAWN = 12, 5, 10
N_JUDGE, FIRST_JUDGE, FIRST_TEST = 60, 1000, 9000  # pictures that the judge and nobody else sees
JUDGE_STEPS = 300
FASTER = {  # on two cores some five minutes
    "model": {"cold_start_steps": 300, "n_steps": 40, "watch_every": 20},
    "recogniser": {"n_steps": 300},
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the demonstration compares."""

    real: "ImageSet"
    cold_start: "ImageSet"
    reinforced: "ImageSet"


def demo_identity(out: Path, *, asked: Asked, screen: Screen, stop: Stop) -> None:
    """Learn twelve drawn faces from five pictures each; draw them before and after reinforcement.

    A judge that was trained on other pictures of the same faces, and gave no reward, says how many
    of the generated ones show whom they should.
    """
    given = asked.settings(IdentitySettings).model_dump(exclude_unset=True)
    settings = checked(merged(FASTER, given), IdentitySettings)
    folder = RunFolder(out)
    again = folder.config.is_file() and read_config(folder).get("verb") == "demo"
    check_place(out, overwrite=again)
    if again:
        screen.note(f"{out}: replacing the earlier demo.")
    job = Job(verb="demo", photos=Photos(), settings=settings, folder=folder, resume=False)
    model = stages.new_model(settings)
    images = drawn_faces(model, range(N_REAL))
    with locked(folder.path, note=screen.note):
        trained(job, model, images, screen=screen, stop=stop)
        before = model.cold_start().sample(N_DRAWN, seed=settings.sample_seed)
        stages.make_room(folder.pictures, overwrite=True, is_own=True)
        stages.drawn(model, folder.pictures, N_DRAWN, settings, screen=screen)
        after = pictures_in(folder, images)
        shown = Shown(real=images, cold_start=before, reinforced=after)
        write_atomic(folder.sheet, sheet(shown))
        accuracy = judged(model, shown, screen=screen, stop=stop)
        write_manifest(folder)
    screen.payload["identity_accuracy"] = accuracy
    show_fitted(job, model, screen)
    screen.show(accuracy_table(accuracy))
    screen.show(f"{N_DRAWN * N_IDENTITIES} synthetic pictures: {folder.pictures}")
    run = shlex.quote(str(out))
    show_next(
        screen,
        f"sample {run} -n 20 --out more",
        f"verify {run}",
        "run identity PHOTOS --out runs/mine",
    )


def drawn_faces(model: "IdentitySynthesizer", index: range) -> "ImageSet":
    """Pictures of the demonstration's faces, as the prior wants them.

    Args:
        model: Has the prior.
        index: Which pictures of each.
    """
    from reinforge.data.drawn import draw_pictures
    from reinforge.records import ImageSet
    from reinforge.systems.identity.training_set import training_set

    prior = model.load_prior()
    identity = np.repeat(np.arange(N_IDENTITIES), len(index)).astype(np.int64)
    number = np.tile(np.asarray(index), N_IDENTITIES)
    pixels = draw_pictures(identity, number, size=max(16, prior.picture_size), seed=WORLD)
    names = tuple(f"face {number + 1}" for number in range(N_IDENTITIES))
    return training_set(ImageSet(pixels=pixels, identity=identity, names=names), prior)


def sheet(shown: Shown) -> bytes:
    """Real pictures, the cold start's and the last ones side by side, a row a face."""
    from reinforge.report.contact_sheet import contact_sheet

    rows = []
    for at, name in enumerate(shown.real.names):
        parts = [
            images.pixels[np.flatnonzero(images.identity == at)[:N_REAL]]
            for images in (shown.real, shown.cold_start, shown.reinforced)
        ]
        rows.append((name, np.concatenate(parts)))
    heads = ("drawn by code, for training", "cold start", "reinforced")
    side = shown.real.pixels.shape[1]
    return contact_sheet(rows, scale=max(1, 64 // side), columns=[(head, N_REAL) for head in heads])


def judged(
    model: "IdentitySynthesizer", shown: Shown, *, screen: Screen, stop: Stop
) -> dict[str, float]:
    """Share of pictures in which a judge sees whom they should show, and that of fresh real ones.

    The judge is a recogniser of the same build, trained on other pictures of these faces.
    """
    from reinforge.recognition.config import resolve_recogniser
    from reinforge.recognition.train import train_recogniser
    from reinforge.synthesizers.limits import threads_of

    pupils = drawn_faces(model, range(FIRST_JUDGE, FIRST_JUDGE + N_JUDGE))
    fresh = drawn_faces(model, range(FIRST_TEST, FIRST_TEST + N_DRAWN))
    config = resolve_recogniser("small", n_steps=JUDGE_STEPS)
    with threads_of(config), screen.progress("judge", config.n_steps) as advance, stop.gentle():
        judge = train_recogniser(
            pupils,
            config=config,
            seed=model.seed + 1,
            on_step=lambda record: advance(record["step"] + 1),
            stop=stop,
        )
    return {
        "cold start": _accuracy(judge, shown.cold_start),
        "reinforced": _accuracy(judge, shown.reinforced),
        "fresh pictures drawn by code": _accuracy(judge, fresh),
    }


def _accuracy(judge: "Recogniser", images: "ImageSet") -> float:
    from reinforge.recognition.recogniser import as_pixels

    seen = judge.classify(as_pixels(images.pixels[np.arange(len(images))]))
    return float((seen.numpy() == images.identity).mean())
