"""One thread for every numeric library, also in processes that tests start; a command to run."""

import os
from types import SimpleNamespace

import pytest

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture
def cli(capsys):
    """Runs a command in this process; what was printed before is no part of its output."""
    from reinforge.cli import main  # late: the import hook of the tests comes first

    def call(*args):
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        printed = capsys.readouterr()
        return SimpleNamespace(code=code, out=printed.out, err=printed.err)

    return call
