"""The verbs that train: fit, run, demo."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reinforge.cli.asked import Asked
from reinforge.cli.gates import parse_gates, require
from reinforge.cli.interrupts import Stop
from reinforge.cli.options import DryRun, Out, Overwrite, Preview, Resume
from reinforge.cli.plan import plan_of, require_room, show_plan
from reinforge.cli.screen import Screen
from reinforge.cli.settings import RunSettings, checked, merged
from reinforge.cli.source import Source, source_of, split_of
from reinforge.cli.tables import show_next, show_preview, show_scores
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
    import pandas as pd

    from reinforge.records import Split
    from reinforge.schema import Schema
    from reinforge.synthesizers import TabularSynthesizer

MaybeFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="CSV, TSV or Parquet; a row a record. With --resume not needed.",
        show_default=False,
    ),
]
DemoSystem = Annotated[
    str, typer.Argument(metavar="SYSTEM", help="tabular or identity.", show_default=False)
]
DemoOut = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the run; runs/demo if not given.", show_default=False),
]
DEMOS = {"tabular": Path("runs/demo"), "identity": Path("runs/demo-identity")}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: which table, with which settings, into which folder."""

    verb: str
    source: Source
    settings: RunSettings
    folder: RunFolder
    resume: bool


def fit_tabular(
    file: MaybeFile = None,
    *,
    out: Out,
    resume: Resume = False,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    preview: Preview = False,
    asked: Asked,
    screen: Screen,
    stop: Stop,
) -> None:
    """Train a generator on the train part of a table and keep it in a folder.

    The table is split first; the generator never sees the holdout. Nothing is judged yet: go on
    with `reinforge sample` and `reinforge evaluate`.
    """
    from reinforge.cli.stages import peeked

    job = _job("fit", file, out, asked, resume=resume, overwrite=overwrite)
    frame, split, schema = _opened(job)
    if dry_run:
        _show_plan(job, frame, split, schema, screen)
        return
    with locked(job.folder.path, note=screen.note):
        model = _trained(job, split, schema, screen=screen, stop=stop)
        write_manifest(job.folder)
    if preview:
        show_preview(peeked(model, job.settings), screen)
    screen.payload.update(run=str(out), model=str(job.folder.model))
    screen.show(f"Model: {job.folder.model}")
    run = shlex.quote(str(out))
    show_next(screen, f"sample {run} -n 1000 --out synthetic.csv", f"evaluate {run}")


def run_tabular(
    file: MaybeFile = None,
    *,
    out: Out,
    resume: Resume = False,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    preview: Preview = False,
    asked: Asked,
    screen: Screen,
    stop: Stop,
) -> None:
    """Split a table, train a generator, draw synthetic rows, judge them, and write the report.

    Everything lies in the folder given by --out afterwards; synthetic/rows.parquet holds the rows
    and report.html is the page to read.
    """
    job = _job("run", file, out, asked, resume=resume, overwrite=overwrite)
    _whole(job, dry_run=dry_run, preview=preview, screen=screen, stop=stop)


def demo(
    system: DemoSystem = "tabular",
    *,
    out: DemoOut = None,
    dry_run: DryRun = False,
    preview: Preview = False,
    asked: Asked,
    screen: Screen,
    stop: Stop,
) -> None:
    """See the main job: on real medical records, or (`demo identity`) on faces drawn by code.

    Records: 569 breast tumours that ship with scikit-learn, below three minutes on two cores.
    Identities: twelve faces of no real person, five pictures each, below ten. No download. An
    earlier demo in the same folder is replaced.
    """
    if system not in DEMOS:
        raise InputError(f"unknown system {system!r}; there are {', '.join(DEMOS)}.")
    out = out or DEMOS[system]
    if system == "identity":
        from reinforge.cli.demo_identity import demo_identity

        if dry_run or preview:
            raise InputError("demo identity knows neither --dry-run nor --preview; leave it out.")
        demo_identity(out, asked=asked, screen=screen, stop=stop)
        return
    records = {"split": {"target": "diagnosis"}}
    given = asked.settings(RunSettings).model_dump(exclude_unset=True)
    settings = checked(merged(records, given), RunSettings)
    folder = RunFolder(out)
    again = folder.config.is_file() and read_config(folder).get("verb") == "demo"
    check_place(out, overwrite=again)
    if again:
        screen.note(f"{out}: replacing the earlier demo.")
    job = Job(verb="demo", source=Source(), settings=settings, folder=folder, resume=False)
    _whole(job, dry_run=dry_run, preview=preview, screen=screen, stop=stop)


def _job(
    verb: str, file: Path | None, out: Path, asked: Asked, *, resume: bool, overwrite: bool
) -> Job:
    """What to train: a new run, or the one that lies in the folder."""
    if resume and RunFolder(out).config.is_file():
        check_place(out, resume=True)
        config = read_config(existing(out))
        require_system(RunFolder(out), config, "tabular")
        settings = asked.over(config["settings"], folder=out, kind=RunSettings)
        source = source_of(config, moved_to=file)
    elif file is None:
        raise InputError("which table? Give its FILE; only --resume of a run goes without.")
    else:
        settings, source = asked.settings(RunSettings), Source(path=file)
        check_place(out, resume=resume, overwrite=overwrite, inputs=source.inputs)
        resume = False
    return Job(verb=verb, source=source, settings=settings, folder=RunFolder(out), resume=resume)


def _opened(job: Job) -> tuple["pd.DataFrame", "Split", "Schema"]:
    """Read and split the table, and refuse everything that can be refused before work starts.

    Returns:
        The table, its parts, and what the columns of the training rows are taken for.
    """
    from reinforge.cli.stages import learnt_schema, new_model

    frame = job.source.read(job.settings.data)
    split = split_of(frame, job.settings)
    for rule in new_model(job.settings).rules:
        rule.broken(split.train)  # refuses a rule on columns or values that are not there
    schema = learnt_schema(split, job.settings)
    require_room(plan_of(job.source, frame, split, schema, job.settings), job.folder.path)
    return frame, split, schema


def _show_plan(
    job: Job, frame: "pd.DataFrame", split: "Split", schema: "Schema", screen: Screen
) -> None:
    from reinforge.cli.stages import to_look_up

    sources = to_look_up(split, schema, job.settings)
    plan = plan_of(job.source, frame, split, schema, job.settings, looked_up=sources)
    show_plan(plan, screen)


def _trained(
    job: Job, split: "Split", schema: "Schema", *, screen: Screen, stop: Stop
) -> "TabularSynthesizer":
    """Write the settings down, then train (or go on training)."""
    from reinforge.cli.stages import fitted

    if not job.resume:
        clear(job.folder)
        config = {
            "verb": job.verb,
            "system": "tabular",
            "seed": job.settings.seed,
            "data": job.source.described(),
            "rows": {"train": len(split.train), "holdout": len(split.holdout)},
            "settings": job.settings.model_dump(mode="json"),
        }
        write_config(job.folder, config)
    return fitted(
        split, schema, job.folder, job.settings, screen=screen, stop=stop, resume=job.resume
    )


def _whole(job: Job, *, dry_run: bool, preview: bool, screen: Screen, stop: Stop) -> None:
    """Fit, draw, judge and report."""
    from reinforge.cli import stages
    from reinforge.data.tables import read_table

    gates = parse_gates(job.settings.evaluate.require)
    frame, split, schema = _opened(job)
    if dry_run:
        _show_plan(job, frame, split, schema, screen)
        return
    folder = job.folder
    with locked(folder.path, note=screen.note):
        model = _trained(job, split, schema, screen=screen, stop=stop)
        n_rows = len(split.train) if job.settings.sample.n is None else job.settings.sample.n
        stages.drawn(model, folder.rows, n_rows, job.settings, screen=screen)
        synthetic = read_table(folder.rows)
        scorecard = stages.judged(split, synthetic, folder, job.settings, screen=screen)
        write_manifest(folder)
    if preview:
        show_preview(synthetic.head(5), screen)
    screen.payload.update(model=str(folder.model), rows=str(folder.rows))
    show_scores(folder, scorecard, screen)
    run = shlex.quote(str(folder.path))
    show_next(
        screen,
        f"sample {run} -n 10000 --out more.parquet",
        f'evaluate {run} --require "membership_auc<=0.55"',
        f"verify {run}",
    )
    require(gates, scorecard.scores)
