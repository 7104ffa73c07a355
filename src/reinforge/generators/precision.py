"""Where bfloat16 pays: the passes of the backbone; everything around them stays in float32."""

from collections.abc import Mapping
from typing import Any, Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def is_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Whether passes on this device run in bfloat16; "auto" asks whether that is faster there.

    On a CPU it is where matrices have a unit for it (AMX). The instruction of AVX-512 by itself
    multiplies no faster on Intel's cores, and the conversions come on top: a pass of the face prior
    took 1.4 times as long.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = getattr(torch.cpu, "get_capabilities", dict)  # older releases cannot tell
    return device.type == "cpu" and _is_fast(capabilities())


def _is_fast(capabilities: Mapping[str, Any]) -> bool:
    """Whether a CPU of these capabilities gains by bfloat16."""
    is_intel = "Intel" in capabilities.get("cpu_name", "")
    has_instruction = capabilities.get("avx512_bf16", False) and not is_intel
    return bool(capabilities.get("amx_bf16", False) or has_instruction)
