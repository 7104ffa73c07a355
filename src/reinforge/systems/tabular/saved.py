"""A trained generator on disk: weights as safetensors, all else as JSON; no code and no row."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from reinforge.errors import InputError
from reinforge.files import sha256_file, write_atomic, write_json
from reinforge.schema import Schema
from reinforge.systems.tabular.config import FilledConfig
from reinforge.systems.tabular.heads import Layout
from reinforge.systems.tabular.learner import new_policy
from reinforge.systems.tabular.policy import Policy

FORMAT = 2  # 1 kept no settings filled in for the rows learnt
WEIGHTS, DESCRIPTION = "model.safetensors", "schema.json"


def write_model(folder: Path, layout: Layout, policy: Policy, about: dict[str, Any]) -> None:
    """Write both files.

    Args:
        folder: Made if need be.
        layout: The heads.
        policy: The weights that sample.
        about: What else to keep: version, preset, seed, config, learnt_with (the
            settings filled in for the rows learnt), rules.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in policy.state_dict().items()}
    write_atomic(folder / WEIGHTS, save(weights))
    content = {
        "format": FORMAT,
        "system": "tabular",
        **about,
        "schema": layout.schema.model_dump(mode="json"),
        "layout": layout.to_dict(),
        "sha256": sha256_file(folder / WEIGHTS),
    }
    write_json(folder / DESCRIPTION, {**content, "digest": _digest(content)})


def read_model(folder: Path) -> tuple[dict[str, Any], Layout, Policy]:
    """Read what `write_model` wrote: the description, the heads and the policy.

    Raises:
        InputError: A file is missing, damaged, or written by a newer reinforge.
    """
    content = _description(folder)
    try:
        layout = Layout.from_dict(content["layout"], Schema.model_validate(content["schema"]))
        policy = new_policy(FilledConfig(**content["learnt_with"]), layout, seed=0)
        policy.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    except (SafetensorError, RuntimeError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{folder}: the model cannot be read ({reason}).") from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in policy.state_dict().values()):
        raise InputError(f"{folder}: the weights hold NaN or infinite numbers; train again.")
    return content, layout, policy.requires_grad_(False)


def _description(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        digest = sha256_file(folder / WEIGHTS)
    except OSError as error:
        raise InputError(f"{folder}: no model here ({error.strerror}: {error.filename}).") from None
    except ValueError:
        raise InputError(f"{folder / DESCRIPTION}: damaged, no JSON; train again.") from None
    if not isinstance(content, dict) or content.get("system") != "tabular":
        raise InputError(f"{folder / DESCRIPTION}: describes no tabular model.")
    if (found := content.get("format")) != FORMAT and isinstance(found, int):
        is_newer = found > FORMAT
        writer = f"{'a newer' if is_newer else 'an older'} reinforge ({content.get('version')})"
        remedy = "upgrade to load it" if is_newer else "train again"
        raise InputError(f"{folder}: written by {writer}; {remedy}.")
    if content.pop("digest", None) != _digest(content):
        raise InputError(f"{folder / DESCRIPTION}: damaged (its digest is another); train again.")
    if digest != content["sha256"]:
        raise InputError(f"{folder / WEIGHTS}: damaged (its digest is not the one in schema.json).")
    return content


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
