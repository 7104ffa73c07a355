"""Settings of one run: what may be set, and the order in which the sources override each other."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reinforge.errors import InputError

Settings = dict[str, Any]  # nested: {"split": {"target": "outcome"}}


def listed(value: Any) -> Any:
    """Read "a,b" and ["a,b", "c"] as the list that they mean."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list | tuple):
        return [
            part.strip()
            for item in value
            for part in (item.split(",") if isinstance(item, str) else [item])
        ]
    return value


def alone(value: Any) -> Any:
    """Read one text or number as the list of texts that it means."""
    if isinstance(value, list | tuple):
        return [str(item) if _is_number(item) else item for item in value]
    return [str(value)] if isinstance(value, str) or _is_number(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Section(BaseModel):
    """A group of settings: unknown keys are refused, nothing changes after birth."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class System(Section):
    """All settings of a run of one system: sections, and what a fitted run cannot change."""

    fitted: ClassVar[tuple[str, ...]] = ()
    panels: ClassVar[dict[str, str]] = {}  # section -> heading of its flags in the help

    @classmethod
    def open_sections(cls) -> dict[str, type[BaseModel]]:
        """Sections that take any key of another model, too."""
        return {}

    def refuse_contradictions(self) -> None:
        """Refuse, by InputError, what can be told from the settings alone."""


Kind = TypeVar("Kind", bound=System)


class DataSettings(Section):
    """How the table is read and which of its columns are used."""

    sep: str | None = Field(
        default=None, description="Column separator of a text table; found if not given."
    )
    encoding: str | None = Field(
        default=None, description="Encoding of a text table; found if not given."
    )
    decimal: str | None = Field(
        default=None, description="Decimal mark of a text table; found if not given."
    )
    thousands: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="What parts the thousands of numbers in a text table; nothing if not given.",
    )
    na_values: tuple[str, ...] = Field(
        default=(), description='More texts that mean missing, e.g. "?".'
    )
    keep_default_na: bool = Field(
        default=True, description="Whether empty, NA, null, ... mean missing."
    )
    drop: tuple[str, ...] = Field(default=(), description="Column to leave out (repeatable).")
    columns: dict[str, dict[str, Any]] = Field(
        default={}, description="Per column: kind, categories, minimum, ... over what was inferred."
    )

    _lists = field_validator("na_values", "drop", mode="before")(alone)


class SplitSettings(Section):
    """Which rows the generator may see, and what the judges predict."""

    target: str | None = Field(
        default=None, description="Column that the utility classifiers predict."
    )
    sensitive: tuple[str, ...] = Field(
        default=(), description="Columns whose groups are scored apart, e.g. sex,site."
    )
    person: str | None = Field(
        default=None, description="Column naming the person: all rows of a person stay on one side."
    )
    holdout: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="Share of rows the generator never sees; they judge it.",
    )

    _lists = field_validator("sensitive", mode="before")(listed)


class ModelSettings(Section):
    """The generator: a preset, and any key of its settings over it."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    preset: str = Field(
        default="default", description="Named settings: default, rlsyn-mimic, rlsyn-aireadi."
    )
    rules: tuple[str, ...] = Field(
        default=(),
        description='Rule that rows should keep, e.g. "systolic > diastolic" (repeatable).',
    )

    max_leakage: float | None = Field(
        default=None,
        gt=0.5,
        lt=1,
        description="Largest membership AUC on halves of the train rows; settings are made more "
        "private until it holds (two fits a try).",
    )

    @property
    def generator(self) -> Settings:
        """The keys that belong to the generator itself."""
        return dict(self.model_extra or {})


class SampleSettings(Section):
    """How many rows to draw, and which."""

    n: int | None = Field(
        default=None,
        ge=0,
        description="Rows (of pictures: of each identity); as many as were real if not given.",
    )
    seed: int | None = Field(
        default=None, description="Seed of the draw; the run's seed + 1 if not given."
    )
    where: tuple[str, ...] = Field(
        default=(), description="Draw only rows with column=value (repeatable; exact counts)."
    )
    balance: str | None = Field(
        default=None, description="Draw equally many rows of each level of this column."
    )


class EvaluateSettings(Section):
    """How closely the rows are judged."""

    level: Literal["quick", "full"] = Field(
        default="full", description="quick: seconds; full: every score."
    )
    seed: int | None = Field(
        default=None, description="Seed of the judges; the run's seed + 2 if not given."
    )
    require: tuple[str, ...] = Field(
        default=(),
        description='Gate, e.g. "membership_auc<=0.55"; exit code 3 if it fails (repeatable).',
    )


class RunSettings(System):
    """Everything that one run of tables was asked for; saved in the run's config.json."""

    fitted: ClassVar[tuple[str, ...]] = ("seed", "data", "split", "model")
    panels: ClassVar[dict[str, str]] = {
        "data": "Table",
        "split": "Split",
        "model": "Generator",
        "sample": "Draw",
        "evaluate": "Judges",
    }

    seed: int = Field(default=0, description="Same seed, same bytes.")
    data: DataSettings = DataSettings()
    split: SplitSettings = SplitSettings()
    model: ModelSettings = ModelSettings()
    sample: SampleSettings = SampleSettings()
    evaluate: EvaluateSettings = EvaluateSettings()

    @classmethod
    def open_sections(cls) -> dict[str, type[BaseModel]]:
        """The generator's own settings."""
        from reinforge.systems.tabular.config import TabularConfig

        return {"model": TabularConfig}

    def refuse_contradictions(self) -> None:
        """Refuse what the generator refuses."""
        from reinforge.systems.tabular.config import resolve_config

        resolve_config(self.model.preset, self.model.generator)

    @property
    def sample_seed(self) -> int:
        """The seed of the draw."""
        return self.seed + 1 if self.sample.seed is None else self.sample.seed

    @property
    def evaluate_seed(self) -> int:
        """The seed of the judges."""
        return self.seed + 2 if self.evaluate.seed is None else self.evaluate.seed


def merged(*layers: Mapping[str, Any]) -> Settings:
    """Lay settings over each other, later over earlier; lists are replaced."""
    result: Settings = {}
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            inside = isinstance(below, dict) and isinstance(value, Mapping)
            result[key] = merged(below, value) if inside else value  # type: ignore[arg-type]
    return result


def assignment(text: str, kind: type[System] = RunSettings) -> Settings:
    """Read one `--set section.key=value`; the value is YAML, the section may be left out.

    Raises:
        InputError: There is no `=`, no key, the value is not YAML, or a lone key is unknown.
    """
    from reinforge.cli.yaml_file import parse_yaml

    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals or not all(path.split(".")):
        raise InputError(
            f"--set wants section.key=value, got {text!r}; e.g. --set model.n_steps=100"
        )
    result: Any = value.strip() or None
    if result is not None and (len(result) > 1 or result.isalnum() or result == "~"):
        result = parse_yaml(value, origin=f"--set {path}")  # else a sign such as ? is itself
    for key in reversed(_full_path(path, kind).split(".")):
        result = {key: result}
    return result


def _full_path(path: str, kind: type[System]) -> str:
    """A lone key with its section, e.g. n_steps -> model.n_steps.

    The generator's come first, then those of sections that take any key of a model, in their order.
    """
    if "." in path or path in kind.model_fields:
        return path
    homes = [key for key in known_keys(kind) if key.rpartition(".")[2] == path]
    for section in ("model", *kind.open_sections()):
        if f"{section}.{path}" in homes:
            return f"{section}.{path}"
    if len(homes) != 1:
        raise InputError(unknown_key(path, homes or known_keys(kind)))
    return homes[0]


def checked(settings: Settings, kind: type[Kind] = RunSettings) -> Kind:  # type: ignore[assignment]
    """Turn plain settings into checked ones.

    Raises:
        InputError: A key is unknown (the nearest one is named) or a value is of no use.
    """
    try:
        resolved = kind.model_validate(settings)
    except ValidationError as error:
        raise InputError(_explained(error, kind)) from None
    known = known_keys(kind)
    for section in kind.open_sections():
        for key in getattr(resolved, section).model_extra or {}:
            if f"{section}.{key}" not in known:
                raise InputError(unknown_key(f"{section}.{key}", known))
    resolved.refuse_contradictions()
    return resolved


def known_keys(kind: type[System] = RunSettings) -> list[str]:
    """Every key that may be set, with its section: ["seed", "data.sep", ...]."""
    keys = list(_keys_of(kind))
    for section, model in kind.open_sections().items():
        keys += [f"{section}.{key}" for key in model.model_fields]
    return keys


def _keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys_of(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _explained(error: ValidationError, kind: type[System]) -> str:
    """One line for all that is wrong: the path of each value, what was wanted, what came."""
    return " ".join(_problem(problem, kind) for problem in error.errors())


def _problem(problem: Any, kind: type[System]) -> str:
    path = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return unknown_key(path, known_keys(kind))
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if problem["type"] in ("tuple_type", "list_type"):
        message = "a list such as [a, b] was wanted"
    return (
        f"setting {path!r}: {message[:1].lower()}{message[1:]}, got {_short(problem.get('input'))}."
    )


def unknown_key(path: str, known: list[str]) -> str:
    """Name an unknown key and the nearest known one, wherever it lives."""
    section, _, leaf = path.rpartition(".")
    leaves = [key.rpartition(".")[2] for key in known]
    sections = list(dict.fromkeys(key.partition(".")[0] for key in known))
    near = difflib.get_close_matches(leaf, leaves, n=1)
    homes = [key for key in known if key.rpartition(".")[2] in near]
    inside = [key for key in known if section and key.startswith(f"{section}.")]
    nearest = [key for key in homes if key.rpartition(".")[0] == section] or homes
    if not nearest and not inside:  # else the section alone would be what they have in common
        nearest = difflib.get_close_matches(path, [*known, *sections], n=1)
    if nearest:
        return f"setting {path!r} is not known; did you mean {nearest[0]!r}?"
    choice = ", ".join(inside or sections)
    return f"setting {path!r} is not known; there are {choice}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
