"""Environments of their own for the peers: `python benchmarks/peers/environment.py sdv arf`.

The peers want other versions of numpy and pandas than we do, and some have licences that we keep
out of our dependencies. So each lives in `.venvs/NAME` (git-ignored), is made on first use, and is
called as a program.
"""

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venvs"
# Installed one line after the other: torch first, so that nothing later brings another build.
PINS: dict[str, tuple[tuple[str, ...], ...]] = {
    "sdv": (("torch==2.13.0",), ("torch==2.13.0", "sdv==2.0.0", "pyarrow>=16")),
    # arfpy 0.1.1 calls numpy functions that 2.4 removed, and fails on pandas 3's text columns
    "arf": (("arfpy==0.1.1", "numpy<2.4", "pandas<3", "pyarrow>=16"),),
}


def python_of(name: str) -> Path:
    """The interpreter of a peer's environment, which is made if missing or if its pins changed."""
    home = HOME / name
    python = home / "bin" / "python"
    marker = home / "installed.txt"
    wanted = "\n".join(" ".join(line) for line in PINS[name])
    if marker.exists() and marker.read_text() == wanted:
        return python
    print(f"making {home.relative_to(ROOT)} (once; a few minutes) ...", file=sys.stderr)
    venv.create(home, with_pip=True, clear=True)
    for line in PINS[name]:
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *line], check=True)
    marker.write_text(wanted)
    return python


def one_thread() -> dict[str, str]:
    """The environment variables that hold a numeric program to one core."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, "1"), "LOKY_MAX_CPU_COUNT": "1"}


def versions(name: str) -> dict[str, str]:
    """Package -> version of everything installed in a peer's environment."""
    pip = [python_of(name), "-m", "pip", "--disable-pip-version-check"]
    command = [*pip, "list", "--format=freeze"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return dict(line.split("==", 1) for line in lines if "==" in line)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(PINS), choices=list(PINS))
    for environment in parser.parse_args().names:
        print(python_of(environment))
