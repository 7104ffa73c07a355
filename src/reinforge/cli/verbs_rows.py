"""The verb that draws rows or pictures from what was trained."""

from pathlib import Path
from typing import Annotated

import typer

from reinforge.cli import stages
from reinforge.cli.asked import Asked
from reinforge.cli.options import DryRun, Overwrite, Preview, Run
from reinforge.cli.screen import Screen
from reinforge.cli.settings import RunSettings
from reinforge.cli.tables import show_preview
from reinforge.cli.verbs_identity import sample_pictures
from reinforge.errors import InputError
from reinforge.run_folder import existing, read_config, require_system, write_manifest
from reinforge.run_lock import locked

RowsOut = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Rows: .parquet, .csv or .tsv file; pictures: a folder. The run's own synthetic/ if "
        "not given.",
        show_default=False,
    ),
]


def sample(
    run: Run,
    *,
    out: RowsOut = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    preview: Preview = False,
    asked: Asked,
    screen: Screen,
) -> None:
    """Draw synthetic rows, or pictures of identities, from a trained generator.

    Conditions give exact counts: -n rows, all of which hold. Of pictures -n is for each identity.
    The same seed gives the same rows and pictures.
    """
    folder = existing(run)
    config = read_config(folder)
    if config.get("system") == "identity":
        sample_pictures(
            folder, config, out, overwrite=overwrite, dry_run=dry_run, asked=asked, screen=screen
        )
        return
    require_system(folder, config, "tabular")
    saved = {**config["settings"], "sample": {}}  # which rows the run itself drew is its own affair
    settings = asked.over(saved, folder=run, kind=RunSettings)
    if out is None and (settings.sample.where or settings.sample.balance):
        raise InputError(
            f"chosen rows are no fair picture of {run}: give them a file of their own with --out."
        )
    path = out or folder.rows
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; add --overwrite or choose another --out.")
    model = stages.loaded(folder)
    n_rows = stages.n_to_draw(settings, config)
    if preview or dry_run:
        show_preview(stages.peeked(model, settings), screen)
    if dry_run:
        screen.show(f"{n_rows:,} rows would go to {path}; nothing was written (--dry-run).")
        return
    if out is None:
        with locked(folder.path, note=screen.note):
            stages.drawn(model, path, n_rows, settings, screen=screen)
            write_manifest(folder)
    else:
        stages.drawn(model, path, n_rows, settings, screen=screen)
    screen.payload.update(rows=str(path), n=n_rows, seed=settings.sample_seed)
    screen.show(f"{n_rows:,} synthetic rows: {path}")
