import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from reinforge.errors import InputError
from reinforge.measure.classifiers import (
    JUDGES,
    check_judges,
    class_scores,
    classifier,
    fit_quietly,
    regressor,
)


def labelled(n_rows):
    features = np.random.default_rng(0).normal(size=(n_rows, 4))
    return features, (features[:, 0] + features[:, 1] > 0).astype(int)


@pytest.mark.parametrize("judge", [*JUDGES, "svm"])
def test_every_judge_learns_a_linear_border(judge):
    features, label = labelled(300)
    model = fit_quietly(classifier(judge, seed=1), features[:200], label[:200])
    score = class_scores(model, features[200:], classes=np.arange(2))
    assert roc_auc_score(label[200:], score[:, 1]) > 0.9


@pytest.mark.parametrize("judge", [*JUDGES, "svm"])
def test_every_judge_has_a_sibling_for_amounts(judge):
    features, _ = labelled(200)
    model = regressor(judge, seed=1).fit(features, features[:, 0])
    assert model.score(features, features[:, 0]) > 0.8


def test_a_class_that_was_never_seen_scores_alike_for_all_rows():
    features, label = labelled(50)
    model = fit_quietly(classifier("logistic", seed=1), features, label)
    assert class_scores(model, features, classes=np.arange(3))[:, 2].tolist() == [0.0] * 50


def test_the_papers_lightgbm_has_its_settings():
    pytest.importorskip("lightgbm")
    settings = classifier("lightgbm", seed=1).get_params()
    assert settings["learning_rate"] == 0.01
    assert (settings["n_estimators"], settings["max_depth"], settings["num_leaves"]) == (
        500,
        15,
        50,
    )


def test_an_unknown_judge_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="choose from boosting"):
        check_judges(("forrest",))
