"""Pictures of identities: fit, sample, save and load."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from reinforge import __version__
from reinforge.data.images import read_images, write_images
from reinforge.errors import InputError
from reinforge.generators.prior import Prior, load_prior
from reinforge.generators.shipped import shipped_prior
from reinforge.processes import Device, launched
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.ensemble import Ensemble
from reinforge.recognition.frozen import Encoder, load_encoder
from reinforge.recognition.recogniser import Recogniser
from reinforge.records import ImageSet
from reinforge.synthesizers.limits import memory_limit, threads_of
from reinforge.systems.identity.answers import noise_norms
from reinforge.systems.identity.calibration import Calibration
from reinforge.systems.identity.config import IdentityConfig, resolve_config
from reinforge.systems.identity.learning import learn
from reinforge.systems.identity.newcomers import Parents, newcomers
from reinforge.systems.identity.sampling import Amount, drawn_set
from reinforge.systems.identity.saved import (
    CALIBRATION,
    RECOGNISER,
    Generator,
    generators_of,
    read_generator,
    write_generator,
)
from reinforge.systems.identity.teacher import (
    AUTO,
    Told,
    calibrated,
    encoder_of,
    recogniser_config,
    trained_teacher,
)
from reinforge.systems.identity.training_set import kind_of, training_set

_log = logging.getLogger(__name__)


class IdentitySynthesizer:
    """A generator of pictures of known identities, learnt from a few pictures of each.

    A recogniser is trained on the pictures, a prior takes up the identities (cold start), and the
    policy gradient moves it to pictures that the recogniser finds true to their identity, covering
    and diverse (arXiv:2604.07884; DPOK, arXiv:2305.16381).

    Args:
        preset: "default", or "paper" for the published settings.
        prior: A diffusion model that knows such pictures: its folder, or itself; None takes the one
            that comes with the package, which knows faces drawn by code and nothing else.
        recogniser: An encoder that was trained elsewhere, or its path, or a preset of recognisers
            to train; None trains what the setting `recogniser` says.
        recogniser_settings: Any field of `RecogniserConfig`, over its preset.
        seed: Same seed and same pictures give the same generator; on one CPU bit for bit.
        settings: Any field of `IdentityConfig`, e.g. ``n_steps=50``.

    Raises:
        InputError: An unknown preset or setting, or a value out of range.

    Example:
        >>> from reinforge import IdentitySynthesizer, read_images
        >>> model = IdentitySynthesizer(prior="priors/faces").fit("photos")  # doctest: +SKIP
        >>> model.sample_to("synthetic", 10)  # doctest: +SKIP
    """

    def __init__(
        self,
        preset: str = "default",
        *,
        prior: str | Path | Prior | None = None,
        recogniser: str | Path | Encoder | None = None,
        recogniser_settings: dict[str, Any] | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        if isinstance(recogniser, str | Path):
            settings = {**settings, "recogniser": str(recogniser)}
        self.preset = preset
        self.seed = int(seed)
        self.config: IdentityConfig = resolve_config(preset, settings)
        self.processes = launched(self.config.device)
        self.recogniser: Encoder | None = None
        self.recogniser_config: RecogniserConfig | None = None
        if recogniser is None or isinstance(recogniser, str | Path):
            given = recogniser_settings or {}
            self._is_trained = bool(given)  # its settings say so; else the prior's may reward
            self.recogniser_config = recogniser_config(self.config.recogniser, given)
        else:
            self._is_trained, self.recogniser = True, recogniser
        self._is_kept = self.recogniser_config is not None  # and not somebody else's file
        self.history: list[dict[str, Any]] = []
        self.calibration: Calibration | None = None
        self._prior = prior
        self._generator: Generator | None = None
        self._cold: Generator | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the identities.

        Raises:
            InputError: Nothing was fitted yet.
        """
        return self._fitted().names

    def load_prior(self) -> Prior:
        """The prior, read from its folder when it is first asked for.

        Raises:
            InputError: There is no prior in the folder.
        """
        if not isinstance(self._prior, Prior):
            self._prior = shipped_prior() if self._prior is None else load_prior(self._prior)
        return self._prior

    def prior_rewards(self) -> bool:
        """Whether the prior's own encoder rewards, so that no recogniser is trained."""
        is_open = self.config.recogniser == AUTO and not self._is_trained
        return is_open and self.load_prior().encoder is not None

    def fit(
        self,
        images: ImageSet | str | Path,
        *,
        run_dir: str | Path | None = None,
        resume: bool = False,
        on_step: Told | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> "IdentitySynthesizer":
        """Learn identities.

        Args:
            images: Pictures of at least two identities, most with two pictures or more: a set, or
                where they lie. They are brought to the prior's size and channels.
            run_dir: Where checkpoints and history are kept; None keeps them nowhere.
            resume: Go on from the newest checkpoint in `run_dir`.
            on_step: Told each step's record; "phase" says what was learnt ("recogniser",
                "calibration", "cold start" or "reinforcement"), "done" and "of" how far it is.
            stop: Asked after each step; True saves a checkpoint and raises `Interrupted`.

        Returns:
            The generator itself.

        Raises:
            InputError: The pictures cannot be learnt from as they are.
        """
        prior = self.load_prior()
        if not isinstance(images, ImageSet):
            _log.info("%s: pictures become %s, as the prior has them", images, kind_of(prior))
            channels = cast(Any, prior.codec.channels)
            images = read_images(images, size=prior.picture_size, channels=channels)
        images = training_set(images, prior)
        place = None if run_dir is None else Path(run_dir)
        remedy = f"lower micro_batch (now {self.config.micro_batch}), or train less (trained=lora)."
        with memory_limit(remedy):
            history = self._teach(images, place, resume, on_step, stop)
            self.calibration = self._calibrate(images, place, resume, on_step, stop)
            learner, rest = learn(
                prior,
                images,
                self._recogniser(),
                config=self.config,
                seed=self.seed,
                processes=self.processes,
                looseness=1.0 if self.calibration is None else self.calibration.looseness,
                folder=place,
                resume=resume,
                on_step=on_step,
                stop=stop,
            )
        self.history = history + rest
        self._generator, self._cold = generators_of(learner, prior, images.names)
        return self

    def _teach(
        self,
        images: ImageSet,
        place: Path | None,
        resume: bool,
        on_step: Told | None,
        stop: Callable[[], bool] | None,
    ) -> list[dict[str, Any]]:
        """See that there is a recogniser; the history of its training, if it was trained now."""
        device = self.processes.device
        if self.prior_rewards():
            self.recogniser_config = None
            self.recogniser = encoder_of(self.load_prior(), device=device)
            _log.info("the prior's own encoder rewards; model.recogniser=small trains one instead")
            return []
        if self.recogniser_config is None:
            if self.recogniser is None:
                self.recogniser = load_encoder(self.config.recogniser, device=device)
            return []
        with threads_of(self.recogniser_config):
            self.recogniser, history = trained_teacher(
                images,
                n=self.config.n_recognisers,
                config=self.recogniser_config,
                seed=self.seed,
                place=None if place is None else place / RECOGNISER,
                resume=resume,
                on_step=on_step,
                stop=stop,
                processes=self.processes,
            )
        return history

    def _calibrate(
        self,
        images: ImageSet,
        place: Path | None,
        resume: bool,
        on_step: Told | None,
        stop: Callable[[], bool] | None,
    ) -> Calibration | None:
        """How far the recogniser flatters its own pictures; an encoder from elsewhere has none."""
        if self.recogniser_config is None:
            return None
        with threads_of(self.recogniser_config):
            return calibrated(
                images,
                config=self.recogniser_config,
                seed=self.seed,
                place=None if place is None else place / CALIBRATION,
                resume=resume,
                on_step=on_step,
                stop=stop,
                processes=self.processes,
            )

    def sample(
        self,
        per_identity: Amount,
        *,
        identities: Sequence[str] | None = None,
        seed: int = 0,
        on_images: Callable[[int], None] | None = None,
    ) -> ImageSet:
        """Draw pictures.

        Args:
            per_identity: How many of each identity, 1 or more; or a number for each name, e.g. of
                `group_amounts`.
            identities: Names of the wanted ones; None: all (that have a number).
            seed: Same seed, same pictures: each depends on its identity and number alone, so that
                ten an identity begin with the five of a smaller draw.
            on_images: Told how many pictures are drawn so far.

        Returns:
            Pictures of the prior's size, identity by identity.

        Raises:
            InputError: Not fitted, a number below 1, or an identity that was not learnt.
        """
        drawn = self._drawn(per_identity, identities, seed, on_images)
        with memory_limit("draw fewer at once, or write them to a folder with sample_to."):
            return drawn.subset(np.arange(len(drawn)))

    def sample_to(
        self,
        folder: str | Path,
        per_identity: Amount,
        *,
        identities: Sequence[str] | None = None,
        seed: int = 0,
        on_images: Callable[[int], None] | None = None,
    ) -> None:
        """Draw pictures into PNG files, one folder an identity, in bounded memory.

        `manifest.jsonl` names them all with their digests and is written last.

        Args:
            folder: New or empty.
            per_identity: As in `sample`, which gives the same pictures.
            identities: As in `sample`.
            seed: As in `sample`.
            on_images: As in `sample`.

        Raises:
            InputError: As in `sample`, or the folder holds something.
            ResourceError: The disk is full.
        """
        drawn = self._drawn(per_identity, identities, seed, on_images)
        with memory_limit("use a larger machine."):
            write_images(drawn, folder)

    def _drawn(
        self,
        per_identity: Amount,
        identities: Sequence[str] | None,
        seed: int,
        on_images: Callable[[int], None] | None,
    ) -> ImageSet:
        generator = self._fitted()
        return drawn_set(
            generator.policy(self.processes.device),
            generator.config.chain,
            generator.names,
            per_identity,
            identities=identities,
            seed=seed,
            on_images=on_images,
            described=generator.described,
        )

    def answers(self) -> Callable[[ImageSet], np.ndarray]:
        """What somebody who holds the generator may ask it: one number a picture, low if known.

        For `evaluate_pictures(answers=...)`; pictures are of the size and the names that were
        learnt (SimA, arXiv:2509.25003).

        Raises:
            InputError: Nothing was fitted yet.
        """
        return noise_norms(self._fitted().policy(self.processes.device))

    def cold_start(self) -> "IdentitySynthesizer":
        """The generator as it was before reinforcement, to compare with; known after `fit` alone.

        Raises:
            InputError: Nothing was fitted here.
        """
        if self._cold is None:
            raise InputError("the cold start is not kept on disk; call fit(...) first.")
        return self._with(self._cold)

    def newcomers(
        self, n: int, *, seed: int = 0, parents: Parents = "auto", apart: bool = False
    ) -> "IdentitySynthesizer":
        """A generator of n people who do not exist, mixed from those that are known.

        They give a recogniser more people to tell apart than the source has, and belong to nobody.

        Args:
            n: How many; they are called new-00000 and so on.
            seed: Who they are.
            parents: "learnt" mixes the learnt people; "prior" those whom the prior was trained on,
                if its classes are people, or draws faces of nobody, if it draws by likeness; "auto"
                leaves it to the prior: "prior" where it draws by likeness, else "learnt".
            apart: Those of many who look least alike, for a prior that draws by likeness.

        Raises:
            InputError: Not fitted, a number below 1, not two people to mix, or mixed ones that
                should be apart.
        """
        generator = self._fitted()
        return self._with(newcomers(generator, n, seed=seed, parents=parents, apart=apart))

    def _with(self, generator: Generator) -> "IdentitySynthesizer":
        """The same with other weights or people."""
        model = IdentitySynthesizer(
            prior=generator.prior, seed=self.seed, device=self.config.device
        )
        model.preset, model.config, model._generator = self.preset, self.config, generator
        model.recogniser = self.recogniser
        return model

    def save(self, folder: str | Path) -> None:
        """Write weights and JSON: what drawing needs, and the recogniser, unless you brought it.

        No picture and no feature of one is among them; what weights remember, they keep.

        Raises:
            InputError: Nothing was fitted yet.
            ResourceError: The disk is full.
        """
        generator, folder = self._fitted(), Path(folder)
        if isinstance(self.recogniser, Recogniser | Ensemble) and self._is_kept:
            self.recogniser.save(folder / RECOGNISER)
        about = {"version": __version__, "preset": self.preset, "seed": self.seed}
        write_generator(folder, generator, about)

    @classmethod
    def load(cls, folder: str | Path, *, device: Device = "auto") -> "IdentitySynthesizer":
        """Read a generator that `save` wrote.

        Args:
            folder: That it was saved in.
            device: Where to draw; "auto" takes a GPU where there is one.

        Raises:
            InputError: A file is missing, damaged, or written by a newer reinforge.
        """
        content, generator = read_generator(Path(folder))
        model = cls(seed=content["seed"], prior=generator.prior, device=device)
        model.preset, model.config, model._generator = (
            content["preset"],
            generator.config,
            generator,
        )
        if (Path(folder) / RECOGNISER).is_dir():
            model.recogniser = load_encoder(
                Path(folder) / RECOGNISER, device=model.processes.device
            )
        return model

    def _recogniser(self) -> Encoder:
        if self.recogniser is None:
            raise InputError("there is no recogniser yet; call fit(...) first.")
        return self.recogniser

    def _fitted(self) -> Generator:
        if self._generator is None:
            raise InputError("nothing is learnt yet; call fit(...) or load(...) first.")
        return self._generator
