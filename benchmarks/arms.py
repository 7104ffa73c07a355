"""The arms of a comparison: generators by name, each in a process of its own, and cached.

An arm sees the train rows and nothing else. Peers come back as they are, but for what a user does
to any generator's output: numbers are clipped to the range of the train rows and rounded to their
decimals, and dtypes are those of the train rows. `reinforge` and `rlsyn` are judged as `sample`
returns them.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from peers.environment import HOME, PINS, ROOT, one_thread, python_of, versions

PEERS = Path(__file__).resolve().parent / "peers"
CACHE = HOME / "cache"
MAX_DECIMALS = 10
# What peers/run_here.py runs, but for our own
RUN_HERE = ("controls", "cart", "tabddpm", "tabddpm_columns")
NICENESS = 10  # of the processes that fit


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One generator: which program runs it, where, and with which settings."""

    what: str  # a line for the reader of the table
    runs: str = "run_here.py"
    environment: str | None = None  # None: the project's own
    program_arm: str | None = None  # its name inside the program, where that is another
    settings: dict[str, object] = field(default_factory=dict)
    is_ours: bool = False
    is_real: bool = False  # no generator: rows of the holdout, which loses them


ARMS: dict[str, Arm] = {
    "reinforge": Arm(what="this package, preset `default`", is_ours=True),
    "rlsyn": Arm(
        what="this package, preset `rlsyn-aireadi`: the published method, for 3,000 of its 30,000 "
        "iterations",
        program_arm="reinforge",
        settings={"preset": "rlsyn-aireadi", "n_steps": 3000},
        is_ours=True,
    ),
    "copy": Arm(what="control: the train rows"),
    "independent": Arm(what="control: every column drawn by itself"),
    "fresh": Arm(
        what="control: real rows that nothing learnt from, taken out of the holdout: what a "
        "generator without fault would score",
        is_real=True,
    ),
    "smote": Arm(what="control: between a row and a neighbour of its class"),
    "cart": Arm(what="sequential CART (synthpop's default, our implementation)"),
    "tabddpm": Arm(what="TabDDPM (our implementation), 5,000 steps on every table, not tuned"),
    "gaussian_copula": Arm(
        what="SDV Gaussian copula, defaults", runs="run_sdv.py", environment="sdv"
    ),
    "ctgan": Arm(what="SDV CTGAN, defaults", runs="run_sdv.py", environment="sdv"),
    "tvae": Arm(what="SDV TVAE, defaults", runs="run_sdv.py", environment="sdv"),
    "arf": Arm(
        what="adversarial random forests (arfpy), defaults", runs="run_arf.py", environment="arf"
    ),
}


def synthesise(
    arm: Arm, name: str, train: pd.DataFrame, *, target: str, seed: int
) -> tuple[pd.DataFrame, dict[str, float]]:
    """As many synthetic rows as there are train rows, and what they cost.

    The result is kept under `.venvs/cache` and taken from there while the train rows, the seed and
    the code (for peers: the pinned versions) are the same.

    Returns:
        The rows, and fit_cpu_seconds, sample_cpu_seconds, peak_rss_mb.
    """
    job = {
        "arm": arm.program_arm or name,
        "target": target,
        "seed": seed,
        "n": len(train),
        "settings": arm.settings,
    }
    folder = CACHE / f"{name}-{_digest(arm, job, train)}"
    if not (folder / "costs.json").exists():
        _run(arm, job, train, folder=folder)
    synthetic = pd.read_parquet(folder / "synthetic.parquet")
    costs = json.loads((folder / "costs.json").read_text())
    return (synthetic if arm.is_ours else like_train(synthetic, train)), costs


def like_train(synthetic: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """The columns, dtypes, range and decimals of the train rows."""
    columns = {}
    for name in train.columns:
        real, made = train[name], synthetic[name].reset_index(drop=True)
        if pd.api.types.is_bool_dtype(real) or not pd.api.types.is_numeric_dtype(real):
            columns[name] = made.astype(object).where(made.notna(), None).astype(real.dtype)
            continue
        amount = pd.to_numeric(made, errors="coerce").astype(float)
        amount = amount.clip(real.min(), real.max()).round(_decimals(real))
        columns[name] = amount if amount.isna().any() else amount.astype(real.dtype)
    return pd.DataFrame(columns)


def _decimals(column: pd.Series) -> int:
    amount = column.dropna().to_numpy(dtype=float)
    fits = (d for d in range(MAX_DECIMALS) if np.array_equal(np.round(amount, d), amount))
    return next(fits, MAX_DECIMALS)


def _run(arm: Arm, job: dict[str, object], train: pd.DataFrame, *, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    train.to_parquet(folder / "train.parquet")
    (folder / "job.json").write_text(json.dumps(job))
    python = python_of(arm.environment) if arm.environment else Path(sys.executable)
    nicer = str(max(0, NICENESS - os.nice(0)))
    command = ["nice", "-n", nicer, python, PEERS / arm.runs, folder / "job.json"]
    done = subprocess.run(command, env=one_thread(), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{job['arm']} failed:\n{done.stderr[-4000:]}")


def _digest(arm: Arm, job: dict[str, object], train: pd.DataFrame) -> str:
    """What a cached result depends on: the rows, the job and the code."""
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode())
    digest.update(pd.util.hash_pandas_object(train).to_numpy().tobytes())
    digest.update(" ".join(train.columns).encode())
    for path in _sources(arm):
        digest.update(path.read_bytes())
    if arm.environment:
        digest.update(repr(PINS[arm.environment]).encode())
    return digest.hexdigest()[:16]


def _sources(arm: Arm) -> list[Path]:
    if arm.is_ours:
        package = ROOT / "src/reinforge"
        judges = ("evaluation", "report", "cli")
        files = sorted(package.rglob("*.py"))
        return [f for f in files if f.relative_to(package).parts[0].split(".")[0] not in judges]
    own = [PEERS / arm.runs]
    here = {"run_here.py": [PEERS.parent / f"{name}.py" for name in RUN_HERE]}
    return own + here.get(arm.runs, [])


def peer_versions(names: list[str]) -> dict[str, str]:
    """Versions of the peers' packages, for those of the arms that need an environment."""
    environments = {ARMS[name].environment for name in names if ARMS[name].environment}
    wanted = {"sdv": ("sdv", "ctgan", "copulas", "rdt", "torch"), "arf": ("arfpy", "scikit-learn")}
    return {
        package: versions(environment)[package]
        for environment in sorted(filter(None, environments))
        for package in wanted[environment]
    }
