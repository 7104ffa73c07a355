"""Tables into files: whole or not there, in bounded memory, and harmless in a spreadsheet."""

import contextlib
import os
import re
from pathlib import Path
from types import TracebackType
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reinforge.data.dtypes import is_text
from reinforge.errors import InputError
from reinforge.files import disk_errors, fsync_folder

ENDINGS = {".parquet": None, ".pq": None, ".csv": ",", ".tsv": "\t"}
_DANGER = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)?$")


def write_table(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame to `.parquet`, `.csv` or `.tsv`, atomically (see `TableWriter`)."""
    with TableWriter(path) as writer:
        writer.append(frame)


class TableWriter:
    """Appends frames to one file, which appears when the block ends without an error.

    Parquet files carry `synthetic: true` in their metadata. In CSV, text cells and column names
    that a spreadsheet would run as a formula (they start with = + - @, a tab or a carriage return
    and are no plain number) get a leading apostrophe.
    """

    def __init__(self, path: str | Path) -> None:
        """Check the ending and the folder before any work starts.

        Raises:
            InputError: The ending is unknown, or the folder is missing or not writable.
        """
        self.path = Path(path)
        self.n_rows = 0
        ending = self.path.suffix.lower()
        if ending not in ENDINGS:
            raise InputError(f"{path}: rows are written to .parquet, .csv or .tsv files.")
        folder = self.path.parent
        if not folder.exists():
            raise InputError(f"{path} cannot be written: there is no folder {folder}; make it.")
        if self.path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise InputError(
                f"{path} cannot be written; give a file in a folder that you may write to."
            )
        self._separator = ENDINGS[ending]
        self._temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        self._file: IO[bytes] | None = None
        self._parquet: pq.ParquetWriter | None = None
        self._names: list[str] | None = None

    def __enter__(self) -> "TableWriter":
        """Open the temporary file beside the place of the final one."""
        with disk_errors(self.path):
            self._file = self._temporary.open("wb")
        return self

    def append(self, frame: pd.DataFrame) -> None:
        """Write more rows; all frames have the same columns.

        Raises:
            InputError: The columns differ from those of the first frame.
            ResourceError: The disk is full.
        """
        names = [str(name) for name in frame.columns]
        if self._names is not None and names != self._names:
            raise InputError(f"{self.path}: columns {names} follow after columns {self._names}.")
        with disk_errors(self.path):
            if self._separator is None:
                self._append_parquet(frame)
            else:
                self._append_csv(frame, self._separator)
        self._names = names
        self.n_rows += len(frame)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Move the finished file in, or leave nothing behind after an error."""
        try:
            if kind is None:
                with disk_errors(self.path):
                    self._finish()
        finally:
            with contextlib.suppress(OSError, ValueError):
                self._opened.close()
            with contextlib.suppress(FileNotFoundError):
                self._temporary.unlink()

    @property
    def _opened(self) -> IO[bytes]:
        if self._file is None:
            raise InputError("TableWriter is used as `with TableWriter(path) as writer:`.")
        return self._file

    def _finish(self) -> None:
        if self._parquet is not None:
            self._parquet.close()
        self._opened.flush()
        os.fsync(self._opened.fileno())
        self._opened.close()
        self._temporary.replace(self.path)
        fsync_folder(self.path.parent)

    def _append_parquet(self, frame: pd.DataFrame) -> None:
        if self._parquet is None:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            schema = table.schema
            for at, field in enumerate(schema):
                if pa.types.is_null(field.type):  # later frames may hold text there
                    schema = schema.set(at, field.with_type(pa.string()))
            metadata = {**(schema.metadata or {}), b"synthetic": b"true"}
            self._parquet = pq.ParquetWriter(self._opened, schema.with_metadata(metadata))
        table = pa.Table.from_pandas(frame, schema=self._parquet.schema, preserve_index=False)
        self._parquet.write_table(table.replace_schema_metadata(self._parquet.schema.metadata))

    def _append_csv(self, frame: pd.DataFrame, separator: str) -> None:
        text = without_formulas(frame).to_csv(
            index=False, sep=separator, header=self._names is None, lineterminator="\n"
        )
        self._opened.write(text.encode("utf-8", errors="backslashreplace"))


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an apostrophe before text cells and names that a spreadsheet would run."""
    safe = {}
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            levels = column.cat.categories
            renamed = [harmless(level) for level in levels]
            safe[name] = (
                column.cat.rename_categories(renamed) if renamed != list(levels) else column
            )
        elif is_text(column) or column.dtype == "object":
            safe[name] = column.map(harmless, na_action="ignore")
    return frame.assign(**safe).rename(columns=lambda name: harmless(str(name)))


def harmless(cell: object) -> object:
    """Text that starts like a formula and is no plain number, with a leading apostrophe."""
    if isinstance(cell, str) and _DANGER.match(cell) and not _NUMBER.match(cell):
        return "'" + cell
    return cell
