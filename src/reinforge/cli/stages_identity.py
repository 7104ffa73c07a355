"""The stages of a run on identities, each called by the verbs: read, fit, draw."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reinforge.cli.interrupts import Stop
from reinforge.cli.screen import Advance, Screen
from reinforge.cli.settings_pictures import IdentitySettings, PhotoSettings
from reinforge.errors import InputError
from reinforge.run_folder import RunFolder

if TYPE_CHECKING:
    from reinforge.records import ImageSet
    from reinforge.synthesizers import IdentitySynthesizer

REWARDS = ("semantic", "coverage", "diversity")


@dataclass(frozen=True, kw_only=True)
class Photos:
    """Where real pictures come from; without a path, drawn by code."""

    path: Path | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files that must survive the run."""
        return (self.path,) if self.path else ()

    def described(self, images: "ImageSet") -> dict[str, Any]:
        """What config.json says about the pictures: where, how many, which; never a name."""
        from reinforge.data.images import digest

        where = {"path": str(self.path.resolve())} if self.path else {"embedded": "drawn faces"}
        return {
            **where,
            "sha256": digest(images),
            "pictures": len(images),
            "identities": len(images.names),
        }


def photos_of(config: dict[str, Any], *, moved_to: Path | None = None) -> Photos:
    """The pictures that a run was made from.

    Raises:
        InputError: They are gone.
    """
    saved = config["data"]
    if "embedded" in saved:
        return Photos()
    path = moved_to or Path(saved["path"])
    if not path.exists():
        raise InputError(f"{path}: the run's pictures are not there; say where they lie now.")
    return Photos(path=path)


def require_same(images: "ImageSet", config: dict[str, Any], photos: Photos) -> None:
    """Refuse other pictures than a run was begun with.

    Raises:
        InputError: Their digest differs.
    """
    from reinforge.data.images import digest

    if digest(images) != config["data"]["sha256"]:
        raise InputError(
            f"{photos.path}: these are not the pictures that the run was made from (their digest "
            "differs); restore them, or start a new run."
        )


def new_model(settings: IdentitySettings) -> "IdentitySynthesizer":
    """The generator that the settings describe, not yet trained."""
    from reinforge.generators.prior import load_prior
    from reinforge.synthesizers import IdentitySynthesizer

    prior: Any = settings.prior
    if settings.prior_scale is not None:
        if prior is None:
            raise InputError("prior_scale says what a --prior's numbers mean; give that, too.")
        prior = load_prior(prior, pixel_scale=settings.prior_scale)
    return IdentitySynthesizer(
        settings.model.preset,
        prior=prior,
        recogniser_settings=settings.recogniser.given,
        seed=settings.seed,
        **settings.model.given,
    )


def read(
    model: "IdentitySynthesizer", photos: Photos, settings: PhotoSettings, *, screen: Screen
) -> "ImageSet":
    """Read the pictures as the prior of a generator wants them."""
    from reinforge.systems.identity.training_set import kind_of

    prior = model.load_prior()
    screen.note(f"{photos.path}: pictures are brought to {kind_of(prior)}, as the prior has them.")
    size, channels = prior.picture_size, prior.codec.channels
    return read_images(photos, settings, size=size, channels=channels, screen=screen)


def read_images(
    photos: Photos, settings: PhotoSettings, *, size: int, channels: Any, screen: Screen
) -> "ImageSet":
    """Read pictures at a size, with a bar."""
    from reinforge.data.images import read_images as read_from

    if photos.path is None:
        raise InputError("a demo is not gone on with; start it anew: `reinforge demo identity`.")
    with screen.progress("read", None) as advance:
        return read_from(
            photos.path,
            size=size,
            channels=channels,
            progress=lambda what, share: advance(round(100 * share)),
            **settings.options(),
        )


class Phases:
    """A bar for each phase of a training, each with its own time left.

    Args:
        screen: Shows them.
        stack: Closes the last one.
    """

    def __init__(self, screen: Screen, stack: contextlib.ExitStack) -> None:
        self._screen, self._stack = screen, stack
        self._phase = ""
        self._advance: Advance | None = None

    def __call__(self, record: dict[str, Any]) -> None:
        """Show how far the phase of a record is."""
        if record["phase"] != self._phase:
            self._stack.close()
            self._phase = record["phase"]
            bar = self._screen.progress(self._phase, record["of"], first=record["done"] - 1)
            self._advance = self._stack.enter_context(bar)
        if self._advance is not None:
            self._advance(record["done"], _text(record))


def _text(record: dict[str, Any]) -> str:
    """What a step achieved, for the progress line."""
    if "reward" in record:
        parts = [f"{name} {record[name]:.3f}" for name in REWARDS if name in record]
        return ", ".join(parts)
    if "denoising_loss" in record:
        return f"denoising loss {record['denoising_loss']:.3f}"
    return f"loss {record['loss']:.3f}" if "loss" in record else ""


@contextlib.contextmanager
def phases(screen: Screen) -> Iterator[Phases]:
    """Show the phases of a training."""
    with contextlib.ExitStack() as stack:
        yield Phases(screen, stack)


def fitted(
    model: "IdentitySynthesizer",
    images: "ImageSet",
    folder: RunFolder,
    *,
    screen: Screen,
    stop: Stop,
    resume: bool,
) -> None:
    """Train the generator and save it in the run's folder."""
    with phases(screen) as told, stop.gentle():
        model.fit(images, run_dir=folder.path, resume=resume, on_step=told, stop=stop)
    model.processes.close()
    model.save(folder.model)


def is_first() -> bool:
    """Whether this process is the first, or the only one, of those that were launched."""
    return os.environ.get("RANK", "0") == "0"


def helped(
    model: "IdentitySynthesizer", images: "ImageSet", folder: RunFolder, *, stop: Stop, resume: bool
) -> None:
    """Train beside the first process, which alone writes."""
    with stop.gentle():
        model.fit(images, run_dir=folder.path, resume=resume, stop=stop)
    model.processes.close()


def loaded(folder: RunFolder) -> "IdentitySynthesizer":
    """The trained generator of a run.

    Raises:
        InputError: The run was not trained to its end, or its model is damaged.
    """
    from reinforge.synthesizers import IdentitySynthesizer

    if not folder.model.is_dir():
        raise InputError(
            f"{folder.path}: holds no trained generator; finish it with "
            f"`reinforge fit identity --out {folder.path} --resume`."
        )
    return IdentitySynthesizer.load(folder.model)


def n_to_draw(settings: IdentitySettings, data: dict[str, Any]) -> int:
    """Pictures of each identity: those asked for, or as many as were real on average."""
    if settings.sample.n is not None:
        return settings.sample.n
    return max(1, round(data["pictures"] / data["identities"]))


def amount_of(
    images: "ImageSet", per_identity: int, settings: IdentitySettings
) -> "int | dict[str, int]":
    """Pictures to draw of each identity that was learnt: as many of all, or levelled."""
    if settings.sample.balance is None:
        return per_identity
    from reinforge.systems.identity.balance import group_amounts

    return group_amounts(images, per_identity)


def drawn(
    model: "IdentitySynthesizer",
    folder: Path,
    per_identity: "int | dict[str, int]",
    settings: IdentitySettings,
    *,
    screen: Screen,
) -> int:
    """Draw pictures into a folder; how many."""
    identities = list(settings.sample.identities) or None
    total = n_drawn(per_identity, identities or model.names)
    with screen.progress("sample", total) as advance:
        model.sample_to(
            folder,
            per_identity,
            identities=identities,
            seed=settings.sample_seed,
            on_images=advance,
        )
    return total


def n_drawn(per_identity: "int | dict[str, int]", names: Sequence[str]) -> int:
    """How many pictures that is of all."""
    if isinstance(per_identity, int):
        return per_identity * len(names)
    return sum(per_identity.values())


def make_room(folder: Path, *, overwrite: bool, is_own: bool = False) -> None:
    """See that pictures may be written into a folder; older synthetic ones give way if asked to.

    Args:
        folder: Where they go.
        overwrite: Whether older ones give way.
        is_own: It is an artefact of a run, where a kill may have left some without their manifest.

    Raises:
        InputError: Something else lies there.
    """
    if not folder.exists():
        return
    content = {entry.name for entry in folder.iterdir()} if folder.is_dir() else {folder.name}
    if not content:
        return
    if not folder.is_dir() or not overwrite:
        raise InputError(f"{folder}: exists already; add --overwrite or choose another --out.")
    if not is_own and "manifest.jsonl" not in content:
        raise InputError(
            f"{folder}: holds no manifest.jsonl, so these are no drawn pictures and nothing is "
            "deleted; choose another --out."
        )
    shutil.rmtree(folder)


def watched(history: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    """Each reward of the fixed pictures: its name, after the cold start, at the end."""
    looks = [record for record in history if "watched_semantic" in record]
    if len(looks) < 2:
        return []
    return [(k, looks[0][f"watched_{k}"], looks[-1][f"watched_{k}"]) for k in REWARDS]
