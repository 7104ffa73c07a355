"""The verb that judges rows: of a run, or of any generator."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reinforge.cli import stages
from reinforge.cli.asked import Asked
from reinforge.cli.gates import parse_gates, require
from reinforge.cli.interrupts import Stop
from reinforge.cli.options import Data, Overwrite
from reinforge.cli.screen import Screen
from reinforge.cli.settings import RunSettings, checked, merged
from reinforge.cli.source import Source, source_of, split_of, split_of_parts, without
from reinforge.cli.tables import leak_table, show_scores
from reinforge.cli.verbs_identity import evaluate_identity
from reinforge.errors import InputError
from reinforge.run_folder import (
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
    import pandas as pd

    from reinforge.records import Split

MaybeRun = Annotated[
    Path | None,
    typer.Argument(
        metavar="[RUN]", help="Folder of a run; without it, give tables.", show_default=False
    ),
]
JudgedOut = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for scores and report of tables.", show_default=False),
]
SelfTest = Annotated[
    bool,
    typer.Option(
        "--self-test",
        help="Plant known leaks in the table (without one: the embedded records) "
        "and show which scores notice.",
    ),
]


def _part(name: str) -> Any:
    return typer.Option(
        f"--{name}", help=f"Table of {name} rows.", rich_help_panel="Table", show_default=False
    )


def evaluate(
    run: MaybeRun = None,
    *,
    train: Annotated[Path | None, _part("train")] = None,
    holdout_rows: Annotated[Path | None, _part("holdout")] = None,
    synthetic: Annotated[Path | None, _part("synthetic")] = None,
    out: JudgedOut = None,
    data: Data = None,
    self_test: SelfTest = False,
    overwrite: Overwrite = False,
    asked: Asked,
    screen: Screen,
    stop: Stop,
) -> None:
    """Judge synthetic rows or pictures: utility, fidelity, privacy, each with its controls.

    Of a run: what lies in its synthetic folder (rows are drawn now if there are none) against the
    table or the photos that it was made from, which must still be there unchanged. Of tables: any
    generator's rows.
    """
    given = [path for path in (train, holdout_rows, synthetic) if path is not None]
    if self_test and (not given or (run is None and len(given) == 3)):
        _self_test(run, given, data, asked, screen)
    elif run is not None and not given:
        _evaluate_run(run, data, asked, screen, stop)
    elif run is None and len(given) == 3:
        _evaluate_tables(given, out, asked, screen, overwrite=overwrite)
    else:
        raise InputError(
            "evaluate wants RUN, or all of --train, --holdout and --synthetic: the holdout is "
            "needed, since without rows that the generator never saw no score has a control."
        )


def _evaluate_run(run: Path, data: Path | None, asked: Asked, screen: Screen, stop: Stop) -> None:
    """Judge the rows or pictures of a run."""
    from reinforge.data.tables import read_table

    folder = existing(run)
    config = read_config(folder)
    if config.get("system") == "identity":
        evaluate_identity(folder, config, data, asked=asked, screen=screen, stop=stop)
        return
    require_system(folder, config, "tabular")
    settings = asked.over(config["settings"], folder=run, kind=RunSettings)
    gates = parse_gates(settings.evaluate.require)
    split = split_of(source_of(config, moved_to=data).read(settings.data), settings)
    with locked(folder.path, note=screen.note):
        if not folder.rows.exists():
            n_rows = stages.n_to_draw(settings, config)
            stages.drawn(stages.loaded(folder), folder.rows, n_rows, settings, screen=screen)
        scorecard = stages.judged(split, read_table(folder.rows), folder, settings, screen=screen)
        write_manifest(folder)
    show_scores(folder, scorecard, screen)
    require(gates, scorecard.scores)


def _evaluate_tables(
    files: list[Path], out: Path | None, asked: Asked, screen: Screen, *, overwrite: bool
) -> None:
    """Judge any generator's rows."""
    from reinforge.data.codes import codes_like
    from reinforge.evaluation.matching import check_columns

    if out is None:
        raise InputError("evaluate of tables wants --out FOLDER for its scores and report.")
    settings = asked.settings(RunSettings)
    gates = parse_gates(settings.evaluate.require)
    folder = check_place(out, overwrite=overwrite, inputs=tuple(files))
    train, holdout, synthetic = _read_parts(files, settings)
    split = split_of_parts(train, holdout, settings)
    synthetic = codes_like(synthetic, split.train)
    check_columns(split.train, synthetic, split.schema)  # before anything is written
    with locked(folder.path, note=screen.note):
        clear(folder)
        write_config(folder, _config_of_tables(files, settings))
        scorecard = stages.judged(split, synthetic, folder, settings, screen=screen)
        write_manifest(folder)
    show_scores(folder, scorecard, screen)
    require(gates, scorecard.scores)


def _config_of_tables(files: list[Path], settings: RunSettings) -> dict[str, Any]:
    parts = zip(("train", "holdout", "synthetic"), files, strict=True)
    return {
        "verb": "evaluate",
        "system": "tabular",
        "seed": settings.seed,
        "data": {part: Source(path=file).described() for part, file in parts},
        "settings": settings.model_dump(mode="json"),
    }


def _self_test(
    run: Path | None, given: list[Path], data: Path | None, asked: Asked, screen: Screen
) -> None:
    """Plant known leaks in synthetic rows and show which scores notice them."""
    split, synthetic, settings = _rows_to_plant_in(run, given, data, asked)
    level = asked.flags.get("evaluate", {}).get("level", "quick")
    leaks = stages.self_tested(split, synthetic, settings, level=level, screen=screen)
    screen.payload["self_test"] = leaks
    screen.show(leak_table(leaks))


def _rows_to_plant_in(
    run: Path | None, given: list[Path], data: Path | None, asked: Asked
) -> tuple["Split", "pd.DataFrame", RunSettings]:
    """Real and synthetic rows of a run, of three tables, or of the embedded records."""
    from reinforge.data.tables import read_table

    if run is not None:
        folder = existing(run)
        config = read_config(folder)
        require_system(folder, config, "tabular", otherwise="leaks are planted in tables alone.")
        settings = asked.over(config["settings"], folder=run, kind=RunSettings)
        if not folder.rows.is_file():
            raise InputError(f"{run}: has no rows yet; run `reinforge sample {run}` first.")
        split = split_of(source_of(config, moved_to=data).read(settings.data), settings)
        return split, read_table(folder.rows), settings
    settings = asked.settings(RunSettings)
    if given:
        train, holdout, synthetic = _read_parts(given, settings)
        return split_of_parts(train, holdout, settings), synthetic, settings
    return _embedded_rows(settings)


def _embedded_rows(settings: RunSettings) -> tuple["Split", "pd.DataFrame", RunSettings]:
    """The embedded records in three parts; the third stands for rows that leak nothing."""
    records = {"split": {"target": "diagnosis", "holdout": 0.6}}
    settings = checked(merged(settings.model_dump(exclude_unset=True), records))
    whole = split_of(Source().read(settings.data), settings)
    middle = len(whole.holdout) // 2
    parts = replace(whole, holdout=whole.holdout.iloc[:middle])
    return parts, whole.holdout.iloc[middle:].reset_index(drop=True), settings


def _read_parts(files: list[Path], settings: RunSettings) -> list["pd.DataFrame"]:
    """Train, holdout and synthetic rows; what is dropped may be absent from the synthetic ones."""
    *real, made = files
    synthetic = Source(path=made).read(settings.data.model_copy(update={"drop": ()}))
    absent = set(settings.data.drop) - set(synthetic.columns)
    dropped = tuple(name for name in settings.data.drop if name not in absent)
    tables = [Source(path=file).read(settings.data) for file in real]
    return [*tables, without(synthetic, dropped)]
