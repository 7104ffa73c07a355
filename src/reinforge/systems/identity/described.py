"""Train a prior that draws whoever is described to it: first the encoder, then the diffusion model.

The encoder learns people with two pictures or more. A picture of one of them is described by what
the encoder sees in the person's *other* pictures, so that what a description says is what pictures
of one person share. People with a single picture, whom the encoder was never taught, come too: half
of them described by another view of that picture, half as nobody.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from reinforge.data.images import digest
from reinforge.errors import InputError
from reinforge.generators.from_images import require_pictures
from reinforge.generators.pretrain import PretrainConfig, pretrain
from reinforge.generators.prior import ENCODER, Prior
from reinforge.processes import ALONE
from reinforge.randomness import generator, torch_generator
from reinforge.recognition.augment import augment
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.recogniser import as_pixels
from reinforge.records import ImageSet
from reinforge.systems.identity.teacher import Told, encoder_digest, trained_recogniser

FEWEST_PEOPLE = 20  # with two pictures or more, from whom an encoder learns what a person is
SHARE_SINGLE = 0.25  # of a batch: people with one picture
SHARE_NOBODY = 0.5  # of those: shown as nobody in particular
SHARE_ONE = 0.5  # of the others: described by one other picture, not by all others
ENCODER_SETTINGS = {"identities_per_batch": 64, "n_steps": 2500, "width": 24}


def train_described_prior(
    images: ImageSet,
    *,
    config: PretrainConfig,
    recogniser: RecogniserConfig,
    seed: int,
    place: Path,
    start: Prior | None = None,
    resume: bool = False,
    on_step: Told | None = None,
    stop: Callable[[], bool] | None = None,
) -> Prior:
    """Train an encoder on the people, and a prior on what it sees in them.

    Args:
        images: Many people, of the size and channels of `config`; singles are welcome.
        config: Of the prior, with `likeness`.
        recogniser: Of the encoder.
        seed: Of both.
        place: Folder of checkpoints and history; the encoder is kept there, in `encoder/`.
        start: A prior to go on from.
        resume: Go on with what lies there.
        on_step: Told each record, with its phase and how far that is.
        stop: Asked after each step.

    Returns:
        The prior, its encoder in `place`.

    Raises:
        InputError: Too few people, or pictures of another size.
        Interrupted: `stop` said so; the state was saved first.
    """
    require_pictures(images, config)
    people = People(images)
    encoder, _ = trained_recogniser(
        people.shown_twice(),  # who are called by numbers: their names are nobody's business
        config=recogniser,
        seed=seed,
        place=place / ENCODER,
        resume=resume,
        on_step=on_step,
        stop=stop,
        processes=ALONE,
        phase="encoder",
    )
    feature = encoder.embed_all(images)
    views = recogniser.model_copy(update={"random_erasing": 0.0})

    def told(record: dict[str, Any]) -> None:
        if on_step is not None:
            done = {"done": record["step"] + 1, "of": config.n_steps}
            on_step({"phase": "prior", **record, **done})

    begun = None if start is None else start.trained_on
    prior = pretrain(
        lambda index: people.batch(
            encoder.embed, feature, index, n=config.batch_images, views=views, seed=seed
        ),
        1,
        config=config,
        seed=seed,
        trained_on=people.described() + (f"; before: {begun}" if begun else ""),
        data_digest=f"{digest(images)} {encoder_digest(encoder)} {begun}",
        start=start,
        people=people.one_each(feature),
        run_dir=place,
        resume=resume,
        on_step=told,
        stop=stop,
    )
    return replace(prior, encoder=place / ENCODER)


class People:
    """Who is in a set of pictures: those with several, and those with one.

    Args:
        images: Of many people.

    Raises:
        InputError: Fewer than `FEWEST_PEOPLE` have two pictures.
    """

    def __init__(self, images: ImageSet) -> None:
        self.images = images
        count = np.bincount(images.identity, minlength=len(images.names))[images.identity]
        self.known, self.single = np.flatnonzero(count > 1), np.flatnonzero(count == 1)
        n_known = len(np.unique(images.identity[self.known]))
        if n_known < FEWEST_PEOPLE:
            raise InputError(
                f"prior: {n_known} people have two pictures or more, and likeness is learnt from "
                f"{FEWEST_PEOPLE} at least, better from hundreds; set model.likeness=false."
            )
        self.n_known = n_known
        chance = 1 / np.sqrt(count[self.known])  # between people alike and pictures alike
        self.chance = chance / chance.sum()

    def described(self) -> str:
        """One line for the record; never a name."""
        n_people = self.n_known + len(self.single)
        return f"{len(self.images)} pictures of {n_people} people, by likeness"

    def shown_twice(self) -> ImageSet:
        """The pictures of those with several, who go by numbers."""
        shown = self.images.subset(self.known)
        return replace(shown, names=tuple(f"person-{at:05}" for at in range(len(shown.names))))

    def one_each(self, feature: Tensor) -> Tensor:
        """A feature of each of many people: of those the encoder was not taught, if they suffice.

        What a recogniser was taught it sees more clearly than what it will be asked to draw.
        """
        if len(self.single) > 2 * feature.shape[1]:
            return feature[self.single]
        of = self.images.identity[self.known]
        return torch.stack([feature[self.known[of == one]].mean(0) for one in np.unique(of)])

    def batch(
        self,
        embed: Callable[[Tensor], Tensor],
        feature: Tensor,
        index: int,
        *,
        n: int,
        views: RecogniserConfig,
        seed: int,
    ) -> tuple[Tensor, Tensor]:
        """Pictures of a step, and what describes each; zeros for nobody.

        Args:
            embed: What the encoder sees in pictures.
            feature: Of each picture.
            index: Of the step.
            n: Pictures.
            views: Strengths of the views that single pictures are described by.
            seed: Of the training.
        """
        chooser = generator(seed, "prior/people", index)
        n_single = round(SHARE_SINGLE * n) if len(self.single) else 0
        known = chooser.choice(self.known, n - n_single, p=self.chance)
        described = [self._others(feature, at, chooser) for at in known.tolist()]
        chosen = known
        if n_single:
            single = chooser.choice(self.single, n_single)
            chosen = np.concatenate([known, single])
            shown = augment(
                as_pixels(self.images.pixels[single]),
                views,
                generator=torch_generator(seed, "prior/views", index),
            )
            with torch.no_grad():
                seen = embed(shown)
            is_somebody = torch.from_numpy(chooser.random(n_single) >= SHARE_NOBODY)
            described += list(seen * is_somebody[:, None])
        return as_pixels(self.images.pixels[chosen]), torch.stack(described)

    def _others(self, feature: Tensor, at: int, chooser: np.random.Generator) -> Tensor:
        """What is seen in the other pictures of somebody, in one or in all."""
        own = np.flatnonzero(self.images.identity == self.images.identity[at])
        others = own[own != at]
        if chooser.random() < SHARE_ONE:
            others = chooser.choice(others, 1)
        return normalize(feature[others].mean(0), dim=0)
