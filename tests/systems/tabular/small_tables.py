"""Small tables, and settings that learn them in a blink or in seconds."""

import numpy as np
import pandas as pd
import torch

from reinforge.data.coded import to_coded
from reinforge.data.infer import infer_schema
from reinforge.randomness import generator
from reinforge.systems.tabular.choose import choose_heads
from reinforge.systems.tabular.config import TabularConfig
from reinforge.systems.tabular.learner import as_draw, new_learner

QUICK = {
    "batch_rows": 32,
    "hidden": 16,
    "noise_dim": 4,
    "discriminator_hidden": 16,
    "n_steps": 4,
    "cold_start_steps": 0,
}


def quick(**settings):
    """Settings that train in a blink; phases that a version lacks are left out."""
    both = {**QUICK, **settings}
    return {name: value for name, value in both.items() if name in TabularConfig.model_fields}


def mixed_table(n_rows=120, seed=0):
    """A column of every shape: smooth, spiky, counted, dated, with gaps, with and without order."""
    numbers = np.random.default_rng(seed)
    smooth = numbers.normal(50.0, 10.0, n_rows)
    return pd.DataFrame(
        {
            "smooth": smooth,
            "spiky": np.where(numbers.random(n_rows) < 0.6, 0.0, numbers.exponential(2.0, n_rows)),
            "count": numbers.integers(0, 6, n_rows),
            "age": numbers.integers(18, 91, n_rows),
            "gaps": np.where(numbers.random(n_rows) < 0.3, np.nan, smooth + 1.0),
            "day": pd.to_datetime("2020-01-01")
            + pd.to_timedelta(numbers.integers(0, 300, n_rows), unit="D"),
            "yes": numbers.random(n_rows) < 0.4,
            "group": numbers.choice(["a", "b", "c"], n_rows, p=[0.6, 0.3, 0.1]),
            "stage": pd.Categorical(
                numbers.choice(["I", "II", "III"], n_rows),
                categories=["I", "II", "III"],
                ordered=True,
            ),
            "note": np.where(
                numbers.random(n_rows) < 0.2, None, numbers.choice(["x", "y"], n_rows)
            ),
        }
    )


def known_table(n_rows=300, seed=0):
    """Two binary columns that agree in 85 % of rows, and a number with two far modes."""
    numbers = np.random.default_rng(seed)
    first = numbers.random(n_rows) < 0.4
    second = np.where(numbers.random(n_rows) < 0.85, first, ~first)
    upper = numbers.random(n_rows) < 0.5
    return pd.DataFrame(
        {
            "first": first,
            "second": second,
            "number": numbers.normal(np.where(upper, 3.0, -3.0), 0.5),
        }
    )


def laid_out(frame, **choice):
    """Schema, coded table and layout of a frame."""
    schema = infer_schema(frame, min_level_count=choice.get("min_rows", 5))
    coded = to_coded(frame, schema)
    return schema, coded, choose_heads(coded, schema, **choice)


def learner_of(frame, *, seed=0, last=None, **settings):
    """A learner at step 0 (one column drawn last, if named), and the encoded rows of its table."""
    config = TabularConfig(**quick(**settings)).for_rows(len(frame))
    _, coded, layout = laid_out(frame, choice=config.heads, look_up=config.look_up, last=last)
    real = as_draw(layout.encode(coded, generator(seed, "test/encode")))
    return new_learner(config, layout, seed=seed, target=last), real


def torch_numbers(seed=0):
    """A seeded torch generator."""
    return torch.Generator().manual_seed(seed)


LEARNT = {
    "n_steps": 500,
    "batch_rows": 128,
    "hidden": 32,
    "noise_dim": 8,
    "discriminator_hidden": 32,
    "learning_rate": 2e-3,
    "discriminator_learning_rate": 4e-3,
    "r1_weight": 0.1,
    "average_from": 0.5,
}
