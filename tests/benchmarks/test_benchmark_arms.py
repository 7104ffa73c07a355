from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

import arms
import controls
from cart import fit_cart
from tabddpm import Diffusion, fit_tabddpm
from tabddpm_columns import Columns


@pytest.fixture
def patients() -> pd.DataFrame:
    random = np.random.default_rng(0)
    age = random.integers(20, 80, size=300)
    outcome = np.where(age > 50, "ill", "well")
    pressure = (100 + age + random.normal(size=300)).round(1)
    pressure[:60] = np.nan
    ward = pd.Series(np.where(age > 50, "b", "a"), dtype=object)
    ward[250:] = None
    return pd.DataFrame({"age": age, "pressure": pressure, "ward": ward, "outcome": outcome})


def test_copy_gives_back_the_train_rows(patients):
    rows = controls.fit_copy(patients, target="outcome", seed=0)(len(patients))
    pd.testing.assert_frame_equal(rows, patients)


def test_independent_keeps_each_column_and_loses_what_ties_them(patients):
    rows = controls.fit_independent(patients, target="outcome", seed=0)(4000)
    assert set(rows["age"]) <= set(patients["age"])
    assert abs(rows["pressure"].isna().mean() - 0.2) < 0.03
    assert abs(rows["age"].corr(rows["pressure"])) < 0.05
    assert patients["age"].corr(patients["pressure"]) > 0.9
    assert list(rows.dtypes) == list(patients.dtypes)


def test_smote_stays_between_two_rows_of_one_class():
    train = pd.DataFrame(
        {"amount": [0.0, 1.0, 2.0, 10.0, 11.0, 12.0], "target": ["a"] * 3 + ["b"] * 3}
    )
    rows = controls.fit_smote(train, target="target", seed=0)(500)
    assert rows.loc[rows["target"] == "a", "amount"].between(0, 2).all()
    assert rows.loc[rows["target"] == "b", "amount"].between(10, 12).all()
    assert rows["amount"].nunique() > 100


def test_smote_manages_a_class_of_one_row():
    train = pd.DataFrame({"amount": [0.0, 1.0, 2.0, 9.0], "target": ["a", "a", "a", "b"]})
    rows = controls.fit_smote(train, target="target", seed=0)(200)
    assert (rows.loc[rows["target"] == "b", "amount"] == 9.0).all()


@pytest.mark.parametrize(
    "fit",
    [controls.fit_independent, controls.fit_smote, fit_cart, partial(fit_tabddpm, n_steps=2)],
)
def test_the_same_seed_gives_the_same_rows_and_another_seed_others(fit, patients):
    first = fit(patients, target="outcome", seed=1)(50)
    pd.testing.assert_frame_equal(first, fit(patients, target="outcome", seed=1)(50))
    assert not first.equals(fit(patients, target="outcome", seed=2)(50))


def test_cart_keeps_association_and_missing_values_and_invents_no_number(patients):
    rows = fit_cart(patients, target="outcome", seed=0)(2000)
    assert list(rows.columns) == list(patients.columns)
    assert ((rows["age"] > 50) == (rows["outcome"] == "ill")).mean() > 0.95
    assert rows["age"].corr(rows["pressure"]) > 0.9
    assert abs(rows["pressure"].isna().mean() - 0.2) < 0.04
    assert abs(rows["ward"].isna().mean() - 50 / 300) < 0.04
    assert set(rows["pressure"].dropna()) <= set(patients["pressure"].dropna())


def test_tabddpm_keeps_association_and_missing_values(patients):
    rows = fit_tabddpm(patients, target="outcome", seed=0, n_steps=400)(2000)
    assert list(rows.columns) == list(patients.columns)
    assert abs((rows["outcome"] == "ill").mean() - (patients["outcome"] == "ill").mean()) < 0.04
    assert ((rows["age"] > 50) == (rows["outcome"] == "ill")).mean() > 0.9
    assert rows["age"].corr(rows["pressure"]) > 0.8
    assert abs(rows["pressure"].isna().mean() - 0.2) < 0.08
    assert abs(rows["ward"].isna().mean() - 50 / 300) < 0.08
    assert rows["pressure"].nunique() > 500


@pytest.mark.parametrize("columns", [["age", "pressure"], ["ward", "outcome"]])
def test_tabddpm_takes_a_number_as_target_and_tables_of_one_kind(patients, columns):
    rows = fit_tabddpm(patients[columns], target=columns[0], seed=0, n_steps=3)(40)
    assert rows.shape == (40, 2)
    assert list(rows.columns) == columns


def test_the_way_back_of_tabddpm_s_levels_is_that_of_bayes(patients):
    frame = patients[["ward"]].fillna("c")
    diffusion = Diffusion(Columns.of(frame, seed=0))
    every = torch.eye(3).log().clamp(min=-60)  # the levels, as logs of one-hot
    time = torch.tensor([120])
    now = diffusion.blurred(every[:1], diffusion.all_kept[time, None]).exp()
    back = torch.cat(
        [diffusion.before(every[:1], level[None], time=time) for level in torch.eye(3)]
    )
    torch.testing.assert_close(
        now @ back.exp(), diffusion.blurred(every[:1], diffusion.all_kept[time - 1, None]).exp()
    )
    assert back[0, 0].exp() > now[0, 0] > 1 / 3


def test_peers_rows_get_the_range_decimals_and_dtypes_of_the_train_rows():
    train = pd.DataFrame({"age": [20, 80], "bmi": [21.5, 30.0], "sex": ["f", "m"]})
    made = pd.DataFrame({"sex": ["m", None], "age": [19.7, 41.2], "bmi": ["22.16", "99"]})
    rows = arms.like_train(made, train)
    expected = pd.DataFrame({"age": [20, 41], "bmi": [22.2, 30.0], "sex": ["m", None]})
    pd.testing.assert_frame_equal(rows, expected)


def test_a_peer_that_leaves_an_integer_missing_is_not_mended():
    train = pd.DataFrame({"age": [20, 80]})
    rows = arms.like_train(pd.DataFrame({"age": [None, 30.0]}), train)
    assert rows["age"].isna().tolist() == [True, False]


def test_an_arm_runs_in_a_process_of_its_own_and_is_kept(patients, tmp_path, monkeypatch):
    monkeypatch.setattr(arms, "CACHE", tmp_path)
    run = {"target": "outcome", "seed": 3}
    rows, costs = arms.synthesise(arms.ARMS["cart"], "cart", patients, **run)
    assert len(rows) == len(patients)
    assert set(costs) == {"fit_cpu_seconds", "sample_cpu_seconds", "peak_rss_mb"}
    monkeypatch.setattr(arms, "_run", lambda *_, **__: pytest.fail("the kept rows were not used"))
    again, _ = arms.synthesise(arms.ARMS["cart"], "cart", patients, **run)
    pd.testing.assert_frame_equal(rows, again)


def test_other_train_rows_are_not_answered_from_the_cache(patients, tmp_path, monkeypatch):
    monkeypatch.setattr(arms, "CACHE", tmp_path)
    run = {"target": "outcome", "seed": 3}
    arms.synthesise(arms.ARMS["copy"], "copy", patients, **run)
    older = patients.assign(age=patients["age"] + 1)
    rows, _ = arms.synthesise(arms.ARMS["copy"], "copy", older, **run)
    pd.testing.assert_series_equal(rows["age"], older["age"])
