"""The stages of a run, each called by the verbs: fit, draw, judge, report."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reinforge.cli.interrupts import Stop
from reinforge.cli.screen import Screen
from reinforge.cli.settings import RunSettings
from reinforge.cli.tables import show_looked_up, show_tried
from reinforge.errors import InputError
from reinforge.run_folder import RunFolder, read_config, write_config

if TYPE_CHECKING:
    import pandas as pd

    from reinforge.evaluation.scorecard import Scorecard
    from reinforge.records import Split
    from reinforge.schema import Schema
    from reinforge.synthesizers import TabularSynthesizer
    from reinforge.systems.tabular.config import TabularConfig


def fitted(
    split: "Split",
    schema: "Schema",
    folder: RunFolder,
    settings: RunSettings,
    *,
    screen: Screen,
    stop: Stop,
    resume: bool,
) -> "TabularSynthesizer":
    """Train the generator, save it in the run's folder, and note what it looks up."""
    model = new_model(settings)
    n_steps = model.config.for_rows(len(split.train)).total_steps
    with screen.progress("fit", n_steps) as advance, stop.gentle():
        model.fit(
            split,
            schema=schema,
            run_dir=folder.path,
            resume=resume,
            on_step=lambda record: advance(record["step"] + 1, _phase(record)),
            stop=stop,
        )
    model.save(folder.model)
    told: dict[str, Any] = {"looked_up": model.looked_up}
    if model.tried:
        told["leakage"] = [one.described() for one in model.tried]
        show_tried(model.tried, screen)
    write_config(folder, {**read_config(folder), **told})
    show_looked_up(model.looked_up, screen)
    return model


def _phase(record: dict[str, Any]) -> str:
    """What a step was about, for the progress line."""
    if "measuring" in record:
        return f"measuring {record['measuring']} on halves of the rows"
    if "reward" in record:
        return f"reinforcing, reward {record['reward']:.3f}"
    return "imitating" if "evidence_lower_bound" in record else "discriminator warming up"


def learnt_schema(split: "Split", settings: RunSettings) -> "Schema":
    """What the training rows' columns are taken for.

    Raises:
        InputError: A column cannot be learnt from these rows.
    """
    from reinforge.data.rare import private_schema, train_schema

    least = _config(settings).min_rows
    schema = train_schema(split, min_rows=least, declared=settings.data.columns)
    return private_schema(split.train, schema, min_rows=least)


def to_look_up(split: "Split", schema: "Schema", settings: RunSettings) -> dict[str, str]:
    """Columns that a fit would look up or add up -> what decides each."""
    from reinforge.data.coded import to_coded
    from reinforge.systems.tabular.choose import find_relations
    from reinforge.systems.tabular.sums import relations_by_name

    config = _config(settings)
    if not config.look_up:
        return {}
    found = find_relations(to_coded(split.train, schema), schema, min_rows=config.min_rows)
    return relations_by_name(*found, schema)


def _config(settings: RunSettings) -> "TabularConfig":
    from reinforge.systems.tabular.config import resolve_config

    return resolve_config(settings.model.preset, settings.model.generator)


def new_model(settings: RunSettings) -> "TabularSynthesizer":
    """The generator that the settings describe, not yet trained."""
    from reinforge.synthesizers import TabularSynthesizer

    return TabularSynthesizer(
        settings.model.preset,
        seed=settings.seed,
        rules=settings.model.rules,
        max_leakage=settings.model.max_leakage,
        **settings.model.generator,
    )


def drawn(
    model: "TabularSynthesizer", path: Path, n_rows: int, settings: RunSettings, *, screen: Screen
) -> None:
    """Draw rows into a file, block by block; a folder of the run is made if need be."""
    if path.parent.name == "synthetic":
        path.parent.mkdir(exist_ok=True)
    try:
        with screen.progress("sample", n_rows) as advance:
            model.sample_to(
                path,
                n_rows,
                seed=settings.sample_seed,
                where=list(settings.sample.where) or None,
                balance=settings.sample.balance,
                on_rows=advance,
            )
    except FileNotFoundError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from None


def loaded(folder: RunFolder) -> "TabularSynthesizer":
    """The trained generator of a run.

    Raises:
        InputError: The run was not trained to its end, or its model is damaged.
    """
    from reinforge.synthesizers import TabularSynthesizer

    if not folder.model.is_dir():
        raise InputError(
            f"{folder.path}: holds no trained generator; finish it with "
            f"`reinforge fit tabular --out {folder.path} --resume`."
        )
    return TabularSynthesizer.load(folder.model)


def n_to_draw(settings: RunSettings, config: dict[str, Any]) -> int:
    """How many rows were asked for; as many as were trained on if nothing was said."""
    return int(config["rows"]["train"]) if settings.sample.n is None else settings.sample.n


def peeked(model: "TabularSynthesizer", settings: RunSettings) -> "pd.DataFrame":
    """Five rows as they would be drawn."""
    return model.sample(
        5,
        seed=settings.sample_seed,
        where=list(settings.sample.where) or None,
        balance=settings.sample.balance,
    )


def judged(
    split: "Split",
    synthetic: "pd.DataFrame",
    folder: RunFolder,
    settings: RunSettings,
    *,
    screen: Screen,
) -> "Scorecard":
    """Score rows against both parts of the real ones; write scorecard.json and report.html."""
    from reinforge.evaluation.scorecard import evaluate

    with screen.progress("evaluate", None) as advance:
        scorecard = evaluate(
            split,
            synthetic,
            level=settings.evaluate.level,
            seed=settings.evaluate_seed,
            progress=lambda stage, share: advance(round(100 * share), stage),
            rules=_rules(settings),
        )
    scorecard.save(folder.scorecard)
    reported(scorecard, folder)
    return scorecard


def _rules(settings: RunSettings) -> list[tuple[str, Any]]:
    """The user's rules as label and test, True where a row breaks the rule."""
    if not settings.model.rules:
        return []
    from reinforge.systems.tabular.rules import parse_rule

    rules = [parse_rule(text) for text in settings.model.rules]
    return [(rule.text, rule.broken) for rule in rules]


def self_tested(
    split: "Split", synthetic: "pd.DataFrame", settings: RunSettings, *, level: str, screen: Screen
) -> list[dict[str, Any]]:
    """Plant known leaks in synthetic rows; a record a leak."""
    from reinforge.evaluation.self_test import self_test

    with screen.progress("self-test", None) as advance:
        planted = self_test(
            split,
            synthetic,
            seed=settings.evaluate_seed,
            level=level,
            progress=lambda leak, share: advance(round(100 * share), leak),
        )
    return [row.to_dict() for row in planted]


def reported(scorecard: "Scorecard", folder: RunFolder) -> None:
    """Write the report beside the scores."""
    scorecard.report(folder.report, history=history_of(folder), settings=read_config(folder))


def history_of(folder: RunFolder) -> list[dict[str, Any]] | None:
    """The run's history, a record a step; None if the rows came from elsewhere."""
    if not folder.history.is_file():
        return None
    lines = folder.history.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]
