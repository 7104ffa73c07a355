import pandas as pd
import pytest

import tables
from reinforge.errors import InputError


def folder():
    found = tables.data_folder()
    if not found.exists():
        pytest.skip("the benchmark files are not here; set REINFORGE_DATA")
    return found


def test_a_split_is_80_20_stratified_and_without_overlap(tmp_path):
    split = tables.split("breast_cancer", rows=None, seed=0, folder=tmp_path)
    assert (len(split.train), len(split.holdout)) == (455, 114)
    shares = [(part["diagnosis"] == "benign").mean() for part in (split.train, split.holdout)]
    assert abs(shares[0] - shares[1]) < 0.01
    assert pd.concat([split.train, split.holdout]).drop_duplicates().shape[0] == 569


def test_rows_set_the_train_rows_and_leave_the_rest_as_holdout(tmp_path):
    split = tables.split("breast_cancer", rows=200, seed=0, folder=tmp_path)
    assert (len(split.train), len(split.holdout)) == (200, 369)


def test_another_seed_is_another_split(tmp_path):
    first, second = (
        tables.split("breast_cancer", rows=None, seed=seed, folder=tmp_path) for seed in (0, 1)
    )
    assert not first.train.equals(second.train)


def test_more_train_rows_than_the_table_has_are_refused(tmp_path):
    with pytest.raises(InputError, match="569 rows"):
        tables.split("breast_cancer", rows=560, seed=0, folder=tmp_path)


def test_fresh_rows_leave_the_holdout_and_are_as_many_as_the_train_rows(tmp_path):
    split = tables.split("breast_cancer", rows=150, seed=0, folder=tmp_path)
    shorter, fresh = tables.with_fresh_rows(split, seed=0)
    assert (len(shorter.train), len(fresh), len(shorter.holdout)) == (150, 150, 269)
    everything = pd.concat([shorter.train, fresh, shorter.holdout])
    assert everything.drop_duplicates().shape[0] == 569


def test_fresh_rows_that_would_use_up_the_holdout_are_refused(tmp_path):
    split = tables.split("breast_cancer", rows=300, seed=0, folder=tmp_path)
    with pytest.raises(InputError, match="269 rows are held out, too few to take 300"):
        tables.with_fresh_rows(split, seed=0)


def test_an_unknown_table_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(InputError, match="heart_all"):
        tables.load("hart", folder=tmp_path)


def test_a_missing_file_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match="REINFORGE_DATA"):
        tables.load("pima", folder=tmp_path)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("heart", (303, 14)),
        ("heart_all", (920, 15)),
        ("pima", (768, 9)),
        ("wisconsin", (699, 10)),
        ("hypothyroid", (3772, 28)),
        ("compas", (6172, 12)),
    ],
)
def test_a_real_table_has_its_known_shape_and_a_binary_target(name, shape):
    frame = tables.load(name, folder=folder())
    assert frame.shape == shape
    assert frame[tables.TABLES[name].target].nunique() == 2


def test_codes_are_text_and_missing_codes_stay_missing():
    frame = tables.load("heart", folder=folder())
    assert set(frame["thal"].dropna()) == {"c3", "c6", "c7"}
    assert frame["thal"].isna().sum() == 2
    assert set(frame["sex"]) == {"0", "1"}
