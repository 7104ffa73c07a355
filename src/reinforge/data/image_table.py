"""A table that names pictures: a row each, with its identity and perhaps camera and group.

Cells are text and stay it: identity `0001` is not `1`.
"""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reinforge.data import bytes_in
from reinforge.data.image_folders import MANIFEST
from reinforge.data.image_reading import Candidate
from reinforge.errors import InputError

COLUMNS = ("path", "identity", "camera", "group")
_NEEDED = ("path", "identity")
_TAB = "\t"
_PARQUET = (".parquet", ".pq")


def table_candidates(path: Path, columns: Mapping[str, str] | None = None) -> list[Candidate]:
    """The pictures that a CSV, TSV or Parquet table names.

    Args:
        path: The table; a picture's path is relative to its folder.
        columns: Where a column has another name: path, identity, camera or group -> its name.

    Raises:
        InputError: The table cannot be read, lacks a column, or a row lacks a path or identity.
    """
    bytes_in.require_file(path)
    named = _names(columns or {})
    rows = _parquet_rows(path) if path.suffix.lower() in _PARQUET else _csv_rows(path)
    missing = [named[column] for column in _NEEDED if named[column] not in rows.columns]
    if missing and len(rows.columns) == 1 and path.suffix.lower() not in _PARQUET:
        raise InputError(
            f"{path} has one column, {rows.columns[0]!r}: fields are parted by a comma, a "
            "semicolon, a tab or '|'; write the table with one of them."
        )
    if missing:
        raise InputError(
            f"{path} has no column {missing[0]!r}, only {', '.join(map(repr, rows.columns[:10]))}; "
            "name it with columns={'path': ..., 'identity': ..., 'camera': ..., 'group': ...}."
        )
    present = {column: rows[name] for column, name in named.items() if name in rows.columns}
    for column in present:
        empty = (present[column].str.strip() == "").to_numpy().nonzero()[0]
        if len(empty):
            raise InputError(
                f"{path}: {len(empty)} rows have no {column}, first row {empty[0] + 1}; fill it in "
                "or drop the row."
            )
    texts = {column: [str(cell) for cell in cells] for column, cells in present.items()}
    cameras = _cameras(texts["camera"]) if "camera" in texts else [None] * len(rows)
    groups = texts.get("group", [None] * len(rows))
    return [
        Candidate(
            source=str(path.parent / name), file=path.parent / name, identity=identity,
            camera=camera, group=group,
        )
        for name, identity, camera, group in zip(
            texts["path"], texts["identity"], cameras, groups, strict=True
        )
    ]  # fmt: skip


def manifest_candidates(folder: Path) -> list[Candidate]:
    """The pictures of a folder that `write_images` wrote, checked against its SHA-256 digests.

    Raises:
        InputError: A line is no JSON object with file and identity, or names a file elsewhere.
    """
    path = folder / MANIFEST
    candidates = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            told = json.loads(line)
            name, identity = told["file"], told["identity"]
            camera, group, digest = told.get("camera"), told.get("group"), told.get("sha256")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}, line {number}: a JSON object with file and identity was wanted."
            ) from error
        texts = all(isinstance(text, str) for text in (name, identity))
        if not texts or Path(name).is_absolute() or ".." in Path(name).parts:
            raise InputError(f"{path}, line {number}: file must lie inside {folder}, got {name!r}.")
        if not isinstance(camera, int | None) or not isinstance(group, str | None):
            raise InputError(f"{path}, line {number}: camera is a whole number, group is text.")
        candidates.append(
            Candidate(
                source=str(folder / name), file=folder / name, identity=identity, camera=camera,
                group=group, sha256=None if digest is None else str(digest),
            )
        )  # fmt: skip
    return candidates


def _names(columns: Mapping[str, str]) -> dict[str, str]:
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown:
        raise InputError(f"columns= names {', '.join(COLUMNS)}, got {unknown[0]!r}.")
    return {column: columns.get(column, column) for column in COLUMNS}


def _csv_rows(path: Path) -> pd.DataFrame:
    with bytes_in.open_text(path) as file:
        encoding = bytes_in.text_encoding(file, path)
        separator = bytes_in.likely_separator(bytes_in.sample_text(file, encoding))
        file.seek(0)
        try:
            text = io.TextIOWrapper(cast(io.BufferedReader, file), encoding=encoding, newline="")
            lines = csv.reader(text, delimiter=separator, skipinitialspace=True)
            found = [row for row in lines if row]
        except (UnicodeError, csv.Error) as error:
            raise InputError(f"{path} cannot be read as CSV in {encoding}: {error}.") from error
    if len(found) < 2:
        raise InputError(f"{path} names no pictures; a header and a row a picture are needed.")
    header, rows = [name.strip() for name in found[0]], found[1:]
    ragged = next((at for at, row in enumerate(rows) if len(row) != len(header)), None)
    if ragged is not None:
        raise InputError(
            f"{path}, row {ragged + 1}: {len(rows[ragged])} fields parted by "
            f"{'a tab' if separator == _TAB else repr(separator)} where the header has "
            f"{len(header)}; quote fields that hold the separator, and use one all through."
        )
    if len(set(header)) != len(header):
        raise InputError(f"{path}: a column name occurs twice; rename it in the header.")
    return pd.DataFrame(rows, columns=header, dtype=object)


def _parquet_rows(path: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no complete Parquet file: {reason}") from error
    if table.num_rows == 0:
        raise InputError(f"{path} names no pictures; a row a picture is needed.")
    columns = {
        name: ["" if cell is None else str(cell) for cell in table.column(at).to_pylist()]
        for at, name in enumerate(table.column_names)
    }
    return pd.DataFrame(columns, dtype=object)


def _cameras(cells: list[str]) -> list[int]:
    """Whole numbers as they are; other texts by their position in sorted order."""
    try:
        return [int(cell) for cell in cells]
    except ValueError:
        position = {name: at for at, name in enumerate(sorted(set(cells)))}
        return [position[cell] for cell in cells]
