"""What a table is made of: one `Column` a column, without a single row of the data.

A schema is public: it is saved beside the model and printed in reports. So it holds no extreme
value, no rare level and nothing else that only few rows share; bounds are the user's own or
natural ones (zero).
"""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from reinforge.errors import InputError

Kind = Literal[
    "continuous",
    "integer",
    "boolean",
    "categorical",
    "ordinal",
    "datetime",
    "timedelta",
    "constant",
    "empty",
    "identifier",
    "text",
]
NUMERIC_KINDS = frozenset({"continuous", "integer", "datetime", "timedelta"})
DISCRETE_KINDS = frozenset({"boolean", "categorical", "ordinal"})

Scalar = Annotated[
    StrictBool | StrictInt | StrictFloat | StrictStr | None, Field(union_mode="left_to_right")
]


class Column(BaseModel):
    """One column of a table: how it is modelled and how it is written back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    dtype: str  # the pandas dtype that samples come back in, e.g. "Int64" or "datetime64[ns, UTC]"
    categories: tuple[Scalar, ...] = ()  # levels of a discrete column; an ordinal's in rising order
    minimum: float | None = None  # hard bounds, in coded units (datetime: seconds since 1970)
    maximum: float | None = None
    decimals: int | None = None  # digits after the point that the data carry; None: unlimited
    datetime_format: str | None = None  # strftime form where dates came as text
    missing: bool = False  # whether the column may be missing
    value: Scalar = None  # the one value of a constant column
    remake: bool = False  # identifiers: write fresh made-up ones instead of leaving the column out

    @property
    def is_modelled(self) -> bool:
        """Whether the generator learns this column (constants, identifiers and text are not)."""
        return self.kind in NUMERIC_KINDS or self.kind in DISCRETE_KINDS

    @property
    def is_numeric(self) -> bool:
        """Whether coded values are amounts (and not positions in `categories`)."""
        return self.kind in NUMERIC_KINDS


class Schema(BaseModel):
    """All columns of a table, in the table's order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...]

    def __getitem__(self, name: str) -> Column:
        """The column of that name; an unknown name is refused with the known ones."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InputError(f"no column {name!r}; the table has {', '.join(map(repr, self.names))}.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def modelled(self) -> tuple[Column, ...]:
        """The columns that a generator learns, in order."""
        return tuple(column for column in self.columns if column.is_modelled)
