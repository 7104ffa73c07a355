"""Everything that changes while identities are learnt, as named tensors for a checkpoint."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reinforge.errors import InputError
from reinforge.generators.dit import class_tables, put_rows
from reinforge.generators.prior import Prior
from reinforge.learner_state import load_named_tensors, named_tensors
from reinforge.processes import ALONE, Processes
from reinforge.randomness import torch_generator
from reinforge.systems.identity.bank import Bank, as_various
from reinforge.systems.identity.config import IdentityConfig
from reinforge.systems.identity.policy import Policy, new_policy
from reinforge.systems.identity.realism import Realism, new_realism
from reinforge.systems.identity.reward import PARTS
from reinforge.systems.identity.value import Value


@dataclass(kw_only=True)
class Learner:
    """Policy, its reference and running mean, value net, optimizers; and what they learn from."""

    config: IdentityConfig
    policy: Policy
    reference: dict[str, Tensor]  # trained weights as the cold start left them
    averaged: dict[str, Tensor]  # running mean of the trained weights: these sample
    value: Value
    cold_start_optimizer: torch.optim.Optimizer
    policy_optimizer: torch.optim.Optimizer
    value_optimizer: torch.optim.Optimizer
    bank: Bank
    recent: Float[Tensor, "identity slot feature"]  # features of each identity's latest draws
    n_drawn: Int[Tensor, " identity"]  # draws of each so far: the next one's slot
    real_state: Float[Tensor, "real channel height width"]  # encoded training pictures
    mirrored: Float[Tensor, "real channel height width"]  # the same, mirrored before encoding
    real_label: Int[Tensor, " real"]
    squared_deviation: Float[Tensor, " part"]  # of each part of the reward, summed over batches
    n_measured: Int[Tensor, ""]  # so many: those of the first round
    realism: Realism | None  # None where its weight is 0
    variety: Float[Tensor, ""]  # tr Cov of a stranger's first draws; 0: none were drawn
    processes: Processes = ALONE  # that learn together
    described: Float[Tensor, "identity description"] | None = (
        None  # what everybody's first row followed from
    )

    def tensors(self) -> dict[str, Tensor]:
        """All state by name (what a checkpoint holds); frozen weights are not part of it."""
        state = named_tensors({"value": self.value}, self._optimizers())
        state |= self._seen()
        if self.realism is not None:
            state |= self.realism.tensors()
        for name, weights in self._weights().items():
            state |= {f"{name}.{key}": value for key, value in weights.items()}
        return state

    def load_tensors(self, state: dict[str, Tensor]) -> None:
        """Put saved state back (the inverse of `tensors`)."""
        load_named_tensors(state, {"value": self.value}, self._optimizers())
        if self.realism is not None:
            self.realism.load_tensors(state)
        with torch.no_grad():
            for name, value in self._seen().items():
                value.copy_(state[name])
            self.adopt_variety()
            for name, weights in self._weights().items():
                for key, value in weights.items():
                    value.copy_(state[f"{name}.{key}"])

    def _seen(self) -> dict[str, Tensor]:
        """What draws have taught beside the weights."""
        return {
            "recent": self.recent,
            "n_drawn": self.n_drawn,
            "squared_deviation": self.squared_deviation,
            "n_measured": self.n_measured,
            "variety": self.variety,
        }

    def adopt_variety(self) -> None:
        """From now on strangers are to vary as much as they did at first."""
        if self.variety > 0:
            self.bank = as_various(self.bank, self.strangers, self.variety)

    @property
    def strangers(self) -> Int[Tensor, " stranger"]:
        """Numbers of those who are reinforced and have no real pictures."""
        is_known = torch.zeros(self.policy.n_identities, dtype=torch.bool)
        is_known[self.real_label.cpu()] = True
        return (~is_known).nonzero()[:, 0].to(self.bank.spread.device)

    def _weights(self) -> dict[str, dict[str, Tensor]]:
        policy: dict[str, Tensor] = {**self.policy.trained()}
        return {"policy": policy, "reference": self.reference, "averaged": self.averaged}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {
            "cold_start_optimizer": self.cold_start_optimizer,
            "policy_optimizer": self.policy_optimizer,
            "value_optimizer": self.value_optimizer,
        }


def new_learner(
    prior: Prior,
    pixels: Float[Tensor, "real channel height width"],
    label: Int[Tensor, " real"],
    bank: Bank,
    *,
    config: IdentityConfig,
    seed: int,
    device: torch.device | str = "cpu",
    processes: Processes = ALONE,
    described: Float[Tensor, "identity description"] | None = None,
) -> Learner:
    """A learner at step 0.

    Args:
        prior: Knows pictures.
        pixels: Training pictures in 0..255, of the prior's size and channels.
        label: Identity of each.
        bank: What they look like to the recogniser; strangers may stand behind them, who have no
            pictures.
        config: How to learn.
        seed: Of first weights.
        device: Where to learn.
        processes: That learn together, each with the same arguments.
        described: A feature of everybody in the bank, from which a prior that draws by likeness
            has their first rows; None: as `table_start` says.

    Raises:
        InputError: More processes than there is work for.
    """
    _refuse_idle(processes, config, len(bank.prototype))
    policy = new_policy(
        prior,
        len(bank.prototype),
        trained=config.trained,
        start=config.table_start,
        lora_rank=config.lora_rank,
        precision=config.precision,
        seed=seed,
    )
    if prior.likeness is not None and described is not None:
        rows = prior.likeness.rows(described)
        put_rows(policy.transformer, rows, nobody_of=prior.transformer)
    policy.transformer.to(device)
    policy.codec = policy.codec.to(device)
    if config.gradient_checkpointing:
        policy.transformer.enable_gradient_checkpointing()
    value = Value(
        policy.shape,
        n_identities=policy.n_identities,
        n_denoising=config.n_denoising,
        hidden=config.value_hidden,
        generator=torch_generator(seed, "identity/value weights"),
    ).to(device)
    processes.copy_first([*policy.trained().values(), *value.parameters()])
    is_row = {id(table) for table in class_tables(policy.transformer)}
    trained = list(policy.trained().values())
    groups = [
        {"params": [p for p in trained if id(p) not in is_row]},
        {"params": [p for p in trained if id(p) in is_row]},
    ]
    with torch.no_grad():
        real_state, mirrored = (
            policy.codec.encode(pixels.to(device)),
            policy.codec.encode(pixels.flip(3).to(device)),
        )
    return Learner(
        config=config,
        policy=policy,
        reference=policy.copy_of_trained(),
        averaged=policy.copy_of_trained(),
        value=value,
        cold_start_optimizer=torch.optim.AdamW(groups, weight_decay=0.0, betas=(0.9, 0.99)),
        policy_optimizer=torch.optim.AdamW(
            trained, lr=config.learning_rate, weight_decay=0.0, betas=(0.9, 0.99)
        ),
        value_optimizer=torch.optim.AdamW(
            value.parameters(), lr=config.value_learning_rate, weight_decay=0.0
        ),
        recent=torch.zeros(
            len(bank.prototype), config.n_recent, bank.prototype.shape[1], device=device
        ),
        n_drawn=torch.zeros(len(bank.prototype), dtype=torch.long, device=device),
        squared_deviation=torch.zeros(len(PARTS), device=device),
        n_measured=torch.zeros((), dtype=torch.long, device=device),
        variety=torch.zeros((), device=device),
        realism=_realism(config, pixels, seed=seed, device=torch.device(device)),
        bank=bank.to(torch.device(device)),
        real_state=real_state.cpu(),
        mirrored=mirrored.cpu(),
        real_label=label,
        processes=processes,
        described=described,
    )


def _realism(
    config: IdentityConfig, pixels: Tensor, *, seed: int, device: torch.device
) -> Realism | None:
    """A critic of pictures like these, where the reward asks for one."""
    if config.realism_weight == 0 or config.n_steps == 0:
        return None
    return new_realism(
        pixels.shape[1],
        pixels.shape[2],
        learning_rate=config.critic_learning_rate,
        generator=torch_generator(seed, "identity/critic weights"),
        device=device,
    )


def _refuse_idle(processes: Processes, config: IdentityConfig, n_identities: int) -> None:
    n_chosen = min(config.identities_per_batch, n_identities)
    work = {"cold_start_images": config.cold_start_images, "identities_per_batch": n_chosen}
    for name, n_items in work.items():
        if n_items < processes.n:
            raise InputError(
                f"{name}: {n_items} cannot be shared by {processes.n} processes; raise it (there "
                f"are {n_identities} identities), or launch fewer processes."
            )
