import numpy as np
import pandas as pd
import pytest

from reinforge.evaluation.judged import Judged
from reinforge.records import Split
from reinforge.schema import Column, Schema

SCHEMA = Schema(
    columns=(
        Column(name="id", kind="identifier", dtype="int64"),
        Column(name="age", kind="integer", dtype="int64"),
        Column(name="pressure", kind="continuous", dtype="float64", missing=True),
        Column(name="score", kind="continuous", dtype="float64"),
        Column(name="sex", kind="categorical", dtype="str", categories=("F", "M")),
        Column(name="stage", kind="ordinal", dtype="str", categories=("I", "II", "III")),
        Column(name="ill", kind="boolean", dtype="bool", categories=(False, True)),
    )
)


def people(n_rows, seed):
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 90, n_rows)
    pressure = 90 + age / 2 + rng.normal(0, 8, n_rows)
    score = rng.gamma(2, 3, n_rows)
    ill = rng.random(n_rows) < 1 / (1 + np.exp(-(age - 55) / 8 - (score - 6) / 3))
    pressure[rng.random(n_rows) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "id": np.arange(n_rows),
            "age": age,
            "pressure": pressure,
            "score": score,
            "sex": rng.choice(["F", "M"], n_rows, p=[0.3, 0.7]),
            "stage": np.array(["I", "II", "III"])[np.clip(rng.poisson(score / 6), 0, 2)],
            "ill": ill,
        }
    )


@pytest.fixture(scope="session")
def split():
    return Split(
        train=people(400, 1),
        holdout=people(200, 2),
        schema=SCHEMA,
        target="ill",
        sensitive=("sex",),
    )


@pytest.fixture(scope="session")
def fresh():
    return people(400, 3)


@pytest.fixture(scope="session")
def make_people():
    return people


@pytest.fixture
def judged_of():
    """Coded tables by hand: amounts and positions straight from lists."""

    def make(columns, train, holdout, synthetic, **settings):
        schema = Schema(columns=tuple(columns))
        names = [column.name for column in columns]
        tables = [
            pd.DataFrame(np.array(rows, dtype=float).reshape(-1, len(names)), columns=names)
            for rows in (train, holdout, synthetic)
        ]
        return Judged(
            train=tables[0],
            holdout=tables[1],
            synthetic=tables[2],
            schema=schema,
            target=settings.get("target"),
            sensitive=tuple(settings.get("sensitive", ())),
            seed=0,
        )

    return make
