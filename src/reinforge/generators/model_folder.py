"""One network in a folder, as diffusers writes it: config.json and weights in safetensors.

Nothing here asks a hub, and nothing here reads a pickle, which could run code of a stranger.
"""

import inspect
import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from reinforge.errors import InputError

STEM = "diffusion_pytorch_model"
Network = TypeVar("Network", bound=nn.Module)
OLD_ATTENTION = {  # names of the attention layers of autoencoders saved before 2023
    ".query.": ".to_q.",
    ".key.": ".to_k.",
    ".value.": ".to_v.",
    ".proj_attn.": ".to_out.0.",
}


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: The file is missing, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: the file is missing; the folder is not whole.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: this is no readable JSON ({_line(error)}).") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: wanted a JSON object, got {type(content).__name__}.")
    return content


def read_network(kind: type[Network], folder: Path, *, named: tuple[str, ...]) -> Network:
    """Build a network from its folder: float32, in eval mode, no weight left to chance.

    Args:
        kind: The class to build; settings that it does not know are left out, as diffusers does.
        folder: Holds config.json and the weights, in one file or in shards.
        named: What `_class_name` in config.json may say.

    Raises:
        InputError: The folder is not whole, holds another kind of network, or is damaged.
    """
    from accelerate import init_empty_weights

    config = read_json(folder / "config.json")
    if config.get("_class_name", named[0]) not in named:
        raise InputError(
            f"{folder / 'config.json'}: wanted a {named[0]}, got a {config['_class_name']}."
        )
    known = inspect.signature(kind.__init__).parameters
    state = read_weights(folder)
    try:
        with init_empty_weights(include_buffers=False):  # weights are read, so none are drawn
            network = kind(**{name: value for name, value in config.items() if name in known})
    except (TypeError, ValueError, NotImplementedError, ZeroDivisionError) as error:
        raise InputError(
            f"{folder / 'config.json'}: no {named[0]} comes of it ({_line(error)})."
        ) from None
    try:
        network.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise InputError(
            f"{folder}: the weights do not fit config.json ({_line(error)})."
        ) from None
    return network.eval()


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Weights by name, as float32.

    Raises:
        InputError: They are missing, damaged, pickled, or not finite.
    """
    state: dict[str, Tensor] = {}
    for path in _weight_files(folder):
        try:
            part = load_file(path)
        except FileNotFoundError:
            raise InputError(f"{path}: the file is missing; fetch the folder again.") from None
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(f"{path}: damaged ({_line(error)}); fetch it again.") from None
        state |= {_renamed(name): tensor.float() for name, tensor in part.items()}
    state.pop("pos_embed.pos_embed", None)  # follows from the sizes; some old files hold it
    for name, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise InputError(f"{folder}: weights {name!r} are not all finite; fetch them again.")
    return state


def _weight_files(folder: Path) -> list[Path]:
    for name in (f"{STEM}.safetensors", f"{STEM}.fp16.safetensors"):
        if (folder / name).is_file():
            return [folder / name]
    index = folder / f"{STEM}.safetensors.index.json"
    if index.is_file():
        shards = read_json(index).get("weight_map", {})
        return [folder / name for name in sorted(set(shards.values()))]
    if any(folder.glob("*.bin")):
        raise InputError(
            f"{folder}: only pickled weights (.bin) are here, and a pickle can run code when it is "
            "opened; write safetensors beside them once, with "
            f"reinforge.generators.convert.to_safetensors({str(folder)!r})."
        )
    raise InputError(f"{folder}: no weights; wanted {STEM}.safetensors.")


def _renamed(name: str) -> str:
    for old, new in OLD_ATTENTION.items():
        name = name.replace(old, new)
    return name


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else f"{text[:200]}..."
