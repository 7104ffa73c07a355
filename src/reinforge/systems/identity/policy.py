"""The policy: a diffusion transformer whose classes are the identities."""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import DiTTransformer2DModel
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import functional_call

from reinforge.errors import ReinforgeError
from reinforge.generators.adapter import ATTENTION, MODULATION, lora
from reinforge.generators.codec import Codec
from reinforge.generators.diffusion import NoiseSchedule
from reinforge.generators.dit import class_tables, predict, side_of, with_class_table
from reinforge.generators.precision import Precision, is_bfloat16
from reinforge.generators.prior import Prior
from reinforge.generators.start import Start
from reinforge.systems.identity.config import Trained


class Policy:
    """Predicts the noise of a state for an identity; some of its weights are trained.

    Args:
        transformer: Its class table has a row for each identity, and the null row last.
        codec: Between its states and pictures.
        schedule: Of the prior.
        precision: Of the passes.
    """

    def __init__(
        self,
        transformer: DiTTransformer2DModel,
        *,
        codec: Codec,
        schedule: NoiseSchedule,
        precision: Precision = "auto",
    ) -> None:
        self.transformer = transformer
        self.codec = codec
        self.schedule = schedule
        self.precision = precision

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.transformer.parameters()).device

    @property
    def precision_is_bfloat16(self) -> bool:
        """Whether passes run in bfloat16 here."""
        return is_bfloat16(self.precision, self.device)

    @property
    def n_identities(self) -> int:
        """Identities; this is the null label too."""
        return int(self.transformer.config.num_embeds_ada_norm)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channel, height, width) of a state."""
        side = side_of(self.transformer)
        return int(self.transformer.config.in_channels), side, side

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """The weights that are trained, by name."""
        return {n: p for n, p in self.transformer.named_parameters() if p.requires_grad}

    def copy_of_trained(self) -> dict[str, Tensor]:
        """The trained weights as they are now: a reference to come back to, or a mean to keep."""
        return {name: p.detach().clone() for name, p in self.trained().items()}

    def load_trained(self, weights: Mapping[str, Tensor]) -> None:
        """Put trained weights back."""
        with torch.no_grad():
            for name, parameter in self.trained().items():
                parameter.copy_(weights[name])

    def predict(
        self,
        state: Float[Tensor, "draw channel height width"],
        time: Int[Tensor, " draw"],
        label: Int[Tensor, " draw"],
        *,
        guidance: float = 1.0,
        guided_gradient: bool = True,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Float[Tensor, "draw channel height width"]:
        """What the network predicts, guided or not.

        Args:
            state: x_t.
            time: t of each.
            label: Identity of each.
            guidance: w of nobody + w (somebody - nobody); 1 spares the second pass.
            guided_gradient: Whether gradients flow through the pass for nobody, too; without them
                the update costs two thirds (the policy that is trained takes that pass as given).
            weights: Trained weights to use instead of the policy's own.

        Raises:
            ReinforgeError: The network is in train mode, where dropouts would make a density that
                is scored differ from the one that drew.
        """
        if self.transformer.training:
            raise ReinforgeError(
                "the policy is in train mode, so its densities are random; call transformer.eval()."
            )
        if guidance == 1.0:
            return self._pass(state, time, label, weights)
        nobody = torch.full_like(label, self.n_identities)
        if guided_gradient:
            twice = self._pass(
                state.repeat(2, 1, 1, 1), time.repeat(2), torch.cat([nobody, label]), weights
            )
            unguided, guided = twice.chunk(2)
        else:
            with torch.no_grad():
                unguided = self._pass(state, time, nobody, weights)
            guided = self._pass(state, time, label, weights)
        return unguided + guidance * (guided - unguided)

    def _pass(
        self, state: Tensor, time: Tensor, label: Tensor, weights: Mapping[str, Tensor] | None
    ) -> Tensor:
        bf16 = is_bfloat16(self.precision, state.device)
        if weights is None:
            return predict(self.transformer, state, time, label, bf16=bf16)
        replaced = _Replaced(self.transformer, weights)
        return predict(replaced, state, time, label, bf16=bf16)


class _Replaced(torch.nn.Module):
    """A network with some weights replaced, nothing copied."""

    def __init__(self, network: torch.nn.Module, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.call = (network, dict(weights))

    def forward(self, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        network, weights = self.call
        return functional_call(network, weights, args, kwargs)


def new_policy(
    prior: Prior,
    n_identities: int,
    *,
    trained: Trained,
    start: Start,
    lora_rank: int,
    precision: Precision,
    seed: int,
) -> Policy:
    """Put identities into a prior and choose what will be trained.

    Args:
        prior: Stays as it is.
        n_identities: Rows of the new class table.
        trained: "head" is the class table; each of the others trains it too: "adaln" the layers
            by which time and class steer the blocks, "lora" an adapter on attention and those
            layers, "all" everything.
        start: First rows of the class table.
        lora_rank: Of the adapter.
        precision: Of the passes.
        seed: Of the adapter's first weights.
    """
    transformer = with_class_table(prior.transformer, n_identities, start=start).eval()
    transformer.requires_grad_(trained == "all")
    if trained == "lora":
        lora(transformer, rank=lora_rank, targets=(*ATTENTION, *MODULATION), seed=seed)
    if trained == "adaln":
        for name, parameter in transformer.named_parameters():
            parameter.requires_grad_("norm1.linear" in name or name.startswith("proj_out_1"))
    for table in class_tables(transformer):
        table.requires_grad_(True)
    transformer.eval()
    return Policy(transformer, codec=prior.codec, schedule=prior.schedule, precision=precision)
