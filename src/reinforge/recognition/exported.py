"""Networks exported by torch (.pt2), read without running anything but tensor operations.

torch.export.load unpickles sample inputs and some constants, evaluates sympy expressions and
compiles guards that a file brings, and looks up any function of torch by its name. So a file is
taken apart first: pickles are refused or emptied, guards dropped, names and expressions held
against lists.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from reinforge.errors import InputError

OPERATION = re.compile(
    r"torch\.ops\.aten\.\w+\.\w+|torch\.sym_\w+"
    r"|_operator\.(getitem|add|sub|mul|truediv|floordiv|mod|neg|pow|eq|ne|lt|le|gt|ge)"
)
_FUNCTION = (
    "Symbol|Integer|Float|Rational|Add|Mul|Pow|Mod|Max|Min|FloorDiv|CeilDiv|PythonMod|CleanDiv"
    "|ModularIndexing|IntTrueDiv|Eq|Ne|Lt|Le|Gt|Ge|StrictLessThan|LessThan|StrictGreaterThan"
    "|GreaterThan|Equality|Unequality"
)
_FLAG = "positive|nonnegative|negative|integer|real|finite|evaluate"
EXPRESSION = re.compile(
    rf"(?:(?:{_FUNCTION})(?=\()|'[a-z]\w{{0,15}}'|(?:{_FLAG})=(?:True|False)|True|False"
    r"|-?\d+(?:\.\d+)?|[(), ])*|[a-z]\d+"
)


def read_exported(
    path: Path, *, device: torch.device | str = "cpu"
) -> tuple[nn.Module, tuple[int | None, ...]]:
    """A network of one picture batch, and the shape of its input, None where it is free.

    Raises:
        InputError: The file is no export archive, holds what could run code, or takes other
            inputs than one batch of pictures.
    """
    try:
        program = torch.export.load(io.BytesIO(_disarmed(path)))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except (zipfile.BadZipFile, RuntimeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: no readable torch.export archive ({reason}).") from None
    if torch.device(device).type != "cpu":
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, device)
    inputs = [n for n in program.graph.nodes if n.name in program.graph_signature.user_inputs]
    shapes = [tuple(n.meta["val"].shape) for n in inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise InputError(
            f"{path}: an encoder takes one batch of pictures (draw, channel, height, width); this "
            f"network takes inputs of {len(shapes)} shapes {shapes}."
        )
    shape = tuple(n if isinstance(n, int) else None for n in shapes[0])
    if shape[0] is not None:
        raise InputError(
            f"{path}: exported for batches of exactly {shape[0]}; export it with a free batch "
            "dimension (dynamic_shapes)."
        )
    return program.module().requires_grad_(False), shape


def _disarmed(path: Path) -> bytes:
    """The archive without sample inputs and guards; refused where it could run code."""
    content = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(content, "w") as copy:
        for entry in archive.infolist():
            # names are told apart behind the archive's own folder
            name = entry.filename.partition("/")[2]
            part = b"" if name.startswith("data/sample_inputs/") else archive.read(entry)
            if name.startswith("models/") and name.endswith(".json"):
                part = _checked_model(json.loads(part), path)
            elif name.endswith("_config.json"):
                _refuse_pickles(json.loads(part), path)
            elif name.startswith("data/aotinductor/") or entry.filename.endswith((".pt", ".so")):
                if part:
                    raise _unsafe(path, f"holds {entry.filename}")
            copy.writestr(entry.filename, part)
    return content.getvalue()


def _checked_model(model: dict[str, Any], path: Path) -> bytes:
    for name, value in _strings(model):
        if name == "target" and not OPERATION.fullmatch(value):
            raise _unsafe(path, f"calls {value!r}")
        if name == "expr_str" and not EXPRESSION.fullmatch(value):
            raise _unsafe(path, f"holds the expression {value[:60]!r}")
    return json.dumps({**model, "guards_code": []}).encode()


def _refuse_pickles(content: Any, path: Path) -> None:
    for about in content["config"].values():
        if about["use_pickle"]:
            raise _unsafe(path, "holds pickled tensors or objects")


def _strings(node: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a JSON tree with the key that it stands under."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _strings(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value, name)
    elif isinstance(node, str):
        yield name, node


def _unsafe(path: Path, what: str) -> InputError:
    return InputError(
        f"{path}: {what}, which could run code or is no plain network; export it again with "
        "torch.export.save (torch 2.8 or later), weights as ordinary tensors."
    )
