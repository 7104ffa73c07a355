"""An encoder that embeds each set of pictures once, for judges that look at it time and again."""

import torch

from reinforge.recognition.frozen import Encoder, Features, Pixels
from reinforge.records import ImageSet, Pictures


class Remembered:
    """An encoder that keeps the features of whole sets.

    Sets are the same where their pictures are one and the same object, so that a set whose people
    were renumbered is known again; pictures must not be changed in place.

    Args:
        encoder: Does the work.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[int, tuple[Pictures, Features]] = {}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._encoder.device

    @property
    def feature_dim(self) -> int:
        """Length of a feature."""
        return self._encoder.feature_dim

    def embed(self, pixels: Pixels) -> Features:
        """L2-normalised features of pixels in 0..255, of any size, grey or RGB; not kept."""
        return self._encoder.embed(pixels)

    def embed_all(self, images: ImageSet | Pictures, batch: int = 256) -> Features:
        """Features of all pictures of a set, without gradient; computed once a set."""
        pictures = images.pixels if isinstance(images, ImageSet) else images
        if id(pictures) not in self._known:  # the pictures are kept, so that no other has their id
            self._known[id(pictures)] = (pictures, self._encoder.embed_all(pictures, batch))
        return self._known[id(pictures)][1]
