"""Settings of the identity system."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reinforge.errors import InputError
from reinforge.generators.precision import Precision
from reinforge.generators.start import Start
from reinforge.processes import Device
from reinforge.settings import validated
from reinforge.systems.identity.reward import Credit
from reinforge.systems.identity.window import Window

if TYPE_CHECKING:
    from reinforge.systems.identity.chain import Chain

Trained = Literal["head", "adaln", "lora", "all"]


class IdentityConfig(BaseModel):
    """How identities are learnt; every field is a flag (`--set n_steps=50`), saved with the run."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # recogniser
    recogniser: str = Field(
        "auto",
        description="auto: the prior's own encoder where it has one, else small; a preset trained "
        "on the pictures; or a path to a frozen encoder",
    )

    n_recognisers: int = Field(
        3, ge=1, le=32, description="trained from other first weights; the reward is their mean"
    )

    # policy
    trained: Trained = Field("all", description="weights trained; all includes the head")
    table_start: Start = Field(
        "prior",
        description="first rows of the class table; prior: by likeness, where the prior has one, "
        "else what it knows of nobody in particular",
    )
    lora_rank: int = Field(8, ge=1, le=1024, description="rank of the adapter")
    precision: Precision = Field("auto", description="of the passes; auto: bfloat16 where fast")
    device: Device = Field("auto", description="auto: a GPU where there is one")
    gradient_checkpointing: bool = Field(
        False,
        description="keep less of a pass and run it twice: memory for time",
    )

    # cold start
    cold_start_steps: int = Field(800, ge=0, description="steps of the denoising loss")
    cold_start_images: int = Field(32, ge=1, description="pictures a step")
    cold_start_learning_rate: float = Field(3e-4, gt=0, lt=1, description="AdamW, backbone")
    table_learning_rate: float = Field(4e-3, gt=0, lt=1, description="AdamW, class table")
    label_drop: float = Field(0.1, ge=0, lt=1, description="share of labels dropped (guidance)")
    mirror: bool = Field(True, description="mirror half of the pictures")

    # chain
    n_denoising: int = Field(10, ge=2, le=1000, description="steps of the chain")
    eta: float = Field(1.0, gt=0, le=1, description="noise of a step; 1: ancestral")
    guidance: float = Field(1.0, ge=1, description="1: none; above: away from nobody's picture")
    guided_gradient: bool = Field(False, description="gradient through the pass for nobody too")

    # rollout
    strangers: int = Field(
        60,
        ge=0,
        description="people who do not exist, reinforced beside the learnt ones, where the prior "
        "draws by likeness and its own encoder rewards",
    )
    stranger_spread: Literal["cold_start", "learnt"] = Field(
        "cold_start",
        description="how much a stranger's pictures are to vary: as the cold start draws them, or "
        "as those of the learnt people do",
    )
    identities_per_batch: int = Field(8, ge=1, description="identities an iteration")
    draws_per_identity: int = Field(4, ge=2, description="pictures of each")
    branches: int = Field(
        1, ge=1, description="draws that share all noise but the window's; divides those of each"
    )
    window: Window = Field("fraction", description="which steps of the chain are trained")
    window_steps: int = Field(3, ge=1, description="length of the window")
    noise_outside: bool = Field(True, description="False: no noise outside of the window")
    micro_batch: int = Field(64, ge=1, description="states in the network at once")

    # reward
    semantic_weight: float = Field(1.0, ge=0, description="lambda of semantic consistency")
    coverage_weight: float = Field(0.75, ge=0, description="lambda of coverage")
    diversity_weight: float = Field(
        1.0, ge=0, description="lambda of expression diversity (0.25 in the paper)"
    )
    realism_weight: float = Field(
        1.0,
        ge=0,
        description="lambda of what a critic says that learns to tell drawn pictures from real "
        "ones; 0: none learns",
    )
    critic_first_steps: int = Field(
        300, ge=1, description="the critic's updates before reinforcement"
    )
    critic_steps: int = Field(8, ge=1, description="the critic's updates an iteration")
    critic_learning_rate: float = Field(2e-4, gt=0, lt=1, description="Adam, critic")
    privacy_weight: float = Field(0.0, ge=0, description="lambda of distance to real pictures")
    reward_units: Literal["cold_start", "batch"] = Field(
        "cold_start",
        description="deviation that each part is divided by: of the first round, or of the batch",
    )
    repulsion: float = Field(0.5, ge=0, lt=1, description="alpha of the coverage reward")
    expansion: float = Field(0.1, ge=0, description="eps: wanted growth of the real spread")
    n_recent: int = Field(
        8, ge=0, description="latest pictures an identity that new ones differ from; 0: the batch's"
    )
    diversity_credit: Credit = Field("leave_one_out", description="a draw's part of the spread")

    # update
    estimator: Literal["pathwise", "score"] = Field(
        "pathwise",
        description="the gradient: along the recogniser's slope, or by the score function alone",
    )
    random_views: bool = Field(
        True, description="the slope is that at a random view of the picture, not at the picture"
    )
    objective: Literal["dpok", "ppo"] = Field(
        "dpok", description="clamped ratio (DPOK's code) or the pessimistic minimum (PPO)"
    )
    advantage: Literal["value", "group", "batch"] = Field(
        "group", description="against a value net, the identity's other draws, or the batch"
    )
    log_ratio: Literal["sum", "mean"] = Field(
        "sum", description="over a state's entries; clip_range is in its unit"
    )
    clip_range: float = Field(0.2, gt=0, lt=1, description="0.2 for sums, 1e-4 for means")
    kl_weight: float = Field(0.05, ge=0, description="beta of the KL to the cold start, per nat")
    n_epochs: int = Field(1, ge=1, le=100, description="passes over one rollout")
    learning_rate: float = Field(1e-4, gt=0, lt=1, description="AdamW, policy")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are scaled down to this norm")
    value_learning_rate: float = Field(1e-3, gt=0, lt=1, description="AdamW, value net")
    value_hidden: int = Field(128, ge=1, description="width of the value net")
    value_steps: int = Field(3, ge=1, description="its updates an iteration")
    average_decay: float = Field(
        0.0, ge=0, lt=1, description="of the running mean of weights that samples; 0: last weights"
    )

    # length
    n_steps: int = Field(60, ge=0, description="iterations of reinforcement")
    checkpoint_every: int = Field(100, ge=1, description="iterations between checkpoints")
    watch_every: int = Field(25, ge=1, description="iterations between looks at fixed pictures")

    @property
    def total_steps(self) -> int:
        """Steps of both phases."""
        return self.cold_start_steps + self.n_steps

    @property
    def chain(self) -> "Chain":
        """How a picture is denoised."""
        from reinforge.systems.identity.chain import Chain  # late: it loads diffusion models

        return Chain(n_denoising=self.n_denoising, eta=self.eta, guidance=self.guidance)

    @property
    def reward_weights(self) -> dict[str, float]:
        """Name of a part of the reward -> its weight; parts of weight 0 are left out."""
        weights = {
            "semantic": self.semantic_weight,
            "coverage": self.coverage_weight,
            "diversity": self.diversity_weight,
            "realism": self.realism_weight,
            "privacy": self.privacy_weight,
        }
        return {name: weight for name, weight in weights.items() if weight > 0}


# DPOK's published settings (arXiv:2305.16381 and its public code), as far as they are published
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": {
        "trained": "head",  # "backbone frozen; only this head"
        "table_start": "zero",  # "initialised to zero and learned from scratch"
        "cold_start_learning_rate": 1e-5,  # lr 1e-5
        "table_learning_rate": 1e-5,  # the head is what is tuned
        "n_denoising": 50,  # DPOK: DDIM, 50 steps, eta 1
        "window": "all",  # every step is trained
        "guidance": 7.5,  # DPOK's sampler
        "guided_gradient": True,  # gradient through both halves
        "diversity_weight": 0.25,  # weights 1, 0.75, 0.25
        "realism_weight": 0.0,  # the paper has three
        "reward_units": "batch",  # per-batch standardisation
        "estimator": "score",  # REINFORCE: the recogniser is a black box
        "objective": "dpok",  # the ratio is clamped, no minimum
        "advantage": "value",  # r - V(x_t, c, t)
        "log_ratio": "mean",  # log-probabilities averaged over entries
        "clip_range": 1e-4,  # in that unit
        "kl_weight": 1e-4,  # beta 0.01 against alpha 100
        "learning_rate": 1e-5,  # lr 1e-5
        "max_grad_norm": 0.1,  # DPOK's code
        "value_learning_rate": 1e-4,  # DPOK's code
        "branches": 1,  # every draw has noise of its own
        "n_recent": 0,  # sets are those of the batch
        "diversity_credit": "group",  # the paper's words
    },
}


def resolve_config(preset: str, settings: dict[str, Any]) -> IdentityConfig:
    """A preset with the user's settings laid over it.

    Raises:
        InputError: Unknown preset or setting, a value out of range, or settings that contradict.
    """
    if preset not in PRESETS:
        raise InputError(f"preset {preset!r} is not known; choose from {', '.join(PRESETS)}.")
    config = validated(IdentityConfig, {**PRESETS[preset], **settings})
    if not config.reward_weights:
        raise InputError("every reward has weight 0, so there is nothing to learn from; set one.")
    if config.draws_per_identity % config.branches:
        raise InputError(
            f"branches {config.branches} does not divide draws_per_identity "
            f"{config.draws_per_identity}; set one to a multiple of the other."
        )
    if config.estimator == "pathwise" and not config.n_recent:
        raise InputError(
            "estimator 'pathwise' judges actions one by one, so that a set is what was drawn "
            "lately; set n_recent to 8, or estimator to 'score'."
        )
    if config.n_recent == 1:
        raise InputError("n_recent 1 has no spread; set it to 0 or to 2 and more.")
    if config.branches > 1 and not config.n_recent:
        raise InputError(
            "branches of one start are alike by their making, so that sets of them say nothing of "
            "diversity; set n_recent to 8, or branches to 1."
        )
    if config.advantage == "group" and not config.n_recent and config.diversity_credit == "group":
        raise InputError(
            "advantage 'group' compares draws of one identity and diversity_credit 'group' gives "
            "them one value, so diversity would earn nothing; set diversity_credit to "
            "'leave_one_out' or advantage to 'value'."
        )
    return config
