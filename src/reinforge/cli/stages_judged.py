"""The stages of a run on identities after the generator: arms, judge, scorecard, report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from reinforge.cli.interrupts import Stop
from reinforge.cli.screen import Screen
from reinforge.cli.settings_pictures import IdentitySettings
from reinforge.cli.stages_identity import make_room, phases
from reinforge.errors import InputError
from reinforge.run_folder import RunFolder, read_config

if TYPE_CHECKING:
    from reinforge.evaluation.scorecard import Scorecard
    from reinforge.recognition.frozen import Encoder
    from reinforge.records import ImageSet, PictureSplit
    from reinforge.report.picture_summary import Edition
    from reinforge.synthesizers import IdentitySynthesizer

FEWEST_DRAWN = 10  # pictures of each identity that a run draws if nothing is said
OWN_JUDGE = "recogniser trained on all real pictures"


@dataclass(frozen=True, kw_only=True)
class Judges:
    """The networks that judge: none of them gave a reward."""

    first: "Encoder"
    name: str


def arms_trained(
    model: "IdentitySynthesizer",
    parts: "PictureSplit",
    synthetic: Mapping[str, "ImageSet"],
    newcomers: Mapping[str, "ImageSet"],
    folder: RunFolder,
    settings: IdentitySettings,
    *,
    screen: Screen,
    stop: Stop,
    resume: bool,
) -> dict[str, "Encoder"]:
    """Train a recogniser an arm, and keep each in the run's folder."""
    from reinforge.recognition.config import resolve_recogniser
    from reinforge.recognition.mixing import MixingConfig
    from reinforge.settings import validated
    from reinforge.synthesizers.limits import threads_of
    from reinforge.systems.identity.arms import UNCHOSEN, train_arms

    config = resolve_recogniser(settings.final.preset, **settings.final.given)
    mixing = settings.mixing.given
    if "selected" in newcomers and "selection" not in mixing:
        mixing = {**UNCHOSEN, **mixing}  # they were chosen beforehand
    with threads_of(config), phases(screen) as told, stop.gentle():
        trained = train_arms(
            parts.train,
            synthetic,
            config=config,
            mixing=validated(MixingConfig, mixing),
            seed=settings.seed,
            arms=settings.final.arms,
            newcomers=newcomers,
            folder=folder.arms,
            resume=resume,
            on_step=told,
            stop=stop,
            device=model.processes.device,
        )
    return dict(trained)


def require_newcomers(model: "IdentitySynthesizer", settings: IdentitySettings) -> None:
    """Refuse newcomers that the arms could not learn from, before anything is trained.

    Raises:
        InputError: The prior tells nobody apart, or the recogniser has no room for descriptions.
    """
    from reinforge.recognition.config import resolve_recogniser
    from reinforge.recognition.further import require_room
    from reinforge.systems.identity.saved import strangers_of

    final, prior = settings.final, model.load_prior()
    is_asked = final.newcomers and final.parents == "prior"
    if is_asked and prior.likeness is None and not strangers_of(prior):
        raise InputError(
            "final.parents 'prior' wants a prior with a class for each of its people, and this one "
            "has a single class; train one on pictures with names, or set final.parents to learnt."
        )
    config = resolve_recogniser(final.preset, **final.given)
    is_described = final.newcomers and final.described and final.parents != "learnt"
    if is_described and prior.likeness and config.kind == "face" and config.embedding_dim:
        require_room(prior.likeness.n_features, config.embedding_dim)


def newcomers_of(
    generators: Mapping[str, "IdentitySynthesizer"], settings: IdentitySettings, *, screen: Screen
) -> dict[str, "ImageSet"]:
    """People who do not exist, drawn by each generator; nobody where none are wanted."""
    final, seed = settings.final, settings.sample_seed
    drawn_by = dict(generators)
    if "selected" in final.arms and is_apart(generators["reinforced"], settings):
        drawn_by["selected"] = generators["reinforced"]
        if "reinforced" not in final.arms:
            del drawn_by["reinforced"]  # no arm sees those
    drawn = {}
    for arm, model in drawn_by.items() if final.newcomers else ():
        with screen.progress(f"newcomers, {arm}", final.newcomers * final.per_newcomer) as advance:
            strangers = model.newcomers(
                final.newcomers, seed=seed, parents=final.parents, apart=arm == "selected"
            )
            made = strangers.sample(final.per_newcomer, seed=seed, on_images=advance)
            drawn[arm] = made if final.described else replace(made, described=None)
    return drawn


def keep_newcomers(
    newcomers: Mapping[str, "ImageSet"], folder: RunFolder, arms: Sequence[str]
) -> None:
    """Keep those newcomers in the run's folder from whom the arm that is scored learnt.

    Args:
        newcomers: Of each arm that has some of its own.
        folder: The run's; what lay there gives way.
        arms: All that are trained.
    """
    from reinforge.data.images import write_images
    from reinforge.evaluation.picture_utility import chosen_arm

    make_room(folder.newcomers, overwrite=True, is_own=True)
    made = newcomers.get(chosen_arm(arms) or "", newcomers.get("reinforced"))
    if made is not None:
        write_images(made, folder.newcomers)


def newcomers_in(folder: RunFolder, train: "ImageSet") -> "ImageSet | None":
    """The newcomers that a run kept, of the size of its training pictures; None where none are."""
    from reinforge.data.images import read_images

    if not folder.newcomers.is_dir():
        return None
    _, height, _, channels = train.pixels.shape
    return read_images(folder.newcomers, size=height, channels=cast(Any, channels))


def is_apart(model: "IdentitySynthesizer", settings: IdentitySettings) -> bool:
    """Whether the arm `selected` has newcomers of its own, who look little alike."""
    final = settings.final
    return final.apart and final.parents != "learnt" and model.load_prior().likeness is not None


def arms_kept(model: "IdentitySynthesizer", folder: RunFolder) -> dict[str, "Encoder"]:
    """The recognisers that an earlier run trained, in the order of the arms."""
    from reinforge.recognition.recogniser import Recogniser
    from reinforge.systems.identity.arms import ARMS

    kept = [arm for arm in ARMS if (folder.arms / arm).is_dir()]
    device = model.processes.device
    return {arm: Recogniser.load(folder.arms / arm).to(device) for arm in kept}


def pictures_in(folder: RunFolder, train: "ImageSet") -> "ImageSet":
    """The synthetic pictures of a run, numbered as its training people are.

    Raises:
        InputError: There are none, or of somebody whom the run did not learn.
    """
    from dataclasses import replace

    from reinforge.data.images import read_images

    _, height, _, channels = train.pixels.shape
    made = read_images(folder.pictures, size=height, channels=cast(Any, channels))
    place = {name: at for at, name in enumerate(train.names)}
    strange = [name for name in made.names if name not in place]
    if strange:
        raise InputError(
            f"{folder.pictures}: holds pictures of {strange[0]!r}, whom the run did not learn; "
            f"draw them anew: `reinforge sample {folder.path} --overwrite`."
        )
    number = np.array([place[name] for name in made.names])
    return replace(made, identity=number[made.identity], names=train.names)


def judge_of(
    model: "IdentitySynthesizer",
    images: "ImageSet",
    folder: RunFolder,
    settings: IdentitySettings,
    *,
    screen: Screen,
    stop: Stop,
    resume: bool,
) -> Judges:
    """The user's judge; or one of another seed than any that rewarded, trained on all pictures.

    Scores, map and pairs look at the same pictures, so that it keeps what it embedded.
    """
    from reinforge.recognition.config import resolve_recogniser
    from reinforge.recognition.frozen import load_encoder
    from reinforge.recognition.remembered import Remembered
    from reinforge.recognition.train import train_recogniser
    from reinforge.synthesizers.limits import threads_of

    if settings.evaluate.judge is not None:
        path = settings.evaluate.judge
        judge: Encoder = load_encoder(path, device=model.processes.device)
        return Judges(first=Remembered(judge), name=Path(path).name)
    config = resolve_recogniser(settings.final.preset, **settings.final.given)
    with threads_of(config), screen.progress("judge", config.n_steps) as advance, stop.gentle():
        judge = train_recogniser(
            images,
            config=config,
            seed=settings.evaluate_seed,
            run_dir=folder.judge,
            resume=resume,
            on_step=lambda record: advance(record["step"] + 1),
            stop=stop,
            device=model.processes.device,
        )
    return Judges(first=Remembered(judge), name=OWN_JUDGE)


def scored(
    model: "IdentitySynthesizer",
    parts: "PictureSplit",
    synthetic: "ImageSet",
    newcomers: "ImageSet | None",
    judges: Judges,
    arms: Mapping[str, "Encoder"],
    settings: IdentitySettings,
    *,
    screen: Screen,
) -> "Scorecard":
    """Judge the pictures, the generator and the recognisers that came of them."""
    from reinforge.evaluation.picture_scorecard import evaluate_pictures

    with screen.progress("evaluate", None) as advance:
        scorecard = evaluate_pictures(
            parts,
            synthetic,
            newcomers=newcomers,
            judge=judges.first,
            second=model.recogniser,
            recognisers=arms,
            answers=model.answers(),
            level=settings.evaluate.level,
            seed=settings.evaluate_seed,
            progress=lambda stage, share: advance(round(100 * share), stage),
            judge_names=(judges.name, "recogniser that rewarded"),
        )
    scorecard.figures["sphere"] = _map_of(parts.train, synthetic, judges.first, settings)
    return scorecard


def _map_of(
    real: "ImageSet", synthetic: "ImageSet", judge: "Encoder", settings: IdentitySettings
) -> dict[str, Any] | None:
    """Real, reinforced and erased pictures of some people on the sphere."""
    import torch

    from reinforge.measure.dosnes import sphere_figure
    from reinforge.randomness import generator, torch_generator
    from reinforge.recognition.erasing import random_erasing
    from reinforge.recognition.recogniser import as_pixels

    pixels = as_pixels(np.asarray(real.pixels[np.arange(len(real))]))
    draws = torch_generator(settings.evaluate_seed, "report/erased")
    erased = random_erasing(pixels, probability=1.0, generator=draws)
    with torch.no_grad():
        parts = {
            "real": (judge.embed_all(real), real.identity),
            "reinforced": (judge.embed_all(synthetic), synthetic.identity),
            "erased": (judge.embed(erased.to(judge.device)), real.identity),
        }
    return sphere_figure(
        np.concatenate([feature.cpu().numpy() for feature, _ in parts.values()]),
        kind=[kind for kind, (_, identity) in parts.items() for _ in identity],
        identity=np.concatenate([identity for _, identity in parts.values()]),
        names=real.names,
        generator=generator(settings.evaluate_seed, "report/map"),
    )


def reported(
    scorecard: "Scorecard",
    parts: "PictureSplit",
    synthetic: "ImageSet",
    newcomers: "ImageSet | None",
    judges: Judges,
    folder: RunFolder,
    history: list[dict[str, Any]],
) -> None:
    """Write scores and both editions of the report."""
    from reinforge.files import write_atomic
    from reinforge.report.picture_page import render_pictures

    scorecard.save(folder.scorecard)
    shown: dict[str, Any] = {
        "samples": _by_name(synthetic),
        "pairs": _nearest_pairs(parts.train, synthetic, judges.first),
        "history": history,
        "settings": read_config(folder),
    }
    if newcomers is not None:
        shown["newcomers"] = _by_name(newcomers)
        shown["newcomer_pairs"] = _nearest_pairs(parts.train, newcomers, judges.first)
    editions: dict[Edition, Path] = {
        "internal": folder.report,
        "releasable": folder.releasable,
    }
    for edition, place in editions.items():
        page = render_pictures(
            scorecard.to_dict(), edition=edition, private=parts.train.names, **shown
        )
        write_atomic(place, page.encode())


def _by_name(images: "ImageSet") -> dict[str, np.ndarray]:
    """The pictures of each identity."""
    pixels = np.asarray(images.pixels[np.arange(len(images))])
    return {name: pixels[images.identity == at] for at, name in enumerate(images.names)}


def _nearest_pairs(
    real: "ImageSet", synthetic: "ImageSet", judge: "Encoder"
) -> list[tuple[np.ndarray, np.ndarray, float, str]]:
    """Each synthetic picture with the training picture nearest to it, as the judge sees them."""
    likeness = (judge.embed_all(synthetic) @ judge.embed_all(real).T).cpu().numpy()
    nearest = likeness.argmax(axis=1)
    made = np.asarray(synthetic.pixels[np.arange(len(synthetic))])
    known = np.asarray(real.pixels[np.arange(len(real))])
    return [
        (made[at], known[other], float(1 - likeness[at, other]), real.names[real.identity[other]])
        for at, other in enumerate(nearest)
    ]
