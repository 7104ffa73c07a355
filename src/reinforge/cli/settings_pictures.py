"""Settings of runs on pictures: identities, and priors."""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reinforge.cli.settings import Section, Settings, System, listed


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
    seed: int | None = Field(
        default=None, description="Seed of the draw; the run's seed + 1 if not given."
    )

    _lists = field_validator("identities", mode="before")(listed)


class IdentitySettings(System):
    """Everything that one run on identities was asked for; saved in the run's config.json."""

    fitted: ClassVar[tuple[str, ...]] = (
        *("seed", "prior", "prior_scale", "data", "model", "recogniser"),
    )
    panels: ClassVar[dict[str, str]] = {
        "data": "Pictures",
        "model": "Generator",
        "sample": "Draw",
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
    recogniser: Open = Open()
    sample: DrawSettings = DrawSettings()

    @field_validator("prior")
    @classmethod
    def _whole_path(cls, path: str | None) -> str | None:
        """A folder that is there by its whole path, so that a run is resumed from anywhere."""
        return str(Path(path).resolve()) if path and Path(path).exists() else path

    @classmethod
    def open_sections(cls) -> dict[str, type[BaseModel]]:
        """The settings of the generator and of the recogniser that rewards it."""
        from reinforge.recognition.config import RecogniserConfig
        from reinforge.systems.identity.config import IdentityConfig

        return {"model": IdentityConfig, "recogniser": RecogniserConfig}

    def refuse_contradictions(self) -> None:
        """Refuse what the generator and the recogniser refuse."""
        from reinforge.systems.identity.config import resolve_config
        from reinforge.systems.identity.teacher import recogniser_config

        config = resolve_config(self.model.preset, self.model.given)
        recogniser_config(config.recogniser, self.recogniser.given)

    @property
    def sample_seed(self) -> int:
        """The seed of the draw."""
        return self.seed + 1 if self.sample.seed is None else self.sample.seed


class PriorSettings(System):
    """Everything that the training of a prior was asked for."""

    fitted: ClassVar[tuple[str, ...]] = ("seed", "data", "model")
    panels: ClassVar[dict[str, str]] = {"data": "Pictures"}

    seed: int = Field(default=0, description="Same seed, same bytes.")
    data: PhotoSettings = PhotoSettings()
    model: Open = Open()

    @classmethod
    def open_sections(cls) -> dict[str, type[BaseModel]]:
        """Shape and length of the training."""
        from reinforge.generators.pretrain import PretrainConfig

        return {"model": PretrainConfig}

    def refuse_contradictions(self) -> None:
        """Refuse values out of range."""
        from reinforge.generators.pretrain import PretrainConfig
        from reinforge.settings import validated

        validated(PretrainConfig, self.model.given)
