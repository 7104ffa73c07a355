"""A file before it is a table: is it there, what is it really, and how is its text written."""

import bz2
import codecs
import csv
import gzip
import io
import itertools
import json
import lzma
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from reinforge.errors import InputError

MAX_BYTES = 8 * 2**30  # of text, decompressed
MAX_RATIO = 200  # text compresses 3 to 20 times; a bomb a thousand times
FREE_BYTES = 64 * 2**20  # below it no ratio is looked at
SAMPLE_BYTES = 2**20
_CHUNK = 2**20
_FOREIGN = (
    (b"PAR1", "a Parquet file", "give it the ending .parquet"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it as CSV"),
    (b"ARROW1", "an Arrow (Feather) file", "save it as Parquet"),
    (b"\x89HDF", "an HDF5 file", "save it as Parquet"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"$FL2", "an SPSS file", "save it as CSV"),
    (b"%PDF", "a PDF", "save the table as CSV"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SEPARATORS = (",", ";", "\t", "|")


def require_file(path: Path) -> None:
    """Refuse a path that no table can be read from."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a directory; give a CSV, TSV or Parquet file.")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; give a CSV, TSV or Parquet file.") from error
    except PermissionError as error:
        raise InputError(
            f"{path} cannot be read: no permission; check its access rights."
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def open_text(path: Path) -> io.BufferedIOBase:
    """The bytes of a CSV file, decompressed in memory where they are packed.

    Raises:
        InputError: The file is no text, is damaged, or decompresses beyond the caps.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if head[:4] == b"PK\x03\x04":
        return _unzipped(path)
    openers = ((b"\x1f\x8b", gzip.open), (b"\xfd7zXZ\x00", lzma.open), (b"BZh", bz2.open))
    for magic, opener in openers:
        if head.startswith(magic):
            with opener(path, "rb") as packed:
                return _limited(cast(io.BufferedIOBase, packed), path)
    for magic, what, remedy in _FOREIGN:
        if head.startswith(magic):
            raise InputError(f"{path} is {what}, no CSV; {remedy}.")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES:,} bytes; give it as Parquet.")
    return path.open("rb")


def _unzipped(path: Path) -> io.BufferedIOBase:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [item.filename for item in archive.infolist() if not item.is_dir()]
            if "[Content_Types].xml" in names:
                raise InputError(f"{path} is an Excel workbook, no CSV; save the sheet as CSV.")
            names = [name for name in names if not name.startswith("__MACOSX/")]
            if len(names) != 1:
                raise InputError(f"{path} holds {len(names)} files; a packed table holds one.")
            with archive.open(names[0]) as packed:
                return _limited(cast(io.BufferedIOBase, packed), path)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{path} is a damaged or locked archive: {error}.") from error


def _limited(packed: io.BufferedIOBase, path: Path) -> io.BytesIO:
    """Decompress, and stop at the caps."""
    limit = min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * path.stat().st_size))
    content = io.BytesIO()
    try:
        while chunk := packed.read(_CHUNK):
            content.write(chunk)
            if content.tell() > limit:
                raise InputError(
                    f"{path} decompresses to more than {limit:,} bytes, {MAX_RATIO} times its size "
                    "or "
                    "beyond the cap; it was not read further. Decompress it yourself if you trust "
                    "it."
                )
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path} is damaged: {error}.") from error
    content.seek(0)
    return content


def chunks(file: io.BufferedIOBase) -> Iterator[bytes]:
    """All bytes of a file from its start, in pieces; the file is at its start again afterwards."""
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
    file.seek(0)


def text_encoding(file: io.BufferedIOBase, path: Path) -> str:
    """The encoding by byte-order mark, or by the zeros of UTF-16; UTF-8 otherwise.

    Raises:
        InputError: NUL bytes show that it is no text.
    """
    file.seek(0)
    head = file.read(4096)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if len(zeros) > 1 and zeros.count(0) > 0.7 * len(zeros):
            return name
    place = 0
    for chunk in chunks(file):
        at = chunk.find(b"\0")
        if at >= 0:
            raise InputError(
                f"{path} holds a NUL byte at byte {place + at:,}, so it is no text or a damaged "
                "one; "
                "export it again as CSV."
            )
        place += len(chunk)
    return "utf-8"


def refuse_undecodable(file: io.BufferedIOBase, path: Path, encoding: str) -> None:
    """Raise an InputError at the first byte that is not of that encoding, if there is one."""
    decoder, place = codecs.getincrementaldecoder(encoding)(), 0
    for chunk in chunks(file):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            at = place - pending + error.start
            raise InputError(
                f"{path} is no {encoding} text (byte {at:,} is 0x{error.object[error.start]:02x}); "
                "give its encoding, e.g. --encoding latin-1 or --encoding cp1252."
            ) from error
        place += len(chunk)


def sample_text(file: io.BufferedIOBase, encoding: str) -> str:
    """The first part of the text, cut at a line's end where it can be."""
    file.seek(0)
    raw = file.read(SAMPLE_BYTES)
    more = len(file.read(1)) > 0
    file.seek(0)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(raw)
    cut = max(text.rfind("\n"), text.rfind("\r")) if more else len(text)
    return (text[:cut] if cut > 0 else text).removeprefix("\ufeff")


def refuse_json(text: str, path: Path) -> None:
    """Refuse JSON, JSON lines and HTML that come as CSV."""
    first = text.lstrip()[:1]
    if first in {"{", "["}:
        line = text.strip().splitlines()[0]
        try:
            json.loads(line if first == "{" else line[:1] and text)
            lines = first == "{"
        except json.JSONDecodeError:
            lines = False
        if lines or re.match(r'\s*[\[{]\s*(["{\[\]}]|$)', text):
            what = "JSON lines" if lines else "JSON"
            raise InputError(f"{path} holds {what}, no CSV; convert it with pandas.read_json.")
    if re.match(r"\s*(<!doctype html|<html|<\?xml)", text[:200], re.IGNORECASE):
        raise InputError(f"{path} holds HTML or XML, no CSV; download or export the table again.")


def records(text: str, separator: str, limit: int = 200) -> list[list[str]]:
    """The first records of a CSV text, blank lines left out; empty where it cannot be parsed."""
    found = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if record:
                found.append(record)
            if len(found) == limit:
                break
    except csv.Error:
        return found[:1]
    return found


def code_columns(text: str, separator: str, header: list[str]) -> list[str]:
    """Columns of digits of one width, some with a zero in front: codes, which no number keeps.

    A postcode 01067 read as a number comes back as 1067.
    """
    rows = [row for row in records(text, separator, sys.maxsize)[1:] if len(row) == len(header)]
    found = []
    for name, cells in zip(header, zip(*rows, strict=True), strict=False):
        digits = [cell for cell in cells if cell.isdecimal()]
        others = {cell for cell in cells if not cell.isdecimal()}
        widths = {len(cell) for cell in digits}
        padded = any(cell[0] == "0" for cell in digits) and widths != {1}
        if padded and len(widths) == 1 and not any(map(_is_amount, others)):
            found.append(name)
    return found


def _is_amount(cell: str) -> bool:
    """Whether a cell that is no row of digits is a number all the same."""
    return any(char.isdecimal() for char in cell)


def likely_separator(text: str) -> str:
    """The separator that parts most records into as many fields as the header; else a comma."""
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        rows = records(text, separator)
        width = len(rows[0]) if rows else 0
        if width > 1:
            score = (sum(len(row) == width for row in rows) / len(rows), width)
            best, best_score = (separator, score) if score > best_score else (best, best_score)
    return best


def likely_decimal(text: str, separator: str, thousands: str | None = None) -> str:
    """A comma where it is no separator and stands inside numbers, and no point does.

    Args:
        text: The first lines.
        separator: What parts the fields.
        thousands: A mark that is overlooked between groups of three digits.
    """
    if separator == ",":
        return "."
    rows = itertools.zip_longest(*records(text, separator)[1:], fillvalue="")
    cells = [cell for column in rows if not _has_grouped(column) for cell in column]
    if thousands is not None:
        groups = re.compile(rf"(?<=\d){re.escape(thousands)}(?=\d{{3}}(?!\d))")
        cells = [groups.sub("", cell) for cell in cells]
    commas = sum(bool(re.fullmatch(r"\s*-?\d+,\d+\s*", cell)) for cell in cells)
    points = sum(bool(re.fullmatch(r"\s*-?\d+\.\d+\s*", cell)) for cell in cells)
    return "," if commas > 0 and points == 0 else "."


def _has_grouped(cells: Sequence[str]) -> bool:
    """Whether the commas of a column part thousands: 950 and 1,200, or 1,234,567."""
    stripped = [cell.strip() for cell in cells]
    commas = [cell for cell in stripped if re.fullmatch(r"-?[\d,]*,[\d,]*", cell)]
    plain = [cell for cell in stripped if re.fullmatch(r"-?\d+", cell)]
    if not commas or not all(re.fullmatch(r"-?[1-9]\d{0,2}(,\d{3})+", cell) for cell in commas):
        return False
    short = bool(plain) and all(len(cell.lstrip("-")) <= 3 for cell in plain)
    return short or any(cell.count(",") > 1 for cell in commas)
