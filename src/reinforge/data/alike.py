"""Names that only their case, spaces at their ends or forms of letters tell apart."""

import unicodedata
import warnings
from collections.abc import Iterable

from reinforge.schema import Schema


def look_alikes(names: Iterable[str]) -> list[tuple[str, str]]:
    """Each name that looks like an earlier one, after that one."""
    first: dict[str, str] = {}
    pairs = []
    for name in names:
        plain = unicodedata.normalize("NFKC", name).strip().casefold()
        other = first.setdefault(plain, name)
        if other != name:
            pairs.append((other, name))
    return pairs


def warn_of_alike_levels(schema: Schema) -> None:
    """Say which levels are learnt as two and were perhaps meant as one."""
    for column in schema.modelled:
        if pairs := look_alikes(level for level in column.categories if isinstance(level, str)):
            told = ", ".join(f"{one!r} and {other!r}" for one, other in pairs[:3])
            more = f" and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
            warnings.warn(
                f"column {column.name!r}: levels {told}{more} look alike; they are learnt as they "
                "stand. Write them in one way if they mean the same.",
                stacklevel=4,
            )
