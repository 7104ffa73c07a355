"""Flags: those of settings are read off the settings models, so each has one home and default."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer
from pydantic.fields import FieldInfo

from reinforge.cli.asked import Asked
from reinforge.cli.settings import RunSettings, System

# setting -> its flag; a setting without a flag is reached by --set or --config
FLAGS: dict[str, tuple[str, ...]] = {
    "seed": ("--seed",),
    "prior": ("--prior",),
    "start": ("--start",),
    "data.layout": ("--layout",),
    "data.sep": ("--sep",),
    "data.encoding": ("--encoding",),
    "data.drop": ("--drop",),
    "split.target": ("--target",),
    "split.sensitive": ("--sensitive",),
    "split.person": ("--person",),
    "split.holdout": ("--holdout",),
    "model.preset": ("--preset",),
    "model.rules": ("--rule",),
    "model.max_leakage": ("--max-leakage",),
    "sample.n": ("--rows", "-n"),
    "sample.seed": ("--seed",),
    "sample.where": ("--where",),
    "sample.balance": ("--balance",),
    "sample.identities": ("--identities",),
    "sample.newcomers": ("--newcomers",),
    "sample.parents": ("--parents",),
    "sample.apart": ("--apart",),
    "split.unseen": ("--unseen",),
    "final.arms": ("--arms",),
    "evaluate.judge": ("--judge",),
    "evaluate.level": ("--level",),
    "evaluate.seed": ("--seed",),
    "evaluate.require": ("--require",),
}
_PARSED = (bool, int, float)

Run = Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Folder of the run; made if it is not there.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run that lies in the folder.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what lies there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show schema and plan; write nothing.")]
Preview = Annotated[bool, typer.Option("--preview", help="Show five synthetic rows.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Where the run's table lies now.", show_default=False),
]


def verb(
    app: typer.Typer,
    name: str,
    *,
    settings: tuple[str, ...] = (),
    kinds: tuple[type[System], ...] = (RunSettings,),
    examples: tuple[str, ...] = (),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command.

    Its parameters become flags, except `asked`, `screen` and `stop`, which are filled in; the flags
    of the named settings, --config, --set and the flags of the screen come after them.

    Args:
        app: Where the command goes.
        name: Its name.
        settings: Which settings have a flag here, e.g. ("seed", "data.sep").
        kinds: Of which systems they are; the first that has one tells its help and default.
        examples: Command lines shown under the help.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(function, eval_str=True).parameters
        filled = {key for key in ("asked", "screen", "stop") if key in own}
        flags = [parameter for key, parameter in own.items() if key not in filled]
        shared = _shared_flags(settings if "asked" in own else None, kinds)

        def call(context: Any, **values: Any) -> None:
            screen, stop = context.obj
            asked = _asked(values, settings)
            values = {key: values[key] for key in own if key not in filled}
            given = {"asked": asked, "screen": screen, "stop": stop}
            screen.payload["verb"] = context.command_path.partition(" ")[2]
            function(**values, **{key: given[key] for key in filled})

        context = inspect.Parameter(
            "context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context
        )
        named = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in flags]
        call.__annotations__ = {}  # the signature alone speaks
        call.__signature__ = inspect.Signature([context, *named, *shared])  # type: ignore[attr-defined]
        call.__doc__, call.__name__ = _unwrapped(function.__doc__), function.__name__
        epilog = "\n\n".join(["Examples:", *examples]) if examples else None
        app.command(name, epilog=epilog)(call)
        return function

    return register


def _unwrapped(docstring: str | None) -> str:
    """A docstring whose paragraphs are one line each, for a terminal of any width."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _shared_flags(
    settings: tuple[str, ...] | None, kinds: tuple[type[System], ...]
) -> list[inspect.Parameter]:
    """Flags of the named settings, their files, and the screen; no settings at all for None."""
    flags = []
    if settings is not None:
        flags += [_flag(path, kinds) for path in settings]
        if "data.sep" in settings:
            flags.append(_option("schema", Path, "Schema file over what is inferred.", "Table"))
        flags.append(_option("config", Path, "Settings file (YAML).", "Settings"))
        flags.append(
            _option("set", list[str], "One setting as section.key=value (repeatable).", "Settings")
        )
    flags.append(_option("json", bool, "Print one JSON object on stdout.", "Screen"))
    flags.append(_option("quiet", bool, "No progress and no notes.", "Screen"))
    flags.append(_option("debug", bool, "Show the traceback of an error.", "Screen"))
    return flags


def _option(name: str, kind: Any, text: str, panel: str) -> inspect.Parameter:
    default, annotation = (False, bool) if kind is bool else (None, kind | None)
    option = typer.Option(f"--{name}", help=text, rich_help_panel=panel, show_default=False)
    return _parameter(f"flag_{name}", Annotated[annotation, option], default)


def _flag(path: str, kinds: tuple[type[System], ...]) -> inspect.Parameter:
    """The flag of one setting: its type, its help and its default as the model says."""
    section, _, key = path.rpartition(".")
    kind, field = next(found for kind in kinds if (found := _field(kind, section, key)))
    option = typer.Option(
        *FLAGS[path],
        help=f"{field.description}{_default_text(field)}",
        rich_help_panel=kind.panels.get(section, "Settings"),
        show_default=False,
    )
    return _parameter(_dest(path), Annotated[_kind(field) | None, option], None)


def _default_text(field: FieldInfo) -> str:
    default = field.get_default()
    return "" if default in (None, ()) or default is False else f" Default: {default}."


def _field(kind: type[System], section: str, key: str) -> tuple[type[System], FieldInfo] | None:
    """A setting of a system, with the system; None where it has no such setting."""
    model: Any = kind
    if section:
        model = kind.model_fields[section].annotation if section in kind.model_fields else None
    found = model.model_fields.get(key) if model is not None else None
    return None if found is None else (kind, found)


def _kind(field: FieldInfo) -> Any:
    """What the parser should read: a switch, a number, a list of texts, or a text to be checked."""
    if get_origin(field.annotation) is tuple:
        return list[str]
    return next((kind for kind in _PARSED if field.annotation in (kind, kind | None)), str)


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def _dest(path: str) -> str:
    return f"setting_{path.replace('.', '_')}"


def _asked(values: dict[str, Any], settings: tuple[str, ...]) -> Asked:
    """What the user asked for, in the three places where it can be said."""
    flags: dict[str, Any] = {}
    for path in settings:
        value = values.get(_dest(path))
        if value not in (None, []):
            section, _, key = path.rpartition(".")
            (flags.setdefault(section, {}) if section else flags)[key] = value
    return Asked(
        flags=flags,
        assignments=tuple(values.get("flag_set") or ()),
        config=values.get("flag_config"),
        schema=values.get("flag_schema"),
    )
