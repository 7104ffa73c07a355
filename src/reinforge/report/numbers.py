"""Numbers and foreign text as a reader meets them: few digits, nothing invisible."""

import math
import unicodedata

_JOINERS = frozenset("\u200c\u200d")  # emoji and Persian need them; they cannot turn text around
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
NOTHING = "–"


def number(value: object) -> float | None:
    """The finite number that a field of a JSON file holds, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def decimals(value: float | None) -> str:
    """A score with three digits after the point, or three significant ones above 10.

    A value that rounds to nothing reads ``<0.001``, so that a small leak never looks like none.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    size = abs(value)
    if size == 0:
        text = "0"
    elif size < 0.0005:
        return "<0.001" if value > 0 else ">−0.001"
    elif size < 10:
        text = f"{size:.3f}"
    else:
        text = f"{size:,.1f}" if size < 1000 else f"{size:,.0f}"
    return ("−" if value < 0 else "") + text.replace(",", "\u202f")


def interval(low: float | None, high: float | None) -> str:
    """A 95 % interval in words, or nothing where an end is missing."""
    if low is None or high is None:
        return ""
    return f"{decimals(low)} to {decimals(high)}"


def percent(value: float | None) -> str:
    """A rate in per cent with at most two digits after the point."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if 0 < value < 0.00005:
        return "<0.01 %"
    return f"{100 * value:.2f}".rstrip("0").rstrip(".") + " %"


def count(value: object) -> str:
    """A whole number with thin spaces between the thousands."""
    whole = number(value)
    return NOTHING if whole is None else f"{whole:,.0f}".replace(",", "\u202f")


def tick(value: float) -> str:
    """A number on an axis: as short as it can be."""
    if value == 0:
        return "0"
    if abs(value) >= 10_000 or abs(value) < 0.001:
        digits, power = f"{value:.3e}".split("e")
        return f"{float(digits):g}e{int(power)}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def visible(text: object) -> str:
    """Foreign text with every invisible or direction-turning character made visible.

    A column name may hold a newline, a right-to-left override or half of a surrogate pair: the
    first breaks a table, the second turns the numbers beside it around, the third cannot be written
    as UTF-8.
    """
    return "".join(
        char
        if char in _JOINERS or unicodedata.category(char) not in _HIDDEN
        else ("⏎" if char == "\n" else f"⟨U+{ord(char):04X}⟩")
        for char in str(text)
    )


def shorten(text: object, n_characters: int) -> str:
    """Visible text, cut to a length with an ellipsis where something is missing."""
    shown = visible(text)
    return shown if len(shown) <= n_characters else shown[: n_characters - 1].rstrip() + "…"
