"""What `speed.py` measures: each function runs in a fresh process and returns score -> value."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peers.environment import HOME
from reinforge.randomness import generator

SAMPLED_ROWS = 500_000
STREAMED_ROWS = 10_000_000
LOOP_STEPS = 400
BLOCK = 40


def toy(n_rows: int, n_columns: int, *, seed: int) -> pd.DataFrame:
    """A table like a small medical one: amounts, counts, categories and a binary `outcome`.

    Two hidden factors tie the columns together; half are continuous (some skewed), a quarter
    counts, the rest categories of three to eight levels.
    """
    random = generator(seed, "benchmark toy table")
    factors = random.normal(size=(n_rows, 2))
    columns: dict[str, Any] = {}
    for i in range(n_columns - 1):
        signal = factors @ random.normal(size=2) + random.normal(size=n_rows)
        if i % 4 < 2:
            columns[f"amount_{i}"] = np.round(np.exp(signal / 2) if i % 8 == 0 else signal, 3)
        elif i % 4 == 2:
            columns[f"count_{i}"] = random.poisson(np.exp(signal / 3))
        else:
            edges = np.quantile(signal, np.linspace(0, 1, 4 + i % 6)[1:-1])
            columns[f"class_{i}"] = np.char.add("level ", np.digitize(signal, edges).astype(str))
    columns["outcome"] = np.where(factors.sum(1) + random.normal(size=n_rows) > 0.5, "yes", "no")
    return pd.DataFrame(columns)


def fit(n_rows: int, n_columns: int, *, seed: int) -> dict[str, float]:
    """CPU seconds of a fit with defaults; the model is kept for `sample` and `stream`."""
    from reinforge.synthesizers import TabularSynthesizer

    train = toy(n_rows, n_columns, seed=seed)
    start = time.process_time()
    model = TabularSynthesizer(seed=seed).fit(train, target="outcome")
    seconds = time.process_time() - start
    if n_columns == 20:
        model.save(_model_folder())
    return {"fit_cpu_seconds": seconds, "peak_rss_mb": _peak_rss_mb()}


def loop(*, seed: int) -> dict[str, float]:
    """Training steps against the bare forward and backward passes of the same nets."""
    learner, real = _learner(seed=seed)
    from reinforge.systems.tabular.step import step

    whole = bare = 0.0
    for block in range(LOOP_STEPS // BLOCK + 1):  # in turn, so that both meet the same machine
        start = time.process_time()
        for index in range(block * BLOCK, (block + 1) * BLOCK):
            step(learner, real, index, seed=seed)
        stepped = time.process_time() - start
        passed = bare_passes(learner, n_steps=BLOCK)
        if block > 0:  # the first is to warm up
            whole, bare = whole + stepped, bare + passed
    return {
        "loop_cpu_ms_per_step": 1000 * whole / LOOP_STEPS,
        "bare_cpu_ms_per_step": 1000 * bare / LOOP_STEPS,
        "loop_over_bare_passes": whole / bare,
    }


def bare_passes(learner: Any, *, n_steps: int) -> float:
    """CPU seconds of nothing but the passes through both nets that one step of PPO needs.

    Per step: the policy forward (rollout), the discriminator forward (reward), the policy forward
    and backward for each epoch; for each discriminator update the policy forward (fresh rows), the
    discriminator forward and backward on real and drawn rows, and, as often as the settings ask,
    its second derivative for R1. Inputs are fixed random tensors; there is no drawing, no
    log-prob, no loss and no optimizer.
    """
    import torch

    config, policy, discriminator = learner.config, learner.policy, learner.discriminator
    random = torch.Generator().manual_seed(0)
    noise = torch.randn((config.batch_rows, config.noise_dim), generator=random)
    rows = torch.randn((config.batch_rows, learner.features.width), generator=random)

    def forward(with_gradient: bool) -> None:
        with torch.set_grad_enabled(with_gradient):
            mean, _, logits, value = policy(noise)
            total = mean.sum() + logits.sum() + value.sum()
        if with_gradient:
            total.backward()

    start = time.process_time()
    for index in range(n_steps):
        forward(False)
        with torch.no_grad():
            discriminator(rows)
        for _ in range(config.n_epochs):
            forward(True)
        for k in range(config.discriminator_steps):
            forward(False)
            is_penalised = (index * config.discriminator_steps + k) % config.r1_every == 0
            real = rows.clone().requires_grad_(is_penalised and config.r1_weight > 0)
            logit = discriminator(real).sum()
            total = logit + discriminator(rows).sum()
            if real.requires_grad:
                (gradient,) = torch.autograd.grad(logit, real, create_graph=True)
                total = total + gradient.square().sum()
            total.backward()
    seconds = time.process_time() - start
    policy.zero_grad()
    discriminator.zero_grad()
    return seconds


def sample(*, seed: int) -> dict[str, float]:
    """Rows a second of one core, decoding included."""
    model = _model(seed=seed)
    model.sample(10_000, seed=seed)
    start = time.perf_counter()
    model.sample(SAMPLED_ROWS, seed=seed)
    seconds = time.perf_counter() - start
    return {"rows_per_second": SAMPLED_ROWS / seconds, "peak_rss_mb": _peak_rss_mb()}


def stream(*, seed: int) -> dict[str, float]:
    """Ten million rows to a Parquet file: the peak of resident memory is what matters."""
    model = _model(seed=seed)
    with tempfile.TemporaryDirectory(dir=HOME) as folder:
        path = Path(folder) / "rows.parquet"
        start = time.perf_counter()
        model.sample_to(path, STREAMED_ROWS, seed=seed)
        seconds = time.perf_counter() - start
        size = path.stat().st_size / 2**20
    return {
        "peak_rss_mb": _peak_rss_mb(),
        "rows_per_second": STREAMED_ROWS / seconds,
        "file_mb": size,
    }


def judge(level: str, *, seed: int) -> dict[str, float]:
    """CPU seconds of `evaluate`, worker processes included."""
    from reinforge.data.split import split_table
    from reinforge.evaluation.scorecard import evaluate

    split = split_table(toy(5_000, 30, seed=seed), target="outcome", seed=seed)
    synthetic = toy(5_000, 30, seed=seed + 1)[: len(split.train)]
    start = _cpu_seconds()
    evaluate(split, synthetic, level=level, seed=seed)
    return {"cpu_seconds": _cpu_seconds() - start, "peak_rss_mb": _peak_rss_mb()}


def imports(*, seed: int) -> dict[str, float]:
    """Seconds until a fresh interpreter has run `import reinforge`, and whether that brought torch.

    The interpreter's own start is taken off; the quickest of five.
    """
    return {
        "seconds": _quickest("import reinforge") - _quickest("pass"),
        "torch_is_imported": float(_brings("import reinforge", "torch")),
        "pandas_is_imported": float(_brings("import reinforge", "pandas")),
    }


def command_line(*, seed: int) -> dict[str, float]:
    """Seconds of importing the command line, and whether that brought torch."""
    return {
        "seconds": _quickest("import reinforge.cli") - _quickest("pass"),
        "torch_is_imported": float(_brings("import reinforge.cli", "torch")),
    }


MEASUREMENTS: dict[str, tuple[str, Callable[..., dict[str, float]]]] = {
    "fit_500x20": ("fit 500 x 20", lambda seed: fit(500, 20, seed=seed)),
    "fit_5000x30": ("fit 5,000 x 30", lambda seed: fit(5_000, 30, seed=seed)),
    "loop": ("loop, 500 x 20", loop),
    "sample": ("sample 20 columns", sample),
    "stream": ("stream 10,000,000 x 20 to Parquet", stream),
    "evaluate_quick": ("evaluate quick 5,000 x 30", lambda seed: judge("quick", seed=seed)),
    "evaluate_full": ("evaluate full 5,000 x 30", lambda seed: judge("full", seed=seed)),
    "imports": ("import reinforge", imports),
    "command_line": ("import reinforge.cli", command_line),
}


def _learner(*, seed: int) -> tuple[Any, Any]:
    """The tabular system on 500 x 20 before its first policy gradient, and the encoded real rows.

    With defaults, but without a cold start: steps of imitation are cheaper and no part of the loop.
    """
    from reinforge.data.coded import to_coded
    from reinforge.data.infer import infer_schema
    from reinforge.systems.tabular.choose import choose_heads
    from reinforge.systems.tabular.config import resolve_config
    from reinforge.systems.tabular.learner import as_draw, new_learner

    train = toy(500, 20, seed=seed)
    schema = infer_schema(train)
    coded = to_coded(train, schema)
    layout = choose_heads(coded, schema)
    config = resolve_config("default", {"cold_start_steps": 0}).for_rows(len(train))
    learner = new_learner(config, layout, seed=seed)
    return learner, as_draw(layout.encode(coded, generator(seed, "benchmark encode")))


def _model_folder() -> Path:
    return HOME / "cache" / "speed-model"


def _model(*, seed: int) -> Any:
    from reinforge.synthesizers import TabularSynthesizer

    if not _model_folder().exists():
        fit(500, 20, seed=seed)
    return TabularSynthesizer.load(_model_folder())


def _cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.RUSAGE_CHILDREN
    below = resource.getrusage(children)
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime


def _peak_rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _quickest(code: str) -> float:
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def _brings(code: str, module: str) -> bool:
    question = f"{code}; import sys; print({module!r} in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", question], check=True, capture_output=True, text=True
    )
    return answer.stdout.strip() == "True"
