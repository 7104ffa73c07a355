"""Where a run's real rows come from: a file of the user, or the embedded records."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reinforge.cli.settings import DataSettings, RunSettings
from reinforge.errors import InputError
from reinforge.files import sha256_file

if TYPE_CHECKING:
    import pandas as pd

    from reinforge.records import Split

EMBEDDED = "breast_cancer"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A table on disk; without a path, the embedded records."""

    path: Path | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files that must survive the run."""
        return (self.path,) if self.path else ()

    @property
    def n_bytes(self) -> int:
        """Size of the file."""
        return self.path.stat().st_size if self.path else 0

    def read(self, settings: DataSettings) -> "pd.DataFrame":
        """Read the rows and leave out the dropped columns.

        Raises:
            InputError: The file cannot be read as a table, or a dropped column is not there.
        """
        if self.path is None:
            from reinforge.data.embedded import breast_cancer

            return without(breast_cancer(), settings.drop)
        from reinforge.data.tables import read_table

        frame = read_table(
            self.path,
            sep=settings.sep,
            encoding=settings.encoding,
            decimal=settings.decimal,
            thousands=settings.thousands,
            na_values=settings.na_values,
            keep_default_na=settings.keep_default_na,
        )
        return without(frame, settings.drop)

    def digest(self) -> str:
        """SHA-256 of the file's content (of the values, for the embedded records)."""
        if self.path is not None:
            return sha256_file(self.path)
        from reinforge.data.embedded import breast_cancer

        return hashlib.sha256(breast_cancer().to_csv(index=False).encode()).hexdigest()

    def described(self) -> dict[str, Any]:
        """What config.json says about the data: where and which, never a row."""
        where = {"path": str(self.path.resolve())} if self.path else {"embedded": EMBEDDED}
        return {**where, "sha256": self.digest()}


def source_of(config: dict[str, Any], *, moved_to: Path | None = None) -> Source:
    """The table that a run was made from, if it is still the same.

    Args:
        config: The run's config.json.
        moved_to: Where the file lies now, if not where it was.

    Raises:
        InputError: The file is gone, or its content has changed.
    """
    saved = config["data"]
    if "embedded" in saved:
        return Source()
    if "path" not in saved:
        raise InputError(
            "these scores are of three tables; give --train, --holdout and --synthetic."
        )
    path = moved_to or Path(saved["path"])
    if not path.is_file():
        raise InputError(
            f"{path}: the run's table is not there; say where it lies with --data FILE."
        )
    if sha256_file(path) != saved["sha256"]:
        raise InputError(
            f"{path}: is not the table that the run was made from (its digest differs); "
            "restore it, or name the right one with --data FILE."
        )
    return Source(path=path)


def without(frame: "pd.DataFrame", dropped: tuple[str, ...]) -> "pd.DataFrame":
    """The table without some columns.

    Raises:
        InputError: A column is not there, or none is left.
    """
    unknown = [name for name in dropped if name not in frame.columns]
    if unknown:
        columns = ", ".join(map(repr, frame.columns))
        raise InputError(f"--drop {unknown[0]!r}: no such column; the table has {columns}.")
    if len(set(dropped)) == frame.shape[1]:
        raise InputError("--drop leaves no column; keep at least one.")
    return frame.drop(columns=list(dropped))


def split_of(frame: "pd.DataFrame", settings: RunSettings) -> "Split":
    """Part the table as the settings say; the same settings give the same parts.

    Raises:
        InputError: The table cannot be split so, or holds free text.
    """
    from reinforge.data.infer import refuse_text
    from reinforge.data.split import split_table

    split = split_table(
        frame,
        target=settings.split.target,
        sensitive=settings.split.sensitive,
        person=settings.split.person,
        holdout=settings.split.holdout,
        seed=settings.seed,
        schema=settings.data.columns or None,
    )
    refuse_text(split.schema)
    return split


def split_of_parts(
    train: "pd.DataFrame", holdout: "pd.DataFrame", settings: RunSettings
) -> "Split":
    """A split whose parts were made elsewhere.

    Raises:
        InputError: The parts do not go together, or a named column is not there.
    """
    from reinforge.data.split import split_from_tables

    return split_from_tables(
        train,
        holdout,
        target=settings.split.target,
        sensitive=settings.split.sensitive,
        person=settings.split.person,
        schema=settings.data.columns or None,
    )
