"""The verb that trains a prior."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reinforge.cli import stages_identity as stages
from reinforge.cli.asked import Asked
from reinforge.cli.interrupts import Stop
from reinforge.cli.options import Out, Overwrite, Resume
from reinforge.cli.screen import Screen
from reinforge.cli.settings_pictures import PriorSettings
from reinforge.cli.stages_identity import Photos, photos_of
from reinforge.cli.tables import show_next
from reinforge.errors import InputError
from reinforge.run_folder import (
    RunFolder,
    check_place,
    clear,
    existing,
    read_config,
    require_system,
    write_config,
    write_manifest,
)
from reinforge.run_lock import locked

if TYPE_CHECKING:
    from reinforge.generators.prior import Prior
    from reinforge.records import ImageSet

MaybeImages = Annotated[
    Path | None,
    typer.Argument(
        metavar="IMAGES",
        help="Folder of pictures (one folder an identity), a table of paths, or an NPZ.",
        show_default=False,
    ),
]
DrawnFaces = Annotated[
    bool,
    typer.Option("--drawn", help="Faces drawn by code: the recipe of the prior of the package."),
]


def train_prior(
    images: MaybeImages = None,
    *,
    out: Out,
    drawn: DrawnFaces = False,
    resume: Resume = False,
    overwrite: Overwrite = False,
    asked: Asked,
    screen: Screen,
    stop: Stop,
) -> None:
    """Train a small diffusion prior, which `fit identity --prior` takes.

    Each identity with two pictures or more becomes a class; where one has fewer, no one is told
    apart. With model.likeness=true an encoder is trained first, and the prior draws whomever its
    features describe. The people of a prior should not be those whom it is to learn afterwards.
    """
    folder = RunFolder(out)
    if resume and folder.config.is_file():
        check_place(out, resume=True)
        config = read_config(existing(out))
        require_system(folder, config, "prior")
        settings = asked.over(config["settings"], folder=out, kind=PriorSettings)
        photos = photos_of(config, moved_to=images)
    else:
        if (images is None) != drawn:
            raise InputError("prior train wants IMAGES or --drawn: one of them.")
        settings, photos, config = asked.settings(PriorSettings), Photos(path=images), {}
        check_place(out, resume=resume, overwrite=overwrite, inputs=photos.inputs)
    _trained(folder, photos, settings, config, screen=screen, stop=stop)
    screen.payload.update(prior=str(out))
    screen.show(f"Prior: {out}")
    show_next(screen, f"fit identity photos --prior {shlex.quote(str(out))} --out runs/a")


def _trained(
    folder: RunFolder,
    photos: Photos,
    settings: PriorSettings,
    config: dict[str, Any],
    *,
    screen: Screen,
    stop: Stop,
) -> None:
    """Train on pictures or on drawn faces, and write the prior into the folder."""
    from reinforge.generators.from_images import described
    from reinforge.generators.pretrain import PretrainConfig, require_same_pictures
    from reinforge.generators.prior import load_prior, save_prior
    from reinforge.generators.shipped import SETTINGS
    from reinforge.settings import validated
    from reinforge.systems.identity.described import People

    given = settings.model.given
    is_drawn = photos.path is None
    model = validated(PretrainConfig, {**SETTINGS, **given} if is_drawn else given)
    if is_drawn and (model.likeness or settings.start):
        what = "model.likeness" if model.likeness else "start"
        raise InputError(f"{what} wants pictures of people; give IMAGES in place of --drawn.")
    start = None if settings.start is None else load_prior(settings.start)
    data: dict[str, Any] = {"embedded": "drawn faces"}
    images = None
    if not is_drawn:
        images = stages.read_images(
            photos, settings.data, size=model.size, channels=model.channels, screen=screen
        )
        if start is not None:
            require_same_pictures(start, model)
        screen.note(f"prior: {People(images).described() if model.likeness else described(images)}")
        data = photos.described(images)
        if config:
            stages.require_same(images, config, photos)
    with locked(folder.path, note=screen.note):
        if not config:
            clear(folder)
            about = {"verb": "prior train", "system": "prior", "seed": settings.seed, "data": data}
            write_config(folder, {**about, "settings": settings.model_dump(mode="json")})
        options: dict[str, Any] = {"config": model, "seed": settings.seed, "stop": stop}
        options["resume"] = bool(config)
        if model.likeness and images is not None:
            prior = _described(images, settings, start, folder, screen, options)
        else:
            prior = _undescribed(images, start, folder, screen, options)
        save_prior(prior, folder.path)
        write_manifest(folder)


def _described(
    images: "ImageSet",
    settings: PriorSettings,
    start: "Prior | None",
    folder: RunFolder,
    screen: Screen,
    options: dict[str, Any],
) -> "Prior":
    """A prior that draws by likeness, and the encoder that sees it."""
    from reinforge.recognition.config import resolve_recogniser
    from reinforge.systems.identity.described import ENCODER_SETTINGS, train_described_prior

    recogniser = resolve_recogniser("small", **{**ENCODER_SETTINGS, **settings.recogniser.given})
    with stages.phases(screen) as told, options["stop"].gentle():
        return train_described_prior(
            images,
            recogniser=recogniser,
            place=folder.path,
            start=start,
            on_step=told,
            **options,
        )


def _undescribed(
    images: "ImageSet | None",
    start: "Prior | None",
    folder: RunFolder,
    screen: Screen,
    options: dict[str, Any],
) -> "Prior":
    """A prior of classes or of nobody, from pictures or from drawn faces."""
    from reinforge.generators.from_images import pretrain_images
    from reinforge.generators.shipped import train_shipped

    options["run_dir"] = folder.path
    with screen.progress("prior", options["config"].n_steps) as advance, options["stop"].gentle():
        options["on_step"] = lambda record: advance(
            record["step"] + 1, f"loss {record['loss']:.3f}"
        )
        if images is None:
            return train_shipped(**options)
        return pretrain_images(images, start=start, **options)
