"""The public face: one class a system, with fit, sample, save and load.

Each is loaded when it is first asked for: tables need no diffusion model, pictures no pandas.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reinforge.synthesizers.identity import IdentitySynthesizer
    from reinforge.synthesizers.tabular import TabularSynthesizer

_HOMES = {"IdentitySynthesizer": "identity", "TabularSynthesizer": "tabular"}
__all__ = ["IdentitySynthesizer", "TabularSynthesizer"]


def __getattr__(name: str) -> Any:
    """Load a class from its home."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
