"""Tables from files: CSV, TSV and Parquet, packed or plain, checked before any work starts."""

import codecs
import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reinforge.data import bytes_in
from reinforge.data.frames import as_frame, check_frame, frame_digest
from reinforge.data.table_writer import TableWriter, write_table
from reinforge.data.thousands import numbers_of_groups
from reinforge.errors import InputError

__all__ = ["TableWriter", "as_frame", "check_frame", "frame_digest", "read_table", "write_table"]

PARQUET_ENDINGS = frozenset({".parquet", ".pq"})
MAX_CELL = 1_000_000  # characters
# older parsers miss the last bit of a float unless they are asked
_EXACT: dict[str, Any] = {"float_precision": "round_trip"} if pd.__version__ < "3.1" else {}


def read_table(
    path: str | Path,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    na_values: Sequence[str] = (),
    keep_default_na: bool = True,
) -> pd.DataFrame:
    """Read a table and check it as `as_frame` does.

    Args:
        path: A `.parquet` file, or CSV text of any other name, also packed (gz, xz, bz2, zip).
        sep: What parts the fields; by default found among comma, semicolon, tab and `|`.
        encoding: The text's encoding; by default told by its byte-order mark, else UTF-8.
        decimal: The decimal mark; by default a point, or a comma where the numbers show it.
        thousands: What parts the thousands of numbers, e.g. a comma; by default nothing does.
        na_values: More texts that mean a missing value, e.g. `"?"`.
        keep_default_na: Whether pandas' list (empty, NA, NaN, None, null, ...) means missing too.

    Raises:
        InputError: The file cannot be read as a table; names the file and the line, byte or column.
    """
    path = Path(path)
    bytes_in.require_file(path)
    if path.suffix.lower() in PARQUET_ENDINGS:
        frame = _read_parquet(path)
    else:
        options = {"na_values": list(na_values), "keep_default_na": keep_default_na}
        with bytes_in.open_text(path) as file:
            options |= {"decimal": decimal, "thousands": thousands}
            frame = _read_csv(file, path, sep, encoding, options)
    if frame.empty:
        raise InputError(f"{path} has a header and 0 rows; at least one row is needed.")
    try:
        return as_frame(frame)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _read_csv(
    file: io.BufferedIOBase,
    path: Path,
    sep: str | None,
    encoding: str | None,
    options: dict[str, Any],
) -> pd.DataFrame:
    encoding = _known(encoding) if encoding else bytes_in.text_encoding(file, path)
    text = bytes_in.sample_text(file, encoding)
    if not text.strip():
        raise InputError(f"{path} is empty: no header and no rows.")
    bytes_in.refuse_json(text, path)
    found = bytes_in.likely_separator(text)
    separator = _checked_separator(sep, found, text, path)
    header = _header(text, separator, path)
    if any(len(record) > len(header) for record in bytes_in.records(text, separator)):
        _refuse_ragged(file, path, encoding, separator)  # pandas would take a field for an index
    mark = options.pop("thousands")
    options["decimal"] = options["decimal"] or bytes_in.likely_decimal(text, separator, mark)
    options["dtype"] = dict.fromkeys(bytes_in.code_columns(text, separator, header), str)
    if mark is not None and mark == options["decimal"]:
        other = "," if mark == "." else "."
        raise InputError(
            f"{path}: thousands = {mark!r} is the decimal mark as well; give another one of the "
            f"two, e.g. --set \"data.decimal='{other}'\"."
        )
    frame = _parsed(file, path, header, {"sep": separator, "encoding": encoding, **options})
    if frame.iloc[:, -1].isna().any():  # pandas fills lines that are too short
        _refuse_ragged(file, path, encoding, separator)
    _refuse_huge_cells(frame, path)
    if mark is not None:
        try:
            numbers_of_groups(frame, mark=mark, decimal=options["decimal"])
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    return frame


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise InputError(f"encoding {encoding!r} is not known; try utf-8 or latin-1.") from error


def _checked_separator(sep: str | None, found: str, text: str, path: Path) -> str:
    if sep is None:
        return found
    sep = {"\\t": "\t", "tab": "\t"}.get(sep, sep)
    if len(sep) != 1:
        raise InputError(f"--sep takes one character, got {sep!r}; use ',', ';', '|' or tab.")
    if len(bytes_in.records(text, sep, 1)[0]) == 1 and found != sep:
        if len(bytes_in.records(text, found, 1)[0]) > 1:
            shown = "tab" if found == "\t" else repr(found)
            raise InputError(f"{path} has one column with --sep {sep!r}; try --sep {shown}.")
    return sep


def _header(text: str, separator: str, path: Path) -> list[str]:
    """Column names; empty ones are replaced, double ones refused."""
    names = bytes_in.records(text, separator, 1)[0]
    twice = [name for name, count in Counter(names).items() if count > 1 and name.strip()]
    if twice:
        shown = ", ".join(map(repr, twice[:10]))
        raise InputError(f"{path}: column names occur twice: {shown}; rename them in the header.")
    full = [name if name.strip() else f"column_{at + 1}" for at, name in enumerate(names)]
    if full != names:
        made = [name for name, old in zip(full, names, strict=True) if name != old]
        shown = ", ".join(map(repr, made[:10]))
        warnings.warn(
            f"{path}: columns without a name are called {shown}", UserWarning, stacklevel=5
        )
    return full


def _parsed(
    file: io.BufferedIOBase, path: Path, header: list[str], options: dict[str, Any]
) -> pd.DataFrame:
    encoding = options["encoding"]
    try:
        return pd.read_csv(file, names=header, header=0, low_memory=False, **_EXACT, **options)
    except UnicodeError as error:
        bytes_in.refuse_undecodable(file, path, encoding)
        raise InputError(f"{path} is no {encoding} text; give its encoding: {error}.") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path} has no rows.") from error
    except (pd.errors.ParserError, ValueError) as error:
        raise InputError(_parser_problem(str(error), path)) from error


def _parser_problem(message: str, path: Path) -> str:
    ragged = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if ragged:
        wanted, line, got = ragged.groups()
        return (
            f"{path}, line {line}: {got} fields where the header has {wanted}; quote fields that "
            "hold "
            "the separator, or give another one with --sep."
        )
    unclosed = re.search(r"EOF inside string starting at row (\d+)", message)
    if unclosed:
        return f"{path}: a quote opened near line {int(unclosed.group(1)) + 1} is never closed."
    return f"{path} cannot be read as CSV: {' '.join(message.split())}."


def _refuse_ragged(file: io.BufferedIOBase, path: Path, encoding: str, separator: str) -> None:
    """Find the first line with fewer or more fields than the header (pandas fills short ones)."""
    file.seek(0)
    text = io.TextIOWrapper(cast(io.BufferedReader, file), encoding=encoding, newline="")
    limit = csv.field_size_limit(2**31 - 1)
    try:
        reader = csv.reader(text, delimiter=separator)
        width, start = 0, 1
        for record in reader:
            width = width or len(record)
            if record and len(record) != width:
                raise InputError(
                    f"{path}, line {start}: {len(record)} fields where the header has {width}; "
                    "complete the line, or quote fields that hold the separator."
                )
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}.") from error
    finally:
        csv.field_size_limit(limit)
        text.detach()


def _refuse_huge_cells(frame: pd.DataFrame, path: Path) -> None:
    if path.stat().st_size < MAX_CELL // 100:
        return
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_string_dtype(column) and not column.isna().all():
            lengths = column.str.len()
            if lengths.max() > MAX_CELL:
                row = int(lengths.to_numpy(dtype="float64", na_value=0.0).argmax()) + 1
                raise InputError(
                    f"{path}: column {name!r} holds a cell of {int(lengths.max()):,} characters "
                    "(row "
                    f"{row}; the cap is {MAX_CELL:,}); a quote may be left open, or drop the "
                    "column."
                )


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            _refuse_arrow_types(schema, path)
            return file.read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path} is no complete Parquet file: {' '.join(str(error).split())[:200]}"
        ) from error


def _refuse_arrow_types(schema: pa.Schema, path: Path) -> None:
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise InputError(f"{path}: column names occur twice: {', '.join(map(repr, twice))}.")
    for field in schema:
        kind = field.type
        lost = pa.types.is_nested(kind) or pa.types.is_time(kind) or pa.types.is_interval(kind)
        if lost or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise InputError(
                f"{path}: column {field.name!r} is of type {kind}, which cannot be modelled; "
                "flatten it to numbers, text or dates, or drop it."
            )
