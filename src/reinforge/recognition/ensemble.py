"""Several recognisers as one: what fools one of them seldom fools all."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from reinforge.errors import InputError
from reinforge.files import write_json
from reinforge.recognition.backbones import Features, Pixels
from reinforge.recognition.recogniser import Recogniser, embed_pictures
from reinforge.records import ImageSet, Pictures

DESCRIPTION = "ensemble.json"


class Ensemble:
    """Recognisers of the same identities whose features stand end to end.

    The cosine of two such features is the mean of the members' cosines.

    Args:
        members: Two or more, on one device.
    """

    def __init__(self, members: Sequence[Recogniser]) -> None:
        self.members = tuple(members)
        self.network = nn.ModuleList(member.network for member in self.members)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.members[0].device

    @property
    def feature_dim(self) -> int:
        """Length of a feature."""
        return sum(member.feature_dim for member in self.members)

    def embed(self, pixels: Pixels) -> Features:
        """L2-normalised features of pixels in 0..255, of any size, grey or RGB."""
        parts = [member.embed(pixels) for member in self.members]
        return torch.cat(parts, dim=1) * len(parts) ** -0.5

    def embed_all(self, images: ImageSet | Pictures, batch: int = 256) -> Features:
        """Features of all pictures of a set, without gradient."""
        return embed_pictures(self, images, batch=batch)

    def save(self, folder: str | Path) -> None:
        """Write each member into a folder of its own, and how many there are."""
        for number, member in enumerate(self.members, start=1):
            member.save(Path(folder) / str(number))
        write_json(Path(folder) / DESCRIPTION, {"members": len(self.members)})

    @classmethod
    def load(cls, folder: str | Path, *, device: torch.device | str = "cpu") -> "Ensemble":
        """Read what `save` wrote.

        Raises:
            InputError: A file is missing, damaged, or written by a newer reinforge.
        """
        file = Path(folder) / DESCRIPTION
        try:
            n_members = int(json.loads(file.read_text(encoding="utf-8"))["members"])
        except (ValueError, LookupError, TypeError):
            raise InputError(f"{file}: damaged; it says how many members there are.") from None
        members = [Recogniser.load(Path(folder) / str(n + 1)).to(device) for n in range(n_members)]
        return cls(members)
