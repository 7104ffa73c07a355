"""The face prior of the identity benchmarks: one that draws by likeness, of people of LFW.

    python benchmarks/face_prior.py --faces lfw_a.npz --start face_dit_48 --out FACE_PRIOR

80 people with many pictures are kept from encoder and maps: what is tuned is tuned on them. The
prior that it starts from saw all of LFW half A as nobody in particular, and its pictures' scale is
told in its README. About an hour on 2 cores.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from reinforge.data.images import read_images
from reinforge.generators.pretrain import PretrainConfig
from reinforge.generators.prior import load_prior, save_prior
from reinforge.recognition.config import resolve_recogniser
from reinforge.records import ImageSet
from reinforge.systems.identity.described import ENCODER_SETTINGS, train_described_prior

SIZE = 48  # pixels, grey
START_SCALE = 0.44715795  # of the start prior's pixels, by its README
SEED = 7  # of who is kept apart, and of the training
UPDATES = 4000  # of the prior
WITH_MANY, WITH_SOME = 35, 45  # people kept apart: with ten pictures and more, with five to nine


def parted(faces: Path) -> tuple[ImageSet, ImageSet]:
    """Pictures to train on, and those of the people who are kept apart."""
    images = read_images(faces, size=SIZE, channels=1)
    count = np.bincount(images.identity, minlength=len(images.names))
    rng = np.random.default_rng(SEED)
    many, some = np.flatnonzero(count >= 10), np.flatnonzero((count >= 5) & (count < 10))
    apart = np.concatenate(
        [rng.choice(many, WITH_MANY, replace=False), rng.choice(some, WITH_SOME, replace=False)]
    )
    is_apart = np.isin(images.identity, apart)
    return images.subset(np.flatnonzero(~is_apart)), images.subset(np.flatnonzero(is_apart))


def main() -> None:
    """Train it, or go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, required=True, help="lfw_a.npz")
    parser.add_argument("--start", type=Path, required=True, help="folder of face_dit_48")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=UPDATES, help="updates of the prior")
    chosen = parser.parse_args()
    images, _ = parted(chosen.faces)

    def told(record: dict[str, Any]) -> None:
        if record["done"] % 100 == 0:
            shown = {k: v for k, v in record.items() if k in ("phase", "done", "of", "loss")}
            print(shown, file=sys.stderr, flush=True)

    config = PretrainConfig(size=SIZE, channels=1, likeness=True, n_steps=chosen.steps)
    prior = train_described_prior(
        images,
        config=config,
        recogniser=resolve_recogniser("small", **ENCODER_SETTINGS),
        seed=SEED,
        place=chosen.out,  # where the encoder is kept
        start=load_prior(chosen.start, pixel_scale=START_SCALE),
        resume=chosen.out.exists(),
        on_step=told,
    )
    save_prior(prior, chosen.out)


if __name__ == "__main__":
    main()
