"""What a run would do and need, before it does it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reinforge.cli.doctor import free_memory
from reinforge.cli.screen import Screen
from reinforge.cli.settings import RunSettings
from reinforge.cli.source import Source
from reinforge.errors import ResourceError
from reinforge.run_folder import require_space
from reinforge.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

    from reinforge.records import Split

_BASE_BYTES = 400_000_000  # the packages themselves, torch above all
_COPIES = 4  # of the table at once: as read, split, coded, encoded


def plan_of(
    source: Source,
    frame: "pd.DataFrame",
    split: "Split",
    schema: Schema,
    settings: RunSettings,
    *,
    looked_up: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Schema, parts, settings, and an estimate of memory and disk.

    Args:
        source: Where the table lies.
        frame: The table.
        split: Its parts.
        schema: What the columns of the training rows are taken for.
        settings: Of the run.
        looked_up: Columns that would be looked up -> the column that decides each.
    """
    from reinforge.data.infer import describe
    from reinforge.systems.tabular.config import resolve_config

    config = resolve_config(settings.model.preset, settings.model.generator)
    config = config.for_rows(len(split.train))
    n_rows = len(split.train) if settings.sample.n is None else settings.sample.n
    width = _width(schema, n_bins=config.n_bins)
    frame_bytes = int(frame.memory_usage(deep=True).sum())
    step_bytes = 40 * config.batch_rows * width + 64 * config.hidden * (width + config.hidden)
    n_parameters = config.hidden * (width + config.noise_dim + config.hidden * config.n_layers)
    return {
        "table": str(source.path or "embedded records"),
        "columns": describe(schema, looked_up=looked_up),
        "rows": {"train": len(split.train), "holdout": len(split.holdout), "synthetic": n_rows},
        "settings": settings.model_dump(mode="json"),
        "generator": config.model_dump(mode="json"),
        "steps": {"before": config.steps_before, "reinforcement": config.n_steps},
        "memory_bytes": _BASE_BYTES + _COPIES * frame_bytes + step_bytes,
        "disk_bytes": 40 * n_parameters + 8 * n_rows * max(len(schema.columns), 1) + 4_000_000,
    }


def _width(schema: Schema, *, n_bins: int) -> int:
    """Numbers that describe one row to the nets, about."""
    return sum(
        1 + (n_bins if column.is_numeric else len(column.categories)) for column in schema.modelled
    )


def require_room(plan: dict[str, Any], out: Path) -> None:
    """Refuse to start what this machine cannot hold.

    Raises:
        ResourceError: Memory or disk will not do; the estimate and the widest columns are named.
    """
    free, wanted = free_memory(), plan["memory_bytes"]
    if free is not None and wanted > free:
        raise ResourceError(
            f"the run may need {wanted / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; "
            "leave out columns with --drop, or lower model.batch_rows."
        )
    require_space(out, plan["disk_bytes"])


def show_plan(plan: dict[str, Any], screen: Screen) -> None:
    """Print the plan; nothing has been written."""
    from reinforge.cli.tables import schema_table

    rows, generator = plan["rows"], plan["generator"]
    screen.payload["plan"] = plan
    screen.show(schema_table(plan["columns"]))
    screen.show("Rows: " + ", ".join(f"{n:,} {part}" for part, n in rows.items()))
    screen.show(
        f"Training: {plan['steps']['reinforcement']:,} steps of {generator['batch_rows']:,} rows "
        f"after {plan['steps']['before']:,} steps of imitation"
    )
    gigabytes, megabytes = plan["memory_bytes"] / 1e9, plan["disk_bytes"] / 1e6
    screen.show(f"Needs about {gigabytes:.1f} GB of memory and {megabytes:.0f} MB of disk")
    screen.show("Nothing was written (--dry-run).")
