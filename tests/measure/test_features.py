import numpy as np
import pandas as pd
import pytest

from reinforge.measure.distances import nearest, squared_distances
from reinforge.measure.features import FeatureEncoder
from reinforge.schema import Column, Schema

SCHEMA = Schema(
    columns=(
        Column(name="age", kind="continuous", dtype="float64", missing=True),
        Column(name="sex", kind="categorical", dtype="str", categories=("F", "M")),
    )
)


def coded(age, sex):
    return pd.DataFrame({"age": np.array(age, float), "sex": np.array(sex, float)})


def test_a_full_range_and_another_level_are_each_one_apart():
    train = coded([20, 60], [0, 0])
    points = FeatureEncoder.fit(train, SCHEMA).transform(coded([20, 60, 20], [0, 0, 1]))
    apart = squared_distances(points[:1], points)
    np.testing.assert_allclose(apart, [[0.0, 1.0, 1.0]], atol=1e-12)


def test_a_missing_level_is_a_level_and_a_missing_amount_stands_at_the_mean():
    train = coded([20, 60, np.nan], [0, 1, 0])
    points = FeatureEncoder.fit(train, SCHEMA).transform(coded([np.nan, 40, 40], [0, 0, np.nan]))
    assert squared_distances(points[:1], points)[0].tolist() == pytest.approx([0.0, 1.0, 2.0])


def test_a_level_that_the_schema_does_not_know_differs_from_all_others():
    encoder = FeatureEncoder.fit(coded([0, 1], [0, 1]), SCHEMA)
    points = encoder.transform(coded([0, 0, 0, 0], [0, 1, 2, np.nan]))
    apart = squared_distances(points, points)
    np.testing.assert_allclose(apart, 1 - np.eye(4), atol=1e-12)


def test_a_wild_amount_is_at_most_one_range_outside():
    encoder = FeatureEncoder.fit(coded([0, 10], [0, 0]), SCHEMA)
    points = encoder.transform(coded([10, 1e300], [0, 0]))
    assert squared_distances(points[:1], points[1:])[0, 0] == pytest.approx(1.0)


def test_blocks_say_where_a_column_stands():
    encoder = FeatureEncoder.fit(coded([0, 10], [0, 0]), SCHEMA)
    assert encoder.blocks == {"age": slice(0, 2), "sex": slice(2, 6)}


def test_nearest_leaves_a_row_out_of_its_own_neighbours():
    points = np.array([[0.0], [1.0], [3.0]])
    distance, index = nearest(points, points, k=2, leave_out_self=True)
    assert index.tolist() == [[1, 2], [0, 2], [1, 0]]
    assert distance.tolist() == [[1.0, 3.0], [1.0, 2.0], [2.0, 3.0]]


def test_nearest_agrees_with_scikit_learn():
    neighbors = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(0)
    points, references = rng.normal(size=(40, 7)), rng.normal(size=(90, 7))
    distance, index = nearest(points, references, k=4)
    theirs = neighbors.NearestNeighbors(n_neighbors=4).fit(references).kneighbors(points)
    np.testing.assert_allclose(distance, theirs[0], rtol=1e-9)
    np.testing.assert_array_equal(index, theirs[1])


def test_too_few_references_are_refused():
    with pytest.raises(ValueError, match="only 1"):
        nearest(np.zeros((2, 1)), np.zeros((2, 1)), k=2, leave_out_self=True)
