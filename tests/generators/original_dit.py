"""The transformer of arXiv:2212.09748 once more, its weights under their authors' names."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def silu_linear(width, n_out):
    return nn.Sequential(nn.SiLU(), nn.Linear(width, n_out))


def normed(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]


class Attention(nn.Module):
    def __init__(self, width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        query, key, value = (
            part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        weight = (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).softmax(-1)
        return self.proj((weight @ value).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width, n_heads):
        super().__init__()
        self.attn = Attention(width, n_heads)
        self.mlp = nn.ModuleDict(
            {"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)}
        )
        self.adaLN_modulation = silu_linear(width, 6 * width)

    def forward(self, x, condition):
        shift, scale, gate, shift_2, scale_2, gate_2 = self.adaLN_modulation(condition).chunk(6, 1)
        x = x + gate[:, None] * self.attn(normed(x, shift, scale))
        hidden = F.gelu(self.mlp["fc1"](normed(x, shift_2, scale_2)), approximate="tanh")
        return x + gate_2[:, None] * self.mlp["fc2"](hidden)


class OriginalDiT(nn.Module):
    def __init__(self, *, side, patch, channels, width, depth, n_heads, n_classes, learn_sigma):
        super().__init__()
        self.patch, self.n_out = patch, channels * (2 if learn_sigma else 1)
        self.x_embedder = nn.ModuleDict({"proj": nn.Conv2d(channels, width, patch, patch)})
        self.t_embedder = nn.ModuleDict(
            {"mlp": nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))}
        )
        self.y_embedder = nn.ModuleDict({"embedding_table": nn.Embedding(n_classes + 1, width)})
        self.pos_embed = nn.Parameter(positions(side // patch, width), requires_grad=False)
        self.blocks = nn.ModuleList(Block(width, n_heads) for _ in range(depth))
        self.final_layer = nn.ModuleDict(
            {
                "linear": nn.Linear(width, patch * patch * self.n_out),
                "adaLN_modulation": silu_linear(width, 2 * width),
            }
        )

    def forward(self, x, time, label):
        x = self.x_embedder["proj"](x).flatten(2).transpose(1, 2) + self.pos_embed
        frequency = torch.exp(-math.log(10000) * torch.arange(128) / 128)
        angle = time[:, None].float() * frequency
        condition = self.t_embedder["mlp"](torch.cat([angle.cos(), angle.sin()], -1).to(x.dtype))
        condition = condition + self.y_embedder["embedding_table"](label)
        for block in self.blocks:
            x = block(x, condition)
        shift, scale = self.final_layer["adaLN_modulation"](condition).chunk(2, 1)
        x = self.final_layer["linear"](normed(x, shift, scale))
        n_rows = math.isqrt(x.shape[1])
        x = x.unflatten(1, (n_rows, n_rows)).unflatten(3, (self.patch, self.patch, self.n_out))
        return x.permute(0, 5, 1, 3, 2, 4).flatten(2, 3).flatten(3, 4)


def positions(n_rows, width):
    """Half of the entries tell the column, half the row; sines first, then cosines."""
    frequency = 10000.0 ** -(torch.arange(width // 4, dtype=torch.float64) / (width / 4))
    place = torch.arange(n_rows, dtype=torch.float64)
    row, column = torch.meshgrid(place, place, indexing="ij")
    angles = [part.reshape(-1, 1) * frequency for part in (column, row)]
    return torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], 1).float()[None]
