"""Settings of a recogniser, and the presets that follow the paper and the public baselines."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reinforge.errors import InputError
from reinforge.settings import validated


class RecogniserConfig(BaseModel):
    """How a recogniser is built and trained; saved with its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # network
    kind: Literal["face", "reid"] = Field(
        "face",
        description="face: CosFace on a normalised embedding; reid: identity loss behind a BNNeck "
        "and a hard-mined triplet loss before it",
    )
    backbone: Literal["small", "resnet50", "vit_b16"] = Field(
        "small", description="small: a residual net for a CPU"
    )
    weights: str | None = Field(
        None,
        description="local folder to start from: of transformers (config.json, model.safetensors) "
        "or of a saved recogniser of the same build; None: random weights",
    )
    size: tuple[int, int] | None = Field(
        None, description="height and width that the net sees; None: the pictures' own"
    )
    channels: Literal[1, 3] | None = Field(
        None, description="1 (grey) or 3 (RGB); None: the pictures' own"
    )
    scaling: Literal["picture", "local", "centred", "imagenet"] = Field(
        "local",
        description="pixels made mean 0, deviation 1 in every picture (picture) or neighbourhood "
        "(local), or divided into -1..1 (centred) or by ImageNet's mean and deviation",
    )
    width: int = Field(16, ge=8, multiple_of=8, description="channels of the small net's stem")
    norm: Literal["batch", "group"] = Field("group", description="of the small net")
    last_stride: Literal[1, 2] = Field(2, description="of the last stage of a ResNet-50")
    embedding_dim: int | None = Field(
        128, ge=2, description="length of the feature; None: the backbone's own"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="before the embedding")

    # loss
    scale: float = Field(16.0, gt=0, description="s of CosFace")
    margin: float = Field(0.2, ge=0, lt=1, description="m of CosFace, in cosine")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="of the identity loss (reid)")
    triplet_weight: float = Field(1.0, ge=0, description="of the triplet loss (reid)")
    triplet_margin: float = Field(0.3, ge=0, description="in Euclidean distance")

    # batches and length
    identities_per_batch: int = Field(32, ge=2, description="P")
    pictures_per_identity: int = Field(1, ge=1, description="K")
    n_steps: int = Field(1000, ge=1, description="updates")
    checkpoint_every: int = Field(200, ge=1, description="updates between checkpoints")

    # optimizer
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adamw", description="sgd: with momentum")
    learning_rate: float = Field(2e-3, gt=0, lt=1, description="after the warm-up")
    weight_decay: float = Field(0.5, ge=0, description="on all weights")
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd")
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps with a growing rate")
    warmup_factor: float = Field(0.01, gt=0, le=1, description="first rate over the base rate")
    schedule: Literal["cosine", "step"] = Field("cosine", description="of the rate")
    milestones: tuple[float, ...] = Field(
        (0.6, 0.8), description="shares of the steps after which the rate drops tenfold (step)"
    )
    average_decay: float | None = Field(
        0.99, gt=0, lt=1, description="of the running mean of the weights; None: the last weights"
    )

    # augmentation
    mirror: float = Field(0.5, ge=0, le=1, description="probability of a mirrored picture")
    shift: float = Field(0.08, ge=0, le=0.5, description="largest shift, as a share of the side")
    augmentation: float = Field(
        1.0, ge=0, le=3, description="strength of turns, scale, light, contrast, blur and noise"
    )
    random_erasing: float = Field(
        0.2, ge=0, le=1, description="probability of an erased rectangle (arXiv:1708.04896)"
    )

    @property
    def resolved(self) -> tuple[tuple[int, int], int]:
        """Size and channels, filled in."""
        if self.size is None or self.channels is None:
            raise ValueError("size and channels are not filled in; call for_pictures first.")
        return self.size, self.channels

    def for_pictures(self, shape: tuple[int, ...]) -> "RecogniserConfig":
        """The settings with size and channels filled in for pictures of this shape."""
        _, height, width, channel = shape
        own = {"size": self.size or (height, width), "channels": self.channels or channel}
        return validated(RecogniserConfig, {**self.model_dump(), **own})


# arXiv:2604.07884 names the networks, the losses, Adam and its decay; the rest are the values of
# the baselines that it builds on.
_REID: dict[str, Any] = {
    "kind": "reid",  # "ID cross-entropy + triplet with hard mining"
    "size": (256, 128),  # reid-strong-baseline: 256 x 128
    "channels": 3,
    "scaling": "imagenet",  # pretrained on ImageNet
    "embedding_dim": None,  # the feature itself, behind a BNNeck
    "label_smoothing": 0.1,  # reid-strong-baseline: epsilon 0.1
    "triplet_weight": 1.0,  # loss = ID + triplet
    "triplet_margin": 0.3,  # reid-strong-baseline: margin 0.3
    "identities_per_batch": 16,  # P = 16
    "pictures_per_identity": 4,  # K = 4: batches of 64
    "mirror": 0.5,  # random flip 0.5
    "shift": 0.05,  # pad 10 and crop: 10/256 of the height, 10/128 of the width
    "augmentation": 0.0,  # no other
    "random_erasing": 0.5,  # probability 0.5
    "average_decay": None,  # the last weights
    "n_steps": 24_000,  # 120 epochs of Market-1501's 12,936 pictures in batches of 64
}
PRESETS: dict[str, dict[str, Any]] = {
    "small": {},
    "reid-resnet50": {
        **_REID,
        "backbone": "resnet50",  # paper: ResNet-50
        "last_stride": 1,  # reid-strong-baseline: last stride 1
        "optimizer": "adam",  # paper: Adam
        "weight_decay": 5e-4,  # paper: weight decay 5e-4
        "learning_rate": 3.5e-4,  # reid-strong-baseline: base rate 3.5e-4
        "warmup": 10 / 120,  # linear over the first 10 of 120 epochs
        "warmup_factor": 0.01,  # from a hundredth of the rate
        "schedule": "step",
        "milestones": (40 / 120, 70 / 120),  # x 0.1 after epochs 40 and 70
    },
    "reid-vit": {
        **_REID,
        "backbone": "vit_b16",  # paper: ViT-16; TransReID's stride 16
        "optimizer": "adam",  # paper: Adam (TransReID itself: SGD, 0.008, decay 1e-4)
        "weight_decay": 5e-4,  # paper: weight decay 5e-4
        "learning_rate": 3.5e-4,  # reid-strong-baseline's rate for Adam
        "warmup": 5 / 120,  # TransReID: 5 of 120 epochs
        "schedule": "cosine",  # TransReID: cosine
    },
    "face-resnet50": {
        "kind": "face",  # paper: CosFace
        "backbone": "resnet50",  # paper: ResNet-50
        "size": (112, 112),  # IDiff-Face: 112 x 112
        "channels": 3,
        "scaling": "centred",  # IDiff-Face: mean 0.5, deviation 0.5
        "embedding_dim": 512,  # IDiff-Face: 512
        "last_stride": 1,  # keeps 7 x 7 positions of a 112 px face, as iResNet does
        "dropout": 0.4,  # IDiff-Face: 0.4
        "scale": 64.0,  # CosFace: s = 64
        "margin": 0.35,  # CosFace: m = 0.35
        "optimizer": "sgd",  # paper: SGD
        "learning_rate": 0.1,  # IDiff-Face: 0.1
        "momentum": 0.9,  # IDiff-Face: 0.9
        "weight_decay": 5e-4,  # IDiff-Face: 5e-4
        "identities_per_batch": 128,  # IDiff-Face: batches of 128
        "pictures_per_identity": 1,  # without groups
        "schedule": "step",
        "milestones": (22 / 40, 30 / 40, 35 / 40),  # x 0.1 after epochs 22, 30 and 35 of 40
        "warmup": 0.0,
        "average_decay": None,
        "mirror": 0.5,
        "shift": 0.0,
        "augmentation": 1.0,  # stands for RandAug(4, 16)
        "random_erasing": 0.0,
        "n_steps": 10_000,  # 40 epochs of a subset of some 32,000 pictures
    },
}


def resolve_recogniser(preset: str = "small", **settings: Any) -> RecogniserConfig:
    """A preset with the user's settings laid over it.

    Raises:
        InputError: Unknown preset or setting (with the nearest known name), or a value out of
            range.
    """
    if preset not in PRESETS:
        raise InputError(
            f"recogniser preset {preset!r} is not known; choose from {', '.join(PRESETS)}."
        )
    return validated(RecogniserConfig, {**PRESETS[preset], **settings})
