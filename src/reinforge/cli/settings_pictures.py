"""Settings of runs on pictures: identities, and priors."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reinforge.cli.settings import Section, Settings, System, listed
from reinforge.errors import InputError


def whole_path(path: str | None) -> str | None:
    """A folder that is there by its whole path, so that a run is resumed from anywhere."""
    return str(Path(path).resolve()) if path and Path(path).exists() else path


class PhotoSettings(Section):
    """How pictures are read."""

    layout: str = Field(
        default="auto",
        description="How pictures lie: auto, folders, groups, market, manifest, table, npz.",
    )
    fit: Literal["crop", "stretch"] = Field(
        default="crop", description="How another aspect ratio is met: cut the middle, or stretch."
    )
    max_rejected: float = Field(
        default=0.05, ge=0, lt=1, description="Share of pictures that may be left out as no good."
    )
    array: str | None = Field(
        default=None, description="Of an NPZ with several image arrays, the one to take."
    )
    columns: dict[str, str] = Field(
        default={}, description="Of a table: path, identity, camera or group -> its column."
    )

    def options(self) -> dict[str, Any]:
        """As keywords of `read_images`."""
        return {**self.model_dump(), "columns": self.columns or None}


class Open(Section):
    """A section that takes any key of a model of its own."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    @property
    def given(self) -> Settings:
        """The keys that belong to that model."""
        return dict(self.model_extra or {})


class IdentityModelSettings(Open):
    """The generator: a preset, and any key of its settings over it."""

    preset: str = Field(default="default", description="Named settings: default, paper.")


class DrawSettings(Section):
    """How many pictures to draw, and of whom."""

    n: int | None = Field(
        default=None,
        ge=1,
        description="Pictures of each identity; as many as were real if not given.",
    )
    identities: tuple[str, ...] = Field(
        default=(), description="Draw these identities alone, e.g. anna,ben."
    )
    newcomers: int = Field(
        default=0, ge=0, description="Draw so many people who do not exist, in place of the learnt."
    )
    parents: Literal["auto", "learnt", "prior"] = Field(
        default="auto",
        description="Whom newcomers are mixed from: the learnt people, or those of the prior, "
        "whose classes must be people or which draws by likeness; auto: the prior's where it "
        "draws by likeness.",
    )
    apart: bool = Field(
        default=False,
        description="Of many newcomers those who look least alike; wants a prior by likeness.",
    )
    seed: int | None = Field(
        default=None, description="Seed of the draw; the run's seed + 1 if not given."
    )
    balance: Literal["group"] | None = Field(
        default=None,
        description="group: as many pictures in all, more of people of groups that have fewer, so "
        "that real and synthetic pictures together are level.",
    )

    _lists = field_validator("identities", mode="before")(listed)


class PeopleSettings(Section):
    """Which pictures `run` keeps from the generator, to judge it by; `fit` learns all."""

    unseen: float = Field(
        default=0.25, ge=0, lt=1, description="Share of the people on whom recognisers are tested."
    )
    holdout: float = Field(
        default=0.2, ge=0, lt=1, description="Share of the pictures of each of the others."
    )


class FinalSettings(Open):
    """The recogniser that is trained at last: a preset, and any key of its settings over it."""

    preset: str = Field(
        default="small",
        description="Named settings: small, reid-resnet50, ...",
    )
    arms: tuple[str, ...] = Field(
        default=("real", "random_erasing", "cold_start", "reinforced", "selected"),
        description="What it is trained with, one recogniser each.",
    )
    newcomers: int = Field(
        default=200,
        ge=0,
        description="People who do not exist, drawn beside those who do for arms with synthetic "
        "pictures; 0: none.",
    )
    per_newcomer: int = Field(default=5, ge=1, description="Pictures of each of them.")
    parents: Literal["auto", "learnt", "prior"] = Field(
        default="auto", description="Whom they are mixed from, as in sample.parents."
    )
    apart: bool = Field(
        default=True,
        description="Give the arm `selected` those of many newcomers who look least alike, where "
        "the prior draws by likeness; false: the same as `reinforced`.",
    )
    described: bool = Field(
        default=True,
        description="Let what described a newcomer to a prior by likeness be the name that the "
        "recogniser learns them by; false: names alone.",
    )

    _lists = field_validator("arms", mode="before")(listed)


class JudgeSettings(Section):
    """Who judges the pictures, and how closely."""

    judge: str | None = Field(
        default=None,
        description="Embedding network that gave no reward (.pt2 or a recogniser's folder); one is "
        "trained on all real pictures if not given.",
    )
    level: Literal["quick", "full"] = Field(
        default="full", description="quick: fewer pictures and redraws; full: all."
    )
    seed: int | None = Field(
        default=None, description="Seed of the judges; the run's seed + 2 if not given."
    )
    require: tuple[str, ...] = Field(
        default=(),
        description='Gate, e.g. "copy_rate<=0.05"; exit code 3 if it fails (repeatable).',
    )


class IdentitySettings(System):
    """Everything that one run on identities was asked for; saved in the run's config.json."""

    fitted: ClassVar[tuple[str, ...]] = (
        *("seed", "prior", "prior_scale", "data", "split", "model", "recogniser"),
    )
    panels: ClassVar[dict[str, str]] = {
        "data": "Pictures",
        "model": "Generator",
        "split": "Split",
        "sample": "Draw",
        "final": "Final training",
        "evaluate": "Judges",
    }

    seed: int = Field(default=0, description="Same seed, same bytes.")
    prior: str | None = Field(
        default=None,
        description="Folder of a diffusion prior; the one of drawn faces if not given.",
    )
    prior_scale: float | None = Field(
        default=None,
        gt=0,
        description="Of a pixel prior whose folder has no prior.json: grey level = "
        "(x * prior_scale + 1) * 127.5.",
    )
    data: PhotoSettings = PhotoSettings()
    model: IdentityModelSettings = IdentityModelSettings()
    split: PeopleSettings = PeopleSettings()
    recogniser: Open = Open()
    sample: DrawSettings = DrawSettings()
    final: FinalSettings = FinalSettings()
    mixing: Open = Open()
    evaluate: JudgeSettings = JudgeSettings()

    _whole_path = field_validator("prior")(whole_path)

    @classmethod
    def open_sections(cls) -> dict[str, type[BaseModel]]:
        """The settings of the generator and of the recognisers that reward it and come of it."""
        from reinforge.recognition.config import RecogniserConfig
        from reinforge.recognition.mixing import MixingConfig
        from reinforge.systems.identity.config import IdentityConfig

        return {
            "model": IdentityConfig,
            "recogniser": RecogniserConfig,
            "final": RecogniserConfig,
            "mixing": MixingConfig,
        }

    def refuse_contradictions(self) -> None:
        """Refuse what the generator and the recognisers refuse."""
        from reinforge.recognition.config import resolve_recogniser
        from reinforge.recognition.mixing import MixingConfig
        from reinforge.settings import validated
        from reinforge.systems.identity.arms import require_arms
        from reinforge.systems.identity.config import resolve_config
        from reinforge.systems.identity.teacher import recogniser_config

        config = resolve_config(self.model.preset, self.model.given)
        recogniser_config(config.recogniser, self.recogniser.given)
        resolve_recogniser(self.final.preset, **self.final.given)
        validated(MixingConfig, self.mixing.given)
        require_arms(self.final.arms)
        if self.sample.balance and (self.sample.identities or self.sample.newcomers):
            raise InputError(
                "sample.balance levels groups over all people who were learnt; leave identities "
                "and newcomers out."
            )
        if self.sample.parents != "auto" and not self.sample.newcomers:
            raise InputError(
                "sample.parents says whom newcomers are mixed from; say how many with newcomers."
            )
        if self.sample.apart and not self.sample.newcomers:
            raise InputError("sample.apart chooses among newcomers; say how many with newcomers.")
        if self.evaluate.judge is not None and not Path(self.evaluate.judge).exists():
            raise InputError(f"evaluate.judge {self.evaluate.judge!r}: no such file or folder.")

    @property
    def sample_seed(self) -> int:
        """The seed of the draw."""
        return self.seed + 1 if self.sample.seed is None else self.sample.seed

    @property
    def evaluate_seed(self) -> int:
        """The seed of the judges."""
        return self.seed + 2 if self.evaluate.seed is None else self.evaluate.seed


class PriorSettings(System):
    """Everything that the training of a prior was asked for."""

    fitted: ClassVar[tuple[str, ...]] = ("seed", "start", "data", "model", "recogniser")
    panels: ClassVar[dict[str, str]] = {"data": "Pictures"}

    seed: int = Field(default=0, description="Same seed, same bytes.")
    start: str | None = Field(
        default=None,
        description="Folder of a prior on pixels to go on from; random weights if not given.",
    )
    data: PhotoSettings = PhotoSettings()
    model: Open = Open()
    recogniser: Open = Open()

    _whole_path = field_validator("start")(whole_path)

    @classmethod
    def open_sections(cls) -> dict[str, type[BaseModel]]:
        """Shape and length of the training, and the encoder of a prior by likeness."""
        from reinforge.generators.pretrain import PretrainConfig
        from reinforge.recognition.config import RecogniserConfig

        return {"model": PretrainConfig, "recogniser": RecogniserConfig}

    def refuse_contradictions(self) -> None:
        """Refuse values out of range, and an encoder that nothing asks for."""
        from reinforge.generators.pretrain import PretrainConfig
        from reinforge.recognition.config import resolve_recogniser
        from reinforge.settings import validated

        model = validated(PretrainConfig, self.model.given)
        resolve_recogniser("small", **self.recogniser.given)
        if self.recogniser.given and not model.likeness:
            raise InputError(
                f"recogniser.{next(iter(self.recogniser.given))} is of the encoder of a prior by "
                "likeness; set model.likeness=true, or leave it out."
            )
