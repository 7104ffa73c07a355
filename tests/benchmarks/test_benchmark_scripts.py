"""Each script of the benchmarks finds what it takes from the others."""

import importlib
from pathlib import Path

import pytest

SCRIPTS = sorted(path.stem for path in (Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_imports(name):
    assert importlib.import_module(name).__doc__
