"""A critic that learns to tell drawn pictures from real ones; what it says is a reward: realism.

The recogniser looks away from light, contrast and sharpness, so that pictures it likes may lose
all three. A critic looks at nothing else: it judges patches (arXiv:1611.07004), too small to know
anybody by, by a hinge loss (arXiv:1705.02894) under spectral norm (arXiv:1802.05957). Real pictures
are few, and a critic would know them by heart; so it sees real and drawn ones through random views
alone (arXiv:2006.10738), the ones that the slope of the reward goes through, too.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

WIDTH = 32  # channels of the first layer; doubled with each further one
LARGEST_WIDTH = 256
FINEST = 8  # places across at most when the last layer looks
SLOPE = 0.2  # of leaky units below 0
UNIT = 64.0  # grey levels

Pixels = Float[Tensor, "draw channel height width"]


class Critic(nn.Module):
    """How real a picture looks: the mean of what is said of its patches.

    Args:
        channels: Of a picture.
        side: Of a picture, in pixels.
        generator: Draws the first weights.
    """

    def __init__(self, channels: int, side: int, *, generator: torch.Generator) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width, n_in = WIDTH, channels
        while side > FINEST or not layers:
            layers += [_layer(n_in, width, 4, 2, generator), nn.LeakyReLU(SLOPE)]
            n_in, width, side = width, min(2 * width, LARGEST_WIDTH), side // 2
        layers.append(_layer(n_in, 1, 3, 1, generator))
        self.layers = nn.Sequential(*layers)

    def forward(self, pixels: Pixels) -> Float[Tensor, "draw down across"]:
        """What is said of each patch: above 0 real, below drawn.

        Args:
            pixels: In 0..255.
        """
        return self.layers((pixels - 127.5) / UNIT)[:, 0]

    def realism(self, pixels: Pixels) -> Float[Tensor, " draw"]:
        """The mean over a picture's patches; gradients flow into the picture alone.

        Args:
            pixels: In 0..255.
        """
        self.eval().requires_grad_(False)  # the norm's own iteration rests: a pass changes nothing
        return self(pixels).flatten(1).mean(1)


def hinge_loss(
    of_real: Float[Tensor, "*real"], of_drawn: Float[Tensor, "*drawn"]
) -> Float[Tensor, ""]:
    """Mean max(0, 1 - real) + mean max(0, 1 + drawn)."""
    return F.relu(1 - of_real).mean() + F.relu(1 + of_drawn).mean()


def _layer(n_in: int, n_out: int, size: int, stride: int, generator: torch.Generator) -> nn.Module:
    """A convolution of spectral norm 1; its first weights are the generator's."""
    with torch.random.fork_rng(devices=[]):  # constructors draw, the norm's first vectors too
        key = int(torch.randint(2**62, (1,), generator=generator))
        torch.default_generator.manual_seed(key)
        return spectral_norm(nn.Conv2d(n_in, n_out, size, stride, padding=1))
