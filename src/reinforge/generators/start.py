"""How the rows of new classes begin; apart, so that settings need not load a diffusion model."""

from typing import Literal

Start = Literal["zero", "prior"]  # as the paper has it; what the prior knows of no class
