"""What a prior of DiT-XL/2's size needs: memory and work, computed from shapes, nothing measured.

    python benchmarks/scale_plan.py        writes the tables of docs/scale.md

The model is built without numbers (torch's fake tensors), and a pass through it is run for the
shapes alone: what its graph would hold, and how many products it would make. Blocks are all alike,
so that two and three of them tell what 28 take.
"""

import functools
import weakref
from pathlib import Path
from typing import NamedTuple

import torch
from diffusers import AutoencoderKL, DiTTransformer2DModel
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import (
    FlopCounterMode,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

from reinforge.generators.codec import PixelCodec
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import without_label_dropout
from reinforge.generators.prior import Prior
from reinforge.systems.identity.config import IdentityConfig
from reinforge.systems.identity.policy import Policy, new_policy
from reinforge.systems.identity.value import Value

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
N_BLOCKS, N_IDENTITIES, LORA_RANK = 28, 750, 8  # the identities of Market-1501's training set
TRAINED = ("head", "lora", "adaln", "all")
N_DRAWS, N_DENOISING, WINDOW = 64, 20, 3  # of the iteration whose time is estimated
GIB, MIB = 2**30, 2**20
SHARE_OF_PEAK = 0.3  # assumed, of a card's dense bfloat16 peak
CARDS = {  # vendors' dense bfloat16 peak, TFLOP/s
    "RTX 4090, 24 GB": 165,
    "A100, 80 GB": 312,
    "H100 SXM, 80 GB": 989,
}


class Held(TorchDispatchMode):
    """Counts the bytes of tensors that are alive, and the most there were at once."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self.known = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        told = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(told):
            if isinstance(tensor, torch.Tensor):
                self.count(tensor.untyped_storage())
        return told

    def count(self, storage):
        """Count a storage until it is forgotten."""
        key, size = storage._cdata, storage.nbytes()
        if key in self.known:
            return
        self.known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self.forget, key, size)

    def forget(self, key, size):
        """It is gone."""
        self.known.discard(key)
        self.now -= size


class Pass(NamedTuple):
    """One pass of an update, with its way back."""

    fixed: float  # bytes, whatever the number of states: bfloat16 copies of the weights
    per_state: float  # bytes
    forward: float  # FLOP a state
    backward: float  # FLOP a state


def dit_xl_2(n_blocks: int = N_BLOCKS) -> DiTTransformer2DModel:
    """As facebook/DiT-XL-2-256 has it (config.json of its transformer), without numbers."""
    with torch.device("meta"):
        transformer = DiTTransformer2DModel(
            num_attention_heads=16,
            attention_head_dim=72,
            in_channels=4,
            out_channels=8,
            num_layers=n_blocks,
            sample_size=32,
            patch_size=2,
            num_embeds_ada_norm=1000,
        )
    return without_label_dropout(transformer)


def policy_of(trained: str, n_blocks: int = N_BLOCKS) -> Policy:
    """The policy of `N_IDENTITIES`, without numbers."""
    prior = Prior(
        transformer=dit_xl_2(n_blocks),
        codec=PixelCodec(scale=1.0),  # stands for the autoencoder, which is counted apart
        schedule=NoiseSchedule(torch.ones(1)),
    )
    return new_policy(
        prior,
        N_IDENTITIES,
        trained=trained,
        start="zero",
        lora_rank=LORA_RANK,
        precision="bfloat16",
        seed=0,
    )


@functools.cache
def counts(trained: str) -> tuple[int, int]:
    """Numbers in the weights: of all, and of those that are trained."""
    policy = policy_of(trained)
    whole = sum(p.numel() for p in policy.transformer.parameters())
    return whole, sum(p.numel() for p in policy.trained().values())


def pretend(network: torch.nn.Module) -> None:
    """Under fake tensors: let a network without numbers run as if it had some."""
    for module in network.modules():
        for name, weight in module.named_parameters(recurse=False):
            fake = torch.empty(weight.shape)
            setattr(module, name, torch.nn.Parameter(fake, requires_grad=weight.requires_grad))
        for name, value in module.named_buffers(recurse=False):
            setattr(module, name, torch.empty(value.shape, dtype=value.dtype))


def value_count() -> int:
    """Numbers in the value net at the default width."""
    config = IdentityConfig()
    value = Value(
        (4, 32, 32),
        n_identities=N_IDENTITIES,
        n_denoising=config.n_denoising,
        hidden=config.value_hidden,
        generator=torch.Generator(),
    )
    return sum(p.numel() for p in value.parameters())


def lasting_bytes(trained: str) -> dict[str, int]:
    """What lies in memory from the first update on; float32, but for nothing."""
    whole, n_trained = counts(trained)
    return {
        "weights": 4 * whole,
        "gradients": 4 * n_trained,
        "AdamW": 8 * n_trained,
        "reference": 4 * n_trained,  # trained weights alone: the rest is shared
        "mean": 4 * n_trained,
    }


def products() -> FlopCounterMode:
    """Counts FLOP, those of the CPU's attention included."""
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    back = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
    known = {
        attention: lambda *shapes, **_: sdpa_flop_count(*shapes[:3]),
        back: lambda *shapes, **_: sdpa_backward_flop_count(*shapes[:4]),
    }
    return FlopCounterMode(display=False, custom_mapping=known)


class Shapes(NamedTuple):
    """What a pass of some blocks and states keeps for its way back, and its products."""

    kept: int  # bytes
    forward: int  # FLOP
    backward: int  # FLOP


def shapes(trained: str, n_blocks: int, n_states: int, *, checkpointing: bool) -> Shapes:
    """Run a pass of an update and its way back for their shapes alone."""
    policy = policy_of(trained, n_blocks)
    if checkpointing:
        policy.transformer.enable_gradient_checkpointing()
    with FakeTensorMode():
        pretend(policy.transformer)
        state = torch.randn(n_states, 4, 32, 32)
        time = label = torch.zeros(n_states, dtype=torch.long)
        with products() as there, Held() as held:
            predicted = policy.predict(state, time, label)
        kept = held.now
        with products() as back:
            predicted.square().mean().backward()
    return Shapes(kept, there.get_total_flops(), back.get_total_flops())


def passes_of(trained: str) -> dict[bool, Pass]:
    """Passes of all blocks without and with checkpointing.

    What is kept is linear in blocks and in states. The way back adds what it is busy with: the
    gradients inside one block, and with checkpointing that block's own graph, too.
    """
    bytes_of, flop_of = {}, {}
    for on in (False, True):
        told = {
            (blocks, states): shapes(trained, blocks, states, checkpointing=on)
            for blocks in (2, 3)
            for states in (2, 4)
        }
        slope = {n: (told[n, 4].kept - told[n, 2].kept) / 2 for n in (2, 3)}
        fixed = {n: told[n, 2].kept - 2 * slope[n] for n in (2, 3)}
        bytes_of[on] = [(ends[2], ends[3] - ends[2]) for ends in (fixed, slope)]
        flop_of[on] = [
            extended(getattr(told[2, 2], way) / 2, getattr(told[3, 2], way) / 2)
            for way in ("forward", "backward")
        ]
    (_, fixed_block), (_, state_block) = bytes_of[False]
    passes = {}
    for on, [fixed_ends, state_ends] in bytes_of.items():
        fixed, state = (two + block * (N_BLOCKS - 2) for two, block in (fixed_ends, state_ends))
        busy = 2 if on else 1
        passes[on] = Pass(fixed + on * fixed_block, state + busy * state_block, *flop_of[on])
    return passes


def extended(two: float, three: float) -> float:
    """From two and three blocks to all."""
    return two + (three - two) * (N_BLOCKS - 2)


def decoder(at_once: int = 8) -> tuple[int, int, float]:
    """Numbers in the autoencoder, bytes to decode as many at once as the codec does, FLOP each."""
    with FakeTensorMode(), torch.no_grad():
        vae = AutoencoderKL(
            in_channels=3,
            out_channels=3,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            latent_channels=4,
            sample_size=256,
        )
        latents = torch.randn(at_once, 4, 32, 32)
        with products() as flop, Held() as held:
            vae.decode(latents)
        n_weights = sum(p.numel() for p in vae.parameters())
        return n_weights, held.peak, flop.get_total_flops() / at_once


def table(header, rows) -> str:
    """A Markdown table."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def count_table() -> str:
    """Counts and what lasts in memory, for each choice of what is trained."""
    rows = []
    for trained in TRAINED:
        whole, n_trained = counts(trained)
        lasting = lasting_bytes(trained)
        cells = [f"{lasting[name] / GIB:.2f}" for name in lasting]
        total = f"{sum(lasting.values()) / GIB:.2f}"
        rows.append([f"`{trained}`", f"{whole:,}", f"{n_trained:,}", *cells, total])
    header = ["trained", "weights", "of them trained", *lasting_bytes("head"), "sum, GiB"]
    return table(header, rows)


def pass_table(passes: dict[tuple[str, bool], Pass]) -> str:
    """What a micro-batch adds, and what it costs."""
    rows = []
    for (trained, checkpointing), told in passes.items():
        rows.append(
            [
                f"`{trained}`",
                "on" if checkpointing else "off",
                f"{told.fixed / GIB:.2f}",
                f"{told.per_state / MIB:.0f}",
                *(f"{(told.fixed + n * told.per_state) / GIB:.1f}" for n in (4, 16, 64)),
                f"{told.forward / 1e9:.0f}",
                f"{told.backward / 1e9:.0f}",
            ]
        )
    header = ["trained", "checkpointing", "fixed, GiB", "a state, MiB", "4 states, GiB"]
    header += ["16 states", "64 states", "forward, GFLOP a state", "backward"]
    return table(header, rows)


def iteration_flop(told: Pass, decode: float) -> float:
    """One iteration at most: branches that share the way up to the window cost less."""
    passes = N_DENOISING + 2 * WINDOW  # drawn; scored; scored by the reference
    return N_DRAWS * (passes * told.forward + WINDOW * told.backward + decode)


def time_table(passes: dict[tuple[str, bool], Pass], decode: float) -> str:
    """Seconds an iteration on each card, at the assumed share of its peak."""
    rows = []
    for (trained, checkpointing), told in passes.items():
        flop = iteration_flop(told, decode)
        seconds = [f"{flop / (peak * 1e12 * SHARE_OF_PEAK):.1f}" for peak in CARDS.values()]
        rows.append(
            [f"`{trained}`", "on" if checkpointing else "off", f"{flop / 1e12:.0f}", *seconds]
        )
    return table(["trained", "checkpointing", "TFLOP", *(f"{card}: s" for card in CARDS)], rows)


def put(page: str, name: str, text: str) -> str:
    """The page with the text between the markers of that name."""
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    before, rest = page.split(start)
    return f"{before}{start}\n{text}\n{end}{rest.split(end)[1]}"


def main() -> None:
    """Write the tables of docs/scale.md."""
    passes = {(trained, on): told for trained in TRAINED for on, told in passes_of(trained).items()}
    n_vae, vae_peak, decode = decoder()
    rest = table(
        ["part", "numbers", "GiB"],
        [
            ["autoencoder, float32", f"{n_vae:,}", f"{4 * n_vae / GIB:.2f}"],
            ["decoding 8 pictures of 256 px at once, float32", "", f"{vae_peak / GIB:.2f}"],
            ["value net with gradients and AdamW", f"{value_count():,}",
             f"{16 * value_count() / GIB:.3f}"],
        ],
    )  # fmt: skip
    page = PAGE.read_text(encoding="utf-8")
    page = put(page, "counts", count_table())
    page = put(page, "rest", rest)
    page = put(page, "passes", pass_table(passes))
    page = put(page, "times", time_table(passes, decode))
    PAGE.write_text(page, encoding="utf-8")
    print(f"decoding a picture: {decode / 1e9:.0f} GFLOP")


if __name__ == "__main__":
    main()
