"""The verbs on identities: fit, run, sample."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reinforge.cli import stages_identity as stages
from reinforge.cli import stages_judged as later
from reinforge.cli.asked import Asked
from reinforge.cli.gates import parse_gates, require
from reinforge.cli.interrupts import Stop
from reinforge.cli.options import DryRun, Out, Overwrite, Resume
from reinforge.cli.screen import Screen
from reinforge.cli.settings_pictures import IdentitySettings
from reinforge.cli.stages import history_of
from reinforge.cli.stages_identity import Photos, photos_of
from reinforge.cli.tables import arms_table, reward_table, show_next, show_scores
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
    from reinforge.evaluation.scorecard import Scorecard
    from reinforge.records import ImageSet, PictureSplit
    from reinforge.synthesizers import IdentitySynthesizer

MaybePhotos = Annotated[
    Path | None,
    typer.Argument(
        metavar="PHOTOS",
        help="Folder of pictures (one folder an identity), a table of paths, or an NPZ. With "
        "--resume not needed.",
        show_default=False,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: which pictures, with which settings, into which folder."""

    verb: str
    photos: Photos
    settings: IdentitySettings
    folder: RunFolder
    resume: bool


def fit_identity(
    photos: MaybePhotos = None,
    *,
    out: Out,
    resume: Resume = False,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    asked: Asked,
    screen: Screen,
    stop: Stop,
) -> None:
    """Learn the people in a folder of pictures and keep the generator in a folder.

    A recogniser is trained on the pictures, the prior takes up the identities, and reinforcement
    makes them truer and more varied. Pictures are brought to the size of the prior.
    """
    job = _job("fit", photos, out, asked, resume=resume, overwrite=overwrite)
    model, images = opened(job, screen)
    if dry_run:
        _show_plan(job, model, images, screen)
        return
    if not model.processes.is_first:
        stages.helped(model, images, job.folder, stop=stop, resume=job.resume)
        return
    with locked(job.folder.path, note=screen.note):
        trained(job, model, images, screen=screen, stop=stop)
        write_manifest(job.folder)
    show_fitted(job, model, screen)
    run = shlex.quote(str(out))
    show_next(screen, f"sample {run} -n 10 --out synthetic")


def run_identity(
    photos: MaybePhotos = None,
    *,
    out: Out,
    resume: Resume = False,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    asked: Asked,
    screen: Screen,
    stop: Stop,
) -> None:
    """Learn people, draw new pictures of them, train recognisers with these, judge, and report.

    Some people and some pictures are kept from the generator, to judge it by. Everything lies in
    the folder given by --out afterwards: report.html is the page to read, releasable.html one
    without real pictures, arms/selected the recogniser to use.
    """
    job = _job("run", photos, out, asked, resume=resume, overwrite=overwrite)
    gates = parse_gates(job.settings.evaluate.require, of_pictures=True)
    model, images = opened(job, screen)
    parts = parted(images, job.settings)
    stages.amount_of(parts.train, 1, job.settings)  # groups that are not known are refused now
    later.require_newcomers(model, job.settings)
    if dry_run:
        _show_plan(job, model, parts.train, screen, parts=parts)
        return
    if not model.processes.is_first:
        stages.helped(model, parts.train, job.folder, stop=stop, resume=job.resume)
        return
    with locked(job.folder.path, note=screen.note):
        trained(job, model, parts.train, screen=screen, stop=stop, whole=images)
        scorecard = _judged(job, model, images, parts, screen=screen, stop=stop)
        write_manifest(job.folder)
    show_fitted(job, model, screen)
    screen.payload.update(pictures=str(job.folder.pictures))
    _show_judged(scorecard, job.folder, screen)
    run = shlex.quote(str(out))
    show_next(
        screen, f"sample {run} -n 20 --out more", f"evaluate {run} --level full", f"verify {run}"
    )
    require(gates, scorecard.scores)


def evaluate_identity(
    folder: RunFolder,
    config: dict[str, Any],
    moved_to: Path | None,
    *,
    asked: Asked,
    screen: Screen,
    stop: Stop,
) -> None:
    """Judge the pictures of a `run` again; its recognisers stay as they are."""
    settings = asked.over(config["settings"], folder=folder.path, kind=IdentitySettings)
    gates = parse_gates(settings.evaluate.require, of_pictures=True)
    source = photos_of(config, moved_to=moved_to)
    if config.get("verb") != "run":
        raise InputError(
            f"{folder.path}: was fitted to all of its pictures, so that none is left to judge it "
            f"by; use `reinforge run identity {source.path or 'PHOTOS'} --out FOLDER`."
        )
    job = Job(verb="run", photos=source, settings=settings, folder=folder, resume=True)
    _, images = opened(job, screen)
    parts = parted(images, settings)
    with locked(folder.path, note=screen.note):
        model = stages.loaded(folder)
        arms = later.arms_kept(model, folder)
        common: dict[str, Any] = {"screen": screen, "stop": stop, "resume": True}
        judges = later.judge_of(model, images, folder, settings, **common)
        made = later.pictures_in(folder, parts.train)
        kept = later.newcomers_in(folder, parts.train)
        scorecard = later.scored(model, parts, made, kept, judges, arms, settings, screen=screen)
        later.reported(scorecard, parts, made, kept, judges, folder, history_of(folder) or [])
        write_manifest(folder)
    _show_judged(scorecard, folder, screen)
    require(gates, scorecard.scores)


def parted(images: "ImageSet", settings: IdentitySettings) -> "PictureSplit":
    """The pictures that a run trains on, and those that judge it."""
    from reinforge.data.images import split_pictures

    return split_pictures(
        images, unseen=settings.split.unseen, holdout=settings.split.holdout, seed=settings.seed
    )


def _judged(
    job: Job,
    model: "IdentitySynthesizer",
    images: "ImageSet",
    parts: "PictureSplit",
    *,
    screen: Screen,
    stop: Stop,
) -> "Scorecard":
    """Draw, train the arms, judge, report."""
    settings, folder = job.settings, job.folder
    usual = round(len(parts.train) / len(parts.train.names))
    n = stages.amount_of(parts.train, settings.sample.n or max(later.FEWEST_DRAWN, usual), settings)
    stages.make_room(folder.pictures, overwrite=True, is_own=True)
    stages.drawn(model, folder.pictures, n, settings, screen=screen)
    made = later.pictures_in(folder, parts.train)
    generators = _generators(model, settings)
    synthetic = {"reinforced": made}
    if "cold_start" in generators:
        synthetic["cold_start"] = generators["cold_start"].sample(n, seed=settings.sample_seed)
    newcomers = later.newcomers_of(generators, settings, screen=screen)
    common: dict[str, Any] = {"screen": screen, "stop": stop, "resume": job.resume}
    arms = later.arms_trained(model, parts, synthetic, newcomers, folder, settings, **common)
    later.keep_newcomers(newcomers, folder, settings.final.arms)
    kept = later.newcomers_in(folder, parts.train)
    judges = later.judge_of(model, images, folder, settings, **common)
    scorecard = later.scored(model, parts, made, kept, judges, arms, settings, screen=screen)
    later.reported(scorecard, parts, made, kept, judges, folder, model.history)
    return scorecard


def _generators(
    model: "IdentitySynthesizer", settings: IdentitySettings
) -> dict[str, "IdentitySynthesizer"]:
    """The generators whose pictures the arms see."""
    arms, generators = settings.final.arms, {}
    if "reinforced" in arms or "selected" in arms:
        generators["reinforced"] = model
    if "cold_start" in arms:
        generators["cold_start"] = model.cold_start()
    return generators


def sample_pictures(
    folder: RunFolder,
    config: dict[str, Any],
    out: Path | None,
    *,
    overwrite: bool,
    dry_run: bool,
    asked: Asked,
    screen: Screen,
) -> None:
    """Draw pictures from the trained generator of a run."""
    saved = {**config["settings"], "sample": {}}
    settings = asked.over(saved, folder=folder.path, kind=IdentitySettings)
    place = out or folder.pictures
    model = stages.loaded(folder)
    n = stages.n_to_draw(settings, config["data"])
    if settings.sample.newcomers:
        if out is None or settings.sample.identities:
            raise InputError("newcomers are nobody whom the run learnt: they go to --out alone.")
        model = model.newcomers(
            settings.sample.newcomers,
            seed=settings.sample_seed,
            parents=settings.sample.parents,
            apart=settings.sample.apart,
        )
    if out is None and settings.sample.identities:
        raise InputError(
            f"chosen identities are no fair picture of {folder.path}: give them a folder of their "
            "own with --out."
        )
    amount: int | dict[str, int] = n
    if settings.sample.balance:
        amount = stages.amount_of(_learnt(config, model, settings, screen), n, settings)
    if dry_run:
        total = stages.n_drawn(amount, settings.sample.identities or model.names)
        screen.show(f"{total:,} pictures would go to {place}; nothing was written (--dry-run).")
        return
    if out is None:
        with locked(folder.path, note=screen.note):
            stages.make_room(place, overwrite=overwrite, is_own=True)
            total = stages.drawn(model, place, amount, settings, screen=screen)
            write_manifest(folder)
    else:
        stages.make_room(place, overwrite=overwrite)
        total = stages.drawn(model, place, amount, settings, screen=screen)
    screen.payload.update(pictures=str(place), n=total, seed=settings.sample_seed)
    each = f"{n:,} an identity" + (" on average" if settings.sample.balance else "")
    screen.show(f"{total:,} synthetic pictures, {each}: {place}")


def _learnt(
    config: dict[str, Any],
    model: "IdentitySynthesizer",
    settings: IdentitySettings,
    screen: Screen,
) -> "ImageSet":
    """The real pictures that a run's generator learnt, read again."""
    from reinforge.systems.identity.training_set import training_set

    photos = photos_of(config)
    images = stages.read(model, photos, settings.data, screen=screen)
    stages.require_same(images, config, photos)
    images = training_set(images, model.load_prior())
    return parted(images, settings).train if config["verb"] == "run" else images


def _job(
    verb: str, photos: Path | None, out: Path, asked: Asked, *, resume: bool, overwrite: bool
) -> Job:
    """What to train: a new run, or the one that lies in the folder."""
    if resume and RunFolder(out).config.is_file():
        check_place(out, resume=True)
        config = read_config(existing(out))
        require_system(RunFolder(out), config, "identity")
        settings = asked.over(config["settings"], folder=out, kind=IdentitySettings)
        source = photos_of(config, moved_to=photos)
    elif photos is None:
        raise InputError("which pictures? Give PHOTOS; only --resume of a run goes without.")
    else:
        settings, source = asked.settings(IdentitySettings), Photos(path=photos)
        if stages.is_first():  # the others may come when it has begun to write
            check_place(out, resume=resume, overwrite=overwrite, inputs=source.inputs)
        resume = False
    return Job(verb=verb, photos=source, settings=settings, folder=RunFolder(out), resume=resume)


def opened(job: Job, screen: Screen) -> tuple["IdentitySynthesizer", "ImageSet"]:
    """Read prior and pictures, and refuse everything that can be refused before work starts."""
    screen.quiet = screen.quiet or not stages.is_first()
    model = stages.new_model(job.settings)
    prior = model.load_prior()
    images = stages.read(model, job.photos, job.settings.data, screen=screen)
    if job.resume:
        stages.require_same(images, read_config(job.folder), job.photos)
    from reinforge.systems.identity.training_set import training_set

    return model, training_set(images, prior)


def trained(
    job: Job,
    model: "IdentitySynthesizer",
    images: "ImageSet",
    *,
    screen: Screen,
    stop: Stop,
    whole: "ImageSet | None" = None,
) -> None:
    """Write the settings down, then train (or go on training).

    Args:
        job: What to train.
        model: The generator.
        images: That it learns.
        screen: Shows progress.
        stop: Asked after each step.
        whole: All pictures that were read, where the generator learns a part of them.
    """
    if not job.resume:
        clear(job.folder)
        prior = job.settings.prior or "shipped"
        config = {
            "verb": job.verb,
            "system": "identity",
            "seed": job.settings.seed,
            "data": job.photos.described(images if whole is None else whole),
            "prior": {"path": prior, "trained_on": model.load_prior().trained_on},
            "settings": job.settings.model_dump(mode="json"),
        }
        write_config(job.folder, config)
    stages.fitted(model, images, job.folder, screen=screen, stop=stop, resume=job.resume)


def show_fitted(job: Job, model: "IdentitySynthesizer", screen: Screen) -> None:
    """What was learnt, and where it lies."""
    rewards = stages.watched(model.history)
    alarms = [text for record in model.history[-1:] for text in record.get("alarms", [])]
    screen.payload.update(
        run=str(job.folder.path),
        model=str(job.folder.model),
        rewards={name: {"cold_start": before, "end": now} for name, before, now in rewards},
        alarms=alarms,
    )
    if rewards:
        screen.show(reward_table(rewards))
    for alarm in alarms:
        screen.show(f"Warning: {alarm}")
    screen.show(f"Model: {job.folder.model}")
    if job.folder.sheet.is_file():
        screen.payload["sheet"] = str(job.folder.sheet)
        screen.show(f"Pictures, cold start beside the end: {job.folder.sheet}")


def _show_judged(scorecard: "Scorecard", folder: RunFolder, screen: Screen) -> None:
    """What each arm's recogniser makes of people whom it never saw; the other scores."""
    arms = scorecard.figures.get("arms") or []
    screen.payload["arms"] = arms
    if arms:
        screen.show(arms_table(arms))
    show_scores(folder, scorecard, screen)
    screen.payload["releasable"] = str(folder.releasable)
    screen.show(f"Without real pictures and names: {folder.releasable}")


def _show_plan(
    job: Job,
    model: "IdentitySynthesizer",
    images: "ImageSet",
    screen: Screen,
    *,
    parts: "PictureSplit | None" = None,
) -> None:
    """What would be done with the pictures that are learnt; nothing is written."""
    from reinforge.generators.dit import n_parameters
    from reinforge.systems.identity.training_set import kind_of

    prior, config = model.load_prior(), model.config
    recogniser = None if model.prior_rewards() else model.recogniser_config
    plan: dict[str, Any] = {
        "pictures": len(images),
        "identities": len(images.names),
        "size": prior.picture_size,
        "parameters": n_parameters(prior.transformer),
        "recogniser_steps": 0 if recogniser is None else recogniser.n_steps,
        "cold_start_steps": config.cold_start_steps,
        "reinforcement_steps": config.n_steps,
        "settings": job.settings.model_dump(mode="json"),
    }
    screen.payload["plan"] = plan
    screen.show(
        f"Pictures: {len(images):,} of {len(images.names):,} identities, brought to "
        f"{kind_of(prior)}"
    )
    if parts is not None:
        others = 0 if parts.holdout is None else len(parts.holdout)
        unseen = 0 if parts.unseen is None else len(parts.unseen)
        strangers = 0 if parts.unseen is None else len(parts.unseen.names)
        plan["kept"] = {"pictures": others, "unseen": unseen, "unseen_identities": strangers}
        screen.show(
            f"Kept to judge by: {others:,} more pictures of these, and {unseen:,} of "
            f"{strangers:,} identities that nothing learns"
        )
    screen.show(
        f"Prior: {plan['parameters'] / 1e6:.1f} M weights, trained on "
        f"{prior.trained_on or 'unknown pictures'}"
    )
    screen.show(
        f"Training: {plan['recogniser_steps']:,} steps of the recogniser, "
        f"{config.cold_start_steps:,} of cold start, {config.n_steps:,} of reinforcement"
    )
    screen.show("Nothing was written (--dry-run).")
