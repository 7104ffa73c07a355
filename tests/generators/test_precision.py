"""Which passes run in bfloat16."""

import pytest
import torch

pytest.importorskip("diffusers")

from reinforge.generators import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, False),
        ({"cpu_name": "AMD Zen4", "avx512_bf16": True, "amx_bf16": False}, True),
        ({"cpu_name": "AMD Zen3", "avx512_bf16": False, "amx_bf16": False}, False),
        ({}, False),
    ],
)
def test_auto_takes_bfloat16_on_a_cpu_that_gains_by_it(monkeypatch, told, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told)
    assert precision.is_bfloat16("auto", CPU) is expected


def test_a_release_that_cannot_tell_stays_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert precision.is_bfloat16("auto", CPU) is False


def test_what_is_asked_for_is_done_everywhere():
    assert precision.is_bfloat16("bfloat16", CPU) is True
    assert precision.is_bfloat16("float32", CPU) is False
