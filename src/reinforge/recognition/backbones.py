"""Networks from pixels to one feature a picture: a small one of ours, ResNet-50 and ViT-B/16."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from reinforge.recognition.config import RecogniserConfig

Pixels = Float[Tensor, "draw channel height width"]
Features = Float[Tensor, "draw feature"]
SMALL_GRID = 6  # positions a side that the small net keeps: where a thing is says who it is


class SmallResNet(nn.Module):
    """Three residual stages at a half, a quarter and an eighth of the side, positions kept."""

    def __init__(self, channels: int, *, width: int, norm: str) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False),
            _norm(norm, width),
            nn.PReLU(width),
        )
        self.stages = nn.Sequential(
            Residual(width, width, stride=1, norm=norm),
            Residual(width, 2 * width, stride=2, norm=norm),
            Residual(2 * width, 4 * width, stride=2, norm=norm),
        )
        self.norm = _norm(norm, 4 * width)
        self.feature_dim = 4 * width * SMALL_GRID**2

    def forward(self, pixels: Pixels) -> Features:
        """The last map, all positions end to end."""
        last = self.norm(self.stages(self.stem(pixels)))
        return F.adaptive_avg_pool2d(last, SMALL_GRID).flatten(1)


class Residual(nn.Module):
    """Norm, conv, norm, PReLU, conv, norm beside a shortcut (IR block of arXiv:1801.07698)."""

    def __init__(self, n_in: int, n_out: int, *, stride: int, norm: str) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _norm(norm, n_in),
            nn.Conv2d(n_in, n_in, 3, padding=1, bias=False),
            _norm(norm, n_in),
            nn.PReLU(n_in),
            nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False),
            _norm(norm, n_out),
        )
        is_same = n_in == n_out and stride == 1
        self.shortcut: nn.Module = nn.Identity()
        if not is_same:
            conv = nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(conv, _norm(norm, n_out))

    def forward(self, x: Pixels) -> Float[Tensor, "draw out down across"]:
        """The map of the next width, at its stride."""
        return self.shortcut(x) + self.body(x)


def _norm(kind: str, n: int) -> nn.Module:
    return nn.BatchNorm2d(n) if kind == "batch" else nn.GroupNorm(max(1, n // 8), n)


class Pooled(nn.Module):
    """A transformers model, its feature pooled as re-identification does."""

    def __init__(self, model: nn.Module, *, is_vit: bool) -> None:
        super().__init__()
        self.model = model
        self.is_vit = is_vit
        config: Any = model.config
        self.feature_dim = config.hidden_size if is_vit else config.hidden_sizes[-1]

    def forward(self, pixels: Pixels) -> Features:
        """The mean over positions of a ResNet, the class token of a ViT."""
        if self.is_vit:
            return self.model(pixels, interpolate_pos_encoding=True).last_hidden_state[:, 0]
        return self.model(pixels).last_hidden_state.mean(dim=(2, 3))


def new_backbone(config: RecogniserConfig, architecture: dict[str, Any] | None = None) -> nn.Module:
    """The network of the settings, weights not yet set.

    Args:
        config: With size and channels filled in.
        architecture: Of a transformers model, as its config.json says it; None: the usual one.
    """
    size, channels = config.resolved
    if config.backbone == "small":
        return SmallResNet(channels, width=config.width, norm=config.norm)
    from transformers import ResNetConfig, ResNetModel, ViTConfig, ViTModel

    if config.backbone == "vit_b16":
        own = {"image_size": list(size), **(architecture or {})}
        vit = ViTConfig(**{**own, "num_channels": channels})
        return Pooled(ViTModel(vit, add_pooling_layer=False), is_vit=True)
    resnet = ResNetModel(ResNetConfig(**{**(architecture or {}), "num_channels": channels}))
    if config.last_stride == 1:
        _unstride(resnet.encoder.stages[-1])
    return Pooled(resnet, is_vit=False)


def _unstride(stage: nn.Module) -> None:
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)


def initialise(network: nn.Module, *, generator: torch.Generator) -> None:
    """First weights of every layer, all from one generator.

    Convolutions: He, fan out (arXiv:1502.01852); linear layers and embeddings: N(0, 0.02), or
    N(0, 1/n) where their input is a whole feature map; norms 1 and 0.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", generator=generator)
            elif isinstance(module, nn.Linear):
                deviation = min(0.02, module.in_features**-0.5)
                nn.init.normal_(module.weight, std=deviation, generator=generator)
            if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
                module.bias.zero_()
            if hasattr(module, "reset_parameters") and isinstance(
                module, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm | nn.PReLU
            ):
                module.reset_parameters()
            for parameter in module.parameters(recurse=False):
                if parameter.dim() == 3:  # class token and positions of a ViT
                    nn.init.normal_(parameter, std=0.02, generator=generator)
