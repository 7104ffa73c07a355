"""A contact sheet: rows of small pictures with labels, for documents and benchmark pages."""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from itertools import accumulate
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from reinforge.errors import InputError

INK, PAPER, RULE = (30, 30, 30), (255, 255, 255), (170, 170, 170)
FONT_SIZE, LINE = 14, 18  # of words, and from one line to the next, in screen pixels
MARGIN, GAP, GROUP_GAP = 8, 2, 14  # round the sheet, between pictures, between groups
LABEL_WIDTH = 150  # longer labels are wrapped
MAX_PIXELS = 50_000_000  # of a sheet: more is a mistake in `scale` or in the number of pictures


def contact_sheet(
    rows: Sequence[tuple[str, np.ndarray]],
    *,
    scale: int = 2,
    columns: Sequence[tuple[str, int]] = (),
    rows_per_group: int | None = None,
    title: str = "",
) -> bytes:
    """Draw rows of pictures, e.g. real ones above generated ones, before beside after.

    A pixel becomes `scale` x `scale` equal ones, so that nothing is smoothed away.

    Args:
        rows: Label and pictures, uint8 (image, height, width, channel), grey or RGB, all of one
            size. Rows may differ in number of pictures and leave places empty at their end.
        scale: Screen pixels a pixel, 1 or more.
        columns: Heading and number of pictures of the groups of columns, from the left, e.g.
            `[("cold start", 6), ("reinforced", 6)]`; none makes one group without a heading.
        rows_per_group: A line is drawn after so many rows, e.g. after the real and the generated
            pictures of each identity.
        title: Put above all.

    Returns:
        A PNG file; equal arguments give equal bytes.

    Raises:
        InputError: There is nothing to draw, the pictures are not uint8 of one size, the columns do
            not fit them, or the sheet would be too large.
    """
    height, width = _refuse_bad(rows, scale, rows_per_group)
    groups = _groups(rows, columns)
    labels = [_wrapped(label, LABEL_WIDTH) for label, _ in rows]
    left = MARGIN + max(map(_width, labels)) + (GAP + MARGIN if any(map(_width, labels)) else 0)
    lefts, right = _lefts(groups, width + GAP, left)
    heads = _heads(groups, lefts, right)
    titles = _wrapped(title, right - MARGIN)
    top = MARGIN + LINE * (len(titles) + max(len(lines) for lines, _ in heads)) + GAP
    tops, bottom = _tops(labels, height, top, rows_per_group or len(rows))
    sheet = _empty(right + MARGIN, bottom + MARGIN)
    _write(sheet, titles, MARGIN, MARGIN)
    for lines, at in heads:
        _write(sheet, lines, at, top - GAP - LINE * len(lines))
    for k, ((_, pictures), lines, at) in enumerate(zip(rows, labels, tops, strict=True)):
        if rows_per_group and k and k % rows_per_group == 0:
            y = at - GROUP_GAP // 2 - 1
            ImageDraw.Draw(sheet).line([(MARGIN, y), (right, y)], fill=RULE)
        _write(sheet, lines, MARGIN, at + max(0, height - LINE * len(lines)) // 2)
        for picture, x in zip(pictures, lefts, strict=False):
            sheet.paste(_enlarged(picture, scale), (x, at))
    file = BytesIO()
    sheet.save(file, format="PNG", optimize=True)
    return file.getvalue()


def _refuse_bad(
    rows: Sequence[tuple[str, np.ndarray]], scale: int, rows_per_group: int | None
) -> tuple[int, int]:
    """Height and width of a picture on the sheet."""
    if scale < 1 or (rows_per_group is not None and rows_per_group < 1):
        raise InputError(
            f"contact_sheet: scale and rows_per_group are 1 or more, got {scale} and "
            f"{rows_per_group}."
        )
    sizes: dict[tuple[int, int], str] = {}
    for label, pictures in rows:
        is_fit = pictures.dtype == np.uint8 and pictures.ndim == 4 and pictures.shape[3] in (1, 3)
        if not is_fit:
            raise InputError(
                f"contact_sheet: row {label!r} must hold uint8 pictures (image, height, width, "
                f"channel) with 1 or 3 channels, got {pictures.dtype} {pictures.shape}."
            )
        if len(pictures):
            sizes.setdefault((pictures.shape[1], pictures.shape[2]), label)
    if not sizes or min(map(min, sizes)) < 1:
        raise InputError(
            "contact_sheet: there is no picture to draw; give at least one row of them."
        )
    if len(sizes) > 1:
        found = ", ".join(f"{h} x {w} in {label!r}" for (h, w), label in sizes.items())
        raise InputError(f"contact_sheet: pictures must have one size, got {found}; resize them.")
    ((height, width),) = sizes
    return height * scale, width * scale


def _groups(
    rows: Sequence[tuple[str, np.ndarray]], columns: Sequence[tuple[str, int]]
) -> list[tuple[str, int]]:
    """Heading and number of pictures of each group of columns."""
    n_columns = max(len(pictures) for _, pictures in rows)
    groups = list(columns) or [("", n_columns)]
    if min(n for _, n in groups) < 1 or sum(n for _, n in groups) < n_columns:
        raise InputError(
            f"contact_sheet: columns name {[n for _, n in groups]} pictures, but a row has "
            f"{n_columns}; name as many, and at least 1 a group."
        )
    return groups


def _lefts(groups: list[tuple[str, int]], step: int, left: int) -> tuple[list[int], int]:
    """Where each column of pictures starts, and where the last one ends."""
    lefts = []
    for _, n in groups:
        lefts += [left + k * step for k in range(n)]
        left += n * step - GAP + GROUP_GAP
    return lefts, left - GROUP_GAP


def _heads(
    groups: list[tuple[str, int]], lefts: list[int], right: int
) -> list[tuple[list[str], int]]:
    """The headings, wrapped to the width of their groups, and where they start."""
    starts = [lefts[k] for k in accumulate((n for _, n in groups[:-1]), initial=0)]
    ends = [start - GROUP_GAP for start in starts[1:]] + [right]
    return [
        (_wrapped(heading, end - start), start)
        for (heading, _), start, end in zip(groups, starts, ends, strict=True)
    ]


def _tops(
    labels: list[list[str]], height: int, top: int, rows_per_group: int
) -> tuple[list[int], int]:
    """Where each row starts, and where the last one ends; a long label makes room for itself."""
    tops = []
    for k, lines in enumerate(labels):
        top += GROUP_GAP - GAP if k and k % rows_per_group == 0 else 0
        tops.append(top)
        top += max(height, LINE * len(lines)) + GAP
    return tops, top - GAP


def _empty(width: int, height: int) -> Image.Image:
    if width * height > MAX_PIXELS:
        raise InputError(
            f"contact_sheet: the sheet would have {width:,} x {height:,} pixels, more than "
            f"{MAX_PIXELS:,}; draw fewer pictures or lower scale."
        )
    return Image.new("RGB", (width, height), PAPER)


def _enlarged(picture: np.ndarray, scale: int) -> Image.Image:
    rgb = np.broadcast_to(picture, (*picture.shape[:2], 3))
    return Image.fromarray(np.ascontiguousarray(rgb.repeat(scale, axis=0).repeat(scale, axis=1)))


@cache
def _font() -> ImageFont.FreeTypeFont:
    """DejaVu Sans from matplotlib's files: Pillow's own font has no accents, Greek or Cyrillic."""
    return ImageFont.truetype(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf"), FONT_SIZE)


def _width(lines: list[str]) -> int:
    return max((ceil(_font().getlength(line)) for line in lines), default=0)


def _wrapped(text: str, room: int) -> list[str]:
    """Lines that fit into `room` pixels; a word that does not fit is broken."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            if line and _width([f"{line} {word}"]) > room:
                lines.append(line)
                line = ""
            line = f"{line} {word}" if line else word
            while len(line) > 1 and _width([line]) > room:
                n_fit = sum(_width([line[:n]]) <= room for n in range(1, len(line)))
                lines.append(line[: max(1, n_fit)])
                line = line[max(1, n_fit) :]
        lines.append(line)
    return lines


def _write(sheet: Image.Image, lines: list[str], left: int, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    for k, line in enumerate(lines):
        draw.text((left, top + LINE * k), line, fill=INK, font=_font())
