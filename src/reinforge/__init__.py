"""Synthetic data by reinforcement learning: a generator is a policy, a reward says what is useful.

Names are loaded when they are first used, so that `import reinforge` is quick and needs no torch.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "TabularSynthesizer": "reinforge.synthesizers",
    "IdentitySynthesizer": "reinforge.synthesizers",
    "Reward": "reinforge.systems.tabular.reward",
    "FairnessReward": "reinforge.systems.tabular.fairness",
    "PrivacyReward": "reinforge.systems.tabular.reward",
    "UtilityReward": "reinforge.systems.tabular.reward",
    "evaluate": "reinforge.evaluation.scorecard",
    "Scorecard": "reinforge.evaluation.scorecard",
    "split_table": "reinforge.data.split",
    "split_pictures": "reinforge.data.images",
    "read_images": "reinforge.data.images",
    "evaluate_pictures": "reinforge.evaluation.picture_scorecard",
    "train_arms": "reinforge.systems.identity.arms",
    "read_table": "reinforge.data.tables",
    "infer_schema": "reinforge.data.infer",
    "ImageSet": "reinforge.records",
    "PictureSplit": "reinforge.records",
    "Split": "reinforge.records",
    "Score": "reinforge.records",
    "Schema": "reinforge.schema",
    "Column": "reinforge.schema",
    "InputError": "reinforge.errors",
    "ReinforgeError": "reinforge.errors",
}
__all__ = [*sorted(_HOMES), "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'reinforge' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return __all__
