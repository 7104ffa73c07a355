"""What a text column really holds: yes or no, dates of one form, numbers, contacts, or prose."""

import re

import numpy as np
import pandas as pd

from reinforge.data.dtypes import refuse_rows
from reinforge.errors import InputError

BOOLEAN_PAIRS = frozenset(
    frozenset(pair)
    for pair in (
        ("no", "yes"),
        ("false", "true"),
        ("n", "y"),
        ("f", "t"),
        ("off", "on"),
    )
)
_DATE = re.compile(r"^\s*\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?([T ]\d{1,2}:\d{2}.*)?\s*$")
_DAYS = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y-%m",
)
_HOURS = ("", "T%H:%M:%S", " %H:%M:%S", " %H:%M", "T%H:%M", "T%H:%M:%S.%f", " %H:%M:%S.%f")
_CONTACT = re.compile(
    r"^([^@\s]+@[^@\s]+\.\w+"  # e-mail
    r"|\+?[\d][\d ()/.-]{6,}\d"  # telephone
    r"|[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})$"  # UUID
)
_GROUPED = {
    mark: re.compile(rf"^-?[1-9]\d{{0,2}}(?:{mark}\d{{3}})*(?:{point}\d+)?$|^0(?:{point}\d+)?$")
    for mark, point in (("[,]", "[.]"), ("[.]", "[,]"), ("[ ]", "[.,]"), ("[']", "[.,]"))
}
MOSTLY = 0.9  # a column that is so often a number (or a date) was meant to be one


def is_boolean_text(levels: list[str]) -> bool:
    """Whether two levels say yes and no, in any case of letters."""
    return len(levels) == 2 and frozenset(x.strip().lower() for x in levels) in BOOLEAN_PAIRS


def looks_like_contacts(levels: pd.Series) -> bool:
    """Whether nearly all levels are e-mail addresses, telephone numbers or UUIDs."""
    head = levels.head(1000)
    matched = head.map(lambda text: bool(_CONTACT.match(text)) and not _DATE.match(text))
    return bool(np.mean(matched.to_numpy(dtype=bool)) >= MOSTLY)


def is_prose(levels: pd.Series) -> bool:
    """Whether levels are sentences: at least 5 words, or 50 characters, in the mean."""
    head = levels.head(1000)
    words = np.mean([len(text.split()) for text in head])
    length = np.mean([len(text) for text in head])
    return bool(words >= 5 or length >= 50)


def date_form(series: pd.Series) -> str | None:
    """The one strftime form that writes every value exactly as it stands, or None.

    `01/02/2020` fits two forms; the month comes first unless a day above 12 shows otherwise.

    Raises:
        InputError: Nine values in ten fit one form and the others do not; names their rows.
    """
    levels = pd.Series(series.dropna().unique(), dtype=object)
    probe = levels.head(50)
    if np.mean([bool(_DATE.match(text)) for text in probe]) < MOSTLY:
        return None
    best, share = None, 0.0
    for form in _forms(probe):
        fits = _fits(levels, form)
        if fits.all():
            return form
        if fits.mean() > share:
            best, share = form, float(fits.mean())
    if best is not None and share >= MOSTLY:
        wrong = series.notna() & ~series.isin(levels[_fits(levels, best)])
        refuse_rows(
            series,
            wrong.to_numpy(dtype=bool),
            f"no date of the form {best} (the others are)",
            "mend them, or declare the column as categorical in the schema",
        )
    return None


def _forms(probe: pd.Series) -> list[str]:
    """Forms worth a try: those that at least half of the first values fit."""
    suffixes = {""}
    zone = re.compile(r"\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$")
    for text in probe:
        found = zone.search(text)
        if found:
            suffixes.add(found.group(1))
    forms = [d + h + s for s in sorted(suffixes) for h in _HOURS for d in _DAYS if h or not s]
    return [form for form in forms if _fits(probe, form).mean() >= 0.5]


def _fits(levels: pd.Series, form: str) -> np.ndarray:
    parsed = pd.to_datetime(levels, format=form, errors="coerce")
    written = parsed.dt.strftime(form).astype(object)
    return (parsed.notna() & (written == levels)).to_numpy(dtype=bool)


def number_decimals(series: pd.Series) -> int | None:
    """Digits after the point of text that is numbers in one plain form (`-1.50`), else None.

    Raises:
        InputError: Nine values in ten are numbers and the others are not; names their rows.
    """
    levels = pd.Series(series.dropna().unique(), dtype=object)
    amounts = pd.to_numeric(levels, errors="coerce").to_numpy(dtype="float64")
    good = np.isfinite(amounts)
    if good.all():
        digits = {len(text.partition(".")[2]) for text in levels}
        if len(digits) == 1:
            places = digits.pop()
            written = [f"{amount:.{places}f}" for amount in amounts]
            return places if written == levels.tolist() else None
        return None
    if len(levels) >= 10 and good.mean() >= MOSTLY and np.sum(~good) <= 10:
        _refuse_words(series, levels, good)
    return None


def _refuse_words(series: pd.Series, levels: pd.Series, good: np.ndarray) -> None:
    """Refuse the levels that are no numbers, if there are some, by their rows."""
    refuse_rows(
        series,
        (series.notna() & ~series.isin(levels[good])).to_numpy(dtype=bool),
        f"no number, though {good.sum()} of {len(good)} distinct values are",
        mend_or_declare(levels[~good]),
    )


def mend_or_declare(words: pd.Series) -> str:
    """What to do about some words in a column of numbers, with the setting that reads over them."""
    shown = [word.strip() for word in words if len(word.strip()) <= 12][:3]
    return (
        f'mend them, read them as missing (--set "data.na_values={shown or ["?"]}"), or declare '
        "the column as categorical"
    )


def refuse_decimal_commas(series: pd.Series) -> None:
    """Refuse numbers with a decimal comma, which a table of numbers with points or words keeps."""
    levels = pd.Series(series.dropna().unique(), dtype=object)
    fits = levels.str.fullmatch(r"\s*-?\d+(,\d+)?\s*").to_numpy(dtype=bool)
    commas = levels[fits].str.contains(",", regex=False)
    if len(levels) < 10 or fits.mean() < MOSTLY or commas.mean() < 0.25:
        return
    _refuse_words(series, levels, fits)
    raise InputError(
        f"column {series.name!r} holds numbers with a decimal comma; read them so (--set "
        "\"data.decimal=','\", in Python decimal=','), or declare the column as categorical or "
        "identifier."
    )


def refuse_grouped_numbers(series: pd.Series) -> None:
    """Refuse numbers that are written with a mark between their thousands (`1,234,567`)."""
    levels = [text.strip() for text in series.dropna().unique()]
    for mark, pattern in _GROUPED.items():
        matched = [text for text in levels if pattern.match(text)]
        grouped = [text for text in matched if re.search(rf"\d{mark}\d", text)]
        lengths = {len(text.partition("." if mark != "[.]" else ",")[0]) for text in matched}
        few = len(levels) < 10 or len(matched) < MOSTLY * len(levels) or len(lengths) == 1
        if not few and len(grouped) >= 0.25 * len(levels):
            shown = mark.strip("[]")
            raise InputError(
                f"column {series.name!r} holds numbers with {shown!r} between the thousands; read "
                f"them so (--set \"data.thousands='{shown}'\", in Python thousands={shown!r}), or "
                "declare the column as categorical or identifier."
            )


def several_date_forms(series: pd.Series) -> list[str]:
    """The forms of a column whose values are dates of more than one form; else nothing."""
    levels = pd.Series(series.dropna().unique(), dtype=object)
    if not len(levels) or not all(isinstance(text, str) for text in levels):
        return []
    if np.mean([bool(_DATE.match(text)) for text in levels.head(50)]) < MOSTLY:
        return []
    fits = {day: _fits(levels, day) for day in _DAYS}
    found: list[str] = []
    left = np.ones(len(levels), dtype=bool)
    while left.any():
        best = max(fits, key=lambda day: int((fits[day] & left).sum()))
        if not (fits[best] & left).any():
            break
        found.append(best)
        left &= ~fits[best]
    return found if len(found) > 1 and left.mean() <= 1 - MOSTLY else []


def refuse_many_levels(series: pd.Series, n_levels: int, limit: int) -> None:
    """Refuse a text column with more levels than a generator can learn."""
    if n_levels > limit:
        rows = len(series)
        raise InputError(
            f"column {series.name!r} has {n_levels:,} levels in {rows:,} rows "
            f"({rows / n_levels:.1f} rows a level; the limit is {limit:,}, as every level needs an "
            "output of its own): group rare levels, drop the column, or declare it as an "
            "identifier."
        )
