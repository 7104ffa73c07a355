"""A trained recogniser: pixels to features, pixels to identities; on disk without any code."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from torch.nn import functional as F

from reinforge.errors import InputError
from reinforge.files import sha256_file, write_atomic, write_json
from reinforge.recognition.backbones import Features, Pixels
from reinforge.recognition.config import RecogniserConfig
from reinforge.recognition.network import Network
from reinforge.records import ImageSet, Pictures
from reinforge.settings import validated

FORMAT = 1
WEIGHTS, DESCRIPTION = "recogniser.safetensors", "recogniser.json"


def as_pixels(pictures: np.ndarray, device: torch.device | str = "cpu") -> Pixels:
    """Pictures (image, height, width, channel), uint8, as float pixels in 0..255."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2).float()


def embed_pictures(encoder: Any, images: ImageSet | Pictures, *, batch: int = 256) -> Features:
    """Features of all pictures, a batch at a time, without gradient.

    Args:
        encoder: Has `embed` and `device`.
        images: A set, or its pictures alone.
        batch: Pictures decoded and embedded at once.
    """
    pictures = images.pixels if isinstance(images, ImageSet) else images
    parts = []
    with torch.no_grad():
        for start in range(0, len(pictures), batch):
            chosen = pictures[np.arange(start, min(start + batch, len(pictures)))]
            parts.append(encoder.embed(as_pixels(chosen, encoder.device)))
    return torch.cat(parts)


class Recogniser:
    """A frozen network with the names of its identities.

    Args:
        network: Is put into eval mode and takes no more gradient into its weights; gradients
            reach the pixels.
        config: How it was built.
        names: Of all identities of the set that it was trained on.
        present: Positions in `names` of the identities that it was shown, in the order of its
            prototypes.
        architecture: Of a transformers backbone.
    """

    def __init__(
        self,
        network: Network,
        *,
        config: RecogniserConfig,
        names: tuple[str, ...],
        present: Int[np.ndarray, " identity"],
        architecture: dict[str, Any] | None = None,
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.config = config
        self.names = names
        self.present = present
        self.architecture = architecture

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.prototypes.device

    @property
    def feature_dim(self) -> int:
        """Length of a feature."""
        return self.network.prototypes.shape[0]

    def to(self, device: torch.device | str) -> "Recogniser":
        """Move the weights."""
        self.network.to(device)
        return self

    def embed(self, pixels: Pixels) -> Features:
        """L2-normalised features of pixels in 0..255, of any size, grey or RGB."""
        return F.normalize(self.network(pixels)[1], dim=1)

    def embed_all(self, images: ImageSet | Pictures, batch: int = 256) -> Features:
        """Features of all pictures of a set, without gradient."""
        return embed_pictures(self, images, batch=batch)

    def logits(self, pixels: Pixels) -> Float[Tensor, "draw identity"]:
        """Of each identity in `names`; -inf for those that it was never shown."""
        known = self.network.logits(self.network(pixels)[1])
        if len(self.present) == len(self.names):
            return known
        everyone = known.new_full((len(known), len(self.names)), -torch.inf)
        return everyone.index_copy(1, torch.from_numpy(self.present).to(self.device), known)

    def classify(self, pixels: Pixels) -> Int[Tensor, " draw"]:
        """Position in `names` of the likeliest identity."""
        return self.logits(pixels).argmax(dim=1)

    def save(self, folder: str | Path) -> None:
        """Write weights (safetensors) and description (JSON) into a folder, made if need be."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        weights = {k: v.detach().cpu().contiguous() for k, v in self.network.state_dict().items()}
        write_atomic(folder / WEIGHTS, save(weights))
        content = {
            "format": FORMAT,
            "config": self.config.model_dump(mode="json"),
            "architecture": self.architecture,
            "names": list(self.names),
            "present": self.present.tolist(),
            "sha256": sha256_file(folder / WEIGHTS),
        }
        write_json(folder / DESCRIPTION, content)

    @classmethod
    def load(cls, folder: str | Path) -> "Recogniser":
        """Read what `save` wrote.

        Raises:
            InputError: A file is missing, damaged, or written by a newer reinforge.
        """
        folder = Path(folder)
        content = _description(folder)
        try:
            config = validated(RecogniserConfig, content["config"])
            present = np.asarray(content["present"], dtype=np.int64)
            network = Network(config, len(present), architecture=content["architecture"])
            network.load_state_dict(load((folder / WEIGHTS).read_bytes()))
        except (SafetensorError, RuntimeError, LookupError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{folder}: the recogniser cannot be read ({reason}).") from error
        return cls(
            network,
            config=config,
            names=tuple(content["names"]),
            present=present,
            architecture=content["architecture"],
        )


def _description(folder: Path) -> dict[str, Any]:
    """The JSON file, with the weights' digest checked."""
    try:
        content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        digest = sha256_file(folder / WEIGHTS)
    except OSError as error:
        raise InputError(
            f"{folder}: no recogniser here ({error.strerror}: {error.filename})."
        ) from None
    except ValueError:
        raise InputError(f"{folder / DESCRIPTION}: damaged, no JSON; train again.") from None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise InputError(f"{folder / DESCRIPTION}: describes no recogniser.")
    if content["format"] > FORMAT:
        raise InputError(f"{folder}: written by a newer reinforge; upgrade to load it.")
    if digest != content.get("sha256"):
        raise InputError(f"{folder / WEIGHTS}: damaged (its digest is not the one written down).")
    return content
