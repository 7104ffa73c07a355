"""From pixels to the feature that recognises: scaling, backbone, neck and class prototypes."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from reinforge.recognition.backbones import Features, Pixels, initialise, new_backbone
from reinforge.recognition.config import RecogniserConfig

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow turns RGB to grey
LEAST_DEVIATION = 8.0  # of 255
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def fitted(
    pixels: Pixels, size: tuple[int, int], channels: int
) -> Float[Tensor, "draw wanted down across"]:
    """Pixels at the size and number of channels that a net wants.

    Bilinear with antialiasing; grey is repeated, RGB weighted to luma.
    """
    if pixels.shape[1] == 3 and channels == 1:
        weight = torch.tensor(LUMA, dtype=pixels.dtype, device=pixels.device)
        pixels = (pixels * weight.view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    if tuple(pixels.shape[2:]) != tuple(size):
        pixels = F.interpolate(pixels, size=size, mode="bilinear", antialias=True)
    return pixels.expand(-1, 3, -1, -1) if pixels.shape[1] == 1 and channels == 3 else pixels


def scaled(pixels: Pixels, scaling: str) -> Pixels:
    """Pixels of 0..255 in the unit that a net wants."""
    if scaling == "picture":
        centred = pixels - pixels.mean(dim=(1, 2, 3), keepdim=True)
        # the floor keeps an empty picture from being blown up into noise
        return centred / (centred.square().mean(dim=(1, 2, 3), keepdim=True) + 16.0).sqrt()
    if scaling == "local":
        return locally_normalised(pixels)
    if scaling == "centred":
        return pixels / 127.5 - 1
    channels = pixels.shape[1]
    mean = pixels.new_tensor(IMAGENET_MEAN[:channels]).view(1, -1, 1, 1)
    std = pixels.new_tensor(IMAGENET_STD[:channels]).view(1, -1, 1, 1)
    return (pixels / 255 - mean) / std


def locally_normalised(pixels: Pixels) -> Pixels:
    """Each pixel against its neighbourhood: (x - mean) / deviation in a window of an eighth.

    Light and shade fall away and local structure stays, as in local binary patterns
    (Jarrett et al. 2009, sec. 3.1).
    """
    radius = max(1, min(pixels.shape[2:]) // 16)
    centred = pixels - _box_mean(pixels, radius)
    # the floor keeps flat skin from being blown up into noise
    return centred / (_box_mean(centred.square(), radius) + LEAST_DEVIATION**2).sqrt()


def _box_mean(x: Pixels, radius: int) -> Pixels:
    padded = F.pad(x, (radius,) * 4, mode="replicate")
    return F.avg_pool2d(padded, 2 * radius + 1, stride=1)


class Network(nn.Module):
    """Backbone and head.

    face: dropout, linear, batch norm, prototypes compared by cosine (arXiv:1801.09414).
    reid: the pooled feature, a BNNeck, prototypes as a linear classifier (arXiv:1903.07071).
    """

    def __init__(
        self,
        config: RecogniserConfig,
        n_classes: int,
        *,
        architecture: dict[str, Any] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):  # constructors draw; what they draw is overwritten
            self.backbone = new_backbone(config, architecture)
            n_in: int = self.backbone.feature_dim  # type: ignore[assignment]
            n_out = config.embedding_dim or n_in
            self.project: nn.Module = nn.Identity()
            if config.embedding_dim is not None:
                self.project = nn.Linear(n_in, n_out)
            self.neck = nn.BatchNorm1d(n_out)
        self.neck.bias.requires_grad_(False)  # both kinds compare by angle: no shift to learn
        self.prototypes = nn.Parameter(torch.empty(n_out, n_classes))
        self.dropout = config.dropout
        self.kind, self.scale, self.scaling = config.kind, config.scale, config.scaling
        self.size, self.channels = config.resolved
        if generator is not None:
            initialise(self, generator=generator)
            nn.init.normal_(self.prototypes, std=n_out**-0.5, generator=generator)

    def forward(
        self, pixels: Pixels, *, generator: torch.Generator | None = None
    ) -> tuple[Features, Features]:
        """The feature before the neck and behind it; a generator drops parts of the backbone's."""
        feature = self.pooled(pixels)
        if generator is not None and self.dropout > 0:
            kept = torch.rand(feature.shape, generator=generator) >= self.dropout
            feature = feature * kept.to(feature) / (1 - self.dropout)
        return self.head(feature)

    def pooled(self, pixels: Pixels) -> Features:
        """The backbone's feature."""
        return self.backbone(scaled(fitted(pixels, self.size, self.channels), self.scaling))

    def head(self, pooled: Float[Tensor, "draw pooled"]) -> tuple[Features, Features]:
        """From the backbone's feature to those before the neck and behind it."""
        before = self.project(pooled)
        return before, self.neck(before)

    def logits(self, feature: Features) -> Float[Tensor, "draw identity"]:
        """Of each trained identity, from features behind the neck."""
        if self.kind == "reid":
            return feature @ self.prototypes
        cosine = F.normalize(feature, dim=1) @ F.normalize(self.prototypes, dim=0)
        return self.scale * cosine
