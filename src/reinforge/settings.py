"""Settings checked before work starts: a typo or a bad value is one line with the remedy."""

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reinforge.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], settings: dict[str, Any], *, where: str = "") -> Model:
    """Build a settings model, or say in one line what is wrong with the first bad setting.

    Args:
        model: The pydantic model, with `extra="forbid"`.
        settings: Name to value.
        where: Put before a setting's name, e.g. "run.yaml: ".

    Raises:
        InputError: A name is not known (the nearest known one is shown) or a value does not fit.
    """
    try:
        return model(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = list(_group(model, first["loc"][:-1]).model_fields)
            near = difflib.get_close_matches(path.split(".")[-1], known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}."
            raise InputError(f"{where}setting {path!r} is not known; {hint}") from None
        message = first["msg"][0].lower() + first["msg"][1:]
        raise InputError(f"{where}setting {path!r}: {message}, got {first['input']!r}.") from None


def _group(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel]:
    """The model of a nested group of settings."""
    for part in path:
        inner = model.model_fields[str(part)].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return model
